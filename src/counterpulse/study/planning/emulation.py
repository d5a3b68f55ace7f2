"""An analysis whose plan for immortal time needs an estimator of its own: its options, and what of the method does not go with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from counterpulse.protocol.nodes import ImmortalTime
from counterpulse.protocol.plan import PlannedAnalysis, PlannedOutcome
from counterpulse.results import Choice, Origin
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.catalog import ESTIMATORS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.methods.sequential_trials import periods_of_all
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.measures import STANDARDIZED_ODDS, split_measure
from counterpulse.study.planning.method_options import plain
from counterpulse.study.planning.wording import clauses, usual_label

BY_KIND: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "clone-censor-weight": {
        "binary": ("odds ratio", "risk difference", "risk ratio"),
        "time-to-event": ("hazard ratio", "risk difference", "risk ratio", "rmst difference"),
    },
    "sequential-trials": {"time-to-event": ("odds ratio", "risk difference", "risk ratio")},
}
"""Measures that each plan gives for an outcome of this kind."""

MEANT = {
    "clone-censor-weight": {STANDARDIZED_ODDS: "odds ratio"},
    "sequential-trials": {"hazard ratio": "odds ratio"},
}
"""What stands in for a measure: an emulated trial is marginal without saying so, and pooled trials model odds in short periods."""
KINDS = {"clone-censor-weight": "marginal", "sequential-trials": "conditional"}
"""Of ratios: weighted arms are compared as they are, and the pooled model of trials holds the covariates; risks are marginal."""
OF_CLUSTERS = ("clusters", "cluster variance", "quadrature", "working correlation")


def setting_of(desk: Desk, draft: Draft) -> tuple[ImmortalTime | None, YamlPath]:
    """The plan for immortal time of an analysis, and where it stands."""
    given = "immortal_time" in draft.node.model_fields_set
    if given:
        return draft.node.immortal_time, draft.where("immortal_time")
    return desk.nodes.immortal_time, ("immortal_time",)


def with_own_estimator(desk: Desk, draft: Draft) -> bool:
    """Whether the plan for immortal time of an analysis needs an estimator of its own."""
    setting, _ = setting_of(desk, draft)
    return setting is not None and setting.plan in ESTIMATORS and desk.nodes.exposure is not None


def with_estimator(desk: Desk, draft: Draft, spec: MethodSpec, analysis: PlannedAnalysis) -> PlannedAnalysis:
    """The analysis with the estimator that its plan for immortal time needs; as it is, where the method serves."""
    estimator = ESTIMATORS.get(analysis.maker)
    setting, path = setting_of(desk, draft)
    if estimator is None or setting is None:
        return analysis
    meant = MEANT[estimator.name]
    analysis = replace(analysis, measures=tuple(meant.get(measure, measure) for measure in analysis.measures))
    _refuse(desk, draft, analysis, setting, path)
    _tell_the_kind(desk, draft, analysis)
    options, choices = _options(desk, estimator, setting)
    dropped = (
        {option.name for option in spec.options}
        | {rule.name for rule in spec.rules}
        | {*OF_CLUSTERS, "kind of effect", "effect measure"}
    )
    kept = tuple(choice for choice in analysis.choices if choice.name not in dropped)
    gone = ", ".join(_not_carried_over(draft, analysis, spec))
    choices = [
        Choice("effect measure", analysis.measures[0], "given" if _contrast(draft) else "default"),
        Choice("kind of effect", _kind(analysis), "derived"),
        Choice("estimated by", estimator.name, "derived", estimator.citations[0]),
        *choices,
        *((Choice("does not go with the plan, left out", gone, "derived"),) if gone else ()),
    ]
    said = clauses(desk, estimator, options)
    every = (*kept, *choices)
    return replace(
        analysis, estimator=estimator.name, label=draft.node.label or usual_label(estimator), options=options, choices=every, clusters=None, checks=(), draws=(),
        composition=_composition(analysis, spec, estimator, setting),
        citations=tuple(dict.fromkeys((*estimator.citations, *(one.reference for one in every if one.reference)))),
        clauses=(*said, *(clause for clause in analysis.clauses if clause not in clauses(desk, spec, analysis.options))),
        sentence=_sentence(desk, analysis, [clause.text for clause in said]),
    )  # fmt: skip


def _kind(analysis: PlannedAnalysis) -> str:
    return KINDS[analysis.maker] if analysis.measures[0] in ("odds ratio", "hazard ratio") else "marginal"


def _contrast(draft: Draft) -> bool:
    return draft.node.estimand is not None and draft.node.estimand.contrast is not None


def _options(desk: Desk, estimator: MethodSpec, setting: ImmortalTime) -> tuple[dict[str, object], list[Choice]]:
    """Every option of the estimator: as written in the plan, of the study's plan, or by default."""
    common = desk.nodes.immortal_time
    values: dict[str, object] = {}
    choices = []
    for option in estimator.options:
        written = getattr(setting, option.name, None)
        if written is None and option.required and common is not None:
            written = getattr(common, option.name, None)
        value = option.default if written is None else written
        values[option.name] = value
        if value is not None:
            origin: Origin = "default" if written is None else "given"
            choices.append(Choice(option.name, plain(value), origin, option.cited(value)))
    return values, choices


def _refuse(desk: Desk, draft: Draft, analysis: PlannedAnalysis, setting: ImmortalTime, path: YamlPath) -> None:
    """What would be another question, or has no answer, under the plan."""
    for seen, allowed, remedy in _misfits(desk, draft, analysis, setting):
        desk.refuse(
            path, "E678", f"analysis {draft.node.id}: {seen} under the plan '{analysis.maker}'", allowed, remedy
        )


def _misfits(
    desk: Desk, draft: Draft, analysis: PlannedAnalysis, setting: ImmortalTime
) -> Iterator[tuple[str, str, str]]:
    for name in analysis.outcomes:
        yield from _unfit_outcome(name, desk.outcomes[name], analysis, setting)
    yield from _unfit_estimand(draft, _kind(analysis))
    if not analysis.terms:
        yield "no covariates", "adjust: what explains who is treated when", "name the covariates: adjust"
    if analysis.selection is not None or analysis.models or analysis.screen:
        several = "covariates that are selected, screened, or entered in steps,"
        yield several, "one adjustment set", "write adjust: a set of confounders"
    if analysis.balancing is not None:
        weights = "the weights of the plan alone"
        yield "matching or propensity weighting", weights, "take `propensity` out, or choose landmark"
    if analysis.options.get("strata"):
        yield "strata", "no strata", "name them under `adjust` instead"


def _unfit_outcome(
    name: str, outcome: PlannedOutcome, analysis: PlannedAnalysis, setting: ImmortalTime
) -> Iterator[tuple[str, str, str]]:
    """An outcome, or a measure of it, that the plan does not give."""
    known = BY_KIND[analysis.maker]
    wrong = [measure for measure in analysis.measures if measure not in known.get(outcome.kind, ())]
    if outcome.kind not in known:
        yield f"'{name}', a {outcome.kind} outcome,", " or ".join(known), "choose landmark for this outcome"
    elif wrong:
        timed = split_measure(wrong[0])[1] is not None
        remedy = "risks are compared at the horizon of the outcome" if timed else "choose one of these"
        yield f"the {wrong[0]} of '{name}'", ", ".join(known[outcome.kind]), remedy
    if outcome.competing is not None:
        alone = "an outcome nothing competes with"
        yield f"'{name}', with which something competes,", alone, "choose time-varying, or landmark"
    if analysis.maker == "sequential-trials":
        yield from _without_horizon(name, outcome, setting)


def _unfit_estimand(draft: Draft, kind: str) -> Iterator[tuple[str, str, str]]:
    """Another effect than that of everybody, of the kind the plan gives, asked for here."""
    estimand = draft.node.estimand
    if estimand is None:
        return
    if estimand.target not in (None, "all"):
        yield f"an effect in the {estimand.target}", "target: all", "write target: all"
    if estimand.kind not in (None, kind) and "estimand" not in draft.inherited:
        yield f"a {estimand.kind} effect", f"kind: {kind}", f"write kind: {kind}"


def _without_horizon(name: str, outcome: PlannedOutcome, setting: ImmortalTime) -> Iterator[tuple[str, str, str]]:
    """Trials need their number, their distance, and follow-up for the last of them."""
    if setting.every is None or setting.periods is None:
        return
    unit = outcome.time_unit or "days"
    if outcome.horizon is None:
        yield f"'{name}' without a horizon", "horizon: a length of time", "add a horizon to the outcome"
    elif periods_of_all(outcome.horizon, setting.every.within(unit), setting.periods) < 1:
        yield (
            f"the last of {setting.periods} trials begins when '{name}' is over,",
            "fewer trials, or a later horizon",
            "lower periods",
        )


def _tell_the_kind(desk: Desk, draft: Draft, analysis: PlannedAnalysis) -> None:
    """An edit that inherits a conditional effect estimates another one."""
    estimand = draft.node.estimand
    stated = estimand is not None and estimand.kind is not None and "estimand" not in draft.inherited
    if analysis.of is None or stated:
        return
    whole = next((item for item in desk.nodes.analyses if item.id == analysis.of), None)
    if whole is not None and _kind(analysis) == "marginal" and analysis.measures[0] in ("odds ratio", "hazard ratio"):
        desk.refuse(
            (*draft.path, "immortal_time"), "W674",
            f"{analysis.id} estimates the marginal {analysis.measures[0]} of all patients; that of {analysis.of}, where adjusted, is conditional "
            "on the covariates, and the two differ even without bias", "an estimand of its own",
            f"add estimand: {{contrast: {analysis.measures[0]}, kind: marginal, target: all}}",
        )  # fmt: skip


def _not_carried_over(draft: Draft, analysis: PlannedAnalysis, spec: MethodSpec) -> Iterator[str]:
    """What the analysis says of the method that its estimator has no use for."""
    if analysis.clusters is not None:
        yield f"clusters of {analysis.clusters.variable} (patients are drawn, not clusters)"
    given = [name for name in draft.node.options if spec.option(name) is not None]
    yield from (f"{name} of {spec.label}" for name in given)
    yield from (f"the check of {name}" for name in analysis.checks)


def _composition(
    analysis: PlannedAnalysis, spec: MethodSpec, estimator: MethodSpec, setting: ImmortalTime
) -> tuple[str, ...]:
    """The parts of the estimator in the place of the sample, the method and its variance."""
    at = analysis.composition.index(analysis.maker)
    end = analysis.composition.index(spec.label)
    after = [part for part in analysis.composition[end + 1 :] if part.startswith("pooling")]
    return (*analysis.composition[:at], *PARTS[estimator.name](setting), *after)


def _clones(setting: ImmortalTime) -> tuple[str, ...]:
    return (
        f"clones of every patient, grace period {setting.grace}", "artificial censoring", "inverse probability of censoring weights",
        "bootstrap of patients" if setting.bootstrap != 0 else "variance robust by patient",
    )  # fmt: skip


def _trials(setting: ImmortalTime) -> tuple[str, ...]:
    return (
        f"a sequence of {setting.periods} trials, one every {setting.every}", setting.compare or "intention-to-treat",
        "pooled logistic regression", "bootstrap of patients" if setting.bootstrap else "variance robust by patient",
    )  # fmt: skip


PARTS = {"clone-censor-weight": _clones, "sequential-trials": _trials}


def _sentence(desk: Desk, analysis: PlannedAnalysis, said: list[str]) -> str:
    """The analysis as the methods section says it."""
    what = " and ".join(desk.outcomes[name].label for name in analysis.outcomes)
    rest = " ".join(f"{text[0].upper()}{text[1:]}." for text in said[1:])
    also = f" Also estimated: {', '.join(analysis.measures[1:])}." if analysis.measures[1:] else ""
    return f"{what}: {said[0]}. {rest}{also}".strip()
