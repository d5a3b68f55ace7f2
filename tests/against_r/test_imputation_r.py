"""mice against Rubin's rules on its own imputed tables, and against our imputations in distribution."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.imputation import (
    chained_equations,
    chi_squared_d2,
    likelihood_ratio_d3,
    likelihood_ratio_d4,
    pool,
    pool_coefficients,
    pool_scalar,
    wald_d1,
)
from counterpulse.regression import linear, logistic

REFERENCES = Path(__file__).parent / "reference"
POOLED = json.loads((REFERENCES / "pooling.json").read_text())
REFERENCE = json.loads((REFERENCES / "imputation.json").read_text())
PRINTED = 6e-10  # of a closed form of which R printed 10 digits
CLOSED = 1e-10
ITERATIVE = 1e-6  # of logistic fits where fitted probabilities are 0 or 1: R stops at a relative change of 1e-8
ERRORS = 3.0  # Monte Carlo standard errors
SPREAD = 0.44  # of the log of a variance of 200 imputations against one of 1,000: four standard errors
WITHIN = 0.04  # relative: the mean variance of 200 fits


def imputed(path):
    stacked = pl.read_csv(path)
    return [table for _, table in stacked.group_by(".imp", maintain_order=True)]


@pytest.fixture
def nhanes(shared_path):
    return imputed(shared_path("reference/observational/mice_nhanes_m5_long.csv"))


@pytest.fixture
def nhanes2(shared_path):
    return imputed(shared_path("reference/observational/mice_nhanes2_m20_long.csv"))


@pytest.mark.parametrize(("term", "name"), [("(intercept)", "(Intercept)"), ("age", "age"), ("bmi", "bmi")])
def test_a_linear_model_pooled(nhanes, term, name):
    fits = [linear(table, outcome="chl", terms=["age", "bmi"]) for table in nhanes]
    pooled = next(found for found in pool([fit.estimates() for fit in fits]).terms if found.estimate.term == term)
    rubin, estimate = pooled.rubin, pooled.estimate
    ours = (
        rubin.value, rubin.within, rubin.between, rubin.total, rubin.df, rubin.relative_increase, rubin.missing_share,
        rubin.fraction_missing, estimate.std_error, estimate.statistic, estimate.p_value, estimate.interval.low,
        estimate.interval.high,
    )  # fmt: skip
    assert ours == pytest.approx(tuple(POOLED["linear"][name].values()), rel=CLOSED)
    together = pool_coefficients([fit.parameters for fit in fits])
    same = together.estimate(together.index(term), measure="mean difference", scale="identity")
    assert (same.value, same.std_error, same.df, same.p_value) == pytest.approx(
        (estimate.value, estimate.std_error, estimate.df, estimate.p_value), rel=CLOSED
    )


def test_a_logistic_model_pooled(nhanes2):
    fits = [
        logistic(table.with_columns(hyp=pl.col("hyp") == "yes"), outcome="hyp", terms=["age", "bmi"])
        for table in nhanes2
    ]
    # R lets the coefficients of age run away where they are infinite; ours say so, and are not pooled
    assert any(not np.isfinite(fit.parameters.values).all() for fit in fits)
    statuses = {found.term: found.status.code for found in pool([fit.estimates() for fit in fits]).estimates()}
    assert statuses["40-59"] == statuses["60-99"] == "separation"
    bmi = pool([next(e for e in fit.estimates() if e.term == "bmi") for fit in fits], df_complete=21).terms[0].rubin
    theirs = POOLED["logistic"]["bmi"]
    assert (bmi.value, bmi.within, bmi.between, bmi.total, bmi.df, bmi.relative_increase, bmi.missing_share) == (
        pytest.approx(tuple(theirs.values())[:7], rel=ITERATIVE)
    )
    assert bmi.fraction_missing == pytest.approx(theirs["fmi"], rel=ITERATIVE)


def test_d1_and_d2(nhanes2):
    fits = [linear(table, outcome="chl", terms=["age", "bmi"]) for table in nhanes2]
    names = ["age=40-59", "age=60-99"]
    d1 = pool_coefficients([fit.parameters for fit in fits]).wald(names)
    assert (d1.statistic, d1.df, d1.df_denominator, d1.p_value) == pytest.approx(
        tuple(POOLED["D1"].values())[:4], rel=CLOSED
    )
    values = np.array([fit.parameters.values[1:3] for fit in fits])
    within = np.mean([fit.parameters.covariance[1:3, 1:3] for fit in fits], axis=0)
    again = wald_d1(values.mean(axis=0), within, np.cov(values.T), m=20, df_complete=21)
    assert (again.statistic, again.relative_increase) == pytest.approx(
        (POOLED["D1"]["statistic"], POOLED["D1"]["riv"]), rel=CLOSED
    )
    d2 = chi_squared_d2([2 * fit.parameters.wald(names).statistic for fit in fits], df=2)
    assert (d2.statistic, d2.df, d2.df_denominator, d2.p_value, d2.relative_increase) == pytest.approx(
        tuple(POOLED["D2"].values()), rel=CLOSED
    )


def deviance(table, columns, coefficients=None):
    """Minus twice the log-likelihood with its own residual variance, less a constant; at given coefficients the residuals
    are centered, because mice fits the intercept again there.
    """
    X = np.column_stack([np.ones(table.height), *columns(table)])
    y = table["chl"].to_numpy().astype(float)
    beta = np.linalg.lstsq(X, y, rcond=None)[0] if coefficients is None else coefficients
    return len(y) * np.log((y - X @ beta).var()), beta


def small(table):
    return [table["bmi"].to_numpy()]


def large(table):
    return [*((table["age"] == level).to_numpy().astype(float) for level in ("40-59", "60-99")), *small(table)]


def test_d3(nhanes2):
    fits = {kind: [deviance(table, kind) for table in nhanes2] for kind in (small, large)}
    mean = {kind: np.mean([beta for _, beta in found], axis=0) for kind, found in fits.items()}
    own = [without[0] - full[0] for without, full in zip(fits[small], fits[large], strict=True)]
    pooled = [deviance(t, small, mean[small])[0] - deviance(t, large, mean[large])[0] for t in nhanes2]
    d3 = likelihood_ratio_d3(own, pooled, df=2)
    assert (d3.statistic, d3.df_denominator, d3.p_value, d3.relative_increase) == pytest.approx(
        (3.588971569, 162.442782, 0.02983900668, 0.817597494), rel=PRINTED
    )
    d4 = likelihood_ratio_d4(own, float(np.sum(pooled)), df=2)
    assert (d4.statistic, d4.p_value) == pytest.approx((d3.statistic, d3.p_value), rel=CLOSED)  # one arithmetic


@pytest.mark.parametrize(
    ("df_complete", "df", "fraction"), [(98, 16.48537374, 0.4743213611), (np.inf, 23.31596161, 0.4587145475)]
)
def test_pool_scalar(df_complete, df, fraction):
    pooled = pool_scalar([-0.1, 0.2, 0.3, 0.25, 0.05], [0.04, 0.05, 0.045, 0.05, 0.042], df_complete=df_complete)
    assert (pooled.value, pooled.within, pooled.between, pooled.total) == pytest.approx(
        (0.14, 0.0454, 0.02675, 0.0775), rel=CLOSED
    )
    assert (pooled.relative_increase, pooled.df, pooled.fraction_missing) == pytest.approx(
        (0.7070484581, df, fraction), rel=PRINTED
    )


@pytest.fixture(scope="module")
def ours():
    tables = {}

    def impute(name, table):
        if name not in tables:
            used = table.select("age", "bmi", "hyp", "chl")
            tables[name] = chained_equations(used, m=200, iterations=8, seed=20260101).frames()
        return tables[name]

    return impute


@pytest.mark.parametrize("name", ["nhanes", "nhanes2"])
@pytest.mark.parametrize(("outcome", "terms"), [("chl", ["age", "bmi"]), ("bmi", ["age", "chl"])])
def test_imputations_in_distribution(shared_data, ours, name, outcome, terms):
    frames = ours(name, shared_data(f"{name}.csv"))
    pooled = pool([linear(frame, outcome=outcome, terms=terms).estimates() for frame in frames])
    for term, theirs in zip(pooled.terms, REFERENCE[name][outcome], strict=True):
        rubin = term.rubin
        error = np.sqrt(theirs["between"] / REFERENCE["m"] + rubin.between / rubin.m)
        assert abs(rubin.value - theirs["estimate"]) <= ERRORS * error
        assert abs(np.log(rubin.between / theirs["between"])) <= SPREAD
        assert rubin.within == pytest.approx(theirs["within"], rel=WITHIN)


@pytest.mark.parametrize(("outcome", "terms"), [("chl", ["age", "bmi"]), ("bmi", ["age", "chl"])])
def test_stored_imputations_in_distribution(shared_data, nhanes2, ours, outcome, terms):
    def fits(tables):
        return pool([linear(table, outcome=outcome, terms=terms).estimates() for table in tables]).terms

    for theirs, mine in zip(fits(nhanes2), fits(ours("nhanes2", shared_data("nhanes2.csv"))), strict=True):
        error = np.sqrt(theirs.rubin.between / 20 + mine.rubin.between / mine.rubin.m)
        assert abs(theirs.rubin.value - mine.rubin.value) <= ERRORS * error
