"""One proportion with its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan, sqrt

from scipy import special

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value
from counterpulse.numerics.proportion import wilson_limits
from counterpulse.results import Choice, Estimate, Interval, Provenance, Status
from counterpulse.two_groups.arrays import check_level
from counterpulse.two_groups.two_by_two import check_events


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A proportion with its interval, on the natural scale."""

    events: int
    n: int
    estimate: Estimate
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The proportion as the one estimate."""
        return (self.estimate,)


def clopper_pearson_limits(events: int, n: int, level: float) -> tuple[float, float]:
    """Exact limits of Clopper and Pearson, doi:10.1093/biomet/26.4.404."""
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(special.betaincinv(events, n - events + 1, tail))
    high = 1.0 if events == n else float(special.betainccinv(events + 1, n - events, tail))
    return low, high


def wald_limits(events: int, n: int, level: float) -> tuple[float, float]:
    """Estimate plus and minus standard errors; may leave [0, 1]."""
    risk = events / n
    half = critical_value(level) * sqrt(risk * (1 - risk) / n)
    return risk - half, risk + half


INTERVALS: dict[str, tuple[Callable[[int, int, float], tuple[float, float]], tuple[str, ...]]] = {
    "wilson": (wilson_limits, ("wilson-1927",)),
    "clopper-pearson": (clopper_pearson_limits, ("clopper-pearson-1934",)),
    "wald": (wald_limits, ()),
}


def single_proportion(events: int, n: int, *, interval: str = "wilson", level: float = 0.95) -> Proportion:
    """The proportion of patients with an event.

    Parameters
    ----------
    events, n : patients with the event, patients in all
    interval : "wilson" (score), "clopper-pearson" (exact) or "wald"
    level : confidence level

    Raises
    ------
    InputError
        Counts that no group can have, an unknown interval, or a level outside (0, 1).

    Notes
    -----
    The Wald interval is undefined with 0 or `n` events (status ZERO_VARIANCE); no patients give status NO_ROWS.
    """
    check_events(events, n, "the group")
    check_level(level)
    if interval not in INTERVALS:
        raise InputError(f"interval {interval!r} is unknown for a proportion; give one of {', '.join(INTERVALS)}")
    limits, citations = INTERVALS[interval]
    if n == 0:
        estimate = Estimate(term="proportion", measure="proportion", value=nan, status=Status.NO_ROWS)
    elif interval == "wald" and events in (0, n):
        estimate = Estimate(term="proportion", measure="proportion", value=events / n, status=Status.ZERO_VARIANCE)
    else:
        low, high = limits(events, n, level)
        risk = events / n
        estimate = Estimate(
            term="proportion",
            measure="proportion",
            value=risk,
            std_error=sqrt(risk * (1 - risk) / n) if interval == "wald" else None,
            interval=Interval(low, high, level, interval),
        )
    provenance = Provenance("single proportion", (Choice("interval", interval, "given"),), citations)
    return Proportion(events=events, n=n, estimate=estimate, provenance=provenance)
