"""Fine and Gray's model against slow, obvious versions; the sandwich against the numerical jackknife."""

import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.survival.subdistribution_likelihood import influences, subdistribution_state
from counterpulse.survival.subdistribution_sets import subdistribution_sets

CLOSED_FORM = 1e-10  # relative
ITERATIVE = 1e-8  # relative; both are Newton's method to its end
STEP = 1e-5
LAST = 60
"""Patients at risk where follow-up ends. The paper's influence of a censoring divides by the Y at risk, the derivative of the
product-limit curve by Y - 1: a difference of 1 in 60 here, but of 1 in 2 where the last risk sets are of two patients (followed to the very last, the
correlation below is anything from 0.998 to 0.9999, by the chance of the data)."""
ONE_PATIENT = 1e-3  # absolute, of influences up to 0.03; they differ by the order of 1/Y, Y at least `LAST`
ALIKE = 0.9999  # correlation of the parts that are due to the censoring


@pytest.fixture(scope="module")
def patients():
    random = np.random.default_rng(11)
    n = 300
    x, z = random.normal(size=n), random.integers(0, 2, n)
    first, second = random.exponential(8 * np.exp(-0.5 * x)), random.exponential(9, n)
    ends = random.uniform(0, 14, n) * np.where(z == 1, 0.8, 1.0)
    cause = np.where(ends < np.minimum(first, second), 0, np.where(first < second, 1, 2))
    time = np.ceil(4 * np.minimum(ends, np.minimum(first, second))) / 4
    return pl.DataFrame(
        {"time": time, "cause": cause, "x": x, "z": z, "arm": random.integers(0, 3, n), "w": random.uniform(0.2, 3, n)}
    )


def uncensored_before(time, cause, weights, events_first):
    """The probability of being uncensored just before a time."""

    def curve(at):
        probability = 1.0
        for moment in np.unique(time[time < at]):
            at_risk = weights[time >= moment].sum()
            if events_first:
                at_risk -= weights[(time == moment) & (cause > 0)].sum()
            censored = weights[(time == moment) & (cause == 0)].sum()
            if censored > 0:
                probability *= 1 - censored / at_risk
        return probability

    return curve


def slow_fine_gray(time, cause, X, weights, *, efron, events_first):
    G = uncensored_before(time, cause, weights, events_first)
    before = np.array([G(moment) for moment in time])
    beta = np.zeros(X.shape[1])
    for _ in range(30):
        gradient, information = np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
        for moment in np.unique(time[cause == 1]):
            factor = np.where(time >= moment, 1.0, np.where(cause == 2, G(moment) / before, 0.0))
            risk = weights * factor * np.exp(X @ beta)
            dead = (time == moment) & (cause == 1)
            d = int(dead.sum())
            gradient += (weights * dead) @ X
            for step in range(d):
                left = risk - (step / d if efron else 0.0) * risk * dead
                share = weights[dead].sum() / d
                mean = left @ X / left.sum()
                gradient -= share * mean
                information += share * ((X.T * left) @ X / left.sum() - np.outer(mean, mean))
        beta = beta + np.linalg.solve(information, gradient)
    return beta, np.linalg.inv(information)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("tied_censoring", ["with-events", "after-events"])
@pytest.mark.parametrize("weighted", [False, True])
def test_fine_gray_without_rows_for_intervals(patients, ties, tied_censoring, weighted):
    weights = patients["w"].to_numpy() if weighted else np.ones(patients.height)
    beta, inverse = slow_fine_gray(
        patients["time"].to_numpy(), patients["cause"].to_numpy(), patients.select("x", "z").to_numpy().astype(float),
        weights, efron=ties == "efron", events_first=tied_censoring == "after-events",
    )  # fmt: skip
    fit = survival.fine_gray(
        patients, time="time", event="cause", terms=["x", "z"], ties=ties, tied_censoring=tied_censoring,
        weights="w" if weighted else None,
    )  # fmt: skip
    np.testing.assert_allclose(fit.coefficients, beta, rtol=ITERATIVE)
    np.testing.assert_allclose(fit.model_covariance, inverse, rtol=ITERATIVE)


@pytest.mark.parametrize("stratified", [False, True])
def test_influences_are_the_jackknife(patients, stratified):
    """The derivative of the score by each weight, with the curve of the censoring estimated anew."""
    untied = patients.with_columns(untied=pl.col("time") + pl.col("w") / 100).sort("untied")
    end = untied["untied"][-LAST]
    ordered = untied.with_columns(
        pl.col("untied").clip(upper_bound=end), cause=pl.when(pl.col("untied") >= end).then(0).otherwise("cause")
    )
    time, cause = ordered["untied"].to_numpy(), ordered["cause"].to_numpy()
    X = np.asfortranarray(ordered.select("x", "z").to_numpy().astype(float))
    strata = ordered["z"].to_numpy() if stratified else None
    beta = np.array([0.4, -0.1])

    def sets(weights):
        return subdistribution_sets(time, cause, weights=weights, strata=strata, events_first=False)

    def score(weights):
        return subdistribution_state(sets(weights), X, beta, efron=False).gradient

    n = len(time)
    jackknife = np.empty((n, 2))
    for i in range(n):
        step = np.zeros(n)
        step[i] = STEP
        jackknife[i] = (score(1 + step) - score(1 - step)) / (2 * STEP)
    state = subdistribution_state(sets(np.ones(n)), X, beta, efron=False)
    whole, known = (influences(sets(np.ones(n)), X, state, censoring=censoring) for censoring in (True, False))
    np.testing.assert_allclose(whole, jackknife, atol=ONE_PATIENT)
    assert np.corrcoef((whole - known).ravel(), (jackknife - known).ravel())[0, 1] > ALIKE


def test_one_cause_is_cox(patients):
    """Without another cause the subdistribution hazard is the hazard, and nothing of the censoring is weighted."""
    alone = patients.filter(pl.col("cause") != 2)
    fit = survival.fine_gray(alone, time="time", event="cause", terms=["x", "z"], variance="robust")
    expected = survival.cox(alone, time="time", event="cause", terms=["x", "z"], ties="breslow", robust=True)
    np.testing.assert_allclose(fit.coefficients, expected.coefficients, rtol=ITERATIVE)
    np.testing.assert_allclose(fit.parameters.covariance, expected.covariance, rtol=ITERATIVE)


def slow_adjusted_log_rank(time, event, treated, weights):
    """Xie and Liu's test of two groups, formula by formula."""
    score = variance = 0.0
    for moment in np.unique(time[event]):
        at_risk, dead = time >= moment, (time == moment) & event
        whole, part = weights[at_risk].sum(), weights[at_risk & treated].sum()
        score += weights[dead & treated].sum() - part * weights[dead].sum() / whole
        y, d = at_risk.sum(), dead.sum()
        if y > 1:
            ones = ((whole - part) / whole) ** 2 * (weights[at_risk & treated] ** 2).sum()
            others = (part / whole) ** 2 * (weights[at_risk & ~treated] ** 2).sum()
            variance += d * (y - d) / (y * (y - 1)) * (ones + others)
    return score**2 / variance


def test_adjusted_log_rank(patients):
    table = patients.with_columns(event=pl.col("cause") > 0)
    test = survival.log_rank(table, time="time", event="event", by="z", weights="w")
    columns = (table[name].to_numpy() for name in ("time", "event", "z", "w"))
    time, event, z, weights = columns
    np.testing.assert_allclose(test.statistic, slow_adjusted_log_rank(time, event, z == 1, weights), rtol=CLOSED_FORM)
    assert test.df == 1


def slow_uncensored(rows, hazard):
    """The probability of being uncensored until just before the end of each row, hazards multiplied day by day."""
    out = []
    for patient, time in zip(rows["patient"], rows["time"], strict=True):
        own = rows.filter(pl.col("patient") == patient)
        total = 0.0
        for moment, increment in hazard:
            if moment >= time:
                break
            now = own.filter((pl.col("start") < moment) & (pl.col("time") >= moment))
            total += increment * np.exp(now["risk"][0])
        out.append(np.exp(-total))
    return np.array(out)


def test_weights_of_censoring_over_intervals(patients):
    """Two intervals a patient, a covariate that changes between them."""
    base = patients.with_columns(patient=pl.int_range(pl.len()), lost=pl.col("cause") == 0).filter(pl.col("time") > 2)
    first = base.with_columns(start=pl.lit(0.0), time=pl.lit(2.0), lost=pl.lit(value=False))
    second = base.with_columns(start=pl.lit(2.0), x=pl.col("x") + pl.col("w"))
    rows = pl.concat([first, second.select(first.columns)]).sort("time", "patient")
    found = survival.inverse_censoring_weights(
        rows, time="time", start="start", censored="lost", patient="patient", terms=["x"], stabilized=False
    )
    model = found.model
    baseline = model.baseline()
    increments = np.diff(baseline["cumulative_hazard"].to_numpy(), prepend=0.0)
    risk = survival.linear_predictor(model, rows)
    expected = slow_uncensored(
        rows.with_columns(risk=pl.Series(risk)), list(zip(baseline["time"], increments, strict=True))
    )
    np.testing.assert_allclose(found.probability, expected, rtol=CLOSED_FORM)
    np.testing.assert_allclose(found.weights, 1 / expected, rtol=CLOSED_FORM)
