"""Chi-squared tests of a review, and how much more the studies differ than chance would make them."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results.estimate import Estimate
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChiSquared:
    """A chi-squared statistic with its degrees of freedom; nan where there is nothing to test."""

    statistic: float
    df: float
    p_value: float

    @classmethod
    def of(cls, statistic: float, df: float) -> ChiSquared:
        """The statistic with its P value."""
        return cls(statistic, df, chi_squared_tail(statistic, df)) if df > 0 else cls(statistic, df, nan)

    @property
    def i2(self) -> float:
        """Higgins and Thompson's I2 of a test of homogeneity, a fraction; nan with one study."""
        if not self.df > 0 or np.isnan(self.statistic):
            return nan
        return max(0.0, (self.statistic - self.df) / self.statistic) if self.statistic > 0 else 0.0

    @property
    def h2(self) -> float:
        """The statistic over its degrees of freedom; nan with one study."""
        return self.statistic / self.df if self.df > 0 else nan


NOT_TESTED = ChiSquared(nan, 0, nan)


def about(center: float, effects: Floats, variances: Floats) -> ChiSquared:
    """Q: squared distances of the effects from the center, in units of their variances."""
    if np.isnan(center) or len(effects) == 0:
        return NOT_TESTED
    return ChiSquared.of(float(((effects - center) ** 2 / variances).sum()), len(effects) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledOnce:
    """One pooled effect with a test of homogeneity.

    Attributes
    ----------
    pooled : the effect
    heterogeneity : Q
    """

    pooled: Estimate
    heterogeneity: ChiSquared

    @property
    def q(self) -> float:
        """The statistic of homogeneity."""
        return self.heterogeneity.statistic

    @property
    def q_df(self) -> float:
        """Its degrees of freedom."""
        return self.heterogeneity.df

    @property
    def q_p_value(self) -> float:
        """Its P value."""
        return self.heterogeneity.p_value

    @property
    def i2(self) -> float:
        """I2, a fraction."""
        return self.heterogeneity.i2

    @property
    def h2(self) -> float:
        """H2."""
        return self.heterogeneity.h2

    def estimates(self) -> tuple[Estimate, ...]:
        """The pooled effect."""
        return (self.pooled,)

    def tidy(self) -> pl.DataFrame:
        """The estimate as a frame, on the natural scale."""
        return tidy(self.estimates())
