"""Predictive mean matching: a missing value is taken from one of the nearest patients with a value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = NDArray[np.intp]

DONORS = 5
RESOLUTION = 1e-9
"""Predictions nearer than this part of their standard deviation are tied: rounding must not decide between donors."""


def match_donors(observed: Floats, missing: Floats, *, donors: int, random: np.random.Generator) -> Index:
    """Choose a donor for every row without a value.

    A row's donors are the `donors` rows with a value whose prediction is nearest. Where several are equally far, they
    are taken at random for each row by itself: two rows with one prediction may have different donors. One of the
    donors is then drawn.

    Parameters
    ----------
    observed : predictions of the rows with a value, shape (n,)
    missing : predictions of the rows without, shape (k,)

    Returns
    -------
    positions in `observed`, shape (k,)

    References
    ----------
    Little 1988, doi:10.1080/07350015.1988.10509663; Morris, White and Royston 2014, doi:10.1186/1471-2288-14-75.
    """
    donors = min(donors, len(observed))
    known, wanted = on_grid(observed, missing)
    order = np.argsort(known, kind="stable")
    ranked = known[order]
    place = np.searchsorted(ranked, wanted)
    window = place[:, None] + np.arange(-donors, donors)[None, :]
    inside = (window >= 0) & (window < len(ranked))
    distance = np.abs(ranked[window.clip(0, len(ranked) - 1)] - wanted[:, None])
    distance = np.where(inside, distance, np.inf)
    farthest = np.partition(distance, donors - 1, axis=1)[:, donors - 1]
    nearer = distance < farthest[:, None]
    first = place - nearer[:, :donors].sum(axis=1)
    last = place + nearer[:, donors:].sum(axis=1)
    chosen = _one_of_the_donors(ranked, wanted, first, last, farthest, donors, random)
    found: Index = order[chosen]
    return found


def on_grid(observed: Floats, missing: Floats) -> tuple[Floats, Floats]:
    """Express predictions as whole multiples of the resolution, on which differences are exact."""
    step = RESOLUTION * float(observed.std())
    if not step > 0:
        return np.zeros(len(observed)), np.zeros(len(missing))
    return np.round((observed - observed[0]) / step), np.round((missing - observed[0]) / step)


def _one_of_the_donors(
    ranked: Floats,
    wanted: Floats,
    first: Index,
    last: Index,
    farthest: Floats,
    donors: int,
    random: np.random.Generator,
) -> Index:
    """Draw among the rows nearer than the farthest donor, ``first:last``, and those exactly as far.

    Taking as many of the equally far as there is room for, and then one donor of all, is the same as this.
    """
    which = (random.random(len(wanted)) * donors).astype(np.intp)
    share = random.random(len(wanted))
    highest = len(ranked) - 1
    left, right = (first - 1).clip(0), last.clip(max=highest)
    left_tied = (first > 0) & (wanted - ranked[left] == farthest)
    right_tied = (last <= highest) & (ranked[right] - wanted == farthest)
    begin = np.where(left_tied, np.searchsorted(ranked, ranked[left], side="left"), first)
    end = np.where(right_tied, np.searchsorted(ranked, ranked[right], side="right"), last)
    on_left = first - begin
    tied = (share * (on_left + end - last)).astype(np.intp)
    equally_far = np.where(tied < on_left, begin + tied, last + tied - on_left)
    chosen: Index = np.where(which < last - first, first + which, equally_far)
    return chosen
