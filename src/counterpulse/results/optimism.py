"""Performance of a model corrected for its optimism: what every bootstrap of a prediction model shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.blocks import map_jobs
from counterpulse.numerics.workers import Jobs
from counterpulse.results.estimate import Estimate
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate

Floats = NDArray[np.float64]

FEWEST = 0.9
"""Where fewer than this part of the replicates can be fitted the correction is not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimism:
    """Apparent performance, its optimism, and what is left; each of shape (k,) in the order of `measures`.

    `spread` is the standard deviation of the optimism over replicates; `failed` replicates could not be fitted.
    """

    measures: tuple[str, ...]
    apparent: Floats
    optimism: Floats
    spread: Floats
    replicates: int
    failed: int
    status: Status = Status.OK

    @property
    def corrected(self) -> Floats:
        """Apparent less optimism, shape (k,)."""
        return self.apparent - self.optimism

    def estimates(self) -> tuple[Estimate, ...]:
        """The corrected measures; this bootstrap gives them no interval."""
        names = [f"optimism-corrected {name}" for name in self.measures]
        if self.status is not Status.OK:
            return tuple(no_estimate(name, self.status) for name in names)
        notes: tuple[str, ...] = (f"{self.replicates - self.failed} bootstrap replicates.",)
        if self.failed:
            notes += (f"{self.failed} of {self.replicates} replicates could not be fitted.",)
        pairs = zip(names, self.corrected.tolist(), strict=True)
        return tuple(Estimate(term="", measure=name, value=value, notes=notes) for name, value in pairs)


def no_optimism(measures: tuple[str, ...], replicates: int, status: Status) -> Optimism:
    """Say why there is none."""
    nothing = np.full(len(measures), nan)
    return Optimism(
        measures=measures, apparent=nothing, optimism=nothing, spread=nothing, replicates=replicates, failed=0, status=status
    )  # fmt: skip


def optimism_over(
    replicate: Callable[[int], Floats], apparent: Floats, *, measures: tuple[str, ...], replicates: int, jobs: Jobs
) -> Optimism:
    """Average the optimism of every replicate, which is nan where it could not be fitted.

    Parameters
    ----------
    replicate : performance on a draw less that on the patients, shape (k,), by the number of the draw
    apparent : performance on the patients of the model made from them, shape (k,)
    jobs : threads, or workers; the result does not depend on it
    """
    found = np.array(map_jobs(replicate, range(replicates), jobs=jobs))
    good = np.isfinite(found).all(axis=1)
    failed = int((~good).sum())
    if good.sum() < max(2.0, FEWEST * replicates):
        blank = no_optimism(measures, replicates, Status.NOT_CONVERGED)
        return replace(blank, apparent=apparent, failed=failed)
    return Optimism(
        measures=measures, apparent=apparent, optimism=found[good].mean(axis=0),
        spread=found[good].std(axis=0, ddof=1), replicates=replicates, failed=failed,
    )  # fmt: skip
