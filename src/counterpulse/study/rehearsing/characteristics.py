"""Operating characteristics of one estimate over simulated studies: bias, coverage, power, each with its Monte Carlo error.

Morris TP, White IR, Crowther MJ. Using simulation studies to evaluate statistical methods. Stat Med 2019;38:2074-102
(doi:10.1002/sim.8086), table 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answered:
    """What one replicate gave for one estimate, on the scale of estimation; what it did not give is not a number."""

    value: float = nan
    std_error: float = nan
    low: float = nan
    high: float = nan
    p_value: float = nan
    failed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """All on the scale of estimation; None where there is nothing to say. Replicates that failed count in nothing else.

    `coverage` is of the truth by the interval, `power` the share of P values below alpha (without an effect: the type I error).
    """

    replicates: int
    failed: int
    mean: float | None
    bias: float | None
    bias_error: float | None
    empirical_error: float | None
    mean_std_error: float | None
    coverage: float | None
    coverage_error: float | None
    power: float | None
    power_error: float | None


def characteristics(answers: Sequence[Answered], *, truth: float | None, alpha: float) -> Characteristics:
    """The operating characteristics of an estimate whose truth is known, or is not (None)."""
    used = [answer for answer in answers if not answer.failed]
    values = _known([answer.value for answer in used])
    spread = float(values.std(ddof=1)) if len(values) > 1 else None
    mean = float(values.mean()) if len(values) else None
    intervals = [(answer.low, answer.high) for answer in used if not (np.isnan(answer.low) or np.isnan(answer.high))]
    covered = None if truth is None else [low <= truth <= high for low, high in intervals]
    coverage, coverage_error = _share(covered)
    power, power_error = _share(list(_known([answer.p_value for answer in used]) < alpha))
    errors = _known([answer.std_error for answer in used])
    return Characteristics(
        replicates=len(answers),
        failed=len(answers) - len(used),
        mean=mean,
        bias=None if mean is None or truth is None else mean - truth,
        bias_error=None if spread is None or truth is None else spread / sqrt(len(values)),
        empirical_error=spread,
        mean_std_error=float(np.sqrt(np.mean(errors**2))) if len(errors) else None,
        coverage=coverage,
        coverage_error=coverage_error,
        power=power,
        power_error=power_error,
    )


def _known(values: Sequence[float]) -> Vector:
    array = np.array(values, dtype=np.float64)
    return array[~np.isnan(array)]


def _share(hits: Sequence[object] | None) -> tuple[float | None, float | None]:
    """A proportion and its Monte Carlo error."""
    if not hits:
        return None, None
    share = sum(map(bool, hits)) / len(hits)
    return share, sqrt(share * (1 - share) / len(hits))
