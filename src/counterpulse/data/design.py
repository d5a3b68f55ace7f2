"""Terms and a table become a matrix, and the coding that made it can be applied to new rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.spline_basis import check_knots, harrell_knots, natural_spline
from counterpulse.data.terms import Categorical, Interaction, Numeric, Spline, Term, variables_of
from counterpulse.errors import InputError

INTERCEPT = "(intercept)"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DesignColumn:
    """One column of the matrix: `term` is the level for a categorical variable, else the variable's name."""

    name: str
    variable: str
    term: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class _NumericCoding:
    variable: str
    per: float
    log: bool

    def columns(self) -> tuple[DesignColumn, ...]:
        return (DesignColumn(self.variable, self.variable, self.variable),)

    def values(self, frame: pl.DataFrame) -> Iterator[Floats]:
        column = frame[self.variable].cast(pl.Float64).to_numpy()
        if self.log:
            if np.any(column <= 0):
                raise InputError(
                    f"'{self.variable}' has values at or below zero, which have no logarithm; use it without log, or derive "
                    "a variable that is positive"
                )
            column = np.log(column)
        yield column if self.per == 1.0 else column / self.per


@dataclass(frozen=True, slots=True)
class SplineCoding:
    """A natural cubic spline with its learned knots.

    Attributes
    ----------
    knots : ascending; () where the rows have fewer distinct values than `count`, and no column has a value
    reference : the value that effects are read against: as given, else the median of the rows used
    span : from where to where a curve is drawn: as given, else the 1st and 99th percentile of the rows used
    """

    variable: str
    count: int
    knots: tuple[float, ...]
    reference: float
    span: tuple[float, float]

    def columns(self) -> tuple[DesignColumn, ...]:
        """The linear column by the name of the variable, then a prime more for each nonlinear one."""
        names = (f"{self.variable}{chr(39) * order}" for order in range(self.count - 1))
        return tuple(DesignColumn(name, self.variable, name) for name in names)

    def values(self, frame: pl.DataFrame) -> Iterator[Floats]:
        """The columns in the rows of a table."""
        yield from self.basis(frame[self.variable].cast(pl.Float64).to_numpy())

    def basis(self, values: Floats) -> Iterator[Floats]:
        """The columns at any values of the variable; zero where there are no knots."""
        if self.knots:
            yield from natural_spline(values, self.knots)
        else:
            yield from (np.zeros(len(values)) for _ in range(self.count - 1))


@dataclass(frozen=True, slots=True)
class _LevelCoding:
    variable: str
    reference: str
    levels: tuple[str, ...]

    def columns(self) -> tuple[DesignColumn, ...]:
        return tuple(
            DesignColumn(f"{self.variable}={level}", self.variable, level, self.reference) for level in self.levels
        )

    def values(self, frame: pl.DataFrame) -> Iterator[Floats]:
        column = frame[self.variable]
        text = column if column.dtype in (pl.String, pl.Categorical) or isinstance(column.dtype, pl.Enum) else None
        text = level_text(column) if text is None else text
        for level in self.levels:
            yield (text == level).cast(pl.Float64).to_numpy()


@dataclass(frozen=True, slots=True)
class _ProductCoding:
    left: _NumericCoding | SplineCoding | _LevelCoding
    right: _NumericCoding | SplineCoding | _LevelCoding

    def columns(self) -> tuple[DesignColumn, ...]:
        return tuple(
            DesignColumn(f"{a.name}:{b.name}", f"{a.variable}:{b.variable}", f"{a.term}:{b.term}")
            for a in self.left.columns()
            for b in self.right.columns()
        )

    def values(self, frame: pl.DataFrame) -> Iterator[Floats]:
        right = list(self.right.values(frame))
        for a in self.left.values(frame):
            for b in right:
                yield a * b


Coding = _NumericCoding | SplineCoding | _LevelCoding | _ProductCoding


@dataclass(frozen=True, slots=True)
class DesignSpec:
    """The coding with its learned levels: a matrix can be made from any rows that have no missing value."""

    codings: tuple[Coding, ...]
    intercept: bool

    @property
    def columns(self) -> tuple[DesignColumn, ...]:
        """The columns of the matrix in order; the intercept, if any, is the first."""
        head = (DesignColumn(INTERCEPT, INTERCEPT, INTERCEPT),) if self.intercept else ()
        return head + tuple(column for coding in self.codings for column in coding.columns())

    @property
    def splines(self) -> tuple[SplineCoding, ...]:
        """The splines that stand as terms of their own."""
        return tuple(coding for coding in self.codings if isinstance(coding, SplineCoding))

    @property
    def without_knots(self) -> tuple[str, ...]:
        """The variables whose splines have no knots, because the rows have fewer distinct values: nothing can be fitted."""
        sides = (side for coding in self.codings for side in _sides(coding))
        return tuple(dict.fromkeys(c.variable for c in sides if isinstance(c, SplineCoding) and not c.knots))

    def columns_of(self, variable: str, *, nonlinear: bool = False) -> tuple[str, ...]:
        """The names of the columns that `variable` takes part in, interactions included, or of its nonlinear ones."""
        found: list[str] = []
        for coding in self.codings:
            own = [_own_columns(side, variable, nonlinear) for side in _sides(coding)]
            if isinstance(coding, _ProductCoding):
                pairs = ((a, b) for a in coding.left.columns() for b in coding.right.columns())
                found += [f"{a.name}:{b.name}" for a, b in pairs if a.name in own[0] or b.name in own[1]]
            else:
                found += own[0]
        return tuple(found)

    def matrix(self, frame: pl.DataFrame, rows: NDArray[np.intp] | None = None) -> Floats:
        """Rows of `frame` as a column-major matrix of shape (n, p); `rows` picks and orders them."""
        n = frame.height if rows is None else len(rows)
        X = np.empty((n, len(self.columns)), order="F")
        j = 0
        if self.intercept:
            X[:, 0], j = 1.0, 1
        for coding in self.codings:
            for values in coding.values(frame):
                if rows is None:
                    X[:, j] = values
                else:
                    np.take(values, rows, out=X[:, j], mode="clip")
                j += 1
        return X


def _sides(coding: Coding) -> tuple[_NumericCoding | SplineCoding | _LevelCoding, ...]:
    return (coding.left, coding.right) if isinstance(coding, _ProductCoding) else (coding,)


def _own_columns(coding: Coding, variable: str, nonlinear: bool) -> list[str]:
    names = [column.name for column in coding.columns() if column.variable == variable]
    if not nonlinear:
        return names
    return names[1:] if isinstance(coding, SplineCoding) else []


@dataclass(frozen=True, slots=True)
class Design:
    """A model matrix.

    Attributes
    ----------
    X : column-major float64, shape (n, p)
    columns : what each column of X is
    rows_used : indices into the table, shape (n,), in the order of the rows of X
    spec : the coding, to be applied to new rows
    """

    X: Floats
    columns: tuple[DesignColumn, ...]
    rows_used: NDArray[np.intp]
    spec: DesignSpec


def is_categorical(column: pl.Series) -> bool:
    """Whether a column is coded by its levels when named plainly."""
    return column.dtype in (pl.String, pl.Categorical) or isinstance(column.dtype, pl.Enum)


def level_text(column: pl.Series) -> pl.Series:
    """The levels of any column as text, each by itself; a whole number has no decimal point."""
    if column.dtype.is_float():
        values = column.fill_nan(None)
        whole = values == values.floor()
        return values.cast(pl.String).zip_with(
            ~whole.fill_null(False), values.cast(pl.Int64, strict=False).cast(pl.String)
        )
    if column.dtype == pl.Boolean:
        return column.replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
    return column.cast(pl.String)


def levels_in_order(column: pl.Series) -> list[str]:
    """The levels that occur: an enum in its own order, numbers by size, everything else sorted."""
    if isinstance(column.dtype, pl.Enum):
        present = set(column.drop_nulls().cast(pl.String).unique())
        return [level for level in column.dtype.categories if level in present]
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return level_text(
            column.fill_nan(None).drop_nulls().unique().sort()
            if column.dtype.is_float()
            else column.drop_nulls().unique().sort()
        ).to_list()
    return sorted(column.drop_nulls().cast(pl.String).unique())


def complete_rows(frame: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows have a value (neither null nor NaN) in every named column; shape (n,)."""
    names = list(dict.fromkeys(columns))
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise InputError(f"the table has no column {', '.join(map(repr, absent))}")
    complete = np.ones(frame.height, dtype=bool)
    for name in names:
        column = frame[name]
        if column.null_count():
            complete &= column.is_not_null().to_numpy()
        if column.dtype.is_float() and column.is_nan().any():
            complete &= ~column.is_nan().fill_null(True).to_numpy()
    return complete


def learn(frame: pl.DataFrame, terms: Sequence[Term], *, intercept: bool, rows: NDArray[np.intp]) -> DesignSpec:
    """The coding of `terms`, with the levels that occur in `rows`."""
    return DesignSpec(tuple(_coding(frame, term, rows) for term in terms), intercept)


def build_design(
    frame: pl.DataFrame, terms: Sequence[Term], *, intercept: bool, rows: NDArray[np.intp] | None = None
) -> Design:
    """The model matrix of `terms`.

    Parameters
    ----------
    frame : the table
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`
    intercept : whether the first column is 1
    rows : indices of the rows to use, in the wanted order; they must be complete. Default: the complete rows.

    Raises
    ------
    InputError : a term names no column, or a column that cannot be coded
    """
    if rows is None:
        rows = np.flatnonzero(complete_rows(frame, [name for term in terms for name in variables_of(term)]))
    spec = learn(frame, terms, intercept=intercept, rows=rows)
    picked = None if len(rows) == frame.height and np.array_equal(rows, np.arange(frame.height)) else rows
    return Design(spec.matrix(frame, picked), spec.columns, rows, spec)


def _coding(frame: pl.DataFrame, term: Term, rows: NDArray[np.intp]) -> Coding:
    if isinstance(term, Interaction):
        left, right = _coding(frame, term.left, rows), _coding(frame, term.right, rows)
        if isinstance(left, _ProductCoding) or isinstance(right, _ProductCoding):
            raise InputError("an interaction has two sides, neither of them an interaction")
        return _ProductCoding(left, right)
    name = variables_of(term)[0]
    if name not in frame.columns:
        raise InputError(f"the table has no column '{name}'")
    column = frame[name]
    if isinstance(term, Numeric | Spline) or (isinstance(term, str) and not is_categorical(column)):
        if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
            raise InputError(f"column '{name}' is {column.dtype}; a model term is a number, a yes/no or a category")
        if isinstance(term, Spline):
            return spline_coding(column if len(rows) == frame.height else column.gather(rows), term)
        spec = term if isinstance(term, Numeric) else Numeric(name)
        return _NumericCoding(name, spec.per, spec.log)
    levels = levels_in_order(column if len(rows) == frame.height else column.gather(rows))
    wanted = term.reference if isinstance(term, Categorical) else None
    if wanted is not None and wanted not in levels and wanted not in levels_in_order(column):
        raise InputError(f"'{wanted}' is not a level of '{name}'; the levels are {', '.join(levels)}")
    reference = wanted if wanted is not None and wanted in levels else (levels[0] if levels else "")
    return _LevelCoding(name, reference, tuple(level for level in levels if level != reference))


def spline_coding(column: pl.Series, term: Spline) -> SplineCoding:
    """The coding with knots at the quantiles of these rows, or where they are asked for."""
    check_knots(term.variable, term.knots)
    values = column.cast(pl.Float64).fill_nan(None).drop_nulls().to_numpy()
    if isinstance(term.knots, int):
        count, knots = term.knots, harrell_knots(values, term.knots)
    else:
        count = len(term.knots)
        knots = tuple(map(float, term.knots)) if len(np.unique(values)) >= count else ()
    low, middle, high = np.quantile(values, (0.01, 0.5, 0.99)).tolist() if len(values) else (np.nan,) * 3
    reference = middle if term.reference is None else float(term.reference)
    return SplineCoding(term.variable, count, knots, reference, term.span or (low, high))
