"""Exact unconditional limits of the risk difference: two one-sided tests of the score statistic.

A limit is the difference at which the probability of tables at least as extreme as the observed one, at the worst value
of the unknown reference risk, is (1 - level) / 2. Chan and Zhang 1999, doi:10.1111/j.0006-341X.1999.01202.x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from counterpulse.two_groups.score_limits import scores_of_difference
from counterpulse.two_groups.two_by_two import TwoByTwo

Floats = NDArray[np.float64]

MOST_TABLES = 40_000
"""(n_treated + 1) (n_reference + 1) above this (about 200 patients a group) is not attempted."""

GRID = 512
"""Reference risks at which the tail is looked at before its largest values are refined."""

REFINEMENTS = 6
"""Each refinement narrows the reference risk by a factor of about 16 around the largest tail."""

SCAN = 48
"""Differences looked at from the outside inward; the limit is in the first step at which the tail is large enough."""

SAME_STATISTIC = 1e-9
"""Statistics closer than this are ties, so rounding cannot part tables that are equally extreme."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """A set of tables, row by row of treated events, as the columns where it begins (sign -1) and ends (+1).

    Its probability is then a sum over few edges of cumulative probabilities, not over all tables.
    """

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    sign: Floats

    @classmethod
    def of(cls, region: NDArray[np.bool_]) -> Edges:
        """The edges of a set given as a mask of shape (n_treated + 1, n_reference + 1)."""
        steps = np.diff(region.astype(np.int8), axis=1, prepend=0, append=0)
        row, column = np.nonzero(steps)
        return cls(row, column, -steps[row, column].astype(np.float64))


@dataclass(frozen=True, slots=True)
class ExactTail:
    """Tail probabilities of tables whose score statistic of a difference is at least the observed one."""

    counts: TwoByTwo

    def upper(self, difference: float) -> float:
        """The largest probability, over reference risks, of a table as extreme upward as the observed one."""
        counts = self.counts
        treated, reference = np.arange(counts.n_treated + 1)[:, None], np.arange(counts.n_reference + 1)[None, :]
        z = scores_of_difference(treated, counts.n_treated, reference, counts.n_reference, difference)
        region = z >= z[counts.events_treated, counts.events_reference] - SAME_STATISTIC
        return self._largest(Edges.of(region), difference)

    def _largest(self, region: Edges, difference: float) -> float:
        low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
        best, points = 0.0, GRID
        for _ in range(1 + REFINEMENTS):
            risks = np.linspace(low, high, points + 1)
            tail = self._probability(region, risks, difference)
            best = max(best, float(tail.max()))
            width = (high - low) / points
            peak = float(risks[int(tail.argmax())])
            low, high = max(low, peak - width), min(high, peak + width)
            points = 32
        return best

    def _probability(self, region: Edges, risks: Floats, difference: float) -> Floats:
        treated = binomial(self.counts.n_treated, np.clip(risks + difference, 0.0, 1.0))
        reference = binomial(self.counts.n_reference, risks)
        below = np.cumsum(np.pad(reference, ((0, 0), (1, 0))), axis=1)
        return np.asarray((treated[:, region.row] * below[:, region.column]) @ region.sign)


def exact_difference_limits(counts: TwoByTwo, level: float) -> tuple[float, float]:
    """Exact limits of the risk difference; `too_large` says where they are not attempted."""
    low = _lower_limit(counts, (1 - level) / 2)
    high = -_lower_limit(counts.swapped(), (1 - level) / 2)
    return low, high


def exact_difference_p_value(counts: TwoByTwo) -> float:
    """Twice the smaller one-sided exact P value of no difference; agrees with the interval."""
    return min(1.0, 2 * min(ExactTail(counts).upper(0.0), ExactTail(counts.swapped()).upper(0.0)))


def too_large(counts: TwoByTwo) -> bool:
    """Whether there are more tables than are enumerated."""
    return (counts.n_treated + 1) * (counts.n_reference + 1) > MOST_TABLES


def _lower_limit(counts: TwoByTwo, tail: float) -> float:
    observed = counts.risk_treated - counts.risk_reference
    if observed == -1:
        return -1.0
    exact = ExactTail(counts)
    low = -1.0
    for high in np.linspace(-1.0, observed, SCAN + 1)[1:]:
        if exact.upper(float(high)) > tail:
            return _bisect(exact, tail, low, float(high))
        low = float(high)
    return observed


def _bisect(exact: ExactTail, tail: float, low: float, high: float) -> float:
    while high - low > 1e-9:
        middle = (low + high) / 2
        if exact.upper(middle) > tail:
            high = middle
        else:
            low = middle
    return low


def binomial(n: int, risks: Floats) -> Floats:
    """Probabilities of 0..n events at each risk, shape (risks, n + 1)."""
    events = np.arange(n + 1)
    coefficient = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    p = risks[:, None]
    return np.exp(coefficient + xlogy(events, p) + xlog1py(n - events, -p))  # type: ignore[no-any-return]
