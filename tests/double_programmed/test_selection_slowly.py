"""Stepwise selection against fitting every neighbor of every model, rare and separated columns included."""

import numpy as np
import polars as pl
import pytest
from scipy.special import chdtrc

from counterpulse.regression import (
    Candidate,
    binomial_columns,
    gaussian_columns,
    logistic,
    stepwise,
    term_columns,
    univariable,
)
from counterpulse.regression.column_likelihood import BinomialColumns
from counterpulse.regression.lasso_path import lasso_path, quadratic_lasso
from counterpulse.survival import cox, cox_columns

ITERATIVE = 1e-7  # two maxima of one concave function, each to 1e-6 of a standard error or better
KKT = 1e-5  # what a score may exceed the penalty by, as a part of it, after steps of 1e-5 standard errors


def patients(seed, n=160):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 5)) @ (np.eye(5) + 0.5 * random.normal(size=(5, 5)))
    rare = random.random((n, 2)) < 0.04
    risk = 1 / (1 + np.exp(-(X[:, 0] - 0.6 * X[:, 1])))
    y = (random.random(n) < risk) | rare[:, 0]  # the first rare column is separated
    time = np.ceil(random.exponential(size=n) * 20 / np.exp(0.5 * X[:, 0]))
    columns = {f"x{k}": X[:, k] for k in range(5)} | {"rare0": rare[:, 0], "rare1": rare[:, 1]}
    ward = random.choice(["a", "b", "c"], n)
    return pl.DataFrame(columns | {"ward": ward, "y": y, "z": X[:, 0] + random.normal(size=n), "time": time})


NAMES = [*(f"x{k}" for k in range(5)), "rare0", "rare1", "ward"]


def maximum(likelihood, columns):
    """Damped Newton steps, plainly."""
    at = likelihood.start()
    value, gradient = likelihood.evaluate(at[:, None])
    for _ in range(60):
        step = np.zeros_like(at)
        information = likelihood.information(at, np.array(columns)) if columns else np.zeros((0, 0))
        step[columns] = np.linalg.lstsq(information, gradient[columns, 0], rcond=1e-13)[0]
        for _ in range(30):
            there, slope = likelihood.evaluate((at + step)[:, None])
            if there[0] >= value[0]:
                at, value, gradient = at + step, there, slope
                break
            step /= 2
    return float(value[0])


def slowly(likelihood, by, enter, stay):
    """Forward and backward, every neighbor fitted."""
    columns = term_columns(likelihood)

    def fit(inside):
        places = [*range(likelihood.nuisance), *(place for index in sorted(inside) for place in columns[index])]
        return maximum(likelihood, places), len(places)

    def test(small, large):
        return likelihood.tail(2 * (large[0] - small[0]), large[1] - small[1], large[1])

    inside, path = frozenset(), []
    while True:
        before, here = inside, fit(inside)
        if by == "aic":
            moves = {inside ^ {index}: fit(inside ^ {index}) for index in range(len(columns))}
            best = min(moves, key=lambda key: 2 * moves[key][1] - 2 * moves[key][0])
            if 2 * moves[best][1] - 2 * moves[best][0] < 2 * here[1] - 2 * here[0] - 1e-7:
                inside = best
                path.append(next(iter(before ^ inside)))
                continue
            return inside, path
        outside = [index for index in range(len(columns)) if index not in inside]
        p_values = {index: test(here, fit(inside | {index})) for index in outside}
        if p_values and min(p_values.values()) < enter:
            chosen = min(p_values, key=p_values.get)
            inside |= {chosen}
            path.append(chosen)
        while inside:
            here = fit(inside)
            p_values = {index: test(fit(inside - {index}), here) for index in inside}
            worst = max(p_values, key=p_values.get)
            if p_values[worst] < stay:
                break
            inside -= {worst}
            path.append(worst)
        if inside == before:
            return inside, path


@pytest.mark.parametrize("kind", ["logistic", "linear", "cox"])
@pytest.mark.parametrize("by", ["p", "aic"])
@pytest.mark.parametrize("seed", range(4))
def test_every_neighbor_fitted_gives_the_same_path(kind, by, seed):
    table = patients(seed)
    if kind == "logistic":
        likelihood = binomial_columns(table, outcome="y", terms=NAMES)
    elif kind == "linear":
        likelihood = gaussian_columns(table, outcome="z", terms=NAMES)
    else:
        likelihood = cox_columns(table, time="time", event="y", terms=NAMES)
    candidates = [Candidate(name, places) for name, places in zip(NAMES, term_columns(likelihood), strict=True)]
    found = stepwise(candidates, likelihood=likelihood, by=by, enter=0.2, stay=0.25)
    inside, path = slowly(likelihood, by, 0.2, 0.25)
    assert [step.term for step in found.path] == [NAMES[index] for index in path]
    assert set(found.terms) == inside


def test_the_likelihoods_are_those_of_the_models():
    table = patients(1).drop("rare0")
    names = [name for name in NAMES if name != "rare0"]
    likelihood = binomial_columns(table, outcome="y", terms=names)
    every = list(range(likelihood.X.shape[1]))
    model = logistic(table, outcome="y", terms=names)
    assert maximum(likelihood, every) == pytest.approx(model.log_likelihood, rel=ITERATIVE)
    partial = cox_columns(table, time="time", event="y", terms=names)
    hazards = cox(table, time="time", event="y", terms=names)
    assert maximum(partial, list(range(partial.X.shape[1]))) == pytest.approx(hazards.log_likelihood, rel=ITERATIVE)


def test_predictors_one_by_one_are_models_of_one_predictor():
    table = patients(1)
    names = ["x0", "x3", "ward"]
    likelihood = binomial_columns(table, outcome="y", terms=names)
    candidates = [Candidate(name, places) for name, places in zip(names, term_columns(likelihood), strict=True)]
    empty = logistic(table, outcome="y", terms=[]).log_likelihood
    for step, name in zip(univariable(candidates, likelihood=likelihood), names, strict=True):
        fit = logistic(table, outcome="y", terms=[name])
        statistic = 2 * (fit.log_likelihood - empty)
        assert step.p_value == pytest.approx(chdtrc(len(fit.columns) - 1, statistic), rel=ITERATIVE)


def test_rows_that_count_twice_are_rows_that_stand_twice():
    table = patients(2)
    counts = np.random.default_rng(5).integers(0, 4, table.height)
    repeated = table[np.repeat(np.arange(table.height), counts)]
    paths = []
    for likelihood in (
        binomial_columns(table, outcome="y", terms=NAMES).weighted(counts.astype(float)),
        binomial_columns(repeated, outcome="y", terms=NAMES),
    ):
        candidates = [Candidate(name, places) for name, places in zip(NAMES, term_columns(likelihood), strict=True)]
        found = stepwise(candidates, likelihood=likelihood, by="aic")
        paths.append([(step.term, round(step.statistic, 6)) for step in found.path])
    assert paths[0] == paths[1]


def test_dependent_and_constant_candidates_take_no_degree_of_freedom():
    table = patients(3).with_columns(copy=pl.col("x0") * 2 + 1, one=pl.lit(1.0))
    names = [*NAMES, "copy", "one"]
    likelihood = binomial_columns(table, outcome="y", terms=names)
    candidates = [Candidate(name, places) for name, places in zip(names, term_columns(likelihood), strict=True)]
    found = stepwise(candidates, likelihood=likelihood, enter=0.5, stay=0.6)
    chosen = {names[index] for index in found.terms}
    assert "one" not in chosen
    assert not {"x0", "copy"} <= chosen


@pytest.mark.parametrize("make", ["binomial", "cox"])
def test_the_lasso_meets_its_conditions(make):
    table = patients(1)
    likelihood = (
        binomial_columns(table, outcome="y", terms=NAMES)
        if make == "binomial"
        else cox_columns(table, time="time", event="y", terms=NAMES)
    )
    first = likelihood.nuisance
    inside = list(range(first, len(likelihood.scale)))
    penalties = np.array([0.1, 0.05, 0.02])
    found = lasso_path(likelihood, penalties, inside, np.arange(first))
    price = likelihood.spreads()[inside, None] * penalties * table.height
    _, gradient = likelihood.evaluate(found)
    b, score = found[inside], gradient[inside]
    assert (np.abs(score) <= price * (1 + KKT)).all()
    np.testing.assert_allclose(score[b != 0], (price * np.sign(b))[b != 0], rtol=KKT)


def test_a_quadratic_lasso_by_coordinates():
    random = np.random.default_rng(3)
    A = random.normal(size=(30, 8))
    M, c, price = A.T @ A, A.T @ random.normal(size=30) * 3, np.full(8, 4.0)
    price[0] = 0
    b = np.zeros(8)
    for _ in range(5000):
        for j in range(8):
            rest = c[j] - M[j] @ b + M[j, j] * b[j]
            b[j] = np.sign(rest) * max(abs(rest) - price[j], 0) / M[j, j]
    np.testing.assert_allclose(quadratic_lasso(M, c, price, np.zeros(8)), b, atol=ITERATIVE)


def test_binomial_columns_stay_finite_far_out():
    likelihood = BinomialColumns(
        X=np.column_stack([np.ones(4), [1.0, 2.0, -1.0, -2.0]]), y=np.array([1.0, 1.0, 0.0, 0.0]), spec=None,
        scale=np.ones(2), rows_used=np.arange(4),
    )  # fmt: skip
    value, gradient = likelihood.evaluate(np.array([[0.0, 0.0], [900.0, -900.0]]))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
