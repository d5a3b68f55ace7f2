"""Estimates as a polars frame on the natural scale, with the same columns for every method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from counterpulse.results.estimate import Estimate

TIDY: Mapping[str, type[pl.DataType]] = {
    "variable": pl.String, "term": pl.String, "reference": pl.String, "measure": pl.String, "estimate": pl.Float64,
    "std_error": pl.Float64, "scale": pl.String, "conf_low": pl.Float64, "conf_high": pl.Float64,
    "conf_level": pl.Float64, "interval_method": pl.String, "statistic": pl.Float64, "statistic_name": pl.String,
    "df": pl.Float64, "p_value": pl.Float64, "time": pl.Float64, "status": pl.String,
}  # fmt: skip


def tidy(estimates: Iterable[Estimate]) -> pl.DataFrame:
    """Lay out estimates one a row; `std_error` stays on the scale named in `scale`."""
    return pl.DataFrame([estimate.row() for estimate in estimates], schema=dict(TIDY), orient="row")
