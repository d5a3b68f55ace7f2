"""Duval and Tweedie's trim and fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan, sqrt
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.numerics.distributions import critical_value, normal_two_sided
from counterpulse.results import Estimate, Interval, Provenance, Status
from counterpulse.results.provenance import Choice
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.engine.between_variance import COMMON, between_variance, estimator_named
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word, choice
from counterpulse.synthesis.pooling.study_input import read_studies
from counterpulse.synthesis.small_study.reading import FEW, FEW_NOTE, FEWEST, TOO_FEW_NOTE
from counterpulse.synthesis.small_study.weighted_line import weighted_line

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Side = Literal["left", "right"]
Estimator = Literal["L0", "R0", "Q0"]

SAME = 12
"""Decimals, in units of the largest, to which distances from the center are told apart."""

ROUNDS = 100
"""Rounds of trimming after which the number of missing studies is taken not to settle."""


@dataclass(frozen=True, slots=True)
class _Missing:
    """The number of missing studies before rounding, and its standard error."""

    raw: float
    std_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimAndFill:
    """Studies that a symmetric funnel would have, and the effect with them.

    Attributes
    ----------
    estimator : of the number of missing studies
    side : where they are missing
    k : studies given
    k0, se_k0 : missing studies, and the standard error of their number; nan where it is not defined. None where `k0` is
        not defined.
    k0_p_value : of the hypothesis that none is missing ("R0" only), else nan
    yi, vi, filled : effects and variances of the given and the filled studies, and which are filled, shape (k + k0,)
    pooled : the effect with the filled studies; `unadjusted` the one without
    tau2, q : variance between studies and Cochran's Q with the filled studies
    status : UNDEFINED where the estimator has no value ("Q0") or there are fewer than 3 studies; NOT_CONVERGED where the
        number does not settle
    """

    estimator: Estimator
    model: str
    side: Side
    k: int
    k0: int | None
    se_k0: float
    k0_p_value: float
    yi: Floats
    vi: Floats
    filled: Flags
    pooled: Estimate
    unadjusted: Estimate
    tau2: float
    q: float
    level: float
    status: Status
    notes: tuple[str, ...]
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The effect with the filled studies, then the one without."""
        return (self.pooled, self.unadjusted)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate."""
        return tidy(self.estimates())

    def funnel(self) -> pl.DataFrame:
        """The points of the funnel plot: effect, variance, and whether the study is filled."""
        return pl.DataFrame({"yi": self.yi, "vi": self.vi, "filled": self.filled})


def trim_and_fill(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    side: Side | None = None,
    estimator: Estimator = "L0",
    model: str = COMMON,
    level: float = LEVEL,
) -> TrimAndFill:
    """Trim the extreme studies of one side until the rest is symmetric, then fill in the mirror images of those trimmed.

    It is a sensitivity analysis: it assumes that asymmetry is due to studies that are missing on one side.

    Parameters
    ----------
    yi, vi : effects (ratios as logarithms) and sampling variances, shape (k,)
    side : where studies are missing. By default to the right if the effects fall with the standard error (slope of the
        meta-regression of the same model), else to the left.
    estimator : of the number missing: "L0" linear, "R0" length of the run of extreme studies, "Q0" quadratic
    model : "common" (also "EE", "FE"), or the estimator of the variance between studies (random effects, Wald interval)
    level : of the intervals

    Returns
    -------
    TrimAndFill

    Raises
    ------
    InputError : unequal lengths, variances that are not positive, a word that is not offered

    References
    ----------
    Duval and Tweedie 2000, doi:10.1111/j.0006-341X.2000.00455.x.
    """
    check_level(level)
    check_word(estimator, "estimator", get_args(Estimator))
    if side is not None:
        check_word(side, "side", get_args(Side))
    chosen = estimator_named(model)
    y, v = read_studies(yi, vi)
    away: Side = side or _emptier_side(y, v, chosen)
    sign = -1.0 if away == "right" else 1.0
    missing, k0, center = _trim(sign * y, v, chosen, estimator) if len(y) >= FEWEST else (_Missing(nan, nan), None, nan)
    status = Status.OK if k0 is not None else Status.NOT_CONVERGED if np.isfinite(missing.raw) else Status.UNDEFINED
    extreme = np.argsort(sign * y, kind="stable")[len(y) - (k0 or 0) :]
    all_y = np.concatenate([y, sign * (2 * center - sign * y[extreme])])
    all_v = np.concatenate([v, v[extreme]])
    notes = _notes(len(y), estimator, status)
    pooled, tau2, q = _pooled(all_y, all_v, chosen, level, "with filled studies", status, notes)
    unadjusted, _, _ = _pooled(y, v, chosen, level, "as given", Status.OK, ())
    return TrimAndFill(
        estimator=estimator, model=chosen, side=away, k=len(y), k0=k0, se_k0=missing.std_error,
        k0_p_value=0.5 ** (k0 + 1) if estimator == "R0" and k0 is not None else nan,
        yi=all_y, vi=all_v, filled=np.arange(len(all_y)) >= len(y), pooled=pooled, unadjusted=unadjusted, tau2=tau2, q=q,
        level=level, status=status, notes=notes, provenance=_provenance(side, away, estimator, chosen),
    )  # fmt: skip


def _emptier_side(y: Floats, v: Floats, model: str) -> Side:
    line = weighted_line(y, v, np.sqrt(v), estimator=model)
    return "right" if line is not None and line.slope < 0 else "left"


def _trim(y: Floats, v: Floats, model: str, estimator: Estimator) -> tuple[_Missing, int | None, float]:
    """Number missing on the left, and the effect about which the studies are mirrored; None where there is no number."""
    order = np.argsort(y, kind="stable")
    y, v = y[order], v[order]
    k0 = 0
    for _ in range(ROUNDS):
        kept = len(y) - k0
        center = _effect(y[:kept], v[:kept], model)
        missing = ESTIMATORS[estimator](y - center)
        if not np.isfinite(missing.raw):
            return missing, None, nan
        before, k0 = k0, min(max(0, round(missing.raw)), len(y) - 1)
        if k0 == before:
            return missing, k0, center
    return missing, None, nan


def _effect(y: Floats, v: Floats, model: str) -> float:
    tau2 = between_variance(y, v, estimator=model).tau2 if len(y) > 1 else 0.0
    return float(weighted_fit(y, v, tau2=tau2).coefficients[0, 0])


def _distances(centered: Floats) -> Floats:
    """Distances from the center, equal where they differ by rounding."""
    away = np.abs(centered)
    top = float(away.max())
    out: Floats = away if top == 0 else np.round(away / top, SAME)
    return out


def _rank_sum(centered: Floats) -> float:
    """Wilcoxon's sum of the ranks of the distances on the right; equal distances share their mean rank."""
    away = _distances(centered)
    ordered, right = np.sort(away), away[centered > 0]
    below, up_to = np.searchsorted(ordered, right, side="left"), np.searchsorted(ordered, right, side="right")
    return float((below + up_to + 1).sum()) / 2


def _variance_of_rank_sum(k: int, raw: float) -> float:
    """Variance of the Wilcoxon statistic with `raw` studies missing (Duval and Tweedie 2000, equation 4)."""
    within = k * (k + 1) * (2 * k + 1) + 10 * raw**3 + 27 * raw**2 + 17 * raw
    return (within - 18 * k * raw**2 - 18 * k * raw + 6 * k**2 * raw) / 24


def _linear(centered: Floats) -> _Missing:
    k = len(centered)
    raw = (4 * _rank_sum(centered) - k * (k + 1)) / (2 * k - 1)
    variance = _variance_of_rank_sum(k, raw)
    return _Missing(raw, 4 * sqrt(variance) / (2 * k - 1) if variance >= 0 else nan)


def _run(centered: Floats) -> _Missing:
    away = _distances(centered)
    furthest_left = float(away[centered < 0].max(initial=0.0))
    raw = float((away[centered > 0] > furthest_left).sum()) - 1
    return _Missing(raw, sqrt(2 * max(0.0, raw) + 2))


def _quadratic(centered: Floats) -> _Missing:
    k = len(centered)
    inside = 2 * k**2 - 4 * _rank_sum(centered) + 0.25
    if inside < 0:
        return _Missing(nan, nan)
    raw = k - 0.5 - sqrt(inside)
    variance, spread = _variance_of_rank_sum(k, raw), (k - 0.5) ** 2 - raw * (2 * k - raw - 1)
    return _Missing(raw, 2 * sqrt(variance / spread) if variance >= 0 and spread > 0 else nan)


ESTIMATORS: Mapping[Estimator, Callable[[Floats], _Missing]] = {"L0": _linear, "R0": _run, "Q0": _quadratic}


def _pooled(
    y: Floats, v: Floats, model: str, level: float, term: str, status: Status, notes: tuple[str, ...]
) -> tuple[Estimate, float, float]:
    """The pooled effect with its Wald interval, the variance between studies and Cochran's Q."""
    if status is not Status.OK:
        return Estimate(term=term, measure="pooled effect", value=nan, status=status, notes=notes), nan, nan
    tau2 = float(between_variance(y, v, estimator=model).tau2[0])
    fit = weighted_fit(y, v, tau2=0.0 if np.isnan(tau2) else tau2)
    value, error = float(fit.coefficients[0, 0]), sqrt(float(fit.covariance[0, 0, 0]))
    reach = critical_value(level) * error
    estimate = Estimate(
        term=term, measure="pooled effect", value=value, std_error=error, statistic=value / error, statistic_name="z",
        interval=Interval(value - reach, value + reach, level, "wald"), p_value=normal_two_sided(value / error),
        notes=notes,
    )  # fmt: skip
    return estimate, tau2, float(weighted_fit(y, v).q[0])


def _notes(k: int, estimator: Estimator, status: Status) -> tuple[str, ...]:
    notes = (TOO_FEW_NOTE,) if k < FEWEST else (FEW_NOTE,) if k < FEW else ()
    if status is Status.NOT_CONVERGED:
        return (*notes, "the number of missing studies does not settle; use another estimator")
    if status is Status.UNDEFINED and k >= FEWEST:
        return (*notes, f"{estimator} has no value: nearly all studies lie on one side; use L0 or R0")
    return notes


def _provenance(side: Side | None, away: Side, estimator: Estimator, model: str) -> Provenance:
    choices = (
        Choice("side", away, "derived" if side is None else "given", "duval-tweedie-2000"),
        choice("estimator", estimator, "L0"),
        choice("model", model, COMMON),
    )
    return Provenance("trim and fill", choices, ("duval-tweedie-2000", "sterne-2011"))
