"""An effect and its variance from a printed estimate with its confidence interval or its standard error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from counterpulse.errors import InputError
from counterpulse.results import Choice, Provenance
from counterpulse.synthesis.effects.effect_rows import EffectRows, check_measure, chosen, effect_rows
from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows
from counterpulse.synthesis.effects.printed_scale import SCALES, PrintedScale
from counterpulse.synthesis.effects.rounding import could_be_symmetric, printed_decimals
from counterpulse.synthesis.pooling.asked import check_level, check_word


def from_interval(
    estimate: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    measure: str,
    level: ArrayLike = 0.95,
    df: ArrayLike | None = None,
    decimals: ArrayLike | None = None,
) -> EffectRows:
    """Effects with the standard error that the width of their printed interval implies.

    Ratios and rates are taken to the log scale, proportions ("PLO") to log odds, correlations ("ZCOR") to Fisher's z. Rows
    whose interval does not contain its estimate, is reversed, or leaves the scale are dropped; rows whose interval is
    more asymmetric on the scale than rounding can explain are flagged and kept.

    Parameters
    ----------
    estimate, low, high : as printed, shape (k,); text ("0.80") keeps its decimals
    measure : "OR", "RR", "HR", "IRR", "ROM", "PETO", "RD", "MD", "SMD", "COR", "ZCOR", "PR", "PLN", "PLO", "IR", "IRLN"
    level : confidence level, one or one a row
    df : degrees of freedom where the interval is a t interval
    decimals : how many the paper printed; by default the most that the row shows

    Raises
    ------
    InputError
        Unequal lengths, another measure, or a level outside (0, 1).
    """
    name = check_measure(measure, tuple(SCALES))
    scale, by_row = SCALES[name], np.ndim(np.asarray(level, dtype=object)) > 0
    rows = PrintedRows(
        estimate=estimate, low=low, high=high, level=level,
        **({} if df is None else {"df": df}),
        decimals=printed_decimals(estimate, low, high) if decimals is None else decimals,
    )  # fmt: skip
    if not by_row:
        check_level(float(rows["level"][0]))
    rows.need_within("level", 0, 1)
    _need_interval(rows, scale)
    estimates, lower, upper = (np.where(rows.dropped, np.nan, rows[column]) for column in ("estimate", "low", "high"))
    symmetric = could_be_symmetric(estimates, lower, upper, decimals=rows["decimals"], scale=scale)
    seen = f"the interval is not symmetric about its estimate on the {scale.name} scale"
    rows.flag(~symmetric, "asymmetric-interval", seen, drop=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        vi = ((scale.of(upper) - scale.of(lower)) / (2 * _reach(rows, with_df=df is not None))) ** 2
    choices = (
        Choice("level", "by row" if by_row else float(rows["level"][0]), "given"),
        chosen("distribution", "normal" if df is None else "t", "normal"),
    )
    provenance = Provenance("printed estimate and interval", choices)
    return effect_rows(rows, scale.of(estimates), vi, measure=name, provenance=provenance)


def from_standard_error(
    estimate: ArrayLike, std_error: ArrayLike, *, measure: str, scale: str, error_scale: str | None = None
) -> EffectRows:
    """Effects with their printed standard errors; the scale has no default, because papers print both.

    Parameters
    ----------
    estimate, std_error : shape (k,)
    measure : as in `from_interval`
    scale : of the estimate: "natural" (as a reader reads it), or "log", "logit", "fisher-z" for a measure pooled so
    error_scale : of the standard error, by default that of the estimate; one on the natural scale is taken to the scale
        of the measure by the delta method

    Raises
    ------
    InputError
        Unequal lengths, another measure or scale.
    """
    name = check_measure(measure, tuple(SCALES))
    pooled, of_error = SCALES[name], error_scale or scale
    allowed = tuple(dict.fromkeys((pooled.name, "natural")))
    check_word(scale, "scale", allowed)
    check_word(of_error, "error_scale", allowed)
    rows = PrintedRows(estimate=estimate, std_error=std_error)
    rows.need_positive("std_error")
    printed = rows["estimate"]
    if scale == "natural":
        pooled.need(rows, "estimate")
    elif of_error == "natural":
        raise InputError("the estimate is transformed and its standard error is not; give the estimate as printed")
    printed = np.where(rows.dropped, np.nan, printed)
    yi, error = (pooled.of(printed) if scale == "natural" else printed), rows["std_error"]
    assumed: tuple[str, ...] = ()
    if of_error == "natural" and pooled.name != "natural":
        error = error * pooled.slope(printed)
        assumed = (f"the standard error was taken to the {pooled.name} scale by the delta method",)
    choices = (Choice("scale", scale, "given"), Choice("error-scale", of_error, "given" if error_scale else "derived"))
    provenance = Provenance("printed estimate and standard error", choices)
    return effect_rows(rows, yi, error**2, measure=name, assumptions=assumed, provenance=provenance)


def _need_interval(rows: PrintedRows, scale: PrintedScale) -> None:
    scale.need(rows, "estimate", "low", "high")
    rows.flag(rows["low"] > rows["high"], "reversed-limits", "the lower limit exceeds the upper one")
    outside = (rows["estimate"] < rows["low"]) | (rows["estimate"] > rows["high"])
    rows.flag(outside, "outside-interval", "the interval does not contain its estimate")
    rows.flag(rows["low"] == rows["high"], "no-width", "the limits are equal")


def _reach(rows: PrintedRows, *, with_df: bool) -> Floats:
    """How many standard errors the interval reaches; the tail is taken directly so levels near 1 keep their precision."""
    tail = np.where(rows.dropped, np.nan, (1 - rows["level"]) / 2)
    if not with_df:
        normal: Floats = -ndtri(tail)
        return normal
    rows.need_positive("df")
    reach: Floats = -stdtrit(np.where(rows.dropped, np.nan, rows["df"]), tail)
    return reach
