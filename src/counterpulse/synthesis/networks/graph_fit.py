"""Effects of all treatments of a network at once, for one variance between studies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.networks.independent_contrasts import IndependentContrasts
from counterpulse.synthesis.pooling.homogeneity import ChiSquared

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GraphFit:
    """A fitted network.

    Attributes
    ----------
    potentials : effect of each treatment against the first, shape (n,)
    covariance : of `potentials`; the first row and column are zero, shape (n, n)
    test : weighted sum of squares of the residuals; Cochran's Q where tau2 is 0
    """

    potentials: Floats
    covariance: Floats
    test: ChiSquared

    def differences(self) -> Floats:
        """Effect of the row treatment against the column treatment, shape (n, n)."""
        return self.potentials[:, None] - self.potentials

    def variances(self) -> Floats:
        """Variances of the differences, shape (n, n)."""
        own = np.diag(self.covariance)
        return np.maximum(own[:, None] + own - 2 * self.covariance, 0.0)


def fit_graph(contrasts: IndependentContrasts, tau2: float) -> GraphFit:
    """Fit a connected network by weighted least squares.

    The inverse of the weighted Laplacian of the graph gives the variances (Rücker 2012, doi:10.1002/jrsm.1058); arms of one
    study enter with their covariance (Rücker and Schwarzer 2014, doi:10.1002/sim.6236).
    """
    n = contrasts.design.shape[1]
    columns = contrasts.columns()
    fit = weighted_fit(contrasts.effects, contrasts.variances, contrasts.design[:, columns], tau2=tau2)
    potentials, covariance = np.zeros(n), np.zeros((n, n))
    potentials[columns] = fit.coefficients[0]
    covariance[np.ix_(columns, columns)] = fit.covariance[0]
    return GraphFit(potentials, (covariance + covariance.T) / 2, q_test(float(fit.q[0]), float(fit.df[0])))


def q_test(q: float, df: float) -> ChiSquared:
    """Chi-squared test of a sum of squares; rounding below zero is zero, and so is a sum without degrees of freedom."""
    return ChiSquared.of(max(q, 0.0) if df > 0 else 0.0, df)
