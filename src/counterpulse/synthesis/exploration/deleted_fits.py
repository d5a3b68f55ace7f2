"""A set of studies fitted whole and with each study left out, all in one batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.weighted_fit import WeightedFit, weighted_fit

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DeletedFits:
    """Row 0 of `fit` holds all k studies, row i leaves out study i (from 1).

    Attributes
    ----------
    x : design with its intercept, shape (k, p)
    tau2 : shape (k + 1,)
    fit : weighted least squares of k + 1 sets
    """

    y: Floats
    v: Floats
    x: Floats
    tau2: Floats
    fit: WeightedFit

    @property
    def moves(self) -> Floats:
        """What leaving a study out takes off the coefficients, shape (k, p)."""
        out: Floats = self.fit.coefficients[0] - self.fit.coefficients[1:]
        return out

    @property
    def deleted_prediction(self) -> tuple[Floats, Floats]:
        """The effect of each study predicted by the others, and the variance of the prediction, shape (k,) each."""
        value = np.einsum("kp,kp->k", self.x, self.fit.coefficients[1:])
        return value, np.einsum("kp,kpq,kq->k", self.x, self.fit.covariance[1:], self.x)


def one_left_out(y: Floats) -> Floats:
    """All studies, then each absent in turn: shape (k + 1, k) with nan where a study is absent."""
    rows = np.tile(y, (len(y) + 1, 1))
    rows[np.arange(1, len(y) + 1), np.arange(len(y))] = np.nan
    return rows


def deleted_fits(y: Floats, v: Floats, x: Floats, estimator: str) -> DeletedFits:
    """Fit all studies and all but each; tau2 is estimated again each time."""
    rows = one_left_out(y)
    design = None if x.shape[1] == 1 else x
    tau2 = between_variance(rows, v, design, estimator=estimator).tau2
    return DeletedFits(y, v, x, tau2, weighted_fit(rows, v, design, tau2=tau2))
