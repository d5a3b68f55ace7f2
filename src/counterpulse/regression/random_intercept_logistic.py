"""Logistic regression with a random intercept for each cluster, by adaptive Gauss-Hermite quadrature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import inverse_symmetric
from counterpulse.numerics.newton import Evaluation, Maximum, maximize
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.fit import ScaledFit, full_parameters, no_parameters
from counterpulse.regression.logistic_solution import Solution, solve
from counterpulse.regression.model_rows import (
    Rows,
    check_level,
    read_rows,
    scaled_design,
    single_level_terms,
    spec_of_no_rows,
)
from counterpulse.regression.outcome import event_sign
from counterpulse.regression.random_intercept_fit import CONDITIONAL, LOGISTIC_VARIANCE, Between, RandomInterceptFit
from counterpulse.regression.random_intercept_likelihood import RandomInterceptLikelihood
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]

POINTS = 11
"""Nodes of the quadrature by default; 25 change an estimate of a usual study in the sixth digit."""

STEP = 1e-4
"""Of the central differences of the gradient: their error is STEP squared, the rounding 1e-16 over STEP."""

START, LARGEST, ZERO = 0.7, 30.0, 1e-3
"""Where tau starts; above which it is on its way to infinity; below which it is zero."""

NO_GAIN = 1e-7
"""A log-likelihood higher by less than this with the random intercept is that without: the variance is zero."""


def mixed_logistic(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    cluster: str | ArrayLike,
    quadrature: int | None = None,
    level: float = 0.95,
) -> RandomInterceptFit:
    """Odds ratios of a binary outcome between patients of the same cluster.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : a yes/no column, a 0/1 number, or text of two levels of which the second is the event
    terms : column names or `Numeric`, `Categorical`, `Interaction`
    cluster : column or array of labels, shape (n,)
    quadrature : nodes of the adaptive quadrature, 1 to 101, by default 11; 1 is Laplace's approximation

    Raises
    ------
    InputError : a column is absent or cannot be used, or the number of nodes is impossible

    Notes
    -----
    Odds ratios are conditional on the cluster, and farther from 1 than population-averaged ones. The covariance is the
    inverse of the observed information in coefficients and tau together, as `lme4::glmer` takes it. Where the variance
    between clusters is zero, the coefficients are those of the plain model and keep their values, and the row of the
    variance has ``Status.ZERO_RANDOM_VARIANCE``. Perfect prediction is found as by `logistic`.

    References
    ----------
    Pinheiro and Bates 1995, doi:10.1080/10618600.1995.10474663; Bates 2015, doi:10.18637/jss.v067.i01; Larsen and
    Merlo 2005, doi:10.1093/aje/kwi017.
    """
    points = POINTS if quadrature is None else quadrature
    if not 1 <= points <= 101:
        raise InputError(f"{points} nodes are not a quadrature; it has 1 to 101")
    check_level(level)
    rows = read_rows(table, outcome=outcome, terms=terms, weights=None, cluster=cluster)
    sign = event_sign(rows.column(table, outcome), table[outcome])
    blank = RandomInterceptFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, rows=rows, robust=False,
        provenance=_provenance(points, quadrature is not None), measure="odds ratio",
        cluster_name=cluster if isinstance(cluster, str) else "cluster",
    )  # fmt: skip
    if rows.n == 0:
        return blank.unfitted(spec_of_no_rows(table, terms), Status.NO_ROWS)
    design = scaled_design(table, rows, terms)
    blank = replace(blank, single_level=single_level_terms(terms, design.scaling.spec), depends_on=design.depends_on)
    if design.status is not Status.OK:
        return blank.unfitted(design.scaling.spec, design.status)
    status = _impossible(rows, int((sign > 0).sum()), design.X.shape[1])
    if status is not None:
        return blank.unfitted(design.scaling.spec, status)
    solution = solve(design, BinomialLikelihood(design.X, sign, None))
    if not solution.maximum.converged:
        unfitted = blank.unfitted(design.scaling.spec, solution.status)
        return replace(unfitted, parameters=replace(unfitted.parameters, statuses=solution.statuses))
    return _fitted(blank, solution, points)


def _impossible(rows: Rows, events: int, k: int) -> Status | None:
    if events in (0, rows.n):
        return Status.ALL_EVENTS if events else Status.NO_EVENTS
    if k >= rows.n:
        return Status.TOO_FEW_ROWS
    if rows.clusters == rows.n:
        return Status.SINGLE_ROW_CLUSTERS
    return Status.FEW_CLUSTERS if rows.clusters == 1 else None


def _fitted(blank: RandomInterceptFit, plain: Solution[BinomialLikelihood], points: int) -> RandomInterceptFit:
    assert blank.rows.cluster is not None
    cluster = blank.rows.cluster if plain.overlapping is None else blank.rows.cluster[plain.overlapping]
    likelihood = _likelihood(plain.likelihood, cluster, points)
    maximum = _maximum(likelihood, plain.maximum)
    if not maximum.converged or abs(float(maximum.at[-1])) > LARGEST:
        return blank.unfitted(plain.scaling.spec, Status.NOT_CONVERGED)
    tau = abs(float(maximum.at[-1]))
    between, beta = Between(0.0, LOGISTIC_VARIANCE), plain.maximum.at
    value, covariance = plain.maximum.value, inverse_symmetric(plain.maximum.information)
    intercepts = np.zeros(len(likelihood.starts))
    if tau > ZERO and maximum.value > plain.maximum.value + NO_GAIN:
        beta, value, whole = maximum.at[:-1], maximum.value, inverse_symmetric(maximum.information)
        covariance, error = whole[:-1, :-1], 2 * float(np.sqrt(whole[-1, -1])) / tau
        between = Between(tau**2, LOGISTIC_VARIANCE, error, error)
        intercepts = tau * likelihood.modes(likelihood.X @ beta, tau)
    scaled = ScaledFit(plain.scaling, beta, covariance, covariance, covariance)
    parameters, model_covariance = full_parameters(scaled, plain.statuses, blank.level, None)
    return replace(
        blank, parameters=parameters, model_covariance=model_covariance, spec=plain.scaling.spec, scaled=scaled,
        status=plain.status, between=between, log_likelihood=value, plain_log_likelihood=plain.maximum.value,
        iterations=maximum.iterations, intercepts=intercepts,
    )  # fmt: skip


def _likelihood(plain: BinomialLikelihood, cluster: NDArray[np.intp], points: int) -> RandomInterceptLikelihood:
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    return RandomInterceptLikelihood(plain.X[order], (plain.sign[order] + 1) / 2, starts, sizes, points)


def _maximum(likelihood: RandomInterceptLikelihood, plain: Maximum) -> Maximum:
    """Quasi-Newton steps near the maximum, then Newton's with a differentiated gradient."""
    from scipy.optimize import minimize

    k, size = len(plain.at), np.sqrt(len(likelihood.starts))
    root = np.zeros((k + 1, k + 1))
    root[:k, :k] = np.linalg.cholesky(inverse_symmetric(plain.information))
    root[k, k] = 1 / size
    start = np.append(plain.at, START)

    def downhill(z: Floats) -> tuple[float, Floats]:
        value, gradient = likelihood(start + root @ z)
        return -value, -(root.T @ gradient)

    near = minimize(downhill, np.zeros(k + 1), jac=True, method="BFGS", options={"gtol": 1e-3})
    at = start + root @ near.x
    value, _ = likelihood(at)
    if value - plain.value <= NO_GAIN or abs(at[-1]) <= ZERO or abs(at[-1]) > LARGEST:
        return Maximum(at, value, plain.information, int(near.nit), True)
    found = maximize(lambda point: _evaluated(likelihood, point, root), at, tolerance=1e-14)
    return replace(found, iterations=found.iterations + int(near.nit))


def _evaluated(likelihood: RandomInterceptLikelihood, at: Floats, root: Floats) -> Evaluation:
    """Value, gradient and observed information by central differences along the columns of `root`."""
    value, gradient = likelihood(at)
    rise = [likelihood(at + STEP * side)[1] - likelihood(at - STEP * side)[1] for side in root.T]
    back = np.linalg.inv(root)
    information = -(np.array(rise).T / (2 * STEP)) @ back
    return Evaluation(value, gradient, (information + information.T) / 2)


def _provenance(points: int, given: bool) -> Provenance:
    how = "Laplace's approximation" if points == 1 else f"adaptive Gauss-Hermite quadrature, {points} points"
    choices = (
        Choice("clusters", "a random intercept for each cluster", "given"),
        Choice("integration", how, "given" if given else "default", "pinheiro-bates-1995"),
        Choice("test", "Wald", "default"),
        Choice("kind of effect", CONDITIONAL, "derived"),
    )
    return Provenance(
        "logistic regression with a random intercept", choices,
        ("mccullagh-nelder-1989", "pinheiro-bates-1995", "bates-2015", "larsen-merlo-2005"),
    )  # fmt: skip
