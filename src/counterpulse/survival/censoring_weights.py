"""The probability of being uncensored, for weights that put the censored back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterpulse.survival.follow_up import Bools, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class CensoringCurve:
    """Kaplan-Meier's curve of the censoring, where events at a time come before censorings at it.

    Attributes
    ----------
    time : distinct times, ascending, shape (k,)
    at_risk : those who could be censored at each, shape (k,)
    censored : those who were, shape (k,)
    survival : just after each time, shape (k,)
    """

    time: Floats
    at_risk: Floats
    censored: Floats
    survival: Floats

    def before(self, times: Floats) -> Floats:
        """The probability of being uncensored until just before each time."""
        return np.append(1.0, self.survival)[np.searchsorted(self.time, times, side="left")]


def censoring_curve(
    time: Floats, event: Bools, *, weights: Floats | None = None, events_first: bool = True
) -> CensoringCurve:
    """Estimate the curve of the censoring from follow-up, shape (n,) each.

    `events_first`: who has the event at a time can no longer be censored at it. Otherwise they are at risk of it too.
    """
    distinct, place = np.unique(time, return_inverse=True)
    weight = np.ones(len(time)) if weights is None else weights
    events = np.bincount(place, weights=event * weight, minlength=len(distinct)).astype(np.float64)
    censored = np.bincount(place, weights=~event * weight, minlength=len(distinct)).astype(np.float64)
    at_risk = np.cumsum((events + censored)[::-1])[::-1] - (events if events_first else 0.0)
    stay = np.divide(at_risk - censored, at_risk, out=np.ones(len(distinct)), where=(at_risk > 0) & (censored > 0))
    survival: Floats = np.cumprod(np.maximum(stay, 0.0), dtype=np.float64)
    return CensoringCurve(time=distinct, at_risk=at_risk, censored=censored, survival=survival)


def known_at(time: Floats, event: Bools, at: float) -> tuple[Bools, Bools]:
    """Who had the event by a time, and who is known to be free of it at that time, shape (n,) each.

    Those censored exactly at the time are known to be free of it, as after a horizon that ends everybody's follow-up.
    """
    case = event & (time <= at)
    return case, (time >= at) & ~case
