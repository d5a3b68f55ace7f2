"""Newton's method on the partial likelihood, with what it finds on the way: dependent columns, infinite estimates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from counterpulse.numerics.linear_algebra import independent_columns, inverse_symmetric, solve_symmetric
from counterpulse.results.status import Status
from counterpulse.survival.follow_up import Bools, Floats
from counterpulse.survival.partial_likelihood import RiskState, gradient, gradient_and_information, risk_state
from counterpulse.survival.risk_sets import RiskSets, SortedRows, make_risk_sets

DECREMENT = 1e-14
"""Newton stops when the step is below 1e-7 standard errors; the next error is the square of that."""

CONSTANT = 1e-10
"""A column that keeps a smaller part of its sum of squares within risk sets does not vary in them."""

LONG_STEP = 1e-3
"""A last step that moves a linear predictor further than this is a sign of an infinite estimate."""

FAR = 12.0
"""How far the linear predictor of the extreme row moves when an infinite estimate is verified."""

FLAT = 1e-4
"""A likelihood that loses no more than this while the predictor moves by `FAR` has no maximum in that direction."""

MOST_ITERATIONS = 60
MOST_HALVINGS = 40
MOST_SLIDES = 12
SLIDING = 0.1
"""Steps by a borrowed covariance go on while each leaves less than this part of the decrement before it."""

WARM_ROWS = 50_000
WARM_FROM = 4 * WARM_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum:
    """Where Newton's method ended; scaled covariates.

    Attributes
    ----------
    beta : shape (p,), 0 for columns left out
    covariance : inverse information, shape (p, p), 0 in the rows of columns left out
    log_likelihood_null, log_likelihood : at zero and at `beta`
    independent : columns that are in the model, shape (p,)
    infinite : columns whose estimate is infinite, shape (p,)
    state : the likelihood at `beta`
    status : OK, SEPARATION or NOT_CONVERGED
    iterations : Newton steps taken on all rows
    """

    beta: Floats
    covariance: Floats
    log_likelihood_null: float
    log_likelihood: float
    independent: Bools
    infinite: Bools
    state: RiskState
    status: Status
    iterations: int


@dataclass(slots=True)
class _Newton:
    """The position of the search."""

    sets: RiskSets
    X: Floats
    efron: bool
    beta: Floats
    state: RiskState
    independent: Bools | None = None
    covariance: Floats | None = None
    step: Floats | None = None
    iterations: int = 0

    def climb(self, most: int) -> bool:
        """Newton steps until the decrement vanishes; whether it did."""
        for self.iterations in range(1, most + 1):
            slope, information, spread = gradient_and_information(self.sets, self.X, self.state)
            if self.independent is None:
                self.independent = varying_independent(information, spread)
            step = newton_step(slope, information, self.independent)
            if step is None:
                return False
            self.step = step
            decrement = float(slope @ step)
            if not self._advance(step, decrement):
                return False
            if decrement < DECREMENT:
                self.covariance = embedded_inverse(information, self.independent)
                return self.covariance is not None
        return False

    def slide(self, covariance: Floats) -> None:
        """Steps that need no information, from the covariance of a subsample, while each comes much nearer (BFGS)."""
        slope, last = gradient(self.sets, self.X, self.state), np.inf
        for _ in range(MOST_SLIDES):
            before, slope_before = self.beta, slope
            step = covariance @ slope
            decrement = float(slope @ step)
            if decrement < DECREMENT or decrement > last * SLIDING or not self._advance(step, decrement):
                return
            slope, last = gradient(self.sets, self.X, self.state), decrement
            covariance = secant_update(covariance, self.beta - before, slope_before - slope)

    def _advance(self, step: Floats, decrement: float) -> bool:
        rounding = 1e-12 * (1.0 + abs(self.state.log_likelihood))
        if decrement < DECREMENT:
            rounding *= 1e3
        for _ in range(MOST_HALVINGS):
            state = risk_state(self.sets, self.X, self.beta + step, efron=self.efron)
            if state.log_likelihood >= self.state.log_likelihood - rounding:
                self.beta, self.state = self.beta + step, state
                return True
            step = step / 2
        return False


def maximize(rows: SortedRows, sets: RiskSets, X: Floats, *, efron: bool) -> Maximum:
    """Maximize the partial likelihood of scaled covariates X, shape (n, p), in the order of `sets`.

    A large table begins at the maximum of every few rows; the end is the maximum of all.
    """
    p = X.shape[1]
    newton = _Newton(sets, X, efron, np.zeros(p), risk_state(sets, X, np.zeros(p), efron=efron))
    log_likelihood_null = newton.state.log_likelihood
    if sets.n >= WARM_FROM:
        warm, covariance = _warm_start(rows, X, efron)
        state = risk_state(sets, X, warm, efron=efron)
        if state.log_likelihood > log_likelihood_null:
            newton.beta, newton.state = warm, state
            newton.slide(covariance)
    converged = newton.climb(MOST_ITERATIONS)
    independent = np.zeros(p, dtype=bool) if newton.independent is None else newton.independent
    infinite = _infinite(newton)
    status = Status.OK if converged else Status.NOT_CONVERGED
    return Maximum(
        beta=newton.beta,
        covariance=np.zeros((p, p)) if newton.covariance is None else newton.covariance,
        log_likelihood_null=log_likelihood_null, log_likelihood=newton.state.log_likelihood,
        independent=independent, infinite=infinite, state=newton.state,
        status=Status.SEPARATION if infinite.any() else status, iterations=newton.iterations,
    )  # fmt: skip


def varying_independent(information: Floats, spread: Floats) -> Bools:
    """Which columns vary within risk sets and are no combination of columns before them; shape (p,)."""
    varying = np.diag(information) > CONSTANT * spread
    return independent_columns(np.where(np.outer(varying, varying), information, 0.0))


def newton_step(gradient: Floats, information: Floats, independent: Bools) -> Floats | None:
    """Solve for the step of the independent columns, 0 elsewhere; None where the information is singular."""
    step = np.zeros(len(gradient))
    kept = np.flatnonzero(independent)
    if len(kept):
        try:
            step[kept] = solve_symmetric(information[np.ix_(kept, kept)], gradient[kept])
        except np.linalg.LinAlgError:
            return None
    return step


def secant_update(covariance: Floats, step: Floats, fall: Floats) -> Floats:
    """Correct a covariance so that it explains how far a step let the gradient fall (Broyden 1970, and others)."""
    curvature = float(step @ fall)
    rest = np.eye(len(step)) - np.outer(step, fall) / curvature
    return rest @ covariance @ rest.T + np.outer(step, step) / curvature


def embedded_inverse(information: Floats, independent: Bools) -> Floats | None:
    """Invert the information of the independent columns, with 0 for the others; None where it is singular."""
    inverse = np.zeros_like(information)
    kept = np.flatnonzero(independent)
    if len(kept):
        try:
            inverse[np.ix_(kept, kept)] = inverse_symmetric(information[np.ix_(kept, kept)])
        except np.linalg.LinAlgError:
            return None
    return inverse


def _warm_start(rows: SortedRows, X: Floats, efron: bool) -> tuple[Floats, Floats]:
    """The maximum of every few rows, shape (p,), and the covariance that all rows would have there, shape (p, p)."""
    stride = max(1, len(rows.stop) // WARM_ROWS)
    sample = np.asfortranarray(X[::stride])
    sets = make_risk_sets(rows.every(stride))
    zero = np.zeros(X.shape[1])
    if sets.m:
        newton = _Newton(sets, sample, efron, zero, risk_state(sets, sample, zero, efron=efron))
        if newton.climb(8) and newton.covariance is not None:
            return newton.beta, newton.covariance / stride
    return zero, np.zeros((len(zero), len(zero)))


def _infinite(newton: _Newton) -> Bools:
    """Columns along which the likelihood of a search that has ended rises without end."""
    if newton.step is None:
        return np.zeros(newton.X.shape[1], dtype=bool)

    def fall(move: Floats) -> float:
        further = risk_state(newton.sets, newton.X, newton.beta + move, efron=newton.efron)
        return newton.state.log_likelihood - further.log_likelihood

    return infinite_columns(newton.X, newton.sets.group < newton.sets.m, newton.step, fall)


def infinite_columns(X: Floats, at_risk: Bools, step: Floats, fall: Callable[[Floats], float]) -> Bools:
    """Columns along which a likelihood rises without end, shape (p,).

    Near an infinite maximum Newton's steps keep their length while the likelihood stands still. Such a direction is
    taken much further: a likelihood that is concave and still loses nothing has no maximum there.

    Parameters
    ----------
    X : covariates, shape (n, p)
    at_risk : the rows that are ever at risk, shape (n,)
    step : the last Newton step, shape (p,)
    fall : how much the log likelihood falls when the coefficients move from where the search ended
    """
    nowhere = np.zeros(X.shape[1], dtype=bool)
    if _reach(X @ step, at_risk) < LONG_STEP:
        return nowhere
    reaches = np.array([_reach(column * one, at_risk) for column, one in zip(X.T, step, strict=True)])
    direction = np.where(reaches > LONG_STEP * reaches.max(), step, 0.0)
    reach = _reach(X @ direction, at_risk)
    if reach == 0:
        return nowhere
    return direction != 0 if fall(direction * (FAR / reach)) < FLAT else nowhere


def _reach(predictor: Floats, at_risk: Bools) -> float:
    """How far a step moves the linear predictor of the row it moves most."""
    return float(np.abs(predictor).max(initial=0.0, where=at_risk))
