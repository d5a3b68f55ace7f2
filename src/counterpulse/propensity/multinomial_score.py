"""The probabilities of more than two treatments, by multinomial logistic regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import inverse_symmetric, row_blocks
from counterpulse.numerics.newton import Evaluation, maximize

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

STEPS = 50
"""Newton steps after which coefficients run to infinity."""


@dataclass(frozen=True, slots=True)
class _Multinomial:
    """The log-likelihood of coefficients of shape ((k - 1) p,), group by group; group 0 is the reference."""

    X: Floats
    group: Codes
    groups: int

    def probabilities(self, coefficients: Floats, rows: slice) -> tuple[Floats, Floats]:
        """Probabilities, shape (rows, k), and the log of that of the treatment received."""
        B = coefficients.reshape(self.groups - 1, self.X.shape[1])
        eta = np.column_stack((np.zeros(len(self.X[rows])), self.X[rows] @ B.T))
        eta -= eta.max(axis=1, keepdims=True)
        total = np.exp(eta)
        sums = total.sum(axis=1, keepdims=True)
        received = np.take_along_axis(eta, self.group[rows, None], axis=1)[:, 0] - np.log(sums[:, 0])
        return total / sums, received

    def __call__(self, coefficients: Floats) -> Evaluation:
        k, p = self.groups - 1, self.X.shape[1]
        value, gradient, information = 0.0, np.zeros((k, p)), np.zeros((k * p, k * p))
        for rows in row_blocks(len(self.X)):
            block = self.X[rows]
            probability, received = self.probabilities(coefficients, rows)
            value += float(received.sum())
            shown = (self.group[rows, None] == np.arange(1, k + 1)).astype(np.float64)
            gradient += (shown - probability[:, 1:]).T @ block
            information += _information(block, probability)
        return Evaluation(value, gradient.ravel(), information)


def _information(X: Floats, probability: Floats) -> Floats:
    """The information on coefficients, group by group, shape ((k - 1) p, (k - 1) p), from probabilities (n, k)."""
    k, p = probability.shape[1] - 1, X.shape[1]
    information = np.empty((k, p, k, p))
    for a in range(k):
        for b in range(a, k):
            mixed = probability[:, a + 1] * ((a == b) - probability[:, b + 1])
            part = (X * mixed[:, None]).T @ X
            information[a, :, b, :] = part
            information[b, :, a, :] = part
    return information.reshape(k * p, k * p)


def multinomial_influence(X: Floats, group: Codes, probability: Floats) -> Floats:
    """The influence of each row on the coefficients, group by group, shape (n, (k - 1) p).

    Parameters
    ----------
    X, group : as fitted
    probability : as predicted, shape (n, k)
    """
    k, p = probability.shape[1] - 1, X.shape[1]
    information = sum(
        (_information(X[rows], probability[rows]) for rows in row_blocks(len(X))), np.zeros((k * p, k * p))
    )
    surprise = (group[:, None] == np.arange(1, k + 1)) - probability[:, 1:]
    scores = (surprise[:, :, None] * X[:, None, :]).reshape(len(X), k * p)
    influence: Floats = scores @ inverse_symmetric(information)
    return influence


def multinomial_probabilities(X: Floats, group: Codes, groups: int) -> Floats | None:
    """Fit the model and predict.

    Parameters
    ----------
    X : shape (n, p), the intercept first, columns of like size
    group : the treatment received, 0 to `groups` - 1, shape (n,)

    Returns
    -------
    NDArray or None : probabilities, shape (n, groups); None where the fit has no finite maximum
    """
    likelihood = _Multinomial(X, group, groups)
    start = np.zeros((groups - 1, X.shape[1]))
    count = np.bincount(group, minlength=groups)
    start[:, 0] = np.log(count[1:] / count[0])
    found = maximize(likelihood, start.ravel(), limit=STEPS)
    if not found.converged:
        return None
    return np.vstack([likelihood.probabilities(found.at, rows)[0] for rows in row_blocks(len(X))])
