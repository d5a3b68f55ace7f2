"""Population-averaged effects of clustered rows by generalized estimating equations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.linear_algebra import cluster_sums, inverse_symmetric, solve_symmetric, weighted_gram
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.cluster_variance import bias_reduced, cluster_information
from counterpulse.regression.fit import RegressionFit, ScaledFit, full_parameters, no_parameters
from counterpulse.regression.logistic_solution import solve
from counterpulse.regression.model_rows import (
    Rows,
    ScaledDesign,
    Scaling,
    check_level,
    read_rows,
    scaled_design,
    single_level_terms,
    spec_of_no_rows,
)
from counterpulse.regression.outcome import event_sign, number
from counterpulse.regression.working_correlation import CORRELATIONS, Correlation, Segments, WorkingCorrelation
from counterpulse.results.coefficients import FEW, TOO_FEW
from counterpulse.results.estimate import Estimate, Scale, finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]
FamilyName = Literal["binomial", "gaussian", "poisson"]

CONVERGED, LIMIT = 1e-22, 200
"""Squared length of a step in model standard errors at which the iteration ends, and how many steps it may take."""

NEAR, STILL, STILL_ABOUT, PATIENCE = 1e-2, 1e-10, 1e-6, 30
"""Squared distance from which the correlation is estimated; its change at the end, and that which counts as held at an
edge; steps after which it is averaged with the one before."""

HELD = "The moment estimate of the working correlation, {moment:.3g}, is not possible in every cluster; {alpha:.3g} was used."

LARGEST = 30.0
"""A log mean or log odds is held within this of zero while the iteration looks for its way."""

MARGINAL = "population-averaged: compares groups of patients, whatever their cluster"


@dataclass(frozen=True, slots=True)
class Family:
    """A distribution with its canonical link: the mean, its variance, and what a coefficient is called."""

    mean: Callable[[Floats], Floats]
    variance: Callable[[Floats], Floats]
    measure: str
    scale: Scale
    intercept: str


FAMILIES: Mapping[str, Family] = {
    "binomial": Family(expit, lambda mean: mean * (1 - mean), "odds ratio", "log", "log odds"),
    "gaussian": Family(lambda linear: linear, np.ones_like, "mean difference", "identity", "mean"),
    "poisson": Family(np.exp, lambda mean: mean, "rate ratio", "log", "log rate"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GeeFit(RegressionFit):
    """A fit by estimating equations; the coefficients are population-averaged.

    Attributes
    ----------
    family, correlation : as asked for
    alpha : the working correlation, 0 for independence
    dispersion : mean square of the Pearson residuals
    """

    family: FamilyName
    correlation: Correlation
    alpha: float = nan
    dispersion: float = nan
    iterations: int = 0

    def estimates(self) -> tuple[Estimate, ...]:
        """Coefficients, the intercept first."""
        family = FAMILIES[self.family]
        return self.estimates_of(family.measure, family.scale, family.intercept)

    def tidy(self) -> pl.DataFrame:
        """One row a coefficient, on the natural scale."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        columns = {
            "n": self.n, "n_missing": self.n_missing, "clusters": self.clusters, "alpha": finite_or_none(self.alpha),
            "dispersion": finite_or_none(self.dispersion), "iterations": self.iterations, "status": self.status.code,
        }  # fmt: skip
        types = {"clusters": pl.Int64, "alpha": pl.Float64, "dispersion": pl.Float64}
        return pl.DataFrame(columns, schema_overrides=types)

    def contrast(self, weights: Mapping[str, float], *, term: str = "", variable: str | None = None) -> Estimate:
        """Linear combination of coefficients, by name."""
        family = FAMILIES[self.family]
        return self.parameters.contrast(
            weights, measure=family.measure, scale=family.scale, term=term, variable=variable
        )


def gee(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    cluster: str | ArrayLike,
    family: FamilyName = "binomial",
    correlation: Correlation = "exchangeable",
    order: str | None = None,
    level: float = 0.95,
) -> GeeFit:
    """Population-averaged effects, with a working correlation of the rows of a cluster.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : yes/no for "binomial", a number for "gaussian", a count for "poisson"; links are canonical
    terms : column names or `Numeric`, `Categorical`, `Interaction`
    cluster : column or array of labels, shape (n,)
    correlation : "independence", "exchangeable" (one correlation for all pairs), or "ar1" (a power of the distance)
    order : column of whole numbers that places the rows of a cluster for "ar1", each once; default the order of the rows

    Raises
    ------
    InputError : a column is absent or cannot be used, or an option is not known

    Notes
    -----
    The dispersion is the mean square of the Pearson residuals and the correlation the moment estimate over all pairs,
    neither corrected for the number of coefficients, as in R's geepack. The covariance is robust (Liang and Zeger),
    without factor from 40 clusters on; below it is Kauermann and Carroll's, with Satterthwaite's degrees of freedom under
    the working correlation; below 10 there is none (``Status.FEW_CLUSTERS``). Valid where values are missing completely
    at random.

    References
    ----------
    Liang and Zeger 1986, doi:10.1093/biomet/73.1.13; Kauermann and Carroll 2001, doi:10.1198/016214501753382309;
    Pustejovsky and Tipton 2018, doi:10.1080/07350015.2016.1247004; Halekoh 2006, doi:10.18637/jss.v015.i02.
    """
    _check(family, correlation, order, level)
    rows = read_rows(table, outcome=outcome, terms=terms, weights=None, cluster=cluster)
    if order is not None:
        rows = _with_order(table, rows, order)
    blank = GeeFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, rows=rows, robust=True,
        provenance=_provenance(family, correlation, rows), family=family, correlation=correlation,
    )  # fmt: skip
    y = _outcome(rows.column(table, outcome), table[outcome], family)
    if rows.n == 0:
        return blank.unfitted(spec_of_no_rows(table, terms), Status.NO_ROWS)
    design = scaled_design(table, rows, terms)
    blank = replace(blank, single_level=single_level_terms(terms, design.scaling.spec), depends_on=design.depends_on)
    if design.status is not Status.OK:
        return blank.unfitted(design.scaling.spec, design.status)
    status = _impossible(y, family, design, rows)
    if status is not None:
        return blank.unfitted(design.scaling.spec, status)
    problem = _prepare(design, y, family)
    if problem is None:
        return blank.unfitted(design.scaling.spec, Status.NOT_CONVERGED)
    return _fitted(blank, problem, None if order is None else rows.column(table, order).to_numpy())


def _check(family: str, correlation: str, order: str | None, level: float) -> None:
    check_level(level)
    if family not in FAMILIES:
        raise InputError(f"the family {family!r} is not known; it is {', '.join(FAMILIES)}")
    if correlation not in CORRELATIONS:
        raise InputError(f"the correlation {correlation!r} is not known; it is {', '.join(CORRELATIONS)}")
    if order is not None and correlation != "ar1":
        raise InputError("an order is for correlation='ar1'; leave it out")


def _with_order(table: pl.DataFrame, rows: Rows, order: str) -> Rows:
    """Leave out the rows without a place in their cluster."""
    column = table[order]
    if not column.dtype.is_integer():
        raise InputError(f"the order '{order}' is {column.dtype}; it is whole numbers")
    known = rows.column(table, order).is_not_null().to_numpy()
    assert rows.cluster is not None
    _, codes = np.unique(rows.cluster[known], return_inverse=True)
    return replace(
        rows, used=rows.used[known], n_missing=rows.n_missing + int((~known).sum()),
        cluster=codes.astype(np.intp), clusters=int(codes.max(initial=-1)) + 1,
    )  # fmt: skip


def _outcome(column: pl.Series, whole: pl.Series, family: FamilyName) -> Floats:
    if family == "binomial":
        return (event_sign(column, whole) + 1) / 2
    values = number(column)
    if family == "poisson" and (values < 0).any():
        raise InputError(f"the outcome '{whole.name}' has negative numbers; a count has none")
    return values


def _impossible(y: Floats, family: FamilyName, design: ScaledDesign, rows: Rows) -> Status | None:
    if design.X.shape[1] >= rows.n:
        return Status.TOO_FEW_ROWS
    if y.min() == y.max():
        if family == "binomial":
            return Status.ALL_EVENTS if y[0] else Status.NO_EVENTS
        return Status.NO_EVENTS if family == "poisson" and y[0] == 0 else Status.ZERO_VARIANCE
    return None


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows and columns that have a finite fit, and where it starts; `keep` are the rows of `y` among those read."""

    X: Floats
    y: Floats
    start: Floats
    scaling: Scaling
    statuses: tuple[Status, ...]
    keep: NDArray[np.bool_] | None
    status: Status


def _prepare(design: ScaledDesign, y: Floats, family: FamilyName) -> Problem | None:
    """Start from the fit under independence; a binary outcome shows here what is predicted perfectly."""
    if family != "binomial":
        start = np.zeros(design.X.shape[1])
        if family == "poisson":
            start[0] = np.log(y.mean())
        return Problem(design.X, y, start, design.scaling, design.statuses, None, Status.OK)
    solution = solve(design, BinomialLikelihood(design.X, 2 * y - 1, None))
    if not solution.maximum.converged:
        return None
    keep = solution.overlapping
    return Problem(
        solution.likelihood.X, y if keep is None else y[keep], solution.maximum.at, solution.scaling,
        solution.statuses, keep, solution.status,
    )  # fmt: skip


def _fitted(blank: GeeFit, problem: Problem, order: NDArray[np.int64] | None) -> GeeFit:
    cluster = blank.rows.cluster
    assert cluster is not None
    assert blank.rows.clusters is not None
    if problem.keep is not None:
        cluster, order = cluster[problem.keep], None if order is None else order[problem.keep]
    segments = Segments.of(cluster, order)
    X, y, family = problem.X[segments.order], problem.y[segments.order], FAMILIES[blank.family]
    working = CORRELATIONS[blank.correlation](segments)
    solver = _solve_in_own_units if blank.family == "gaussian" else _solve
    try:
        solved = solver(X, y, problem.start, family, working)
    except np.linalg.LinAlgError:
        solved = None
    if solved is None:
        return blank.unfitted(problem.scaling.spec, Status.NOT_CONVERGED)
    scaled = _robust(blank.rows.clusters, problem.scaling, solved, segments.codes)
    parameters, model_covariance = full_parameters(scaled, problem.statuses, blank.level, None)
    if abs(solved.moment - solved.alpha) > STILL_ABOUT:
        parameters = replace(parameters, notes=(HELD.format(moment=solved.moment, alpha=solved.alpha),))
    return replace(
        blank, parameters=parameters, model_covariance=model_covariance, spec=problem.scaling.spec, scaled=scaled,
        status=problem.status, alpha=solved.alpha, dispersion=solved.dispersion, iterations=solved.iterations,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Solved:
    """Coefficients (k,), X and Pearson residuals made uncorrelated, correlation as estimated and as held, dispersion."""

    beta: Floats
    whitened: Floats
    residuals: Floats
    moment: float
    alpha: float
    dispersion: float
    iterations: int


def _solve_in_own_units(
    X: Floats, y: Floats, start: Floats, family: Family, working: WorkingCorrelation
) -> Solved | None:
    """Solve for a number less its mean and in its standard deviations, so that no unit and no shift decides what is near.

    The first column of `X` is the intercept.
    """
    mean, unit = y.mean(), y.std()
    if not unit > 0:
        return None
    solved = _solve(X, (y - mean) / unit, start, family, working)
    if solved is None:
        return None
    beta = solved.beta * unit
    beta[0] += mean
    return replace(solved, beta=beta, residuals=solved.residuals * unit, dispersion=solved.dispersion * unit**2)


def _solve(X: Floats, y: Floats, start: Floats, family: Family, working: WorkingCorrelation) -> Solved | None:
    """Fisher scoring in turn with moments, under independence until the coefficients are near.

    A correlation that goes to and fro is averaged with the one before; one that no matrix can have is held at the edge.
    """
    beta, alpha, near = start, 0.0, False
    for iteration in range(1, LIMIT + 1):
        linear = X @ beta
        mean = family.mean(linear if family.scale == "identity" else np.clip(linear, -LARGEST, LARGEST))
        root = np.sqrt(family.variance(mean))
        residuals = (y - mean) / root
        dispersion = float((residuals**2).mean())
        if not dispersion > 0:
            return None
        moment = working.moment(residuals / np.sqrt(dispersion)) if near else 0.0
        before, alpha = alpha, working.held(moment)
        if iteration > PATIENCE:
            alpha = (before + alpha) / 2
        whitened, pulled = working.whiten(X * root[:, None], alpha), working.whiten(residuals[:, None], alpha)[:, 0]
        gradient, information = pulled @ whitened, weighted_gram(whitened)
        step = solve_symmetric(information, gradient)
        beta = beta + step
        distance = float(step @ gradient) / max(1.0, dispersion)
        if near and distance <= CONVERGED and abs(alpha - before) <= STILL:
            return Solved(beta, whitened, pulled, moment, alpha, dispersion, iteration)
        near = near or distance <= NEAR
    return None


def _robust(clusters: int, scaling: Scaling, solved: Solved, codes: NDArray[np.intp]) -> ScaledFit:
    """Take the variance by the number of clusters."""
    beta, whitened = solved.beta, solved.whitened
    bread = inverse_symmetric(weighted_gram(whitened))
    model = solved.dispersion * bread
    scores = cluster_sums(whitened, codes, clusters, solved.residuals)
    if clusters < TOO_FEW:
        return ScaledFit(scaling, beta, bread, np.full_like(bread, nan), model, None, Status.FEW_CLUSTERS)
    if clusters >= FEW:
        return ScaledFit(scaling, beta, bread, bread @ (scores.T @ scores) @ bread, model)
    covariance, small = bias_reduced(scores, cluster_information(whitened, None, codes, clusters), bread)
    return ScaledFit(scaling, beta, bread, covariance, model, small)


def _provenance(family: FamilyName, correlation: Correlation, rows: Rows) -> Provenance:
    clusters = rows.clusters or 0
    few = TOO_FEW <= clusters < FEW
    variance = (
        f"none: fewer than {TOO_FEW} clusters" if clusters < TOO_FEW
        else "robust, Kauermann-Carroll, Satterthwaite degrees of freedom" if few
        else "robust, Liang-Zeger, no factor"
    )  # fmt: skip
    choices = (
        Choice("family", family, "derived"),
        Choice("working correlation", correlation, "default" if correlation == "exchangeable" else "given", "liang-zeger-1986"),
        Choice("variance", variance, "derived", "kauermann-carroll-2001" if few else "liang-zeger-1986"),
        Choice("kind of effect", MARGINAL, "derived"),
    )  # fmt: skip
    small = ("kauermann-carroll-2001", "pustejovsky-tipton-2018") if few else ()
    return Provenance("generalized estimating equations", choices, ("liang-zeger-1986", "halekoh-2006", *small))
