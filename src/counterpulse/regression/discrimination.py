"""Discrimination of a prediction of a yes/no outcome: the c-statistic with DeLong's variance, and the ROC curve."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil, log, nan, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.regression.model_rows import check_level
from counterpulse.results.estimate import Estimate
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SMALLEST_STEP = 5
"""Fewest patients between two points of a ROC curve that is shown."""

MOST_POINTS = 100

C_STATISTIC, DIFFERENCE = "c-statistic", "difference in c-statistic"
SEPARATED = "This method gives no interval where predictions separate the outcomes, or one patient alone has (or lacks) the event."
ALIKE = "The two predictions order the patients alike, so there is nothing to test."


@dataclass(frozen=True, slots=True, kw_only=True)
class CStatistic:
    """The probability that a patient with the event has the higher prediction; equal predictions count half.

    Attributes
    ----------
    value, std_error : nan where `status` is not OK
    events, others : patients with and without the event
    of_events, of_others : DeLong's structural components, shapes (events,) and (others,), in the order of the rows
    """

    value: float
    std_error: float
    events: int
    others: int
    level: float
    status: Status = Status.OK
    of_events: Floats = field(default_factory=lambda: np.empty(0), repr=False)
    of_others: Floats = field(default_factory=lambda: np.empty(0), repr=False)

    def estimate(self, *, term: str = "", scale: Literal["identity", "logit"] = "identity") -> Estimate:
        """Give the c-statistic with its interval: on the scale it is on, cut at 0 and 1, or on the logit scale.

        Perfect separation has no variance by this method, and so no interval.
        """
        if self.status is not Status.OK:
            return no_estimate(C_STATISTIC, self.status, term=term)
        if not self.std_error > 0:
            return Estimate(term=term, measure=C_STATISTIC, value=self.value, notes=(SEPARATED,))
        if scale == "logit":
            error = self.std_error / (self.value * (1 - self.value))
            value = log(self.value / (1 - self.value))
            return wald_estimate(C_STATISTIC, value, error, self.level, term=term, scale=scale, kind="delong, logit")
        found = wald_estimate(C_STATISTIC, self.value, self.std_error, self.level, term=term, kind="delong")
        interval = found.interval
        assert interval is not None
        return replace(found, interval=replace(interval, low=max(0.0, interval.low), high=min(1.0, interval.high)))


def c_statistic(outcome: ArrayLike, score: ArrayLike, *, level: float = 0.95) -> CStatistic:
    """Estimate the c-statistic (area under the ROC curve) with DeLong's variance in O(n log n).

    Parameters
    ----------
    outcome : yes/no, shape (n,)
    score : any number of which more goes with the event, shape (n,)

    Raises
    ------
    InputError : shapes that differ, values that are missing or infinite

    References
    ----------
    DeLong, DeLong and Clarke-Pearson 1988 (doi:10.2307/2531595); Sun and Xu 2014 (doi:10.1109/LSP.2014.2337313)
    """
    check_level(level)
    event, values = read_prediction(outcome, score)
    m, n = int(event.sum()), int((~event).sum())
    if not (m and n):
        return CStatistic(value=nan, std_error=nan, events=m, others=n, level=level, status=one_sided(m, n))
    everybody = midranks(values)
    of_events = (everybody[event] - midranks(values[event])) / n
    of_others = 1 - (everybody[~event] - midranks(values[~event])) / m
    variance = _spread(of_events) / m + _spread(of_others) / n
    return CStatistic(
        value=float(of_events.mean()), std_error=sqrt(variance), events=m, others=n, level=level,
        of_events=of_events, of_others=of_others,
    )  # fmt: skip


def compare_c_statistics(
    outcome: ArrayLike, first: ArrayLike, second: ArrayLike, *, level: float = 0.95, term: str = "", reference: str = ""
) -> Estimate:
    """Difference in the c-statistic of two predictions of the same patients: first less second, DeLong's paired test.

    Parameters
    ----------
    outcome : yes/no, shape (n,)
    first, second : any numbers of which more goes with the event, shape (n,)
    term, reference : names of the two, to be printed

    Raises
    ------
    InputError : as `c_statistic`
    """
    one, two = c_statistic(outcome, first, level=level), c_statistic(outcome, second, level=level)
    if one.status is not Status.OK:
        return no_estimate(DIFFERENCE, one.status, term=term)
    variance = _spread(one.of_events - two.of_events) / one.events + _spread(one.of_others - two.of_others) / one.others
    return wald_estimate(
        DIFFERENCE, one.value - two.value, sqrt(variance), level, term=term, reference=reference or None, null=0.0,
        kind="delong", notes=() if variance > 0 else (ALIKE,),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RocCurve:
    """Sensitivity and specificity of "at or above the threshold", from nobody to everybody; nan threshold at both ends."""

    threshold: Floats
    sensitivity: Floats
    specificity: Floats


def roc_curve(
    outcome: ArrayLike, score: ArrayLike, *, smallest: int = SMALLEST_STEP, most: int = MOST_POINTS
) -> RocCurve | None:
    """The ROC curve at a coarse set of thresholds: at least `smallest` patients lie between two points.

    A threshold lies halfway between two predictions, so that it is nobody's. None where all or none had the event.

    Parameters
    ----------
    outcome : yes/no, shape (n,)
    score : any number of which more goes with the event, shape (n,)
    most : points, about

    Raises
    ------
    InputError : as `c_statistic`
    """
    event, values = read_prediction(outcome, score)
    if not 0 < event.sum() < len(event):
        return None
    order = np.argsort(-values, kind="stable")
    ranked, hits = values[order], np.cumsum(event[order])
    step = max(smallest, ceil(len(values) / most))
    kept: list[int] = []
    last = 0
    for end in (np.flatnonzero(ranked[:-1] != ranked[1:]) + 1).tolist():
        if end - last >= step and len(values) - end >= smallest:
            kept.append(end)
            last = end
    at = np.array([0, *kept, len(values)])
    true = np.append(0, hits)[at]
    halfway = [(ranked[end - 1] + ranked[end]) / 2 for end in kept]
    return RocCurve(
        threshold=np.array([nan, *halfway, nan]), sensitivity=true / hits[-1],
        specificity=1 - (at - true) / (len(values) - hits[-1]),
    )  # fmt: skip


def read_prediction(outcome: ArrayLike, score: ArrayLike) -> tuple[Bools, Floats]:
    """The outcome as true/false and the prediction as numbers, both of shape (n,).

    Raises
    ------
    InputError : shapes that differ, an outcome that is not yes/no, values that are missing or infinite
    """
    event, values = np.asarray(outcome), np.asarray(score, dtype=np.float64)
    if event.shape != values.shape or values.ndim != 1:
        raise InputError(f"there are {event.size} outcomes for {values.size} predictions; give one each a patient")
    if not np.isfinite(values).all():
        raise InputError("a prediction is missing or infinite; leave those patients out and count them")
    if event.dtype != np.bool_:
        if not np.isin(event, (0, 1)).all():
            raise InputError("an outcome is neither yes nor no; use true/false or 1/0")
        event = event.astype(bool)
    return event, values


def one_sided(events: int, others: int) -> Status:
    """What is the matter where patients with or without the event are absent."""
    return Status.NO_ROWS if not events + others else Status.ALL_EVENTS if events else Status.NO_EVENTS


def midranks(values: Floats) -> Floats:
    """Ranks 1..n with the mean rank for equal values, shape (n,)."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    sizes = np.diff(np.append(first, len(values)))
    out = np.empty(len(values))
    out[order] = np.repeat(first + (sizes + 1) / 2, sizes)
    return out


def _spread(values: Floats) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else nan
