"""Kendall's rank correlation of effects and precisions, exact or normal."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, nan, sqrt
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.distributions import normal_two_sided
from counterpulse.results import Estimate, Provenance, Status
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.pooling.asked import choice
from counterpulse.synthesis.small_study.reading import FEWEST, power_notes

Floats = NDArray[np.float64]
Distribution = Literal["exact", "normal"]

MANY = 50
"""From this number of studies on the normal approximation serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTest:
    """Kendall's rank correlation as a test for funnel asymmetry.

    Attributes
    ----------
    name : of the test
    k : studies used
    tau : Kendall's tau-b
    score, score_std_error : concordant less discordant pairs, and its standard error (ties counted)
    statistic : score over its standard error
    p_value : exact, or of the normal statistic without a continuity correction
    exact : whether the P value is exact
    notes : few studies, ties, studies left out
    """

    name: str
    k: int
    tau: float = nan
    score: float = nan
    score_std_error: float = nan
    statistic: float = nan
    p_value: float = nan
    exact: bool = False
    status: Status = Status.OK
    notes: tuple[str, ...] = ()
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Kendall's tau with its test."""
        return (
            Estimate(
                term="effect and precision", measure="Kendall's tau", value=self.tau, statistic=self.statistic,
                statistic_name="z", p_value=self.p_value, status=self.status, notes=self.notes,
            ),
        )  # fmt: skip

    def tidy(self) -> pl.DataFrame:
        """The estimate in one row."""
        return tidy(self.estimates())


def rank_test(
    x: Floats,
    y: Floats,
    *,
    name: str,
    distribution: Distribution,
    usual: Distribution,
    citations: tuple[str, ...],
    notes: tuple[str, ...] = (),
) -> RankTest:
    """Test the rank correlation of `x` and `y`, shape (k,); exact only without ties and with fewer than 50 studies."""
    k = len(x)
    provenance = Provenance(
        f"{name} rank correlation test", (choice("distribution", distribution, usual),), (*citations, "sterne-2011")
    )
    notes = (*notes, *power_notes(k))
    ties_x, ties_y = _ties(x), _ties(y)
    pairs = k * (k - 1) / 2
    if k < FEWEST or _tied_pairs(ties_x) == pairs or _tied_pairs(ties_y) == pairs:
        notes = notes if k < FEWEST else (*notes, "all studies are tied")
        return RankTest(name=name, k=k, status=Status.UNDEFINED, notes=notes, provenance=provenance)
    score = _score(x, y)
    error = sqrt(_score_variance(k, ties_x, ties_y))
    tied = len(ties_x) < k or len(ties_y) < k
    exact = distribution == "exact" and not tied and k < MANY
    if distribution == "exact" and not exact:
        notes = (*notes, "normal approximation: " + ("studies are tied" if tied else "50 studies or more"))
    tau = score / sqrt((pairs - _tied_pairs(ties_x)) * (pairs - _tied_pairs(ties_y)))
    p_value = exact_p_value(round((score + pairs) / 2), k) if exact else normal_two_sided(score / error)
    return RankTest(
        name=name, k=k, tau=tau, score=score, score_std_error=error, statistic=score / error, p_value=p_value,
        exact=exact, notes=notes, provenance=provenance,
    )  # fmt: skip


def exact_p_value(concordant: int, k: int) -> float:
    """Twice the smaller tail of the number of concordant pairs in a random permutation of `k`, at most 1."""
    probability = np.ones(1)
    for size in range(2, k + 1):
        probability = np.convolve(probability, np.full(size, 1 / size))
    low = float(probability[: concordant + 1].sum())
    high = float(probability[concordant:].sum())
    return min(1.0, 2 * min(low, high))


def _score(x: Floats, y: Floats) -> float:
    upper = np.triu_indices(len(x), 1)
    return float((np.sign(x[upper[0]] - x[upper[1]]) * np.sign(y[upper[0]] - y[upper[1]])).sum())


def _score_variance(k: int, ties_x: NDArray[np.int64], ties_y: NDArray[np.int64]) -> float:
    """Variance of the score with ties (Kendall 1970)."""

    def spread(sizes: NDArray[np.int64]) -> float:
        return float((sizes * (sizes - 1) * (2 * sizes + 5)).sum())

    def triples(sizes: NDArray[np.int64]) -> float:
        return float((sizes * (sizes - 1) * (sizes - 2)).sum())

    both = 4 * _tied_pairs(ties_x) * _tied_pairs(ties_y) / (2 * k * (k - 1))
    first = (k * (k - 1) * (2 * k + 5) - spread(ties_x) - spread(ties_y)) / 18
    return first + triples(ties_x) * triples(ties_y) / (9 * k * (k - 1) * (k - 2)) + both


def _ties(values: Floats) -> NDArray[np.int64]:
    return np.unique(values, return_counts=True)[1].astype(np.int64)


def _tied_pairs(sizes: NDArray[np.int64]) -> float:
    return float(sum(comb(int(size), 2) for size in sizes))
