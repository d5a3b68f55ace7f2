"""Which effect each analysis estimates, in words: conditional or marginal, and in whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.report.chapters.methods.balancing_words import WHOM
from counterpulse.report.chapters.speech import Speech, listed, paragraph
from counterpulse.report.document import Paragraph, Run
from counterpulse.report.measures import measure_of

NAMED = {
    "all": "the average treatment effect",
    "treated": "the average treatment effect in the treated",
    "untreated": "the average treatment effect in the untreated",
    "overlap": "the average treatment effect in the overlap population",
}
BY_TYPE = "by type"
"""The measure of an analysis that takes the usual one of each outcome."""


def compares_groups(plan: Plan, item: PlannedAnalysis) -> bool:
    """Whether an analysis estimates an effect of the groups, and not of predictors."""
    own = not any(plan.outcomes[name].of_group for name in item.outcomes if name in plan.outcomes)
    first = item.measures[0] if item.measures else ""
    return bool(plan.groups) and own and not item.only_screen and (measure_of(first).contrasts or first == BY_TYPE)


def kind_of_effect(item: PlannedAnalysis) -> str:
    """ "conditional" or "marginal", as the plan says."""
    return next((str(choice.value) for choice in item.choices if choice.name == "kind of effect"), "")


def estimand_paragraph(speech: Speech) -> Paragraph | None:
    """The effects of the primary and secondary analyses, those in the same patients together."""
    whom: dict[str, list[PlannedAnalysis]] = {}
    for item in speech.plan.analyses:
        if item.role in ("primary", "secondary") and kind_of_effect(item) and compares_groups(speech.plan, item):
            whom.setdefault(item.target, []).append(item)
    runs = [run for target, items in whom.items() for run in _in(speech, target, items)]
    return paragraph(*runs) if runs else None


def _in(speech: Speech, target: str, items: Sequence[PlannedAnalysis]) -> Iterator[Run]:
    kinds: dict[str, list[str]] = {}
    for item in items:
        kinds.setdefault(_kind(item), []).append(item.id)
    told = listed([f"{kind} in {listed(ids)}" for kind, ids in kinds.items()], ";")
    named = f" ({NAMED[target]})" if target in NAMED else ""
    yield Run(f"Effects {speech.were} estimated in {WHOM.get(target, target)}{named}: {told}.")
    matched = [item.id for item in items if item.balancing is not None and item.balancing.use == "matching"]
    if matched and target in ("treated", "untreated"):
        yield Run(
            f"Where some of {WHOM[target]} {speech.either('found', 'find')} no match, the effect in {listed(matched)} is that in the "
            f"matched {target} patients."
        )


def _kind(item: PlannedAnalysis) -> str:
    """Conditional on what."""
    kind = kind_of_effect(item)
    if kind != "conditional":
        return kind
    given = ["the covariates"] if item.terms or item.models or item.selection is not None or item.screen else []
    clustered = item.clusters is not None and item.clusters.treat_as == "random-intercept"
    return " ".join(filter(None, ("conditional", f"on {listed([*given, *(['the cluster'] if clustered else [])])}" if given or clustered else "")))
