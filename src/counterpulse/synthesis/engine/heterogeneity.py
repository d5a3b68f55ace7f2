"""How much of the spread of the effects is between studies: Q, I2, H2, and the precision of the variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from counterpulse.synthesis.engine.between_variance import COMMON, estimator_named
from counterpulse.synthesis.engine.likelihood import log_likelihood
from counterpulse.synthesis.engine.projection import project
from counterpulse.synthesis.engine.studies import Studies, studies_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Heterogeneity of B sets of studies; every array has shape (B,).

    Attributes
    ----------
    q, df, p_value : Cochran's Q, its degrees of freedom, and P(chi-squared >= Q)
    typical_variance : ``df / tr(P)`` at tau2 = 0, what a typical study has within itself (Higgins and Thompson 2002)
    i2, h2 : ``tau2 / (tau2 + typical_variance)`` and ``1 + tau2 / typical_variance``; in the common effect model from Q
    q_i2, q_h2 : ``max(0, 1 - df / Q)`` and ``Q / df``
    """

    q: Floats
    df: Floats
    p_value: Floats
    typical_variance: Floats
    i2: Floats
    h2: Floats
    q_i2: Floats
    q_h2: Floats


def heterogeneity(
    y: ArrayLike, v: ArrayLike, x: ArrayLike | None = None, *, tau2: ArrayLike, estimator: str
) -> Heterogeneity:
    """Measure heterogeneity given the variance between studies; shapes as in `between_variance`."""
    return heterogeneity_of(studies_of(y, v, x), np.atleast_1d(np.asarray(tau2, dtype=float)), estimator)


def heterogeneity_of(studies: Studies, tau2: Floats, estimator: str) -> Heterogeneity:
    """The same for sets already laid out."""
    fit = project(studies, 1 / studies.v)
    df = np.where(studies.df > 0, studies.df, np.nan)
    q = fit.quadratic()
    with np.errstate(divide="ignore", invalid="ignore"):
        q_h2 = q / df
        q_i2 = np.where(q > 0, np.maximum(0.0, 1 - df / q), 0.0 * df)
        typical = df / fit.trace()
        i2, h2 = (q_i2, q_h2) if estimator_named(estimator) == COMMON else (tau2 / (tau2 + typical), 1 + tau2 / typical)
    return Heterogeneity(q, studies.df, special.chdtrc(df, q), typical, i2, h2, q_i2, q_h2)


def i2_interval(q: Floats, df: Floats, level: float) -> tuple[Floats, Floats]:
    """Test-based interval of the I2 from Q, ends of shape (B,) (Higgins and Thompson 2002, doi:10.1002/sim.1186)."""
    k = df + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        h = np.sqrt(np.maximum(q / df, 1.0))
        large = 0.5 * (np.log(q) - np.log(df)) / (np.sqrt(2 * q) - np.sqrt(2 * df - 1))
        small = np.sqrt(1 / (2 * (k - 2)) * (1 - 1 / (3 * (k - 2) ** 2)))
        error = np.where(q > k, large, small)
        reach = -special.ndtri((1 - level) / 2) * error
        ends = [np.maximum(h * np.exp(side * reach), 1.0) for side in (-1, 1)]
    return 1 - 1 / ends[0] ** 2, 1 - 1 / ends[1] ** 2


def variance_std_error(studies: Studies, tau2: Floats, estimator: str) -> Floats:
    """Standard error of the variance between studies, shape (B,): the information, or the exact variance of the form.

    Sources: Viechtbauer 2005, doi:10.3102/10769986030003261 (DL, HE, HS, ML, REML); Morris 1983 (EB, and PM that solves the same equation).
    """
    name = estimator_named(estimator)
    fit = project(studies, np.where(np.isfinite(studies.v), 1 / (studies.finite_v + tau2), 0.0))
    df = np.where(studies.df > 0, studies.df, np.nan)
    if name == "REML":
        return np.sqrt(2 / fit.trace_of_square())
    if name == "ML":
        return np.sqrt(2 / fit.weight_square_sum())
    if name in ("EB", "PM", "PMM"):
        return np.sqrt(2 * studies.k**2 / df) / fit.weight_sum()
    return _form_std_error(studies, tau2, name)


def _form_std_error(studies: Studies, tau2: Floats, name: str) -> Floats:
    """A multiple of the standard deviation of ``y'Ay``: ``sqrt(2 tr(A S A S))`` with S the marginal covariance."""
    spread = studies.finite_v + tau2
    present = np.isfinite(studies.v)
    df = np.where(studies.df > 0, studies.df, np.nan)
    if name == "HE":
        form, factor = project(studies, present.astype(float)), 1 / df
    elif name == "SJ":
        form, factor = project(studies, 1 / (studies.v + studies.crude)), studies.crude / df
    elif name == COMMON or name == "DL2":
        return np.full(len(df), np.nan)
    else:
        form = project(studies, 1 / studies.v)
        factor = 1 / form.trace() if name == "DL" else 1 / form.weight_sum()
        factor = factor * (studies.k / df if name == "HSk" else 1.0)
    return factor * np.sqrt(2 * form.trace_of_square(np.where(present, spread, 0.0)))


@dataclass(frozen=True, slots=True)
class Fit:
    """Log-likelihood and information criteria of B sets, shape (B,) each; restricted for REML."""

    log_likelihood: Floats
    aic: Floats
    aicc: Floats
    bic: Floats


def fit_statistics(studies: Studies, tau2: Floats, estimator: str) -> Fit:
    """Judge the fit at `tau2`; the common effect model has one parameter less."""
    name = estimator_named(estimator)
    restricted = name == "REML"
    value = log_likelihood(studies, tau2, restricted=restricted)
    parameters = studies.p + (name != COMMON)
    n = studies.df if restricted else studies.k
    held = np.maximum(n, parameters + 2)
    return Fit(
        log_likelihood=value, aic=2 * parameters - 2 * value,
        aicc=2 * parameters * held / (held - parameters - 1) - 2 * value,
        bic=parameters * np.log(np.where(n > 0, n, np.nan)) - 2 * value,
    )  # fmt: skip
