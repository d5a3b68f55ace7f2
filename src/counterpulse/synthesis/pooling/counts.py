"""Events and sizes of two arms of every study, read and checked; a study's own effect from its four cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.pooling.given_numbers import numbers, rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Measure = Literal["odds ratio", "risk ratio", "risk difference"]

HALF = 0.5
"""Added to each cell of a study with an empty one."""


@dataclass(frozen=True, slots=True)
class TwoArms:
    """The four cells of every study, each of shape (k,): events and others in arm 1, events and others in arm 2."""

    a: Floats
    b: Floats
    c: Floats
    d: Floats

    @property
    def k(self) -> int:
        """Studies."""
        return len(self.a)

    @property
    def n_1(self) -> Floats:
        """Size of arm 1."""
        return self.a + self.b

    @property
    def n_2(self) -> Floats:
        """Size of arm 2."""
        return self.c + self.d

    @property
    def n(self) -> Floats:
        """Size of the study."""
        return self.n_1 + self.n_2

    @property
    def events(self) -> Floats:
        """Events of the study."""
        return self.a + self.c

    @property
    def informative(self) -> Flags:
        """Studies with an event and a patient without one: the others say nothing of a ratio."""
        informative: Flags = (self.events > 0) & (self.events < self.n)
        return informative

    @property
    def with_empty_cell(self) -> Flags:
        """Studies in which a cell is zero."""
        empty: Flags = (self.a == 0) | (self.b == 0) | (self.c == 0) | (self.d == 0)
        return empty

    def corrected(self) -> TwoArms:
        """Half a patient more in each cell of a study with an empty cell."""
        added = HALF * self.with_empty_cell
        return TwoArms(self.a + added, self.b + added, self.c + added, self.d + added)

    def only(self, studies: Flags) -> TwoArms:
        """Some of the studies."""
        return TwoArms(self.a[studies], self.b[studies], self.c[studies], self.d[studies])

    def effects(self, measure: Measure) -> tuple[Floats, Floats]:
        """Effect of each study, logarithms for ratios, and its variance; no cell may be zero. Shapes (k,)."""
        if measure == "odds ratio":
            return np.log(self.a * self.d / (self.b * self.c)), 1 / self.a + 1 / self.b + 1 / self.c + 1 / self.d
        risk_1, risk_2 = self.a / self.n_1, self.c / self.n_2
        if measure == "risk ratio":
            return np.log(risk_1 / risk_2), (1 - risk_1) / self.a + (1 - risk_2) / self.c
        return risk_1 - risk_2, risk_1 * (1 - risk_1) / self.n_1 + risk_2 * (1 - risk_2) / self.n_2


def read_two_arms(events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike) -> TwoArms:
    """Counts as arrays of one length.

    Raises
    ------
    InputError : no study, unequal lengths, or a row that holds no count, or more events than patients; rows count from 1
    """
    first, size_1, second, size_2 = (
        read_counts(values, name)
        for values, name in ((events_1, "events_1"), (n_1, "n_1"), (events_2, "events_2"), (n_2, "n_2"))
    )
    if len({len(first), len(size_1), len(second), len(size_2)}) > 1:
        raise InputError("events_1, n_1, events_2 and n_2 differ in length; give one number a study in each")
    check_sizes(first, size_1, "1")
    check_sizes(second, size_2, "2")
    return TwoArms(first, size_1 - first, second, size_2 - second)


def read_counts(values: ArrayLike, name: str) -> Floats:
    """One argument as whole numbers, shape (k,).

    Raises
    ------
    InputError : it holds no number, or a row that is negative, not whole, or missing
    """
    counts = np.atleast_1d(numbers(values, name))
    if counts.ndim != 1 or not len(counts):
        raise InputError(f"{name} has the shape {counts.shape}; give a list of counts, one a study")
    whole = np.isfinite(counts)
    whole[whole] = (counts[whole] >= 0) & (counts[whole] == np.floor(counts[whole]))
    if not whole.all():
        raise InputError(f"{name} is no whole number of 0 or more in {rows(~whole)}; correct the count or leave it out")
    return counts


def check_sizes(events: Floats, n: Floats, arm: str) -> None:
    """Refuse an arm without patients, or with more events than patients.

    Raises
    ------
    InputError : names the rows, counted from 1
    """
    suffix = f"_{arm}" if arm else ""
    if (n == 0).any():
        raise InputError(f"n{suffix} is zero in {rows(n == 0)}; leave out a study without patients in an arm")
    if (events > n).any():
        raise InputError(f"events{suffix} is more than n{suffix} in {rows(events > n)}; look for exchanged columns")
