"""Values cut short by death, ranked with death worst: win odds, probabilistic index, difference of medians."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse import regression, two_groups
from counterpulse.results import Cell, Estimate, EstimateRow, GroupCount, Interval, Status
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.request import Answer, Request, dead_column, died_at_column, place

Floats = NDArray[np.float64]
WIN_ODDS, INDEX, MEDIAN = "win odds", "probabilistic index", "median difference"
FAR = 1e3
"""The dead lie this many times the range of the values away, where no shift of a group brings them among survivors."""


def estimate(request: Request) -> Answer:
    """How often a treated patient fares better, the difference of medians, and the two parts: deaths, values of survivors."""
    frame = _known(request)
    n_missing = request.frame.height - frame.height
    dead = frame[dead_column(request.outcome.name)].to_numpy()
    values = frame[request.outcome.name].cast(pl.Float64).to_numpy()
    group = frame[str(request.group)].cast(pl.String).to_numpy()
    ranked = _ranked(request, frame, values, dead)
    counts = {
        level.level: GroupCount(level.level, int((group == level.level).sum()), int(dead[group == level.level].sum()))
        for level in request.plan.groups
    }
    found: list[tuple[Estimate, tuple[GroupCount, ...]]] = []
    for measure in dict.fromkeys((*request.analysis.measures, WIN_ODDS, INDEX, MEDIAN)):
        for treated in request.treated:
            pair = (counts[treated], counts[request.reference])
            found.append((_contrast(request, measure, treated, ranked, values, dead, group), pair))
    details: dict[str, Cell] = {}
    for level, count in counts.items():
        member = group == level
        found += [(item, (count,)) for item in _parts(request, level, values[member], dead[member])]
        details |= _summary(request, level, values[member], dead[member])
    rows = tuple(_row(request, item, groups, frame.height, n_missing) for item, groups in found)
    citations = ("lachin-1999", "felker-maisel-2010", "brunner-munzel-2000", "delong-1988", "mann-whitney-1947")
    return Answer(rows=rows, details=details, citations=citations, n_missing=n_missing)


def _known(request: Request) -> pl.DataFrame:
    """The patients whose rank is known; the dead need no value, but a time of death where time ranks them."""
    name = request.outcome.name
    known = (
        pl.col(name).is_not_null() & pl.col(dead_column(name)).is_not_null() & pl.col(str(request.group)).is_not_null()
    )
    if request.option("worst_rank") == "by-time":
        known = known & (~pl.col(dead_column(name)) | pl.col(died_at_column(name)).is_not_null())
    return request.frame.filter(known)


def _ranked(request: Request, frame: pl.DataFrame, values: Floats, dead: NDArray[np.bool_]) -> Floats:
    """Scores of which larger is better; among the dead a later death where time ranks them."""
    scores = values if request.outcome.better == "higher" else -values
    if request.option("worst_rank") == "by-time" and dead.any():
        at = frame[died_at_column(request.outcome.name)].cast(pl.Float64).to_numpy()
        worst = float(scores[~dead].min()) if not dead.all() else 0.0
        scores = np.where(dead, worst - 1 - (float(np.nanmax(at[dead])) - at), scores)
    return scores


def _contrast(
    request: Request, measure: str, treated: str, ranked: Floats, values: Floats, dead: NDArray[np.bool_],
    group: NDArray[np.str_],
) -> Estimate:  # fmt: skip
    sides = (group == treated, group == request.reference)
    if measure == MEDIAN:
        estimate = _median_difference(request, values, dead, *sides)
    else:
        wins = two_groups.win_odds(ranked[sides[0]], ranked[sides[1]], level=request.analysis.level)
        estimate = wins.odds if measure == WIN_ODDS else wins.probability
    return replace(estimate, term=treated, variable=request.group, reference=request.reference)


def _median_difference(
    request: Request, values: Floats, dead: NDArray[np.bool_], treated: NDArray[np.bool_], reference: NDArray[np.bool_]
) -> Estimate:
    """The difference of the usual medians, where both are values of survivors; its interval inverts the rank test."""
    blank = Estimate(term="", measure=MEDIAN, value=float("nan"), unit=request.outcome.unit)
    medians = [_median(request, values[side], dead[side]) for side in (treated, reference)]
    failed = next((status for _, status in medians if status is not Status.OK), None)
    if failed is not None:
        return replace(blank, status=failed)
    both = treated | reference
    alive = values[both & ~dead]
    span = float(np.ptp(alive)) or 1.0
    ends = (alive.max() + FAR * span, alive.min() - FAR * span)
    away = np.where(dead, ends[0] if request.outcome.better == "lower" else ends[1], values)[both]
    table = pl.DataFrame({"value": away, "treated": treated[both].astype(np.float64)})
    fit = regression.quantile(
        table, outcome="value", terms=["treated"], interval="rank", level=request.analysis.level
    )  # fmt: skip
    row = fit.estimates()[1]
    if row.status is not Status.OK or row.interval is None:
        return replace(blank, value=medians[0][0] - medians[1][0], notes=row.notes)
    low, high = (_within(end, span) for end in (row.interval.low, row.interval.high))
    return replace(
        blank, value=medians[0][0] - medians[1][0], interval=Interval(low, high, row.interval.level, "rank"),
        statistic=row.statistic, statistic_name=row.statistic_name, p_value=row.p_value,
    )  # fmt: skip


def _within(end: float, span: float) -> float:
    """A limit, infinite where it would compare survivors with the dead."""
    return end if abs(end) <= span else float(np.copysign(np.inf, end))


def _median(request: Request, values: Floats, dead: NDArray[np.bool_]) -> tuple[float, Status]:
    """The usual median of a group with the dead worst; none where it falls among the dead."""
    if not len(values):
        return float("nan"), Status.EMPTY_GROUP
    order = np.argsort(np.where(dead, np.inf, values if request.outcome.better == "lower" else -values), kind="stable")
    middle = order[[(len(order) - 1) // 2, len(order) // 2]]
    if dead[middle].any():
        return float("nan"), Status.MEDIAN_IS_DEATH
    return float(values[middle].mean()), Status.OK


def _parts(request: Request, level: str, values: Floats, dead: NDArray[np.bool_]) -> Iterator[Estimate]:
    """What the ranks are made of, in one group."""
    base = {"term": level, "variable": request.group}
    median, status = _median(request, values, dead)
    yield Estimate(**base, measure="median", value=median, status=status, unit=request.outcome.unit)  # type: ignore[arg-type]
    risk = two_groups.single_proportion(int(dead.sum()), len(dead), level=request.analysis.level).estimate
    yield replace(risk, **base, measure="proportion who died")  # type: ignore[arg-type]
    alive = values[~dead]
    yield Estimate(
        **base, measure="median of survivors", value=float(np.median(alive)) if len(alive) else float("nan"),  # type: ignore[arg-type]
        status=Status.OK if len(alive) else Status.NO_ROWS, unit=request.outcome.unit,
    )  # fmt: skip


def _summary(request: Request, level: str, values: Floats, dead: NDArray[np.bool_]) -> Mapping[str, Cell]:
    """Deaths, and the quartiles of survivors (type 7 of Hyndman and Fan); not where either are so few that they are hidden."""
    name, alive = f"{request.variant or request.outcome.name}.{level}", values[~dead]
    smallest = request.plan.protocol.privacy.small_cells
    if any(0 < count < smallest for count in (len(alive), int(dead.sum()))):
        return {f"{name}.n": len(values)}
    quartiles = [float(one) for one in np.quantile(alive, [0.25, 0.5, 0.75])] if len(alive) else [None, None, None]
    return {
        f"{name}.n": len(values), f"{name}.died": int(dead.sum()), f"{name}.survivors_q1": quartiles[0],
        f"{name}.survivors_median": quartiles[1], f"{name}.survivors_q3": quartiles[2],
    }  # fmt: skip


def _row(request: Request, item: Estimate, groups: tuple[GroupCount, ...], n: int, n_missing: int) -> EstimateRow:
    return place(request, item, n=n, n_missing=n_missing, groups=groups)


SPEC = MethodSpec(
    name="worst-rank",
    label="worst-rank analysis",
    about="patients were ranked with death as worse than any value of a survivor, and every patient of one group was compared with every patient of the other",
    outcomes=frozenset({"worst-rank"}),
    measures=(WIN_ODDS, INDEX, MEDIAN),
    also=(INDEX, MEDIAN),
    options=(
        Option(
            name="worst_rank", default="tied", kind="word", allowed=("tied", "by-time"), about="how the dead are ranked among themselves",
            phrases=(("tied", "patients who died were given the same, worst rank"), ("by-time", "among patients who died, an earlier death was ranked worse")),
            reference="lachin-1999",
        ),
    ),
    calls="counterpulse.two_groups.win_odds",
    citations=("lachin-1999", "felker-maisel-2010"),
    estimate=estimate,
)  # fmt: skip
