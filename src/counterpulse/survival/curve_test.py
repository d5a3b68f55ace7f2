"""A test that the curves of groups are one: what every such test holds, and its quadratic form."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
import polars as pl

from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status
from counterpulse.survival.follow_up import Floats

SINGULAR = 1e-12
"""A variance below this part of the largest is rounding: groups that never meet in a stratum, say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveTest:
    """A test that the curves of all groups are one.

    Attributes
    ----------
    groups, n, observed, expected : a value a group; observed and expected events are weighted where rho is not 0
    covariance : of observed - expected, shape (groups, groups)
    statistic, df, p_value : chi-squared
    """

    groups: tuple[str, ...]
    n: tuple[int, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    covariance: Floats
    statistic: float
    statistic_name: str
    df: float
    p_value: float
    rho: float
    n_missing: int
    status: Status
    provenance: Provenance

    def tidy(self) -> pl.DataFrame:
        """One row a group: the columns of a "group-test" block."""
        return pl.DataFrame({"group": self.groups, "n": self.n, "observed": self.observed, "expected": self.expected})

    def glance(self) -> pl.DataFrame:
        """One row: the test."""
        return pl.DataFrame(
            {
                "statistic": [self.statistic], "statistic_name": [self.statistic_name], "df": [self.df],
                "p_value": [self.p_value], "n_missing": [self.n_missing], "status": [self.status.code],
            }
        )  # fmt: skip


def quadratic_form(difference: Floats, covariance: Floats) -> tuple[float, int]:
    """Quadratic form and its rank; groups that never vary, and the one that the others determine, are left out."""
    variance = np.diag(covariance)
    varying = np.flatnonzero(variance > SINGULAR * variance.max(initial=0.0))
    if len(varying) < 2:
        return nan, max(len(difference) - 1, 0)
    kept = np.ix_(varying[1:], varying[1:])
    inverse = np.linalg.pinv(covariance[kept], rcond=SINGULAR, hermitian=True)
    rank = int(np.linalg.matrix_rank(covariance[kept], tol=SINGULAR * float(variance.max()), hermitian=True))
    return float(difference[varying[1:]] @ inverse @ difference[varying[1:]]), rank


def status_of_test(groups: int, events: int, *, rows: int, statistic: float) -> Status:
    """What became of a test; one whose groups do not vary has no statistic."""
    if rows == 0:
        return Status.NO_ROWS
    if groups < 2:
        return Status.EMPTY_GROUP
    if events == 0:
        return Status.NO_EVENTS
    return Status.OK if isfinite(statistic) else Status.ZERO_VARIANCE
