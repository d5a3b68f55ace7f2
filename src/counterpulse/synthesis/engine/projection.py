"""Quadratic forms and traces of the matrix that weighted least squares leaves behind, many sets at once.

With weights W and design X the matrix is ``P = W - W X (X'WX)^-1 X'W``. Every variance between studies is a function
of ``y'Py``, ``y'PPy``, ``y'PPPy``, ``tr(PC)`` and ``tr(PCPC)`` for a diagonal C (DerSimonian and Kacker 2007,
doi:10.1016/j.cct.2006.04.004; Harville 1977, doi:10.1080/01621459.1977.10480998).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.studies import Studies

Floats = NDArray[np.float64]


class Projection(Protocol):
    """What a variance between studies asks of the weighted fit; every answer has the shape of a weight but its first axis."""

    def quadratic(self) -> Floats:
        """The weighted residual sum of squares ``y'Py``."""

    def square(self) -> Floats:
        """``y'PPy``."""

    def cube(self) -> Floats:
        """``y'PPPy``."""

    def trace(self, c: Floats | None = None) -> Floats:
        """``tr(PC)``; C is the identity by default."""

    def trace_of_square(self, c: Floats | None = None) -> Floats:
        """``tr(PCPC)``."""

    def weight_sum(self) -> Floats:
        """``tr W``."""

    def weight_square_sum(self) -> Floats:
        """``tr WW``."""

    def log_determinant(self) -> Floats:
        """Log determinant of ``B'WB`` with B the orthonormal design (for the intercept alone ``sum(w) / k``)."""


def project(studies: Studies, w: Floats) -> Projection:
    """The projection with weights `w` of shape (k, ..., B)."""
    return _MeanProjection(studies, w) if studies.basis is None else _DesignProjection(studies, w)


class _Weighted:
    """What follows from the weights and the weighted residuals alone."""

    __slots__ = ("residual", "w")

    w: Floats
    residual: Floats

    def quadratic(self) -> Floats:
        weight = np.where(self.w > 0, self.w, 1.0)
        out: Floats = (self.residual**2 / weight).sum(axis=0)
        return out

    def square(self) -> Floats:
        out: Floats = np.einsum("k...,k...->...", self.residual, self.residual)
        return out

    def weight_sum(self) -> Floats:
        out: Floats = self.w.sum(axis=0)
        return out

    def weight_square_sum(self) -> Floats:
        out: Floats = np.einsum("k...,k...->...", self.w, self.w)
        return out


class _MeanProjection(_Weighted):
    """The intercept alone: everything is a sum over studies.

    The first study is the heaviest. Its distance from the mean, and what the others weigh beside it, are sums over the
    others and not small differences of large numbers.
    """

    __slots__ = ("k", "rest", "total")

    def __init__(self, studies: Studies, w: Floats) -> None:
        self.w, self.k = w, studies.k
        self.rest = w[1:].sum(axis=0)
        total = w[0] + self.rest
        self.total = np.where(total > 0, total, np.nan)
        mean = np.einsum("k...,k...->...", w, studies.y) / self.total
        self.residual = w * (studies.y - mean)
        self.residual[0] = -self.residual[1:].sum(axis=0)

    def cube(self) -> Floats:
        first, others = self.w[0] * self.residual[0], self.w[1:] * self.residual[1:]
        across = others.sum(axis=0)
        own = first * self.residual[0] * self.rest - (2 * first + across) * across
        out: Floats = own / self.total + np.einsum("k...,k...->...", others, self.residual[1:])
        return out

    def trace(self, c: Floats | None = None) -> Floats:
        scaled = self.w if c is None else self.w * c
        others = np.einsum("k...,k...->...", scaled[1:], self.total - self.w[1:])
        out: Floats = (scaled[0] * self.rest + others) / self.total
        return out

    def trace_of_square(self, c: Floats | None = None) -> Floats:
        scaled = self.w if c is None else self.w * c
        others = scaled[1:] * (self.total - self.w[1:])
        pairs = self.w[1:] * scaled[1:]
        across = pairs.sum(axis=0)
        own = (scaled[0] * self.rest) ** 2 + (others * others).sum(axis=0)
        between = (2 * self.w[0] * scaled[0] + across) * across - (pairs * pairs).sum(axis=0)
        out: Floats = (own + between) / self.total**2
        return out

    def log_determinant(self) -> Floats:
        out: Floats = np.log(self.total / self.k)
        return out


class _DesignProjection(_Weighted):
    """A design of several columns, whose first p rows are the identity and belong to heavy studies.

    What the design leaves free are the distances of the other studies from what the first p predict, with covariance
    ``V + Z V_p Z'``. So P is written from what the others weigh beside the heavy ones, and no number here is a small
    difference of large ones.
    """

    __slots__ = ("bread", "gram", "heavy", "light", "log_gram", "z")

    def __init__(self, studies: Studies, w: Floats) -> None:
        assert studies.basis is not None
        p = studies.p
        self.w, self.z, self.log_gram = w, studies.basis[p:], studies.log_gram
        self.light, self.heavy = w[p:], np.moveaxis(w[:p], 0, -1)
        self.gram = self._gram(self.light) + self.heavy[..., None] * np.eye(p)
        self.bread = inverse(self.gram)
        beyond = self._beyond(studies.y)
        slope = np.einsum("...pq,kq...,k...->...p", self.bread, self.z, self.light * beyond)
        light = self.light * (beyond - np.einsum("kp...,...p->k...", self.z, slope))
        self.residual = np.concatenate((-np.einsum("kp...,k...->p...", self.z, light), light))

    def _beyond(self, values: Floats) -> Floats:
        """What the p heavy studies do not predict of the others."""
        p = self.z.shape[1]
        out: Floats = values[p:] - np.einsum("kp...,p...->k...", self.z, values[:p])
        return out

    def _gram(self, w: Floats) -> Floats:
        out: Floats = np.einsum("kp...,kq...,k...->...pq", self.z, self.z, w)
        return out

    def _corner(self) -> Floats:
        """P of the heavy studies, ``A (W_p + A)^-1 W_p`` with ``A = Z'WZ``."""
        out: Floats = (self._gram(self.light) @ self.bread) * self.heavy[..., None, :]
        return out

    def _leverage(self) -> Floats:
        out: Floats = self.light * np.einsum("kp...,...pq,kq...->k...", self.z, self.bread, self.z)
        return out

    def _parts(self, c: Floats | None) -> tuple[Floats, Floats]:
        """C of the heavy studies, p last, and of the others."""
        p = self.z.shape[1]
        scale = np.ones_like(self.w) if c is None else np.broadcast_to(c, self.w.shape)
        return np.moveaxis(scale[:p], 0, -1), scale[p:]

    def cube(self) -> Floats:
        across = self._beyond(self.residual)
        scaled = self.light * across
        moment = np.einsum("kp...,k...->...p", self.z, scaled)
        own = np.einsum("k...,k...->...", across, scaled)
        out: Floats = own - np.einsum("...p,...pq,...q->...", moment, self.bread, moment)
        return out

    def trace(self, c: Floats | None = None) -> Floats:
        heavy, light = self._parts(c)
        corner = np.diagonal(self._corner(), axis1=-2, axis2=-1)
        out: Floats = (corner * heavy).sum(axis=-1) + (light * self.light * (1 - self._leverage())).sum(axis=0)
        return out

    def trace_of_square(self, c: Floats | None = None) -> Floats:
        heavy, light = self._parts(c)
        corner = self._corner()
        squared = (light * self.light) ** 2
        along = self.bread @ self._gram(light * self.light**2)
        across = np.diagonal(along @ self.bread, axis1=-2, axis2=-1) * self.heavy**2
        own = (squared * (1 - 2 * self._leverage())).sum(axis=0) + np.einsum("...pq,...qp->...", along, along)
        first = np.einsum("...p,...pq,...q,...qp->...", heavy, corner, heavy, corner)
        out: Floats = first + 2 * (heavy * across).sum(axis=-1) + own
        return out

    def log_determinant(self) -> Floats:
        with np.errstate(invalid="ignore"):
            out: Floats = np.linalg.slogdet(self.gram)[1] - self.log_gram
        return out


def inverse(gram: Floats) -> Floats:
    """Inverses of symmetric matrices (..., p, p); nan where one is singular."""
    with np.errstate(all="ignore"):
        usable = np.isfinite(gram).all(axis=(-2, -1)) & (np.abs(np.linalg.det(gram)) > 0)
    safe = np.where(usable[..., None, None], gram, np.eye(gram.shape[-1]))
    return np.where(usable[..., None, None], np.linalg.inv(safe), np.nan)
