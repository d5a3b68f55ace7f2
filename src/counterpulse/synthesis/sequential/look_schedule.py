"""After which studies a growing meta-analysis was looked at, and what the looks cost in participants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.group_sequential import Boundaries
from counterpulse.synthesis.pooling.study_input import read_positive

Floats = NDArray[np.float64]

AGAIN = 1e-9
"""Relative change of the inflation at which it stands."""

ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Schedule:
    """Looks and the information at them.

    Attributes
    ----------
    taken : studies after which there was a look, from 0
    fractions : of the information these looks require, after every study, (k,)
    inflation : information these looks require over that of one look
    test : boundaries at the looks taken, and at full information where it was not reached
    reached : whether the last look has all the information
    """

    taken: tuple[int, ...]
    fractions: Floats
    inflation: float
    test: Boundaries
    reached: bool


def schedule(
    gathered: Floats,
    required: float,
    *,
    looks: Sequence[int] | None,
    smallest_step: float,
    test: Callable[[Sequence[float]], Boundaries],
) -> Schedule:
    """Find the looks and the inflation that belong together.

    Parameters
    ----------
    gathered : participants after each study, (k,)
    required : participants that one look needs
    looks : studies counted from 1; None for all that bring the smallest step
    test : the boundaries at given fractions

    Notes
    -----
    The fractions are of the inflated requirement, which depends on the fractions: repeated until it stands.
    """
    wanted = _wanted(looks, len(gathered))
    inflation = 1.0
    for _ in range(ROUNDS):
        fractions = gathered / (required * inflation)
        taken = _taken(fractions, wanted, smallest_step if looks is None else 0.0)
        found = test([*(float(fractions[row]) for row in taken if fractions[row] < 1), 1.0])
        before, inflation = inflation, found.inflation
        if abs(inflation - before) <= AGAIN * inflation:
            break
    reached = bool(taken) and float(fractions[taken[-1]]) >= 1
    if reached and fractions[taken[-1]] > 1:
        found = test([float(fractions[row]) for row in taken])
    return Schedule(taken, fractions, inflation, found, reached)


def participants_so_far(participants: ArrayLike, k: int) -> Floats:
    """Participants after each study, (k,).

    Raises
    ------
    InputError : another number of values than studies, or values that are not above zero
    """
    return read_positive(participants, "participants", k).cumsum()


def _wanted(looks: Sequence[int] | None, k: int) -> frozenset[int]:
    if looks is None:
        return frozenset(range(k))
    if not all(isinstance(look, (int, np.integer)) and 1 <= look <= k for look in looks):
        raise InputError(f"'looks' holds numbers of studies from 1 to {k}, in the order they came")
    return frozenset(int(look) - 1 for look in looks)


def _taken(fractions: Floats, wanted: frozenset[int], step: float) -> tuple[int, ...]:
    """Looks far enough from the one before; the first that has all the information is the last."""
    taken: list[int] = []
    last = 0.0
    for row, fraction in enumerate(fractions.tolist()):
        if row in wanted and (fraction - last >= step or fraction >= 1):
            taken.append(row)
            last = fraction
        if taken and last >= 1:
            break
    return tuple(taken)
