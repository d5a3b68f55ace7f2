"""Joint tests over imputed tables: D1 from covariances, D2 from chi-squareds, D3 and D4 from likelihood ratios."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.imputation.rubin import check_tables
from counterpulse.numerics.distributions import f_tail
from counterpulse.numerics.linear_algebra import solve_symmetric
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Kind = Literal["D1", "D2", "D3", "D4"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """A test of k restrictions, referred to F on `df` and `df_denominator` degrees of freedom."""

    kind: Kind
    statistic: float
    df: int
    df_denominator: float
    p_value: float
    relative_increase: float
    status: Status = Status.OK


def wald_d1(values: Floats, within: Floats, between: Floats, *, m: int, df_complete: float = inf) -> JointTest:
    """Wald's test that k pooled quantities are zero, with the increase of variance averaged over them.

    Parameters
    ----------
    values : pooled, shape (k,)
    within, between : covariances, shape (k, k)
    df_complete : degrees of freedom without missing values; finite ones bring the denominator of Reiter

    References
    ----------
    Li, Raghunathan and Rubin 1991, doi:10.1080/01621459.1991.10475152; Reiter 2007, doi:10.1093/biomet/asm028.
    """
    k = len(values)
    try:
        solved = solve_symmetric(within, np.column_stack([values, between]))
    except np.linalg.LinAlgError:
        return _undefined("D1", k)
    increase = (1 + 1 / m) * float(np.trace(solved[:, 1:])) / k
    statistic = float(values @ solved[:, 0]) / (k * (1 + increase))
    denominator = d1_denominator(m, k, increase, df_complete)
    return _test("D1", statistic, k, denominator, increase)


def d1_denominator(m: int, k: int, increase: float, df_complete: float) -> float:
    """Denominator degrees of freedom of D1; of Reiter where those of the complete data are finite and suffice."""
    t = k * (m - 1)
    share = (df_complete + 1) / (df_complete + 3) * df_complete if df_complete < inf else inf
    a = increase * t / (t - 2) if t > 2 else inf
    if t <= 4 or share == inf or share - 4 * (1 + a) <= 0:
        return large_sample_denominator(m, k, increase)
    one, two = share - 2 * (1 + a), share - 4 * (1 + a)
    inverse = 1 / two + (
        a**2 * one / ((1 + a) ** 2 * two)
        + 8 * a**2 * one / ((1 + a) * two**2)
        + 4 * a**2 / ((1 + a) * two)
        + 4 * a**2 / (two * one)
        + 16 * a**2 * one / two**3
        + 8 * a**2 / two**2
    ) / (t - 4)
    return 4 + 1 / inverse


def large_sample_denominator(m: int, k: int, increase: float) -> float:
    """Denominator degrees of freedom of D1, D3 and D4 in large samples; infinite where nothing is missing."""
    t = k * (m - 1)
    if increase <= 0:
        return inf
    if t > 4:
        return 4 + (t - 4) * (1 + (1 - 2 / t) / increase) ** 2
    return t * (1 + 1 / k) * (1 + 1 / increase) ** 2 / 2


def chi_squared_d2(statistics: ArrayLike, *, df: int) -> JointTest:
    """Pool the m chi-squared statistics of one hypothesis; weaker than D1 and D3, for where nothing else is known.

    Parameters
    ----------
    statistics : Wald or likelihood-ratio chi-squared of each table, shape (m,)
    df : of each

    References
    ----------
    Li, Meng, Raghunathan and Rubin 1991, Stat Sinica 1:65-92.
    """
    d = np.asarray(statistics, dtype=np.float64)
    _check(d, df)
    m = len(d)
    increase = (1 + 1 / m) * float(np.sqrt(d).var(ddof=1))
    statistic = (float(d.mean()) / df - (m + 1) / (m - 1) * increase) / (1 + increase)
    denominator = inf if increase == 0 else df ** (-3 / m) * (m - 1) * (1 + 1 / increase) ** 2
    return _test("D2", max(statistic, 0.0), df, denominator, increase)


def likelihood_ratio_d3(own: ArrayLike, at_pooled: ArrayLike, *, df: int) -> JointTest:
    """Pool likelihood-ratio tests.

    Parameters
    ----------
    own : twice the difference of log-likelihoods of each table at its own maxima, shape (m,)
    at_pooled : the same at the pooled parameters of either model, shape (m,)
    df : parameters that the smaller model does without

    References
    ----------
    Meng and Rubin 1992, doi:10.1093/biomet/79.1.103.
    """
    return _likelihood_ratio("D3", own, np.asarray(at_pooled, dtype=np.float64), df)


def likelihood_ratio_d4(own: ArrayLike, stacked: float, *, df: int) -> JointTest:
    """Pool likelihood-ratio tests, with both models fitted to the m tables stacked.

    Parameters
    ----------
    own : twice the difference of log-likelihoods of each table at its own maxima, shape (m,)
    stacked : the same of the stacked table, not divided by m
    df : parameters that the smaller model does without

    References
    ----------
    Chan and Meng 2022, doi:10.5705/ss.202019.0314.
    """
    m = np.asarray(own).size
    return _likelihood_ratio("D4", own, np.full(m, stacked / max(m, 1)), df)


def _likelihood_ratio(kind: Kind, own: ArrayLike, common: Floats, df: int) -> JointTest:
    d = np.asarray(own, dtype=np.float64)
    _check(d, df)
    if common.shape != d.shape or not np.isfinite(common).all():
        raise InputError(
            "a pooled likelihood-ratio test needs one finite statistic of either kind for each imputed table"
        )
    m = len(d)
    increase = max((m + 1) / (df * (m - 1)) * float(d.mean() - common.mean()), 0.0)
    statistic = float(common.mean()) / (df * (1 + increase))
    return _test(kind, max(statistic, 0.0), df, large_sample_denominator(m, df, increase), increase)


def _check(statistics: Floats, df: int) -> None:
    check_tables(statistics)
    if df < 1 or statistics.ndim != 1 or not np.isfinite(statistics).all() or (statistics < 0).any():
        raise InputError(
            "a pooled test needs one finite statistic of 0 or more for each imputed table, and `df` of 1 or more"
        )


def _test(kind: Kind, statistic: float, df: int, denominator: float, increase: float) -> JointTest:
    return JointTest(
        kind=kind, statistic=statistic, df=df, df_denominator=denominator, p_value=f_tail(statistic, df, denominator),
        relative_increase=increase,
    )  # fmt: skip


def _undefined(kind: Kind, df: int) -> JointTest:
    return JointTest(
        kind=kind, statistic=nan, df=df, df_denominator=nan, p_value=nan, relative_increase=nan,
        status=Status.UNDEFINED,
    )  # fmt: skip
