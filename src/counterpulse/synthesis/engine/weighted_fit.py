"""Weighted least squares with known variances, many sets of studies at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.synthesis.engine.projection import inverse
from counterpulse.synthesis.engine.studies import batch_of, design_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WeightedFit:
    """Coefficients with variances taken as known.

    Attributes
    ----------
    coefficients : shape (B, p)
    covariance : ``(X'WX)^-1``, shape (B, p, p)
    weights : ``1 / (v + tau2)``, 0 where a study is absent, shape (B, k)
    residuals : effects less fitted, 0 where a study is absent, shape (B, k)
    fitted : shape (B, k)
    hat : diagonal of the hat matrix, shape (B, k)
    q : weighted residual sum of squares, shape (B,); Cochran's Q where tau2 is 0
    df : studies less coefficients, shape (B,)
    """

    coefficients: Floats
    covariance: Floats
    weights: Floats
    residuals: Floats
    fitted: Floats
    hat: Floats
    q: Floats
    df: Floats

    @property
    def scale(self) -> Floats:
        """Hartung and Knapp's factor on the covariance, ``q / df``; nan without df."""
        out: Floats = self.q / np.where(self.df > 0, self.df, np.nan)
        return out


def weighted_fit(y: ArrayLike, v: ArrayLike, x: ArrayLike | None = None, *, tau2: ArrayLike = 0.0) -> WeightedFit:
    """Fit effects (B, k) with weights ``1 / (v + tau2)``; nan effects are absent.

    Parameters
    ----------
    x : design with its intercept, shape (k, p) or (B, k, p); the intercept alone by default
    tau2 : shape (B,) or one number
    """
    effects, variances = batch_of(y, v)
    present = ~np.isnan(effects)
    filled = np.where(present, effects, 0.0)
    w = np.where(present, 1 / (variances + np.atleast_1d(np.asarray(tau2, dtype=float))[:, None]), 0.0)
    columns = np.ones((*filled.shape[1:], 1)) if x is None else np.asarray(x, dtype=float)
    parts = _mean_parts(filled, w) if x is None else _design_parts(filled, w, design_of(columns, present))
    coefficients, covariance, fitted, hat = parts
    residuals = np.where(present, filled - fitted, 0.0)
    df = present.sum(axis=1) - float(columns.shape[-1])
    return WeightedFit(coefficients, covariance, w, residuals, fitted, hat, (w * residuals**2).sum(axis=1), df)


def _mean_parts(y: Floats, w: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    total = w.sum(axis=1, keepdims=True)
    total = np.where(total > 0, total, np.nan)
    center = y[:, :1]
    mean = center + (w * (y - center)).sum(axis=1, keepdims=True) / total
    return mean, (1 / total)[:, :, None], np.broadcast_to(mean, y.shape), w / total


def _design_parts(y: Floats, w: Floats, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Solve by the orthonormal columns of the design, then turn back to its own."""
    p = x.shape[-1]
    if p > x.shape[-2]:
        return np.full((len(y), p), np.nan), np.full((len(y), p, p), np.nan), y * np.nan, y * np.nan
    basis, triangle = np.linalg.qr(x)
    bread = inverse(np.einsum("bkp,bkq,bk->bpq", basis, basis, w))
    back = inverse(triangle)
    slope = np.einsum("bpq,bkq,bk->bp", bread, basis, w * y)
    hat = np.einsum("bkp,bpq,bkq,bk->bk", basis, bread, basis, w, optimize=True)
    covariance = back @ bread @ back.transpose(0, 2, 1)
    return np.einsum("bpq,bq->bp", back, slope), covariance, np.einsum("bkp,bp->bk", basis, slope), hat
