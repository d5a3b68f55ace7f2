"""The exact conditional distribution of a sufficient statistic of a logistic model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb, inf

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_STEPS = 20_000_000
"""Steps from one sum to another beyond which an enumeration is given up: some seconds."""

LARGEST_KEY = 2.0**62

FARTHEST = 1e4
"""Roots are looked for within this distance of zero, divided by the spacing of the statistic."""


@dataclass(frozen=True, slots=True)
class ConditionalDistribution:
    """A statistic given the sufficient statistics of every other parameter.

    Attributes
    ----------
    support : its possible values, ascending; shape (m,)
    log_counts : logarithm of the number of outcomes that give each, but for a constant; shape (m,)
    observed : position of the observed value
    """

    support: Floats
    log_counts: Floats
    observed: int

    def tails(self, coefficient: float) -> tuple[float, float]:
        """P(T <= t) and P(T >= t) of the observed t under a coefficient."""
        weights = self.log_counts + coefficient * (self.support - self.support[self.observed])
        total = special.logsumexp(weights)
        at_most = special.logsumexp(weights[: self.observed + 1]) - total
        at_least = special.logsumexp(weights[self.observed :]) - total
        return float(np.exp(min(at_most, 0.0))), float(np.exp(min(at_least, 0.0)))

    def mean_excess(self, coefficient: float) -> float:
        """The mean of T less the observed t under a coefficient."""
        weights = self.log_counts + coefficient * (self.support - self.support[self.observed])
        probabilities = special.softmax(weights)
        return float(probabilities @ (self.support - self.support[self.observed]))

    def std_error(self, coefficient: float) -> float:
        """One over the standard deviation of T under a coefficient."""
        weights = self.log_counts + coefficient * (self.support - self.support[self.observed])
        probabilities, distance = special.softmax(weights), self.support - self.support[self.observed]
        variance = float(probabilities @ distance**2) - float(probabilities @ distance) ** 2
        return float(1 / np.sqrt(variance))

    @property
    def at_end(self) -> bool:
        """Whether the observed value is the smallest or the largest, so that the conditional estimate is infinite."""
        return self.observed in (0, len(self.support) - 1)

    def solve(self, increasing: Callable[[float], float]) -> float:
        """Find the coefficient where an increasing function is zero."""
        reach = 1 / float(np.diff(self.support).min())
        low, high = -reach, reach
        while increasing(low) > 0 and low > -FARTHEST * reach:
            low *= 2
        while increasing(high) < 0 and high < FARTHEST * reach:
            high *= 2
        if increasing(low) > 0 or increasing(high) < 0:
            return inf if increasing(high) < 0 else -inf
        return float(optimize.brentq(increasing, low, high, xtol=1e-13 * reach, rtol=4 * np.finfo(float).eps))


def conditional_distribution(
    patterns: Whole, sizes: Whole, events: Whole, position: int, *, most_steps: int = MOST_STEPS
) -> ConditionalDistribution | Status:
    """Count the outcomes with the observed sufficient statistics, by the value of one of them.

    Patients of one covariate pattern are interchangeable: of m of them k have the event in ``comb(m, k)`` ways. The
    patterns are added one by one; sums from which the observed statistics of the other parameters cannot be reached are
    dropped at once, as in the network algorithm.

    Parameters
    ----------
    patterns : one row a pattern, whole numbers from zero on; a column a parameter, the intercept (of ones) first; shape (g, k)
    sizes, events : patients and events of each pattern, shape (g,)
    position : the column whose statistic varies; every other is held at its observed sum
    most_steps : steps from one sum to another

    Returns
    -------
    ConditionalDistribution, or ``Status.TOO_LARGE`` where that takes too many steps

    References
    ----------
    Hirji, Mehta and Patel 1987, doi:10.1080/01621459.1987.10478547.
    """
    order = np.lexsort(np.delete(patterns, position, axis=1).T)
    patterns, sizes, events = patterns[order], sizes[order], events[order]
    columns = np.append(np.delete(np.arange(patterns.shape[1]), position), position)
    widths = patterns[:, columns]
    target = widths.T @ events
    most = np.vstack((np.cumsum((widths * sizes[:, None])[::-1], axis=0)[::-1], np.zeros_like(target)[None, :]))
    if float(np.prod(most[0] + 1.0)) > LARGEST_KEY:
        return Status.TOO_LARGE
    radix = np.append(np.cumprod((most[0] + 1)[::-1])[::-1][1:], 1)
    shares: Floats = np.ones(1)
    sums, steps = np.zeros((1, len(columns)), dtype=np.int64), 0
    for width, size, left in zip(widths, sizes.tolist(), most[1:], strict=True):
        steps += len(sums) * (size + 1)
        if steps > most_steps:
            return Status.TOO_LARGE
        ways = np.array([comb(size, k) / (1 << size) for k in range(size + 1)])
        reached = (sums[:, None, :] + np.arange(size + 1)[None, :, None] * width).reshape(-1, len(columns))
        within = (reached[:, :-1] <= target[:-1]) & (reached[:, :-1] >= (target - left)[:-1])
        keep = within.all(axis=1)
        _, first, same = np.unique(reached[keep] @ radix, return_index=True, return_inverse=True)
        weights = np.outer(shares, ways).ravel()[keep]
        sums, shares = reached[keep][first], np.bincount(same.ravel(), weights=weights).astype(np.float64)
    support = sums[:, -1]
    if (shares == 0).any():
        return Status.TOO_LARGE
    return ConditionalDistribution(
        support.astype(np.float64), np.log(shares), int(np.searchsorted(support, target[-1]))
    )
