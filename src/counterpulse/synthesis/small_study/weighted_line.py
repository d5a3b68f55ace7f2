"""A weighted straight line through the effects of studies."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.weighted_fit import weighted_fit

Floats = NDArray[np.float64]

EXACT = 1e-24
"""A weighted residual sum of squares below this part of the effects' own is rounding."""

FLAT = 1e-10
"""A predictor that varies by less than this part of its size has no slope."""


@dataclass(frozen=True, slots=True)
class Line:
    """Intercept and slope with their covariance, taking the variances as known.

    Attributes
    ----------
    covariance : of intercept and slope, shape (2, 2)
    q : weighted residual sum of squares
    df : studies less 2
    tau2 : variance between studies about the line, which the weights hold; 0 without one
    exact : the studies lie on the line, but for rounding
    """

    intercept: float
    slope: float
    covariance: Floats
    q: float
    df: float
    tau2: float

    exact: bool

    @property
    def dispersion(self) -> float:
        """Residual variance in units of the variances given."""
        return self.q / self.df

    def errors(self, dispersion: float = 1.0) -> tuple[float, float]:
        """Standard errors of intercept and slope."""
        return sqrt(self.covariance[0, 0] * dispersion), sqrt(self.covariance[1, 1] * dispersion)


def weighted_line(y: Floats, v: Floats, x: Floats, *, estimator: str = "common") -> Line | None:
    """Least squares of `y` on `x` with weights ``1 / (v + tau2)``, all of shape (k,).

    None with fewer than 3 studies or where `x` does not vary.
    """
    if len(y) < 3 or np.ptp(x) <= FLAT * np.abs(x).max():
        return None
    unit = float(np.abs(x).max())
    design = np.column_stack([np.ones_like(x), x / unit])
    tau2 = float(between_variance(y, v, design, estimator=estimator).tau2[0])
    fit = weighted_fit(y, v, design, tau2=tau2)
    scale = np.array([1.0, 1 / unit])
    intercept, slope = (fit.coefficients[0] * scale).tolist()
    covariance = fit.covariance[0] * np.outer(scale, scale)
    q, size = float(fit.q[0]), float((fit.weights[0] * y * y).sum())
    return Line(intercept, slope, covariance, q, float(fit.df[0]), tau2, q <= EXACT * size)
