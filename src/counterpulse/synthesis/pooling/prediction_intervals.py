"""Where the effect of a new study is expected, by the named definitions.

All are ``mean +- t(df) * sqrt(tau2 + error^2)`` and differ in the degrees of freedom and in the error of the mean:

========= ============= ==================== =========================================================
name      df            error of the mean    source
========= ============= ==================== =========================================================
normal    infinite      known weights        the normal-normal model as it stands
HTS       k - 2         known weights        Higgins, Thompson and Spiegelhalter 2009
k-1       k - 1         known weights        Veroniki and others; metafor with ``test="t"``
HK        k - 1         Hartung-Knapp        metafor with ``test="knha"``; Cochrane from 2025
HK-trunc  k - 1         truncated HK         the same with a factor of at least 1; metafor with ``test="adhoc"``
HK-PR     k - 2         Hartung-Knapp        Partlett and Riley 2017
KR        Kenward-Roger Kenward-Roger        with the degrees of freedom of the mean
KR-PR     the same - 1  Kenward-Roger        Partlett and Riley 2017
========= ============= ==================== =========================================================
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.results.estimate import Interval
from counterpulse.synthesis.engine.weighted_fit import WeightedFit
from counterpulse.synthesis.pooling.intervals import (
    HARTUNG_KNAPP,
    KENWARD_ROGER,
    TRUNCATED,
    WALD,
    WIDER,
    T,
    critical_values,
    inference,
)

Floats = NDArray[np.float64]

NONE = "none"

_FORMS: Mapping[str, tuple[str, int]] = {
    "normal": (WALD, 0),
    "HTS": (T, 1),
    "k-1": (T, 0),
    "HK": (HARTUNG_KNAPP, 0),
    "HK-trunc": (TRUNCATED, 0),
    "HK-PR": (HARTUNG_KNAPP, 1),
    "KR": (KENWARD_ROGER, 0),
    "KR-PR": (KENWARD_ROGER, 1),
}
"""The interval of the mean whose error and degrees of freedom are used, and how many of these are given up."""

PREDICTIONS = (*_FORMS, NONE)

BESIDE: Mapping[str, str] = {
    WALD: "normal", T: "k-1", HARTUNG_KNAPP: "HK", TRUNCATED: "HK-trunc", WIDER: "HK-trunc", KENWARD_ROGER: "KR",
}  # fmt: skip
"""The prediction interval that goes with an interval of the mean, unless another is asked for; never the narrower one."""

SOURCES: Mapping[str, str | None] = {
    "normal": None, "HTS": "higgins-2009", "k-1": "higgins-2009", "HK": "int-hout-2014",
    "HK-trunc": "knapp-hartung-2003", "HK-PR": "partlett-riley-2017",
    "KR": "partlett-riley-2017", "KR-PR": "partlett-riley-2017", NONE: None,
}  # fmt: skip


def check_prediction(name: str) -> str:
    """The definition's own name, whatever the case; an InputError where there is none."""
    known = {word.lower(): word for word in PREDICTIONS}.get(str(name).lower())
    if known is None:
        raise InputError(f"prediction is {name!r}; it can be one of {', '.join(PREDICTIONS)}. Write one of these.")
    return known


def prediction_ends(fit: WeightedFit, tau2: Floats, name: str, level: float) -> tuple[Floats, Floats]:
    """Ends of the prediction interval, shape (B,); nan where its degrees of freedom are not positive."""
    form, given_up = _FORMS[name]
    of_mean = inference(fit, form, level)
    reach = critical_values(level, of_mean.df[:, 0] - given_up) * np.sqrt(tau2 + of_mean.std_error[:, 0] ** 2)
    mean = fit.coefficients[:, 0]
    return mean - reach, mean + reach


def prediction_interval(fit: WeightedFit, tau2: float, name: str, level: float) -> Interval | None:
    """The prediction interval of one review; None where it is not asked for or not defined."""
    if name == NONE:
        return None
    low, high = prediction_ends(fit, np.array([tau2]), name, level)
    return Interval(float(low[0]), float(high[0]), level, f"prediction, {name}") if np.isfinite(low[0]) else None
