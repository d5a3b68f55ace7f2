"""Parquet files, in their own types."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import polars as pl

from counterpulse.data.readers.raw_table import RawTable, clean_header, positions
from counterpulse.errors import DataError
from counterpulse.source import Finding, Location


def read_raw(path: Path, wanted: Collection[str] | None, sheet: str | None) -> RawTable:
    """Read the wanted columns in their own types."""
    try:
        written = list(pl.read_parquet_schema(path))
        headers = tuple(map(clean_header, written))
        columns = positions(headers, wanted)
        frame = pl.read_parquet(path, columns=[written[index] for index in columns.values()])
        height = pl.scan_parquet(path).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError):
        seen, remedy = "the file is damaged or no Parquet file", "write it again"
        raise DataError([Finding(code="E501", where=Location(path.name), seen=seen, remedy=remedy)]) from None
    if not height:
        seen, remedy = "the data file has columns and no rows", "write it again"
        raise DataError([Finding(code="E502", where=Location(path.name), seen=seen, remedy=remedy)])
    frame.columns = list(columns)
    return RawTable(frame=frame, headers=headers, row_numbers=np.arange(1, height + 1), row_word="case")
