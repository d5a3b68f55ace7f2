"""Effects of every treatment against every other, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EffectMatrix:
    """Effect of the row treatment against the column treatment, on the scale of the input.

    Attributes
    ----------
    treatments : names of rows and columns, n of them
    estimate, std_error, lower, upper, p_value : shape (n, n); nan where there is no such evidence, and the p value of a
        treatment against itself is nan
    level : confidence level; intervals and tests are Wald's
    """

    treatments: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    p_value: Floats
    level: float

    def at(self, treatment: str, against: str) -> tuple[int, int]:
        """Row and column of a comparison.

        Raises
        ------
        InputError : a treatment is not in the network
        """
        for name in (treatment, against):
            if name not in self.treatments:
                raise InputError(
                    f"{name!r} is not in the network; it has {', '.join(self.treatments)}. Use one of these."
                )
        return self.treatments.index(treatment), self.treatments.index(against)


def effect_matrix(treatments: tuple[str, ...], estimate: Floats, std_error: Floats, level: float) -> EffectMatrix:
    """Wald intervals and tests of a matrix of effects."""
    reach = critical_value(level) * std_error
    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = 2 * special.ndtr(-np.abs(estimate / std_error))
    return EffectMatrix(treatments, estimate, std_error, estimate - reach, estimate + reach, p_value, level)
