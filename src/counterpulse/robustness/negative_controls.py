"""Negative controls: what an analysis finds where there is nothing to find, taken off what it finds elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import no_estimate, wald_estimate

Floats = NDArray[np.float64]

FEW = 5
"""With fewer controls the spread of the systematic error is hardly known, and a note says so."""

HALVINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NegativeControl:
    """An effect beside the same effect without the systematic error that negative controls show.

    Attributes
    ----------
    estimate, corrected : as found, and with the mean systematic error taken off; on the scale of estimation
    controls : estimates of what should be no effect
    bias, bias_error : mean systematic error and its standard error
    bias_spread : standard deviation of the systematic error between controls; 0 of one control
    """

    estimate: Estimate
    corrected: Estimate
    controls: tuple[Estimate, ...]
    bias: float
    bias_error: float
    bias_spread: float
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The corrected effect, then the effect as found."""
        return (self.corrected, self.estimate)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row: the systematic error."""
        return pl.DataFrame(
            {
                "controls": [len(self.controls)], "bias": [self.bias], "bias_error": [self.bias_error],
                "bias_spread": [self.bias_spread], "status": [self.status.code],
            }
        )  # fmt: skip


def negative_control(
    estimate: Estimate, *, controls: Estimate | Sequence[Estimate], level: float = 0.95
) -> NegativeControl:
    """Correct an effect by what the same analysis finds for outcomes that the treatment cannot change.

    Parameters
    ----------
    estimate : the effect, with a standard error
    controls : the same measure for one or more negative-control outcomes (or exposures), each with a standard error
    level : of the interval of the corrected effect

    Returns
    -------
    NegativeControl : with a status where the effect, or every control, failed

    Raises
    ------
    InputError : no control, or controls on another scale than the effect

    Notes
    -----
    The systematic error of the effect is taken to be a draw from the normal distribution that the controls' errors come from
    (mean and spread by maximum likelihood), on the scale of estimation. The variance of the corrected effect adds to its own that spread
    and the variance of the mean; with one control this is the difference of two estimates. Their chance errors are taken as
    independent, which makes intervals too wide where the outcomes of the same patients go together.

    References
    ----------
    Lipsitch and others 2010 (doi:10.1097/EDE.0b013e3181d61eeb); Schuemie and others 2014 (doi:10.1002/sim.5925)
    """
    given = (controls,) if isinstance(controls, Estimate) else tuple(controls)
    if not given:
        raise InputError("'controls' holds at least one estimate of a negative control")
    if any((one.scale, one.measure) != (estimate.scale, estimate.measure) for one in given):
        raise InputError("the controls are of another measure or scale than the effect; analyze them in the same way")
    if not 0 < level < 1:
        raise InputError("'level' lies between 0 and 1, such as 0.95")
    used = [one for one in given if _usable(one)]
    status = Status.OK if used and _usable(estimate) else Status.UNDEFINED
    bias, bias_error, spread = _systematic_error(used) if used else (nan, nan, nan)
    if status is Status.OK:
        error = sqrt((estimate.std_error or 0.0) ** 2 + bias_error**2 + spread**2)
        corrected = wald_estimate(
            estimate.measure, estimate.value - bias, error, level, term=estimate.term, reference=estimate.reference,
            scale=estimate.scale, null=0.0, at=estimate.at, notes=_notes(len(used), len(given)),
        )  # fmt: skip
    else:
        corrected = no_estimate(estimate.measure, status, term=estimate.term, scale=estimate.scale, at=estimate.at)
    return NegativeControl(
        estimate=estimate, corrected=replace(corrected, variable=estimate.variable), controls=given, bias=bias,
        bias_error=bias_error, bias_spread=spread, status=status,
        provenance=Provenance(
            method="negative-control calibration", choices=(Choice("negative controls", len(used), "given"),),
            citations=("lipsitch-2010", "schuemie-2014"),
        ),
    )  # fmt: skip


def _usable(estimate: Estimate) -> bool:
    error = estimate.std_error
    return estimate.status is Status.OK and isfinite(estimate.value) and error is not None and 0 < error < float("inf")


def _notes(used: int, given: int) -> tuple[str, ...]:
    found = []
    if used < given:
        found.append(f"{given - used} of {given} negative controls have no estimate and were left out.")
    if used < FEW:
        found.append(f"The correction rests on {used} negative control{'s' if used > 1 else ''}; how much the "
                     "systematic error varies is hardly known.")  # fmt: skip
    return tuple(found)


def _systematic_error(controls: Sequence[Estimate]) -> tuple[float, float, float]:
    """Mean of the systematic error, its standard error, and the standard deviation between controls."""
    values = np.array([one.value for one in controls])
    variances = np.array([(one.std_error or 0.0) ** 2 for one in controls])
    between = _between(values, variances)
    weights = 1 / (variances + between)
    mean = float(weights @ values / weights.sum())
    return mean, float(1 / np.sqrt(weights.sum())), sqrt(between)


def _between(values: Floats, variances: Floats) -> float:
    """The variance between controls that maximizes their normal likelihood; the highest of several maxima."""
    most = float(np.var(values) * len(values) + variances.max())
    grid = np.concatenate(([0.0], np.geomspace(most * 1e-8, most, HALVINGS)))
    heights = [_log_likelihood(values, variances, float(one)) for one in grid]
    best = int(np.argmax(heights))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    if best == 0 and _slope(values, variances, 0.0) <= 0:
        return 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _slope(values, variances, middle) > 0 else (low, middle)
    return (low + high) / 2


def _log_likelihood(values: Floats, variances: Floats, between: float) -> float:
    weights = 1 / (variances + between)
    mean = weights @ values / weights.sum()
    return float(np.log(weights).sum() - weights @ (values - mean) ** 2) / 2


def _slope(values: Floats, variances: Floats, between: float) -> float:
    """Of the log likelihood in the variance between controls, at the mean that is best for it."""
    weights = 1 / (variances + between)
    mean = weights @ values / weights.sum()
    return float(weights**2 @ (values - mean) ** 2 - weights.sum()) / 2
