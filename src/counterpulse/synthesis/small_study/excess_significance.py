"""More significant studies than their power allows (the test of excess significance)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import special

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import normal_cdf, normal_quantile
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.pooling.asked import check_word, choice
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]
Test = Literal["exact", "chi-squared"]

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcessSignificance:
    """Significant studies seen and expected.

    Attributes
    ----------
    observed : studies with a two-sided P value of `alpha` or below
    expected : their number expected from the power of every study at `theta`
    power : of each study, shape (k,)
    p_value : one-sided, of as many significant studies or more
    statistic : of the chi-squared test; None of the exact one
    """

    observed: int
    expected: float
    power: Floats
    p_value: float
    statistic: float | None
    theta: float
    tau2: float
    alpha: float
    k: int
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Observed over expected significant studies."""
        ratio = Estimate(
            term="observed / expected significant studies", measure="ratio", value=self.observed / self.expected,
            statistic=self.statistic, statistic_name=None if self.statistic is None else "chi-squared", p_value=self.p_value,
        )  # fmt: skip
        return (ratio,)

    def tidy(self) -> pl.DataFrame:
        """One row: the ratio and its test."""
        return tidy(self.estimates())


def excess_significance(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    alpha: float = ALPHA,
    theta: float | None = None,
    tau2: float = 0.0,
    test: Test = "exact",
) -> ExcessSignificance:
    """Test whether more studies are significant than their power at the pooled effect allows.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    alpha : two-sided significance level of the studies
    theta : the true effect; the common-effect estimate by default
    tau2 : variance between studies that power is averaged over
    test : "exact" (the number of significant studies is a sum of unequal binary variables) or "chi-squared"

    Raises
    ------
    InputError : of effects or variances that cannot be pooled, or an option out of range

    Notes
    -----
    A small P value says that results are too good for the sizes of the studies, not why.

    References
    ----------
    Ioannidis and Trikalinos 2007, doi:10.1177/1740774507079441.
    """
    y, v = read_studies(yi, vi)
    _check(alpha, theta, tau2, test)
    effect = float((y / v).sum() / (1 / v).sum()) if theta is None else float(theta)
    cut = -normal_quantile(alpha / 2) * np.sqrt(v)
    total = np.sqrt(v + tau2)
    power = special.ndtr((effect - cut) / total) + special.ndtr((-effect - cut) / total)
    observed, expected = int((np.abs(y) >= cut).sum()), float(power.sum())
    statistic, p_value = None, _exact_tail(power, observed)
    if test == "chi-squared":
        statistic, p_value = _chi_squared(observed, expected, len(y))
    choices = (
        choice("alpha", alpha, ALPHA),
        Choice("theta", effect, "derived" if theta is None else "given"),
        choice("tau2", tau2, 0.0),
        choice("test", test, "exact"),
    )
    return ExcessSignificance(
        observed=observed, expected=expected, power=power, p_value=p_value, statistic=statistic, theta=effect, tau2=tau2,
        alpha=alpha, k=len(y), provenance=Provenance("test of excess significance", choices, ("ioannidis-trikalinos-2007",)),
    )  # fmt: skip


def _check(alpha: float, theta: float | None, tau2: float, test: str) -> None:
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}; it lies between 0 and 1")
    if theta is not None and not isfinite(theta):
        raise InputError("theta is not a finite number; leave it out for the common-effect estimate")
    if not (isfinite(tau2) and tau2 >= 0):
        raise InputError(f"tau2 is {tau2}; it is a variance, 0 or above")
    check_word(test, "test", get_args(Test))


def _exact_tail(power: Floats, observed: int) -> float:
    """P(at least `observed`) of a sum of independent binary variables, their distribution built one at a time."""
    chances = np.array([1.0])
    for own in power:
        chances = np.convolve(chances, [1 - own, own])
    return min(1.0, float(chances[observed:].sum()))


def _chi_squared(observed: int, expected: float, k: int) -> tuple[float, float]:
    away = observed - expected
    if not 0 < expected < k:  # every study is sure to be significant
        return (inf, 1.0) if away else (0.0, 1.0)
    statistic = away**2 * (1 / expected + 1 / (k - expected))
    return statistic, normal_cdf(-sqrt(statistic) if away > 0 else sqrt(statistic))
