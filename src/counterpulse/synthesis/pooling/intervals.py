"""Confidence intervals of coefficients by their names, many fits at once.

"wald" is normal with the weights taken as known; "t" the same with Student's t on k - p degrees of freedom;
"hartung-knapp" multiplies the variance by the weighted residual mean square (Hartung and Knapp 2001; Knapp and Hartung
2003); "hartung-knapp-truncated" does so only where that makes it larger; "hartung-knapp-wider" takes the wider of the
Hartung-Knapp and the Wald interval; "kenward-roger" adds to the variance what estimating tau2 costs (Kenward and Roger
1997; Partlett and Riley 2017), with the expected information.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from counterpulse.errors import InputError
from counterpulse.synthesis.engine.weighted_fit import WeightedFit

Floats = NDArray[np.float64]

WALD, T, HARTUNG_KNAPP, KENWARD_ROGER = "wald", "t", "hartung-knapp", "kenward-roger"
TRUNCATED, WIDER = "hartung-knapp-truncated", "hartung-knapp-wider"


@dataclass(frozen=True, slots=True)
class Inference:
    """Standard errors and intervals of B x p coefficients.

    Attributes
    ----------
    covariance : shape (B, p, p)
    std_error : shape (B, p)
    df : of Student's t, infinite for the normal, shape (B, 1)
    statistic, p_value, low, high : shape (B, p)
    """

    covariance: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    low: Floats
    high: Floats


def inference(fit: WeightedFit, kind: str, level: float) -> Inference:
    """Intervals and tests of zero of every coefficient.

    Raises
    ------
    InputError : there is no such interval, or it is not defined with moderators
    """
    kind = check_interval(kind)
    if kind == WIDER:
        return _wider(inference(fit, HARTUNG_KNAPP, level), inference(fit, WALD, level))
    covariance, df = COVARIANCES[kind](fit)
    error = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = fit.coefficients / error
    reach = critical_values(level, df[:, None]) * error
    return Inference(
        covariance, error, df[:, None], statistic, two_sided(statistic, df[:, None]), fit.coefficients - reach,
        fit.coefficients + reach,
    )  # fmt: skip


def check_interval(kind: str) -> str:
    """The interval's own name, whatever the case; an InputError where there is none."""
    known = str(kind).lower()
    if known not in INTERVALS:
        raise InputError(f"interval is {kind!r}; it can be one of {', '.join(INTERVALS)}. Write one of these.")
    return known


def critical_values(level: float, df: Floats) -> Floats:
    """How many standard errors a two-sided interval reaches; infinite `df` is the normal; nan where df is not positive."""
    tail = (1 - level) / 2
    student = -special.stdtrit(np.where(np.isfinite(df) & (df > 0), df, 1.0), tail)
    return np.where(np.isinf(df), -special.ndtri(tail), np.where(df > 0, student, np.nan))


def two_sided(statistic: Floats, df: Floats) -> Floats:
    """P(|T| >= |statistic|)."""
    student = special.stdtr(np.where(np.isfinite(df) & (df > 0), df, 1.0), -np.abs(statistic))
    p_value: Floats = 2 * np.where(np.isinf(df), special.ndtr(-np.abs(statistic)), np.where(df > 0, student, np.nan))
    return p_value


def _wald(fit: WeightedFit) -> tuple[Floats, Floats]:
    return fit.covariance, np.full(len(fit.df), np.inf)


def _t(fit: WeightedFit) -> tuple[Floats, Floats]:
    return fit.covariance, np.where(fit.df > 0, fit.df, np.nan)


def _hartung_knapp(fit: WeightedFit) -> tuple[Floats, Floats]:
    return fit.scale[:, None, None] * fit.covariance, np.where(fit.df > 0, fit.df, np.nan)


def _truncated(fit: WeightedFit) -> tuple[Floats, Floats]:
    return np.maximum(fit.scale, 1.0)[:, None, None] * fit.covariance, np.where(fit.df > 0, fit.df, np.nan)


def _kenward_roger(fit: WeightedFit) -> tuple[Floats, Floats]:
    """Variance and degrees of freedom for the intercept alone.

    The degrees of freedom are ``2 / (var(tau2) * (adjusted variance * sum w^2)^2)``, with the adjusted variance as the R
    package meta has it.
    """
    if fit.coefficients.shape[1] > 1:
        raise InputError("the Kenward-Roger interval is for a review without moderators; use hartung-knapp")
    w = fit.weights
    one, two, three = w.sum(axis=1), (w**2).sum(axis=1), (w**3).sum(axis=1)
    information = (two - 2 * three / one + (two / one) ** 2) / 2
    cost = 1 / np.where(fit.df > 0, information, np.nan)
    adjusted = 1 / one + 2 * cost * np.maximum(three - two**2 / one, 0.0) / one**2
    return adjusted[:, None, None], 2 / (cost * (adjusted * two) ** 2)


def _wider(adjusted: Inference, wald: Inference) -> Inference:
    """The wider of two intervals, coefficient by coefficient, with its own error and test."""
    first: NDArray[np.bool_] = np.logical_not(wald.high - wald.low > adjusted.high - adjusted.low)
    whole = np.atleast_2d(first.all(axis=1, keepdims=True))
    chosen = {
        name: np.where(first, getattr(adjusted, name), getattr(wald, name))
        for name in ("std_error", "statistic", "p_value", "low", "high")
    }
    covariance = np.where(whole[..., None], adjusted.covariance, wald.covariance)
    return Inference(covariance=covariance, df=np.where(whole, adjusted.df, wald.df), **chosen)


COVARIANCES: Mapping[str, Callable[[WeightedFit], tuple[Floats, Floats]]] = {
    HARTUNG_KNAPP: _hartung_knapp,
    WALD: _wald,
    T: _t,
    TRUNCATED: _truncated,
    KENWARD_ROGER: _kenward_roger,
}
INTERVALS = (*COVARIANCES, WIDER)

SOURCES: Mapping[str, str | None] = {
    HARTUNG_KNAPP: "hartung-knapp-2001",
    WALD: None,
    T: "follmann-proschan-1999",
    TRUNCATED: "knapp-hartung-2003",
    WIDER: "hartung-knapp-2001",
    KENWARD_ROGER: "partlett-riley-2017",
}
