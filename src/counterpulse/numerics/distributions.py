"""Tails and quantiles of the normal, t, chi-squared and F distributions; small tails keep their precision."""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np
from numpy.typing import NDArray
from scipy import special


def normal_cdf(z: float) -> float:
    """P(Z <= z) of a standard normal Z."""
    return float(special.ndtr(z))


def normal_quantile(probability: float) -> float:
    """Find the z with P(Z <= z) = probability."""
    return float(special.ndtri(probability))


def normal_two_sided(z: float) -> float:
    """P(|Z| >= |z|) of a standard normal Z."""
    return float(2 * special.ndtr(-abs(z)))


def t_quantile(probability: float, df: float) -> float:
    """Find the t with P(T <= t) = probability; infinite `df` is the normal distribution."""
    return normal_quantile(probability) if df == inf else float(special.stdtrit(df, probability))


def t_two_sided(t: float, df: float) -> float:
    """P(|T| >= |t|); infinite `df` is the normal distribution."""
    if isnan(t) or df == inf:
        return normal_two_sided(t)
    return float(2 * special.stdtr(df, -abs(t)))


def chi_squared_tail(x: float, df: float) -> float:
    """P(X >= x) of a chi-squared X."""
    return float(special.chdtrc(df, x)) if df > 0 else nan


def chi_squared_quantile(probability: float, df: float) -> float:
    """Find the x with P(X <= x) = probability."""
    return float(special.chdtri(df, 1 - probability))


def f_tail(x: float, df_numerator: float, df_denominator: float) -> float:
    """P(F >= x); infinite `df_denominator` is the chi-squared distribution over its degrees of freedom."""
    if df_denominator == inf:
        return chi_squared_tail(x * df_numerator, df_numerator)
    return float(special.fdtrc(df_numerator, df_denominator, x))


def f_quantile(probability: float, df_numerator: float, df_denominator: float) -> float:
    """Find the x with P(F <= x) = probability."""
    return float(special.fdtri(df_numerator, df_denominator, probability))


def critical_value(level: float, df: float | None = None) -> float:
    """How many standard errors a two-sided interval of this level reaches; t with `df`, else normal.

    The tail probability is taken directly, so levels near 1 keep their precision.
    """
    tail = (1 - level) / 2
    return -normal_quantile(tail) if df is None else -t_quantile(tail, df)


def expit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn log odds into probabilities, element by element."""
    probabilities: NDArray[np.float64] = special.expit(x)
    return probabilities
