"""Pointwise confidence intervals of a survival curve on five scales.

References
----------
Borgan and Liestol 1990; Kalbfleisch and Prentice 2002, section 1.4 (doi:10.1002/9781118032985)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from counterpulse.numerics.distributions import critical_value
from counterpulse.survival.follow_up import Floats

CurveInterval = Literal["log", "log-log", "plain", "logit", "arcsine"]


def curve_interval(survival: Floats, std_error: Floats, *, kind: CurveInterval, level: float) -> tuple[Floats, Floats]:
    """Limits of S(t), each of the shape of `survival`; nan where S(t) is 0, or 1 on a scale that has no 1."""
    reach = critical_value(level)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = INTERVALS[kind](survival, reach * std_error)
    nothing = survival <= 0
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)


def _log(S: Floats, reach: Floats) -> tuple[Floats, Floats]:
    factor = np.exp(reach / S)
    return S / factor, np.minimum(S * factor, 1.0)


def _log_log(S: Floats, reach: Floats) -> tuple[Floats, Floats]:
    factor = np.exp(np.abs(reach / (S * np.log(S))))
    return np.exp(np.log(S) * factor), np.exp(np.log(S) / factor)


def _plain(S: Floats, reach: Floats) -> tuple[Floats, Floats]:
    return np.maximum(S - reach, 0.0), np.minimum(S + reach, 1.0)


def _logit(S: Floats, reach: Floats) -> tuple[Floats, Floats]:
    center, half = np.log(S / (1 - S)), reach / (S * (1 - S))
    return 1 / (1 + np.exp(half - center)), 1 / (1 + np.exp(-half - center))


def _arcsine(S: Floats, reach: Floats) -> tuple[Floats, Floats]:
    center, half = np.arcsin(np.sqrt(S)), reach / (2 * np.sqrt(S * (1 - S)))
    return np.sin(np.maximum(center - half, 0.0)) ** 2, np.sin(np.minimum(center + half, np.pi / 2)) ** 2


INTERVALS: Mapping[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "log": _log,
    "log-log": _log_log,
    "plain": _plain,
    "logit": _logit,
    "arcsine": _arcsine,
}
