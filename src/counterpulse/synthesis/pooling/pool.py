"""One effect from several studies by inverse variance weights: the common effect and the random effects model."""

from __future__ import annotations

from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.results.estimate import Interval, Scale
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status
from counterpulse.synthesis.engine.between_variance import COMMON, variance_of
from counterpulse.synthesis.engine.heterogeneity import (
    Heterogeneity,
    fit_statistics,
    heterogeneity_of,
    i2_interval,
    variance_std_error,
)
from counterpulse.synthesis.engine.likelihood import Mode, modes_of
from counterpulse.synthesis.engine.paule_mandel import profile_ends
from counterpulse.synthesis.engine.studies import Studies, studies_of
from counterpulse.synthesis.engine.weighted_fit import WeightedFit, weighted_fit
from counterpulse.synthesis.pooling.asked import check_level
from counterpulse.synthesis.pooling.conventions import FROM_Q, Q_PROFILE, Chosen, choose
from counterpulse.synthesis.pooling.intervals import HARTUNG_KNAPP, WALD, inference
from counterpulse.synthesis.pooling.pooled_effect import PooledEffect
from counterpulse.synthesis.pooling.prediction_intervals import prediction_interval
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]

NO_WIDTH = 1e-7
"""A standard error below this share of that of known weights is rounding: equal effects leave Hartung and Knapp none."""


def pool(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    tau2: str | None = None,
    interval: str | None = None,
    level: float = 0.95,
    prediction: str | None = None,
    tau2_interval: str | None = None,
    convention: str | None = None,
    measure: str = "effect",
    scale: Scale = "identity",
) -> PooledEffect:
    """Pool the effects of a review.

    Parameters
    ----------
    yi : effects, shape (k,); ratios as logarithms
    vi : their sampling variances, shape (k,), taken as known
    tau2 : estimator of the variance between studies: "REML" (default), "DL", "PM", "ML", "EB", "SJ", "HS", "HE", "HSk",
        "PMM", "DL2", or "common" (also "EE", "FE") for one common effect; in any case
    interval : "hartung-knapp" (default of random effects), "wald" (default of the common effect), "t",
        "hartung-knapp-truncated", "hartung-knapp-wider", "kenward-roger"
    level : of every interval
    prediction : "HK", "HK-trunc", "k-1", "HTS", "HK-PR", "KR", "KR-PR", "normal" or "none"; by default the one beside `interval`
    tau2_interval : "q-profile" (default) or "none"
    convention : "cochrane-2025", "revman-5.4", "metafor" or "meta-6" fill what is not given
    measure, scale : what the effect is called, and its scale, in `.estimates()`

    Raises
    ------
    InputError : a study without effect, a variance that is not positive, no study, or a name that does not exist

    Notes
    -----
    The likelihood estimators give the global mode and report every local one. One study gives its own effect with
    ``Status.ONE_STUDY``.

    References
    ----------
    Veroniki 2016, doi:10.1002/jrsm.1164; IntHout 2014, doi:10.1186/1471-2288-14-25; Viechtbauer 2007,
    doi:10.1002/sim.2514.
    """
    y, v = read_studies(yi, vi)
    check_level(level)
    chosen = choose(
        tau2=tau2,
        interval=interval,
        prediction=prediction,
        convention=convention,
        level=level,
        tau2_interval=tau2_interval,
    )
    return (
        _one_study(y, v, chosen, level, measure, scale) if len(y) == 1 else _pooled(y, v, chosen, level, measure, scale)
    )


def _pooled(y: Floats, v: Floats, chosen: Chosen, level: float, measure: str, scale: Scale) -> PooledEffect:
    studies = studies_of(y, v)
    between, modes = _between(studies, chosen.tau2)
    at = np.array([between])
    fit = weighted_fit(y, v, tau2=between)
    mean = inference(fit, chosen.interval, level)
    spread = heterogeneity_of(studies, at, chosen.tau2)
    quality = fit_statistics(studies, at, chosen.tau2)
    profile = _profile(studies, level) if chosen.tau2_interval == Q_PROFILE else None
    width = float(mean.std_error[0, 0])
    defined = width > NO_WIDTH * float(np.sqrt(fit.covariance[0, 0, 0]))
    i2 = float((spread.q_i2 if chosen.i2 == FROM_Q else spread.i2)[0])
    return PooledEffect(
        effect=float(fit.coefficients[0, 0]), std_error=width if defined else nan,
        interval=Interval(float(mean.low[0, 0]), float(mean.high[0, 0]), level, chosen.interval) if defined else None,
        statistic=float(mean.statistic[0, 0]) if defined else nan, df=float(mean.df[0, 0]),
        p_value=float(mean.p_value[0, 0]) if defined else nan, tau2=between, tau2_std_error=float(variance_std_error(studies, at, chosen.tau2)[0]), tau2_interval=profile,
        tau2_status=Status.OK, q=float(spread.q[0]), q_df=len(y) - 1, q_p_value=float(spread.p_value[0]), i2=i2,
        i2_interval=_i2_interval(spread, profile, chosen, level),
        h2=float((spread.q_h2 if chosen.i2 == FROM_Q else spread.h2)[0]), weights=fit.weights[0] / fit.weights[0].sum(),
        prediction_interval=prediction_interval(fit, between, chosen.prediction, level) if defined else None, k=len(y), modes=modes,
        log_likelihood=float(quality.log_likelihood[0]), aic=float(quality.aic[0]), aicc=float(quality.aicc[0]),
        bic=float(quality.bic[0]), yi=y, vi=v, estimator=chosen.tau2, interval_name=chosen.interval,
        prediction_name=chosen.prediction, level=level, measure=measure, scale=scale, status=Status.OK if defined else Status.ZERO_VARIANCE,
        notes=_notes(fit, between, modes, profile, chosen), provenance=_provenance(chosen),
    )  # fmt: skip


def _between(studies: Studies, estimator: str) -> tuple[float, tuple[Mode, ...]]:
    if estimator in ("ML", "REML"):
        modes = modes_of(studies, restricted=estimator == "REML")
        return modes[0].tau2, modes
    return float(variance_of(studies, estimator).tau2[0]), ()


def _profile(studies: Studies, level: float) -> Interval:
    low, high = profile_ends(studies, level)
    return Interval(float(low[0]), float(high[0]), level, Q_PROFILE)


def _i2_interval(spread: Heterogeneity, profile: Interval | None, chosen: Chosen, level: float) -> Interval | None:
    """I2 at the ends of the interval of tau2; test-based where I2 is from Q."""
    if chosen.i2 == FROM_Q or chosen.tau2 == COMMON:
        ends = i2_interval(spread.q, spread.df, level)
        low, high = float(ends[0][0]), float(ends[1][0])
        return Interval(low, high, level, "test-based") if np.isfinite(low + high) else None
    if profile is None:
        return None
    typical = float(spread.typical_variance[0])
    return Interval(profile.low / (profile.low + typical), profile.high / (profile.high + typical), level, Q_PROFILE)


def _notes(
    fit: WeightedFit, tau2: float, modes: tuple[Mode, ...], profile: Interval | None, chosen: Chosen
) -> tuple[str, ...]:
    notes = []
    k, scale = fit.weights.shape[1], float(fit.scale[0])
    if k == 2 and chosen.interval.startswith(HARTUNG_KNAPP):
        notes.append("with two studies the Hartung-Knapp interval has one degree of freedom and is very wide")
    if chosen.interval == HARTUNG_KNAPP and scale < NO_WIDTH**2:
        notes.append('the effects are equal, so there is no Hartung-Knapp interval; use "hartung-knapp-wider"')
    elif chosen.interval == HARTUNG_KNAPP and scale < 1 and tau2 == 0:
        notes.append(
            "the studies differ less than their variances let expect, so the Hartung-Knapp standard error is below that of "
            'known weights; "hartung-knapp-wider" and "hartung-knapp-truncated" prevent this'
        )
    if len(modes) > 1:
        others = ", ".join(f"{mode.tau2:.4g}" for mode in modes[1:])
        notes.append(f"the likelihood has {len(modes)} modes; the highest is used, and tau2 at the others is {others}")
    if profile is not None and profile.high == 0:
        notes.append(
            "even the upper end of the interval of tau2 is below zero: the studies differ less than chance would make them"
        )
    if chosen.tau2 != COMMON and tau2 > 0 and k < 5:
        notes.append("with fewer than five studies the variance between studies is hardly known")
    return tuple(notes)


def _provenance(chosen: Chosen) -> Provenance:
    cited = (choice.reference for choice in chosen.choices if choice.reference)
    method = "common effect, inverse variance" if chosen.tau2 == COMMON else "random effects, inverse variance"
    return Provenance(method, chosen.choices, tuple(dict.fromkeys(cited)))


def _one_study(y: Floats, v: Floats, chosen: Chosen, level: float, measure: str, scale: Scale) -> PooledEffect:
    """The study's own effect with its Wald interval; nothing is known of other studies."""
    fit = weighted_fit(y, v)
    mean = inference(fit, WALD, level)
    common = chosen.tau2 == COMMON
    return PooledEffect(
        effect=float(y[0]), std_error=float(mean.std_error[0, 0]),
        interval=Interval(float(mean.low[0, 0]), float(mean.high[0, 0]), level, WALD),
        statistic=float(mean.statistic[0, 0]), df=float(mean.df[0, 0]), p_value=float(mean.p_value[0, 0]),
        tau2=0.0 if common else nan, tau2_std_error=nan, tau2_interval=None,
        tau2_status=Status.OK if common else Status.ONE_STUDY, q=0.0, q_df=0, q_p_value=nan, i2=nan, i2_interval=None,
        h2=nan, weights=np.ones(1), prediction_interval=None, k=1, modes=(), log_likelihood=nan, aic=nan, aicc=nan,
        bic=nan, yi=y, vi=v, estimator=chosen.tau2, interval_name=WALD, prediction_name=chosen.prediction, level=level,
        measure=measure, scale=scale, status=Status.ONE_STUDY,
        notes=("one study: this is its own effect, with its Wald interval",), provenance=_provenance(chosen),
    )  # fmt: skip
