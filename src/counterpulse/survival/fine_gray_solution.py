"""The estimates of Fine and Gray's model in the units of the table, each with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl

from counterpulse.numerics.linear_algebra import cluster_sums, weighted_gram
from counterpulse.numerics.newton import Evaluation, climb
from counterpulse.results.coefficients import TOO_FEW
from counterpulse.results.status import Status
from counterpulse.survival.cox_solution import coefficient_statuses, in_units
from counterpulse.survival.follow_up import Bools, Floats, Indices
from counterpulse.survival.maximize import (
    DECREMENT,
    embedded_inverse,
    infinite_columns,
    newton_step,
    varying_independent,
)
from counterpulse.survival.subdistribution_likelihood import SubdistributionState, influences, subdistribution_state
from counterpulse.survival.subdistribution_sets import SubdistributionSets

ITERATIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SubdistributionSolution:
    """Log subdistribution hazard ratios, shape (p,), and covariances, shape (p, p); nan where a status is not OK.

    `hazard` is the cumulative baseline subdistribution hazard at the means of the columns, by event time.
    """

    values: Floats
    covariance: Floats
    model_covariance: Floats
    statuses: tuple[Status, ...]
    status: Status
    log_likelihood_null: float
    log_likelihood: float
    hazard: pl.DataFrame


def solve_subdistribution(
    sets: SubdistributionSets, X: Floats, scale: Floats, *,
    efron: bool, variance: str, clusters: Indices | None, n_clusters: int,
) -> SubdistributionSolution:  # fmt: skip
    """Fit the model to centered and scaled covariates X, shape (n, p); `scale` is 0 of a constant column."""
    null = subdistribution_state(sets, X, np.zeros(X.shape[1]), efron=efron)
    independent = varying_independent(null.information, null.spread)
    kept = X if independent.all() else np.asfortranarray(X[:, independent])
    beta, step, converged = _climb(sets, kept, efron)
    state = subdistribution_state(sets, kept, beta, efron=efron)
    found = embedded_inverse(state.information, np.ones(len(beta), dtype=bool))
    infinite = np.zeros(len(independent), dtype=bool)
    infinite[independent] = _infinite(sets, kept, beta, step, state, efron)
    converged = converged and found is not None
    inverse = np.zeros_like(state.information) if found is None else found
    covariance = inverse
    if variance != "model":
        parts = influences(sets, kept, state, censoring=variance == "fine-gray")
        sums = parts if clusters is None else cluster_sums(parts, clusters, n_clusters)
        covariance = inverse @ weighted_gram(sums) @ inverse
        if clusters is not None and n_clusters < TOO_FEW:
            covariance = np.full_like(covariance, nan)
    statuses = coefficient_statuses(constant=scale == 0, independent=independent, infinite=infinite, lost=not converged)
    failed = np.array([status is not Status.OK for status in statuses], dtype=bool)
    units = np.where(scale > 0, scale, 1.0)
    values = _embedded(beta, independent) / units
    values[failed] = nan
    return SubdistributionSolution(
        values=values, covariance=in_units(_embedded_matrix(covariance, independent), units, failed),
        model_covariance=in_units(_embedded_matrix(inverse, independent), units, failed), statuses=statuses,
        status=Status.SEPARATION if infinite.any() else Status.OK if converged else Status.NOT_CONVERGED,
        log_likelihood_null=null.log_likelihood, log_likelihood=state.log_likelihood, hazard=_baseline(sets, state),
    )  # fmt: skip


def no_solution(status: Status, p: int) -> SubdistributionSolution:
    """Of data without rows, events or knots."""
    unknown = np.full((p, p), nan)
    schema = {"time": pl.Float64, "cumulative_hazard": pl.Float64, "incidence": pl.Float64}
    return SubdistributionSolution(
        values=np.full(p, nan), covariance=unknown, model_covariance=unknown, statuses=(status,) * p, status=status,
        log_likelihood_null=nan, log_likelihood=nan, hazard=pl.DataFrame(schema=schema),
    )  # fmt: skip


def _climb(sets: SubdistributionSets, X: Floats, efron: bool) -> tuple[Floats, Floats, bool]:
    """Where Newton's method ended, its last step, and whether it converged."""

    def evaluate(beta: Floats) -> Evaluation:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            state = subdistribution_state(sets, X, beta, efron=efron)
        return Evaluation(state.log_likelihood, state.gradient, state.information)

    at = np.zeros(X.shape[1])
    here, last = evaluate(at), at
    for _ in range(ITERATIONS):
        step = newton_step(here.gradient, here.information, np.ones(len(at), dtype=bool))
        if step is None:
            return at, last, False
        last = step
        if float(step @ here.gradient) < DECREMENT:
            return at + step, last, True
        taken = climb(evaluate, at, here, step)
        if taken is None:
            return at, last, False
        at, here = taken
    return at, last, False


def _infinite(
    sets: SubdistributionSets, X: Floats, beta: Floats, step: Floats, state: SubdistributionState, efron: bool
) -> Bools:
    """Columns along which the likelihood rises without end."""
    at_risk = (sets.passed > 0) | ((sets.cause == 2) & (sets.passed < sets.m))

    def fall(move: Floats) -> float:
        return state.log_likelihood - subdistribution_state(sets, X, beta + move, efron=efron).log_likelihood

    return infinite_columns(X, at_risk, step, fall)


def _baseline(sets: SubdistributionSets, state: SubdistributionState) -> pl.DataFrame:
    hazard = np.cumsum(state.s10) * np.exp(-state.shift)
    return pl.DataFrame({"time": sets.event_time, "cumulative_hazard": hazard, "incidence": -np.expm1(-hazard)})


def _embedded(values: Floats, independent: Bools) -> Floats:
    out = np.zeros(len(independent))
    out[independent] = values
    return out


def _embedded_matrix(matrix: Floats, independent: Bools) -> Floats:
    out = np.zeros((len(independent), len(independent)))
    out[np.ix_(independent, independent)] = matrix
    return out
