"""The restricted likelihood of a mean with variances between studies and between the effects of a study."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

GRID = np.concatenate([[0.0], np.logspace(-6, 3, 37)])
"""Variances, in units of that of the effects, at which the likelihood is looked at before it is climbed."""

BLOCK = 500_000
"""Numbers held at once while the likelihood is looked at."""

STEPS, HALVINGS, SETTLED = 100, 40, 1e-20
"""Newton steps, halvings of one, and the gain in log-likelihood a last step promises."""

SHIFT = 1e-4
"""Of a variance, in its own units, for the curvature by differences of the slope."""


class Sums(NamedTuple):
    """Sums of a study at a variance within studies: with W the inverse covariance of its effects, shapes (…, m)."""

    one: Floats
    effect: Floats
    square: Floats


@dataclass(frozen=True, slots=True)
class NestedLikelihood:
    """Effects of m studies in the axes in which the sampling errors of a study are independent.

    Attributes
    ----------
    lengths : sampling variances along the axes, shape (n,); rows sorted by study
    ones, effects : the vector of ones and the effects along the axes, shape (n,)
    starts : first row of each study, shape (m,)
    unit : of variances: the variance of the effects and a typical sampling variance together
    """

    lengths: Floats
    ones: Floats
    effects: Floats
    starts: NDArray[np.intp]
    unit: float

    @classmethod
    def of(cls, y: Floats, v: Floats, starts: NDArray[np.intp], correlation: float) -> NestedLikelihood:
        """Effects sorted by study, whose sampling errors have one correlation within a study."""
        lengths, ones, effects = v.copy(), np.ones(len(y)), y.copy()
        if correlation != 0:
            for start, end in zip(starts, np.append(starts[1:], len(y)), strict=True):
                rows = slice(start, end)
                size = np.sqrt(v[rows])
                covariance = np.outer(size, size) * (correlation + (1 - correlation) * np.eye(end - start))
                lengths[rows], axes = np.linalg.eigh(covariance)
                ones[rows], effects[rows] = axes.sum(axis=0), axes.T @ y[rows]
        return cls(lengths, ones, effects, starts, float(np.var(y)) + float(np.median(v)))

    @property
    def n(self) -> int:
        """Effects."""
        return len(self.effects)

    def sums(self, within: Floats, power: int = 1, mean: float = 0.0) -> Sums:
        """Sums of ``1 W 1``, ``1 W r`` and ``r W r`` by study, of effects less a mean; `within` (…,) -> (…, m)."""
        weight = (self.lengths + within[..., None]) ** -power
        rest = self.effects - mean * self.ones

        def by_study(values: Floats) -> Floats:
            total: Floats = np.add.reduceat(values * weight, self.starts, axis=-1)
            return total

        return Sums(by_study(self.ones**2), by_study(self.ones * rest), by_study(rest**2))

    def values(self, between: Floats, within: Floats) -> Floats:
        """Restricted log-likelihood at variances of shape (G,), maximized over the mean."""
        out = np.empty(len(between))
        size = max(1, BLOCK // self.n)
        for start in range(0, len(out), size):
            part = slice(start, start + size)
            out[part] = self._values(between[part], within[part])
        return out

    def _values(self, between: Floats, within: Floats) -> Floats:
        center = float(self.effects @ self.ones) / self.n
        sums = self.sums(within, mean=center)
        stretch = 1 + between[:, None] * sums.one
        precision = (sums.one / stretch).sum(axis=1)
        square = (sums.square - between[:, None] * sums.effect**2 / stretch).sum(axis=1)
        square = square - (sums.effect / stretch).sum(axis=1) ** 2 / precision
        determinant = np.log(self.lengths + within[:, None]).sum(axis=1) + np.log(stretch).sum(axis=1)
        constant = (self.n - 1) * log(2 * pi) - log(self.n)
        value: Floats = -(constant + determinant + np.log(precision) + square) / 2
        return value

    def value(self, at: Floats) -> float:
        """The log-likelihood at (between, within)."""
        return float(self.values(at[:1], at[1:])[0])

    def mean(self, at: Floats) -> tuple[float, float]:
        """The mean at (between, within), and its precision."""
        sums = self.sums(at[1])
        stretch = 1 + at[0] * sums.one
        precision = float((sums.one / stretch).sum())
        return float((sums.effect / stretch).sum()) / precision, precision

    def slope(self, at: Floats) -> Floats:
        """Derivatives of the log-likelihood in (between, within)."""
        between = float(at[0])
        mean, precision = self.mean(at)
        first, second = self.sums(at[1], 1, mean), self.sums(at[1], 2, mean)
        g = 1 + between * first.one
        in_between = first.one / g - (first.one / g) ** 2 / precision - (first.effect / g) ** 2
        in_within = (
            -between * second.one / g - second.one / g**2 / precision - second.square
            + 2 * between * first.effect * second.effect / g - (between * first.effect / g) ** 2 * second.one
        )  # fmt: skip
        determinant = float((1 / (self.lengths + at[1])).sum())
        return -np.array([float(in_between.sum()), determinant + float(in_within.sum())]) / 2

    def climb(self, at: Floats, free: Flags) -> Floats:
        """The top from `at`, of variances of zero or more, moving only those that are free."""
        here = self.value(at)
        for _ in range(STEPS):
            step, gain = self._step(at, free)
            if gain <= SETTLED:
                break
            for _ in range(HALVINGS):
                there = np.maximum(at + step, 0.0)
                value = self.value(there)
                if value > here:
                    break
                step = step / 2
            else:
                break
            at, here = there, value
        return at

    def _step(self, at: Floats, free: Flags) -> tuple[Floats, float]:
        """Newton's step of the variances that are free and not held at zero, and the gain it promises."""
        slope = self.slope(at)
        moving = free & ((at > 0) | (slope > 0))
        step = np.zeros(2)
        if not moving.any():
            return step, 0.0
        bend = self.curvature(at)[np.ix_(moving, moving)]
        size, axes = np.linalg.eigh(bend)
        along = axes.T @ slope[moving]
        # Up along every axis, wherever the likelihood bends the other way.
        step[moving] = axes @ (along / np.maximum(np.abs(size), np.finfo(float).tiny))
        return step, float(step @ slope)

    def curvature(self, at: Floats) -> Floats:
        """Minus the second derivatives, by differences of the slope."""
        unit = SHIFT * (at + float(np.min(self.lengths)) / self.n)
        columns = [(self.slope(at + move) - self.slope(at - move)) / (2 * move.sum()) for move in np.diag(unit)]
        bend: Floats = -np.column_stack(columns)
        symmetric: Floats = (bend + bend.T) / 2
        return symmetric

    def top(self, fixed: tuple[float | None, float | None] = (None, None)) -> Floats:
        """The highest point, with a variance held where it is given: the best of a grid, then climbed."""
        sides = [GRID * self.unit if value is None else np.array([value]) for value in fixed]
        between, within = (side.ravel() for side in np.meshgrid(*sides, indexing="ij"))
        best = int(np.argmax(self.values(between, within)))
        free = np.array([value is None for value in fixed])
        return self.climb(np.array([between[best], within[best]]), free)
