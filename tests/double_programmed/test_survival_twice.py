"""The same quantities from their definitions: loops over risk sets, numerical derivatives, nothing cumulative."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

import counterpulse.survival as survival

DERIVATIVE = 2e-6  # of a standard error; central differences of a function with 16 digits
CLOSED_FORM = 1e-10  # relative; the same formula in another order
BACKGROUND = {"time": "stop", "event": "event"}


def slow_log_likelihood(beta, table, X, *, efron):
    total = 0.0
    for stratum in np.unique(table["stratum"]):
        for time in np.unique(table["stop"][(table["event"]) & (table["stratum"] == stratum)]):
            inside = table["stratum"] == stratum
            at_risk = inside & (table["start"] < time) & (table["stop"] >= time)
            died = inside & table["event"] & (table["stop"] == time)
            risk = table["w"] * np.exp(X @ beta)
            d, mean_weight = died.sum(), table["w"][died].mean()
            total += float((table["w"][died] * (X @ beta)[died]).sum())
            for step in range(d):
                fraction = step / d if efron else 0.0
                total -= mean_weight * np.log(risk[at_risk].sum() - fraction * risk[died].sum())
    return total


def slow_score_of_row(beta, table, X, *, efron, row):
    """Derivative of the score in the weight of one row, Efron's mean weight held (Binder 1992; Therneau 2000)."""
    risk = table["w"] * np.exp(X @ beta)
    total = np.zeros(X.shape[1])
    for time in np.unique(table["stop"][table["event"] & (table["stratum"] == table["stratum"][row])]):
        inside = table["stratum"] == table["stratum"][row]
        at_risk = inside & (table["start"] < time) & (table["stop"] >= time)
        if not at_risk[row]:
            continue
        died = inside & table["event"] & (table["stop"] == time)
        d, mean_weight = died.sum(), table["w"][died].mean()
        for step in range(d):
            f = step / d if efron else 0.0
            part = at_risk * 1.0 - f * died
            denominator = (part * risk).sum()
            mean = (part * risk) @ X / denominator
            hazard = mean_weight / denominator
            total += (died[row] / d - part[row] * np.exp(X[row] @ beta) * hazard) * (X[row] - mean)
    return table["w"][row] * total


def rows_of(seed, *, ties):
    rng = np.random.default_rng(seed)
    n = 60
    stop = rng.exponential(5, n)
    stop = np.ceil(stop) if ties else stop
    X = np.column_stack([rng.normal(size=n), rng.integers(0, 2, n)]).astype(float)
    columns = {
        "stop": stop, "start": stop * rng.uniform(-0.5, 0.9, n), "event": rng.random(n) < 0.7,
        "stratum": rng.integers(0, 2, n), "w": rng.uniform(0.5, 2, n), "cluster": rng.integers(0, 20, n),
    }  # fmt: skip
    return columns, X, pl.DataFrame({**columns, "x": X[:, 0], "z": X[:, 1]})


def gradient(function, at, step=1e-5):
    return np.array([(function(at + step * e) - function(at - step * e)) / (2 * step) for e in np.eye(len(at))])


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("method", ["efron", "breslow"])
def test_cox_is_at_the_maximum_of_the_slow_likelihood(ties, method):
    columns, X, table = rows_of(4, ties=ties)
    fit = survival.cox(
        table, start="start", terms=["x", "z"], strata="stratum", weights="w", ties=method, robust=False, **BACKGROUND
    )

    def slow(beta):
        return slow_log_likelihood(beta, columns, X, efron=method == "efron")

    assert fit.log_likelihood == pytest.approx(slow(fit.coefficients), rel=CLOSED_FORM)
    assert fit.log_likelihood_null == pytest.approx(slow(np.zeros(2)), rel=CLOSED_FORM)
    errors = np.sqrt(np.diag(fit.model_covariance))
    np.testing.assert_allclose(gradient(slow, fit.coefficients) * errors, 0, atol=DERIVATIVE)


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("method", ["efron", "breslow"])
@pytest.mark.parametrize("cluster", [None, "cluster"])
def test_information_and_dfbeta_are_the_slow_ones(ties, method, cluster):
    columns, X, table = rows_of(5, ties=ties)
    fit = survival.cox(
        table, start="start", terms=["x", "z"], strata="stratum", weights="w", ties=method, cluster=cluster,
        robust=True, **BACKGROUND,
    )  # fmt: skip
    efron = method == "efron"
    scores = np.array([slow_score_of_row(fit.coefficients, columns, X, efron=efron, row=row) for row in range(len(X))])
    np.testing.assert_allclose(scores.sum(axis=0) * np.sqrt(np.diag(fit.model_covariance)), 0, atol=DERIVATIVE)

    def slow(beta):
        return gradient(lambda b: slow_log_likelihood(b, columns, X, efron=efron), beta, step=1e-4)

    information = -gradient(slow, fit.coefficients, step=1e-4)
    np.testing.assert_allclose(information @ fit.model_covariance, np.eye(2), atol=SECOND_DERIVATIVE)
    dfbeta = scores @ fit.model_covariance
    if cluster:
        dfbeta = np.array([dfbeta[columns["cluster"] == label].sum(axis=0) for label in np.unique(columns["cluster"])])
    np.testing.assert_allclose(fit.covariance, dfbeta.T @ dfbeta, rtol=CLOSED_FORM)


SECOND_DERIVATIVE = 1e-5  # absolute, of the unit matrix; differences of differences keep half the digits


@pytest.mark.parametrize("transform", ["identity", "log"])
def test_proportional_hazards_is_the_slow_score_test(transform):
    """The score of x * g(t) at zero in a data set split at every event time."""
    _, _, table = rows_of(6, ties=True)
    fit = survival.cox(table, terms=["x", "z"], **BACKGROUND)
    test = survival.proportional_hazards(fit, transform=transform)
    times = np.unique(table.filter("event")["stop"])
    pieces = []
    for before, time in zip([0.0, *times[:-1]], times, strict=True):
        g = time if transform == "identity" else np.log(time)
        part = table.filter(pl.col("stop") > before)
        pieces.append(
            part.with_columns(
                start=pl.lit(before), died=pl.col("event") & (pl.col("stop") == time), stop=pl.lit(time),
                xg=pl.col("x") * g, zg=pl.col("z") * g,
            ).filter((part["stop"] >= time).to_numpy())
        )  # fmt: skip
    long = pl.concat(pieces)
    columns = {
        "stop": long["stop"].to_numpy(), "start": long["start"].to_numpy(), "event": long["died"].to_numpy(),
        "stratum": np.zeros(long.height), "w": np.ones(long.height),
    }  # fmt: skip
    X = long.select("x", "z", "xg", "zg").to_numpy()
    at = np.concatenate([fit.coefficients, [0, 0]])
    sd = X.std(axis=0)

    def slow(scaled):
        return slow_log_likelihood(scaled / sd, columns, X, efron=True)

    score = gradient(slow, at * sd)
    information = -gradient(lambda b: gradient(slow, b, 1e-4), at * sd, 1e-4)
    statistic = score @ np.linalg.solve(information, score)
    assert test.chi_squared[-1] == pytest.approx(statistic, rel=SCORE_BY_DIFFERENCES)


SCORE_BY_DIFFERENCES = 1e-4  # relative; second differences


def test_restricted_mean_and_curve_from_their_definitions():
    _, _, table = rows_of(7, ties=True)
    curve = survival.kaplan_meier(table, **BACKGROUND).curves[0]
    stop, event = table["stop"].to_numpy(), table["event"].to_numpy()
    value, variance = 1.0, 0.0
    for i, time in enumerate(np.unique(stop)):
        n, d = (stop >= time).sum(), (event & (stop == time)).sum()
        value *= 1 - d / n
        variance += d / (n * (n - d)) if d < n else 0.0
        assert curve.survival[i] == pytest.approx(value, rel=CLOSED_FORM, abs=CLOSED_FORM)
        if value > 0:
            assert curve.std_error[i] == pytest.approx(value * np.sqrt(variance), rel=CLOSED_FORM)
    tau = 6.5
    grid = np.concatenate([[0], np.unique(stop)[np.unique(stop) < tau], [tau]])
    area = sum((b - a) * (curve.at(a).value) for a, b in pairwise(grid))
    assert curve.restricted_mean(tau).value == pytest.approx(area, rel=CLOSED_FORM)


def test_concordance_counts_pairs():
    rng = np.random.default_rng(2)
    for _ in range(20):
        n = 40
        time, start = rng.integers(1, 12, n), None
        start = time - rng.integers(1, 6, n)
        event, score = rng.random(n) < 0.6, rng.integers(0, 7, n)
        table = pl.DataFrame({"time": time, "start": start, "event": event, "score": score})
        for begin in (None, "start"):
            concordant = discordant = tied = 0
            for i in np.flatnonzero(event):
                beyond = (time > time[i]) | ((time == time[i]) & ~event)
                beyond &= (start < time[i]) if begin else True
                concordant += int((score[beyond] < score[i]).sum())
                discordant += int((score[beyond] > score[i]).sum())
                tied += int((score[beyond] == score[i]).sum())
            pairs = survival.concordance(table, time="time", event="event", score="score", start=begin)
            assert (pairs.concordant, pairs.discordant, pairs.tied) == (concordant, discordant, tied)
