"""Curves of time to event: risks and restricted means of each group, their contrasts, the test, what a figure draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from counterpulse import survival
from counterpulse.results import At, Block, Estimate, EstimateRow, GroupCount, Notice, Status
from counterpulse.study.answers.fitted_model import effective_patients, group_counts, total_events
from counterpulse.study.planning.measures import split_measure
from counterpulse.study.request import UNIT, Answer, Request, block_id, cause_column, event_column, place, time_column
from counterpulse.survival import KaplanMeier
from counterpulse.survival.curve_interval import INTERVALS, CurveInterval
from counterpulse.survival.curve_test import CurveTest
from counterpulse.survival.kaplan_meier_curves import EVERYBODY

TICKS = 6
FEWEST, MOST = 3, 8
NICE = (1, 2, 2.5, 5, 10)
CALENDAR = {
    "hours": (1, 2, 3, 4, 6, 12, 24, 48, 72, 168),
    "days": (1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365, 730, 1825),
    "weeks": (1, 2, 4, 13, 26, 52, 104, 260),
    "months": (1, 2, 3, 6, 12, 24, 60),
}
"""Steps of a time axis that a reader counts in, by unit."""
RHO = {"log-rank": 0.0, "peto-peto": 1.0}
WORDS = {
    "restricted mean survival time difference": "rmst difference",
    "restricted mean survival time ratio": "rmst ratio",
    "restricted mean survival time": "rmst",
}


def curve_answer(request: Request, measures: Sequence[str], *, draw: bool = False) -> Answer:
    """Contrasts of `measures` at the horizon (or at the time each names), groups' own values, medians, curves."""
    frame = request.frame
    time, event = time_column(request.outcome.name), event_column(request.outcome.name)
    curves = survival.kaplan_meier(
        frame, time=time, event=event, by=request.group, weights=request.weights, cluster=_together(request),
        interval=_interval(request), level=request.analysis.level,
    )  # fmt: skip
    rows = np.flatnonzero(frame[time].is_not_null().to_numpy() & frame[event].is_not_null().to_numpy())
    counts = group_counts(request, rows)
    found: list[EstimateRow] = []
    for text in measures:
        measure, at = split_measure(text)
        when = _time(request, curves, None if at is None else at.within(request.time_unit or "days"))
        found += _placed(request, _contrasts(request, measure, when), counts, rows, curves.n_missing)
    for when in _times(request, curves) if draw else ():
        found += _placed(request, _risks(curves, when), counts, rows, curves.n_missing)
    if draw:
        found += _placed(request, curves.quantile(0.5), counts, rows, curves.n_missing)
    blocks = tuple(_blocks(request, curves)) if draw or "kaplan-meier" in request.analysis.draws else ()
    return Answer(
        rows=tuple({row.id: row for row in found}.values()),
        blocks=blocks,
        citations=curves.provenance.citations,
        n_missing=curves.n_missing,
        notices=_competing(request),
    )


def log_rank_answer(request: Request) -> Answer:
    """The test that compares the curves, one row and its observed and expected events."""
    sets = (UNIT,) if UNIT in request.frame.columns else ()
    strata: tuple[str, ...] = (*request.option("strata"), *sets)
    test = survival.log_rank(
        request.frame, time=time_column(request.outcome.name), event=event_column(request.outcome.name),
        by=str(request.group), rho=RHO[str(request.option("compare_with"))], strata=strata or None,
        weights=None if sets else request.weights,
    )  # fmt: skip
    return curve_test_answer(request, test, str(request.option("compare_with")))


def gray_answer(request: Request) -> Answer:
    """Gray's test of the cumulative incidences of the event, one row and its observed and expected events."""
    strata: tuple[str, ...] = request.option("strata")
    test = survival.gray_test(
        request.frame, time=time_column(request.outcome.name), event=cause_column(request.outcome.name),
        by=str(request.group), strata=strata or None,
    )  # fmt: skip
    return curve_test_answer(request, test, "gray", test.notes)


def curve_test_answer(request: Request, test: CurveTest, name: str, notes: tuple[str, ...] = ()) -> Answer:
    """A test that the curves of the groups are one, by name."""
    columns = {name: tuple(test.tidy()[name].to_list()) for name in ("group", "n", "observed", "expected")}
    estimate = Estimate(
        term=name, measure="test of curves", value=float("nan"), statistic=test.statistic,
        statistic_name=test.statistic_name, df=test.df, p_value=test.p_value, status=test.status,
        notes=notes,
    )  # fmt: skip
    if 0 < len(columns["group"]) < len(request.plan.groups):  # a test of other groups than planned
        estimate = replace(estimate, statistic=None, df=None, p_value=None, status=Status.EMPTY_GROUP)
    block = Block(id=block_id(request, "test"), analysis=request.analysis.id, kind="group-test", columns=columns)
    return Answer(rows=(place(request, estimate, n=sum(test.n)),), blocks=(block,), citations=test.provenance.citations)


def _interval(request: Request) -> CurveInterval:
    chosen = request.analysis.options.get("interval")
    return chosen if chosen in INTERVALS else "log"  # type: ignore[return-value]


def _time(request: Request, curves: KaplanMeier, at: float | None) -> float:
    """The time named, else the horizon, else the end of the shortest follow-up of a group."""
    if at is not None:
        return at
    if request.outcome.horizon is not None:
        return request.outcome.horizon
    return min((curve.end_of_follow_up for curve in curves if curve.n), default=0.0)


def _times(request: Request, curves: KaplanMeier) -> tuple[float, ...]:
    named = request.analysis.options.get("at") or ()
    extra = tuple(at.within(request.time_unit or "days") for at in named)  # type: ignore[attr-defined]
    return tuple(dict.fromkeys((*extra, _time(request, curves, None))))


def _contrasts(request: Request, measure: str, at: float) -> tuple[Estimate, ...]:
    """A contrast of every treated group, then each group's own value."""
    time, event = time_column(request.outcome.name), event_column(request.outcome.name)
    level = request.analysis.level
    if measure in ("risk difference", "risk ratio"):
        result = survival.survival_difference(
            request.frame, time=time, event=event, by=_by(request), at=at, interval=_interval(request), level=level,
            weights=request.weights, cluster=_together(request),
        )  # fmt: skip
        contrasts = result.differences if measure == "risk difference" else result.ratios
        return (*_of_every_group(request, contrasts, measure, at), *result.risk)
    mean = survival.restricted_mean(request.frame, time=time, event=event, by=_by(request), tau=at, level=level,
                                   weights=request.weights, cluster=_together(request))  # fmt: skip
    contrasts = mean.differences if measure == "rmst difference" else mean.ratios
    return (*_of_every_group(request, contrasts, measure, at), *mean.groups)


def _of_every_group(request: Request, contrasts: Sequence[Estimate], measure: str, at: float) -> Iterator[Estimate]:
    """The planned contrasts against the planned reference; one that lacks patients on either side says so."""
    if request.group is None:
        return
    found = {contrast.term: contrast for contrast in contrasts if contrast.reference == request.reference}
    scale: Literal["log", "identity"] = "log" if measure.endswith("ratio") else "identity"
    for treated in request.treated:
        yield found.get(treated) or Estimate(
            term=treated, reference=request.reference, measure=measure, scale=scale, at=At(at), value=float("nan"),
            status=Status.EMPTY_GROUP,
        )  # fmt: skip


def _together(request: Request) -> str | None:
    """Matched sets or clusters of balanced patients; a plain curve takes no account of clusters."""
    return None if request.weights is None else request.together


def _by(request: Request) -> str | NDArray[np.str_]:
    return request.group if request.group is not None else np.full(request.frame.height, EVERYBODY)


def _risks(curves: KaplanMeier, at: float) -> Iterator[Estimate]:
    for survived in curves.at(at):
        yield survival.risk_of(survived)


def _placed(
    request: Request, estimates: Sequence[Estimate] | Iterator[Estimate], counts: tuple[GroupCount, ...],
    rows: NDArray[np.intp], n_missing: int,
) -> list[EstimateRow]:  # fmt: skip
    return [
        place(
            request,
            replace(
                estimate, variable=request.group, measure=WORDS.get(estimate.measure, estimate.measure),
                at=None if estimate.at is None else request.at(estimate.at.time), unit=_unit(request, estimate),
            ),
            n=len(rows), events=total_events(request, rows), n_missing=n_missing,
            effective_n=effective_patients(request, rows),
            groups=tuple(count for count in counts if estimate.reference is not None or count.group == estimate.term),
        )
        for estimate in estimates
    ]  # fmt: skip


def _unit(request: Request, estimate: Estimate) -> str | None:
    timed = estimate.measure.startswith("median") or estimate.measure in WORDS
    return request.time_unit if timed and "ratio" not in estimate.measure else None


def _competing(request: Request) -> tuple[Notice, ...]:
    if request.outcome.competing is None:
        return ()
    text = (
        f"{request.outcome.label}: patients with the competing event are censored at it, so a Kaplan-Meier risk is too high; "
        "it is not the probability of the event."
    )
    return (Notice("W702", request.analysis.id, text),)


def _blocks(request: Request, curves: KaplanMeier) -> Iterator[Block]:
    yield Block(
        id=block_id(request, "curve"), analysis=request.analysis.id, kind="survival-curve",
        columns={name: tuple(column) for name, column in curves.curve_columns().items()},
    )  # fmt: skip
    end = request.outcome.horizon or max((curve.end_of_follow_up for curve in curves if curve.n), default=1.0)
    yield Block(
        id=block_id(request, "at-risk"), analysis=request.analysis.id, kind="numbers-at-risk",
        columns={name: tuple(column) for name, column in curves.numbers_at_risk(ticks(end, request.time_unit)).items()},
    )  # fmt: skip


def ticks(end: float, unit: str | None = None) -> list[float]:
    """Round times from 0 to the end, about six, at which a figure is labeled."""
    if end <= 0:
        return [0.0]
    least = end / (TICKS + 0.5)
    magnitude = 10.0 ** np.floor(np.log10(least))
    decimal = magnitude * next(nice for nice in NICE if nice * magnitude >= least * (1 - 1e-9))
    steps = CALENDAR.get(unit or "", ())
    whole = (step for step in steps if end % step == 0 and FEWEST <= end / step <= MOST)
    step = next(whole, None) or next((step for step in steps if step >= least), decimal)
    return [float(step * i) for i in range(int(end / step + 1e-9) + 1)]
