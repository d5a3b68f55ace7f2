"""Whether the odds ratios of an ordinal model are the same at every threshold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.distributions import chi_squared_tail, expit
from counterpulse.numerics.linear_algebra import inverse_symmetric, solve_symmetric
from counterpulse.numerics.newton import maximize
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.cumulative_likelihood import nonproportional_odds
from counterpulse.regression.ordinal_fit import OrdinalFit
from counterpulse.results.block import Block
from counterpulse.results.coefficients import LEFT_OUT
from counterpulse.results.estimate import finite_or_none
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class OddsTest:
    """One test of proportional odds; of one variable, or of all (`OVERALL`)."""

    variable: str
    chi_squared: float
    df: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionalOddsTest:
    """Tests of proportional odds.

    Attributes
    ----------
    brant : Brant's Wald tests, overall first, then one a variable
    likelihood_ratio : against the model with slopes of their own at every threshold, of all variables
    status : OK, or why there is no Wald test (a level so small that a binary model has no finite fit)
    """

    brant: tuple[OddsTest, ...]
    likelihood_ratio: OddsTest
    status: Status

    def tidy(self) -> pl.DataFrame:
        """Brant's tests, one row a variable, the overall one first; the columns of a block "proportional-odds"."""
        numbers = dict.fromkeys(("chi_squared", "df", "p_value"), pl.Float64)
        return pl.DataFrame(self._columns(), schema_overrides={"variable": pl.String, **numbers})

    def block(self, id: str, *, analysis: str) -> Block:
        """Brant's tests as a block of a study's result."""
        return Block(id=id, analysis=analysis, kind="proportional-odds", columns=self._columns())

    def _columns(self) -> dict[str, list[str | float | int | bool | None]]:
        return {
            "variable": [test.variable for test in self.brant],
            "chi_squared": [finite_or_none(test.chi_squared) for test in self.brant],
            "df": [finite_or_none(test.df) for test in self.brant],
            "p_value": [finite_or_none(test.p_value) for test in self.brant],
        }


def proportional_odds_test(fit: OrdinalFit) -> ProportionalOddsTest:
    """Test whether one odds ratio serves for every threshold of the outcome.

    Brant's test compares the slopes of the binary logistic models of "above each threshold", overall and for each
    variable. The likelihood-ratio test compares the fit with the model that has slopes of its own at each threshold (R:
    ``ordinal::clm`` with every term under ``nominal``). Both rest on the model's variance, also where the fit's is
    robust; a small p value in a large sample may be a departure of no consequence.

    References
    ----------
    Brant 1990, doi:10.2307/2532457; Peterson and Harrell 1990, doi:10.2307/2347760.
    """
    slopes = fit.parameters.statuses[len(fit.levels) - 1 :]
    pairs = zip(fit.spec.columns, slopes, strict=True)
    variables = [column.variable for column, status in pairs if status not in LEFT_OUT]
    if fit.status is not Status.OK or len(fit.levels) < 3 or not variables:
        status = fit.status if fit.status is not Status.OK else Status.UNDEFINED
        nothing = OddsTest(OVERALL, nan, nan, nan)
        return ProportionalOddsTest(brant=(nothing,), likelihood_ratio=nothing, status=status)
    weights = np.ones(fit.n) if fit.rows.weights is None else fit.rows.weights
    found = _brant(fit, weights)
    names = list(dict.fromkeys(variables))
    tests = [(OVERALL, list(range(len(variables))))]
    tests += [(name, [j for j, variable in enumerate(variables) if variable == name]) for name in names]
    brant = tuple(_wald(found, name, members, len(variables)) for name, members in tests)
    return ProportionalOddsTest(
        brant=brant,
        likelihood_ratio=_likelihood_ratio(fit, weights),
        status=Status.OK if np.isfinite(brant[0].chi_squared) else Status.UNDEFINED,
    )


@dataclass(frozen=True, slots=True)
class _BinaryFits:
    """Slopes above each threshold, shape (J - 1, p), and their joint covariance, shape ((J - 1) p, (J - 1) p)."""

    slopes: Floats
    covariance: Floats


def _brant(fit: OrdinalFit, weights: Floats) -> _BinaryFits | None:
    """Fit the binary models; None where one of them has no finite fit."""
    X = np.asfortranarray(np.column_stack((np.ones(fit.n), fit.X)))
    slopes, breads, probabilities = [], [], []
    for coefficients, bread in _binary_fits(fit, X, weights):
        slopes.append(coefficients[1:])
        breads.append(bread)
        probabilities.append(expit(X @ coefficients))
    thresholds, p = len(fit.levels) - 1, X.shape[1] - 1
    if len(slopes) < thresholds:
        return None
    covariance = np.empty((thresholds * p, thresholds * p))
    for j in range(thresholds):
        for later in range(j, thresholds):
            shared = weights * probabilities[later] * (1 - probabilities[j])
            block = (breads[j] @ (X.T @ (X * shared[:, None])) @ breads[later])[1:, 1:]
            covariance[j * p : (j + 1) * p, later * p : (later + 1) * p] = block
            covariance[later * p : (later + 1) * p, j * p : (j + 1) * p] = block.T
    return _BinaryFits(np.array(slopes), covariance)


def _binary_fits(fit: OrdinalFit, X: Floats, weights: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Coefficients (the intercept first) and inverse information of each binary model that has a finite fit."""
    for threshold in range(len(fit.levels) - 1):
        likelihood = BinomialLikelihood(X, np.where(fit.level_codes > threshold, 1.0, -1.0), weights)
        maximum = maximize(likelihood, likelihood.null_start())
        if maximum.converged:
            yield maximum.at, inverse_symmetric(maximum.information)


def _wald(found: _BinaryFits | None, name: str, members: list[int], p: int) -> OddsTest:
    """Test that the slopes of some columns do not differ between thresholds."""
    if found is None:
        return OddsTest(name, nan, nan, nan)
    others = len(found.slopes) - 1
    at = np.array([j * p + member for j in range(others + 1) for member in members])
    contrast = np.kron(np.hstack((-np.ones((others, 1)), np.eye(others))), np.eye(len(members)))
    difference = contrast @ found.slopes.ravel()[at]
    try:
        spread = contrast @ found.covariance[np.ix_(at, at)] @ contrast.T
        chi_squared = float(difference @ solve_symmetric(spread, difference))
    except np.linalg.LinAlgError:
        return OddsTest(name, nan, nan, nan)
    df = float(others * len(members))
    return OddsTest(name, chi_squared, df, chi_squared_tail(chi_squared, df))


def _likelihood_ratio(fit: OrdinalFit, weights: Floats) -> OddsTest:
    count, p = len(fit.levels), fit.X.shape[1]
    assert fit.scaled is not None
    at = fit.scaled.coefficients
    start = np.append(at[: count - 1], np.tile(at[count - 1 :], count - 1))
    free = maximize(nonproportional_odds(fit.level_codes, count, fit.X, weights), start, limit=100)
    if not free.converged:
        return OddsTest(OVERALL, nan, nan, nan)
    chi_squared, df = max(0.0, 2 * (free.value - fit.log_likelihood)), float((count - 2) * p)
    return OddsTest(OVERALL, chi_squared, df, chi_squared_tail(chi_squared, df))
