"""The sandwich variance of weighted least squares on clustered effects, with a working covariance block a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
RobustVariance = Literal["CR1", "CR2"]

NO_RESIDUAL = 1e-10
"""A direction of a cluster whose residual variance is this small a part of its largest has none, as in a pseudoinverse."""


@dataclass(frozen=True, slots=True)
class Block:
    """One cluster: its rows and the working covariance of its effects, whose inverse weights them."""

    rows: Rows
    covariance: Floats


@dataclass(frozen=True, slots=True)
class Sandwich:
    """Coefficients (p,), their robust covariance (p, p), degrees of freedom (p,) and the covariance of the working model."""

    coefficients: Floats
    covariance: Floats
    df: Floats
    bread: Floats


def sandwich(y: Floats, x: Floats, blocks: list[Block], variance: RobustVariance) -> Sandwich:
    """Fit by weighted least squares and take the variance from the residuals of whole clusters.

    CR1 multiplies by m / (m - p), with m - p degrees of freedom; CR2 adjusts the residuals of each cluster so that the
    variance is unbiased under the working covariance, with Satterthwaite's degrees of freedom a coefficient.

    References
    ----------
    Bell and McCaffrey 2002; Pustejovsky and Tipton 2018, doi:10.1080/07350015.2016.1247004, section 2.
    """
    weighted = [np.linalg.solve(b.covariance, x[b.rows]) for b in blocks]
    gram = sum((u.T @ x[b.rows] for u, b in zip(weighted, blocks, strict=True)), np.zeros((x.shape[1],) * 2))
    bread = np.asarray(np.linalg.inv(gram), dtype=np.float64)
    pull = [bread @ u.T for u in weighted]
    coefficients = sum((a @ y[b.rows] for a, b in zip(pull, blocks, strict=True)), np.zeros(x.shape[1]))
    if variance == "CR2":
        pull, df = _bias_reduced(x, blocks, pull, bread)
    scores = np.stack([a @ (y[b.rows] - x[b.rows] @ coefficients) for a, b in zip(pull, blocks, strict=True)])
    covariance = scores.T @ scores
    if variance == "CR1":
        left = len(blocks) - x.shape[1]
        covariance, df = covariance * len(blocks) / left, np.full(x.shape[1], float(left))
    return Sandwich(coefficients, covariance, df, bread)


def _bias_reduced(x: Floats, blocks: list[Block], pull: list[Floats], bread: Floats) -> tuple[list[Floats], Floats]:
    """``M X_g' W_g A_g`` of every cluster with ``A_g = D' (D R_g D')^-1/2 D``, and the degrees of freedom.

    ``R_g`` is the covariance of the residuals of the cluster under the working model, D the triangular root ``D'D`` of its
    working covariance.
    """
    adjusted = []
    for own, block in zip(pull, blocks, strict=True):
        rows = x[block.rows]
        root = np.linalg.cholesky(block.covariance).T
        left = block.covariance - rows @ bread @ rows.T
        adjusted.append(own @ root.T @ _inverse_root(root @ left @ root.T) @ root)
    return adjusted, _satterthwaite(x, blocks, pull, adjusted)


def _inverse_root(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    kept = values > NO_RESIDUAL * max(float(values[-1]), np.finfo(float).tiny)
    inverse = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    out: Floats = (vectors * inverse) @ vectors.T
    return out


def _satterthwaite(x: Floats, blocks: list[Block], pull: list[Floats], adjusted: list[Floats]) -> Floats:
    """``tr(P)^2 / tr(PP)`` a coefficient, P the covariance of the clusters' scores under the working model."""
    p, m = x.shape[1], len(blocks)
    shares = np.stack([a @ x[b.rows] for a, b in zip(adjusted, blocks, strict=True)])
    scores = np.zeros((p, m, m))
    for g, (own, block) in enumerate(zip(pull, blocks, strict=True)):
        lean = -np.einsum("hpq,qr->phr", shares, own)
        lean[:, g, :] += adjusted[g]
        scores += lean @ block.covariance @ lean.transpose(0, 2, 1)
    trace = np.trace(scores, axis1=1, axis2=2)
    out: Floats = trace**2 / (scores**2).sum(axis=(1, 2))
    return out
