"""How firmly the conclusions stand, as planned: E-values, negative controls, naive comparisons, all combinations of choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from counterpulse.protocol.nodes import Analysis, Edit, ImmortalTime, Multiverse, ProtocolNode
from counterpulse.protocol.plan import (
    PlannedAnalysis,
    PlannedConfounder,
    PlannedMultiverse,
    PlannedRobustness,
    PlannedSpecification,
)
from counterpulse.protocol.robustness_nodes import read_range
from counterpulse.results import Choice
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.balancing.balance import USUAL
from counterpulse.study.methods.by_type import chosen
from counterpulse.study.planning.drafts import Desk, Draft, drafts, edited
from counterpulse.study.planning.resolve import resolve
from counterpulse.study.robustness.questions import NAIVE, alone, decides, same_plan, same_question

MOST_SPECIFICATIONS = 500
TRIAL = "randomized-trial"
OF_EFFECTS = ("ratio", "difference", "by type")
"""What a measure is called that compares groups."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The analyses of the study, each with its draft."""

    desk: Desk
    analyses: Mapping[str, PlannedAnalysis]
    drafts: Mapping[str, Draft]

    @property
    def primary(self) -> PlannedAnalysis | None:
        """The first primary analysis."""
        return next((item for item in self.analyses.values() if item.role == "primary"), None)

    def edit(self, edit: Analysis, path: YamlPath, of: str, id_: str) -> Draft:
        """An edit of an analysis, under an id of its own."""
        return edited(edit.model_copy(update={"id": id_, "of": of, "role": "sensitivity"}), path, self.drafts[of])


def planned_robustness(desk: Desk, analyses: Sequence[PlannedAnalysis | None]) -> PlannedRobustness:
    """What is done beside the analyses to see how firmly their conclusions stand; findings where something cannot be done."""
    found = {item.id: item for item in analyses if item is not None}
    resolved = Resolved(desk, found, {draft.node.id: draft for draft in drafts(desk.nodes)})
    if desk.nodes.study.design == "review":
        return PlannedRobustness(
            multiverse=None if desk.nodes.multiverse is None else _multiverse(resolved, desk.nodes.multiverse)
        )
    if desk.nodes.groups is None:
        _refuse_without_groups(desk)
        return PlannedRobustness()
    asked = desk.nodes.robustness.e_values
    return PlannedRobustness(
        e_values=desk.nodes.study.design != TRIAL if asked is None else asked,
        negative_controls=tuple(_negative_controls(resolved)),
        naive=tuple(_naive(resolved)),
        confounder=_confounder(resolved),
        multiverse=None if desk.nodes.multiverse is None else _multiverse(resolved, desk.nodes.multiverse),
    )


def _refuse_without_groups(desk: Desk) -> None:
    robustness = desk.nodes.robustness
    asked: list[tuple[YamlPath, object]] = [(("multiverse",), desk.nodes.multiverse)]
    asked += [(("robustness", key), getattr(robustness, key)) for key in type(robustness).model_fields]
    for path, value in asked:
        if value:
            desk.refuse(path, "E667", f"`{path[-1]}` in a study without compared groups, which has no effect to doubt",
                        "a study with `groups`", f"take `{path[-1]}` out")  # fmt: skip


def robustness_choices(nodes: ProtocolNode, planned: PlannedRobustness) -> Iterator[Choice]:
    """What is done to see how firmly the conclusions stand, as provenance holds it."""
    if nodes.groups is not None:
        given = nodes.robustness.e_values is not None
        yield Choice(
            "E-values",
            planned.e_values,
            "given" if given else "default",
            "vanderweele-ding-2017" if planned.e_values else None,
        )
    for item in planned.negative_controls:
        yield Choice("negative control", f"{item.outcomes[0]}, of {item.of}", "given", "lipsitch-2010")
    for item in planned.naive:
        yield Choice("for comparison only", f"{item.of} with immortal time ({item.outcomes[0]})", "default")
    if planned.confounder is not None:
        probabilistic = len(planned.confounder.effect[0]) > 1
        yield Choice(
            "unmeasured confounder", f"{'probabilistic' if probabilistic else 'simple'} bias analysis of {planned.confounder.of}",
            "given", "lash-2009" if probabilistic else "schlesselman-1978",
        )  # fmt: skip
    if planned.multiverse is not None:
        number = len(planned.multiverse.specifications)
        yield Choice("multiverse", f"{number} combinations of {planned.multiverse.of}", "given", "steegen-2016")


# -- negative controls -------------------------------------------------------------------------------------------------


def _negative_controls(resolved: Resolved) -> Iterator[PlannedAnalysis]:
    """The primary analysis on each outcome that the treatment cannot change."""
    nodes = resolved.desk.nodes
    places: dict[str, YamlPath] = {
        name: ("outcomes", name, "negative_control") for name, node in nodes.outcomes.items() if node.negative_control
    }
    listed = nodes.robustness.negative_controls
    places |= {name: ("robustness", "negative_controls", index) for index, name in enumerate(listed)}
    for name, path in places.items():
        primary = _one_effect(resolved, path, None)
        if primary is None:
            return
        if name in primary.outcomes:
            resolved.desk.refuse(
                path, "E667", f"'{name}' is the outcome of {primary.id}, and a negative control of it", "another outcome",
                "name an outcome that the treatment cannot change",
            )  # fmt: skip
            continue
        edit = Edit.model_construct(_fields_set={"outcome", "also"}, outcome=(name,), also=())
        planned = resolve(resolved.desk, _placed(resolved.edit(edit, path, primary.id, f"{primary.id}-{name}"), path))
        if planned is not None:
            yield alone(replace(planned, label=f"{primary.label}: {resolved.desk.outcomes[name].label}"))


def _placed(draft: Draft, path: YamlPath) -> Draft:
    """A draft whose findings all point at one place: where the edit was asked for."""
    return Draft(draft.node, path[:-1], dict.fromkeys(draft.node.model_fields_set, path[:-1]))


# -- naive answers -----------------------------------------------------------------------------------------------------


def _naive(resolved: Resolved) -> Iterator[PlannedAnalysis]:
    """The answer with immortal time, where the protocol has only answers without it to a question.

    Of primary questions, and of those that the protocol answers under several plans.
    """
    exposure = resolved.desk.nodes.exposure
    if exposure is None or exposure.timing == "unknown":
        return
    known = list(resolved.analyses.values())
    for item in resolved.analyses.values():
        effect = any(word in item.measures[0] for word in OF_EFFECTS)
        if item.role not in ("primary", "secondary") or item.maker == NAIVE or not effect:
            continue
        for name in item.outcomes:
            alike = [other for other in known if name in other.outcomes and same_question(item, other)]
            several = any(not same_plan(item, other) for other in alike)
            if any(other.maker == NAIVE for other in alike) or not (several or item.role == "primary"):
                continue
            planned = _without_its_plan(resolved, item, name)
            if planned is not None:
                known.append(planned)
                yield planned


def _without_its_plan(resolved: Resolved, item: PlannedAnalysis, outcome: str) -> PlannedAnalysis | None:
    """The same analysis of one outcome with its groups as finally observed; None where the method cannot do that."""
    desk = resolved.desk
    ignored = ImmortalTime(plan="ignore-and-report")
    edit = Edit.model_construct(_fields_set={"immortal_time", "outcome"}, immortal_time=ignored, outcome=(outcome,))
    name = f"{item.id}-naive" if len(item.outcomes) == 1 else f"{item.id}-naive-{outcome}"
    scratch = Desk(desk.nodes, desk.place, desk.variables, desk.outcomes)
    planned = resolve(scratch, resolved.edit(edit, resolved.drafts[item.id].path, item.id, name))
    if planned is None or any(finding.severity == "error" for finding in scratch.findings):
        return None
    return alone(replace(planned, label=f"{item.label}, immortal time not removed")) if planned.maker == NAIVE else None


# -- an unmeasured confounder ------------------------------------------------------------------------------------------


def _confounder(resolved: Resolved) -> PlannedConfounder | None:
    node = resolved.desk.nodes.robustness.unmeasured_confounder
    if node is None:
        return None
    analysis = _one_effect(resolved, ("robustness", "unmeasured_confounder"), node.of)
    if analysis is None:
        return None

    def values(written: tuple[str, ...]) -> tuple[tuple[float, ...], ...]:
        return tuple(map(read_range, written))

    return PlannedConfounder(
        of=analysis.id, label=node.label or "An unmeasured confounder", treated=values(node.prevalence.treated),
        reference=values(node.prevalence.reference), effect=values(node.effect),
    )  # fmt: skip


def _one_effect(resolved: Resolved, path: YamlPath, of: str | None) -> PlannedAnalysis | None:
    """The analysis meant, which has one effect on one outcome."""
    analysis = resolved.analyses.get(of) if of is not None else resolved.primary
    if analysis is None:
        if of is None:
            resolved.desk.refuse(path, "E667", "there is no primary analysis", "an analysis with role: primary",
                                 "say which analysis answers the question of the study")  # fmt: skip
        return None
    review = resolved.desk.nodes.study.design == "review"
    effect = review or any(word in analysis.measures[0] for word in OF_EFFECTS)
    if len(analysis.outcomes) > 1 or not effect or resolved.desk.outcomes[analysis.outcomes[0]].of_group:
        resolved.desk.refuse(
            path, "E667", f"analysis {analysis.id} does not give one effect on one outcome", "an effect on one outcome",
            "name another analysis, or split this one",
        )  # fmt: skip
        return None
    return analysis


# -- all combinations --------------------------------------------------------------------------------------------------


def _multiverse(resolved: Resolved, node: Multiverse) -> PlannedMultiverse | None:
    """Every combination of the options, resolved."""
    desk = resolved.desk
    base = _one_effect(resolved, ("multiverse", "of"), node.of)
    number = prod(len(options) for options in node.vary.values())
    if number > MOST_SPECIFICATIONS or number < 2:
        desk.refuse(("multiverse", "vary"), "E669", f"the multiverse has {number} combination{'s' if number != 1 else ''}",
                    f"2 to {MOST_SPECIFICATIONS}", "leave out choices or options" if number > 2 else "add options")  # fmt: skip
        return None
    if base is None or _refuse_shared_keys(desk, node):
        return None
    before = len(desk.findings)
    made = [_specification(resolved, base, node, options) for options in product(*node.vary.values())]
    first = {(finding.code, finding.where): finding for finding in reversed(desk.findings[before:])}
    desk.findings[before:] = reversed(first.values())
    found = [one for one in made if one is not None]
    main = next((index for index, one in enumerate(found) if one.main), None)
    specifications = [replace(one, main=index == main) for index, one in enumerate(found)]
    if main is None and len(found) == len(made):
        desk.refuse(
            ("multiverse", "vary"), "W662", f"no combination of the multiverse is {base.id} as it is planned", "",
            "add the planned choice as an option of each choice ({} stands for it)",
        )  # fmt: skip
    return PlannedMultiverse(of=base.id, specifications=tuple(specifications))


def _refuse_shared_keys(desk: Desk, node: Multiverse) -> bool:
    """A key that two choices edit would be what the later one says, whatever the earlier says."""
    owner: dict[str, str] = {}
    shared = False
    for path, edit in node.edits():
        choice = str(path[2])
        for key in sorted(edit.model_fields_set):
            if owner.setdefault(key, choice) != choice:
                desk.refuse((*path, key), "E669", f"the choices '{owner[key]}' and '{choice}' both edit `{key}`",
                            "each key in one choice", "make one choice of the two, with all their options")  # fmt: skip
                shared = True
    return shared


def _specification(
    resolved: Resolved, base: PlannedAnalysis, node: Multiverse, options: Sequence[str]
) -> PlannedSpecification | None:
    """One combination, in the order of the choices."""
    choices = dict(zip(node.vary, options, strict=True))
    name = f"{base.id} ({'; '.join(f'{choice}: {option}' for choice, option in choices.items())})"
    draft = resolved.drafts[base.id]
    for choice, option in choices.items():
        path: YamlPath = ("multiverse", "vary", choice, option)
        edit = node.vary[choice][option].model_copy(update={"id": name, "of": base.id, "role": "sensitivity"})
        draft = edited(edit, path, draft)
    planned = resolve(resolved.desk, draft)
    if planned is None or _refuse_another_question(resolved.desk, draft, base, planned):
        return None
    main = decides(planned) == decides(base)
    return PlannedSpecification(choices=choices, analysis=alone(planned), main=main)


def _refuse_another_question(desk: Desk, draft: Draft, base: PlannedAnalysis, planned: PlannedAnalysis) -> bool:
    """A specification has one estimate, of the measure and the outcome that is planned."""
    measures = [_measure(desk, item) for item in (base, planned)]
    if measures[0] != measures[1]:
        key = next((key for key in ("estimand", "method", "adjust") if draft.where(key)[0] == "multiverse"), "method")
        desk.refuse(draft.where(key), "E668", f"{planned.id} estimates another measure than {base.id}: {measures[1]}, not {measures[0]}",
                    "one measure in all combinations", "write estimand: {contrast: …} in the option, or leave it out")  # fmt: skip
    elif planned.outcomes != base.outcomes:
        desk.refuse(draft.where("outcome"), "E668", f"{planned.id} has another outcome than {base.id}",
                    "one outcome in all combinations", "leave the option out, or make it an analysis of its own")  # fmt: skip
    elif len(planned.landmarks) > 1:
        desk.refuse(draft.where("immortal_time"), "E668", f"{planned.id} has several landmarks, and so several estimates",
                    "one landmark an option", "make each landmark an option")  # fmt: skip
    else:
        return False
    return True


def _measure(desk: Desk, planned: PlannedAnalysis) -> str:
    """The measure of an analysis, also where its method is the usual one for the outcome."""
    if planned.measures[0] != "by type":
        return planned.measures[0]
    kind = desk.outcomes[planned.outcomes[0]].kind
    if planned.balancing is not None:
        return USUAL[kind]
    return chosen(kind, adjusted=planned.adjusted, clustered=planned.clusters is not None).measures[0]
