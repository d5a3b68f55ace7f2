"""Patients period by period, for a sequence of trials: who is under observation, treated, and has the event in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from counterpulse.study.patients.emulation_sample import EVENT, EXPOSED_AT, TIME

PATIENT, PERIOD, ELIGIBLE, TREATED, HAPPENED = "patient.", "period.", "eligible.", "treated.", "happened."


def trial_periods(frame: pl.DataFrame, *, every: float, trials: int, keep: Sequence[str]) -> pl.DataFrame:
    """One row a patient and period that begins before the end of the patient's follow-up.

    A patient is treated in a period where treatment began by its start, so that whoever counts as treated in it was treated
    and alive when it began. Events at the very start of a period belong to the period before it.

    Parameters
    ----------
    frame : one row a patient, with `time.`, `event.` and `exposed_at.`
    every : length of a period; `trials` begin, one at the start of each of the first periods, and may be entered by patients
        who were untreated in the period before
    keep : columns to keep
    """
    time, began = frame[TIME].to_numpy(), frame[EXPOSED_AT].fill_null(np.inf).to_numpy()
    last = np.maximum(np.ceil(time / every - TIED) - 1, 0).astype(np.intp)
    patient = np.repeat(np.arange(len(time)), last + 1)
    period = np.arange(len(patient)) - np.repeat(np.cumsum(last + 1) - last - 1, last + 1)
    from_period = np.full(len(began), np.iinfo(np.intp).max)
    finite = np.isfinite(began)
    from_period[finite] = np.ceil(began[finite] / every - TIED).astype(np.intp)
    treated = period >= from_period[patient]
    event = frame[EVENT].to_numpy()[patient] & (period == last[patient])
    return frame.select(list(dict.fromkeys(keep)))[patient].with_columns(
        pl.Series(PATIENT, patient), pl.Series(PERIOD, period), pl.Series(TREATED, treated), pl.Series(HAPPENED, event),
        pl.Series(ELIGIBLE, (period - 1 < from_period[patient]) & (period < trials)),
    )  # fmt: skip


TIED = 1e-9
"""Times closer than this part of a period to its start are at it."""
