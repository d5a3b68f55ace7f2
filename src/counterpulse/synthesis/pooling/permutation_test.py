"""Tests of a pooled effect and of moderators against every rearrangement of the data that the null hypothesis allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import factorial, nan
from numbers import Integral

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.engine.between_variance import estimator_named, variance_of
from counterpulse.synthesis.engine.projection import inverse
from counterpulse.synthesis.engine.studies import studies_of
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.design import INTERCEPT, check_independent, read_moderators, with_intercept
from counterpulse.synthesis.pooling.intervals import KENWARD_ROGER, WALD, check_interval, inference
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]

EXACT_UP_TO = 65_536
"""The most rearrangements that are all tried unless `exact` says otherwise: sixteen studies' signs, eight studies' orders."""

EXACT_LIMIT = 1 << 22
"""The most that are all tried at all."""

BLOCK = 8_192
"""Rearrangements fitted at a time."""

TIE = 1e-8
"""Statistics closer than this, relatively, are the same: equal sums add up in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest:
    """Permutation P values.

    Attributes
    ----------
    p_value : of the pooled effect; with moderators, of all of them together
    p_values : of every coefficient, shape (p,); without moderators the one of the effect
    names : of the coefficients; "effect" without moderators
    coefficients, statistics : what was observed, shape (p,)
    permutations : rearrangements that count, the observed one among them
    exact : all of them were tried
    seed : of the random rearrangements; None where all were tried
    k : studies
    """

    p_value: float
    p_values: Floats
    names: tuple[str, ...]
    coefficients: Floats
    statistics: Floats
    permutations: int
    exact: bool
    seed: int | None
    k: int
    estimator: str
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The observed coefficients with their permutation P values."""
        rows = zip(self.names, self.coefficients, self.statistics, self.p_values, strict=True)
        return tuple(
            Estimate(
                term=name, measure="effect" if name == "effect" else "coefficient", value=float(value),
                statistic=float(statistic), statistic_name="permutation", p_value=float(p_value), status=self.status,
            )
            for name, value, statistic, p_value in rows
        )  # fmt: skip

    def tidy(self) -> pl.DataFrame:
        """The estimates as a table."""
        return tidy(self.estimates())


def permutation_test(
    yi: ArrayLike,
    vi: ArrayLike,
    X: ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    tau2: str = "REML",
    interval: str = WALD,
    exact: bool | None = None,
    iterations: int = 10_000,
    seed: int = 1,
) -> PermutationTest:
    """Test the pooled effect by the signs of the effects, or moderators by the order of the studies.

    Without X, under the null hypothesis every effect could as well have the other sign; with X, every study could have
    any study's moderators. The model is fitted anew, tau2 included, to each rearrangement. The P value is the part of
    the rearrangements whose statistic is at least as far from 0 as the observed one.

    Parameters
    ----------
    yi, vi, X, names, intercept : as in `meta_regression`
    tau2 : estimator of the variance between studies
    interval : whose statistic is compared: "wald" (default), "t", "hartung-knapp", "hartung-knapp-truncated"
    exact : try all 2^k signs or all k! orders; by default where they are at most 65,536
    iterations : random rearrangements otherwise; P is then ``(1 + as far) / (1 + iterations)``
    seed : of the random rearrangements

    Raises
    ------
    InputError : as `meta_regression`, or too many rearrangements for `exact`

    References
    ----------
    Follmann and Proschan 1999, doi:10.1111/j.0006-341X.1999.00732.x; Higgins and Thompson 2004, doi:10.1002/sim.1752;
    Phipson and Smyth 2010, doi:10.2202/1544-6115.1585.
    """
    y, v = read_studies(yi, vi)
    estimator = estimator_named(tau2)
    interval = check_interval(interval)
    if interval == KENWARD_ROGER:
        raise InputError(
            "the statistic of kenward-roger has other degrees of freedom each time; use wald or hartung-knapp"
        )
    if not (isinstance(iterations, Integral) and iterations > 0):
        raise InputError(f"iterations is {iterations}; give a positive number, 10000 is usual")
    columns, labels = _columns(X, names, intercept, len(y))
    number = 2 ** len(y) if columns is None else factorial(len(y))
    every = number <= EXACT_UP_TO if exact is None else exact
    if every and number > EXACT_LIMIT:
        raise InputError(
            f"{len(y)} studies have {number} rearrangements, too many to try all; leave out exact, or set it False"
        )
    status = Status.OK if len(y) > 1 else Status.ONE_STUDY
    observed = _statistics(y[None], v[None], columns, estimator, interval) if len(y) > 1 else _nothing()
    if len(y) == 1:
        far, count = np.full(2, nan), 1
    elif every:
        far, count = _as_far(_all(y, v, columns), observed, columns, estimator, interval)
    else:
        far, count = _as_far(_random(y, v, columns, iterations, seed), observed, columns, estimator, interval)
        far, count = far + 1, count + 1
    fit = weighted_fit(y, v, columns, tau2=np.nan_to_num(variance_of(studies_of(y, v, columns), estimator).tau2))
    return PermutationTest(
        p_value=float(far[-1] / count), p_values=far[:-1] / count, names=labels, coefficients=fit.coefficients[0],
        statistics=observed[0, :-1], permutations=2 * count if columns is None and every and len(y) > 1 else count,
        exact=every, seed=None if every else seed, k=len(y), estimator=estimator, status=status,
        provenance=_provenance(estimator, interval, every, iterations, seed, columns is None),
    )  # fmt: skip


def _columns(
    X: ArrayLike | None, names: Sequence[str] | None, intercept: bool, k: int
) -> tuple[Floats | None, tuple[str, ...]]:
    if X is None:
        return None, ("effect",)
    x, labels = read_moderators(X, names, k)
    columns, labels = (with_intercept(x), (INTERCEPT, *labels)) if intercept else (x, labels)
    check_independent(columns, labels)
    return columns, labels


def _nothing() -> Floats:
    return np.full((1, 2), nan)


def _as_far(
    blocks: Iterator[tuple[Floats, Floats]], observed: Floats, columns: Floats | None, estimator: str, interval: str
) -> tuple[Floats, int]:
    """How many rearrangements are at least as far from the null as what was observed, and how many there are."""
    far, count = np.zeros(observed.shape[1]), 0
    threshold = np.abs(observed) * (1 - TIE)
    for y, v in blocks:
        far += (np.abs(_statistics(y, v, columns, estimator, interval)) >= threshold).sum(axis=0)
        count += len(y)
    return far, count


def _statistics(y: Floats, v: Floats, columns: Floats | None, estimator: str, interval: str) -> Floats:
    """Statistics of the coefficients and, last, of all moderators together (of the effect without any), shape (B, p + 1)."""
    tau2 = variance_of(studies_of(y, v, columns), estimator).tau2
    fit = weighted_fit(y, v, columns, tau2=tau2)
    found = inference(fit, interval, 0.95)
    if columns is None:
        return np.column_stack((found.statistic, found.statistic))
    first = int((columns[:, 0] == 1).all())
    slopes = fit.coefficients[:, first:]
    together = np.einsum("bp,bpq,bq->b", slopes, inverse(found.covariance[:, first:, first:]), slopes)
    return np.column_stack((found.statistic, together))


def _all(y: Floats, v: Floats, columns: Floats | None) -> Iterator[tuple[Floats, Floats]]:
    """All orders of the studies; of the signs the half with the first as it is, as the other half mirrors it."""
    if columns is None:
        bits = np.arange(2 ** (len(y) - 1))
        for start in range(0, len(bits), BLOCK):
            some = bits[start : start + BLOCK, None]
            signs = 1.0 - 2.0 * ((some >> np.arange(len(y) - 1)) & 1)
            yield y * np.column_stack((np.ones(len(some)), signs)), v[None]
        return
    orders = np.array(list(permutations(range(len(y)))))
    for start in range(0, len(orders), BLOCK):
        some = orders[start : start + BLOCK]
        yield y[some], v[some]


def _random(
    y: Floats, v: Floats, columns: Floats | None, iterations: int, seed: int
) -> Iterator[tuple[Floats, Floats]]:
    draws = stream(seed, "permutation test of a meta-analysis")
    for start in range(0, iterations, BLOCK):
        size = min(BLOCK, iterations - start)
        if columns is None:
            yield y * (1.0 - 2.0 * draws.integers(0, 2, (size, len(y)))), v[None]
        else:
            order = np.argsort(draws.random((size, len(y))), axis=1)
            yield y[order], v[order]


def _provenance(estimator: str, interval: str, every: bool, iterations: int, seed: int, signs: bool) -> Provenance:
    sources = ("follmann-proschan-1999",) if signs else ("higgins-thompson-2004",)
    drawn = () if every else (Choice("iterations", iterations, "given"), Choice("seed", seed, "given"))
    return Provenance(
        "permutation of signs" if signs else "permutation of moderators",
        (
            Choice("tau2", estimator, "default" if estimator == "REML" else "given"),
            Choice("statistic", interval, "default" if interval == WALD else "given"),
            Choice("exact", every, "derived"),
            *drawn,
        ),
        sources if every else (*sources, "phipson-smyth-2010"),
    )
