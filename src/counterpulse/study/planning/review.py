"""A review in its plan: outcomes with their measures, the two arms, and each analysis with every choice named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from counterpulse.protocol.nodes import Analysis, ProtocolNode
from counterpulse.protocol.plan import PlannedAnalysis, PlannedGroup, PlannedOutcome, PlannedReview
from counterpulse.protocol.planned_review import CONTROL, EFFECT, TREATED, effects_of
from counterpulse.results import Choice
from counterpulse.source import did_you_mean
from counterpulse.study.catalog import METHODS
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.method_options import further_terms, method_options
from counterpulse.study.planning.wording import clauses, sentence, usual_label
from counterpulse.study.reviewing.conversion import WITH_RISK, can_convert
from counterpulse.study.reviewing.measures import one
from counterpulse.study.robustness.questions import BESIDE_OPTIONS

OF_CONVENTION = ("tau2", "interval", "prediction")
"""What a named convention says; an analysis that asks for one does not take these from the analysis it edits."""
WEIGHTS_OF_QUALITY = ("quality_weights", "quality", "weights")


def planned_review(nodes: ProtocolNode, labels: Mapping[str, str]) -> PlannedReview | None:
    """What a plan of a review holds besides; `labels` are those of the variables."""
    if nodes.question is None:
        return None
    effects = effects_of(nodes)
    names = nodes.risk_of_bias.columns if nodes.risk_of_bias is not None else ()
    return PlannedReview(
        measures={name: item.measure or effects.measure for name, item in nodes.question.every_outcome.items()},
        treated=effects.treated or nodes.question.exposure,
        control=effects.control or nodes.question.comparator,
        domains={name: labels.get(name, name) for name in names},
    )


def review_outcomes(nodes: ProtocolNode) -> dict[str, PlannedOutcome]:
    """The outcomes of a review; the first is the primary one."""
    if nodes.question is None:
        return {}
    effects = effects_of(nodes)
    return {
        name: PlannedOutcome(
            name=name, label=item.label or name.replace("_", " "), kind=EFFECT, better=item.better, unit=item.unit,
            definition=f"{item.measure or effects.measure} of each study", primary=index == 0,
        )
        for index, (name, item) in enumerate(nodes.question.every_outcome.items())
    }  # fmt: skip


def review_groups(review: PlannedReview) -> tuple[PlannedGroup, ...]:
    """The two arms."""
    return PlannedGroup(TREATED, review.treated, False), PlannedGroup(CONTROL, review.control, True)


def resolve_review(desk: Desk, draft: Draft) -> PlannedAnalysis | None:
    """An analysis of a review as it will be run, or None where a finding stands in the way."""
    before = len(desk.findings)
    draft = _without_inherited(draft)
    spec = _method(desk, draft)
    _refuse_quality(desk, draft)
    _refuse_conversions(desk)
    if spec is None or len(desk.findings) > before:
        return None
    node = draft.node
    first = next(iter(desk.outcomes), None)
    outcomes = tuple(name for name in node.outcomes or ((first,) if first else ()) if name in desk.outcomes)
    options, option_choices = method_options(desk, draft, spec)
    if spec.resolve is not None:
        options, option_choices = spec.resolve(options, option_choices)
    if spec.refuse is not None:
        spec.refuse(desk, draft, options, (), outcomes)
    if any(finding.severity == "error" for finding in desk.findings[before:]):
        return None
    measures = tuple(dict.fromkeys(_measure(desk.nodes, name) for name in outcomes))
    choices = (
        Choice("method", spec.name, "given" if node.method else "default"),
        Choice("effect measure", ", ".join(measures), "given"),
        Choice("confidence level", round(1 - desk.nodes.alpha, 12), "derived"),
        *_of_effects(desk.nodes),
        *option_choices,
        *(Choice(rule.name, rule.text, "default", rule.reference) for rule in spec.rules),
    )
    terms = further_terms(spec, options)
    named = {choice.name for choice in option_choices}
    told = {name: value if name in named else None for name, value in options.items()}
    return PlannedAnalysis(
        id=node.id, role=node.role or ("sensitivity" if node.of else "secondary"), label=node.label or usual_label(spec),
        method=spec.name, outcomes=outcomes, population="eligible", measures=measures, target="all", terms=(), adjusted=False,
        level=1 - desk.nodes.alpha, composition=(spec.label,), options=options, further_terms=terms, choices=choices,
        citations=tuple(dict.fromkeys((*spec.citations, *(item.reference for item in choices if item.reference)))),
        multiplicity=node.multiplicity or "none", missing="complete-case",
        planned=node.planned or _planned(desk.nodes), of=node.of, keep=node.keep,
        clauses=clauses(desk, spec, told, outcomes, measures),
        sentence=sentence(desk, spec, outcomes, told, (), "as observed", (), None, ()),
    )  # fmt: skip


def _without_inherited(draft: Draft) -> Draft:
    """An edit of an analysis asks for its effect: what else the other asks is not asked again, and a convention replaces its choices."""
    replaced = OF_CONVENTION if "convention" in draft.node.options and "convention" not in draft.inherited else ()
    dropped = [name for name in draft.node.options if name in (*BESIDE_OPTIONS, *replaced) and name in draft.inherited]
    if not dropped:
        return draft
    kept = {name: value for name, value in draft.node if name not in dropped}
    node = Analysis.model_construct(_fields_set=draft.node.model_fields_set - set(dropped), **kept)
    return Draft(node, draft.path, draft.inherited)


def _measure(nodes: ProtocolNode, outcome: str) -> str:
    question = nodes.question
    own = question.every_outcome[outcome].measure if question is not None else None
    return own or effects_of(nodes).measure


def _planned(nodes: ProtocolNode) -> str:
    if nodes.study.planned is not None:
        return nodes.study.planned
    return "stated" if nodes.study.registration == "none" else "registered"


def _method(desk: Desk, draft: Draft) -> MethodSpec | None:
    known = {name: spec for name, spec in METHODS.items() if EFFECT in spec.outcomes}
    name = draft.node.method or "meta-analysis"
    if name not in known:
        listed = ", ".join(sorted(known))
        remedy = did_you_mean(name, sorted(known)) or "choose one of these"
        desk.refuse(
            draft.where("method"), "E806", f"analysis {draft.node.id}: a review has no method '{name}'", listed, remedy
        )
    return known.get(name)


def _refuse_quality(desk: Desk, draft: Draft) -> None:
    """A score of quality says nothing of how far, and in which direction, an effect is off."""
    for key in WEIGHTS_OF_QUALITY:
        if key in draft.node.options:
            desk.refuse(
                draft.where(key), "E807", f"analysis {draft.node.id}: weights by judged quality are arbitrary, and hide bias instead of "
                "taking it away", "`bias` under `effects` with the expected bias of each design, and design_bias: yes in the analysis",
                f"take {key} out; state the bias of a design, or leave studies out with `keep`",
            )  # fmt: skip


def _refuse_conversions(desk: Desk) -> None:
    """A conversion that no formula makes, or that lacks the risk it needs."""
    place = ("effects", "convert")
    if any(finding.code == "E812" for finding in desk.findings):
        return
    wanted = tuple(dict.fromkeys(_measure(desk.nodes, name) for name in desk.outcomes))
    for index, conversion in enumerate(effects_of(desk.nodes).convert):
        if any(can_convert(conversion, to) for to in wanted):
            continue
        ways = [to for to in wanted if (conversion.source, to) in WITH_RISK]
        how = "taken as it is for" if conversion.as_it_is else "converted to"
        desk.refuse(
            (*place, index), "E812", f"{one(conversion.source)} cannot be {how} {one(wanted[0])}" if not ways or conversion.as_it_is
            else f"the conversion from {conversion.source} to {ways[0]} needs the risk of the control group",
            "control_risk: a number between 0 and 1" if ways else "ratios of odds, risks and hazards into each other; odds ratio and standardized mean difference",
            "say control_risk" if ways else "take it out; extract what gives the measure, or say other_measures: leave-out",
        )  # fmt: skip


def _of_effects(nodes: ProtocolNode) -> Iterator[Choice]:
    """How rows become effects, as provenance holds it."""
    effects = effects_of(nodes)
    said = effects.model_fields_set
    zero = effects.zero_cells
    yield Choice(
        "zero cells",
        f"{zero.add:g} added when: {zero.when}",
        "given" if "zero_cells" in said else "default",
        "sweeting-2004",
    )
    for conversion in effects.convert:
        how = "taken as it is" if conversion.as_it_is else "converted"
        risk = "" if conversion.control_risk is None else f", risk of the control group {conversion.control_risk:g}"
        yield Choice("conversion", f"{conversion.source}: {how}{risk}", "given")
    if nodes.overlap is not None:
        yield Choice("studies of one registry", f"kept: {nodes.overlap.keep}", "given")
