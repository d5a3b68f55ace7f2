"""The tipping point: how far an assumption must be wrong before the conclusion changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, nan

import polars as pl

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

ABOVE, BELOW, ACROSS = "above no effect", "below no effect", "across no effect"


@dataclass(frozen=True, slots=True)
class TriedDelta:
    """A delta with the estimate under it, and what its interval says."""

    delta: float
    estimate: Estimate
    conclusion: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoint:
    """Where, going up and going down from the main analysis, the interval begins to say something else.

    Attributes
    ----------
    conclusion : of the main analysis: its interval is above, below or across no effect
    up, down : the first delta tried above and below the main one with another conclusion; None where there is none
    up_crossing, down_crossing : where the straight line between the limits of the deltas around the change meets no effect
    tried : all deltas, ascending
    delta : of the main analysis
    """

    conclusion: str | None
    up: float | None
    down: float | None
    up_crossing: float | None
    down_crossing: float | None
    tried: tuple[TriedDelta, ...]
    delta: float
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The first deltas with another conclusion, upward and downward; a status where there is none."""
        return tuple(
            Estimate(term=term, measure="tipping point", value=nan if delta is None else delta,
                     status=self.status if self.status is Status.UNDEFINED
                     else Status.NO_TIPPING_POINT if delta is None else Status.OK)
            for term, delta in (("up", self.up), ("down", self.down))
        )  # fmt: skip

    def tidy(self) -> pl.DataFrame:
        """One row a direction."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row a delta tried: the estimate under it, and what its interval says."""
        return tidy(one.estimate for one in self.tried).select(
            pl.Series("delta", [one.delta for one in self.tried], dtype=pl.Float64), "estimate", "conf_low", "conf_high",
            pl.Series("conclusion", [one.conclusion for one in self.tried], dtype=pl.String), "status",
        )  # fmt: skip


def tipping_point(
    estimates_by_delta: Mapping[float, Estimate] | Iterable[tuple[float, Estimate]], *, main: float = 0.0
) -> TippingPoint:
    """Find where the interval of an effect begins or ceases to hold no effect as an assumption is moved.

    Parameters
    ----------
    estimates_by_delta : the estimate under each delta: how much an imputed value, or a limit, is moved. All on one scale;
        no effect is 0 on the scale of estimation, which is 1 for a ratio
    main : the delta of the main analysis, one of those

    Raises
    ------
    InputError : fewer than two deltas, one twice or not finite, none that is `main`, estimates on different scales

    Notes
    -----
    Two-way: from the main analysis up and down. An analysis without an interval has no conclusion and is passed over, which
    its own status says.

    References
    ----------
    Campbell, Pennello and Yue 2011 (doi:10.1080/10543406.2011.550094)
    """
    pairs = list(estimates_by_delta.items() if isinstance(estimates_by_delta, Mapping) else estimates_by_delta)
    _check(pairs, main)
    tried = tuple(TriedDelta(float(delta), one, _conclusion(one)) for delta, one in sorted(pairs, key=lambda p: p[0]))
    at = next(position for position, one in enumerate(tried) if one.delta == main)
    up, up_crossing = _change(tried[at:])
    down, down_crossing = _change(tried[at::-1])
    if tried[at].conclusion is None:
        status = Status.UNDEFINED
    else:
        status = Status.NO_TIPPING_POINT if up is None and down is None else Status.OK
    return TippingPoint(
        conclusion=tried[at].conclusion, up=up, down=down, up_crossing=up_crossing, down_crossing=down_crossing,
        tried=tried, delta=float(main), status=status,
        provenance=Provenance(
            method="tipping point", choices=(Choice("delta of the main analysis", float(main), "default" if main == 0 else "given"),),
            citations=("campbell-2011",),
        ),
    )  # fmt: skip


def _check(pairs: list[tuple[float, Estimate]], main: float) -> None:
    deltas = [delta for delta, _ in pairs]
    if len(deltas) < 2 or len(set(deltas)) < len(deltas) or not all(map(isfinite, deltas)):
        raise InputError("a tipping point needs at least two different, finite deltas, each once")
    if main not in deltas:
        raise InputError(f"main={main:g} is none of the deltas; add the estimate of the main analysis")
    if len({(one.scale, one.measure) for _, one in pairs}) > 1:
        raise InputError("the estimates are of different measures or scales; give one effect under every delta")


def _conclusion(estimate: Estimate) -> str | None:
    """What the interval says on the scale of estimation, where no effect is 0; None without an interval."""
    interval = estimate.interval
    if interval is None or not (isfinite(interval.low) and isfinite(interval.high)):
        return None
    return ABOVE if interval.low > 0 else BELOW if interval.high < 0 else ACROSS


def _change(tried: tuple[TriedDelta, ...]) -> tuple[float | None, float | None]:
    """The first delta with another conclusion than the first one's, and where the limit meets no effect before it."""
    known = [one for one in tried if one.conclusion is not None]
    if not known or known[0] is not tried[0]:
        return None, None
    for before, after in pairwise(known):
        if after.conclusion != before.conclusion:
            return after.delta, _crossing(before, after)
    return None, None


def _crossing(before: TriedDelta, after: TriedDelta) -> float:
    """Where the straight line of the limit that passes no effect first, between two deltas, does."""
    fractions = []
    for one, other in zip(_limits(before), _limits(after), strict=True):
        if (one > 0) != (other > 0) or (one < 0) != (other < 0):
            fractions.append(one / (one - other))
    return before.delta + min(fractions) * (after.delta - before.delta)


def _limits(tried: TriedDelta) -> tuple[float, float]:
    interval = tried.estimate.interval
    return (nan, nan) if interval is None else (interval.low, interval.high)
