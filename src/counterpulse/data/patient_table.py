"""The patients, checked against their dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.dictionary import Dictionary
from counterpulse.data.queries import no_queries
from counterpulse.source import Finding

DataKind = Literal["real", "mock", "synthetic", "simulated"]

MOCK_MARK = "counterpulse mock patient"
"""The column that marks a file of dummy patients: a result of it is never taken for one of people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientTable:
    """A main frame with one row a patient, plus named related frames with several rows a patient.

    Column types of `frame` by dictionary type: id and text String; number Float64; integer Int64; category and ordinal
    Enum of the codes in dictionary order; yesno Boolean; date Date; datetime Datetime("us"). A blank is null.
    `findings` are the warnings of the check (errors raise), `queries` its questions for the data manager, with values of
    patients. `digest` is of the content of all frames, whatever the file format. `row_numbers` are where the rows stand in
    the file, the header being 1, shape (n,).
    """

    frame: pl.DataFrame
    dictionary: Dictionary
    file: str
    digest: str
    data_kind: DataKind = "real"
    related: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    queries: pl.DataFrame = field(default_factory=no_queries)
    row_numbers: NDArray[np.int64] | None = field(default=None, compare=False)
