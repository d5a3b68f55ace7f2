"""Conditional logistic regression of matched sets, by the exact conditional likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import build_design, learn
from counterpulse.data.terms import Term
from counterpulse.numerics.linear_algebra import independent_columns, inverse_symmetric, weighted_gram
from counterpulse.numerics.newton import Maximum, maximize
from counterpulse.regression.cluster_variance import rows_by_cluster
from counterpulse.regression.conditional_likelihood import ConditionalLikelihood, gathered, telling_rows
from counterpulse.regression.fit import RegressionFit, ScaledFit, full_parameters, no_parameters
from counterpulse.regression.model_rows import Rows, Scaling, check_level, read_rows, single_level_terms
from counterpulse.regression.outcome import event_sign
from counterpulse.results.estimate import Estimate, finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

USUAL, LATE = 20, 10
"""Iterations by which a finite maximum is found, and those that show where an infinite one lies."""

STILL = 1e-6
"""A scaled coefficient that moved less in the late iterations is finite."""

FLAT = 1e-10
"""A column whose deviations within strata are less than this part of its size does not vary within them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalLogisticFit(RegressionFit):
    """A fitted conditional logistic model; the coefficients are log odds ratios within strata.

    Attributes
    ----------
    events : among the rows of the strata that tell something
    strata : that hold both cases and others
    strata_dropped : without a case, or without another row; they tell nothing
    rows_dropped : rows of those
    log_likelihood, null_log_likelihood : conditional, at the maximum and at no effect
    """

    events: int
    strata: int = 0
    strata_dropped: int = 0
    rows_dropped: int = 0
    log_likelihood: float = nan
    null_log_likelihood: float = nan
    iterations: int = 0

    @property
    def clusters(self) -> int | None:
        """None: the strata are conditioned on, and the variance is the model's."""
        return None

    def estimates(self) -> tuple[Estimate, ...]:
        """Odds ratios on the log scale; there is no intercept."""
        return self.estimates_of("odds ratio", "log", "log odds")

    def tidy(self) -> pl.DataFrame:
        """Odds ratios with intervals and p-values, one row a coefficient."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        columns = {
            "n": self.n, "events": self.events, "n_missing": self.n_missing, "strata": self.strata,
            "strata_dropped": self.strata_dropped, "log_likelihood": finite_or_none(self.log_likelihood),
            "null_log_likelihood": finite_or_none(self.null_log_likelihood), "iterations": self.iterations,
            "status": self.status.code,
        }  # fmt: skip
        return pl.DataFrame(columns, schema_overrides={"log_likelihood": pl.Float64, "null_log_likelihood": pl.Float64})

    def contrast(self, weights: Mapping[str, float], *, term: str = "", variable: str | None = None) -> Estimate:
        """Odds ratio of a linear combination of coefficients, by name."""
        return self.parameters.contrast(weights, measure="odds ratio", scale="log", term=term, variable=variable)


def conditional_logistic(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    stratum: str | ArrayLike,
    level: float = 0.95,
) -> ConditionalLogisticFit:
    """Odds ratios of a binary outcome within matched sets of any size.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : a yes/no column, a 0/1 number, or text of two levels of which the second is the event
    terms : column names or `Numeric`, `Categorical`, `Interaction`
    stratum : column or array of the matched sets, shape (n,)

    Raises
    ------
    InputError : a column is absent or cannot be used

    Notes
    -----
    The likelihood of a stratum is the probability that its cases are these, given how many they are; the sum over all
    sets of rows is a recursion. Strata without a case, or with nothing else, tell nothing: they are left out and counted,
    and `n` is of the others. A variable that does not vary within any stratum has no coefficient. Equal to
    ``survival::clogit(method = "exact")``.

    References
    ----------
    Breslow and Day 1980; Gail, Lubin and Rubinstein 1981, doi:10.1093/biomet/68.3.703.
    """
    check_level(level)
    rows = read_rows(table, outcome=outcome, terms=terms, weights=None, cluster=stratum)
    event = event_sign(rows.column(table, outcome), table[outcome]) > 0
    blank = ConditionalLogisticFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, rows=rows, robust=False, events=0,
        provenance=PROVENANCE,
    )  # fmt: skip
    if rows.n == 0:
        return blank.unfitted(learn(table, terms, intercept=False, rows=np.arange(table.height)), Status.NO_ROWS)
    assert rows.cluster is not None
    telling = telling_rows(rows.cluster, event)
    kept = _kept(rows, telling)
    blank = replace(
        blank, rows=kept, events=int(event[telling].sum()), strata=kept.clusters or 0,
        strata_dropped=(rows.clusters or 0) - (kept.clusters or 0), rows_dropped=rows.n - kept.n,
    )  # fmt: skip
    if kept.n == 0:
        spec = learn(table, terms, intercept=False, rows=rows.used)
        return blank.unfitted(spec, Status.UNDEFINED if event.any() else Status.NO_EVENTS)
    return _fitted(blank, table, terms, event[telling])


def _kept(rows: Rows, telling: NDArray[np.bool_]) -> Rows:
    assert rows.cluster is not None
    labels, codes = np.unique(rows.cluster[telling], return_inverse=True)
    return replace(rows, used=rows.used[telling], cluster=codes.astype(np.intp), clusters=len(labels))


def _fitted(
    blank: ConditionalLogisticFit, table: pl.DataFrame, terms: Sequence[Term], event: NDArray[np.bool_]
) -> ConditionalLogisticFit:
    design = build_design(table, terms, intercept=False, rows=blank.rows.used)
    if design.spec.without_knots:
        return blank.unfitted(design.spec, Status.FEW_VALUES)
    codes = blank.rows.cluster
    assert codes is not None
    X, scale, statuses = _within(design.X, codes)
    depends_on = {
        column.name: ("the strata",)
        for column, status in zip(design.columns, statuses, strict=True)
        if status is Status.RANK_DEFICIENT
    }
    blank = replace(blank, single_level=single_level_terms(terms, design.spec), depends_on=depends_on)
    active = np.flatnonzero([status is Status.OK for status in statuses])
    scaling = Scaling(design.spec, active, np.zeros(len(active)), scale[active])
    likelihood = ConditionalLikelihood(X[:, active], gathered(codes, event, len(active)))
    null = likelihood(np.zeros(len(active)))
    maximum, infinite = _maximum(likelihood, len(active))
    if maximum is None or infinite.all():
        status = Status.NOT_CONVERGED if maximum is None else Status.SEPARATION
        own = tuple(status if item is Status.OK else item for item in statuses)
        unfitted = blank.unfitted(design.spec, status)
        return replace(unfitted, parameters=replace(unfitted.parameters, statuses=own))
    for place in active[infinite]:
        statuses[place] = Status.SEPARATION
    covariance = inverse_symmetric(maximum.information)
    scaled = ScaledFit(scaling, maximum.at, covariance, covariance, covariance)
    parameters, model_covariance = full_parameters(scaled, tuple(statuses), blank.level, None)
    return replace(
        blank, parameters=parameters, model_covariance=model_covariance, spec=design.spec, scaled=scaled,
        status=Status.SEPARATION if infinite.any() else Status.OK, log_likelihood=maximum.value,
        null_log_likelihood=null.value, iterations=maximum.iterations,
    )  # fmt: skip


def _within(X: Floats, codes: Codes) -> tuple[Floats, Floats, list[Status]]:
    """Center the columns within strata and scale them; those that do not vary within, or depend on others, have a status."""
    size = np.sqrt((X**2).mean(axis=0))
    varies = X.min(axis=0) < X.max(axis=0)
    X = X.copy()
    for _, rows in rows_by_cluster(codes):
        X[rows] -= X[rows].mean(axis=0)
    scale = np.sqrt((X**2).mean(axis=0))
    flat = scale <= FLAT * size
    scale[flat] = 1.0
    X /= scale
    X[:, flat] = 0.0
    independent = independent_columns(weighted_gram(X))
    statuses = [
        Status.OK if good else Status.RANK_DEFICIENT if other else Status.CONSTANT
        for good, other in zip(independent, varies, strict=True)
    ]
    return X, scale, statuses


def _maximum(likelihood: ConditionalLikelihood, k: int) -> tuple[Maximum | None, NDArray[np.bool_]]:
    """Find the maximum, or after long the coefficients that run to infinity beside others that stand still."""
    found = maximize(likelihood, np.zeros(k), limit=USUAL)
    if found.converged:
        return found, np.zeros(k, dtype=bool)
    late = maximize(likelihood, found.at, limit=LATE)
    if late.converged:
        return late, np.zeros(k, dtype=bool)
    direction = late.at - found.at
    infinite: NDArray[np.bool_] = np.abs(direction) > STILL
    if not infinite.any() or not _separates(likelihood, np.where(infinite, direction, 0.0)):
        return None, infinite
    return late, infinite


def _separates(likelihood: ConditionalLikelihood, direction: Floats) -> bool:
    """Whether no control lies beyond a case of its stratum in this direction: then the likelihood rises for ever."""
    along = likelihood.X @ direction
    for part in likelihood.strata:
        present, member = part.rows >= 0, np.arange(part.rows.shape[1]) < part.cases[:, None]
        lowest = np.where(member, along[part.rows], np.inf).min(axis=1)
        highest = np.where(present & ~member, along[part.rows], -np.inf).max(axis=1)
        if (highest > lowest + STILL * np.abs(along).max()).any():
            return False
    return True


PROVENANCE = Provenance(
    "conditional logistic regression",
    (Choice("likelihood", "exact conditional", "default", "gail-1981"), Choice("test", "Wald", "default")),
    ("breslow-day-1980", "gail-1981"),
)
