"""How many events a printed percentage of n patients can be."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows
from counterpulse.synthesis.effects.problem import Problem
from counterpulse.synthesis.effects.rounding import SLACK, printed_decimals


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventCounts:
    """Events that round to the printed percentages, shape (k,); nan where none does.

    `events` is the nearest count, `fewest` and `most` are all that fit; a row where they differ is flagged.
    """

    events: Floats
    fewest: Floats
    most: Floats
    problems: tuple[Problem, ...]


def events_from_percent(percent: ArrayLike, n: ArrayLike, *, decimals: ArrayLike | None = None) -> EventCounts:
    """Whole numbers of events that round to a printed percentage of `n` patients.

    Parameters
    ----------
    percent : 0 to 100 as printed, shape (k,); text ("35.0") keeps its decimals
    n : patients, shape (k,)
    decimals : of the printed percentages, by default those that each shows

    Raises
    ------
    InputError
        Unequal lengths.
    """
    shown = printed_decimals(percent) if decimals is None else decimals
    rows = PrintedRows(percent=percent, n=n, decimals=shown)
    rows.need_patients("n")
    outside = (rows["percent"] < 0) | (rows["percent"] > 100)
    rows.flag(outside, "out-of-range", "the percentage is not between 0 and 100")
    half = 0.5 * 10.0 ** -rows["decimals"] + SLACK
    fewest = np.maximum(np.ceil((rows["percent"] - half) * rows["n"] / 100), 0)
    most = np.minimum(np.floor((rows["percent"] + half) * rows["n"] / 100), rows["n"])
    rows.flag(fewest > most, "no-count-fits", "no whole number of patients rounds to the percentage")
    rows.flag(fewest < most, "several-counts", "several counts round to the percentage", drop=False)
    nearest = np.clip(np.rint(rows["percent"] * rows["n"] / 100), fewest, np.maximum(most, fewest))
    events, fewest, most = (np.where(rows.dropped, nan, values) for values in (nearest, fewest, most))
    return EventCounts(events=events, fewest=fewest, most=most, problems=rows.problems)
