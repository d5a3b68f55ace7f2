"""Working correlations of the rows of a cluster: their moment estimates, and rows made uncorrelated, in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Correlation = Literal["independence", "exchangeable", "ar1"]

FARTHEST = 0.999
"""A correlation is held within so much of what is possible, where the matrix would be singular."""


NEGATIVE = 0.95
"""The part of the most negative correlation that a cluster of its size can have, at which it is held."""


@dataclass(frozen=True, slots=True)
class Segments:
    """Rows sorted by cluster, and within it by their order.

    Attributes
    ----------
    order : which row comes when, shape (n,)
    codes : cluster of each sorted row, shape (n,)
    starts, sizes : of each cluster that has rows, shape (G,)
    place : of each sorted row in its cluster, whole numbers, shape (n,)
    """

    order: Codes
    codes: Codes
    starts: Codes
    sizes: Codes
    place: NDArray[np.int64]

    @classmethod
    def of(cls, cluster: Codes, place: NDArray[np.int64] | None) -> Self:
        """Sort; without places the rows of a cluster are 1, 2, … apart in the order in which they stand."""
        order = np.argsort(cluster, kind="stable") if place is None else np.lexsort((place, cluster))
        codes = cluster[order]
        starts = np.flatnonzero(np.diff(codes, prepend=-1)).astype(np.intp)
        sizes = np.diff(starts, append=len(order)).astype(np.intp)
        within = np.arange(len(order)) - np.repeat(starts, sizes)
        sorted_place = within if place is None else place[order]
        inner = within[1:] > 0
        if (np.diff(sorted_place)[inner] == 0).any():
            raise InputError("the order repeats within a cluster; each of its rows has a place of its own")
        return cls(order, codes, starts, sizes, sorted_place.astype(np.int64))

    def total(self, values: Floats) -> Floats:
        """Sum by cluster."""
        summed: Floats = np.add.reduceat(values, self.starts, axis=0)
        return summed

    def spread(self, values: Floats) -> Floats:
        """Repeat the value of a cluster in its rows."""
        return np.repeat(values, self.sizes, axis=0)


class WorkingCorrelation(Protocol):
    """A correlation matrix of one parameter."""

    def moment(self, residuals: Floats) -> float:
        """Estimate the parameter from residuals of unit variance, shape (n,)."""

    def held(self, alpha: float) -> float:
        """Find the nearest parameter for which the matrix is surely positive definite in every cluster."""

    def whiten(self, values: Floats, alpha: float) -> Floats:
        """Multiply the rows of each cluster by a root of the inverse matrix; shape (n, k)."""


@dataclass(frozen=True, slots=True)
class Independence:
    """Uncorrelated rows."""

    segments: Segments

    def moment(self, residuals: Floats) -> float:
        """Nothing to estimate."""
        return 0.0

    def held(self, alpha: float) -> float:
        """Leave it."""
        return alpha

    def whiten(self, values: Floats, alpha: float) -> Floats:
        """Leave the rows as they are."""
        return values


@dataclass(frozen=True, slots=True)
class Exchangeable:
    """One correlation for all pairs of a cluster."""

    segments: Segments

    def moment(self, residuals: Floats) -> float:
        """Mean product over all pairs."""
        pairs = float((self.segments.sizes * (self.segments.sizes - 1)).sum())
        if pairs == 0:
            return 0.0
        return float((self.segments.total(residuals) ** 2 - self.segments.total(residuals**2)).sum()) / pairs

    def held(self, alpha: float) -> float:
        """Above ``-1 / (n_g - 1)`` and below 1."""
        return min(max(alpha, -NEGATIVE / max(1, int(self.segments.sizes.max()) - 1)), FARTHEST)

    def whiten(self, values: Floats, alpha: float) -> Floats:
        """Scale the mean of a cluster and the deviations from it, each by its own standard deviation."""
        sizes = self.segments.sizes[:, None]
        mean = self.segments.total(values) / sizes
        deviations = (values - self.segments.spread(mean)) / np.sqrt(1 - alpha)
        whitened: Floats = deviations + self.segments.spread(mean / np.sqrt(1 + (sizes - 1) * alpha))
        return whitened


@dataclass(frozen=True, slots=True)
class Serial:
    """A correlation of ``alpha`` to the power of the distance: first-order autoregression."""

    segments: Segments

    def moment(self, residuals: Floats) -> float:
        """Least squares of the products of all pairs on the power of their distance.

        The sum of ``d alpha^(d - 1) (r_i r_j - alpha^d)`` is zero at the estimate.
        """
        products, counts, distances = self._by_distance(residuals)
        if not counts.sum():
            return 0.0

        def balance(alpha: float) -> float:
            powers = distances * alpha ** (distances - 1)
            return float((powers * (products - counts * alpha**distances)).sum())

        from scipy.optimize import brentq

        low, high = (0.0, FARTHEST) if products[distances == 1].sum() >= 0 else (-FARTHEST, 0.0)
        if balance(low) * balance(high) > 0:
            return high if low == 0 else low
        return float(brentq(balance, low, high, xtol=1e-15))

    def _by_distance(self, residuals: Floats) -> tuple[Floats, Floats, Floats]:
        """Sum and number of the products of pairs at each distance."""
        codes, place = self.segments.codes, self.segments.place
        products: dict[int, float] = {}
        counts: dict[int, float] = {}
        for step in range(1, int(self.segments.sizes.max())):
            same = codes[step:] == codes[:-step]
            apart = (place[step:] - place[:-step])[same]
            product = (residuals[step:] * residuals[:-step])[same]
            found, at = np.unique(apart, return_inverse=True)
            for distance, total, count in zip(found, np.bincount(at, product), np.bincount(at), strict=True):
                products[int(distance)] = products.get(int(distance), 0.0) + float(total)
                counts[int(distance)] = counts.get(int(distance), 0.0) + float(count)
        distances = sorted(products)
        return (
            np.array([products[d] for d in distances]), np.array([counts[d] for d in distances]),
            np.array(distances, dtype=np.float64),
        )  # fmt: skip

    def held(self, alpha: float) -> float:
        """Within (-1, 1)."""
        return min(max(alpha, -FARTHEST), FARTHEST)

    def whiten(self, values: Floats, alpha: float) -> Floats:
        """Subtract what the row before tells of a row, and scale what is left."""
        first = np.zeros(len(values), dtype=bool)
        first[self.segments.starts] = True
        apart = np.diff(self.segments.place, prepend=0).astype(np.float64)
        tied = np.where(first, 0.0, alpha ** np.where(first, 1.0, apart))[:, None]
        before = np.vstack([np.zeros((1, values.shape[1])), values[:-1]])
        whitened: Floats = (values - tied * before) / np.sqrt(1 - tied**2)
        return whitened


CORRELATIONS: Mapping[str, Callable[[Segments], WorkingCorrelation]] = {
    "independence": Independence,
    "exchangeable": Exchangeable,
    "ar1": Serial,
}
