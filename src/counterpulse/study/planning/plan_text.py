"""The plan as a person reads it in the terminal: what will be done, each choice with its origin and source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.results import Choice
from counterpulse.results.references import REFERENCES
from counterpulse.study.description import description_text


def plan_as_text(plan: Plan) -> str:
    """All of a plan as lines of text."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    study = plan.protocol.study
    yield f"{study.title}  ({study.id}, {study.design})"
    yield f"protocol    {plan.protocol_digest}"
    yield f"dictionary  {plan.dictionary_digest}"
    yield ""
    yield f"Time zero: {plan.time_zero or 'none'}"
    if plan.groups:
        labels = [group.label for group in plan.groups if not group.is_reference]
        reference = next(group.label for group in plan.groups if group.is_reference)
        yield f"Compared: {', '.join(labels)} with {reference}"
    yield from _derived(plan)
    yield from _eligibility(plan)
    yield from _flow(plan)
    yield from _outcomes(plan)
    for analysis in plan.analyses:
        yield from _analysis(analysis)
    if plan.subgroups is not None:
        names = ", ".join(subgroup.label for subgroup in plan.subgroups.by)
        yield ""
        yield f"Subgroups of {plan.subgroups.of}: {names}; one interaction test a variable"
    yield from _multiverse(plan)
    if plan.protocol.describe is not None:
        yield ""
        yield from description_text(plan.protocol)
    yield ""
    yield "Choices for the whole study"
    yield from _choices(plan.choices)
    yield from _sources(plan)


def _derived(plan: Plan) -> Iterator[str]:
    derived = [variable for variable in plan.variables.values() if variable.definition is not None]
    if derived:
        yield ""
        yield "Derived variables"
    for variable in derived:
        yield f"  {variable.name}  {variable.label}: {variable.definition}"


def _eligibility(plan: Plan) -> Iterator[str]:
    if not plan.criteria:
        return
    yield ""
    yield "Eligibility, in this order"
    for criterion in plan.criteria:
        word = "include" if criterion.kind == "include" else "exclude"
        unknown = f"  [unknown: {criterion.if_unknown}]" if criterion.if_unknown else ""
        yield f"  {word}  {criterion.text}: {criterion.english}{unknown}"


def _flow(plan: Plan) -> Iterator[str]:
    if not plan.flow:
        return
    yield ""
    yield "Further boxes of the flow diagram, counted in each group"
    for box in plan.flow:
        reasons = f"  [reasons: {plan.variables[box.reasons].label}]" if box.reasons else ""
        yield f"  {box.stage:<10}  {box.label}: {box.english}{reasons}"


def _outcomes(plan: Plan) -> Iterator[str]:
    yield ""
    yield "Outcomes"
    for outcome in plan.outcomes.values():
        horizon = f", up to {outcome.horizon:g} {outcome.time_unit}" if outcome.horizon is not None else ""
        mark = " (primary)" if outcome.primary else ""
        yield f"  {outcome.name}  {outcome.label}{mark}: {outcome.kind}; {outcome.definition}{horizon}"


def _analysis(analysis: PlannedAnalysis) -> Iterator[str]:
    yield ""
    edit = f", an edit of {analysis.of}" if analysis.of else ""
    yield f"{analysis.id}  {analysis.role}{edit}: {analysis.label} ({', '.join(analysis.outcomes)})"
    yield f"  = {' + '.join(analysis.composition)}"
    yield from _choices(analysis.choices)


def _multiverse(plan: Plan) -> Iterator[str]:
    """Every combination of choices, with their number."""
    multiverse = plan.robustness.multiverse
    if multiverse is None:
        return
    yield ""
    yield f"Multiverse of {multiverse.of}: {len(multiverse.specifications)} combinations"
    for number, one in enumerate(multiverse.specifications, start=1):
        told = "; ".join(f"{choice}: {option}" for choice, option in one.choices.items())
        yield f"  {number:>3}  {told}{'  (as planned)' if one.main else ''}"
        yield f"       = {' + '.join(one.analysis.composition)}"


def _choices(choices: Iterable[Choice]) -> Iterator[str]:
    for choice in choices:
        source = f"  [{choice.reference}]" if choice.reference else ""
        yield f"  {choice.name:<24} {_value(choice.value):<39}  {choice.origin}{source}"


def _value(value: object) -> str:
    return (
        "none"
        if value is None
        else {True: "yes", False: "no"}.get(value, str(value))
        if isinstance(value, bool)
        else str(value)
    )


def _sources(plan: Plan) -> Iterator[str]:
    keys = [choice.reference for analysis in plan.analyses for choice in analysis.choices if choice.reference]
    keys += [key for analysis in plan.analyses for key in analysis.citations]
    keys += [choice.reference for choice in plan.choices if choice.reference]
    if keys:
        yield ""
        yield "Sources"
        for key in dict.fromkeys(keys):
            yield f"  [{key}] {REFERENCES[key]}"
