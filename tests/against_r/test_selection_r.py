"""step(), loops of add1() and drop1(), and glmnet against the selection of covariates."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.regression import Candidate, binomial_columns, gaussian_columns, lasso, stepwise, term_columns
from counterpulse.regression.lasso_path import lasso_path, usual_penalties
from counterpulse.survival import cox_columns

REFERENCE = Path(__file__).parent / "reference" / "selection.json"
ITERATIVE = 1e-6  # R stops at a relative change of 1e-14 (glm), 1e-12 (coxph)
PENALIZED = 1e-6  # glmnet at thresh = 1e-16
STOPPED = 2  # glmnet looks at the deviance before its last digits, so that its path may end a penalty or two elsewhere
CANDIDATES = [*(f"v{k}" for k in range(1, 10)), "stage", "rare"]
TERMS = ["arm", *CANDIDATES]
REFERENCE_RESULTS = json.loads(REFERENCE.read_text())
IDS = {"steps": ["kind", "by", "direction"], "loops": ["kind", "direction", "enter"]}


def table():
    return pl.DataFrame(REFERENCE_RESULTS["data"])


def likelihood_of(kind):
    if kind == "logistic":
        return binomial_columns(table(), outcome="y", terms=TERMS)
    if kind == "linear":
        return gaussian_columns(table(), outcome="z", terms=TERMS)
    return cox_columns(table(), time="time", event="event", terms=TERMS)


def candidates_of(likelihood):
    columns = term_columns(likelihood)
    return [Candidate(name, places) for name, places in zip(CANDIDATES, columns[1:], strict=True)], columns[0]


def cases(key):
    return [pytest.param(case, id=" ".join(str(case[part]) for part in IDS[key])) for case in REFERENCE_RESULTS[key]]


def check_path(found, case):
    moved = case["moved"] if isinstance(case["moved"], list) else [case["moved"]]
    actions = case["actions"] if isinstance(case["actions"], list) else [case["actions"]]
    terms = case["terms"] if isinstance(case["terms"], list) else [case["terms"]]
    assert [step.term for step in found.path] == moved
    assert [step.action for step in found.path] == actions
    assert sorted(CANDIDATES[index] for index in found.terms) == terms


def check_coefficients(found, likelihood, case):
    values = found.fitted.at / likelihood.scale
    names = [column.name.replace("=", "") for column in likelihood.spec.columns]
    theirs = {name: value for name, value in case["coefficients"].items() if name != "(Intercept)"}
    ours = {names[column]: values[column] for column in found.fitted.columns if names[column] != "(intercept)"}
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=ITERATIVE, abs=ITERATIVE)


@pytest.mark.parametrize("case", cases("steps"))
def test_aic_and_bic_take_the_path_of_step(case):
    likelihood = likelihood_of(case["kind"])
    candidates, keep = candidates_of(likelihood)
    found = stepwise(candidates, keep=keep, likelihood=likelihood, direction=case["direction"], by=case["by"])
    check_path(found, case)
    check_coefficients(found, likelihood, case)


@pytest.mark.parametrize("case", cases("loops"))
def test_p_values_take_the_path_of_add1_and_drop1(case):
    likelihood = likelihood_of(case["kind"])
    candidates, keep = candidates_of(likelihood)
    found = stepwise(
        candidates, keep=keep, likelihood=likelihood, direction=case["direction"], enter=case["enter"],
        stay=case["stay"],
    )  # fmt: skip
    check_path(found, case)
    check_coefficients(found, likelihood, case)
    p_values = case["p"] if isinstance(case["p"], list) else [case["p"]]
    assert [step.p_value for step in found.path] == pytest.approx(p_values, rel=ITERATIVE)


def penalized(kind):
    """The likelihood, what is free of the penalty, and what glmnet's penalties are here.

    glmnet scales its penalty factors to sum to the columns.
    """
    likelihood = likelihood_of(kind).penalized()
    columns = term_columns(likelihood)
    inside = [column for term in columns[1:] for column in term]
    factor = (len(inside) + 1) / len(inside)
    return likelihood, columns[0], inside, factor


@pytest.mark.parametrize("kind", ["logistic", "linear", "cox"])
def test_the_lasso_is_that_of_glmnet(kind):
    case = REFERENCE_RESULTS["lasso"][kind]
    likelihood, keep, inside, factor = penalized(kind)
    if kind == "cox":
        likelihood = cox_columns(table(), time="time", event="event", terms=TERMS, ties="breslow")
    found = lasso(
        likelihood, penalized=inside, keep=keep, folds=np.array(REFERENCE_RESULTS["folds"])[likelihood.rows_used],
        penalties=np.array(case["lambda"]) * factor,
    )  # fmt: skip
    places = [*keep, *inside]
    ours = found.coefficients[places] / likelihood.scale[places, None]
    np.testing.assert_allclose(ours.T, np.array(case["beta"]), rtol=PENALIZED, atol=PENALIZED)
    np.testing.assert_allclose(found.deviance, case["deviance"], rtol=PENALIZED)
    np.testing.assert_allclose(found.std_error, case["std_error"], rtol=PENALIZED)
    assert (found.minimum + 1, found.one_standard_error + 1) == (case["minimum"], case["one_se"])


@pytest.mark.parametrize("kind", ["logistic", "linear"])
def test_penalties_begin_and_fall_as_in_glmnet(kind):
    case = REFERENCE_RESULTS["lasso"][kind]
    likelihood, keep, inside, factor = penalized(kind)
    free = np.array([0, *keep])
    penalties = usual_penalties(likelihood, inside, free)
    assert penalties[0] == pytest.approx(case["lambda_first"] * factor, rel=ITERATIVE)
    assert penalties[1] / penalties[0] == pytest.approx(case["lambda_ratio"], rel=ITERATIVE)
    if kind == "linear":
        found = lasso_path(likelihood, penalties, inside, free, flat=1e-5)
        assert abs(found.shape[1] - case["length"]) <= STOPPED
