"""Hazard ratios from printed survival curves: the readings of a study stand in a table of their own."""

from __future__ import annotations

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.synthesis.effects.survival_curves import from_curves

CURVES = "curves"
"""The name of the readings among the related tables."""
COLUMNS = ("study", "outcome", "time", "survival_treated", "survival_control", "at_risk_treated", "at_risk_control")
CURVE_YI, CURVE_VI, CURVE_CODE, CURVE_READ = "curve.yi", "curve.vi", "curve.code", "curve.read"
LEFT_OUT = ("empty-interval", "coarse-interval")
"""Problems of single intervals, with which a hazard ratio can still be read."""
UNREADABLE = "undefined"
"""The code of curves from which no hazard ratio can be read."""


def with_curves(frame: pl.DataFrame, readings: pl.DataFrame | None) -> pl.DataFrame:
    """The rows with the log hazard ratio of their curves, its variance, and what is wrong with the readings."""
    if readings is None:
        return frame
    found = [_hazard_ratio(group) for _, group in readings.group_by("study", "outcome", maintain_order=True)]
    keys = readings.select("study", "outcome").unique(maintain_order=True)
    table = keys.with_columns(
        pl.Series(CURVE_YI, [item[0] for item in found], dtype=pl.Float64),
        pl.Series(CURVE_VI, [item[1] for item in found], dtype=pl.Float64),
        pl.Series(CURVE_CODE, [item[2] for item in found], dtype=pl.String),
        pl.lit(value=True).alias(CURVE_READ),
    )
    outcome = pl.col("outcome").cast(pl.String) if "outcome" in frame.columns else pl.lit(str(keys["outcome"][0]))
    plain = frame.with_columns(
        pl.col("study").cast(pl.String).str.strip_chars().alias("curve.study"), outcome.alias("curve.outcome")
    )
    joined = plain.join(
        table,
        left_on=("curve.study", "curve.outcome"),
        right_on=("study", "outcome"),
        how="left",
        maintain_order="left",
    )
    return joined.drop("curve.study", "curve.outcome")


def _hazard_ratio(readings: pl.DataFrame) -> tuple[float | None, float | None, str | None]:
    """The effect of one study, or the code of what is wrong with its readings."""
    columns = [_numbers(readings, name) for name in COLUMNS[2:]]
    try:
        fit = from_curves(columns[0], columns[1], columns[2], at_risk_treated=columns[3], at_risk_reference=columns[4])
    except InputError:
        return None, None, UNREADABLE
    wrong = next((problem.code for problem in fit.problems if problem.code not in LEFT_OUT), None)
    if wrong is not None or fit.effect.dropped[0]:
        return None, None, wrong or UNREADABLE
    return float(fit.effect.yi[0]), float(fit.effect.vi[0]), None


def _numbers(readings: pl.DataFrame, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A column of the readings as numbers; survival above 1 is in percent."""
    values = readings[name].cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().astype(float)
    return values / 100 if name.startswith("survival") and np.nanmax(values, initial=0.0) > 1 else values
