"""Cumulative incidence where something competes with the event (Aalen-Johansen), and Gray's test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from counterpulse import survival
from counterpulse.results import Block, Estimate, EstimateRow, GroupCount, Notice, Status
from counterpulse.study.answers.curves import gray_answer, ticks
from counterpulse.study.answers.fitted_model import group_counts, total_events
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.planning.measures import split_measure
from counterpulse.study.request import Answer, Request, block_id, cause_column, place, time_column
from counterpulse.survival import CumulativeIncidence

CAUSES = {"event": "event", "competing": "competing"}
DIFFERENCE, RATIO = "cumulative incidence difference", "cumulative incidence ratio"


def estimate(request: Request) -> Answer:
    """Contrasts of cumulative incidence at the horizon, each group's own, its median time, the test, and the curves."""
    answer = _curves(request)
    if request.group is None or request.option("compare_with") == "none":
        return answer
    return answer.joined(gray_answer(request))


def _curves(request: Request) -> Answer:
    outcome = request.outcome
    curves = survival.cumulative_incidence(
        request.frame, time=time_column(outcome.name), event=cause_column(outcome.name), by=request.group,
        causes=CAUSES, variance=request.option("variance"), interval=request.option("interval"),
        level=request.analysis.level,
    )  # fmt: skip
    counts = group_counts(request, curves.rows_used)
    found: list[EstimateRow] = []
    for text in request.analysis.measures:
        measure, at = split_measure(text)
        when = _time(request, curves) if at is None else at.within(request.time_unit or "days")
        found += _placed(request, curves, _contrasts(request, curves, measure, when), counts)
    for when in _times(request, curves):
        found += _placed(request, curves, curves.at(when), counts)
    found += _placed(request, curves, (replace(item, unit=request.time_unit) for item in curves.quantile()), counts)
    return Answer(
        rows=tuple({row.id: row for row in found}.values()),
        blocks=tuple(_blocks(request, curves)),
        choices=tuple(replace(choice, origin="derived") for choice in curves.provenance.choices),
        citations=curves.provenance.citations,
        notices=_notices(request),
        n_missing=curves.n_missing,
    )


def _time(request: Request, curves: CumulativeIncidence) -> float:
    """The horizon, else the end of the shortest follow-up of a group."""
    if request.outcome.horizon is not None:
        return request.outcome.horizon
    return min((curve.end_of_follow_up for curve in curves if curve.n), default=0.0)


def _times(request: Request, curves: CumulativeIncidence) -> tuple[float, ...]:
    named = tuple(at.within(request.time_unit or "days") for at in request.option("at"))
    return tuple(dict.fromkeys((*named, _time(request, curves))))


def _contrasts(request: Request, curves: CumulativeIncidence, measure: str, at: float) -> Iterator[Estimate]:
    """Every treated group against the reference; one that lacks patients on either side says so. Then each group's own."""
    if request.group is not None:
        groups = {curve.group for curve in curves if curve.n}
        found: dict[str, Estimate] = {}
        if request.reference in groups:
            contrast = curves.ratios if measure == RATIO else curves.differences
            found = {item.term: item for item in contrast(at, reference=request.reference)}
        scale: Literal["log", "identity"] = "log" if measure == RATIO else "identity"
        for treated in request.treated:
            yield found.get(treated) or Estimate(
                term=treated, reference=request.reference, measure=measure, scale=scale, at=request.at(at),
                value=float("nan"), status=Status.EMPTY_GROUP,
            )  # fmt: skip
    yield from curves.at(at)


def _placed(
    request: Request, curves: CumulativeIncidence, estimates: Sequence[Estimate] | Iterator[Estimate],
    counts: tuple[GroupCount, ...],
) -> list[EstimateRow]:  # fmt: skip
    rows = curves.rows_used
    return [
        place(
            request,
            replace(item, variable=request.group, at=None if item.at is None else request.at(item.at.time)),
            n=len(rows), events=total_events(request, rows), n_missing=curves.n_missing,
            groups=tuple(count for count in counts if item.reference is not None or count.group == item.term),
        )
        for item in estimates
    ]  # fmt: skip


def _blocks(request: Request, curves: CumulativeIncidence) -> Iterator[Block]:
    yield curves.block(id=block_id(request, "incidence"), analysis=request.analysis.id)
    end = request.outcome.horizon or max((curve.end_of_follow_up for curve in curves if curve.n), default=1.0)
    at = np.array(ticks(end, request.time_unit))
    columns: dict[str, list[str | float]] = {
        name: [] for name in ("group", "time", "at_risk", "cumulative_events", "cumulative_censored")
    }
    for curve in curves:
        upto = np.searchsorted(curve.time, at, side="right")
        columns["group"] += [curve.group] * len(at)
        columns["time"] += at.tolist()
        columns["at_risk"] += curve.numbers_at_risk(at).tolist()
        columns["cumulative_events"] += _so_far(curve.events.sum(axis=1), upto)
        columns["cumulative_censored"] += _so_far(curve.censored, upto)
    yield Block(
        id=block_id(request, "at-risk"), analysis=request.analysis.id, kind="numbers-at-risk",
        columns={name: tuple(column) for name, column in columns.items()},
    )  # fmt: skip


def _so_far(counts: NDArray[np.float64], upto: NDArray[np.intp]) -> list[float]:
    totals: list[float] = np.append(0.0, np.cumsum(counts))[upto].tolist()
    return totals


def _notices(request: Request) -> tuple[Notice, ...]:
    truncation = request.outcome.truncation
    if truncation is None:
        return ()
    text = (
        f"{request.outcome.label}: who died ({truncation.label}) counts as dead at the end of the value, so a death after it "
        "counts as if it had ended the value."
    )
    return (Notice("W671", request.analysis.id, text),)


SPEC = MethodSpec(
    name="aalen-johansen",
    label="Aalen-Johansen",
    about="cumulative incidences were estimated by the Aalen-Johansen method, in which the competing event was an event of its own",
    outcomes=frozenset({"time-to-event"}),
    measures=(DIFFERENCE, RATIO),
    options=(
        Option(
            name="interval", default="log-log", kind="word", allowed=("log-log", "log", "plain", "logit", "arcsine"),
            about="the scale on which intervals of a curve are made", words="confidence intervals of the curves were computed on the {value} scale",
            reference="borgan-liestol-1990",
        ),
        Option(
            name="variance", default="delta", kind="word", allowed=("delta", "aalen"), about="the variance of a curve",
            phrases=(("delta", ""), ("aalen", "the variance was estimated by Aalen's formula")),
            references=(("delta", "gaynor-1993"), ("aalen", "aalen-1978")),
        ),
        Option(
            name="compare_with", default="gray", kind="word", allowed=("gray", "none"),
            about="the test that compares the cumulative incidences of the event",
            phrases=(("gray", "cumulative incidences were compared by Gray's test"), ("none", "")),
            references=(("gray", "gray-1988"),),
        ),
        Option(
            name="strata", default=(), kind="names", about="variables that stratify the test",
            words="the test was stratified by {value}",
        ),
        Option(
            name="at", default=(), kind="lengths", about="times at which cumulative incidences are given besides the horizon",
            words="cumulative incidences were also estimated at {value}",
        ),
    ),
    needs_groups=False,
    calls="counterpulse.survival.cumulative_incidence",
    citations=("aalen-johansen-1978",),
    estimate=estimate,
)  # fmt: skip
