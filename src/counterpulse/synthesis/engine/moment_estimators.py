"""Variances between studies in closed form: a quadratic form of the effects set equal to what is expected of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.projection import project
from counterpulse.synthesis.engine.studies import Studies

Floats = NDArray[np.float64]


def general_moment(studies: Studies, w: Floats) -> Floats:
    """``(y'Py - tr(PV)) / tr(P)`` with P of any fixed weights `w` (k, B), cut at 0 (DerSimonian and Kacker 2007)."""
    fit = project(studies, w)
    return _cut((fit.quadratic() - fit.trace(studies.finite_v)) / fit.trace())


def der_simonian_laird(studies: Studies) -> Floats:
    """Method of moments with the weights of the common effect model (DerSimonian and Laird 1986)."""
    fit = project(studies, 1 / studies.v)
    return _cut((fit.quadratic() - studies.df) / fit.trace())


def two_step_der_simonian_laird(studies: Studies) -> Floats:
    """Method of moments with the weights of the first DerSimonian-Laird step (DerSimonian and Kacker 2007)."""
    return general_moment(studies, 1 / (studies.v + der_simonian_laird(studies)))


def hedges(studies: Studies) -> Floats:
    """Method of moments with equal weights (Hedges and Olkin 1985; also Cochran 1954)."""
    return general_moment(studies, np.isfinite(studies.v).astype(float))


def hunter_schmidt(studies: Studies, *, small_sample: bool = False) -> Floats:
    """``(y'Py - k) / sum(w)``; with the factor k / (k - p) on the quadratic form for small samples (Brannick et al. 2019)."""
    w = 1 / studies.v
    quadratic = project(studies, w).quadratic() * (studies.k / _over(studies.df) if small_sample else 1.0)
    return _cut((quadratic - studies.k) / w.sum(axis=0))


def sidik_jonkman(studies: Studies) -> Floats:
    """Scale the crude variance of the effects by the weighted residuals it leaves (Sidik and Jonkman 2005)."""
    quadratic = project(studies, 1 / (studies.v + studies.crude)).quadratic()
    return studies.crude * quadratic / _over(studies.df)


def _over(df: Floats) -> Floats:
    return np.where(df > 0, df, np.nan)


def _cut(value: Floats) -> Floats:
    return np.maximum(value, 0.0)
