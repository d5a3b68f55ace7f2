"""Time-dependent exposure: follow-up before exposure counts as unexposed, follow-up after it as exposed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.sample import Sample
from counterpulse.emulation.followed import Followed, read_followed
from counterpulse.errors import InputError
from counterpulse.results.provenance import Choice, Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureSplit:
    """Intervals at risk, one or two a patient, in the order of the table.

    Attributes
    ----------
    sample : its frame has the columns start, stop, event and exposed under the names given; `row_of_origin` is the
        patient of each interval
    start, stop, event, exposed : the same as arrays, one value an interval
    n, n_exposed : patients, and those of them ever exposed
    n_moved : patients whose exposure and end of follow-up coincide, or who are followed for no time
    n_dropped : those of them left out or counted unexposed because `half_step` is None
    person_time, events : unexposed and exposed
    n_missing, n_after_end : rows without follow-up; exposures after its end, not counted
    """

    sample: Sample
    start: NDArray[np.float64]
    stop: NDArray[np.float64]
    event: NDArray[np.bool_]
    exposed: NDArray[np.bool_]
    n: int
    n_exposed: int
    n_moved: int
    n_dropped: int
    person_time: tuple[float, float]
    events: tuple[int, int]
    n_missing: int
    n_after_end: int
    provenance: Provenance


def split_at_exposure(
    frame: pl.DataFrame,
    *,
    time: str,
    event: str,
    exposure_time: str,
    half_step: float | None = None,
    names: tuple[str, str, str, str] = ("start", "stop", "event_at_stop", "exposed"),
) -> ExposureSplit:
    """Split follow-up at first exposure, for a model with a time-dependent exposure.

    Parameters
    ----------
    frame : one row a patient
    time, event : end of follow-up from time zero, and whether it is the event
    exposure_time : time of first exposure from time zero, missing if never; at time zero it makes one exposed interval
    half_step : half of the unit in which time is measured (0.5 for days). Who is exposed on the day follow-up ends is
        exposed half a step before, and who is followed for no time is followed half a step, as in the Stanford heart
        transplant data. None: the first are unexposed throughout, the second are left out; both are counted
    names : of the columns made

    Returns
    -------
    ExposureSplit : nobody is exposed before the exposure, so there is no immortal time

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, a half step that is not above zero

    References
    ----------
    Mantel and Byar 1974 (doi:10.1080/01621459.1974.10480131); Crowley and Hu 1977
    """
    if half_step is not None and not half_step > 0:
        raise InputError("'half_step' is above zero, half of the unit in which time is measured, or None")
    taken = [name for name in names if name in frame.columns]
    if taken:
        raise InputError(f"the table already has {', '.join(map(repr, taken))}; name the new columns with names=")
    patients = read_followed(frame, time=time, event=event, exposure_time=exposure_time)
    stop, switch, kept, moved = _coincidences(patients, half_step)
    rows, event_of = patients.rows[kept], patients.event[kept]
    stop, switch = stop[kept], switch[kept]
    two = (switch > 0) & (switch < stop)
    patient = np.repeat(np.arange(len(rows)), 1 + two)
    second = np.concatenate(([False], patient[1:] == patient[:-1]))
    first_of_two = two[patient] & ~second
    start = np.where(second, switch[patient], 0.0)
    end = np.where(first_of_two, switch[patient], stop[patient])
    died = event_of[patient] & ~first_of_two
    exposed = second | (switch[patient] <= 0)
    columns = [pl.Series(name, values) for name, values in zip(names, (start, end, died, exposed), strict=True)]
    origin = rows[patient]
    return ExposureSplit(
        sample=Sample(
            frame=frame[origin].with_columns(columns), row_of_origin=origin, start=start, stop=end,
            stage=("split at exposure",),
        ),
        start=start, stop=end, event=died, exposed=exposed, n=len(rows), n_exposed=int((switch < stop).sum()),
        n_moved=int(moved.sum()), n_dropped=0 if half_step is not None else int(moved.sum()),
        person_time=(float((end - start)[~exposed].sum()), float((end - start)[exposed].sum())),
        events=(int(died[~exposed].sum()), int(died[exposed].sum())),
        n_missing=patients.n_missing, n_after_end=patients.n_after_end,
        provenance=Provenance(
            method="time-dependent exposure",
            choices=(
                Choice("half_step", half_step, "default" if half_step is None else "given", "crowley-hu-1977"),
            ),
            citations=("mantel-byar-1974", "crowley-hu-1977"),
        ),
    )  # fmt: skip


def _coincidences(
    patients: Followed, half_step: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """End of follow-up, time of exposure, who is kept, and who was followed for no time or exposed at the end."""
    stop, switch = patients.time, patients.exposed_at
    none = stop == 0
    coincide = switch == stop
    moved = none | coincide
    if half_step is None:
        return stop, np.where(coincide, np.inf, switch), ~none, moved
    stop = np.where(none, half_step, stop)
    return stop, np.where(coincide, patients.time - half_step, switch), np.ones(len(stop), dtype=bool), moved
