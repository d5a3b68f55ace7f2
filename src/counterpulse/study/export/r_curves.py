"""Curves over time in R: Kaplan-Meier, restricted means, cumulative incidence where something competes."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.expression import r_name, r_text
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_models import has_number, listed
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import cause_column, time_column
from counterpulse.survival.curve_interval import INTERVALS
from counterpulse.survival.gray_statistic import TIES_HELD

DIFFERENCE, RATIO, INCIDENCE = (
    "cumulative incidence difference", "cumulative incidence ratio", "cumulative incidence",
)  # fmt: skip


def curve_lines(part: Part) -> Iterator[str]:
    """Risks, restricted means and medians from the curves, at each time that the bundle holds."""
    columns = ", ".join(r_text(name) for name in columns_of(part.outcome.name, "time-to-event"))
    group = part.group
    yield f"d <- complete(sample, c({columns}{'' if group is None else f', {r_text(group)}'}))"
    for at in dict.fromkeys(row.estimate.at.time for row in part.rows if row.estimate.at is not None):
        yield from _contrasts(part, at)
    for row in part.of_measure("median survival time"):
        yield (
            f"median_time({r_text(row.id)}, {_rows_of(part, row.estimate.term)}, {_curve_columns(part)}, "
            f"level = {part.analysis.level!r}, conf_type = {r_text(conf_type(part))})"
        )


def kaplan_meier_lines(part: Part) -> Iterator[str]:
    """The curves, and the test that they are one."""
    yield from curve_lines(part)
    test = next(part.of_measure("test of curves"), None)
    if test is None:
        return
    time, event = (r_name(name) for name in columns_of(part.outcome.name, "time-to-event"))
    strata = part.names("strata")
    more = f" + strata({', '.join(map(r_name, strata))})" if strata else ""
    rho = 1 if part.option("compare_with") == "peto-peto" else 0
    yield f"test <- survdiff(Surv({time}, {event}) ~ {r_name(str(part.group))}{more}, data = d, rho = {rho})"
    yield f"compare({r_text(test.id)}, NA, p = pchisq(test$chisq, {len(part.plan.treated)}, lower.tail = FALSE))"


def incidence_lines(part: Part) -> Iterator[str]:
    """Cumulative incidences of the event, their contrasts, median times, and Gray's test."""
    time, cause = time_column(part.outcome.name), cause_column(part.outcome.name)
    columns = [time, cause, *((part.group,) if part.group is not None else ())]
    yield f"d <- complete(sample, c({', '.join(map(r_text, columns))}))"
    for row in part.rows:
        if has_number(row) and row.subgroup is None:
            yield from _incidence(row, part, f"{r_text(time)}, {r_text(cause)}")
    test = gray_row(part)
    if test is not None:
        strata = part.names("strata")
        yield f"d <- complete(sample, c({', '.join(map(r_text, [*columns, *strata]))}))"
        within = ", ".join(f"d${r_name(name)}" for name in strata)
        more = f", interaction({within}, drop = TRUE)" if strata else ""
        yield f"gray_test({r_text(test.id)}, d, {r_text(time)}, {r_text(cause)}, {r_text(str(part.group))}{more})"


def gray_row(part: Part) -> EstimateRow | None:
    """Gray's test, where there is one whose number R has too."""
    tests = (row for row in part.of_measure("test of curves") if row.estimate.term == "gray" and has_number(row))
    return next((row for row in tests if TIES_HELD not in row.estimate.notes), None)


def _incidence(row: EstimateRow, part: Part, columns: str) -> Iterator[str]:
    found, own = row.estimate, _rows_of(part, row.estimate.term)
    at = "" if found.at is None else f"{found.at.time!r}"
    kind = f"level = {part.analysis.level!r}, conf_type = {r_text(conf_type(part, 'log-log'))}"
    variance = f"variance = {r_text(str(part.analysis.options.get('variance', 'delta')))}"
    if found.measure == INCIDENCE:
        yield f"cumulative_incidence({r_text(row.id)}, {own}, {columns}, {at}, {kind}, {variance})"
    elif found.measure in (DIFFERENCE, RATIO):
        other = _rows_of(part, str(found.reference))
        ratio = "TRUE" if found.measure == RATIO else "FALSE"
        yield f"incidence_contrast({r_text(row.id)}, {own}, {other}, {columns}, {at}, {kind}, {variance}, ratio = {ratio})"
    elif found.measure == "median time" and part.analysis.options.get("variance", "delta") == "delta":
        yield f"incidence_median({r_text(row.id)}, {own}, {columns}, {kind})"


def _rows_of(part: Part, level: str) -> str:
    return "d" if part.group is None else f"d[d${r_name(part.group)} == {r_text(level)}, ]"


def _curve_columns(part: Part) -> str:
    return ", ".join(r_text(name) for name in columns_of(part.outcome.name, "time-to-event"))


def conf_type(part: Part, usual: str = "log") -> str:
    """The scale of the intervals of a curve, as survfit() calls it."""
    word = str(part.analysis.options.get("interval", usual))
    word = word if word in INTERVALS else usual
    return "arcsin" if word == "arcsine" else word


def _contrasts(part: Part, at: float) -> Iterator[str]:
    level = f"level = {part.analysis.level!r}"
    if part.group is None:
        for row in part.of_measure("risk"):
            if row.estimate.at is not None and row.estimate.at.time == at:
                yield f"group_risk({r_text(row.id)}, d, {_curve_columns(part)}, {at!r}, {level}, {r_text(conf_type(part))})"
        return
    for treated in part.plan.treated:
        pair = f"{r_text(part.group)}, {r_text(treated)}, {r_text(part.plan.reference)}, {at!r}, {level}"
        for function, (difference, ratio, own), more in (
            ("risk_contrasts", ("risk difference", "risk ratio", "risk"), f", conf_type = {r_text(conf_type(part))}"),
            ("mean_time_contrasts", ("rmst difference", "rmst ratio", "rmst"), ""),
        ):
            ids = {
                "difference": part.id_of(difference, treated, at), "ratio": part.id_of(ratio, treated, at),
                "treated": part.id_of(own, treated, at), "reference": part.id_of(own, part.plan.reference, at),
            }  # fmt: skip
            if any(ids.values()):
                yield f"{function}({listed(ids)}, d, {_curve_columns(part)}, {pair}{more})"
