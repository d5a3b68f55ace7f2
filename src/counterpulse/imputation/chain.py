"""One chain of imputations: columns are imputed in turn from all others, again and again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.imputation.categorical_draws import Start, draw_logistic, draw_ordered, draw_polytomous
from counterpulse.imputation.categorical_rows import model_rows
from counterpulse.imputation.linear_draw import linear_posterior
from counterpulse.imputation.plan import Passive, Plan
from counterpulse.imputation.predictive_mean_matching import match_donors
from counterpulse.imputation.random_intercept import InterceptState, draw_with_intercepts

Floats = NDArray[np.float64]
Index = NDArray[np.intp]

DRAWS = {"logistic": draw_logistic, "polytomous": draw_polytomous, "ordered": draw_ordered}


@dataclass(frozen=True, slots=True, eq=False)
class ChainEnd:
    """Where a chain ended.

    Attributes
    ----------
    values : completed values of every column, numbers or positions of levels
    means, deviations : of the imputed values of each target after each iteration, shape (iterations, targets)
    unfinished : columns whose model did not converge in the last iteration
    """

    values: tuple[Floats, ...]
    means: Floats
    deviations: Floats
    unfinished: tuple[str, ...]


@dataclass(slots=True, eq=False)
class _State:
    """The completed table: values of each column, their standardized matrix and its cross-products."""

    values: list[Floats]
    X: Floats
    gram: Floats
    starts: dict[int, Start | None] = field(default_factory=dict)
    intercepts: dict[int, InterceptState] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)


def run_chain(plan: Plan, iterations: int, random: np.random.Generator) -> ChainEnd:
    """Begin at random draws of observed values, and impute every target in turn, `iterations` times."""
    state = _begin(plan, random)
    means = np.empty((iterations, len(plan.targets)))
    deviations = np.empty((iterations, len(plan.targets)))
    for iteration in range(iterations):
        state.unfinished.clear()
        for order, target in enumerate(plan.targets):
            imputed = _impute(plan, state, target, random)
            _store(plan, state, target, imputed)
            for passive in plan.passives:
                if plan.columns[target].name in passive.roots:
                    _compute(plan, state, passive)
            means[iteration, order], deviations[iteration, order] = imputed.mean(), imputed.std()
    return ChainEnd(tuple(state.values), means, deviations, tuple(sorted(state.unfinished)))


def _begin(plan: Plan, random: np.random.Generator) -> _State:
    values = [column.values.copy() for column in plan.columns]
    passive = {found.position for found in plan.passives}
    for k, column in enumerate(plan.columns):
        if len(column.missing) and k not in passive:
            values[k][column.missing] = column.values[random.choice(column.observed, len(column.missing))]
    for found in plan.passives:
        _fill(plan, values, found)
    X = np.ones((plan.n, len(plan.center)))
    for k, part in enumerate(plan.parts):
        X[:, part] = plan.standardized(k, values[k])
    return _State(values, X, X.T @ X)


def _impute(plan: Plan, state: _State, target: int, random: np.random.Generator) -> Floats:
    """Draw new values for the missing rows of a target, shape (k,)."""
    column = plan.columns[target]
    method = plan.methods[column.name]
    used = plan.matrix_columns(target)
    if method in ("pmm", "normal"):
        return _linear(plan, state, target, used, random)
    if method == "random-intercept":
        return _with_intercepts(plan, state, target, used, random)
    rows = model_rows(state.X, used, column.observed, state.values[target], len(column.levels))
    missing = state.X[np.ix_(column.missing, used)]
    drawn = DRAWS[method](rows, missing, state.starts.get(target), random)
    state.starts[target] = drawn.start if drawn.converged else None
    if not drawn.converged:
        state.unfinished.add(column.name)
    return drawn.levels


def _linear(plan: Plan, state: _State, target: int, used: Index, random: np.random.Generator) -> Floats:
    """Predictive mean matching, or a draw around the mean; all from cross-products of the observed rows."""
    column, at = plan.columns[target], plan.parts[target].start
    X, missing = state.X, state.X[column.missing]
    gram = state.gram - missing.T @ missing
    posterior = linear_posterior(gram[np.ix_(used, used)], gram[used, at])
    fitted = (X @ _spread(posterior.coefficients, used, X.shape[1]))[column.observed]
    residual = X[column.observed, at] - fitted
    drawn, sigma = posterior.draw(float(residual @ residual), len(residual) - len(used), random)
    predicted = missing @ _spread(drawn, used, X.shape[1])
    if plan.methods[column.name] == "pmm":
        donors = match_donors(fitted, predicted, donors=plan.donors, random=random)
        return column.values[column.observed[donors]]
    draws: Floats = predicted + sigma * random.standard_normal(len(predicted))
    return _unstandardized(plan, at, draws)


def _with_intercepts(plan: Plan, state: _State, target: int, used: Index, random: np.random.Generator) -> Floats:
    column, at, X = plan.columns[target], plan.parts[target].start, state.X
    if plan.cluster is None:
        raise InputError("a random intercept needs `cluster`, the column of the centers")
    draws, state.intercepts[target] = draw_with_intercepts(
        X[np.ix_(column.observed, used)], X[column.observed, at], plan.cluster[column.observed],
        X[np.ix_(column.missing, used)], plan.cluster[column.missing], state.intercepts.get(target), random,
    )  # fmt: skip
    return _unstandardized(plan, at, draws)


def _unstandardized(plan: Plan, at: int, draws: Floats) -> Floats:
    return float(plan.center[at]) + float(plan.scale[at]) * draws


def _spread(coefficients: Floats, used: Index, p: int) -> Floats:
    """Put coefficients at their columns of the whole matrix, 0 elsewhere."""
    spread = np.zeros(p)
    spread[used] = coefficients
    return spread


def _store(plan: Plan, state: _State, position: int, imputed: Floats) -> None:
    """Put new values where the column has none, and bring matrix and cross-products up to date."""
    missing, part = plan.columns[position].missing, plan.parts[position]
    state.values[position][missing] = imputed
    state.X[missing, part] = plan.standardized(position, imputed)
    cross = state.X.T @ np.ascontiguousarray(state.X[:, part])
    state.gram[:, part], state.gram[part, :] = cross, cross.T


def _compute(plan: Plan, state: _State, passive: Passive) -> None:
    _fill(plan, state.values, passive)
    _store(plan, state, passive.position, state.values[passive.position][plan.columns[passive.position].missing])


def _fill(plan: Plan, values: list[Floats], passive: Passive) -> None:
    """Compute a passive column where it is missing, from the completed columns."""
    column = plan.columns[passive.position]
    at = {other.name: k for k, other in enumerate(plan.columns)}
    roots = passive.expression.meta.root_names()
    frame = pl.DataFrame(
        [
            plan.columns[at[root]].decode(values[at[root]][column.missing])
            if root in at
            else plan.table[root].gather(column.missing)
            for root in roots
        ]
    )
    computed = frame.select(passive.expression.cast(pl.Float64)).to_series().fill_null(float("nan")).to_numpy()
    if not np.isfinite(computed).all():
        raise InputError(
            f"the passive column '{column.name}' has no finite value in {int((~np.isfinite(computed)).sum())} rows after "
            "imputation; mend its expression, or impute what it is computed from"
        )
    values[passive.position][column.missing] = computed
