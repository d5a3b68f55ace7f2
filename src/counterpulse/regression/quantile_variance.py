"""Covariances of the coefficients of a quantile regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.distributions import normal_quantile
from counterpulse.numerics.linear_algebra import cluster_sums, inverse_symmetric, weighted_gram
from counterpulse.numerics.random_streams import stream
from counterpulse.regression.model_rows import Rows
from counterpulse.regression.quantile_solution import NoVertexError, Vertex, smooth_solution, solve_quantile

Floats = NDArray[np.float64]

EPSILON = float(np.sqrt(np.finfo(float).eps))
"""What Hendricks and Koenker take off a difference of fits, so that a vanishing one gives no infinite density."""


@dataclass(frozen=True, slots=True)
class QuantileCovariance:
    """A covariance, shape (k, k), and how many rows had no density at the quantile."""

    matrix: Floats
    without_density: int = 0


def bandwidth(n: float, quantile: float) -> float:
    """Hall and Sheather's bandwidth for 95% intervals, halved until it stays within (0, 1)."""
    x = normal_quantile(quantile)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    reach = normal_quantile(0.975) ** (2 / 3)
    h = float(n ** (-1 / 3) * reach * (1.5 * density**2 / (2 * x**2 + 1)) ** (1 / 3))
    while not 0 < quantile - h <= quantile + h < 1:
        h /= 2
    return h


def sandwich_covariance(X: Floats, y: Floats, quantile: float, vertex: Vertex, rows: Rows) -> QuantileCovariance:
    """Hendricks and Koenker's sandwich; by cluster with the scores of Parente and Santos Silva, factor G / (G - 1).

    `X` and `y` are unweighted. Whole-number weights count patients; others enter the scores squared.
    """
    weights = np.ones(len(y)) if rows.weights is None else rows.weights
    h = bandwidth(float(weights.sum()) if rows.whole_weights else float(len(y)), quantile)
    wider = [solve_quantile(X * weights[:, None], y * weights, quantile + side * h).coefficients for side in (-1, 1)]
    apart = X @ (wider[1] - wider[0])
    with np.errstate(divide="ignore"):
        density = np.maximum(0.0, 2 * h / (apart - EPSILON))
    bread = inverse_symmetric(weighted_gram(X, weights * density))
    if rows.cluster is not None and rows.clusters is not None:
        scores = cluster_sums(X, rows.cluster, rows.clusters, weights * (vertex.dual() - (1 - quantile)))
        meat = weighted_gram(scores) * (rows.clusters / (rows.clusters - 1))
    else:
        meat = quantile * (1 - quantile) * weighted_gram(X, weights if rows.whole_weights else weights**2)
    return QuantileCovariance(bread @ meat @ bread, int((apart <= 0).sum()))


def identical_covariance(X: Floats, quantile: float, vertex: Vertex) -> QuantileCovariance:
    """Covariance for identically distributed errors (Koenker and Bassett 1978).

    The sparsity is the slope of a median regression of the ordered residuals next to zero on their ranks over n - k,
    as in R's quantreg.
    """
    n, k = X.shape
    distance = np.argsort(np.abs(vertex.residuals), kind="stable")
    zero = int((np.abs(vertex.residuals) < EPSILON).sum())
    reach = max(k + 1, int(np.ceil(n * bandwidth(n, quantile))))
    rank = np.arange(zero + 1, min(reach + zero + 1, n) + 1)
    near = np.sort(vertex.residuals[distance[rank - 1]])
    place = rank / (n - k)
    center = place.mean()
    line = solve_quantile(np.column_stack([np.ones(len(rank)), place - center]), near, 0.5)
    sparsity = float(line.coefficients[1])
    return QuantileCovariance(sparsity**2 * quantile * (1 - quantile) * inverse_symmetric(weighted_gram(X)))


def bootstrap_covariance(
    X: Floats, y: Floats, quantile: float, rows: Rows, *, draws: int, seed: int
) -> QuantileCovariance:  # fmt: skip
    """Covariance of the coefficients over samples of rows, or of whole clusters, drawn with replacement."""
    weights = np.ones(len(y)) if rows.weights is None else rows.weights
    Xw, yw = X * weights[:, None], y * weights
    start = smooth_solution(Xw, yw, quantile)
    members = None if rows.cluster is None else np.split(np.argsort(rows.cluster, kind="stable"), _ends(rows))
    found = []
    for draw in range(draws):
        random = stream(seed, "quantile regression", draw)
        if members is None:
            taken = random.integers(0, len(y), len(y))
        else:
            taken = np.concatenate([members[one] for one in random.integers(0, len(members), len(members))])
        try:
            found.append(solve_quantile(Xw[taken], yw[taken], quantile, start).coefficients)
        except (NoVertexError, np.linalg.LinAlgError):
            continue
    k = X.shape[1]
    if len(found) < max(2, draws // 2):
        return QuantileCovariance(np.full((k, k), np.nan))
    return QuantileCovariance(np.atleast_2d(np.cov(np.array(found).T)))


def _ends(rows: Rows) -> NDArray[np.intp]:
    """Where the rows of each cluster but the last end, in the order of the clusters."""
    assert rows.cluster is not None
    assert rows.clusters is not None
    return np.cumsum(np.bincount(rows.cluster, minlength=rows.clusters))[:-1]
