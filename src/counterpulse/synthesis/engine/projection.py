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
    """A design of several columns, orthonormal so that the normal equations are well conditioned."""

    __slots__ = ("basis", "bread", "gram")

    def __init__(self, studies: Studies, w: Floats) -> None:
        assert studies.basis is not None
        self.w, self.basis = w, studies.basis
        self.gram = self._gram(w)
        self.bread = inverse(self.gram)
        moment = np.einsum("kp...,k...,k...->...p", self.basis, w, studies.y)
        slope = np.einsum("...pq,...q->...p", self.bread, moment)
        self.residual = w * (studies.y - np.einsum("kp...,...p->k...", self.basis, slope))

    def _gram(self, w: Floats) -> Floats:
        out: Floats = np.einsum("kp...,kq...,k...->...pq", self.basis, self.basis, w)
        return out

    def cube(self) -> Floats:
        across = self.w * self.residual
        moment = np.einsum("kp...,k...->...p", self.basis, across)
        own = np.einsum("k...,k...->...", across, self.residual)
        out: Floats = own - np.einsum("...p,...pq,...q->...", moment, self.bread, moment)
        return out

    def trace(self, c: Floats | None = None) -> Floats:
        scaled = self.w if c is None else self.w * c
        out: Floats = scaled.sum(axis=0) - np.einsum("...pq,...qp->...", self.bread, self._gram(self.w * scaled))
        return out

    def trace_of_square(self, c: Floats | None = None) -> Floats:
        scaled = self.w if c is None else self.w * c
        squared = scaled * scaled
        first = np.einsum("...pq,...qp->...", self.bread, self._gram(self.w * squared))
        along = self.bread @ self._gram(self.w * scaled)
        out: Floats = squared.sum(axis=0) - 2 * first + np.einsum("...pq,...qp->...", along, along)
        return out

    def log_determinant(self) -> Floats:
        out: Floats = np.linalg.slogdet(self.gram)[1]
        return out


def inverse(gram: Floats) -> Floats:
    """Inverses of symmetric matrices (..., p, p); nan where one is singular."""
    with np.errstate(all="ignore"):
        usable = np.isfinite(gram).all(axis=(-2, -1)) & (np.abs(np.linalg.det(gram)) > 0)
    safe = np.where(usable[..., None, None], gram, np.eye(gram.shape[-1]))
    return np.where(usable[..., None, None], np.linalg.inv(safe), np.nan)
