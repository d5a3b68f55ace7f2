"""Proportions of one group and incidence rates of one or two groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.results import Choice, Provenance
from counterpulse.synthesis.effects.effect_rows import EffectRows, check_measure, chosen, effect_rows
from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows
from counterpulse.synthesis.effects.zero_cells import mark_corrected

Pair = tuple[Floats, Floats]
DOUBLE_ARCSINE_TRAP = (
    "The way back from the double arcsine of a pooled value needs one number of patients for studies of many sizes; with "
    "the harmonic mean it can be far from every study's proportion (Schwarzer 2019), so prefer the logit or a binomial model."
)


def proportions(
    events: ArrayLike, n: ArrayLike, *, measure: str = "PLO", zero_cells: str | None = None, add: float = 0.5
) -> EffectRows:
    """Proportions of one group a study.

    Parameters
    ----------
    events, n : counts, shape (k,)
    measure : "PR" (raw), "PLN" (log), "PLO" (logit), "PAS" (arcsine), "PFT" (double arcsine of Freeman and Tukey)
    zero_cells : "when-zero" (only studies in which nobody or everybody had the event), "all-if-any" or "never"; by
        default "when-zero", but "never" for PAS and PFT
    add : what is added to the events and to the patients without

    Raises
    ------
    InputError
        Unequal lengths, or a word that is not a choice.
    """
    name = check_measure(measure, tuple(PROPORTIONS))
    policy = zero_cells or ("never" if name in ("PAS", "PFT") else "when-zero")
    rows = PrintedRows(events=events, n=n)
    rows.need_events("events", "n")
    zero = (rows["events"] == 0) | (rows["events"] == rows["n"])
    marks = mark_corrected(rows, zero, policy=policy, add=add)
    x, size = rows["events"] + marks * add, rows["n"] + 2 * marks * add
    with np.errstate(divide="ignore", invalid="ignore"):
        yi, vi = PROPORTIONS[name](x, size)
    rows.flag(~(np.isfinite(yi) & (vi > 0)), "zero-cell", "nobody or everybody had the event, without a correction")
    assumed = (DOUBLE_ARCSINE_TRAP,) if name == "PFT" else ()
    provenance = _provenance("proportion", name, "PLO", policy, zero_cells, add)
    return effect_rows(rows, yi, vi, measure=name, corrected=marks, assumptions=assumed, provenance=provenance)


def incidence_rates(
    events: ArrayLike, person_time: ArrayLike, *, measure: str = "IRLN", zero_cells: str = "when-zero", add: float = 0.5
) -> EffectRows:
    """Incidence rates of one group a study: "IRLN" (log, variance 1/events) or "IR" (raw).

    Raises
    ------
    InputError
        Unequal lengths, or a word that is not a choice.
    """
    name = check_measure(measure, ("IRLN", "IR"))
    rows = PrintedRows(events=events, person_time=person_time)
    rows.need_counts("events")
    rows.need_positive("person_time")
    marks = mark_corrected(rows, rows["events"] == 0, policy=zero_cells, add=add)
    x, time = rows["events"] + marks * add, rows["person_time"]
    with np.errstate(divide="ignore", invalid="ignore"):
        yi, vi = (np.log(x / time), 1 / x) if name == "IRLN" else (x / time, x / time**2)
    rows.flag(~(np.isfinite(yi) & (vi > 0)), "zero-cell", "there are no events, without a correction")
    provenance = _provenance("incidence rate", name, "IRLN", zero_cells, zero_cells, add)
    return effect_rows(rows, yi, vi, measure=name, corrected=marks, provenance=provenance)


def rate_ratios(
    events_treated: ArrayLike,
    person_time_treated: ArrayLike,
    events_reference: ArrayLike,
    person_time_reference: ArrayLike,
    *,
    zero_cells: str = "when-zero",
    add: float = 0.5,
) -> EffectRows:
    """Log ratios of incidence rates; a study without events in either arm is dropped.

    Raises
    ------
    InputError
        Unequal lengths, or a word that is not a choice.
    """
    rows = PrintedRows(
        events_treated=events_treated, person_time_treated=person_time_treated,
        events_reference=events_reference, person_time_reference=person_time_reference,
    )  # fmt: skip
    rows.need_counts("events_treated", "events_reference")
    rows.need_positive("person_time_treated", "person_time_reference")
    none = (rows["events_treated"] == 0) & (rows["events_reference"] == 0)
    rows.flag(none, "double-zero", "no events in either arm")
    zero = (rows["events_treated"] == 0) | (rows["events_reference"] == 0)
    marks = mark_corrected(rows, zero, policy=zero_cells, add=add)
    a, c = rows["events_treated"] + marks * add, rows["events_reference"] + marks * add
    with np.errstate(divide="ignore", invalid="ignore"):
        yi = np.log(a / rows["person_time_treated"]) - np.log(c / rows["person_time_reference"])
        vi = 1 / a + 1 / c
    rows.flag(~np.isfinite(yi), "zero-cell", "an arm has no events, without a correction")
    provenance = _provenance("rate ratio", "IRR", "IRR", zero_cells, zero_cells, add)
    return effect_rows(rows, yi, vi, measure="IRR", corrected=marks, provenance=provenance)


def proportion_from_double_arcsine(value: ArrayLike, n: ArrayLike) -> Floats:
    """Proportions from Freeman and Tukey's double arcsine for one number of patients (Miller 1978, doi:10.2307/2682955).

    For a pooled value `n` is the harmonic mean of the sizes (see `harmonic_mean`); read `DOUBLE_ARCSINE_TRAP` first.
    Values beyond what 0 or n events give are held at 0 and 1.
    """
    t, size = np.broadcast_arrays(np.asarray(value, dtype=np.float64), np.asarray(n, dtype=np.float64))
    least, most = _double_arcsine(np.zeros_like(size), size)[0], _double_arcsine(size, size)[0]
    inner = np.clip(t, least, most)
    sine = np.sin(2 * inner)
    root = np.sqrt(np.clip(1 - (sine + (sine - 1 / sine) / size) ** 2, 0, None))
    back: Floats = np.where(t <= least, 0.0, np.where(t >= most, 1.0, (1 - np.sign(np.cos(2 * inner)) * root) / 2))
    return back


def harmonic_mean(n: ArrayLike) -> float:
    """The harmonic mean of the sizes of the studies.

    Raises
    ------
    InputError
        A size that is not above 0.
    """
    sizes = np.asarray(n, dtype=np.float64)
    if sizes.size == 0 or not (sizes > 0).all():
        raise InputError("a size is missing or not above 0; give the number of patients of every study")
    return float(sizes.size / (1 / sizes).sum())


def _raw(x: Floats, n: Floats) -> Pair:
    return x / n, x * (n - x) / n**3


def _log(x: Floats, n: Floats) -> Pair:
    return np.log(x / n), 1 / x - 1 / n


def _logit(x: Floats, n: Floats) -> Pair:
    return np.log(x / (n - x)), 1 / x + 1 / (n - x)


def _arcsine(x: Floats, n: Floats) -> Pair:
    return np.arcsin(np.sqrt(x / n)), 1 / (4 * n)


def _double_arcsine(x: Floats, n: Floats) -> Pair:
    return (np.arcsin(np.sqrt(x / (n + 1))) + np.arcsin(np.sqrt((x + 1) / (n + 1)))) / 2, 1 / (4 * n + 2)


def _provenance(method: str, measure: str, default: str, policy: str, given: str | None, add: float) -> Provenance:
    choices = (
        chosen("measure", measure, default),
        Choice("zero-cells", policy, "default" if given in (None, "when-zero") else "given"),
        chosen("add", add, 0.5),
    )
    return Provenance(method, choices)


PROPORTIONS: Mapping[str, Callable[[Floats, Floats], Pair]] = {
    "PR": _raw,
    "PLN": _log,
    "PLO": _logit,
    "PAS": _arcsine,
    "PFT": _double_arcsine,
}
