"""Rubin's rules on arrays: one quantity, or a vector with its covariance, over m imputed tables."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]
Rule = Literal["barnard-rubin", "rubin"]
RULES: tuple[Rule, ...] = ("barnard-rubin", "rubin")

LEAST_LAMBDA = 1e-4
"""The fraction of variance due to missingness from which degrees of freedom are counted, so that they stay finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RubinScalar:
    """One pooled quantity.

    Attributes
    ----------
    m : imputed tables
    value : mean of the m values
    within : mean of the m squared standard errors (U)
    between : variance of the m values, divisor m - 1 (B)
    total : U + (1 + 1/m) B (T)
    relative_increase : of the variance by missingness, (1 + 1/m) B / U
    missing_share : part of the total variance due to missingness, (1 + 1/m) B / T (lambda)
    df : degrees of freedom of t
    fraction_missing : fraction of missing information (gamma)
    """

    m: int
    value: float
    within: float
    between: float
    total: float
    relative_increase: float
    missing_share: float
    df: float
    fraction_missing: float


def pool_scalar(
    values: ArrayLike, variances: ArrayLike, *, df_complete: float = inf, rule: Rule = "barnard-rubin"
) -> RubinScalar:
    """Pool one quantity by Rubin's rules.

    Parameters
    ----------
    values : one a table, on a scale on which the estimate is about normal, shape (m,)
    variances : squared standard errors, shape (m,), all positive
    df_complete : degrees of freedom that the analysis would have without missing values
    rule : degrees of freedom of Barnard and Rubin (1999), or of Rubin (1987), which take no account of `df_complete`

    Raises
    ------
    InputError : fewer than two tables, arrays of different length, or a value that is not finite

    References
    ----------
    Rubin 1987, doi:10.1002/9780470316696; Barnard and Rubin 1999, doi:10.1093/biomet/86.4.948.
    """
    q, u = np.asarray(values, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    check_tables(q)
    if q.shape != u.shape or not (np.isfinite(q).all() and np.isfinite(u).all() and (u > 0).all()):
        raise InputError("pooling needs one finite value and one positive variance for each imputed table")
    m = len(q)
    within, between = float(u.mean()), float(q.var(ddof=1))
    increase = (1 + 1 / m) * between
    total = within + increase
    df = degrees_of_freedom(m, increase / total, df_complete=df_complete, rule=rule)
    r = increase / within
    return RubinScalar(
        m=m, value=float(q.mean()), within=within, between=between, total=total, relative_increase=r,
        missing_share=increase / total, df=df, fraction_missing=(r + 2 / (df + 3)) / (r + 1),
    )  # fmt: skip


def degrees_of_freedom(
    m: int, missing_share: float, *, df_complete: float = inf, rule: Rule = "barnard-rubin"
) -> float:
    """Count the degrees of freedom of t for a pooled quantity."""
    if rule not in RULES:
        raise InputError(f"rule '{rule}' is not known; use one of {', '.join(RULES)}")
    if not df_complete > 0:
        raise InputError("`df_complete` must be above 0; leave it out where it is not known")
    share = max(missing_share, LEAST_LAMBDA)
    infinite_sample = (m - 1) / share**2
    if rule == "rubin" or df_complete == inf:
        return infinite_sample
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    return infinite_sample * observed / (infinite_sample + observed)


def check_tables(values: Floats) -> None:
    """Refuse to pool what is not one row an imputed table."""
    if values.ndim == 0 or len(values) < 2:
        raise InputError("pooling needs the results of two imputed tables or more; impute with m = 20 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class RubinVector:
    """A pooled vector of k quantities.

    Attributes
    ----------
    m : imputed tables
    values : means, shape (k,)
    within, between, total : covariances, shape (k, k)
    df_complete : degrees of freedom without missing values, or infinite
    rule : of the degrees of freedom
    """

    m: int
    values: Floats
    within: Floats
    between: Floats
    total: Floats
    df_complete: float = inf
    rule: Rule = "barnard-rubin"

    def df(self, contrast: Floats) -> float:
        """Degrees of freedom of t for a linear combination, shape (k,)."""
        used = np.flatnonzero(contrast)
        factors, at = contrast[used], np.ix_(used, used)
        increase = (1 + 1 / self.m) * float(factors @ self.between[at] @ factors)
        share = increase / (float(factors @ self.within[at] @ factors) + increase)
        return degrees_of_freedom(self.m, share, df_complete=self.df_complete, rule=self.rule)


def pool_vector(
    values: ArrayLike, covariances: ArrayLike, *, df_complete: float = inf, rule: Rule = "barnard-rubin"
) -> RubinVector:
    """Pool a vector of k quantities with its covariance.

    Parameters
    ----------
    values : shape (m, k)
    covariances : shape (m, k, k)

    Raises
    ------
    InputError : fewer than two tables, or shapes that do not belong together
    """
    q, u = np.asarray(values, dtype=np.float64), np.asarray(covariances, dtype=np.float64)
    check_tables(q)
    if q.ndim != 2 or u.shape != (len(q), q.shape[1], q.shape[1]):
        raise InputError(
            f"pooling a vector needs values of shape (m, k) and covariances of shape (m, k, k), not {q.shape} and {u.shape}"
        )
    m = len(q)
    around = q - q.mean(axis=0)
    within, between = u.mean(axis=0), around.T @ around / (m - 1)
    return RubinVector(
        m=m, values=q.mean(axis=0), within=within, between=between, total=within + (1 + 1 / m) * between,
        df_complete=df_complete, rule=rule,
    )  # fmt: skip
