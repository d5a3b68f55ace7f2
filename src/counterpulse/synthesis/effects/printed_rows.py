"""The printed columns of some studies as arrays, and a ledger of what is wrong with which row."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.effects.problem import Problem

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class PrintedRows:
    """Columns of one length, read once; rows with a problem are marked, and a dropped row stays dropped.

    A single number stands for every row. None, empty text and nan are missing; text that is no number is a problem of
    its row.

    Raises
    ------
    InputError
        Columns of unequal length, of more than one dimension, or no row at all.
    """

    def __init__(self, **columns: ArrayLike | Sequence[object]) -> None:
        vectors = {name: _vector(name, values) for name, values in columns.items()}
        lengths = {len(vector) for vector in vectors.values() if vector.ndim}
        if len(lengths) > 1:
            spelled = ", ".join(f"{name} {len(v)}" for name, v in vectors.items() if v.ndim)
            raise InputError(f"the columns have unequal lengths ({spelled}); give one value a study in each")
        self.k = next(iter(lengths), 1)
        if self.k == 0:
            raise InputError("the columns have no rows; give one study or more")
        self.dropped: Flags = np.zeros(self.k, dtype=bool)
        self._problems: list[Problem] = []
        self._columns: dict[str, Floats] = {}
        for name, vector in vectors.items():
            self._read(name, np.broadcast_to(vector, (self.k,)))

    def __getitem__(self, name: str) -> Floats:
        return self._columns[name]

    def flag(self, rows: Flags, code: str, seen: str, *, drop: bool = True) -> None:
        """Record a problem for each of these rows that still stands."""
        standing = np.asarray(rows, dtype=bool) & ~self.dropped
        self._problems += [Problem(int(i) + 1, code, seen, drop) for i in np.flatnonzero(standing)]
        if drop:
            self.dropped |= standing

    def need_counts(self, *names: str) -> None:
        """Whole numbers of patients, 0 or more."""
        for name in names:
            self.need_not_negative(name)
            self.flag(self[name] != np.floor(self[name]), "not-whole", f"{words(name)} is not a whole number")

    def need_not_negative(self, *names: str) -> None:
        """Numbers that are 0 or more."""
        for name in names:
            self.flag(self[name] < 0, "negative", f"{words(name)} is negative")

    def need_positive(self, *names: str) -> None:
        """Numbers above 0."""
        for name in names:
            self.flag(self[name] <= 0, "not-positive", f"{words(name)} is not above 0")

    def need_patients(self, *names: str, least: int = 1) -> None:
        """Whole numbers of patients, `least` or more."""
        self.need_counts(*names)
        for name in names:
            code = "not-positive" if least == 1 else "too-few"
            self.flag(self[name] < least, code, f"{words(name)} is below {least}")

    def need_events(self, events: str, n: str) -> None:
        """Events among patients: whole, 0 or more, not above the patients."""
        self.need_patients(n)
        self.need_counts(events)
        self.flag(self[events] > self[n], "above-n", f"{words(events)} exceeds {words(n)}")

    def need_within(self, name: str, low: float, high: float) -> None:
        """Numbers strictly between two bounds."""
        outside = (self[name] <= low) | (self[name] >= high)
        self.flag(outside, "out-of-range", f"{words(name)} is not between {low:g} and {high:g}")

    def standing(self, *values: Floats, undefined: str = "undefined") -> tuple[Floats, ...]:
        """The values with nan in dropped rows; a row that is not finite elsewhere is dropped as undefined."""
        finite = np.all([np.isfinite(value) for value in values], axis=0)
        self.flag(~finite, undefined, "the effect or its variance is not finite")
        return tuple(np.where(self.dropped, nan, value) for value in values)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was recorded, row after row."""
        return tuple(sorted(self._problems, key=lambda problem: problem.row))

    def _read(self, name: str, vector: NDArray[np.object_]) -> None:
        numbers, texts = np.full(self.k, nan), np.zeros(self.k, dtype=bool)
        for i, value in enumerate(vector):
            numbers[i], texts[i] = _number(value)
        self.flag(texts, "not-a-number", f"{words(name)} is text that is no number")
        self.flag(np.isnan(numbers) & ~texts, "missing", f"{words(name)} is missing")
        self.flag(np.isinf(numbers), "not-finite", f"{words(name)} is infinite")
        self._columns[name] = np.where(np.isfinite(numbers), numbers, nan)


def words(name: str) -> str:
    """A column's name as a reader reads it."""
    return name.replace("_", " ")


def raw_values(values: ArrayLike) -> Sequence[object]:
    """The values as they were written, one a row; a single value is one row."""
    array = np.asarray(values, dtype=object)
    return [array.item()] if array.ndim == 0 else list(array)


def _vector(name: str, values: ArrayLike | Sequence[object]) -> NDArray[np.object_]:
    array = np.asarray(values, dtype=object)
    if array.ndim > 1:
        raise InputError(f"{name} has {array.ndim} dimensions; give one value a study")
    return array


def _number(value: object) -> tuple[float, bool]:
    """The number, and whether it was text that is none."""
    if value is None:
        return nan, False
    if isinstance(value, str) and not value.strip():
        return nan, False
    if isinstance(value, str) and "_" in value:
        return nan, True
    try:
        return float(value), False  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return nan, True
