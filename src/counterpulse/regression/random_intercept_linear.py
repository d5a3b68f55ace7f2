"""Linear regression with a random intercept for each cluster, by restricted or full maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, pi
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import cluster_sums, inverse_symmetric
from counterpulse.regression.fit import ScaledFit, full_parameters, no_parameters
from counterpulse.regression.model_rows import (
    ScaledDesign,
    check_level,
    read_rows,
    scaled_design,
    single_level_terms,
    spec_of_no_rows,
)
from counterpulse.regression.outcome import number
from counterpulse.regression.random_intercept_fit import CONDITIONAL, Between, RandomInterceptFit
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Method = Literal["REML", "ML"]

GRID = np.concatenate([[0.0], np.logspace(-8, 8, 65)])
"""Ratios of variances at which the profile is looked at before its maximum is solved for; never one peak is believed."""


@dataclass(frozen=True, slots=True)
class Sums:
    """All that the likelihood needs: within-cluster products and cluster means of ``[X, y]``, shape (n, k + 1).

    Attributes
    ----------
    within : ``sum (z - mean_g)(z - mean_g)'``, shape (k + 1, k + 1)
    means : shape (G, k + 1)
    sizes : shape (G,)
    restricted : whether the likelihood is the restricted one
    """

    within: Floats
    means: Floats
    sizes: Floats
    restricted: bool

    @property
    def k(self) -> int:
        """Columns of X."""
        return int(self.means.shape[1]) - 1

    @property
    def residual_rows(self) -> float:
        """Rows, less coefficients where restricted."""
        return float(self.sizes.sum()) - (self.k if self.restricted else 0)

    def at(self, ratio: float) -> Profile:
        """Everything at a ratio of the variance between to the variance within."""
        shrunk = 1 + ratio * self.sizes
        products = self.within + (self.means.T * (self.sizes / shrunk)) @ self.means
        bread = inverse_symmetric(products[:-1, :-1])
        beta = bread @ products[:-1, -1]
        squares = float(products[-1, -1] - products[:-1, -1] @ beta)
        sums = self.means * (self.sizes / shrunk)[:, None]
        pulls = sums[:, -1] - sums[:, :-1] @ beta
        value = self.residual_rows * (log(2 * pi * squares / self.residual_rows) + 1) + float(np.log(shrunk).sum())
        if self.restricted:
            value -= float(np.linalg.slogdet(bread)[1])
        return Profile(ratio, beta, bread, squares / self.residual_rows, -value / 2, pulls, sums[:, :-1], shrunk)

    def score(self, ratio: float) -> float:
        """Derivative of the profile log-likelihood in the ratio."""
        here = self.at(ratio)
        slope = float((here.pulls**2).sum()) / here.variance - float((self.sizes / here.shrunk).sum())
        if self.restricted:
            slope += float((here.sums * (here.sums @ here.bread)).sum())
        return slope / 2


@dataclass(frozen=True, slots=True)
class Profile:
    """The fit at a ratio of variances; V is the covariance of the rows in units of the residual variance.

    Attributes
    ----------
    beta, bread : coefficients (k,) and the inverse of X'V^-1 X (k, k)
    variance, value : residual variance and log-likelihood
    pulls, sums, shrunk : by cluster, ``Z'V^-1 r`` (G,), ``Z'V^-1 X`` (G, k) and ``1 + ratio n_g`` (G,)
    """

    ratio: float
    beta: Floats
    bread: Floats
    variance: float
    value: float
    pulls: Floats
    sums: Floats
    shrunk: Floats


@dataclass(frozen=True, slots=True)
class VarianceUncertainty:
    """Satterthwaite degrees of freedom by the uncertainty of the two variances (R: lmerTest).

    Attributes
    ----------
    bread : shape (k, k); `variance` times it is the covariance
    slope : minus derivative of the inverse of `bread` in the ratio, shape (k, k)
    covariance : of (ratio, residual variance), shape (2, 2)
    """

    bread: Floats
    slope: Floats
    variance: float
    covariance: Floats

    def df(self, contrast: Floats) -> float:
        """Of a linear combination of the coefficients, shape (k,)."""
        lever = self.bread @ contrast
        gradient = np.array([self.variance * (lever @ self.slope @ lever), contrast @ lever])
        size = self.variance * float(contrast @ lever)
        return 2 * size**2 / float(gradient @ self.covariance @ gradient)

    def joint(self, contrasts: Floats) -> tuple[float, float]:
        """Fai and Cornelius: the principal contrasts, each with degrees of freedom of its own."""
        _, vectors = np.linalg.eigh(contrasts @ self.bread @ contrasts.T)
        own = np.array([self.df(vector @ contrasts) for vector in vectors.T])
        q = len(own)
        if (own <= 2).any():
            return 1.0, 2.0
        expected = float((own / (own - 2)).sum())
        return 1.0, 2 * expected / (expected - q)


def mixed_linear(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    cluster: str | ArrayLike,
    method: Method = "REML",
    level: float = 0.95,
) -> RandomInterceptFit:
    """Mean differences of a numeric outcome between patients of the same cluster.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : a numeric column
    terms : column names or `Numeric`, `Categorical`, `Interaction`
    cluster : column or array of labels, shape (n,)
    method : restricted (REML) or full (ML) maximum likelihood

    Raises
    ------
    InputError : a column is absent or cannot be used, or the method is not known

    Notes
    -----
    ``y = X beta + b_g + e`` with normal, independent b and e. The likelihood is profiled to the ratio of the two
    variances, in closed form by cluster, and its maximum is a root of the score. Tests and intervals are t with
    Satterthwaite's degrees of freedom (R: lmerTest, with derivatives by formula). Where the variance between clusters is
    zero the coefficients are those of least squares and keep their values, the degrees of freedom are rows less
    coefficients, and the row of the variance has ``Status.ZERO_RANDOM_VARIANCE``.

    References
    ----------
    Laird and Ware 1982, doi:10.2307/2529876; Bates 2015, doi:10.18637/jss.v067.i01; Kuznetsova 2017,
    doi:10.18637/jss.v082.i13.
    """
    if method not in ("REML", "ML"):
        raise InputError(f"the method {method!r} is not known; it is 'REML' or 'ML'")
    check_level(level)
    rows = read_rows(table, outcome=outcome, terms=terms, weights=None, cluster=cluster)
    y = number(rows.column(table, outcome))
    blank = RandomInterceptFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, rows=rows, robust=False,
        provenance=_provenance(method), measure="mean difference",
        cluster_name=cluster if isinstance(cluster, str) else "cluster",
    )  # fmt: skip
    if rows.n == 0:
        return blank.unfitted(spec_of_no_rows(table, terms), Status.NO_ROWS)
    design = scaled_design(table, rows, terms)
    blank = replace(blank, single_level=single_level_terms(terms, design.scaling.spec), depends_on=design.depends_on)
    if design.status is not Status.OK:
        return blank.unfitted(design.scaling.spec, design.status)
    assert rows.cluster is not None
    assert rows.clusters is not None
    status = _impossible(design, y, rows.clusters)
    if status is not None:
        return blank.unfitted(design.scaling.spec, status)
    return _fitted(blank, design, _sums(design.X, y, rows.cluster, rows.clusters, method == "REML"), float(y.mean()))


def _impossible(design: ScaledDesign, y: Floats, clusters: int) -> Status | None:
    n, k = design.X.shape
    if k >= n:
        return Status.TOO_FEW_ROWS
    if y.min() == y.max():
        return Status.ZERO_VARIANCE
    if clusters == n:
        return Status.SINGLE_ROW_CLUSTERS
    return Status.FEW_CLUSTERS if clusters == 1 else None


def _sums(X: Floats, y: Floats, cluster: NDArray[np.intp], clusters: int, restricted: bool) -> Sums:
    Z = np.column_stack([X, y - y.mean()])
    sizes = np.bincount(cluster, minlength=clusters).astype(np.float64)
    means = cluster_sums(Z, cluster, clusters) / sizes[:, None]
    Z -= means[cluster]
    return Sums(Z.T @ Z, means, sizes, restricted)


def _best(sums: Sums) -> tuple[Profile, int]:
    """Look at the whole profile, then solve for the maximum beside its best point; also the last grid index."""
    values = [sums.at(float(ratio)).value for ratio in GRID]
    best = int(np.argmax(values))
    if best == len(GRID) - 1:
        return sums.at(float(GRID[best])), best
    low, high = float(GRID[max(best - 1, 0)]), float(GRID[best + 1])
    if sums.score(low) <= 0:
        return sums.at(low), best
    return sums.at(float(brentq(sums.score, low, high, xtol=1e-300, rtol=1e-14))), best


def _fitted(blank: RandomInterceptFit, design: ScaledDesign, sums: Sums, middle: float) -> RandomInterceptFit:
    try:
        best, index = _best(sums)
    except (np.linalg.LinAlgError, ValueError):
        return blank.unfitted(design.scaling.spec, Status.NOT_CONVERGED)
    if index == len(GRID) - 1:
        return blank.unfitted(design.scaling.spec, Status.NOT_CONVERGED)
    curvature = _curvature(sums, best)
    zero = best.ratio == 0
    small = None
    if not zero:
        slope = best.sums.T @ best.sums
        spread = np.asarray(np.linalg.inv(curvature / 2), dtype=np.float64)
        small = VarianceUncertainty(best.bread, slope, best.variance, spread)
    covariance = best.variance * best.bread
    coefficients = best.beta.copy()
    coefficients[0] += middle
    scaled = ScaledFit(design.scaling, coefficients, best.bread, covariance, covariance, small)
    df = float(sums.sizes.sum()) - sums.k if zero else None
    parameters, model_covariance = full_parameters(scaled, design.statuses, blank.level, df)
    units = float(np.log(design.scaling.scale).sum()) if sums.restricted else 0.0
    return replace(
        blank, parameters=parameters, model_covariance=model_covariance, spec=design.scaling.spec, scaled=scaled,
        between=_between(best, small), log_likelihood=best.value - units,
        plain_log_likelihood=sums.at(0.0).value - units, intercepts=best.ratio * best.pulls,
    )  # fmt: skip


def _between(best: Profile, small: VarianceUncertainty | None) -> Between:
    if small is None:
        return Between(0.0, best.variance)
    spread = small.covariance
    ratio, residual = np.array([1 / best.ratio, 0.0]), np.array([0.0, 1 / best.variance])
    both = ratio + residual
    return Between(
        best.ratio * best.variance, best.variance, float(np.sqrt(both @ spread @ both)),
        float(np.sqrt(ratio @ spread @ ratio)),
    )  # fmt: skip


def _curvature(sums: Sums, here: Profile) -> Floats:
    """Second derivatives of minus twice the log-likelihood in (ratio, residual variance), shape (2, 2)."""
    weight = sums.sizes / here.shrunk
    pulled, squares = here.sums.T @ here.pulls, here.pulls**2
    second = 2 * (float(weight @ squares) - float(pulled @ here.bread @ pulled)) / here.variance
    second -= float((weight**2).sum())
    if sums.restricted:
        turned = here.bread @ (here.sums.T @ here.sums)
        second += 2 * float(((here.sums @ here.bread) * here.sums).sum(axis=1) @ weight)
        second -= float((turned * turned.T).sum())
    mixed = float(squares.sum()) / here.variance**2
    return np.array([[second, mixed], [mixed, sums.residual_rows / here.variance**2]])


def _provenance(method: Method) -> Provenance:
    choices = (
        Choice("clusters", "a random intercept for each cluster", "given", "laird-ware-1982"),
        Choice("likelihood", method, "default" if method == "REML" else "given", "bates-2015"),
        Choice("test", "t, Satterthwaite degrees of freedom", "default", "kuznetsova-2017"),
        Choice("kind of effect", CONDITIONAL, "derived"),
    )
    return Provenance(
        "linear regression with a random intercept", choices, ("laird-ware-1982", "bates-2015", "kuznetsova-2017")
    )
