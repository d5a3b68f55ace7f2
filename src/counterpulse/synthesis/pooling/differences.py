"""Gradient and information of the log-likelihoods of many studies, by central differences in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.newton import Evaluation

Floats = NDArray[np.float64]

StudyValues = Callable[[Floats, Floats], Floats]
"""Log-likelihoods (P, k) at P places: the parameter of the study's own (P, k), and those shared (P, s)."""

STEP = 1e-3
"""In log odds: its fourth power and the rounding of a log-likelihood over its square are both below 1e-6."""


@dataclass(frozen=True, slots=True)
class Differences:
    """The log-likelihood of k studies in (own parameter of each study, where `own`; shared parameters).

    Attributes
    ----------
    values : log-likelihood of each study
    k : studies
    own : whether each study has a parameter of its own
    """

    values: StudyValues
    k: int
    own: bool

    def __call__(self, at: Floats) -> Evaluation:
        """Value, gradient and information at own parameters (k,) followed by the shared ones (s,)."""
        m = len(at) - self.k + 1 if self.own else len(at)
        offsets, slopes, bends = _stencil(m)
        values = self._at(at, offsets)
        gradient = np.einsum("mp,pk->mk", slopes, values)
        information = -np.einsum("mnp,pk->mnk", bends, values)
        total = float(values[0].sum())
        if not self.own:
            return Evaluation(total, gradient.sum(axis=1), information.sum(axis=2))
        return Evaluation(
            total, np.concatenate([gradient[0], gradient[1:].sum(axis=1)]), _arrow(information)
        )  # fmt: skip

    def value(self, at: Floats) -> float:
        """The log-likelihood alone."""
        m = len(at) - self.k + 1 if self.own else len(at)
        return float(self._at(at, np.zeros((1, m))).sum())

    def _at(self, at: Floats, offsets: Floats) -> Floats:
        if not self.own:
            return self.values(np.zeros((len(offsets), self.k)), at + offsets)
        return self.values(at[: self.k] + offsets[:, :1], at[self.k :] + offsets[:, 1:])


def _arrow(information: Floats) -> Floats:
    """A study's own parameter meets only itself and the shared ones; from (m, m, k) to (k + m - 1, k + m - 1)."""
    m, _, k = information.shape
    whole = np.zeros((k + m - 1, k + m - 1))
    whole[:k, :k] = np.diag(information[0, 0])
    whole[k:, :k] = information[1:, 0]
    whole[:k, k:] = information[1:, 0].T
    whole[k:, k:] = information[1:, 1:].sum(axis=2)
    return whole


@lru_cache
def _stencil(m: int) -> tuple[Floats, Floats, Floats]:
    """Places (P, m), and the weights of the values there in the gradient (m, P) and the second derivatives (m, m, P)."""
    unit = np.eye(m) * STEP
    pairs = list(combinations(range(m), 2))
    places = [np.zeros(m)]
    places += [times * unit[j] for j in range(m) for times in (-2, -1, 1, 2)]
    places += [a * unit[i] + b * unit[j] for i, j in pairs for a in (-1, 1) for b in (-1, 1)]
    slopes, bends = np.zeros((m, len(places))), np.zeros((m, m, len(places)))
    for j in range(m):
        mine = slice(1 + 4 * j, 5 + 4 * j)
        slopes[j, mine] = np.array([1, -8, 8, -1]) / (12 * STEP)
        bends[j, j, 0] = -30 / (12 * STEP**2)
        bends[j, j, mine] = np.array([-1, 16, 16, -1]) / (12 * STEP**2)
    for number, (i, j) in enumerate(pairs):
        first = 1 + 4 * m + 4 * number
        bends[i, j, first : first + 4] = bends[j, i, first : first + 4] = np.array([1, -1, -1, 1]) / (4 * STEP**2)
    return np.array(places), slopes, bends
