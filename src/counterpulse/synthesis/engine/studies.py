"""Many sets of studies at once, laid out for arithmetic: effects and variances with the studies on the first axis."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DEPENDENT = 1e-10
"""A column whose part beyond the columns before it is smaller than this share of its length depends on them."""


@dataclass(frozen=True, slots=True)
class Studies:
    """Sets of studies; absent studies have effect 0 and infinite variance, so weight 0.

    Without a design the study of smallest variance comes first; nothing computed here depends on the order otherwise.

    Attributes
    ----------
    y : effects less their least-squares fit on the design, shape (k, B); no variance between studies sees the fit
    v : sampling variances, shape (k, B)
    basis : orthonormal columns of the design, shape (k, p, B), or (k, p, 1) where all sets share it; None for the intercept
        alone
    k : studies present, shape (B,)
    p : columns of the design
    log_gram : log determinant of X'X, shape (B,)
    crude : mean squared deviation of the effects from their mean, whatever the design, shape (B,)
    """

    y: Floats
    v: Floats
    basis: Floats | None
    k: Floats
    p: int
    log_gram: Floats
    crude: Floats

    @property
    def df(self) -> Floats:
        """Studies less coefficients, shape (B,)."""
        return self.k - self.p

    @property
    def finite_v(self) -> Floats:
        """Sampling variances with 0 for absent studies."""
        return np.where(np.isfinite(self.v), self.v, 0.0)

    def take(self, sets: NDArray[np.intp] | slice) -> Studies:
        """Some of the sets; an index may be repeated."""
        basis = self.basis
        if basis is not None and basis.shape[-1] > 1:
            basis = basis[..., sets]
        return Studies(
            self.y[:, sets], self.v[:, sets], basis, self.k[sets], self.p, self.log_gram[sets], self.crude[sets]
        )

    def on_grid(self) -> Studies:
        """The same sets with an axis for a grid between the studies and the sets."""
        basis = None if self.basis is None else self.basis[:, :, None, :]
        return replace(self, y=self.y[:, None, :], v=self.v[:, None, :], basis=basis)


def batch_of(y: ArrayLike, v: ArrayLike) -> tuple[Floats, Floats]:
    """Effects and variances as two arrays of shape (B, k); (k,) is one set, and one row of variances serves all sets."""
    effects, variances = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    effects, variances = np.broadcast_arrays(np.atleast_2d(effects), np.atleast_2d(variances))
    return effects, variances


def studies_of(y: ArrayLike, v: ArrayLike, x: ArrayLike | None = None) -> Studies:
    """Lay out effects and variances of shape (B, k) or (k,), and a design of shape (k, p) or (B, k, p).

    A study is absent where its effect is nan. A set whose design has dependent columns gets `k` nan, so that
    everything computed of it is nan. The design of a network of treatments has no intercept, so effects are not centered
    before they are projected on a design.
    """
    effects, variances = batch_of(y, v)
    present = ~np.isnan(effects)
    k = present.sum(axis=1).astype(float)
    filled = np.where(present, effects, 0.0).T.copy()
    spread = np.where(present, variances, np.inf).T.copy()
    size = np.where(k > 0, k, np.nan)
    deviation = np.where(present.T, filled - filled.sum(axis=0) / size, 0.0)
    crude = (deviation**2).sum(axis=0) / size
    if x is None:
        _heaviest_first(spread, deviation)
        return Studies(deviation, spread, None, size, 1, np.log(size), crude)
    return _with_design(filled, spread, design_of(x, present), size, crude)


def _heaviest_first(v: Floats, y: Floats) -> None:
    """Exchange the first study of every set with the one of smallest variance, in place."""
    sets = np.arange(v.shape[1])
    least = v.argmin(axis=0) if len(v) else sets
    for values in (v, y) if len(v) else ():
        values[0], values[least, sets] = values[least, sets], values[0].copy()


def design_of(x: ArrayLike, present: NDArray[np.bool_]) -> Floats:
    """The design of shape (B, k, p) with rows of absent studies 0; (1, k, p) where all sets share it."""
    design = np.asarray(x, dtype=float)
    if design.ndim == 2 and present.all():
        return design[None]
    return np.where(present[..., None], design, 0.0)


def _with_design(y: Floats, v: Floats, x: Floats, k: Floats, crude: Floats) -> Studies:
    p = x.shape[-1]
    if p > x.shape[-2]:
        return Studies(y, v, np.zeros((len(y), p, 1)), k * np.nan, p, k * np.nan, crude)
    basis, triangle = np.linalg.qr(x)
    own = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
    whole = (own > DEPENDENT * np.sqrt(np.einsum("bkp,bkp->bp", x, x))).all(axis=-1)
    log_gram = 2 * np.log(np.where(own > 0, own, np.nan)).sum(axis=-1)
    columns = basis.transpose(1, 2, 0).copy()
    residual = y
    for _ in range(2):  # the second time for the digits that the first one lost
        residual = residual - np.einsum("kp...,p...->k...", columns, np.einsum("kp...,k...->p...", columns, residual))
    usable = np.where(whole, k, np.nan)
    residual = np.where(np.isfinite(v), residual, 0.0)
    return Studies(residual, v, columns, usable, p, np.broadcast_to(log_gram, k.shape), crude)
