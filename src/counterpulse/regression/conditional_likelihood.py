"""The exact conditional likelihood of matched sets: which rows are the cases, given how many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.newton import Evaluation

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

MOST_NUMBERS = 4_000_000
"""Numbers held at once: strata are taken in parts, those of like size together."""


@dataclass(frozen=True, slots=True)
class Strata:
    """Strata of like size, padded: `rows` into X with -1 for none (S, m), cases first; `cases` of each (S,)."""

    rows: Codes
    cases: Codes


@dataclass(frozen=True, slots=True)
class ConditionalLikelihood:
    """The log-likelihood of coefficients, to be called.

    Attributes
    ----------
    X : shape (n, k), rows of strata that hold cases and controls
    strata : all of them, in parts
    """

    X: Floats
    strata: tuple[Strata, ...]

    def __call__(self, beta: Floats) -> Evaluation:
        """Log-likelihood, score and information."""
        k = len(beta)
        value, gradient, information = 0.0, np.zeros(k), np.zeros((k, k))
        linear = self.X @ beta
        for part in self.strata:
            present = part.rows >= 0
            X = np.where(present[:, :, None], self.X[part.rows], 0.0)
            odds = np.where(present, linear[part.rows], -np.inf)
            member = np.arange(part.rows.shape[1]) < part.cases[:, None]
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                total, mean, spread = _denominator(X, odds, part.cases)
            value += float(odds[member].sum() - total.sum())
            gradient += X[member].sum(axis=0) - mean.sum(axis=0)
            information += spread
        if not (np.isfinite(value) and np.isfinite(information).all()):
            return Evaluation(-np.inf, gradient, information)  # far beyond any maximum
        return Evaluation(value, gradient, information)


def _denominator(X: Floats, odds: Floats, cases: Codes) -> tuple[Floats, Floats, Floats]:
    """Logarithm of the sum over all sets of so many rows (S,), its gradient (S, k), the sum of its Hessians (k, k).

    ``B(d, j) = B(d, j - 1) + exp(x_j beta) B(d - 1, j - 1)`` (Gail, Lubin and Rubinstein 1981) with B held as its
    logarithm's leading part, so that nothing overflows: each stratum is scaled back after every row.
    """
    (s, m, k), most = X.shape, int(cases.max())
    top = odds.max(axis=1)
    risk = np.exp(odds - top[:, None])
    count = np.zeros((s, most + 1))
    count[:, 0] = 1.0
    first, second = np.zeros((s, most + 1, k)), np.zeros((s, most + 1, k, k))
    logarithm = np.zeros(s)
    for j in range(m):
        x, r = X[:, j], risk[:, j]
        add = first[:, :-1] + count[:, :-1, None] * x[:, None, :]
        cross = first[:, :-1, :, None] * x[:, None, None, :]
        second[:, 1:] += r[:, None, None, None] * (
            second[:, :-1] + cross + np.swapaxes(cross, 2, 3)
            + count[:, :-1, None, None] * (x[:, :, None] * x[:, None, :])[:, None]
        )  # fmt: skip
        first[:, 1:] += r[:, None, None] * add
        count[:, 1:] += r[:, None] * count[:, :-1]
        size = count.max(axis=1)
        logarithm += np.log(size)
        count /= size[:, None]
        first /= size[:, None, None]
        second /= size[:, None, None, None]
    at = (np.arange(s), cases)
    mean = first[at] / count[at][:, None]
    spread = (second[at] / count[at][:, None, None]).sum(axis=0) - mean.T @ mean
    return logarithm + np.log(count[at]) + cases * top, mean, spread


def telling_rows(codes: Codes, event: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of the strata that hold a case and another row; shape (n,)."""
    size, cases = np.bincount(codes), np.bincount(codes, event)
    telling: NDArray[np.bool_] = (cases > 0) & (cases < size)
    return telling[codes]


def gathered(codes: Codes, event: NDArray[np.bool_], k: int) -> tuple[Strata, ...]:
    """Gather the strata, all of which hold cases and others, in parts of like size."""
    size, cases = np.bincount(codes), np.bincount(codes, event).astype(np.intp)
    return tuple(_parts(np.lexsort((~event, codes)), size, cases, k))


def _parts(order: Codes, size: Codes, cases: Codes, k: int) -> Iterator[Strata]:
    starts = np.cumsum(size) - size
    left = np.lexsort((size, cases))
    while len(left):
        most = max(1, MOST_NUMBERS // ((int(cases[left[0]]) + 1) * (k + 1) ** 2))
        take = min(most, int((cases[left] == cases[left[0]]).sum()))
        chosen, left = left[:take], left[take:]
        places = np.arange(int(size[chosen].max()))
        at = np.minimum(starts[chosen][:, None] + places, len(order) - 1)
        yield Strata(np.where(places < size[chosen][:, None], order[at], -1), cases[chosen])
