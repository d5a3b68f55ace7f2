"""Two proportions compared: risk difference, risk ratio, odds ratio, each with a choice of intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite, isinf, isnan, nan

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value, normal_two_sided
from counterpulse.results import Choice, Estimate, GroupCount, Interval, Provenance, Scale, Status
from counterpulse.two_groups import wald_two_proportions as wald
from counterpulse.two_groups.arrays import check_level
from counterpulse.two_groups.conditional_odds_ratio import (
    conditional_log_odds_ratio,
    exact_log_odds_ratio_limits,
    fisher_p_value,
)
from counterpulse.two_groups.exact_difference import exact_difference_limits, exact_difference_p_value, too_large
from counterpulse.two_groups.newcombe import newcombe_limits
from counterpulse.two_groups.score_limits import (
    difference_limits,
    log_odds_ratio_limits,
    log_risk_ratio_limits,
    score_of_difference,
)
from counterpulse.two_groups.two_by_two import TwoByTwo

Limits = Callable[[TwoByTwo, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Measure:
    """What is estimated: its value, its Wald standard error and its scale."""

    value: Callable[[TwoByTwo], float]
    std_error: Callable[[TwoByTwo], float]
    scale: Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalMethod:
    """How an interval is made and the test that agrees with it.

    `limits` None is the Wald interval. `value` replaces the usual estimate (conditional maximum likelihood).
    """

    limits: Limits | None
    citations: tuple[str, ...]
    p_value: Callable[[TwoByTwo], float] | None = None
    score: bool = False
    value: Callable[[TwoByTwo], float] | None = None
    too_large: Callable[[TwoByTwo], bool] = lambda counts: False


MEASURES: Mapping[str, Measure] = {
    "risk difference": Measure(wald.risk_difference, wald.risk_difference_error, "identity"),
    "risk ratio": Measure(wald.log_risk_ratio, wald.log_risk_ratio_error, "log"),
    "odds ratio": Measure(wald.log_odds_ratio, wald.log_odds_ratio_error, "log"),
}

_SCORE = ("miettinen-nurminen-1985",)

INTERVALS: Mapping[str, Mapping[str, IntervalMethod]] = {
    "risk difference": {
        "miettinen-nurminen": IntervalMethod(limits=difference_limits, citations=_SCORE, score=True),
        "newcombe": IntervalMethod(limits=newcombe_limits, citations=("newcombe-1998", "wilson-1927")),
        "wald": IntervalMethod(limits=None, citations=()),
        "exact": IntervalMethod(
            limits=exact_difference_limits,
            citations=("chan-zhang-1999",),
            p_value=exact_difference_p_value,
            too_large=too_large,
        ),
    },
    "risk ratio": {
        "miettinen-nurminen": IntervalMethod(limits=log_risk_ratio_limits, citations=_SCORE, score=True),
        "wald": IntervalMethod(limits=None, citations=("katz-1978",)),
    },
    "odds ratio": {
        "miettinen-nurminen": IntervalMethod(limits=log_odds_ratio_limits, citations=_SCORE, score=True),
        "wald": IntervalMethod(limits=None, citations=("woolf-1955",)),
        "exact": IntervalMethod(
            limits=exact_log_odds_ratio_limits,
            citations=("fisher-1934", "cornfield-1956"),
            p_value=fisher_p_value,
            value=conditional_log_odds_ratio,
        ),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoProportions:
    """The comparison of two proportions, held on the scale it was estimated on."""

    counts: TwoByTwo
    groups: tuple[GroupCount, ...]
    estimate: Estimate
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The comparison as the one estimate."""
        return (self.estimate,)


def two_proportions(
    events_treated: int,
    n_treated: int,
    events_reference: int,
    n_reference: int,
    *,
    measure: str = "risk difference",
    interval: str = "miettinen-nurminen",
    level: float = 0.95,
    treated: str = "treated",
    reference: str = "reference",
) -> TwoProportions:
    """Compare the proportions with an event in two independent groups, treated against reference.

    Parameters
    ----------
    events_treated, n_treated, events_reference, n_reference : counts of patients
    measure : "risk difference", "risk ratio" or "odds ratio"
    interval : "miettinen-nurminen" (score, each measure), "wald" (each measure; Katz and Woolf for the ratios),
        "newcombe" (risk difference) or "exact" (risk difference: unconditional; odds ratio: conditional, as is its
        estimate)
    level : confidence level
    treated, reference : names of the groups in the result

    Returns
    -------
    TwoProportions
        Ratios are held on the log scale. The P value is that of the test which agrees with the interval; Newcombe's
        interval has none. Nothing is ever added to a cell: a ratio of 0 or infinity has status ZERO_CELL, keeps its
        score or exact limits, and has no Wald interval.

    Raises
    ------
    InputError
        Counts that no group can have, an unknown measure or interval, or a level outside (0, 1).

    References
    ----------
    Miettinen and Nurminen 1985, doi:10.1002/sim.4780040211; Newcombe 1998, Stat Med 17:873-90; Chan and Zhang 1999,
    doi:10.1111/j.0006-341X.1999.01202.x.
    """
    check_level(level)
    if measure not in MEASURES:
        raise InputError(f"measure {measure!r} is unknown; give one of {', '.join(MEASURES)}")
    if interval not in INTERVALS[measure]:
        allowed = ", ".join(INTERVALS[measure])
        raise InputError(f"interval {interval!r} is unknown for the {measure}; give one of {allowed}")
    counts = TwoByTwo(events_treated, n_treated, events_reference, n_reference)
    empty = Estimate(
        term=treated, measure=measure, value=nan, reference=reference, scale=MEASURES[measure].scale
    )  # fmt: skip
    method = INTERVALS[measure][interval]
    return TwoProportions(
        counts=counts,
        groups=(
            _group(treated, counts.events_treated, counts.n_treated),
            _group(reference, counts.events_reference, counts.n_reference),
        ),
        estimate=_estimate(counts, empty, MEASURES[measure], method, interval, level),
        provenance=Provenance("two proportions", (Choice("interval", interval, "given"),), method.citations),
    )


def _group(name: str, events: int, n: int) -> GroupCount:
    return GroupCount(name, n, events, None, events / n if n else None)


def _estimate(
    counts: TwoByTwo, empty: Estimate, measure: Measure, method: IntervalMethod, kind: str, level: float
) -> Estimate:
    """The estimate with its interval and test, or the status that says why there is none."""
    if 0 in (counts.n_treated, counts.n_reference):
        return replace(empty, status=Status.EMPTY_GROUP)
    value = (method.value or measure.value)(counts)
    if isnan(value):
        return replace(empty, status=Status.NO_EVENTS if counts.events == 0 else Status.ALL_EVENTS)
    estimate = replace(empty, value=value, status=Status.ZERO_CELL if isinf(value) else Status.OK)
    if method.limits is None:
        return _with_wald_interval(estimate, measure.std_error(counts), level)
    if method.too_large(counts):
        return replace(estimate, status=Status.TOO_LARGE)
    estimate = replace(estimate, interval=Interval(*method.limits(counts, level), level, kind))
    return _with_test(estimate, counts, method)


def _with_wald_interval(estimate: Estimate, std_error: float, level: float) -> Estimate:
    if not isfinite(std_error):
        return replace(estimate, status=Status.ZERO_CELL)
    if std_error == 0:
        return replace(estimate, std_error=0.0, status=Status.ZERO_VARIANCE)
    half = critical_value(level) * std_error
    z = estimate.value / std_error
    return replace(
        estimate,
        std_error=std_error,
        interval=Interval(estimate.value - half, estimate.value + half, level, "wald"),
        statistic=z,
        statistic_name="z",
        p_value=normal_two_sided(z),
    )


def _with_test(estimate: Estimate, counts: TwoByTwo, method: IntervalMethod) -> Estimate:
    """Every score test of equal risks is the same: Pearson's chi-squared times (N - 1) / N, as a signed z."""
    if method.p_value is not None:
        return replace(estimate, p_value=method.p_value(counts))
    if not method.score:
        return estimate
    z = score_of_difference(counts, 0.0)
    return replace(estimate, statistic=z, statistic_name="z", p_value=normal_two_sided(z))
