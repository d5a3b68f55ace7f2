"""A mean and a standard deviation from a median with quartiles or range, and whether skewness forbids it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from counterpulse.errors import InputError
from counterpulse.results import Provenance
from counterpulse.synthesis.effects.effect_rows import chosen
from counterpulse.synthesis.effects.printed_rows import Flags, Floats, PrintedRows
from counterpulse.synthesis.effects.problem import Problem
from counterpulse.synthesis.pooling.asked import check_word

ORDER = ("minimum", "first_quartile", "median", "third_quartile", "maximum")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeansFromMedians:
    """Means and standard deviations, shape (k,), nan in dropped rows; `skewed` marks rows that should not be pooled so."""

    mean: Floats
    sd: Floats
    skewed: Flags
    dropped: Flags
    problems: tuple[Problem, ...]
    provenance: Provenance


def means_from_medians(
    median: ArrayLike,
    n: ArrayLike,
    *,
    first_quartile: ArrayLike | None = None,
    third_quartile: ArrayLike | None = None,
    minimum: ArrayLike | None = None,
    maximum: ArrayLike | None = None,
    mean_method: str = "luo",
    sd_method: str = "shi",
) -> MeansFromMedians:
    """Means and standard deviations of groups that were printed as medians, for data that are nearly normal.

    Rows that fail the test of skewness (Shi 2023, at 5%) keep their numbers and are flagged.

    Parameters
    ----------
    median, n : shape (k,)
    first_quartile, third_quartile, minimum, maximum : shape (k,); quartiles, range, or both
    mean_method : "luo" (optimal weights, Luo 2018) or "wan" (Wan 2014)
    sd_method : "shi" (optimal weights of range and quartiles, Shi 2020) or "wan"; the same with one of the two

    Raises
    ------
    InputError
        Neither quartiles nor range, one end without the other, unequal lengths, or another method.
    """
    check_word(mean_method, "mean_method", ("luo", "wan"))
    check_word(sd_method, "sd_method", ("shi", "wan"))
    ends = {"first_quartile": first_quartile, "third_quartile": third_quartile, "minimum": minimum, "maximum": maximum}
    given = {name: values for name, values in ends.items() if values is not None}
    quartiles, extremes = {"first_quartile", "third_quartile"} <= set(given), {"minimum", "maximum"} <= set(given)
    if len(given) != 2 * (quartiles + extremes) or not given:
        raise InputError("give both quartiles, both minimum and maximum, or all four")
    rows = PrintedRows(median=median, n=n, **given)
    rows.need_patients("n", least=5)
    present = [name for name in ORDER if name in given or name == "median"]
    for below, above in pairwise(present):
        rows.flag(
            rows[below] > rows[above], "unordered", f"{below.replace('_', ' ')} exceeds {above.replace('_', ' ')}"
        )
    rows.flag(rows[present[0]] == rows[present[-1]], "no-width", "the ends are equal")
    n_ = np.where(rows.dropped, np.nan, rows["n"])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _mean(rows, n_, quartiles, extremes, mean_method)
        sd = _sd(rows, n_, quartiles, extremes, sd_method)
        skewed = _skewed(rows, n_, quartiles, extremes) & ~rows.dropped
    rows.flag(skewed, "skewed", "the median is not midway between the quartiles or the ends", drop=False)
    mean, sd = rows.standing(mean, sd)
    provenance = _provenance(mean_method, sd_method)
    return MeansFromMedians(
        mean=mean, sd=sd, skewed=skewed, dropped=rows.dropped.copy(), problems=rows.problems, provenance=provenance
    )


def _mean(rows: PrintedRows, n: Floats, quartiles: bool, extremes: bool, method: str) -> Floats:
    """A weighted mean of mid-range, mid-quartile and median."""
    m = rows["median"]
    middle_range = (rows["minimum"] + rows["maximum"]) / 2 if extremes else m
    middle_quartiles = (rows["first_quartile"] + rows["third_quartile"]) / 2 if quartiles else m
    of_range, of_quartiles = (
        _luo_weights(n, quartiles, extremes) if method == "luo" else _wan_weights(n, quartiles, extremes)
    )
    return of_range * middle_range + of_quartiles * middle_quartiles + (1 - of_range - of_quartiles) * m


def _wan_weights(n: Floats, quartiles: bool, extremes: bool) -> tuple[Floats, Floats]:
    ones = np.ones_like(n)
    if quartiles and extremes:
        return ones / 4, ones / 2
    return (ones / 2, 0 * ones) if extremes else (0 * ones, ones * 2 / 3)


def _luo_weights(n: Floats, quartiles: bool, extremes: bool) -> tuple[Floats, Floats]:
    if quartiles and extremes:
        return 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    return (4 / (4 + n**0.75), 0 * n) if extremes else (0 * n, 0.7 + 0.39 / n)


def _sd(rows: PrintedRows, n: Floats, quartiles: bool, extremes: bool, method: str) -> Floats:
    """Ranges over their expected lengths in standard normal samples."""
    by_range = by_quartiles = np.zeros_like(n)
    if extremes:
        by_range = (rows["maximum"] - rows["minimum"]) / (2 * ndtri((n - 0.375) / (n + 0.25)))
    if quartiles:
        by_quartiles = (rows["third_quartile"] - rows["first_quartile"]) / (2 * ndtri((0.75 * n - 0.125) / (n + 0.25)))
    if not (quartiles and extremes):
        return by_range + by_quartiles
    weight = 1 / (1 + 0.07 * n**0.6) if method == "shi" else np.full_like(n, 0.5)
    return weight * by_range + (1 - weight) * by_quartiles


def _skewed(rows: PrintedRows, n: Floats, quartiles: bool, extremes: bool) -> Flags:
    """Tests of symmetry at 5%, doi:10.1177/09622802231172043."""
    of_range = of_quartiles = np.zeros_like(n)
    if extremes:
        low, high = rows["minimum"], rows["maximum"]
        of_range = np.abs(low + high - 2 * rows["median"]) / (high - low)
    if quartiles:
        low, high = rows["first_quartile"], rows["third_quartile"]
        of_quartiles = np.where(high > low, np.abs(low + high - 2 * rows["median"]) / (high - low), 0.0)
    if quartiles and extremes:
        statistic = np.maximum(2.65 * np.log(0.6 * n) / np.sqrt(n) * of_range, of_quartiles)
        return statistic > 2.97 / np.sqrt(n) - 39.1 / n**3
    if extremes:
        return of_range > 1.01 / np.log(n + 9) + 2.43 / (n + 1)
    return of_quartiles > 2.66 / np.sqrt(n) - 5.92 / n**2


def _provenance(mean_method: str, sd_method: str) -> Provenance:
    mean_work, sd_work = (
        {"luo": "luo-2018", "wan": "wan-2014"}[mean_method],
        {"shi": "shi-2020", "wan": "wan-2014"}[sd_method],
    )
    choices = (
        chosen("mean", mean_method, "luo", reference=mean_work),
        chosen("standard-deviation", sd_method, "shi", reference=sd_work),
    )
    return Provenance("mean from median", choices, tuple(sorted({mean_work, sd_work, "shi-2023"})))
