"""Median and quartiles under the three definitions that statistical programs use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError

Method = Literal["linear", "averaged_inverted_cdf", "weibull"]

DEFINITIONS: Mapping[str, Method] = {
    "linear (type 7)": "linear",
    "sas (type 2)": "averaged_inverted_cdf",
    "spss (type 6)": "weibull",
}
"""Types of Hyndman and Fan 1996 (doi:10.1080/00031305.1996.10473566): R and Excel, SAS and Stata, SPSS."""


def quartiles_of(
    values: NDArray[np.float64], *, definition: str = "linear (type 7)"
) -> tuple[float, float, float] | None:
    """The first quartile, the median and the third quartile; None without values.

    Parameters
    ----------
    values : shape (patients,), without missing ones
    definition : "linear (type 7)", "sas (type 2)" or "spss (type 6)"

    Raises
    ------
    InputError
        An unknown definition.
    """
    if definition not in DEFINITIONS:
        raise InputError(f"quartiles {definition!r} are unknown; give one of {', '.join(DEFINITIONS)}")
    if len(values) == 0:
        return None
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75], method=DEFINITIONS[definition])
    return float(q1), float(median), float(q3)
