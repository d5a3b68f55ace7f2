"""One analysis of the protocol, resolved: every choice named with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from counterpulse.protocol.nodes import (
    Analysis,
    GroupOutcome,
    ProtocolNode,
)
from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.protocol.planned_review import is_review
from counterpulse.results import Choice, Origin
from counterpulse.source import did_you_mean
from counterpulse.study.catalog import LATER, METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.planning.balancing import Balanced, planned_balancing
from counterpulse.study.planning.clusters import planned_clusters
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.emulation import with_estimator, with_own_estimator
from counterpulse.study.planning.exposure_outcome import exposure_outcome_name
from counterpulse.study.planning.immortal_time import sample_maker
from counterpulse.study.planning.imputation import planned_missing, with_variables
from counterpulse.study.planning.measures import MARGINAL, split_measure
from counterpulse.study.planning.method_options import further_terms, method_options
from counterpulse.study.planning.planned_models import (
    ladder_choices,
    node_is_ladder,
    planned_models,
    refuse_nothing,
    same_rows,
)
from counterpulse.study.planning.review import resolve_review
from counterpulse.study.planning.targets import measure_meant, measures_for, refuse_target
from counterpulse.study.planning.truncation import refuse_method
from counterpulse.study.planning.wording import clauses, composition, said_of_models, sentence, usual_label

KINDS: Mapping[str, Literal["conditional", "marginal"]] = {"gee": "marginal", "random-intercept": "conditional"}
"""What an effect is where clusters have a model of their own: population-averaged, or within a cluster."""


def resolve(desk: Desk, draft: Draft) -> PlannedAnalysis | None:
    """The analysis as it will be run, or None where a finding stands in the way."""
    return resolve_review(desk, draft) if is_review(desk.nodes) else _resolve_of_patients(desk, draft)


def _resolve_of_patients(desk: Desk, draft: Draft) -> PlannedAnalysis | None:
    """An analysis of a study of patients."""
    before = len(desk.findings)
    spec = _method(desk, draft)
    if spec is None:
        return None
    node = draft.node
    outcomes = _outcomes(desk, draft, spec)
    refuse_method(desk, draft, spec, outcomes)
    ladder = planned_models(desk, draft, spec, outcomes)
    refuse_nothing(desk, draft, spec, ladder)
    options, option_choices = method_options(desk, draft, spec)
    measures = _measures(desk, draft, spec, outcomes, ladder.adjusted)
    maker, landmarks, maker_choices = sample_maker(desk, draft, spec)
    missing = planned_missing(desk, draft)
    clusters, extra, options, cluster_choices = planned_clusters(desk, draft, spec, options)
    ladder = ladder.with_terms(extra)
    balanced, ladder = planned_balancing(desk, draft, spec, outcomes, ladder, maker)
    terms = ladder.main.terms
    kind, target = _estimand(desk, draft, spec, ladder.adjusted, measures[0], balanced)
    if spec.refuse is not None:
        spec.refuse(desk, draft, options, terms, outcomes)
    refuse_target(desk, draft, spec, measures, balanced=balanced.planned is not None)
    _besides(desk, draft, outcomes)
    if len(desk.findings) > before and any(finding.severity == "error" for finding in desk.findings[before:]):
        return None
    population = node.population or _default_population(desk.nodes)
    companions = tuple(name for name in node.also if name in METHODS)
    choices = (
        *_named_choices(node, spec, measures, (kind, target), population),
        *ladder_choices(draft, ladder),
        *maker_choices,
        *missing.choices,
        *balanced.choices,
        Choice("confidence level", round(1 - desk.nodes.alpha, 12), "derived"),
        *option_choices,
        *(Choice(rule.name, rule.text, "default", rule.reference) for rule in spec.rules),
        *cluster_choices,
        *_multiplicity_choice(node),
    )
    said = said_of_models(desk, ladder.models, ladder.screen, only_screen=ladder.only_screen)
    analysis = PlannedAnalysis(
        id=node.id, role=node.role or ("sensitivity" if node.of else "secondary"), label=node.label or usual_label(spec),
        method=spec.name, outcomes=outcomes, population=population, measures=measures, target=target, terms=terms,
        adjusted=ladder.modelled, level=1 - desk.nodes.alpha, maker=maker, landmarks=landmarks,
        composition=composition(maker, landmarks, spec, clusters, ladder.main.selection, missing.imputation, balanced.words),
        clusters=clusters, selection=ladder.main.selection, models=ladder.models if node_is_ladder(draft) else (),
        screen=ladder.screen, only_screen=ladder.only_screen, same_rows=same_rows(draft), options=options,
        choices=choices, further_terms=further_terms(spec, options),
        citations=_citations(spec, choices), multiplicity=node.multiplicity or "none", missing=missing.method,
        imputation=missing.imputation, shifts=missing.shifts, balancing=balanced.planned,
        planned=node.planned or _planned(desk.nodes), of=node.of, keep=node.keep, companions=companions,
        checks=tuple(node.check), draws=tuple(node.draw) or spec.draws,
        companion_labels=tuple(METHODS[name].label for name in companions),
        clauses=clauses(desk, spec, options, outcomes, measures),
        sentence=sentence(desk, spec, outcomes, options, measures, maker, landmarks, clusters, said, (*balanced.clauses, *missing.clauses)),
    )  # fmt: skip
    return with_variables(desk, with_estimator(desk, draft, spec, analysis), spec, _auxiliary(desk, draft))


def _auxiliary(desk: Desk, draft: Draft) -> tuple[str, ...]:
    """Variables of no model that take part in the imputation."""
    own = draft.node.missing_data
    auxiliary = () if own is None or isinstance(own, str) else own.auxiliary
    return auxiliary or (desk.nodes.missing_data.auxiliary if desk.nodes.missing_data is not None else ())


def _named_choices(
    node: Analysis, spec: MethodSpec, measures: tuple[str, ...], estimand: tuple[str, str], population: str
) -> tuple[Choice, ...]:  # fmt: skip
    given = node.estimand
    return (
        _choice("method", spec.name, node.method is not None),
        _choice("effect measure", measures[0], bool(given and given.contrast)),
        _choice("kind of effect", estimand[0], bool(given and given.kind)),
        _choice("target", estimand[1], bool(given and given.target)),
        _choice("population", population, node.population is not None),
    )


def _choice(name: str, value: str, given: bool) -> Choice:
    return Choice(name, value, "given" if given else "default")


def _method(desk: Desk, draft: Draft) -> MethodSpec | None:
    name = draft.node.method or "by-type"
    if name in METHODS:
        return METHODS[name]
    known = ", ".join(sorted(METHODS))
    if name in LATER:
        desk.refuse(
            draft.where("method"), "E601", f"analysis {draft.node.id}: the method '{name}' is not in this version",
            known, f"leave the analysis out for now, or use {LATER[name]}",
        )  # fmt: skip
    else:
        desk.refuse(
            draft.where("method"), "E602", f"analysis {draft.node.id}: there is no method '{name}'", known,
            did_you_mean(name, sorted({*METHODS, *LATER})) or "choose one of these",
        )  # fmt: skip
    return None


def _outcomes(desk: Desk, draft: Draft, spec: MethodSpec) -> tuple[str, ...]:
    if isinstance(draft.node.outcome, GroupOutcome):
        return _exposure(desk, draft, spec, draft.node.outcome.group)
    names = draft.node.outcome or tuple(name for name, outcome in desk.outcomes.items() if outcome.primary)[:1]
    if not names:
        desk.refuse(
            draft.path, "E603", f"analysis {draft.node.id} names no outcome, and none is marked primary",
            ", ".join(desk.outcomes), "add outcome: NAME",
        )  # fmt: skip
    for name in names:
        outcome = desk.outcomes.get(name)
        if outcome is not None and outcome.kind not in spec.outcomes:
            desk.refuse(
                draft.where("outcome"), "E604",
                f"analysis {draft.node.id}: {spec.label} cannot analyze '{name}', a {outcome.kind} outcome",
                " or ".join(sorted(spec.outcomes)), "choose another method, or another outcome",
            )  # fmt: skip
    return tuple(name for name in names if name in desk.outcomes)


def _exposure(desk: Desk, draft: Draft, spec: MethodSpec, level: str) -> tuple[str, ...]:
    """The exposure itself as a binary outcome."""
    groups = desk.nodes.groups
    if groups is None or level not in groups.levels:
        desk.refuse(
            draft.where("outcome"), "E625", f"analysis {draft.node.id} models the group '{level}', which is none of `groups`",
            ", ".join(groups.levels) if groups else "a study with `groups`", "name a level of the group variable",
        )  # fmt: skip
    elif "binary" not in spec.outcomes or not spec.adjustable:
        desk.refuse(
            draft.where("method"), "E604", f"analysis {draft.node.id}: {spec.label} cannot model the exposure, a binary outcome",
            "logistic-regression", "write method: logistic-regression",
        )  # fmt: skip
    else:
        return (exposure_outcome_name(groups.variable, level),)
    return ()


def _measures(desk: Desk, draft: Draft, spec: MethodSpec, outcomes: tuple[str, ...], adjusted: bool) -> tuple[str, ...]:
    estimand, usual = draft.node.estimand, measures_for(desk, spec, outcomes)
    first = estimand.contrast if estimand and estimand.contrast else usual[0]
    written = [first, *(estimand.also if estimand else ()), *(item for item in draft.node.also if item not in METHODS)]
    wanted = [measure_meant(draft, spec, text, adjusted=adjusted) for text in written]
    for index, text in enumerate(wanted):
        allowed = usual if index == 0 else usual + spec.also
        try:
            measure, _ = split_measure(text)
        except ValueError:
            measure = text
        if measure not in allowed:
            key = "also" if text in draft.node.also else "estimand"
            desk.refuse(
                draft.where(key), "E612", f"analysis {draft.node.id}: {spec.label} does not estimate '{text}'",
                ", ".join(allowed), did_you_mean(measure, list(allowed)) or "choose one of these, or another method",
            )  # fmt: skip
    return tuple(dict.fromkeys(wanted))


def _besides(desk: Desk, draft: Draft, outcomes: tuple[str, ...]) -> None:
    """Methods of `also` fit the outcomes, and what is to be checked is something that can be."""
    for name in (item for item in draft.node.also if item in METHODS):
        wrong = [outcome for outcome in outcomes if desk.outcomes[outcome].kind not in METHODS[name].outcomes]
        if wrong:
            desk.refuse(
                draft.where("also"), "E604", f"analysis {draft.node.id}: {METHODS[name].label} cannot analyze '{wrong[0]}'",
                " or ".join(sorted(METHODS[name].outcomes)), "take it out of `also`",
            )  # fmt: skip
    checks = sorted({check for spec in METHODS.values() for check in spec.checks})
    draws = sorted({draw for spec in METHODS.values() for draw in spec.draws})
    for key, words, known in (("check", draft.node.check, checks), ("draw", draft.node.draw, draws)):
        for word in words:
            if word not in known:
                desk.refuse(
                    draft.where(key), "E618", f"analysis {draft.node.id}: there is no {key} '{word}'", ", ".join(known),
                    did_you_mean(word, known) or "choose one of these",
                )  # fmt: skip


def _estimand(
    desk: Desk, draft: Draft, spec: MethodSpec, adjusted: bool, measure: str, balanced: Balanced
) -> tuple[str, str]:
    estimand = draft.node.estimand
    kind = spec.kind if adjusted and measure not in MARGINAL else "marginal"
    kind = KINDS.get(draft.node.clusters.treat_as if draft.node.clusters else "", kind)
    if with_own_estimator(desk, draft):
        return "marginal", "all"
    if estimand is None or balanced.target is not None:
        return kind, balanced.target or "all"
    if adjusted and estimand.kind == "marginal" and kind == "conditional" and measure != "mean difference":
        desk.refuse(
            draft.where("estimand"), "E620",
            f"analysis {draft.node.id}: the adjusted {measure} of {spec.label} is conditional, not marginal",
            "kind: conditional; or a standardized contrast: risk difference or risk ratio of a binary outcome",
            "write kind: conditional, or change the contrast",
        )  # fmt: skip
    return estimand.kind or kind, estimand.target or "all"


def _default_population(nodes: ProtocolNode) -> str:
    return next((name for name, population in nodes.populations.items() if population.default), "eligible")


def _planned(nodes: ProtocolNode) -> str:
    if nodes.study.planned is not None:
        return nodes.study.planned
    return "stated" if nodes.study.registration == "none" else "registered"


def _multiplicity_choice(node: Analysis) -> tuple[Choice, ...]:
    given: Origin = "given" if node.multiplicity else "default"
    reference = {"holm": "holm-1979", "hochberg": "hochberg-1988"}.get(node.multiplicity or "")
    return (Choice("multiplicity", node.multiplicity or "none", given, reference),)


def _citations(spec: MethodSpec, choices: tuple[Choice, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*spec.citations, *(choice.reference for choice in choices if choice.reference))))
