"""Solving a logistic or a count model: the start, the ascent, and what is done when coefficients run to infinity."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import independent_columns, solve_symmetric, weighted_gram
from counterpulse.numerics.newton import Evaluation, Maximum, maximize
from counterpulse.numerics.profile import LogLikelihood
from counterpulse.regression.binomial_likelihood import BinomialLikelihood, FirthLikelihood
from counterpulse.regression.model_rows import ScaledDesign, Scaling
from counterpulse.regression.separation import Separation, find_separation
from counterpulse.results.status import Status

Floats = NDArray[np.float64]

SUBSAMPLE = 40_000
"""Rows on which the start for a much longer table is found."""

USUAL_ITERATIONS = 12
"""A fit with finite coefficients has converged by then, or is worth a look for separation."""

MOST_APPROACHES, CLOSE = 10, 1e-6
"""Most steps with an approximate information, and the squared distance (in standard errors) at which the exact one is
worth its price."""

LATE_ITERATIONS, LATE_LOOKS = 10, 8
"""From then on separation is looked for after every so many more, so many times."""

FIRTH_TOLERANCE = 1e-20
"""Firth's score is solved with the information of the plain likelihood; convergence is linear and is driven on."""


class SeparableLikelihood(Protocol):
    """A concave log-likelihood of coefficients, some of which may have to run to infinity."""

    @property
    def X(self) -> Floats:  # noqa: N802  (the matrix)
        """Shape (n, k), column-major."""

    @property
    def sign(self) -> Floats:
        """The direction in which each row's linear predictor may run without end, +1 or -1; shape (n,)."""

    def __call__(self, coefficients: Floats, /) -> Evaluation:
        """Log-likelihood, score and information."""

    def slope(self, coefficients: Floats, /) -> tuple[float, Floats]:
        """Log-likelihood and score."""

    def null_start(self) -> Floats:
        """The maximum of the intercept alone, shape (k,)."""

    def every(self, step: int, /) -> Self:
        """About every `step`-th row."""

    def rows(self, keep: NDArray[np.bool_], /) -> Self:
        """Some rows; this one is used up."""

    def columns(self, keep: NDArray[np.intp], /) -> Self:
        """Some columns."""


L = TypeVar("L", bound=SeparableLikelihood)


@dataclass(frozen=True, slots=True)
class Solution(Generic[L]):
    """A solved model.

    Attributes
    ----------
    likelihood : on the rows that have a finite fit
    objective : what was maximized
    maximum : in the scaled columns of `scaling`
    overlapping : the rows `likelihood` is of, shape (n,), or None for all
    statuses : one for every column of the spec
    """

    likelihood: L
    objective: LogLikelihood
    maximum: Maximum
    scaling: Scaling
    overlapping: NDArray[np.bool_] | None
    statuses: tuple[Status, ...]
    status: Status
    iterations: int


def solve_penalized(design: ScaledDesign, likelihood: BinomialLikelihood) -> Solution[BinomialLikelihood]:
    """Maximize Firth's penalized likelihood."""
    objective = FirthLikelihood(likelihood)
    maximum = maximize(objective, likelihood.null_start(), tolerance=FIRTH_TOLERANCE, limit=200)
    return _solved(design, likelihood, objective, maximum, maximum.iterations)


def solve(design: ScaledDesign, likelihood: L) -> Solution[L]:
    """Maximize the likelihood; where it has no maximum, name the infinite coefficients and fit the others."""
    found = maximize(likelihood, _start(likelihood), limit=USUAL_ITERATIONS)
    iterations = found.iterations
    for _ in range(LATE_LOOKS):
        if found.converged:
            break
        late = maximize(likelihood, found.at, limit=LATE_ITERATIONS)
        iterations += late.iterations
        separation = None if late.converged else find_separation(likelihood.X, likelihood.sign, late.at - found.at)
        if separation is not None and separation.overlapping.any():
            return _without_separated(design, likelihood, separation, iterations)
        if separation is not None:
            return _all_infinite(design, likelihood, late, iterations)
        found = late
    return _solved(design, likelihood, likelihood, found, iterations)


def _solved(
    design: ScaledDesign, likelihood: L, objective: LogLikelihood, maximum: Maximum, iterations: int
) -> Solution[L]:
    status = Status.OK if maximum.converged else Status.NOT_CONVERGED
    statuses = tuple(status if own is Status.OK else own for own in design.statuses)
    return Solution(likelihood, objective, maximum, design.scaling, None, statuses, status, iterations)


def _start(likelihood: SeparableLikelihood) -> Floats:
    """Begin at the intercept alone, or for a long table at the fit of an even subsample."""
    step = len(likelihood.sign) // SUBSAMPLE
    if step < 4:
        return likelihood.null_start()
    part = likelihood.every(step)
    found = maximize(part, part.null_start(), tolerance=1e-6, limit=8)
    if not found.converged:
        return likelihood.null_start()
    return _approach(likelihood, found.at, found.information * (len(likelihood.sign) / len(part.sign)))


def _approach(likelihood: SeparableLikelihood, start: Floats, information: Floats) -> Floats:
    """Steps that need no information but the subsample's; each leaves a few percent of the distance.

    They end where a Newton step resolves the rest, or where one is not shorter than the one before.
    """
    at, last = start, inf
    for _ in range(MOST_APPROACHES):
        _, gradient = likelihood.slope(at)
        step = solve_symmetric(information, gradient)
        decrement = float(step @ gradient)
        if not decrement < last:
            break
        at, last = at + step, decrement
        if decrement <= CLOSE:
            break
    return at


def _all_infinite(design: ScaledDesign, likelihood: L, maximum: Maximum, iterations: int) -> Solution[L]:
    """Complete separation: no row is left to estimate anything on."""
    statuses = tuple(Status.SEPARATION if own is Status.OK else own for own in design.statuses)
    return Solution(likelihood, likelihood, maximum, design.scaling, None, statuses, Status.SEPARATION, iterations)


def _without_separated(design: ScaledDesign, likelihood: L, separation: Separation, iterations: int) -> Solution[L]:
    """Fit the coefficients that are finite, on the rows that are not fitted perfectly."""
    scaling, keep = design.scaling, separation.overlapping
    infinite = separation.infinite(scaling.to_original())
    statuses = list(design.statuses)
    for k in np.flatnonzero(infinite):
        statuses[scaling.active[k]] = Status.SEPARATION
    part = likelihood.rows(keep)
    independent = np.flatnonzero(independent_columns(weighted_gram(part.X)))
    part = part.columns(independent)
    maximum = maximize(part, part.null_start())
    if not maximum.converged:
        statuses = [Status.NOT_CONVERGED if own is Status.OK else own for own in statuses]
    reduced = scaling.columns(independent)
    status = Status.SEPARATION if maximum.converged else Status.NOT_CONVERGED
    return Solution(part, part, maximum, reduced, keep, tuple(statuses), status, iterations + maximum.iterations)
