"""What the methods of this room accept, checked once, and what a result says of few studies."""

from __future__ import annotations

from numpy.typing import ArrayLike

from counterpulse.synthesis.pooling.counts import TwoArms, read_two_arms
from counterpulse.synthesis.pooling.given_numbers import rows

FEWEST = 3
"""Studies that a line with a residual needs."""

FEW = 10
"""Below, a test for asymmetry does not distinguish chance from asymmetry (Sterne 2011, doi:10.1136/bmj.d4002)."""

FEW_NOTE = "fewer than 10 studies: tests for asymmetry have little power (Sterne 2011, doi:10.1136/bmj.d4002)"
TOO_FEW_NOTE = "fewer than 3 studies: small-study effects cannot be looked at"


def read_informative(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> tuple[TwoArms, tuple[str, ...]]:
    """Two-by-two tables without the studies that say nothing of a ratio, and a note that names those.

    Raises
    ------
    InputError : as `read_two_arms`
    """
    tables = read_two_arms(events_1, n_1, events_2, n_2)
    if tables.informative.all():
        return tables, ()
    note = f"left out, because nobody or everybody had the event: {rows(~tables.informative)}"
    return tables.only(tables.informative), (note,)


def power_notes(k: int) -> tuple[str, ...]:
    """What a test says of its number of studies."""
    if k < FEWEST:
        return (TOO_FEW_NOTE,)
    return (FEW_NOTE,) if k < FEW else ()
