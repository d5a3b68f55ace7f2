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

    Without a design the study of smallest variance comes first; with one of p columns the first p are independent studies
    of small variance, and the design is written in terms of theirs. Nothing computed here depends on the order otherwise.

    Attributes
    ----------
    y : effects less their least-squares fit on the design, shape (k, B); no variance between studies sees the fit
    v : sampling variances, shape (k, B)
    basis : the design with the identity as its first p rows, shape (k, p, B); None for the intercept alone
    k : studies present, shape (B,)
    p : columns of the design
    log_gram : log determinant of the cross product of `basis`, shape (B,)
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
        basis = None if self.basis is None else self.basis[..., sets]
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
    p, missing = x.shape[-1], max(0, x.shape[-1] - x.shape[-2])
    if missing:
        y, v = (
            np.pad(values, ((0, missing), (0, 0)), constant_values=fill) for values, fill in ((y, 0.0), (v, np.inf))
        )
        return Studies(y, v, np.full((p, p, len(k)), np.nan), k * np.nan, p, k * np.nan, crude)
    columns, triangle = np.linalg.qr(x)
    own = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
    whole = (own > DEPENDENT * np.sqrt(np.einsum("bkp,bkp->bp", x, x))).all(axis=-1)
    orthonormal = np.broadcast_to(columns, (len(k), *columns.shape[1:])).transpose(1, 2, 0)
    residual = y
    for _ in range(2):  # the second time for the digits that the first one lost
        residual = residual - np.einsum("kpb,pb->kb", orthonormal, np.einsum("kpb,kb->pb", orthonormal, residual))
    residual = np.where(np.isfinite(v), residual, 0.0)
    order, basis = _heaviest_rows(orthonormal, v, np.broadcast_to(whole, k.shape))
    gram = np.einsum("kpb,kqb->bpq", basis, basis)
    log_gram = np.where(whole, np.linalg.slogdet(np.where(whole[..., None, None], gram, np.eye(p)))[1], np.nan)
    residual, v = np.take_along_axis(residual, order, axis=0), np.take_along_axis(v, order, axis=0)
    return Studies(residual, v, basis, np.where(whole, k, np.nan), p, log_gram, crude)


def _heaviest_rows(x: Floats, v: Floats, whole: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Floats]:
    """An order (k, B) with p independent rows of small variance first, and the design (k, p, B) in terms of these rows.

    Each row taken is the one whose part beyond the rows before it is largest beside its standard deviation. Nan where
    the columns are dependent.
    """
    size, p, sets = len(x), x.shape[1], np.arange(x.shape[2])
    beyond, place = x / np.sqrt(v)[:, None], np.arange(size)[:, None] + np.full(len(sets), p)
    for j in range(p):
        length = np.where(place < p, -1.0, np.einsum("kpb,kpb->kb", beyond, beyond))
        row = length.argmax(axis=0)
        taken = beyond[row, :, sets].T
        place[row, sets] = j
        norm = np.sqrt(np.einsum("pb,pb->b", taken, taken))
        unit = taken / np.where(norm > 0, norm, 1.0)
        beyond = beyond - np.einsum("kpb,pb->kb", beyond, unit)[:, None] * unit
    order = place.argsort(axis=0)
    ordered = np.take_along_axis(x, order[:, None], axis=0)
    first = np.where(whole[:, None, None], ordered[:p].transpose(2, 0, 1), np.eye(p))
    basis = np.einsum("kqb,bqp->kpb", ordered, np.linalg.inv(first))
    basis[:p] = np.eye(p)[:, :, None]
    return order, np.where(whole, basis, np.nan)
