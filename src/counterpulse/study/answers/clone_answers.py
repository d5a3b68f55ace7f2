"""What clone-censor-weight found, as rows and blocks of a study."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from counterpulse.emulation import CloneCensorWeight
from counterpulse.emulation.clone_result import ArmReport
from counterpulse.results import Block, Cell, Estimate, Status
from counterpulse.results.percentile_bootstrap import by_percentiles, usable
from counterpulse.study.answers.curves import WORDS, ticks
from counterpulse.study.request import Request, block_id

RISKS = slice(4, 6)
"""Where the risks of the two strategies stand among the measures of a replicate."""

Floats = NDArray[np.float64]


def estimates_of(request: Request, found: CloneCensorWeight) -> Iterator[Estimate]:
    """The planned measures in their order, then the risk (and mean time) of each strategy."""
    named = {WORDS.get(one.measure, one.measure): one for one in found.estimates() if one.reference is not None}
    named["odds ratio"] = _odds_ratio(found, request.analysis.level)
    wanted = request.analysis.measures
    values = ("risk", "rmst") if "rmst difference" in wanted else ("risk",)
    arms = [one for one in found.estimates() if one.reference is None and WORDS.get(one.measure, one.measure) in values]
    timed = request.outcome.kind == "time-to-event"
    for one in (*(named[measure] for measure in wanted), *arms):
        measure = WORDS.get(one.measure, one.measure)
        yield replace(
            one, variable=request.group, measure=measure, at=request.at(one.at.time) if one.at is not None and timed else None,
            unit=request.time_unit if measure.startswith("rmst") else None,
        )  # fmt: skip


def _odds_ratio(found: CloneCensorWeight, level: float) -> Estimate:
    """The ratio of the odds of the two risks, with the percentiles of its replicates."""
    like = next(one for one in found.estimates() if one.measure == "risk ratio")
    value = _log_odds_ratio(np.array([one.value for one in found.estimates()])[None, RISKS])[0]
    if like.status is not Status.OK or not isfinite(value):
        status = like.status if like.status is not Status.OK else Status.ZERO_CELL
        return replace(like, measure="odds ratio", value=nan, status=status, interval=None, p_value=None)
    asked = len(found.replicates)
    replicates = _log_odds_ratio(found.replicates[:, RISKS])
    good, _, enough = usable(replicates[:, None], asked)
    if not enough:
        return replace(like, measure="odds ratio", value=value)
    made = by_percentiles("odds ratio", "log", value, replicates[good], level, tested=True)
    return replace(made, term=like.term, reference=like.reference, at=like.at, notes=like.notes)


def _log_odds_ratio(risks: Floats) -> Floats:
    """Logarithms of odds ratios, shape (r,); nan where a risk is none or everybody's."""
    inside = np.all((risks > 0) & (risks < 1), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = np.log(risks) - np.log1p(-risks)
    result: Floats = np.where(inside, logits[:, 0] - logits[:, 1], nan)
    return result


def blocks_of(request: Request, found: CloneCensorWeight) -> tuple[Block, ...]:
    """The weights of each strategy, and of a time to an event the weighted curves and the clones at risk."""
    if found.status is not Status.OK:
        return ()
    weights = _columns([_weights(arm) for arm in found.arms])
    first = Block(id=block_id(request, "weights"), analysis=request.analysis.id, kind="weights", columns=weights)
    return (first, *_curves(request, found)) if request.outcome.kind == "time-to-event" else (first,)


def _weights(arm: ArmReport) -> dict[str, Cell]:
    quantiles = dict(zip(("p1", "p25", "p50", "p75", "p99"), arm.quantiles, strict=True))
    return {
        "group": arm.strategy, "n": arm.intervals, "effective": arm.effective, "mean": arm.mean, "low": arm.low, **quantiles,
        "high": arm.high,
    }  # fmt: skip


def _curves(request: Request, found: CloneCensorWeight) -> Iterator[Block]:
    rows: list[dict[str, Cell]] = []
    for name, arm in zip(found.strategies, found.clones, strict=True):
        own = found.curves.filter(found.curves["strategy"] == name)
        steps = zip(own["time"], own["survival"], own["at_risk"], own["events"], strict=True)
        start = (0.0, 1.0, float(len(arm.time)), 0.0)
        rows += [
            {"group": name, "time": time, "estimate": survival, "conf_low": None, "conf_high": None, "std_error": None,
             "at_risk": at_risk, "events": events, "censored": None}
            for time, survival, at_risk, events in (start, *steps)
            if at_risk > 0 and time <= found.horizon
        ]  # fmt: skip
    yield Block(
        id=block_id(request, "curve"), analysis=request.analysis.id, kind="survival-curve", columns=_columns(rows)
    )
    yield Block(
        id=block_id(request, "at-risk"), analysis=request.analysis.id, kind="numbers-at-risk", columns=_columns(_at_risk(request, found))
    )  # fmt: skip


def _at_risk(request: Request, found: CloneCensorWeight) -> list[dict[str, Cell]]:
    """Clones still followed under their strategy, counted without weights."""
    rows: list[dict[str, Cell]] = []
    for name, arm in zip(found.strategies, found.clones, strict=True):
        for time in ticks(found.horizon, request.time_unit):
            over = arm.time <= time
            rows.append(
                {"group": name, "time": time, "at_risk": int((arm.time >= time).sum()),
                 "cumulative_events": int((over & arm.event).sum()), "cumulative_censored": int((over & ~arm.event).sum())}
            )  # fmt: skip
    return rows


def _columns(rows: list[dict[str, Cell]]) -> dict[str, tuple[Cell, ...]]:
    return {name: tuple(row[name] for row in rows) for name in rows[0]}
