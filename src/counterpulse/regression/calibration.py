"""Calibration of a predicted risk: in the large, by slope, by tenths and along a smooth curve."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from counterpulse.numerics.distributions import critical_value, expit
from counterpulse.numerics.linear_algebra import inverse_symmetric
from counterpulse.numerics.local_regression import ZeroWidthError, local_regression, local_regression_of_rows
from counterpulse.numerics.newton import Maximum, maximize
from counterpulse.numerics.proportion import wilson_limits
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.discrimination import one_sided, read_prediction
from counterpulse.regression.model_rows import check_level
from counterpulse.results.estimate import Estimate
from counterpulse.results.predictions import CurvePoint, check_risks, curve_grid, distances, no_distances, tenths
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

INTERCEPT, SLOPE, RATIO = "calibration intercept", "calibration slope", "expected/observed ratio"

FEWEST_VALUES = 4
"""Distinct predictions from which on a curve is drawn."""

NO_LOG_ODDS = "A predicted risk is exactly 0 or 1, which has no log odds."


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How predicted risks agree with observed ones.

    Attributes
    ----------
    intercept : calibration in the large, a log odds: the intercept where the predicted log odds are an offset; 0 is ideal
    slope : of the predicted log odds; 1 is ideal, below 1 predictions are too extreme
    ratio : expected over observed events, on the log scale
    index, median, ninth : mean, median and 90th percentile of the distance from the smooth curve (ICI, E50, E90)
    curve : the smooth curve; groups : tenths of the patients by predicted risk
    """

    n: int
    events: int
    intercept: Estimate
    slope: Estimate
    ratio: Estimate
    index: Estimate
    median: Estimate
    ninth: Estimate
    curve: tuple[CurvePoint, ...]
    groups: tuple[CurvePoint, ...]

    def estimates(self) -> tuple[Estimate, ...]:
        """Every number, the intercept first."""
        return (self.intercept, self.slope, self.ratio, self.index, self.median, self.ninth)


def calibration_of(outcome: ArrayLike, risk: ArrayLike, *, level: float = 0.95, span: float = 0.75) -> Calibration:
    """Compare predicted with observed risks of a yes/no outcome.

    Parameters
    ----------
    outcome : yes/no, shape (n,)
    risk : predicted probability, 0 to 1, shape (n,)
    span : of the local regression that makes the smooth curve

    Raises
    ------
    InputError : shapes that differ, values that are missing, risks outside 0 to 1

    Notes
    -----
    The smooth curve is loess of the outcome on the risk, degree 2 (R: ``loess`` with ``surface = "direct"``); its
    pointwise interval has the binomial variance of the smoother, which ``loess`` does not use. ICI, E50 and E90 have
    no interval here. Intercept and slope are undefined where a risk is exactly 0 or 1. The expected number of events
    counts as known in the interval of the ratio.

    References
    ----------
    Cox 1958 (doi:10.1093/biomet/45.3-4.562); Van Calster 2016 (doi:10.1016/j.jclinepi.2015.12.005); Austin and
    Steyerberg 2019 (doi:10.1002/sim.8281); Debray 2017 (doi:10.1136/bmj.i6460); Wilson 1927
    (doi:10.1080/01621459.1927.10502953)
    """
    check_level(level)
    event, p = read_prediction(outcome, risk)
    check_risks(p)
    n, m = len(p), int(event.sum())
    status = one_sided(m, n - m) if m in (0, n) else Status.OK
    intercept, slope = _recalibration(event, p, level, status)
    (index, median, ninth), curve = _smooth(event, p, level, span, status)
    return Calibration(
        n=n, events=m, intercept=intercept, slope=slope, ratio=_expected_over_observed(float(p.sum()), m, n, level),
        index=index, median=median, ninth=ninth, curve=curve, groups=_groups(event, p, level),
    )  # fmt: skip


def recalibrated(outcome: ArrayLike, score: ArrayLike) -> Floats | None:
    """The risk by a logistic regression of the outcome on a score, shape (n,); None where there is no such fit."""
    event, values = read_prediction(outcome, score)
    if not 0 < event.sum() < len(event) or not values.std() > 0:
        return None
    X, maximum = _one_slope(event, values)
    return expit(X @ maximum.at) if maximum.converged else None


def _one_slope(event: Bools, values: Floats) -> tuple[Floats, Maximum]:
    """Logistic regression on one number, centered and scaled."""
    scaled = (values - values.mean()) / values.std()
    X = np.asfortranarray(np.column_stack([np.ones(len(values)), scaled]))
    return X, maximize(BinomialLikelihood(X, np.where(event, 1.0, -1.0), None), np.zeros(2))


def _recalibration(event: Bools, p: Floats, level: float, status: Status) -> tuple[Estimate, Estimate]:
    extreme = status is Status.OK and bool(((p == 0) | (p == 1)).any())
    if extreme or status is not Status.OK:
        why, notes = (Status.UNDEFINED, (NO_LOG_ODDS,)) if extreme else (status, ())
        return no_estimate(INTERCEPT, why, notes=notes), no_estimate(SLOPE, why, notes=notes)
    predictor = special.logit(p)
    intercept = wald_estimate(INTERCEPT, *offset_intercept(event, predictor), level)
    if not predictor.std() > 0:
        return intercept, no_estimate(SLOPE, Status.CONSTANT)
    _, maximum = _one_slope(event, predictor)
    if not maximum.converged:
        return intercept, no_estimate(SLOPE, Status.SEPARATION)
    scale, error = float(predictor.std()), sqrt(inverse_symmetric(maximum.information)[1, 1])
    return intercept, wald_estimate(SLOPE, float(maximum.at[1]) / scale, error / scale, level)


def offset_intercept(event: Bools, predictor: Floats) -> tuple[float, float]:
    """The intercept of a logistic model whose linear predictor is an offset, and its standard error."""
    total, at, low, high = float(event.sum()), 0.0, -np.inf, np.inf
    information = 0.0
    for _ in range(100):
        fitted = expit(predictor + at)
        excess, information = total - float(fitted.sum()), float((fitted * (1 - fitted)).sum())
        low, high = (at, high) if excess > 0 else (low, at)
        after = at + float(np.clip(excess / max(information, 1e-300), -2.0, 2.0))
        after = after if low <= after <= high else (low + high) / 2
        if abs(after - at) < 1e-13 * max(1.0, abs(after)):
            break
        at = after
    return at, 1 / sqrt(information)


def _expected_over_observed(expected: float, observed: int, n: int, level: float) -> Estimate:
    """The ratio on the log scale, with the expected events as known."""
    if not observed:
        return no_estimate(RATIO, one_sided(observed, n), scale="log")
    if not expected > 0:
        return no_estimate(RATIO, Status.UNDEFINED, scale="log")
    return wald_estimate(RATIO, log(expected / observed), sqrt((1 - observed / n) / observed), level, scale="log")


def _smooth(
    event: Bools, p: Floats, level: float, span: float, status: Status
) -> tuple[tuple[Estimate, Estimate, Estimate], tuple[CurvePoint, ...]]:
    if status is Status.OK and len(np.unique(p)) < FEWEST_VALUES:
        status = Status.FEW_VALUES
    if status is not Status.OK:
        return no_distances(status), ()
    y = event.astype(np.float64)
    try:
        fitted = local_regression_of_rows(p, y, span=span)
        held = np.clip(fitted, 0, 1)
        at = curve_grid(p)
        local = local_regression(p, y, at, span=span, row_variance=held * (1 - held))
    except ZeroWidthError:
        return no_distances(Status.FEW_VALUES), ()
    reach = critical_value(level) * np.sqrt(local.variance)
    columns = (at, *(np.clip(local.value + side * reach, 0, 1) for side in (0, -1, 1)))
    curve = tuple(
        CurvePoint(predicted=float(a), observed=float(b), low=float(c), high=float(d))
        for a, b, c, d in zip(*columns, strict=True)
    )
    return distances(np.abs(fitted - p)), curve


def _groups(event: Bools, p: Floats, level: float) -> tuple[CurvePoint, ...]:
    return tuple(_group(event[rows], p[rows], level) for rows in tenths(p)) if len(p) else ()


def _group(event: Bools, p: Floats, level: float) -> CurvePoint:
    low, high = wilson_limits(int(event.sum()), len(p), level)
    return CurvePoint(predicted=float(p.mean()), observed=float(event.mean()), low=low, high=high, n=len(p))
