"""Where the conclusion tips as imputed values are shifted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.results import Block, Cell, EstimateRow, Notice
from counterpulse.results.estimate import finite_or_none
from counterpulse.robustness import TippingPoint, tipping_point
from counterpulse.study.request import Answer, slug
from counterpulse.study.robustness.questions import SHIFTED, effects, shifts_of

COLUMNS = ("variable", "delta", "measure", "estimate", "conf_low", "conf_high", "p_value")


def tipping_answer(plan: Plan, analysis: PlannedAnalysis, answer: Answer) -> Answer:
    """The effect under each shift, and where the conclusion changes; one block a variable and a treated group."""
    found = Answer()
    for name, variable, tried in _tried(plan, analysis, answer):
        rows = sorted(tried.items())
        if len(rows) < 2:
            continue
        lines = [_line(variable, *row) for row in rows]
        columns = {column: tuple(line[index] for line in lines) for index, column in enumerate(COLUMNS)}
        block = Block(id=name, analysis=analysis.id, kind="tipping-point", columns=columns)
        notice = Notice("W664", analysis.id, _said(plan, variable, tried))
        found = found.joined(Answer(blocks=(block,), notices=(notice,)))
    return found


def _tried(
    plan: Plan, analysis: PlannedAnalysis, answer: Answer
) -> Iterator[tuple[str, str, dict[float, EstimateRow]]]:
    """The rows of each shifted variable by delta, the answer without a shift at zero."""
    variables = list(dict.fromkeys(shift.variable for shift in analysis.shifts))
    questions: dict[tuple[str, str, str], list[EstimateRow]] = {}
    for row in effects(plan, answer, shifted=True):
        rest = ", ".join(part for part in (row.model or "").split(", ") if part and not SHIFTED.fullmatch(part))
        questions.setdefault((row.outcome, rest, row.estimate.term), []).append(row)
    for (outcome, rest, term), rows in questions.items():
        alike = [row for row in rows if row.estimate.measure == rows[0].estimate.measure]
        for variable in variables:
            parts = (analysis.id, slug(rest), outcome, slug(term) if len(plan.treated) > 1 else "", variable)
            tried = {delta: row for row in alike if (delta := _delta(row, variable)) is not None}
            if tried:
                yield ".".join((*filter(None, parts), "tipping-point")), variable, tried


def _delta(row: EstimateRow, variable: str) -> float | None:
    """By how much a variable is shifted in the sample of a row; None where another one is."""
    shifts = shifts_of(row)
    if not shifts:
        return 0.0
    return shifts[0][1] if len(shifts) == 1 and shifts[0][0] == variable else None


def _line(variable: str, delta: float, row: EstimateRow) -> tuple[Cell, ...]:
    shown = row.estimate.natural()
    low, high = (shown.interval.low, shown.interval.high) if shown.interval else (None, None)
    numbers = (finite_or_none(value) for value in (shown.value, low, high, row.estimate.p_value))
    return (variable, delta, row.estimate.measure, *numbers)


def _said(plan: Plan, variable: str, tried: Mapping[float, EstimateRow]) -> str:
    """Where the conclusion tips."""
    row = next(iter(tried.values()))
    return _words(plan, variable, row, tipping_point({delta: one.estimate for delta, one in tried.items()}))


def _words(plan: Plan, variable: str, row: EstimateRow, tipped: TippingPoint) -> str:
    """Where the conclusion changes, or that it does not in the range tried."""
    planned = plan.variables.get(variable)
    label = planned.label if planned is not None else variable
    unit = f" {planned.unit}" if planned is not None and planned.unit else ""
    what = f"{plan.outcomes[row.outcome].label}, imputed values of {label} shifted"
    if tipped.conclusion is None:
        return f"{what}: the analysis without a shift has no interval, so nothing can tip; look at its status."
    low, high = tipped.tried[0].delta, tipped.tried[-1].delta
    told = f"without a shift the interval is {tipped.conclusion}"
    turns = [
        f"{after.delta:+g}{unit}, where it is {after.conclusion}"
        for after in tipped.tried
        if after.delta in (tipped.down, tipped.up)
    ]
    if not turns:
        return f"{what} by {low:+g} to {high:+g}{unit}: {told}, and no shift that was tried changes that."
    return f"{what}: {told}; this changes at {' and at '.join(turns)}. Judge whether such a shift is plausible."
