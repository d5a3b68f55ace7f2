"""The robust variance of clustered rows: CR1, or CR2 with degrees of freedom for few clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import cluster_sums
from counterpulse.results.coefficients import FEW, TOO_FEW

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
ClusterVariance = Literal["CR1", "CR2"]

FULL_LEVERAGE = 1e-10
"""A direction that a cluster determines alone (but for this) has no residual, and takes no part, as in a pseudoinverse."""


def variance_for(clusters: int, given: ClusterVariance | None) -> ClusterVariance | None:
    """CR2 below 40 clusters and CR1 from there on, unless given; None below 10 clusters, where nothing serves."""
    if given not in (None, "CR1", "CR2"):
        raise InputError(f"the cluster variance {given!r} is not known; it is 'CR1' or 'CR2'")
    if given is not None:
        return given
    if clusters < TOO_FEW:
        return None
    return "CR2" if clusters < FEW else "CR1"


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """Degrees of freedom of contrasts under CR2, were the rows independent with the model's variance.

    Attributes
    ----------
    root : L with ``L L'`` the inverse information, shape (k, k)
    moved : for each cluster ``V diag(h (1 - h)^-1/2) V'``, shape (G, k, k), where ``V diag(h) V'`` is
        ``L' I_g L``: the part of the information that the cluster holds
    spread : for each cluster ``V diag(h (1 - h)^-1) V'``, shape (G, k, k)
    """

    root: Floats
    moved: Floats
    spread: Floats

    def df(self, contrast: Floats) -> float:
        """Satterthwaite degrees of freedom of a linear combination, shape (k,)."""
        return self._degrees(contrast[None, :])

    def joint(self, contrasts: Floats) -> tuple[float, float]:
        """Hotelling's T-squared approximation ("HTZ"): factor of F and its denominator."""
        q, degrees = len(contrasts), self._degrees(contrasts)
        denominator = degrees - q + 1
        return (denominator / degrees, denominator) if denominator > 0 else (nan, nan)

    def _degrees(self, contrasts: Floats) -> float:
        """``q (q + 1)`` over the total variance of the standardized matrix of q contrasts; its own law for q = 1."""
        q = len(contrasts)
        turned = self.root.T @ contrasts.T
        shift = self.moved @ turned
        own = turned.T @ self.spread @ turned
        products = np.swapaxes(shift, 1, 2) @ shift
        try:
            unit = np.linalg.inv(np.linalg.cholesky((own - products).sum(axis=0)))
        except np.linalg.LinAlgError:
            return nan
        shift, own, products = shift @ unit.T, unit @ own @ unit.T, unit @ products @ unit.T
        pairs = np.einsum("gas,gbt->asbt", shift, shift, optimize=True)
        total = float((pairs**2).sum() + (pairs * pairs.transpose(0, 3, 2, 1)).sum())
        total += _size(own - products) - _size(products)
        return q * (q + 1) / total


def _size(blocks: Floats) -> float:
    """``sum_g tr(P_g)^2 + tr(P_g P_g)``."""
    traces = np.trace(blocks, axis1=1, axis2=2)
    return float((traces**2).sum() + (blocks * np.swapaxes(blocks, 1, 2)).sum())


def bias_reduced(scores: Floats, information: Floats, bread: Floats) -> tuple[Floats, Satterthwaite]:
    """CR2, bias-reduced linearization, and its degrees of freedom; all in the space of the coefficients.

    With the rows standardized by their working variance, the residuals of cluster g have the covariance ``I - U U'``,
    ``U = X_g L``. They are multiplied by its symmetric inverse root, which turns the scores into
    ``V diag((1 - h)^-1/2) V' L' s_g`` with ``V diag(h) V' = L' I_g L``: no matrix of the size of a cluster is needed, a
    row that counts twice is two rows, and anything with scores and information has the variance.

    Parameters
    ----------
    scores : summed by cluster, shape (G, k)
    information : of each cluster, shape (G, k, k)
    bread : inverse of the information, shape (k, k)

    Notes
    -----
    For least squares this is what R's clubSandwich computes. For other models the inverse root of a covariance is not
    unique: clubSandwich takes ``D B^-1/2 D`` with ``B = D (I - H) Phi (I - H)' D`` and D the root of the working
    variance, here it is ``D (I - H)^-1/2 D^-1``, which is what clubSandwich gives for the weighted least squares of the
    last iteration. Both make the variance unbiased under the working model.

    References
    ----------
    Bell and McCaffrey 2002 (Survey Methodology 28:169-81); Pustejovsky and Tipton 2018,
    doi:10.1080/07350015.2016.1247004.
    """
    root = np.asarray(np.linalg.cholesky(bread), dtype=np.float64)
    held, vectors = np.linalg.eigh(root.T @ information @ root)
    left = 1 - held
    inverse = np.where(left > FULL_LEVERAGE, 1 / np.sqrt(np.maximum(left, FULL_LEVERAGE)), 0.0)
    back = np.swapaxes(vectors, 1, 2)
    adjusted = (vectors @ (inverse[:, :, None] * (back @ (scores @ root)[:, :, None])))[:, :, 0]
    covariance = root @ (adjusted.T @ adjusted) @ root.T
    moved = (vectors * (held * inverse)[:, None, :]) @ back
    spread = (vectors * (held * inverse**2)[:, None, :]) @ back
    return (covariance + covariance.T) / 2, Satterthwaite(root, moved, spread)


def cluster_information(X: Floats, weights: Floats | None, cluster: Codes, clusters: int) -> Floats:
    """``X_g' diag(weights) X_g`` of every cluster, shape (G, k, k); no rows, no information."""
    out = np.zeros((clusters, X.shape[1], X.shape[1]))
    for g, rows in rows_by_cluster(cluster):
        block = X[rows]
        out[g] = block.T @ (block if weights is None else block * weights[rows, None])
    return out


def rows_by_cluster(cluster: Codes) -> Iterator[tuple[int, Codes]]:
    """Yield each code that occurs, with its rows."""
    order = np.argsort(cluster, kind="stable")
    ends = np.flatnonzero(np.diff(cluster[order], prepend=-1, append=-1))
    for start, stop in pairwise(ends):
        yield int(cluster[order[start]]), order[start:stop]


def cr2(
    X: Floats, weights: Floats | None, residuals: Floats, bread: Floats, cluster: Codes, clusters: int
) -> tuple[Floats, Satterthwaite]:
    """CR2 of a model whose score is ``sum x_i residual_i`` and whose information is ``X' diag(weights) X``.

    Parameters
    ----------
    X : shape (n, k)
    weights : of the information (prior weight times variance function), shape (n,), or None for ones
    residuals : prior weight times residual, shape (n,)
    bread : inverse information, shape (k, k)
    cluster : codes 0, 1, …, shape (n,)
    """
    scores = cluster_sums(X, cluster, clusters, residuals)
    return bias_reduced(scores, cluster_information(X, weights, cluster, clusters), bread)
