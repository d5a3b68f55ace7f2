"""An effect and its variance from a printed P value, with the estimate or with the events behind a log-rank test."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from counterpulse.errors import InputError
from counterpulse.results import Provenance
from counterpulse.synthesis.effects.effect_rows import EffectRows, check_measure, effect_rows
from counterpulse.synthesis.effects.printed_rows import Flags, Floats, PrintedRows, raw_values
from counterpulse.synthesis.effects.printed_scale import SCALES

BOUNDS = ("<", "≤", "<=")
TESTED = tuple(measure for measure in SCALES if measure not in ("PR", "PLN", "PLO", "IR", "IRLN"))


def from_p_value(
    estimate: ArrayLike,
    p_value: ArrayLike,
    *,
    measure: str,
    bound: ArrayLike | None = None,
    df: ArrayLike | None = None,
) -> EffectRows:
    """Effects whose standard error is the estimate over the quantile of its two-sided P value.

    A bound ("<0.001" as text, or named by `bound`) is used as if exact, which gives the largest standard error that fits,
    and the row is flagged.

    Parameters
    ----------
    estimate, p_value : as printed, shape (k,)
    measure : of two groups or of association: no effect must be the value 0 (or a ratio of 1)
    bound : which P values are upper bounds, shape (k,)
    df : degrees of freedom where the test was a t test

    Raises
    ------
    InputError
        Unequal lengths or another measure.
    """
    name = check_measure(measure, TESTED)
    p_values, bounds = _bounds(p_value, bound)
    rows = PrintedRows(estimate=estimate, p_value=p_values, **({} if df is None else {"df": df}))
    SCALES[name].need(rows, "estimate")
    yi = SCALES[name].of(np.where(rows.dropped, np.nan, rows["estimate"]))
    z = _quantile(rows, with_df=df is not None)
    rows.flag((yi == 0) | (z == 0), "no-information", "the effect is none, or P is 1")
    _flag_bounds(rows, bounds)
    with np.errstate(divide="ignore", invalid="ignore"):
        vi = (yi / z) ** 2
    return effect_rows(rows, yi, vi, measure=name, provenance=Provenance("printed estimate and P value"))


def from_log_rank(observed_minus_expected: ArrayLike, variance: ArrayLike) -> EffectRows:
    """Log hazard ratios (O - E) / V with variance 1 / V, from the log-rank statistics of the treated arm."""
    rows = PrintedRows(observed_minus_expected=observed_minus_expected, variance=variance)
    rows.need_positive("variance")
    with np.errstate(divide="ignore", invalid="ignore"):
        yi, vi = rows["observed_minus_expected"] / rows["variance"], 1 / rows["variance"]
    provenance = Provenance("log-rank O - E and V", citations=("tierney-2007",))
    return effect_rows(rows, yi, vi, measure="HR", provenance=provenance)


def from_log_rank_p(
    p_value: ArrayLike,
    *,
    favors: ArrayLike,
    events: ArrayLike | None = None,
    n_treated: ArrayLike | None = None,
    n_reference: ArrayLike | None = None,
    events_treated: ArrayLike | None = None,
    events_reference: ArrayLike | None = None,
    bound: ArrayLike | None = None,
) -> EffectRows:
    """Log hazard ratios from the P value of a log-rank test and the events.

    Parameters
    ----------
    p_value : two-sided, shape (k,)
    favors : "treated" or "reference", the arm with the longer survival, shape (k,)
    events, n_treated, n_reference : events in both arms and patients of each: V = events n1 n2 / (n1 + n2)^2
    events_treated, events_reference : events of each arm instead: V = e1 e2 / (e1 + e2)
    bound : which P values are upper bounds, shape (k,)

    Raises
    ------
    InputError
        Neither or both sets of counts, unequal lengths, or an arm of another name.

    References
    ----------
    Parmar 1998; Tierney 2007, doi:10.1186/1745-6215-8-16.
    """
    p_values, bounds = _bounds(p_value, bound)
    sign = _signs(favors)
    by_arm = {"events_treated": events_treated, "events_reference": events_reference}
    by_size = {"events": events, "n_treated": n_treated, "n_reference": n_reference}
    given = [{name: v for name, v in group.items() if v is not None} for group in (by_arm, by_size)]
    if [len(group) for group in given] not in ([2, 0], [0, 3]):
        raise InputError("give events_treated and events_reference, or events with n_treated and n_reference")
    rows = PrintedRows(p_value=p_values, sign=sign, **given[0], **given[1])
    for name in (*given[0], *given[1]):
        rows.need_patients(name)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = _information(rows, by_arm=bool(given[0]))
        z = _quantile(rows, with_df=False)
        rows.flag(z == 0, "no-information", "P is 1")
        _flag_bounds(rows, bounds)
        yi, vi = rows["sign"] * z / np.sqrt(information), 1 / information
    assumed = ("the variance of the log-rank statistic is the one of proportional hazards near a ratio of 1",)
    provenance = Provenance("log-rank P value and events", citations=("parmar-1998", "tierney-2007"))
    return effect_rows(rows, yi, vi, measure="HR", assumptions=assumed, provenance=provenance)


def _information(rows: PrintedRows, *, by_arm: bool) -> Floats:
    if by_arm:
        a, b = rows["events_treated"], rows["events_reference"]
        return a * b / (a + b)
    rows.flag(rows["events"] > rows["n_treated"] + rows["n_reference"], "above-n", "events exceed the patients")
    return rows["events"] * rows["n_treated"] * rows["n_reference"] / (rows["n_treated"] + rows["n_reference"]) ** 2


def _bounds(p_value: ArrayLike, bound: ArrayLike | None) -> tuple[list[object], Flags]:
    """The P values without a leading sign, and which of them are upper bounds."""
    raw = raw_values(p_value)
    signed = [isinstance(value, str) and value.strip().startswith(BOUNDS) for value in raw]
    values = [
        str(value).strip().lstrip("<≤= ") if is_bound else value for value, is_bound in zip(raw, signed, strict=True)
    ]
    marks = np.array(signed, dtype=bool)
    if bound is None:
        return values, marks
    named = np.asarray(bound, dtype=bool)
    if named.ndim and len(named) != len(marks):
        raise InputError(f"bound has {len(named)} values for {len(marks)} P values; give one a row")
    return values, marks | named


def _flag_bounds(rows: PrintedRows, bounds: Flags) -> None:
    marks = np.broadcast_to(bounds, (rows.k,))
    rows.flag(marks, "bound-only", "the P value is an upper bound", drop=False)


def _quantile(rows: PrintedRows, *, with_df: bool) -> Floats:
    p = rows["p_value"]
    rows.flag((p <= 0) | (p > 1), "out-of-range", "the P value is not above 0 and at most 1")
    half = np.where(rows.dropped, np.nan, p / 2)
    if not with_df:
        normal: Floats = -ndtri(half)
        return normal
    rows.need_positive("df")
    quantile: Floats = -stdtrit(np.where(rows.dropped, np.nan, rows["df"]), half)
    return quantile


def _signs(favors: ArrayLike) -> list[float]:
    arms = raw_values(favors)
    if not set(arms) <= {"treated", "reference"}:
        raise InputError("favors names another arm; write 'treated' or 'reference', the arm with the longer survival")
    return [-1.0 if arm == "treated" else 1.0 for arm in arms]
