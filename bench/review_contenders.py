"""The contenders that pool studies. The one of SciPy maximizes the textbook's likelihood, one fit after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
from bench.reviews import STUDIES
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

Columns = Mapping[str, np.ndarray]
Prepared = tuple[Callable[[], Any], Callable[[Any], float]]
Makers = Mapping[str, Callable[[Columns], Prepared]]
SCALE = 0.5
"""Of the half-normal prior of the standard deviation between studies."""
SAME = 1e-10
"""Statistics closer than this are equally far from zero."""


def wide(columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Effects and variances, a row a review."""
    return columns["yi"].reshape(-1, STUDIES), columns["vi"].reshape(-1, STUDIES)


def network_rows(columns: Columns) -> tuple[np.ndarray, ...]:
    names = [columns[name].astype(int).astype(str) for name in ("first", "second", "study")]
    return columns["yi"], columns["vi"], *names


def ours_reviews(columns: Columns, tau2: str = "REML") -> Prepared:
    import counterpulse as cp

    (y, v), pool_many = wide(columns), cp.synthesis.pool_many
    return lambda: pool_many(y, v, tau2=tau2), lambda found: found.tau2.sum()


def ours_reviews_dl(columns: Columns) -> Prepared:
    return ours_reviews(columns, "DL")


def ours_signs(columns: Columns) -> Prepared:
    import counterpulse as cp

    y, v, test = columns["yi"], columns["vi"], cp.synthesis.permutation_test
    return lambda: test(y, v, exact=True), lambda found: found.p_value


def ours_gosh(columns: Columns) -> Prepared:
    import counterpulse as cp

    y, v, gosh = columns["yi"], columns["vi"], cp.synthesis.gosh
    return lambda: gosh(y, v), lambda found: found.tau2.sum()


def ours_large(columns: Columns) -> Prepared:
    import counterpulse as cp

    y, v, pool = columns["yi"], columns["vi"], cp.synthesis.pool
    return lambda: pool(y, v), lambda found: found.tau2


def ours_bayes(columns: Columns) -> Prepared:
    import counterpulse as cp

    y, v, bayes, prior = columns["yi"], columns["vi"], cp.synthesis.bayes_pool, cp.synthesis.half_normal(SCALE)
    return lambda: bayes(y, v, heterogeneity_prior=prior), lambda found: found.effect.mean


def ours_network(columns: Columns) -> Prepared:
    import counterpulse as cp

    rows, network = network_rows(columns), cp.synthesis.network
    fit = lambda: network(*rows, reference="0")  # noqa: E731
    return fit, lambda found: sum(estimate.value for estimate in found.estimates())


def restricted(y: np.ndarray, v: np.ndarray) -> float:
    """The variance between studies that maximizes the restricted likelihood: a grid, then Brent about its best point."""

    def lost(tau2: np.ndarray | float) -> np.ndarray:
        w = 1 / (v + np.asarray(tau2)[..., None])
        total = w.sum(axis=-1)
        mean = (w @ y) / total
        return (np.log(total) - np.log(w).sum(axis=-1) + (w * (y - mean[..., None]) ** 2).sum(axis=-1)) / 2

    return lowest(lost, float(np.var(y)))


def lowest(lost: Callable[[Any], Any], far: float) -> float:
    """The place of the least value from 0 up to a hundred times `far`."""
    grid = np.concatenate(([0.0], np.geomspace(1e-4, 1e2, 60) * far))
    values = lost(grid)
    best = int(np.argmin(values))
    ends = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(lambda x: float(lost(x)), bounds=ends, method="bounded", options={"xatol": 1e-10})
    return float(found.x) if found.fun < values[0] else 0.0


def pooled(y: np.ndarray, v: np.ndarray) -> float:
    """Wald's statistic of the pooled effect."""
    w = 1 / (v + restricted(y, v))
    return float(w @ y / np.sqrt(w.sum()))


def by_hand_reviews(columns: Columns) -> Prepared:
    y, v = wide(columns)
    return lambda: [restricted(*row) for row in zip(y, v, strict=True)], sum


def by_hand_signs(columns: Columns) -> Prepared:
    y, v = columns["yi"], columns["vi"]

    def fit() -> float:
        signs = np.array(list(product((1.0, -1.0), repeat=len(y))))
        statistics = np.abs([pooled(sign * y, v) for sign in signs])
        return float((statistics >= statistics[0] * (1 - SAME)).mean())

    return fit, float


def by_hand_gosh(columns: Columns) -> Prepared:
    y, v = columns["yi"], columns["vi"]

    def fit() -> float:
        subsets = (list(some) for size in range(2, len(y) + 1) for some in combinations(range(len(y)), size))
        return sum(restricted(y[some], v[some]) for some in subsets)

    return fit, float


def by_hand_large(columns: Columns) -> Prepared:
    return lambda: restricted(columns["yi"], columns["vi"]), float


def by_hand_bayes(columns: Columns) -> Prepared:
    """The posterior mean of the effect: its mean given tau, integrated over tau."""
    y, v = columns["yi"], columns["vi"]

    def given(tau: float) -> tuple[float, float]:
        w = 1 / (v + tau**2)
        mean = float(w @ y / w.sum())
        height = np.log(w).sum() - np.log(w.sum()) - w @ (y - mean) ** 2 - (tau / SCALE) ** 2
        return float(np.exp(height / 2)), mean

    def fit() -> float:
        area, weighted = (
            quad(of, 0, 10 * SCALE, epsabs=0, epsrel=1e-10, limit=200)[0]
            for of in (lambda tau: given(tau)[0], lambda tau: np.prod(given(tau)))
        )
        return weighted / area

    return fit, float


def by_hand_network(columns: Columns) -> Prepared:
    """Generalized least squares of the contrasts with the first arm of each trial, under the restricted likelihood."""
    study, first, second = (columns[name].astype(int) for name in ("study", "first", "second"))
    y, v = columns["yi"], columns["vi"]

    def fit() -> float:
        kept = np.array([arm == second[study == trial][0] for trial, arm in zip(study, second, strict=True)])
        X = np.eye(10)[first[kept]] - np.eye(10)[second[kept]]
        X, same = X[:, 1:], np.equal.outer(study[kept], study[kept])
        sampling, between = np.diag(v[kept]), np.where(same, 0.5, 0.0) + np.eye(kept.sum()) / 2
        for i, j in zip(*np.where(same & ~np.eye(kept.sum(), dtype=bool)), strict=True):
            rows = (study == study[kept][i]) & ~kept
            sampling[i, j] = (v[kept][i] + v[kept][j] - v[rows][0]) / 2

        def solved(tau2: float) -> tuple[float, np.ndarray]:
            inverse = np.linalg.inv(sampling + tau2 * between)
            information = X.T @ inverse @ X
            effects = np.linalg.solve(information, X.T @ inverse @ y[kept])
            left = y[kept] - X @ effects
            determinants = np.linalg.slogdet(information)[1] - np.linalg.slogdet(inverse)[1]
            return (determinants + left @ inverse @ left) / 2, effects

        at = lowest(np.vectorize(lambda tau2: solved(tau2)[0]), float(np.var(y)))
        return float(solved(at)[1].sum())

    return fit, float


def statsmodels_reviews(columns: Columns) -> Prepared:
    from statsmodels.stats.meta_analysis import combine_effects

    y, v = wide(columns)
    fit = lambda: [combine_effects(*row, method_re="chi2").tau2 for row in zip(y, v, strict=True)]  # noqa: E731
    return fit, lambda found: np.maximum(found, 0).sum()


REVIEW_CONTENDERS: Mapping[str, Makers] = {
    "counterpulse": {
        "reviews": ours_reviews, "reviews-dl": ours_reviews_dl, "signs": ours_signs, "gosh": ours_gosh,
        "large-review": ours_large, "bayes": ours_bayes, "network": ours_network,
    },
    "scipy": {
        "reviews": by_hand_reviews, "signs": by_hand_signs, "gosh": by_hand_gosh, "large-review": by_hand_large,
        "bayes": by_hand_bayes, "network": by_hand_network,
    },
    "statsmodels": {"reviews-dl": statsmodels_reviews},
}  # fmt: skip
