"""Landmark analysis: exposure is what has happened by a time, among those still followed at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from counterpulse.data.sample import Sample
from counterpulse.emulation.followed import read_followed
from counterpulse.errors import InputError
from counterpulse.results.provenance import Choice, Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkSample:
    """Those still followed at the landmark, classified by it.

    Attributes
    ----------
    sample : its frame has the column `exposure` (yes/no) added; time is still counted from time zero
    exposure : name of that column
    at : the landmark
    n, n_exposed, events : after the landmark
    removed_events, removed_censored : patients whose follow-up ended before it
    removed_exposed : those of them who had been exposed
    reclassified : patients kept as unexposed who were exposed later
    person_time_removed : follow-up of those removed
    person_time_before : follow-up before the landmark of those kept, in which nobody can have the event
    person_time_reclassified : exposed follow-up that counts as unexposed
    n_missing, n_after_end : rows without follow-up; exposures after its end, not counted
    """

    sample: Sample
    exposure: str
    at: float
    n: int
    n_exposed: int
    events: int
    removed_events: int
    removed_censored: int
    removed_exposed: int
    reclassified: int
    person_time_removed: float
    person_time_before: float
    person_time_reclassified: float
    n_missing: int
    n_after_end: int
    provenance: Provenance


def landmark(
    frame: pl.DataFrame, *, time: str, event: str, exposure_time: str, at: float, exposure: str = "exposed"
) -> LandmarkSample:
    """Keep those followed to the landmark and classify them by exposure up to it.

    Parameters
    ----------
    frame : one row a patient
    time, event : end of follow-up from time zero, and whether it is the event
    exposure_time : time of first exposure from time zero, missing if never
    at : the landmark, chosen before the data are seen; who leaves exactly at it is kept, who is exposed exactly at it
        is exposed
    exposure : name of the column made

    Returns
    -------
    LandmarkSample : the effect estimated from it is among those who reach the landmark

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, a landmark that is not above zero

    Notes
    -----
    Everybody kept is at risk from the landmark on, so risk sets with time from zero are right without late entry.

    References
    ----------
    Anderson, Cain and Gelber 1983 (doi:10.1200/JCO.1983.1.11.710)
    """
    if not (np.isfinite(at) and at > 0):
        raise InputError("the landmark 'at' is a finite time above zero, in the unit of the follow-up time")
    if exposure in frame.columns:
        raise InputError(f"the table already has a column '{exposure}'; name the new one with exposure=")
    patients = read_followed(frame, time=time, event=event, exposure_time=exposure_time)
    kept = patients.time >= at
    exposed = patients.exposed_at <= at
    later = kept & ~exposed & np.isfinite(patients.exposed_at)
    rows = patients.rows[kept]
    sample = Sample(
        frame=frame[rows].with_columns(pl.Series(exposure, exposed[kept])), row_of_origin=rows,
        stage=(f"landmark {at:g}",),
    )  # fmt: skip
    return LandmarkSample(
        sample=sample, exposure=exposure, at=float(at), n=int(kept.sum()), n_exposed=int((kept & exposed).sum()),
        events=int((kept & patients.event).sum()), removed_events=int((~kept & patients.event).sum()),
        removed_censored=int((~kept & ~patients.event).sum()),
        removed_exposed=int((~kept & np.isfinite(patients.exposed_at)).sum()), reclassified=int(later.sum()),
        person_time_removed=float(patients.time[~kept].sum()), person_time_before=float(at) * int(kept.sum()),
        person_time_reclassified=float((patients.time - patients.exposed_at)[later].sum()),
        n_missing=patients.n_missing, n_after_end=patients.n_after_end,
        provenance=Provenance(
            method="landmark analysis", choices=(Choice("at", float(at), "given", "anderson-1983"),),
            citations=("anderson-1983",),
        ),
    )  # fmt: skip
