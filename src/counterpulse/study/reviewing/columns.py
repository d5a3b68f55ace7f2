"""The columns that the effects of a review add to its table, and what readers of them need."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.study.request import Request

YI, VI, ROW, STUDY, OUTCOME = "effect.yi", "effect.vi", "effect.row", "effect.study", "effect.outcome"
USED, REASON, NOTE, FORMAT = "effect.used", "effect.reason", "effect.note", "effect.format"
DOUBT = "effect.doubt"
"""What is odd about the numbers of a row that is used."""
EVENTS = ("effect.events_treated", "effect.events_control")
PATIENTS = ("effect.n_treated", "effect.n_control")
COUNTED = "effect.counted"
"""Whether the effect was made from the events and patients of two arms."""

Floats = NDArray[np.float64]


def numbers(frame: pl.DataFrame, name: str) -> Floats:
    """A column as numbers, nan where blank."""
    return frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(float)


def studies(request: Request) -> list[str]:
    """The studies of a sample; of one that stands more than once, its rows are told apart."""
    names = request.frame[STUDY].to_list()
    rows = request.frame[ROW].to_list()
    return [f"{name} (row {row})" if names.count(name) > 1 else name for name, row in zip(names, rows, strict=True)]


def patients_of(frame: pl.DataFrame) -> int | None:
    """The patients of the studies, where all print them; None otherwise, and without studies."""
    total = frame.select(pl.sum_horizontal(*PATIENTS, ignore_nulls=False).alias("n"))["n"]
    return None if total.null_count() or not len(total) else round(float(total.sum()))
