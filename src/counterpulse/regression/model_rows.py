"""From a table to the rows and the matrix a regression works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import DesignColumn, DesignSpec, build_design, complete_rows, learn
from counterpulse.data.terms import Interaction, Term, variables_of
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import (
    center_and_scale,
    independent_columns,
    solve_symmetric,
    spread_rows,
    weighted_gram,
)
from counterpulse.results.status import Status

Floats = NDArray[np.float64]

TELLING_ROWS = 50_000
"""Rows by which the columns of a longer table are centered, scaled and found independent."""
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table that a model uses, before any coding.

    Attributes
    ----------
    height : rows of the table
    used : indices of the complete rows of positive weight, shape (n,)
    n_missing : rows left out for a missing value
    weights : shape (n,), or None
    cluster : codes 0, 1, …, shape (n,), or None
    clusters : how many clusters, or None
    """

    height: int
    used: Codes = field(repr=False)
    n_missing: int
    weights: Floats | None = field(repr=False)
    cluster: Codes | None = field(repr=False)
    clusters: int | None

    @property
    def n(self) -> int:
        """How many rows."""
        return len(self.used)

    @property
    def whole_weights(self) -> bool:
        """Whether every weight is a whole number, so that it counts patients."""
        return self.weights is None or bool((self.weights == np.floor(self.weights)).all())

    def column(self, table: pl.DataFrame, name: str) -> pl.Series:
        """Pick a column of the table in the rows used."""
        return table[name] if self.n == self.height else table[name].gather(self.used)


def read_rows(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    weights: str | ArrayLike | None,
    cluster: str | ArrayLike | None,
) -> Rows:
    """Find the rows that have every value the model needs."""
    named = [column for column in (weights, cluster) if isinstance(column, str)]
    complete = complete_rows(table, [outcome, *(name for term in terms for name in variables_of(term)), *named])
    weight_values = None if weights is None else _weight_values(table, weights)
    labels = None if cluster is None else _labels(table, cluster)
    if weight_values is not None:
        complete &= ~np.isnan(weight_values)
    if labels is not None:
        complete &= labels.is_not_null().to_numpy()
    n_missing = table.height - int(complete.sum())
    if weight_values is not None:
        if not np.isfinite(weight_values[complete]).all() or (weight_values[complete] < 0).any():
            raise InputError("a weight is negative or infinite; weights are numbers at or above zero")
        complete &= ~(weight_values == 0)
    used = np.flatnonzero(complete)
    codes, count = (None, None) if labels is None else _codes(labels.gather(used))
    return Rows(table.height, used, n_missing, None if weight_values is None else weight_values[used], codes, count)


def _weight_values(table: pl.DataFrame, weights: str | ArrayLike) -> Floats:
    if isinstance(weights, str):
        column = table[weights]
        if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
            raise InputError(f"the weights '{weights}' are {column.dtype}; weights are numbers")
        return column.cast(pl.Float64).to_numpy()
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (table.height,):
        raise InputError(f"there are {values.size} weights for {table.height} rows; give one a row")
    return values


def _labels(table: pl.DataFrame, cluster: str | ArrayLike) -> pl.Series:
    labels = table[cluster] if isinstance(cluster, str) else pl.Series("cluster", np.asarray(cluster))
    if len(labels) != table.height:
        raise InputError(f"there are {len(labels)} cluster labels for {table.height} rows; give one a row")
    return labels.fill_nan(None) if labels.dtype.is_float() else labels


def _codes(labels: pl.Series) -> tuple[Codes, int]:
    """Code the clusters 0, 1, … in the order of their labels; codes (n,) and how many."""
    codes = labels.rank("dense").cast(pl.Int64).to_numpy() - 1
    return codes.astype(np.intp, copy=False), int(codes.max(initial=-1)) + 1


@dataclass(frozen=True, slots=True)
class Scaling:
    """What was done to the columns of a matrix, and how coefficients come back.

    Attributes
    ----------
    spec : the coding of the terms
    active : positions of the columns that the fit uses, ascending; shape (k,); 0 is the intercept
    center, scale : of the active columns, shape (k,); 0 and 1 for the intercept
    """

    spec: DesignSpec
    active: Codes
    center: Floats
    scale: Floats

    def matrix(self, table: pl.DataFrame, rows: Codes | None = None) -> Floats:
        """Make the active columns of any complete rows, centered and scaled as in the fit; shape (n, k), column-major."""
        X = self.spec.matrix(table, rows)
        for k, j in enumerate(self.active):
            np.subtract(X[:, j], self.center[k], out=X[:, k])
            X[:, k] /= self.scale[k]
        return X[:, : len(self.active)]

    def columns(self, kept: Codes) -> Scaling:
        """Keep some of the active columns, by their position among them."""
        return Scaling(self.spec, self.active[kept], self.center[kept], self.scale[kept])

    def to_original(self) -> Floats:
        """Make the matrix T of shape (k, k): coefficients in the table's units are ``T @ scaled``."""
        T = np.diag(1 / self.scale)
        T[0, 1:] = -self.center[1:] / self.scale[1:]
        return T


@dataclass(frozen=True, slots=True)
class ScaledDesign:
    """The active columns of the model matrix, centered and scaled.

    Attributes
    ----------
    X : column-major, shape (n, k); the intercept first
    scaling : how X was made
    statuses : one for every column of the spec, p of them
    depends_on : for a column left out as dependent, the columns it is a combination of
    """

    X: Floats
    scaling: Scaling
    statuses: tuple[Status, ...]
    depends_on: dict[str, tuple[str, ...]]

    @property
    def status(self) -> Status:
        """Whether the model can be fitted at all: not where a spline has no knots."""
        return Status.FEW_VALUES if self.scaling.spec.without_knots else Status.OK


def scaled_design(table: pl.DataFrame, rows: Rows, terms: Sequence[Term]) -> ScaledDesign:
    """Code the terms, center and scale the columns, and leave out constant and dependent ones."""
    design = build_design(table, terms, intercept=True, rows=rows.used)
    X, columns = design.X, design.columns
    center, scale, independent = _center_and_scale(X)
    for column, middle in zip(columns, center, strict=True):
        if not np.isfinite(middle):
            raise InputError(f"column '{column.variable}' has an infinite value; make it missing or correct it")
    gram = None if independent.all() else weighted_gram(X)
    if gram is not None:
        independent = independent_columns(gram)
    statuses = tuple(
        Status.OK if good else Status.CONSTANT if width == 0 else Status.RANK_DEFICIENT
        for good, width in zip(independent, scale, strict=True)
    )
    active = np.flatnonzero(independent)
    for k, j in enumerate(active):
        if k != j:
            X[:, k] = X[:, j]
    if design.spec.without_knots:
        statuses = (Status.FEW_VALUES,) * len(columns)
    scaling = Scaling(design.spec, active, center[active], scale[active])
    depends_on = {} if gram is None else _dependencies(gram, columns, active, statuses)
    return ScaledDesign(X[:, : len(active)], scaling, statuses, depends_on)


def _center_and_scale(X: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Center and scale the columns in place, by what every so many rows of a long table tell.

    Any center near the mean and any scale near the spread serve. Columns independent in a part are independent; a
    part in which one is constant or dependent is not believed.

    Returns
    -------
    center, scale : shape (p,); 0 and 1 for the intercept; scale 0 marks a column of one value
    independent : which columns are surely independent, shape (p,)
    """
    step = max(1, len(X) // TELLING_ROWS)
    part = X if step == 1 else np.asfortranarray(X[spread_rows(len(X), step)])
    center, scale = (
        np.append(first, rest) for first, rest in zip((0.0, 1.0), center_and_scale(part[:, 1:]), strict=True)
    )
    if step > 1:
        for j in range(1, X.shape[1]):
            if scale[j] == 0 or not np.isfinite(center[j]):
                center[j : j + 1], scale[j : j + 1] = center_and_scale(X[:, j : j + 1])
                continue
            X[:, j] -= center[j]
            X[:, j] *= 1 / scale[j]
            center[j] = center[j] if np.isfinite(X[:, j].sum()) else np.nan
    if not np.isfinite(center).all():
        return center, scale, np.zeros(len(center), dtype=bool)
    return center, scale, independent_columns(weighted_gram(part))


def _dependencies(
    gram: Floats, columns: tuple[DesignColumn, ...], active: Codes, statuses: tuple[Status, ...]
) -> dict[str, tuple[str, ...]]:
    """Name, for every dependent column, the active columns that make it up."""
    found = {}
    for j, status in enumerate(statuses):
        if status is Status.RANK_DEFICIENT:
            before = active[active < j]
            parts = solve_symmetric(gram[np.ix_(before, before)], gram[before, j])
            size = np.abs(parts) * np.sqrt(np.diag(gram)[before] / gram[j, j])
            found[columns[j].name] = tuple(columns[k].name for k, part in zip(before, size, strict=True) if part > 1e-5)
    return found


def spec_of_no_rows(table: pl.DataFrame, terms: Sequence[Term]) -> DesignSpec:
    """Name the columns a model would have had, had any row been complete."""
    return learn(table, terms, intercept=True, rows=np.arange(table.height))


def single_level_terms(terms: Sequence[Term], spec: DesignSpec) -> tuple[str, ...]:
    """Find the categorical terms that have one level in the rows used, and so no column."""
    coded = {column.variable for column in spec.columns}
    names = (variables_of(term)[0] for term in terms if not isinstance(term, Interaction))
    return tuple(name for name in names if name not in coded)


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < level < 1:
        raise InputError(f"the level {level} is not between 0 and 1; 0.95 is usual")
