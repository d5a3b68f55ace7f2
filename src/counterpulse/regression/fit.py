"""What every fitted regression holds, whatever its likelihood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import (
    INTERCEPT,
    Coding,
    DesignColumn,
    DesignSpec,
    _ProductCoding,
    complete_rows,
    level_text,
)
from counterpulse.errors import InputError
from counterpulse.regression.cluster_variance import ClusterVariance
from counterpulse.regression.model_rows import Rows, Scaling
from counterpulse.results.coefficients import Coefficients, SmallSample, WaldTest
from counterpulse.results.estimate import Estimate, Scale
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScaledFit:
    """A fit in the centered and scaled columns it was computed in: predictions from here lose no digits.

    Attributes
    ----------
    scaling : how the columns are made from a table
    coefficients : shape (k,)
    bread : inverse information (or inverse of X'WX), shape (k, k)
    covariance : the one used for intervals, shape (k, k)
    model_covariance : the model-based one, shape (k, k)
    small_sample : degrees of freedom by contrast of the scaled coefficients, or None
    uncertainty : why there is no standard error, or OK
    """

    scaling: Scaling
    coefficients: Floats
    bread: Floats
    covariance: Floats
    model_covariance: Floats
    small_sample: SmallSample | None = None
    uncertainty: Status = Status.OK

    def linear_predictor(self, table: pl.DataFrame) -> Floats:
        """Linear predictor of every row of a table, nan where a covariate is missing; shape (n,)."""
        self._check_levels(table)
        complete = np.flatnonzero(complete_rows(table, self.variables()))
        out = np.full(table.height, np.nan)
        out[complete] = self.scaling.matrix(table, complete) @ self.coefficients
        return out

    def variables(self) -> list[str]:
        """Name the columns of a table that the model reads."""
        return list(dict.fromkeys(name for coding in self.scaling.spec.codings for name in _variables_read(coding)))

    def _check_levels(self, table: pl.DataFrame) -> None:
        for variable, known in self.levels().items():
            if not set(level_text(table[variable]).drop_nulls().unique()) <= known:
                raise InputError(
                    f"column '{variable}' has a level the model was not fitted with; it knows {', '.join(sorted(known))}"
                )

    def levels(self) -> dict[str, set[str]]:
        """List the levels of every categorical variable, the reference included."""
        return levels_of(self.scaling.spec)


def levels_of(spec: DesignSpec) -> dict[str, set[str]]:
    """List the levels of every categorical variable that a coding knows, the reference included."""
    known: dict[str, set[str]] = {}
    for column in spec.columns:
        if column.reference is not None:
            known.setdefault(column.variable, {column.reference}).add(column.term)
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionFit:
    """What every fitted regression holds.

    Attributes
    ----------
    parameters : coefficients in the table's units, the intercept first, with the covariance used for intervals
    outcome : its column
    rows : the rows used, with weights and clusters
    robust : whether the covariance is the sandwich
    cluster_variance : of a robust covariance by cluster; None where there is none, or too few clusters
    provenance : the choices made and the works they rest on
    status : of the fit as a whole; each coefficient has its own in `parameters.statuses`
    spec : the coding of the terms, to be applied to new rows
    model_covariance : the model-based covariance, shape (p, p)
    depends_on : for each coefficient left out as dependent, the columns it is a combination of
    single_level : terms without a coefficient because they have one level in the rows used
    scaled : the fit in centered and scaled columns, or None where nothing was fitted
    """

    parameters: Coefficients
    outcome: str
    rows: Rows
    robust: bool
    provenance: Provenance
    cluster_variance: ClusterVariance | None = None
    status: Status = Status.OK
    spec: DesignSpec = field(default_factory=lambda: DesignSpec((), True))
    model_covariance: Floats = field(default_factory=lambda: np.empty((0, 0)))
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    single_level: tuple[str, ...] = ()
    scaled: ScaledFit | None = None

    @property
    def n(self) -> int:
        """Rows used."""
        return self.rows.n

    @property
    def n_missing(self) -> int:
        """Rows left out for a missing value."""
        return self.rows.n_missing

    @property
    def rows_used(self) -> NDArray[np.intp]:
        """Positions of the rows used in the table, shape (n,)."""
        return self.rows.used

    @property
    def clusters(self) -> int | None:
        """How many clusters, or None."""
        return self.rows.clusters

    @property
    def coefficients(self) -> Floats:
        """Coefficients on the scale they were estimated on, shape (p,); nan where the status is not OK."""
        return self.parameters.values

    @property
    def covariance(self) -> Floats:
        """The covariance used for intervals, shape (p, p)."""
        return self.parameters.covariance

    @property
    def columns(self) -> tuple[DesignColumn, ...]:
        """What each coefficient belongs to."""
        return self.spec.columns

    @property
    def level(self) -> float:
        """The level of the intervals."""
        return self.parameters.level

    @property
    def converged(self) -> bool:
        """Whether the fit has a maximum for every coefficient that can have one."""
        return self.status in (Status.OK, Status.SEPARATION)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of the columns left out as constant or dependent."""
        statuses = zip(self.columns, self.parameters.statuses, strict=True)
        return tuple(column.name for column, status in statuses if status in (Status.CONSTANT, Status.RANK_DEFICIENT))

    def unfitted(self, spec: DesignSpec, status: Status) -> Self:
        """Say of every coefficient of `spec` why there is none."""
        return replace(self, parameters=no_parameters(spec.columns, status, self.level), spec=spec, status=status)

    def wald_test(self, names: Iterable[str]) -> WaldTest:
        """Test jointly that the named coefficients are zero, with the covariance of the fit."""
        return self.parameters.wald(list(names))

    def estimates_of(self, measure: str, scale: Scale, intercept: str) -> tuple[Estimate, ...]:
        """Every coefficient as an estimate of `measure`, and a status for every term without a coefficient."""
        rows = [
            self.parameters.estimate(j, measure=intercept, scale="identity")
            if column.name == INTERCEPT
            else self.parameters.estimate(j, measure=measure, scale=scale)
            for j, column in enumerate(self.columns)
        ]
        rows += [
            Estimate(term=name, variable=name, measure=measure, scale=scale, value=np.nan, status=Status.CONSTANT)
            for name in self.single_level
        ]
        return tuple(rows)


def full_parameters(
    scaled: ScaledFit, statuses: tuple[Status, ...], level: float, df: float | None
) -> tuple[Coefficients, Floats]:
    """Bring coefficients to the table's units, with nan for those left out; also the model-based covariance (p, p)."""
    p = len(statuses)
    transform, active = scaled.scaling.to_original(), scaled.scaling.active
    values = np.full(p, np.nan)
    values[active] = transform @ scaled.coefficients
    covariance, model_covariance = (
        _spread(transform @ inner @ transform.T, active, p) for inner in (scaled.covariance, scaled.model_covariance)
    )
    failed = [j for j, status in enumerate(statuses) if status is not Status.OK]
    values[failed] = np.nan
    for matrix in (covariance, model_covariance):
        matrix[failed, :] = np.nan
        matrix[:, failed] = np.nan
    columns = scaled.scaling.spec.columns
    small = scaled.small_sample
    return (
        Coefficients(
            columns=columns, values=values, covariance=covariance, statuses=statuses, level=level, df=df,
            small_sample=None if small is None else Rescaled(small, active, transform), uncertainty=scaled.uncertainty,
        ),
        model_covariance,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rescaled:
    """Degrees of freedom for contrasts of coefficients in the table's units."""

    inner: SmallSample
    active: NDArray[np.intp]
    transform: Floats

    def df(self, contrast: Floats) -> float:
        """Of a linear combination of the p coefficients."""
        return self.inner.df(contrast[self.active] @ self.transform)

    def joint(self, contrasts: Floats) -> tuple[float, float]:
        """Of several."""
        return self.inner.joint(contrasts[:, self.active] @ self.transform)


def _spread(inner: Floats, active: NDArray[np.intp], p: int) -> Floats:
    out = np.full((p, p), np.nan)
    out[np.ix_(active, active)] = (inner + inner.T) / 2
    return out


def no_parameters(columns: tuple[DesignColumn, ...], status: Status, level: float) -> Coefficients:
    """Coefficients of a model that could not be fitted, all with one status."""
    p = len(columns)
    return Coefficients(
        columns=columns, values=np.full(p, np.nan), covariance=np.full((p, p), np.nan), statuses=(status,) * p,
        level=level,
    )  # fmt: skip


def _variables_read(coding: Coding) -> tuple[str, ...]:
    if isinstance(coding, _ProductCoding):
        return (*_variables_read(coding.left), *_variables_read(coding.right))
    return (coding.variable,)
