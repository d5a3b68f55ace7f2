"""Explicit conversions of one measure into another: each says in words what it assumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value
from counterpulse.results import Choice, Provenance
from counterpulse.synthesis.effects.effect_rows import MEASURES, EffectRows, check_measure, chosen, effect_rows
from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows
from counterpulse.synthesis.pooling.asked import check_level, check_word

COX_FACTOR = 1.65
LOGISTIC_FACTOR = pi / sqrt(3)
FACTORS = {"hasselblad-hedges": LOGISTIC_FACTOR, "cox": COX_FACTOR}
ZHANG_YU_CAUTION = (
    "an adjusted odds ratio and one crude baseline risk do not give the adjusted risk ratio: the formula is biased under "
    "confounding (McNutt 2003)"
)
BASELINE = "the reference group's risk is the one given, without uncertainty"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Converted:
    """Effects after a conversion.

    Attributes
    ----------
    effects : on the new measure, with delta-method variances; `effects.assumptions` says what was assumed
    source, target : measures
    low, high : confidence limits of the source taken through the conversion, on the scale of `effects.yi`, shape (k,)
    level : of the limits
    """

    effects: EffectRows
    source: str
    target: str
    low: Floats
    high: Floats
    level: float


def odds_to_risk_ratio(
    yi: ArrayLike, vi: ArrayLike, *, reference_risk: ArrayLike, adjusted: bool = False, level: float = 0.95
) -> Converted:
    """Log risk ratios from log odds ratios: RR = OR / (1 - p0 + p0 OR), p0 the risk of the reference group.

    Parameters
    ----------
    yi, vi : log odds ratios and variances, shape (k,)
    reference_risk : stated risk of the reference group, one or one a row, between 0 and 1
    adjusted : whether the odds ratios are adjusted for confounders; then the caution of Zhang and Yu is added

    Raises
    ------
    InputError
        Unequal lengths or a level outside (0, 1).

    References
    ----------
    Zhang and Yu 1998, doi:10.1001/jama.280.19.1690; McNutt 2003, doi:10.1093/aje/kwg074.
    """
    rows = _rows(yi, vi, reference_risk)
    p, odds_ratio = rows["reference_risk"], np.exp(rows["yi"])
    slope = (1 - p) / (1 - p + p * odds_ratio)
    return _converted(
        rows, lambda y: y - np.log1p(p * np.expm1(y)), slope,
        source="OR", target="RR", level=level,
        assumptions=(BASELINE, *((ZHANG_YU_CAUTION,) if adjusted else ())), citations=("zhang-yu-1998", "mcnutt-2003") if adjusted else ("zhang-yu-1998",),
    )  # fmt: skip


def risk_to_odds_ratio(yi: ArrayLike, vi: ArrayLike, *, reference_risk: ArrayLike, level: float = 0.95) -> Converted:
    """Log odds ratios from log risk ratios: OR = RR (1 - p0) / (1 - p0 RR); rows with p0 RR of 1 or more are dropped.

    A limit whose risk reaches 1 is infinite.
    """
    rows = _rows(yi, vi, reference_risk)
    p = rows["reference_risk"]
    rows.flag(p * np.exp(rows["yi"]) >= 1, "risk-too-high", "the risk ratio takes the reference risk to 1 or more")

    def convert(y: Floats) -> Floats:
        remaining = 1 - p * np.exp(y)
        return np.where(remaining > 0, y + np.log1p(-p) - np.log(np.where(remaining > 0, remaining, 1.0)), np.inf)

    with np.errstate(divide="ignore", invalid="ignore"):
        slope = 1 / (1 - p * np.exp(rows["yi"]))
    return _converted(rows, convert, slope, source="RR", target="OR", level=level, assumptions=(BASELINE,))


def hazard_to_risk_ratio(yi: ArrayLike, vi: ArrayLike, *, reference_risk: ArrayLike, level: float = 0.95) -> Converted:
    """Log risk ratios by a time from log hazard ratios: RR = (1 - (1 - p0)^HR) / p0."""
    rows = _rows(yi, vi, reference_risk)
    hazard = -np.log1p(-rows["reference_risk"])
    of_treated = hazard * np.exp(rows["yi"])
    slope = of_treated * np.exp(-of_treated) / -np.expm1(-of_treated)
    return _converted(
        rows, lambda y: np.log(-np.expm1(-hazard * np.exp(y))) - np.log(rows["reference_risk"]), slope,
        source="HR", target="RR", level=level, assumptions=_hazard_assumptions(),
    )  # fmt: skip


def hazard_to_odds_ratio(yi: ArrayLike, vi: ArrayLike, *, reference_risk: ArrayLike, level: float = 0.95) -> Converted:
    """Log odds ratios by a time from log hazard ratios: the treated risk is 1 - (1 - p0)^HR."""
    rows = _rows(yi, vi, reference_risk)
    hazard = -np.log1p(-rows["reference_risk"])
    of_treated = hazard * np.exp(rows["yi"])
    slope = of_treated / -np.expm1(-of_treated)
    return _converted(
        rows, lambda y: _log_odds_of_hazard(hazard * np.exp(y)) - _log_odds_of_hazard(hazard), slope,
        source="HR", target="OR", level=level, assumptions=_hazard_assumptions(),
    )  # fmt: skip


def odds_ratio_to_smd(
    yi: ArrayLike, vi: ArrayLike, *, method: str = "hasselblad-hedges", level: float = 0.95
) -> Converted:
    """Standardized mean differences from log odds ratios: times sqrt(3)/pi (logistic) or 1/1.65 (Cox)."""
    return _scaled(yi, vi, method=method, level=level, source="OR", target="SMD")


def smd_to_odds_ratio(
    yi: ArrayLike, vi: ArrayLike, *, method: str = "hasselblad-hedges", level: float = 0.95
) -> Converted:
    """Log odds ratios from standardized mean differences: times pi/sqrt(3) (logistic) or 1.65 (Cox)."""
    return _scaled(yi, vi, method=method, level=level, source="SMD", target="OR")


def opposite_outcome(yi: ArrayLike, vi: ArrayLike, *, measure: str, level: float = 0.95) -> Converted:
    """The effect on the complement of the event (survival into mortality): an odds ratio is inverted, a difference negated.

    Raises
    ------
    InputError
        A risk, rate or hazard ratio: that of the complement is another number, which only the counts give.
    """
    allowed = ("OR", "PETO", "RD", "PHI", "YUQ", "YUY", "AS", "RTET")
    if measure.upper() not in allowed:
        raise InputError(
            f"measure is {measure!r}, which the complement of the event does not invert; recompute it from the counts "
            f"(possible for {', '.join(allowed)})"
        )
    return _negated(yi, vi, measure.upper(), level, "the event was replaced by its complement in both groups")


def opposite_groups(yi: ArrayLike, vi: ArrayLike, *, measure: str, level: float = 0.95) -> Converted:
    """The effect with the two groups exchanged: a ratio is inverted, a difference negated.

    Raises
    ------
    InputError
        A measure of one group.
    """
    name = check_measure(measure, tuple(m for m in MEASURES if m not in ONE_GROUP))
    return _negated(yi, vi, name, level, "the groups were exchanged")


def _rows(yi: ArrayLike, vi: ArrayLike, reference_risk: ArrayLike) -> PrintedRows:
    rows = PrintedRows(yi=yi, vi=vi, reference_risk=reference_risk)
    rows.need_positive("vi")
    rows.need_within("reference_risk", 0, 1)
    for name in ("yi", "vi", "reference_risk"):
        rows[name][rows.dropped] = np.nan
    return rows


def _converted(
    rows: PrintedRows,
    convert: Callable[[Floats], Floats],
    slope: Floats,
    *,
    source: str,
    target: str,
    level: float,
    assumptions: tuple[str, ...],
    choices: tuple[Choice, ...] = (),
    citations: tuple[str, ...] = (),
) -> Converted:
    """The converted point, its delta-method variance, and the source's limits taken through the same (monotone) function."""
    check_level(level)
    reach = critical_value(level) * np.sqrt(rows["vi"])
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        point, low, high = (convert(values) for values in (rows["yi"], rows["yi"] - reach, rows["yi"] + reach))
    provenance = Provenance(f"conversion of {source} to {target}", choices, citations)
    words = (f"{MEASURES[source][0]} converted to {MEASURES[target][0]}", *assumptions)
    effects = effect_rows(rows, point, slope**2 * rows["vi"], measure=target, assumptions=words, provenance=provenance)
    low, high = (np.where(effects.dropped, np.nan, ends(low, high)) for ends in (np.minimum, np.maximum))
    return Converted(effects=effects, source=source, target=target, low=low, high=high, level=level)


def _negated(yi: ArrayLike, vi: ArrayLike, measure: str, level: float, assumed: str) -> Converted:
    rows = PrintedRows(yi=yi, vi=vi)
    rows.need_positive("vi")
    rows["vi"][rows.dropped] = np.nan
    minus = np.full(rows.k, -1.0)
    return _converted(rows, np.negative, minus, source=measure, target=measure, level=level, assumptions=(assumed,))


def _scaled(yi: ArrayLike, vi: ArrayLike, *, method: str, level: float, source: str, target: str) -> Converted:
    check_word(method, "method", tuple(FACTORS))
    factor = FACTORS[method] if source == "SMD" else 1 / FACTORS[method]
    rows = PrintedRows(yi=yi, vi=vi)
    rows.need_positive("vi")
    rows["vi"][rows.dropped] = np.nan
    latent = "logistic" if method == "hasselblad-hedges" else "normal"
    assumed = (
        f"the binary outcome is a continuous one with a {latent} distribution of equal variance, cut at a threshold"
    )
    return _converted(
        rows, lambda y: factor * y, np.full(rows.k, factor), source=source, target=target, level=level,
        assumptions=(assumed,), choices=(chosen("method", method, "hasselblad-hedges"),), citations=("hasselblad-hedges-1995", "chinn-2000"),
    )  # fmt: skip


def _hazard_assumptions() -> tuple[str, ...]:
    return (
        "the reference group's risk by the end of follow-up is the one given, without uncertainty",
        "the hazards are proportional up to that time",
    )


def _log_odds_of_hazard(cumulative: Floats) -> Floats:
    """Log odds of the risk 1 - exp(-H): log(exp(H) - 1), without its overflow."""
    odds: Floats = cumulative + np.log(-np.expm1(-cumulative))
    return odds


ONE_GROUP = frozenset({"PR", "PLN", "PLO", "PAS", "PFT", "IR", "IRLN", "COR", "ZCOR"})
