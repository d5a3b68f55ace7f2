"""The few lines that a run prints at its end."""

from __future__ import annotations

from math import isfinite, isnan

from counterpulse.results import EstimateRow, StudyResult

HEADER = ("Analysis", "Outcome", "Patients", "Events", "Measure", "Estimate (CI)", "P")


def summary_lines(result: StudyResult) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """One line a contrast that was asked for, or a value where nobody is compared: no covariates, no subgroups."""
    groups = [group["level"] for group in result.plan["groups"]]
    rows = [row for row in result.estimates if row.role != "covariate" and row.subgroup is None]
    if groups:
        compares = {row.analysis for row in rows if _compares(row, result)}
        first = {row.analysis: row for row in reversed(rows) if row.estimate.variable is None}
        rows = [
            row
            for row in rows
            if _compares(row, result) or (row.analysis not in compares and row is first.get(row.analysis))
        ]
    return HEADER, [_line(row, named=len(groups) != 2) for row in rows]


def _compares(row: EstimateRow, result: StudyResult) -> bool:
    """Whether a row compares the groups of the study, not two levels of a covariate."""
    return row.estimate.reference is not None and row.estimate.variable in (None, result.plan["group_variable"])


def _line(row: EstimateRow, *, named: bool) -> tuple[str, ...]:
    estimate = row.estimate.natural()
    at = f" at {estimate.at.time:g} {estimate.at.unit or ''}".rstrip() if estimate.at is not None else ""
    at += f", {estimate.term}" if named else ""
    model = f" ({row.model})" if row.model else ""
    return (
        f"{row.analysis}{model}", row.outcome, _count(row.n), _count(row.events), f"{estimate.measure}{at}",
        _interval(row), _tested(row),
    )  # fmt: skip


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _interval(row: EstimateRow) -> str:
    estimate = row.estimate.natural()
    if not isfinite(estimate.value):
        return row.estimate.status.code
    if estimate.interval is None:
        return _three_digits(estimate.value)
    return f"{_three_digits(estimate.value)} ({_end(estimate.interval.low)} to {_end(estimate.interval.high)})"


def _end(value: float) -> str:
    return "not reached" if isnan(value) else _three_digits(value)


def _three_digits(value: float) -> str:
    """About three digits, trailing zeros kept."""
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    return f"{value:.{places}f}"


def _tested(row: EstimateRow) -> str:
    """The P value, the adjusted one where several were adjusted together."""
    return _p_value(row.estimate.p_value) if row.p_adjusted is None else f"{_p_value(row.p_adjusted)} (adjusted)"


def _p_value(value: float | None) -> str:
    if value is None or not isfinite(value):
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
