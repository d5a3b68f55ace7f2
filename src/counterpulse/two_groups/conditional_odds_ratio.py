"""The odds ratio given both margins: conditional maximum likelihood, exact limits and Fisher's P value.

Fisher RA. The logic of inductive inference. J R Stat Soc 1935;98:39-82, doi:10.2307/2342435; Cornfield 1956.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, nan

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from counterpulse.two_groups.crossing import crossing
from counterpulse.two_groups.two_by_two import TwoByTwo

SAME_PROBABILITY = 1e-7
"""Tables whose probabilities differ by less than this part are equally likely; rounding must not part them."""

TINY = 1e-300
"""Stands for a tail probability that has no double."""


@dataclass(frozen=True, slots=True)
class ConditionalTable:
    """All counts of events among the treated that the margins allow, and the log of their weights at odds ratio 1."""

    support: NDArray[np.int64]
    log_weight: NDArray[np.float64]
    observed: int

    @classmethod
    def of(cls, counts: TwoByTwo) -> ConditionalTable:
        """The tables with the margins of `counts`."""
        low = max(0, counts.events - counts.n_reference)
        high = min(counts.n_treated, counts.events)
        support = np.arange(low, high + 1)
        log_weight = -(
            gammaln(support + 1)
            + gammaln(counts.n_treated - support + 1)
            + gammaln(counts.events - support + 1)
            + gammaln(counts.n_reference - counts.events + support + 1)
        )
        return cls(support, log_weight - log_weight.max(), counts.events_treated)

    def probabilities(self, log_odds_ratio: float) -> NDArray[np.float64]:
        """Probability of each table under an odds ratio."""
        log_weight = self.log_weight + log_odds_ratio * self.support
        return np.exp(log_weight - logsumexp(log_weight))  # type: ignore[no-any-return]

    def mean(self, log_odds_ratio: float) -> float:
        """Expected events among the treated."""
        return float(self.probabilities(log_odds_ratio) @ self.support)

    def at_least(self, log_odds_ratio: float) -> float:
        """Probability of as many events among the treated as observed, or more."""
        return float(self.probabilities(log_odds_ratio)[self.support >= self.observed].sum())

    def at_most(self, log_odds_ratio: float) -> float:
        """Probability of as many events among the treated as observed, or fewer."""
        return float(self.probabilities(log_odds_ratio)[self.support <= self.observed].sum())


def fisher_p_value(counts: TwoByTwo) -> float:
    """Two-sided: the probability of all tables that are no likelier than the observed one."""
    table = ConditionalTable.of(counts)
    probability = table.probabilities(0.0)
    observed = probability[table.observed - table.support[0]]
    return min(1.0, float(probability[probability <= observed * (1 + SAME_PROBABILITY)].sum()))


def conditional_log_odds_ratio(counts: TwoByTwo) -> float:
    """Conditional maximum-likelihood estimate; infinite at the end of the support, nan where there is one table."""
    table = ConditionalTable.of(counts)
    low, high = int(table.support[0]), int(table.support[-1])
    if low == high:
        return nan
    if table.observed in (low, high):
        return -inf if table.observed == low else inf
    return crossing(lambda value: -table.mean(value), -table.observed)


def exact_log_odds_ratio_limits(counts: TwoByTwo, level: float) -> tuple[float, float]:
    """Limits at which one tail has probability (1 - level) / 2; infinite at the ends of the support."""
    table = ConditionalTable.of(counts)
    tail = (1 - level) / 2
    low, high = -inf, inf
    if table.observed > table.support[0]:
        low = crossing(lambda value: -log(max(table.at_least(value), TINY)), -log(tail))
    if table.observed < table.support[-1]:
        high = crossing(lambda value: log(max(table.at_most(value), TINY)), log(tail))
    return low, high
