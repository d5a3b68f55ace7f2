"""A standard deviation from what a paper printed instead: standard error, interval of a mean, baseline and final values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows
from counterpulse.synthesis.effects.problem import Problem
from counterpulse.synthesis.pooling.asked import check_level


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recovered:
    """Numbers recovered from printed ones, shape (k,), nan where a row has a problem that drops it."""

    values: Floats
    problems: tuple[Problem, ...]
    assumptions: tuple[str, ...] = ()


def sd_from_standard_error(std_error: ArrayLike, n: ArrayLike) -> Recovered:
    """Standard deviations from the standard errors of means of `n` patients."""
    rows = PrintedRows(std_error=std_error, n=n)
    rows.need_patients("n", least=2)
    rows.need_positive("std_error")
    with np.errstate(invalid="ignore"):
        return _recovered(rows, rows["std_error"] * np.sqrt(rows["n"]))


def sd_from_interval(low: ArrayLike, high: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Recovered:
    """Standard deviations from confidence limits of means, by the t distribution with n - 1 degrees of freedom."""
    check_level(level)
    rows = PrintedRows(low=low, high=high, n=n)
    rows.need_patients("n", least=2)
    rows.flag(rows["low"] > rows["high"], "reversed-limits", "the lower limit exceeds the upper one")
    rows.flag(rows["low"] == rows["high"], "no-width", "the limits are equal")
    reach = -stdtrit(np.where(rows["n"] >= 2, rows["n"] - 1, np.nan), (1 - level) / 2)
    with np.errstate(invalid="ignore"):
        sd = (rows["high"] - rows["low"]) / (2 * reach) * np.sqrt(rows["n"])
    return _recovered(rows, sd)


def sd_of_change(sd_before: ArrayLike, sd_after: ArrayLike, *, correlation: ArrayLike) -> Recovered:
    """Standard deviations of the change from baseline, with a correlation that another study gave (Cochrane 6.5.2.8)."""
    rows = PrintedRows(sd_before=sd_before, sd_after=sd_after, correlation=correlation)
    rows.need_positive("sd_before", "sd_after")
    rows.need_within("correlation", -1, 1)
    before, after = rows["sd_before"], rows["sd_after"]
    with np.errstate(invalid="ignore"):
        sd = np.sqrt(before**2 + after**2 - 2 * rows["correlation"] * before * after)
    return _recovered(rows, sd, "the correlation of baseline and final values is the one given")


def correlation_of_change(sd_before: ArrayLike, sd_after: ArrayLike, sd_change: ArrayLike) -> Recovered:
    """The correlation of baseline and final values in a study that printed all three standard deviations."""
    rows = PrintedRows(sd_before=sd_before, sd_after=sd_after, sd_change=sd_change)
    rows.need_positive("sd_before", "sd_after", "sd_change")
    before, after = rows["sd_before"], rows["sd_after"]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = (before**2 + after**2 - rows["sd_change"] ** 2) / (2 * before * after)
    rows.flag(np.abs(correlation) > 1, "out-of-range", "the standard deviations imply a correlation outside -1 to 1")
    return _recovered(rows, correlation)


def _recovered(rows: PrintedRows, values: Floats, *assumptions: str) -> Recovered:
    (standing,) = rows.standing(values)
    return Recovered(values=standing, problems=rows.problems, assumptions=assumptions)
