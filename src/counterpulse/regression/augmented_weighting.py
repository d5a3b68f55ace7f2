"""Augmented inverse probability weighting: right where either the model of treatment or that of the outcome is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.terms import Term
from counterpulse.numerics.linear_algebra import cluster_sums
from counterpulse.regression.marginal_effect import AverageEffect, TwoMeans
from counterpulse.regression.nuisance_models import (
    Arms,
    Estimand,
    Nuisance,
    Options,
    Request,
    UnfittedError,
    balancing,
    possible,
    predict,
    read_arms,
)
from counterpulse.regression.sandwich import cluster_factor
from counterpulse.results.coefficients import FEW, TOO_FEW
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Step = Callable[[Arms, Nuisance], tuple[Floats, Floats, dict[str, float]]]
"""From predictions to the two means (2,), the influence on them (n, 2), and the fluctuations of targeting."""

METHOD = "augmented inverse probability weighting"
WORKS = ("robins-1994", "bang-robins-2005")


def aipw(
    table: pl.DataFrame, *, outcome: str, treatment: str, covariates: Sequence[Term], **options: Unpack[Options]
) -> AverageEffect:
    """Average treatment effect by augmented inverse probability weighting.

    Parameters
    ----------
    table : one row a patient; rows with a missing value in a column used are left out and counted
    outcome : binary (yes/no, 0/1 or two levels) or a number
    treatment : yes/no, 0/1, or two levels of which the second is the treated one
    covariates : terms of the logistic model of treatment, and of the outcome models
    options : `nuisance_models.Options`: the estimand, weights, clusters, bounds of scores, data-adaptive models

    Returns
    -------
    AverageEffect : two marginal risks or means and their comparisons, or a status

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    The outcome is modeled in each arm by itself, by logistic or linear regression. The variance is that of the
    influence function, with n - 1 (clustered: G / (G - 1)); it is consistent where both models are right. The effect is
    causal where the covariates suffice to control confounding and everybody could have received either treatment.

    References
    ----------
    Robins, Rotnitzky and Zhao 1994 (doi:10.1080/01621459.1994.10476818); Bang and Robins 2005
    (doi:10.1111/j.1541-0420.2005.00377.x); Chernozhukov and others 2018 (doi:10.1111/ectj.12097)
    """
    told: Options = {"analysis": "aipw", **options}
    request = Request(table=table, outcome=outcome, treatment=treatment, covariates=covariates, **told)
    return estimate(request, METHOD, WORKS, lambda arms, found: (*augmented_means(arms, found, request.estimand), {}))


def estimate(request: Request, method: str, works: tuple[str, ...], step: Step) -> AverageEffect:
    """Read the rows, fit the models, take the step from their predictions to two means, and say why where that fails."""
    request.check()
    arms = read_arms(request)
    status = possible(arms)
    if status is not Status.OK:
        return no_effect(request, arms, status, method, works)
    try:
        found = predict(request, arms)
        means, influence, fluctuations = step(arms, found)
    except UnfittedError as unfitted:
        return no_effect(request, arms, unfitted.status, method, works)
    return average_effect(request, arms, found, means, influence, method, works, fluctuations)


def augmented_means(arms: Arms, found: Nuisance, estimand: Estimand) -> tuple[Floats, Floats]:
    """The two marginal means, shape (2,), and the influence of every row on them, shape (n, 2)."""
    if_treated, if_not, target = balancing(arms, found, estimand)
    unit = np.ones(len(target)) if arms.rows.weights is None else arms.rows.weights
    parts = np.column_stack(
        (
            target * found.if_treated + if_treated * (arms.y - found.if_treated),
            target * found.if_not + if_not * (arms.y - found.if_not),
        )
    )
    size = float(unit @ target)
    means = unit @ parts / size
    return means, (parts - target[:, None] * means) / (size / unit.sum())


def average_effect(
    request: Request, arms: Arms, found: Nuisance, means: Floats, influence: Floats, method: str, works: tuple[str, ...], fluctuations: dict[str, float],
) -> AverageEffect:  # fmt: skip
    """Lay out two means with the variance of their influence function."""
    clusters, df = arms.rows.clusters, None
    covariance = _covariance(influence, arms)
    if clusters is not None and clusters < TOO_FEW:
        covariance = np.full((2, 2), nan)
    elif clusters is not None and clusters < FEW:
        df = clusters - 1.0
    return AverageEffect(
        two=TwoMeans(
            variable=request.treatment, treated=arms.names[0], reference=arms.names[1], means=means, covariance=covariance,
            level=request.level, df=df,
        ),
        estimand=request.estimand, binary=arms.binary, influence=influence, scores=found.scores,
        rows_used=arms.rows.used, n=arms.rows.n, n_treated=int(arms.treated.sum()), n_missing=arms.rows.n_missing,
        status=Status.OK, provenance=_provenance(request, arms, method, works), fluctuations=fluctuations,
    )  # fmt: skip


def _covariance(influence: Floats, arms: Arms) -> Floats:
    """Sum the squares of the influence, by cluster where there are any; a weight that counts patients counts squares."""
    rows = arms.rows
    unit = np.ones(rows.n) if rows.weights is None else rows.weights
    total = float(unit.sum())
    if rows.cluster is not None:
        sums = cluster_sums(influence, rows.cluster, rows.clusters or 0, unit)
        return cluster_factor(rows.clusters) * (sums.T @ sums) / total**2
    counted = total if rows.whole_weights else float(rows.n)
    if counted < 2:
        return np.full((2, 2), nan)
    squares = unit if rows.whole_weights else unit**2
    spread: Floats = influence.T @ (influence * squares[:, None])
    return spread / total**2 * (counted / (counted - 1))


def no_effect(request: Request, arms: Arms, status: Status, method: str, works: tuple[str, ...]) -> AverageEffect:
    """Say why there is no effect."""
    nothing = np.full((2, 2), nan)
    return AverageEffect(
        two=TwoMeans(
            variable=request.treatment, treated=arms.names[0], reference=arms.names[1], means=nothing[0],
            covariance=nothing, level=request.level, status=status,
        ),
        estimand=request.estimand, binary=arms.binary, influence=np.empty((0, 2)), scores=np.empty(0),
        rows_used=arms.rows.used, n=arms.rows.n, n_treated=int(arms.treated.sum()), n_missing=arms.rows.n_missing,
        status=status, provenance=_provenance(request, arms, method, works),
    )  # fmt: skip


def _provenance(request: Request, arms: Arms, method: str, works: tuple[str, ...]) -> Provenance:
    learned = request.learned
    scored = (
        "given" if request.scores is not None else "learned" if request.treatment_learner else "logistic regression"
    )
    outcome = "learned" if request.outcome_learner else f"{'logistic' if arms.binary else 'linear'} regression by arm"
    bounds = "none" if request.bounds is None else f"{request.bounds[0]:g} and {request.bounds[1]:g}"
    choices = (
        Choice("estimand", request.estimand, "default" if request.estimand == "ATE" else "given"),
        Choice("treatment model", scored, "default" if scored == "logistic regression" else "given"),
        Choice("outcome model", outcome, "given" if request.outcome_learner else "derived"),
        Choice("bounds of scores", bounds, "default" if request.bounds is None else "given"),
        Choice(
            "cross-fitting", request.folds if learned else "none", "derived", "chernozhukov-2018" if learned else None
        ),
        Choice("variance", "influence function", "default", works[0]),
    )
    return Provenance(method, choices, (*works, *(("chernozhukov-2018",) if learned else ())))
