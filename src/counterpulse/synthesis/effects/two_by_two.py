"""Effects of two arms from their events and patients: the twelve measures of a two by two table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from counterpulse.results import Choice, Provenance
from counterpulse.synthesis.effects.conversions import COX_FACTOR, LOGISTIC_FACTOR
from counterpulse.synthesis.effects.effect_rows import EffectRows, check_measure, chosen, effect_rows
from counterpulse.synthesis.effects.printed_rows import Flags, Floats, PrintedRows
from counterpulse.synthesis.effects.tetrachoric import tetrachoric
from counterpulse.synthesis.effects.zero_cells import additions, mark_corrected
from counterpulse.synthesis.pooling.asked import check_word

Cells = tuple[Floats, Floats, Floats, Floats]
Pair = tuple[Floats, Floats]


def two_by_two(
    events_treated: ArrayLike,
    n_treated: ArrayLike,
    events_reference: ArrayLike,
    n_reference: ArrayLike,
    *,
    measure: str = "OR",
    zero_cells: str | None = None,
    add: float = 0.5,
    correction: str = "constant",
    double_zero: str | None = None,
) -> EffectRows:
    """Effects and sampling variances from the counts of two arms, treated against reference.

    Parameters
    ----------
    events_treated, n_treated, events_reference, n_reference : counts, shape (k,)
    measure : "OR", "RR", "RD", "PETO" (one-step odds ratio), "AS" (arcsine), "PHI", "YUQ", "YUY", "RTET" (tetrachoric),
        "PBIT" (probit), "OR2DN" (log odds ratio / 1.65, Cox) or "OR2DL" (times sqrt(3)/pi, Hasselblad and Hedges)
    zero_cells : "when-zero" (only studies with a zero cell), "all-if-any", "never"; by default "when-zero", but "never"
        for PETO, AS, PHI and RTET, which need no correction or have none
    add : what is added to a cell
    correction : "constant", or "opposite-arm" (Sweeting 2004)
    double_zero : "drop" or "keep" studies in which nobody, or everybody, had the event in both arms; by default kept
        for RD and AS and dropped for every other measure

    Returns
    -------
    EffectRows
        `corrected` marks the rows to which something was added; every dropped row has a problem that says why.

    Raises
    ------
    InputError
        Unequal lengths, or a word that is not a choice.
    """
    name = check_measure(measure, tuple(FORMULAS))
    policy = zero_cells or ("never" if name in UNCORRECTED else "when-zero")
    doubles = double_zero or ("keep" if name in DIFFERENCES else "drop")
    check_word(doubles, "double_zero", ("drop", "keep"))
    rows = PrintedRows(
        events_treated=events_treated, n_treated=n_treated, events_reference=events_reference, n_reference=n_reference
    )
    rows.need_events("events_treated", "n_treated")
    rows.need_events("events_reference", "n_reference")
    cells = _cells(rows)
    if doubles == "drop":
        _drop_doubles(rows, cells)
    cells, corrected = _corrected(rows, cells, policy=policy, add=add, correction=correction)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        yi, vi = FORMULAS[name](*cells)
    _drop_infinite(rows, yi, vi, cells)
    given = {"zero-cells": zero_cells, "double-zero": double_zero}
    choices = (
        Choice("measure", name, "given"),
        *(
            Choice(key, value, "default" if given[key] is None else "given")
            for key, value in (("zero-cells", policy), ("double-zero", doubles))
        ),
        chosen("add", add, 0.5),
        chosen("correction", correction, "constant", reference=None if correction == "constant" else "sweeting-2004"),
    )
    return effect_rows(
        rows, yi, vi, measure=name, corrected=corrected, provenance=Provenance("two by two table", choices)
    )


def _cells(rows: PrintedRows) -> Cells:
    a, c = rows["events_treated"], rows["events_reference"]
    return a, rows["n_treated"] - a, c, rows["n_reference"] - c


def _drop_doubles(rows: PrintedRows, cells: Cells) -> None:
    a, b, c, d = cells
    rows.flag((a == 0) & (c == 0), "double-zero", "no events in either arm")
    rows.flag((b == 0) & (d == 0), "double-full", "events in every patient of both arms")


def _corrected(rows: PrintedRows, cells: Cells, *, policy: str, add: float, correction: str) -> tuple[Cells, Flags]:
    zero = np.any([cell == 0 for cell in cells], axis=0)
    marks = mark_corrected(rows, zero, policy=policy, add=add)
    treated, reference = additions(rows["n_treated"], rows["n_reference"], add=add, correction=correction)
    treated, reference = np.where(marks, treated, 0.0), np.where(marks, reference, 0.0)
    a, b, c, d = cells
    return (a + treated, b + treated, c + reference, d + reference), marks


def _drop_infinite(rows: PrintedRows, yi: Floats, vi: Floats, cells: Cells) -> None:
    without = ~(np.isfinite(yi) & np.isfinite(vi) & (vi > 0))
    zero = np.any([cell == 0 for cell in cells], axis=0)
    rows.flag(without & zero, "zero-cell", "a cell is zero and was not corrected")
    rows.flag(without, "undefined", "the measure or its variance is undefined for these counts")


def _log_odds_ratio(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    return np.log(a) - np.log(b) - np.log(c) + np.log(d), 1 / a + 1 / b + 1 / c + 1 / d


def _log_risk_ratio(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    n_treated, n_reference = a + b, c + d
    return np.log(a / n_treated) - np.log(c / n_reference), 1 / a - 1 / n_treated + 1 / c - 1 / n_reference


def _risk_difference(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    n_treated, n_reference = a + b, c + d
    return a / n_treated - c / n_reference, a * b / n_treated**3 + c * d / n_reference**3


def _peto(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    n_treated, n_reference, events, none = a + b, c + d, a + c, b + d
    n = n_treated + n_reference
    variance = events * none * (n_treated / n) * (n_reference / n) / (n - 1)
    return (a - events * n_treated / n) / variance, 1 / variance


def _arcsine(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    n_treated, n_reference = a + b, c + d
    difference = np.arcsin(np.sqrt(a / n_treated)) - np.arcsin(np.sqrt(c / n_reference))
    return difference, 1 / (4 * n_treated) + 1 / (4 * n_reference)


def _phi(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    """Variance under multinomial sampling (Bishop, Fienberg and Holland 1975)."""
    n_treated, n_reference, events, none = a + b, c + d, a + c, b + d
    n = n_treated + n_reference
    arms, outcomes = n_treated * n_reference, events * none
    phi = (a * d - b * c) / np.sqrt(arms * outcomes)
    uneven_arms, uneven_outcomes = n_treated - n_reference, events - none
    skew = phi * (1 + phi**2 / 2) * uneven_arms * uneven_outcomes / np.sqrt(arms * outcomes)
    spread = 0.75 * phi**2 * (uneven_arms**2 / arms + uneven_outcomes**2 / outcomes)
    return phi, (1 - phi**2 + skew - spread) / n


def _yule_q(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    q = (a * d - b * c) / (a * d + b * c)
    return q, (1 - q**2) ** 2 / 4 * _log_odds_ratio(a, b, c, d)[1]


def _yule_y(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    concordant, discordant = np.sqrt(a * d), np.sqrt(b * c)
    y = (concordant - discordant) / (concordant + discordant)
    return y, (1 - y**2) ** 2 / 16 * _log_odds_ratio(a, b, c, d)[1]


def _tetrachoric(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    """Only where no cell is zero: at its bound the correlation has no variance."""
    full = np.all([cell > 0 for cell in (a, b, c, d)], axis=0)
    yi, vi = np.full(len(a), np.nan), np.full(len(a), np.nan)
    yi[full], vi[full] = tetrachoric(a[full], b[full], c[full], d[full])
    return yi, vi


def _probit(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    n_treated, n_reference = a + b, c + d
    z_treated, z_reference = ndtri(a / n_treated), ndtri(c / n_reference)
    variance = a * b / n_treated**3 * np.exp(z_treated**2) + c * d / n_reference**3 * np.exp(z_reference**2)
    return z_treated - z_reference, 2 * pi * variance


def _cox_difference(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    yi, vi = _log_odds_ratio(a, b, c, d)
    return yi / COX_FACTOR, vi / COX_FACTOR**2


def _logistic_difference(a: Floats, b: Floats, c: Floats, d: Floats) -> Pair:
    yi, vi = _log_odds_ratio(a, b, c, d)
    return yi / LOGISTIC_FACTOR, vi / LOGISTIC_FACTOR**2


FORMULAS: Mapping[str, Callable[[Floats, Floats, Floats, Floats], Pair]] = {
    "OR": _log_odds_ratio,
    "RR": _log_risk_ratio,
    "RD": _risk_difference,
    "PETO": _peto,
    "AS": _arcsine,
    "PHI": _phi,
    "YUQ": _yule_q,
    "YUY": _yule_y,
    "RTET": _tetrachoric,
    "PBIT": _probit,
    "OR2DN": _cox_difference,
    "OR2DL": _logistic_difference,
}
UNCORRECTED = frozenset({"PETO", "AS", "PHI", "RTET"})
DIFFERENCES = frozenset({"RD", "AS"})
