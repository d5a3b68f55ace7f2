"""The cumulative hazard of each patient at the own follow-up time: how a survival outcome enters an imputation model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]


def nelson_aalen_at(time: ArrayLike, event: ArrayLike) -> Floats:
    """Estimate the cumulative hazard at each patient's own time by Nelson and Aalen.

    Beside the event indicator, this is what an imputation model needs of a survival outcome.

    Parameters
    ----------
    time : follow-up, any unit, shape (n,); nan where unknown
    event : whether follow-up ended with the event, shape (n,); nan where unknown

    Returns
    -------
    shape (n,), nan where time or event is unknown

    References
    ----------
    White and Royston 2009, doi:10.1002/sim.3618.
    """
    times, events = np.asarray(time, dtype=np.float64), np.asarray(event, dtype=np.float64)
    if times.ndim != 1 or times.shape != events.shape:
        raise InputError(
            f"time and event must be one value a patient each, not of shapes {times.shape} and {events.shape}"
        )
    known = ~(np.isnan(times) | np.isnan(events))
    if not np.isin(events[known], (0.0, 1.0)).all():
        raise InputError("event must be 0 or 1 (or missing); make one indicator for each kind of event")
    distinct, place = np.unique(times[known], return_inverse=True)
    deaths = np.bincount(place, weights=events[known], minlength=len(distinct))
    at_risk = np.cumsum(np.bincount(place, minlength=len(distinct))[::-1])[::-1]
    out = np.full(len(times), np.nan)
    out[known] = np.cumsum(deaths / at_risk)[place]
    return out
