"""The lasso: a penalty on the sum of absolute coefficients, its path, and the penalty chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.regression.column_likelihood import ColumnLikelihood
from counterpulse.regression.nested_models import Nest

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Rule = Literal["minimum", "one-standard-error"]

PENALTIES, SMALLEST = 100, 1e-4
"""Penalties of a path, from the one that lets no coefficient in to this part of it, in equal ratios."""

CLOSE = 1e-10
"""Squared length, in standard errors, of the last step; what then remains is a twentieth of it or less."""

FLAT, FEWEST = 1e-5, 5
"""A path ends, after a few penalties, where the next one explains less than this part more of the log-likelihood."""

STALE = 0.05
"""Steps go on with an information of another point while each leaves less than this part of the one before."""

VIOLATED = 1e-9
"""A coefficient enters where its score exceeds the penalty by this part of it."""

ROUNDING = 1e-12
"""A fall by less than this part of the value is rounding."""

MOST_STEPS, MOST_HALVINGS, MOST_TURNS = 100, 30, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LassoFit:
    """A path of penalized fits.

    Attributes
    ----------
    penalties : falling, shape (m,)
    coefficients : of the scaled columns, shape (p, m); the nuisance coefficients and those kept are not penalized
    deviance, std_error : cross-validated, a patient (or event), and its standard error over folds, shape (m,)
    minimum, one_standard_error : positions of the penalty with the smallest deviance, and of the largest penalty within
        a standard error of it
    chosen : the position that the rule takes
    """

    penalties: Floats
    coefficients: Floats
    deviance: Floats
    std_error: Floats
    minimum: int
    one_standard_error: int
    chosen: int

    @property
    def nonzero(self) -> NDArray[np.bool_]:
        """Coefficients that are in the chosen fit, shape (p,)."""
        return np.asarray(self.coefficients[:, self.chosen] != 0)


def lasso(
    likelihood: ColumnLikelihood,
    *,
    penalized: Sequence[int],
    keep: Sequence[int] = (),
    folds: Indices,
    rule: Rule = "minimum",
    penalties: Floats | None = None,
) -> LassoFit:
    """Fit the path, and choose a penalty by cross-validation.

    Parameters
    ----------
    likelihood : of centered and scaled columns; a normal one with `variance` 1
    penalized : coefficients that may come in; those neither here nor in `keep` stay out
    keep : coefficients without a penalty
    folds : the fold of every row, shape (n,), numbered from 0
    rule : "minimum" of the cross-validated deviance, or the largest penalty within "one-standard-error" of it
    penalties : falling, instead of 100 from the largest useful one to 1e-4 of it (fewer where the path is flat)

    Raises
    ------
    InputError : fewer than three folds

    Notes
    -----
    Minimizes ``-l / n + penalty * sum |b_j| s_j`` with l the log-likelihood, n the patients, s_j the standard deviation
    of a column in the rows fitted: glmnet's objective. A term of several columns is
    penalized column by column. Fitted by Newton steps, each a lasso of a quadratic that is solved on its active set. The
    deviance of a fold is twice what the log-likelihood of all rows falls short of that without the fold.

    References
    ----------
    Tibshirani 1996, doi:10.1111/j.2517-6161.1996.tb02080.x; Friedman et al. 2010, doi:10.18637/jss.v033.i01.
    """
    count = int(folds.max(initial=-1)) + 1
    if count < 3:
        raise InputError(f"the lasso has {count} folds; 10 are usual, 3 the fewest")
    free = np.concatenate([np.arange(likelihood.nuisance), np.array(sorted(keep), dtype=np.intp)])
    if penalties is None:
        penalties = usual_penalties(likelihood, penalized, free)
        coefficients = lasso_path(likelihood, penalties, penalized, free, flat=FLAT)
        penalties = penalties[: coefficients.shape[1]]
    else:
        coefficients = lasso_path(likelihood, penalties, penalized, free)
    deviances, sizes = np.zeros((count, len(penalties))), np.zeros(count)
    for fold in range(count):
        rest = likelihood.weighted((folds != fold).astype(np.float64) * likelihood.counts())
        found = lasso_path(rest, penalties, penalized, free)
        sizes[fold] = likelihood.size - rest.size
        if sizes[fold] > 0:
            perfect = likelihood.saturated() - rest.saturated()
            deviances[fold] = 2 * (perfect - likelihood.evaluate(found)[0] + rest.evaluate(found)[0]) / sizes[fold]
    shares = sizes / (sizes.sum() or 1.0)
    mean = shares @ deviances
    spread = shares @ (deviances - mean) ** 2
    std_error = np.sqrt(spread / max(1, int((sizes > 0).sum()) - 1))
    minimum = int(np.argmin(mean))
    within = int(np.flatnonzero(mean <= mean[minimum] + std_error[minimum])[0])
    return LassoFit(
        penalties=penalties, coefficients=coefficients, deviance=mean, std_error=std_error, minimum=minimum,
        one_standard_error=within, chosen=minimum if rule == "minimum" else within,
    )  # fmt: skip


def usual_penalties(likelihood: ColumnLikelihood, penalized: Sequence[int], free: Indices) -> Floats:
    """From the smallest penalty that lets no coefficient in, downward."""
    nest = Nest.of(likelihood)
    null = nest.fit(free)
    _, gradient = likelihood.evaluate(null.at[:, None])
    spreads = likelihood.spreads()
    varying = np.array([column for column in penalized if spreads[column] > 0], dtype=np.intp)
    largest = float((np.abs(gradient[varying, 0]) / spreads[varying]).max(initial=0.0)) / likelihood.counts().sum()
    penalties: Floats = largest * np.geomspace(1.0, SMALLEST, PENALTIES)
    return penalties


def lasso_path(
    likelihood: ColumnLikelihood, penalties: Floats, penalized: Sequence[int], free: Indices, *,
    flat: float | None = None,
) -> Floats:  # fmt: skip
    """Penalized coefficients at every penalty, each from the one before, up to where the path is `flat` if that is given; shape (p, m)."""
    nest, total = Nest.of(likelihood), float(likelihood.counts().sum())
    usable = nest.free(np.concatenate([free, np.array(penalized, dtype=np.intp)]))
    price = likelihood.spreads() * total
    price[free] = 0.0
    null = nest.fit(free)
    climber = _Climber(likelihood, usable, null.at, null.value)
    found = np.zeros((len(price), len(penalties)))
    for position, penalty in enumerate(penalties):
        before = climber.value
        climber.climb(price * penalty)
        found[:, position] = climber.at
        if flat is not None and position >= FEWEST and climber.value - before < flat * (climber.value - null.value):
            return found[:, : position + 1]
    return found


@dataclass(slots=True)
class _Climber:
    """Where the path stands; the information is that of the last point at which it was worth its price."""

    likelihood: ColumnLikelihood
    usable: Indices
    at: Floats
    value: float
    information: Floats | None = None

    def climb(self, price: Floats) -> None:
        """Newton steps to the maximum of the log-likelihood less ``sum price_j |b_j|``; none where nothing is informative."""
        if not len(self.usable):
            return
        last, (value, gradient) = np.inf, self.likelihood.evaluate(self.at[:, None])
        for _ in range(MOST_STEPS):
            if self.information is None:
                self.information, last = self.likelihood.information(self.at, self.usable), np.inf
            now = self.at[self.usable]
            linear = gradient[self.usable, 0] + self.information @ now
            try:
                step = quadratic_lasso(self.information, linear, price[self.usable], now) - now
            except np.linalg.LinAlgError:  # no event without the fold: the likelihood is flat
                return
            length = float(step @ self.information @ step)
            if length <= CLOSE:
                self.at[self.usable], self.value = now + step, float(value[0])
                return
            taken = None if length > STALE * last else self._advance(step, float(value[0]), price)
            if taken is not None:
                (value, gradient), last = taken, length
            elif last == np.inf:
                return
            else:
                self.information = None

    def _advance(self, step: Floats, value: float, price: Floats) -> tuple[Floats, Floats] | None:
        """Take the step, halved until the penalized log-likelihood does not fall; value and score there."""
        floor = value - price @ np.abs(self.at)
        for _ in range(MOST_HALVINGS):
            there = self.at.copy()
            there[self.usable] += step
            reached = self.likelihood.evaluate(there[:, None])
            if reached[0][0] - price @ np.abs(there) >= floor - ROUNDING * abs(floor):
                self.at = there
                return reached
            step = step / 2
        return None


def quadratic_lasso(matrix: Floats, linear: Floats, price: Floats, start: Floats) -> Floats:
    """Minimize ``b'Mb/2 - c'b + sum price_j |b_j|`` exactly, for a positive definite M, from a start; shape (p,).

    The signs of the nonzero coefficients are guessed; where one turns, the coefficient leaves at zero, and one that
    violates its condition enters (feature-sign search).
    """
    at = start.copy()
    sign = np.sign(at)
    active = (at != 0) | (price == 0)
    for _ in range(MOST_TURNS):
        inside = np.flatnonzero(active)
        goal = np.linalg.solve(matrix[np.ix_(inside, inside)], linear[inside] - price[inside] * sign[inside])
        turned = (goal * sign[inside] < 0) & (price[inside] > 0)
        if turned.any():
            step = goal - at[inside]
            reach = np.where(turned, -at[inside] / np.where(turned, step, 1.0), np.inf)
            first = int(np.argmin(reach))
            at[inside] += step * reach[first]
            at[inside[first]], active[inside[first]], sign[inside[first]] = 0.0, False, 0.0
            continue
        at[inside] = goal
        slope = linear - matrix @ at
        excess = np.where(active, -np.inf, np.abs(slope) - price * (1 + VIOLATED))
        worst = int(np.argmax(excess))
        if excess[worst] <= 0:
            return at
        active[worst], sign[worst] = True, np.sign(slope[worst])
    return at
