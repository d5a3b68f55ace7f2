"""The effect of a numeric variable at every value, against a reference value, from any fitted model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import DesignSpec, SplineCoding
from counterpulse.errors import InputError
from counterpulse.regression.model_rows import check_level
from counterpulse.results.block import Block
from counterpulse.results.coefficients import Coefficients
from counterpulse.results.estimate import Estimate, Scale, finite_or_none
from counterpulse.results.status import Status

POINTS = 101
"""Values of a curve where none are named."""


class FitOfTerms(Protocol):
    """What a curve needs of a fit; those of logistic, linear, ordinal, count and Cox models have it."""

    @property
    def parameters(self) -> Coefficients:
        """The coefficients with the covariance used."""

    @property
    def spec(self) -> DesignSpec:
        """The coding of the terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectCurve:
    """An effect at many values of a variable.

    Attributes
    ----------
    reference : the value the others are compared with
    values : shape (m,)
    contrasts : one a value, on `scale`, with a pointwise Wald interval
    """

    variable: str
    measure: str
    reference: float
    values: NDArray[np.float64]
    contrasts: tuple[Estimate, ...]

    @property
    def status(self) -> Status:
        """OK, or why the curve has no value."""
        return next((item.status for item in self.contrasts if item.status is not Status.OK), Status.OK)

    def estimates(self) -> tuple[Estimate, ...]:
        """One a value, on the scale of the model."""
        return self.contrasts

    def tidy(self) -> pl.DataFrame:
        """One row a value, on the natural scale, in the columns of a block "effect-curve"."""
        kinds = {"variable": pl.String, "measure": pl.String}
        return pl.DataFrame(self._columns(), schema_overrides={**dict.fromkeys(self._columns(), pl.Float64), **kinds})

    def block(self, id: str, *, analysis: str) -> Block:
        """The curve as a block of a study's result."""
        return Block(id=id, analysis=analysis, kind="effect-curve", columns=self._columns())

    def _columns(self) -> dict[str, list[str | float | int | bool | None]]:
        natural = [item.natural() for item in self.contrasts]
        ends = [(None, None) if item.interval is None else (item.interval.low, item.interval.high) for item in natural]
        m = len(natural)
        return {
            "variable": [self.variable] * m,
            "measure": [self.measure] * m,
            "reference": [finite_or_none(self.reference)] * m,
            "value": [finite_or_none(value) for value in self.values.tolist()],
            "estimate": [finite_or_none(item.value) for item in natural],
            "conf_low": [finite_or_none(low) for low, _ in ends],
            "conf_high": [finite_or_none(high) for _, high in ends],
        }


def effect_curve(
    fit: FitOfTerms,
    *,
    variable: str,
    measure: str,
    scale: Scale,
    reference: float | None = None,
    values: ArrayLike | None = None,
    level: float | None = None,
) -> EffectCurve:
    """Contrast every value of a spline's variable with a reference value.

    Parameters
    ----------
    fit : a fitted model one of whose terms is a `Spline` of `variable`
    measure, scale : of the contrasts, such as "odds ratio" and "log"
    reference : default: the term's own, else the median of the rows the model was fitted on
    values : shape (m,). Default: 101 values evenly between the 1st and 99th percentile of the rows used; the extremes
        belong to single patients and are not drawn
    level : of the intervals; default: the fit's

    Returns
    -------
    EffectCurve : at the reference the effect is none and its interval has no width. Intervals are pointwise, not bands.

    Raises
    ------
    InputError : the model has no spline of the variable, or a value is missing or infinite

    Notes
    -----
    Where the variable also stands in an interaction, the curve is that of patients at the reference level (or at zero)
    of the other variable.

    References
    ----------
    Harrell 2015, doi:10.1007/978-3-319-19425-7; Desquilbet and Mariotti 2010, doi:10.1002/sim.3841.
    """
    coding = next((coding for coding in fit.spec.splines if coding.variable == variable), None)
    if coding is None:
        known = ", ".join(coding.variable for coding in fit.spec.splines) or "none"
        raise InputError(f"the model has no spline of '{variable}'; its splines are of: {known}")
    check_level(fit.parameters.level if level is None else level)
    at = coding.reference if reference is None else float(reference)
    grid = np.linspace(*coding.span, POINTS) if values is None else np.atleast_1d(np.asarray(values, dtype=np.float64))
    if coding.knots and not (np.isfinite(grid).all() and np.isfinite(at)):
        raise InputError("a curve needs finite values and a finite reference")
    parameters = fit.parameters if level is None else replace(fit.parameters, level=level)
    rows = _differences(coding, grid, at)
    names = [column.name for column in coding.columns()]
    contrasts = tuple(
        parameters.contrast(
            dict(zip(names, row, strict=True)), measure=measure, scale=scale, term=f"{value:g}", variable=variable,
            reference=f"{at:g}",
        )
        for value, row in zip(grid.tolist(), rows, strict=True)
    )  # fmt: skip
    return EffectCurve(variable=variable, measure=measure, reference=at, values=grid, contrasts=contrasts)


def _differences(coding: SplineCoding, grid: NDArray[np.float64], at: float) -> NDArray[np.float64]:
    """The basis at the values less that at the reference, shape (m, K - 1); nan where there are no knots."""
    if not coding.knots:
        return np.full((len(grid), coding.count - 1), np.nan)
    columns = coding.basis(np.append(grid, at))
    return np.column_stack([column[:-1] - column[-1] for column in columns])
