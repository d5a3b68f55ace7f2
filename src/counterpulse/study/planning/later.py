"""Parts of the language that this version reads but does not carry out: refused where a number would be wrong, else told."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.planning.drafts import Desk
from counterpulse.study.planning.truncation import refuse_truncation


def kept_for_later(desk: Desk) -> None:
    """Refuse what this version cannot do, and say what it reads without using it."""
    _refuse(desk)
    refuse_truncation(desk)
    for path, what in (*_unused_of_the_trial(desk.nodes), *_unused_of_the_cohort(desk.nodes)):
        desk.refuse(path, "W602", f"{what} is read and kept, but this version does not use it", "", "nothing for now")


def _refuse(desk: Desk) -> None:
    """What would give a wrong study if it were left out in silence."""
    nodes = desk.nodes
    if nodes.hypothesis is not None and (nodes.hypothesis.type != "superiority" or nodes.hypothesis.sides == 1):
        desk.refuse(
            ("hypothesis", "type"), "E601", "tests of non-inferiority and equivalence, and one-sided tests, are not in this version",
            "type: superiority, sides: 2", "take `hypothesis` out and judge the interval against the margin yourself for now",
        )  # fmt: skip
    if nodes.trial is not None and nodes.trial.layout != "parallel":
        desk.refuse(
            ("trial", "layout"), "E601", f"the layout '{nodes.trial.layout}' is not in this version", "parallel",
            "wait for a later version",
        )  # fmt: skip


def _unused_of_the_trial(nodes: ProtocolNode) -> Iterator[tuple[YamlPath, str]]:
    if nodes.trial is not None:
        yield ("trial",), "the conduct of the trial (sample size, randomization, looks)"
    if nodes.intercurrent_events:
        yield ("intercurrent_events",), "the list of intercurrent events"
    for key, criteria in (("include", nodes.eligibility.include), ("exclude", nodes.eligibility.exclude)):
        for index, criterion in enumerate(criteria):
            if criterion.earlier is not None:
                yield ("eligibility", key, index, "earlier"), "the earlier wording of a criterion"


def _unused_of_the_cohort(nodes: ProtocolNode) -> Iterator[tuple[YamlPath, str]]:
    if nodes.exposure is not None and nodes.exposure.stops is not None:
        yield ("exposure", "stops"), "the end of the exposure"
    if nodes.exposure is not None and nodes.exposure.timing == "unknown":
        yield ("exposure", "timing"), "the bias that an unknown time of exposure may bring (its bounds)"
