"""Working covariances of effects that share a cluster: the same patients, the same laboratory, the same registry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.exploration.cluster_robust import Block, Rows

Floats = NDArray[np.float64]

STARTS = 7
"""Values of each variance on the grid that the likelihood is searched from."""

CONVERGED = 1e-13


def independent(v: Floats, clusters: list[Rows], tau2: float) -> list[Block]:
    """Every effect its own study: ``diag(v + tau2)``, with its inverse as weights."""
    return [Block(rows, np.diag(v[rows] + tau2)) for rows in clusters]


def correlated(y: Floats, v: Floats, x: Floats, clusters: list[Rows], rho: float) -> tuple[list[Block], float]:
    """Correlated effects: ``1 / (k_g (mean v_g + tau2))`` as the weight of every effect of a cluster.

    References
    ----------
    Hedges, Tipton and Johnson 2010, doi:10.1002/jrsm.5, equations 11 to 15; Tipton 2015, doi:10.1037/met0000011.
    """
    mean = np.array([v[rows].mean() for rows in clusters])
    tau2 = _moment_tau2(y, mean, x, clusters, rho)
    spread = zip(clusters, mean + tau2, strict=True)
    return [Block(rows, len(rows) * variance * np.eye(len(rows))) for rows, variance in spread], tau2


def _moment_tau2(y: Floats, mean: Floats, x: Floats, clusters: list[Rows], rho: float) -> float:
    sizes = np.array([len(rows) for rows in clusters])
    weight = 1 / (sizes * mean)
    squares = np.stack([x[rows].T @ x[rows] for rows in clusters])
    sums = np.stack([np.outer(x[rows].sum(axis=0), x[rows].sum(axis=0)) for rows in clusters])
    bread = np.linalg.inv(np.tensordot(weight, squares, 1))
    moment = sum((w * x[rows].T @ y[rows] for w, rows in zip(weight, clusters, strict=True)), np.zeros(x.shape[1]))
    left = y - x @ (bread @ moment)
    residual = sum(float(w * (left[rows] ** 2).sum()) for w, rows in zip(weight, clusters, strict=True))
    within = np.trace(bread @ np.tensordot(weight / sizes, (1 - rho) * squares + rho * sums, 1))
    slope = float((sizes * weight).sum() - np.trace(bread @ np.tensordot(weight**2, sums, 1)))
    return max(0.0, (residual - len(clusters) + float(within)) / slope)


def correlated_hierarchical(
    y: Floats, v: Floats, x: Floats, clusters: list[Rows], rho: float
) -> tuple[list[Block], float, float]:
    """Correlated and hierarchical effects: sampling errors with correlation `rho`, and two variances by REML.

    tau2 is the variance between clusters, omega2 that between the effects of a cluster.

    References
    ----------
    Pustejovsky and Tipton 2022, doi:10.1007/s11121-021-01246-3.
    """
    sampling = [_sampling_block(v[rows], rho) for rows in clusters]
    tau2, omega2 = _restricted_likelihood(y, x, clusters, sampling, float(np.mean(v)))
    paired = zip(clusters, sampling, strict=True)
    return [Block(rows, own + tau2 + omega2 * np.eye(len(rows))) for rows, own in paired], tau2, omega2


def _sampling_block(v: Floats, rho: float) -> Floats:
    root = np.sqrt(v)
    block: Floats = rho * np.outer(root, root)
    np.fill_diagonal(block, v)
    return block


def _restricted_likelihood(
    y: Floats, x: Floats, clusters: list[Rows], sampling: list[Floats], unit: float
) -> tuple[float, float]:
    """The two variances at the highest mode of the restricted likelihood, searched from a grid."""
    from scipy import optimize

    def deviance(scaled: Floats) -> tuple[float, Floats]:
        value, slope = _deviance(y, x, clusters, sampling, scaled * unit)
        return value, slope * unit

    axis = np.concatenate([[0.0], np.geomspace(0.01, 100.0, STARTS - 1)])
    grid = [np.array([a, b]) for a in axis for b in axis]
    start = min(grid, key=lambda point: deviance(point)[0])
    options = {"ftol": CONVERGED, "gtol": 1e-10, "maxiter": 500}
    found = optimize.minimize(deviance, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2, options=options)
    return float(found.x[0] * unit), float(found.x[1] * unit)


def _deviance(
    y: Floats, x: Floats, clusters: list[Rows], sampling: list[Floats], variances: Floats
) -> tuple[float, Floats]:
    """Minus twice the restricted log likelihood (but for a constant) and its slope in (tau2, omega2)."""
    weights = [
        np.linalg.inv(own + variances[0] + variances[1] * np.eye(len(rows)))
        for rows, own in zip(clusters, sampling, strict=True)
    ]
    pulled = [w @ x[rows] for rows, w in zip(clusters, weights, strict=True)]
    gram = sum((x[rows].T @ u for rows, u in zip(clusters, pulled, strict=True)), np.zeros((x.shape[1],) * 2))
    bread = np.linalg.inv(gram)
    slope = bread @ sum((u.T @ y[rows] for rows, u in zip(clusters, pulled, strict=True)), np.zeros(x.shape[1]))
    value, gradient = float(np.linalg.slogdet(gram)[1]), np.zeros(2)
    for rows, w, u in zip(clusters, weights, pulled, strict=True):
        left = y[rows] - x[rows] @ slope
        turned = w @ left
        value += float(left @ turned) - float(np.linalg.slogdet(w)[1])
        gradient[0] += w.sum() - u.sum(axis=0) @ bread @ u.sum(axis=0) - turned.sum() ** 2
        gradient[1] += np.trace(w) - np.trace(u @ bread @ u.T) - turned @ turned
    return value, gradient
