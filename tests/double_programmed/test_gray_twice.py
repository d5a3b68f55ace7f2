"""Gray's test against a slow version: the formulas of docs/explanation/gray-test.md, patient by patient and time by time."""

import numpy as np
import polars as pl
import pytest

from counterpulse import survival

CLOSED_FORM = 1e-10  # relative


def counted(time, cause, group, groups):
    """At risk, events and other events at each time, by group."""
    moments = sorted({moment for moment, kind in zip(time, cause, strict=True) if kind > 0})
    Y, N1, N2 = (np.zeros((len(moments), len(groups))) for _ in range(3))
    for t, moment in enumerate(moments):
        for when, kind, own in zip(time, cause, group, strict=True):
            k = groups.index(own)
            Y[t, k] += when >= moment
            N1[t, k] += when == moment and kind == 1
            N2[t, k] += when == moment and kind == 2
    return Y, N1, N2


def curves(Y, N1, N2):
    """Free of both causes after each time, and h and R before it."""
    T, K = Y.shape
    S, h, R = (np.zeros((T, K)) for _ in range(3))
    for k in range(K):
        survival_before, incidence_before = 1.0, 0.0
        for t in range(T):
            if Y[t, k]:
                h[t, k] = Y[t, k] / survival_before
                R[t, k] = h[t, k] * (1 - incidence_before)
                incidence_before += survival_before * N1[t, k] / Y[t, k]
                survival_before *= 1 - (N1[t, k] + N2[t, k]) / Y[t, k]
            S[t, k] = survival_before
    return S, h, R


def slow_stratum(time, cause, group, groups, rho):
    """Score and covariance; cause 0 censored, 1 of interest, 2 another."""
    Y, N1, N2 = counted(time, cause, group, groups)
    S, h, R = curves(Y, N1, N2)
    T, K = Y.shape
    F0 = np.cumsum([N1[t].sum() / h[t].sum() for t in range(T)])
    F0_before = np.concatenate(([0.0], F0[:-1]))
    L = [(1 - F0_before[t]) ** rho for t in range(T)]
    z, V = np.zeros(K), np.zeros((K, K))
    for t in range(T):
        for k in range(K):
            z[k] += L[t] * (N1[t, k] - R[t, k] * N1[t].sum() / R[t].sum())

    def d(t, k, r):
        return L[t] * h[t, r] * ((k == r) - h[t, k] / h[t].sum())

    def later(t, k, r):
        return sum(d(u, k, r) * (F0[u] - F0_before[u]) / (1 - F0_before[u]) for u in range(t + 1, T))

    for t in range(T):
        for r in range(K):
            if not Y[t, r]:
                continue
            c = np.array([later(t, k, r) for k in range(K)])
            ratio = (1 - F0[t]) / S[t, r] if S[t, r] else 0.0  # then nothing comes later in the group
            a = np.array([d(t, k, r) for k in range(K)]) + c * (1 - ratio)
            b = -c * ratio
            people = h[t].sum() * (S[t - 1, r] if t else 1.0)
            events, others = N1[t].sum(), N2[t, r]
            tied = (people - events) / (people - 1) if events > 1 else 1.0
            V += max(tied, 0.0) * np.outer(a, a) * (F0[t] - F0_before[t]) / h[t, r]
            tied = (Y[t, r] - others) / (Y[t, r] - 1) if others > 1 else 1.0
            V += tied * np.outer(b, b) * others / h[t, r] ** 2
    return z, V


@pytest.mark.parametrize("n_groups", [2, 3])
@pytest.mark.parametrize("rho", [0, 1])
@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("rounded", [0.01, 2.0])
def test_gray(n_groups, rho, stratified, rounded):
    random = np.random.default_rng(100 * n_groups + 10 * rho + stratified)
    n = 90
    group, stratum = random.integers(0, n_groups, n), random.integers(0, 2, n)
    times = random.exponential([9.0, 6.0, 8.0], (n, 3)) * np.array([1.0, 0.6, 1.4])[group][:, None]
    cause, time = times.argmin(axis=1), np.ceil(times.min(axis=1) / rounded)
    score, covariance = np.zeros(n_groups), np.zeros((n_groups, n_groups))
    for own in (0, 1) if stratified else (None,):
        rows = np.ones(n, dtype=bool) if own is None else stratum == own
        z, V = slow_stratum(time[rows], cause[rows], group[rows], list(range(n_groups)), rho)
        score, covariance = score + z, covariance + V
    table = pl.DataFrame({"time": time, "cause": cause, "group": group, "stratum": stratum})
    test = survival.gray_test(
        table, time="time", event="cause", by="group", rho=rho, strata="stratum" if stratified else None
    )
    np.testing.assert_allclose(np.subtract(test.observed, test.expected), score, atol=CLOSED_FORM)
    np.testing.assert_allclose(test.covariance, covariance, rtol=CLOSED_FORM, atol=CLOSED_FORM)
    statistic = score[1:] @ np.linalg.solve(covariance[1:, 1:], score[1:])
    np.testing.assert_allclose(test.statistic, statistic, rtol=CLOSED_FORM)
