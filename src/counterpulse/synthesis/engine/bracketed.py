"""One root in a bracket for many sets of studies at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.projection import Projection, project
from counterpulse.synthesis.engine.studies import Studies

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Step = Callable[[Projection, Floats, Indices], tuple[NDArray[np.bool_], Floats]]
"""Of a fit at some variances of some sets: whether the root lies above each, and where it is expected."""

LIMIT = 200


def root_in_bracket(
    studies: Studies, step: Step, *, start: Floats, low: Floats, high: Floats, tolerance: float
) -> Floats:
    """The variance between `low` and `high` to which the steps lead, of every set; shape (B,).

    A step that leaves the bracket is replaced by halving it, so the search cannot fail. The root stands where the variance
    plus the smallest sampling variance changes by no more than the relative `tolerance`.
    """
    at, low, high = start.copy(), low.copy(), high.copy()
    least, active, here = studies.v.min(axis=0), np.arange(len(at)), studies
    for _ in range(LIMIT):
        if not len(active):
            break
        t = at[active]
        above, there = step(project(here, 1 / (here.v + t)), t, active)
        low[active], high[active] = np.where(above, t, low[active]), np.where(above, high[active], t)
        inside = (there >= low[active]) & (there <= high[active])
        there = np.where(inside, there, (low[active] + high[active]) / 2)
        at[active] = there
        moving = np.abs(there - t) > tolerance * (there + least[active])
        if not moving.all():
            active, here = active[moving], here.take(np.flatnonzero(moving))
    return at
