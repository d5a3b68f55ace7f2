"""Estimate and standard error of two proportions: difference, log risk ratio (Katz), log odds ratio (Woolf)."""

from __future__ import annotations

from math import inf, log, nan, sqrt

from counterpulse.two_groups.two_by_two import TwoByTwo


def risk_difference(counts: TwoByTwo) -> float:
    """Risk of the treated minus risk of the reference group."""
    return counts.risk_treated - counts.risk_reference


def risk_difference_error(counts: TwoByTwo) -> float:
    """Standard error of the risk difference, unpooled."""
    treated, reference = counts.risk_treated, counts.risk_reference
    return sqrt(treated * (1 - treated) / counts.n_treated + reference * (1 - reference) / counts.n_reference)


def log_risk_ratio(counts: TwoByTwo) -> float:
    """Log of the ratio of the risks; infinite where one group has no events, nan where both have none."""
    return _log_quotient(counts.events_treated * counts.n_reference, counts.events_reference * counts.n_treated)


def log_risk_ratio_error(counts: TwoByTwo) -> float:
    """Standard error of the log risk ratio (Katz 1978, doi:10.2307/2530610); nan where a group has no events."""
    if 0 in (counts.events_treated, counts.events_reference):
        return nan
    variance = 1 / counts.events_treated - 1 / counts.n_treated + 1 / counts.events_reference - 1 / counts.n_reference
    return sqrt(max(variance, 0.0))


def log_odds_ratio(counts: TwoByTwo) -> float:
    """Log of the cross-product ratio; infinite with an empty cell, nan with an empty row or column."""
    return _log_quotient(
        counts.events_treated * counts.non_events_reference, counts.events_reference * counts.non_events_treated
    )


def log_odds_ratio_error(counts: TwoByTwo) -> float:
    """Standard error of the log odds ratio (Woolf 1955, doi:10.1111/j.1469-1809.1955.tb01348.x); nan with an empty cell."""
    cells = (
        counts.events_treated, counts.non_events_treated, counts.events_reference, counts.non_events_reference,
    )  # fmt: skip
    return nan if 0 in cells else sqrt(sum(1 / cell for cell in cells))


def _log_quotient(numerator: int, denominator: int) -> float:
    if numerator == 0:
        return nan if denominator == 0 else -inf
    return inf if denominator == 0 else log(numerator / denominator)
