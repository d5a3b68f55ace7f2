"""Questions for the data manager. They hold values of patients: nothing else does, and they are never shared."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from counterpulse.source.spreadsheet import spreadsheet_csv

COLUMNS = ("id", "variable", "value", "question", "file", "row")


def no_queries() -> pl.DataFrame:
    """No question: the columns without rows."""
    return pl.DataFrame(schema={name: pl.Int64 if name == "row" else pl.String for name in COLUMNS})


def ask(
    mask: pl.Series, question: str, *, variable: str, file: str, rows: pl.Series,
    ids: pl.Series | None = None, values: pl.Series | None = None,
) -> pl.DataFrame:  # fmt: skip
    """One question about every row of `mask`; all series are of shape (n,), `rows` says where a row stands in its file."""
    blank = pl.repeat(None, len(mask), dtype=pl.String, eager=True)
    frame = pl.DataFrame([
        (blank if ids is None else ids.cast(pl.String)).alias("id"),
        (blank if values is None else values.cast(pl.String)).alias("value"),
        rows.cast(pl.Int64).alias("row"),
    ])  # fmt: skip
    told = (pl.lit(text).alias(name) for name, text in (("variable", variable), ("question", question), ("file", file)))
    return frame.filter(mask).with_columns(told).select(COLUMNS)


def together(queries: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Questions one after another, each once."""
    return pl.concat([no_queries(), *queries]).unique(maintain_order=True)


def queries_csv(queries: pl.DataFrame) -> bytes:
    """The questions as the file that a data manager opens."""
    return spreadsheet_csv(queries.columns, queries.iter_rows())
