"""A hazard ratio read off two printed survival curves, and effects from the survival of two groups at one time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.results import Choice, Provenance
from counterpulse.synthesis.effects.effect_rows import EffectRows, check_measure, chosen, effect_rows
from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows
from counterpulse.synthesis.effects.problem import Problem
from counterpulse.synthesis.pooling.asked import check_word

Pair = tuple[Floats, Floats]
COARSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectFromCurves:
    """The hazard ratio of one study, and what its curves imply in each interval between two readings.

    Attributes
    ----------
    effect : one row, the log hazard ratio
    events_treated, events_reference : in each interval, shape (readings - 1,)
    exposed_treated, exposed_reference : patients effectively at risk in each interval, shape (readings - 1,)
    problems : of the readings; `row` is the number of the reading, or of the interval that was left out
    """

    effect: EffectRows
    events_treated: Floats
    events_reference: Floats
    exposed_treated: Floats
    exposed_reference: Floats
    problems: tuple[Problem, ...]


def from_curves(
    times: ArrayLike,
    survival_treated: ArrayLike,
    survival_reference: ArrayLike,
    *,
    at_risk_treated: ArrayLike | None = None,
    at_risk_reference: ArrayLike | None = None,
    n_treated: int | None = None,
    n_reference: int | None = None,
    follow_up: tuple[float, float] | None = None,
    interval_ratio: str = "parmar",
) -> EffectFromCurves:
    """A log hazard ratio from two survival curves read at the same times.

    In each interval the events are (R0 + R1)(S0 - S1) / (S0 + S1), from the patients at risk R and the survival S at its
    two ends; the log ratios of the intervals are averaged by inverse variance. An interval without an event in one of the
    groups is left out, with a problem.

    Parameters
    ----------
    times : of the readings, rising, the first with the survival at the start, shape (m,)
    survival_treated, survival_reference : proportions surviving, 0 to 1, shape (m,)
    at_risk_treated, at_risk_reference : printed numbers at risk at those times, shape (m,)
    n_treated, n_reference, follow_up : where no numbers at risk are printed: patients at the start, and the shortest and
        longest follow-up, between which censoring is taken as uniform
    interval_ratio : "parmar" (events over patients effectively at risk, variance 1/D1 - 1/R1 + 1/D2 - 1/R2; drawn
        towards 1 where more than a fifth have the event in an interval, which is flagged) or "hazard" (ratio of the
        interval's cumulative hazards, -log(S1 / S0), right for proportional hazards whatever the width)

    Raises
    ------
    InputError
        Unequal lengths, fewer than two readings, times that do not rise, or neither numbers at risk nor follow-up.

    References
    ----------
    Parmar 1998; Williamson 2002, doi:10.1002/sim.1303; Tierney 2007, doi:10.1186/1745-6215-8-16.
    """
    check_word(interval_ratio, "interval_ratio", tuple(PARTS))
    printed = at_risk_treated is not None and at_risk_reference is not None
    columns = {"at_risk_treated": at_risk_treated, "at_risk_reference": at_risk_reference} if printed else {}
    readings = PrintedRows(
        times=times, survival_treated=survival_treated, survival_reference=survival_reference,
        **{name: values for name, values in columns.items() if values is not None},
    )  # fmt: skip
    _need_curves(readings, printed=printed)
    if not printed:
        sizes = _sizes(n_treated, n_reference, follow_up)
    arms = []
    for position, arm in enumerate(("treated", "reference")):
        survival = readings[f"survival_{arm}"]
        if printed:
            arms.append(_with_numbers_at_risk(survival, readings[f"at_risk_{arm}"]))
        else:
            arms.append(_with_follow_up(readings["times"], survival, sizes[position], sizes[2:]))
    choices = (
        Choice("numbers-at-risk", "printed" if printed else "from the range of follow-up", "given"),
        chosen("interval-ratio", interval_ratio, "parmar"),
    )
    works = ("parmar-1998", "williamson-2002", "tierney-2007")
    return _combined(readings, arms[0], arms[1], interval_ratio, Provenance("survival curves", choices, works))


def from_survival_at(
    survival_treated: ArrayLike,
    n_treated: ArrayLike,
    survival_reference: ArrayLike,
    n_reference: ArrayLike,
    *,
    measure: str = "RR",
) -> EffectRows:
    """Effects of the event by a time from the two proportions surviving it.

    Parameters
    ----------
    survival_treated, survival_reference : proportions surviving the time, 0 to 1, shape (k,)
    n_treated, n_reference : patients followed (or effectively at risk at that time), shape (k,)
    measure : "RR", "OR", "RD" of the event, or "HR" (ratio of the cumulative hazards)

    Raises
    ------
    InputError
        Unequal lengths or another measure.
    """
    name = check_measure(measure, ("RR", "OR", "RD", "HR"))
    rows = PrintedRows(
        survival_treated=survival_treated, n_treated=n_treated,
        survival_reference=survival_reference, n_reference=n_reference,
    )  # fmt: skip
    rows.need_patients("n_treated", "n_reference")
    for arm in ("survival_treated", "survival_reference"):
        rows.flag((rows[arm] < 0) | (rows[arm] > 1), "out-of-range", "survival is not between 0 and 1")
    ends = [(rows[arm] == 0) | (rows[arm] == 1) for arm in ("survival_treated", "survival_reference")]
    rows.flag(ends[0] | ends[1], "zero-cell", "everybody or nobody of a group survived; use the counts")
    parts = [_event_by_time(rows, arm, name) for arm in ("treated", "reference")]
    assumed = (
        "the proportion surviving is binomial in the patients given: nobody was censored before, or these are the "
        "patients effectively at risk",
    )
    yi, vi = parts[0][0] - parts[1][0], parts[0][1] + parts[1][1]
    provenance = Provenance("survival at one time", (Choice("measure", name, "given"),))
    return effect_rows(rows, yi, vi, measure=name, assumptions=assumed, provenance=provenance)


def _need_curves(readings: PrintedRows, *, printed: bool) -> None:
    times = readings["times"]
    if readings.k < 2:
        raise InputError("one reading is no curve; give the survival at the start and at one later time or more")
    if not (np.diff(times) > 0).all():
        raise InputError("the times are missing or do not rise; give the readings in order of time")
    for arm in ("treated", "reference"):
        survival = readings[f"survival_{arm}"]
        readings.flag((survival < 0) | (survival > 1), "out-of-range", "survival is not between 0 and 1")
        falling = [survival, readings[f"at_risk_{arm}"]] if printed else [survival]
        for curve in falling:
            readings.flag(np.diff(curve, prepend=curve[0]) > 0, "rising-survival", f"the {arm} curve rises")
    if printed:
        readings.need_counts("at_risk_treated", "at_risk_reference")


def _sizes(
    n_treated: int | None, n_reference: int | None, follow_up: tuple[float, float] | None
) -> tuple[float, float, float, float]:
    if n_treated is None or n_reference is None or follow_up is None:
        raise InputError("give the numbers at risk of both arms, or n_treated, n_reference and follow_up")
    shortest, longest = follow_up
    if min(n_treated, n_reference) < 1 or not 0 <= shortest < longest:
        raise InputError("give patients of 1 or more and follow_up as (shortest, longest)")
    return float(n_treated), float(n_reference), float(shortest), float(longest)


def _with_numbers_at_risk(survival: Floats, at_risk: Floats) -> Pair:
    """Events and patients effectively at risk: censoring is spread over the interval."""
    before, after = survival[:-1], survival[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        total = (at_risk[:-1] + at_risk[1:]) / (before + after)
        return total * (before - after), total * before


def _with_follow_up(times: Floats, survival: Floats, n: float, follow_up: tuple[float, ...]) -> Pair:
    """The same without printed numbers at risk: follow-up times uniform between the shortest and the longest.

    The patients effectively at risk are those alive at the start of the interval times the proportion still followed,
    averaged over the interval.
    """
    shortest, longest = follow_up
    beyond = np.clip((longest - times) / (longest - shortest), 0.0, 1.0)
    followed_until = np.minimum(times, shortest) + (longest - shortest) / 2 * (1 - beyond**2)
    exposed = n * survival[:-1] * np.diff(followed_until) / np.diff(times)
    with np.errstate(divide="ignore", invalid="ignore"):
        return exposed * (1 - survival[1:] / survival[:-1]), exposed


def _combined(
    readings: PrintedRows, treated: Pair, reference: Pair, interval_ratio: str, provenance: Provenance
) -> EffectFromCurves:
    (d_1, r_1), (d_2, r_2) = treated, reference
    one = PrintedRows(study=1.0)
    for problem in readings.problems[:1]:
        one.flag(np.array([True]), problem.code, f"reading {problem.row}: {problem.seen}")
    intervals = PrintedRows(number=np.arange(1.0, readings.k))
    usable = (d_1 > 0) & (d_2 > 0)
    intervals.flag(~usable, "empty-interval", "no event in one of the groups", drop=False)
    if interval_ratio == "parmar":
        coarse = usable & ((d_1 > COARSE * r_1) | (d_2 > COARSE * r_2))
        intervals.flag(coarse, "coarse-interval", "more than a fifth have the event in an interval", drop=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [PARTS[interval_ratio](events, exposed) for events, exposed in (treated, reference)]
        ratio, variance = parts[0][0] - parts[1][0], parts[0][1] + parts[1][1]
        usable &= np.isfinite(ratio) & (variance > 0)
        weights = 1 / variance[usable]
        yi, vi = np.array([weights @ ratio[usable] / weights.sum()]), np.array([1 / weights.sum()])
    assumed = (
        "censoring is independent of the outcome and spread evenly over each interval",
        "the ratio of the hazards is the same in every interval",
        "the readings are those of the printed curves, whose reading error is not in the variance",
    )
    return EffectFromCurves(
        effect=effect_rows(one, yi, vi, measure="HR", assumptions=assumed, provenance=provenance),
        events_treated=d_1, events_reference=d_2, exposed_treated=r_1, exposed_reference=r_2,
        problems=readings.problems + intervals.problems,
    )  # fmt: skip


def _event_by_time(rows: PrintedRows, arm: str, measure: str) -> Pair:
    """One group's part of the effect, and its variance."""
    s, n = np.where(rows.dropped, np.nan, rows[f"survival_{arm}"]), rows[f"n_{arm}"]
    if measure == "RD":
        return 1 - s, s * (1 - s) / n
    if measure == "RR":
        return np.log(1 - s), s / (n * (1 - s))
    if measure == "OR":
        return np.log(1 - s) - np.log(s), 1 / (n * s * (1 - s))
    return np.log(-np.log(s)), (1 - s) / (n * s * np.log(s) ** 2)


def _log_interval_risk(events: Floats, exposed: Floats) -> Pair:
    return np.log(events / exposed), 1 / events - 1 / exposed


def _log_interval_hazard(events: Floats, exposed: Floats) -> Pair:
    remaining = 1 - events / exposed
    return np.log(-np.log(remaining)), (1 - remaining) / (exposed * remaining * np.log(remaining) ** 2)


PARTS: Mapping[str, Callable[[Floats, Floats], Pair]] = {"parmar": _log_interval_risk, "hazard": _log_interval_hazard}
