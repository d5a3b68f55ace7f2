"""Draws of categories from models whose coefficients are drawn from their approximate posterior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.linalg import cho_solve, cholesky

from counterpulse.imputation.categorical_rows import ModelRows
from counterpulse.imputation.linear_draw import around_zero
from counterpulse.numerics.newton import Evaluation, maximize
from counterpulse.regression.cumulative_likelihood import proportional_odds

Floats = NDArray[np.float64]

CLOSE = 1e-6
"""Square of the distance to the maximum, in standard errors, at which the last Newton step is taken."""
LIMIT = 40
CHORDS = 12
"""Steps with the information of the visit before, of which each leaves a few percent of the distance."""


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where the visit before ended: coefficients and lower Cholesky factor of the information."""

    at: Floats
    factor: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Imputed levels, where the next visit begins, and whether the maximum was found."""

    levels: Floats
    start: Start | None
    converged: bool


class Likelihood(Protocol):
    """A log-likelihood to be maximized."""

    def __call__(self, at: Floats, /) -> Evaluation:
        """Log-likelihood, score and information."""

    def score(self, at: Floats, /) -> Floats:
        """Score alone, which costs little."""


@dataclass(frozen=True, slots=True, eq=False)
class LogisticLikelihood:
    """Of level 1 against 0; coefficients of shape (k,)."""

    rows: ModelRows
    weights: Floats
    share: Floats

    def __call__(self, at: Floats) -> Evaluation:
        """Log-likelihood, score and information."""
        linear = self.rows.linear(at)
        probability = special.expit(linear)
        value = float(self.weights @ (self.share * linear + special.log_expit(-linear)))
        information = self.rows.gram(self.weights * probability * (1 - probability))
        return Evaluation(value, self.rows.sums(self.weights * (self.share - probability)), information)

    def score(self, at: Floats) -> Floats:
        """Score alone."""
        return self.rows.sums(self.weights * (self.share - special.expit(self.rows.linear(at))))


@dataclass(frozen=True, slots=True, eq=False)
class PolytomousLikelihood:
    """Of levels 1, 2, … against 0; coefficients of shape ((count - 1) k,), level by level."""

    rows: ModelRows
    weights: Floats
    shares: Floats

    def __call__(self, at: Floats) -> Evaluation:
        """Log-likelihood, score and information."""
        rows, k, count = self.rows, len(self.rows.used), self.rows.count
        linear = self._linear(at)
        log_total = np.log(np.exp(linear - (top := linear.max(axis=0))).sum(axis=0)) + top
        probability = np.exp(linear - log_total)
        value = float(((self.shares * linear).sum(axis=0) - log_total) @ self.weights)
        information = np.empty(((count - 1) * k, (count - 1) * k))
        for a in range(1, count):
            for b in range(1, a + 1):
                block = rows.gram(self.weights * probability[a] * ((a == b) - probability[b]))
                information[(a - 1) * k : a * k, (b - 1) * k : b * k] = block
                information[(b - 1) * k : b * k, (a - 1) * k : a * k] = block
        return Evaluation(value, self._score(probability), information)

    def score(self, at: Floats) -> Floats:
        """Score alone."""
        linear = self._linear(at)
        probability = np.exp(linear - linear.max(axis=0))
        return self._score(probability / probability.sum(axis=0))

    def _linear(self, at: Floats) -> Floats:
        each = at.reshape(self.rows.count - 1, -1)
        others = [self.rows.linear(coefficients) for coefficients in each]
        return np.vstack([np.zeros(len(self.weights)), *others])

    def _score(self, probability: Floats) -> Floats:
        return np.concatenate(
            [
                self.rows.sums(self.weights * (share - part))
                for share, part in zip(self.shares[1:], probability[1:], strict=True)
            ]
        )


def draw_logistic(rows: ModelRows, missing: Floats, start: Start | None, random: np.random.Generator) -> Drawn:
    """Draw level 0 or 1 by logistic regression.

    Parameters
    ----------
    rows : with a value
    missing : predictors of the rows without, shape (n_missing, k)
    start : where the visit before ended
    """
    likelihood = LogisticLikelihood(rows, rows.all_weights(), rows.shares()[1])
    drawn, end, converged = _posterior(likelihood, start, _log_odds(rows)[0], random)
    levels = random.random(len(missing)) < special.expit(missing @ drawn)
    return Drawn(levels.astype(np.float64), end, converged)


def draw_polytomous(rows: ModelRows, missing: Floats, start: Start | None, random: np.random.Generator) -> Drawn:
    """Draw a level by multinomial logistic regression; parameters as for `draw_logistic`."""
    likelihood = PolytomousLikelihood(rows, rows.all_weights(), rows.shares())
    drawn, end, converged = _posterior(likelihood, start, _log_odds(rows).ravel(), random)
    linear = np.column_stack([np.zeros(len(missing)), missing @ drawn.reshape(rows.count - 1, -1).T])
    return Drawn(_levels(np.cumsum(special.softmax(linear, axis=1), axis=1), random), end, converged)


def draw_ordered(rows: ModelRows, missing: Floats, start: Start | None, random: np.random.Generator) -> Drawn:
    """Draw a level by proportional odds; parameters as for `draw_logistic`."""
    X, levels, weights = rows.written_out()
    between = rows.count - 1
    below = np.cumsum(np.bincount(levels, weights=weights))[:-1] / weights.sum()
    begin = np.concatenate([special.logit(below), np.zeros(X.shape[1] - 1)])
    found = maximize(
        proportional_odds(levels, rows.count, X[:, 1:], weights),
        begin if start is None else start.at, tolerance=CLOSE, limit=LIMIT,
    )  # fmt: skip
    factor, certain = _factor(found.information)
    drawn = found.at + around_zero(factor, random)
    cumulative = special.expit(np.sort(drawn[:between])[None, :] - (missing[:, 1:] @ drawn[between:])[:, None])
    return Drawn(
        _levels(np.column_stack([cumulative, np.ones(len(missing))]), random),
        Start(found.at, factor),
        found.converged and certain,
    )


def _posterior(
    likelihood: Likelihood, start: Start | None, begin: Floats, random: np.random.Generator
) -> tuple[Floats, Start, bool]:
    """Draw around the maximum, with the inverse information as covariance."""
    found = maximize(likelihood, begin if start is None else _approach(likelihood, start), tolerance=CLOSE, limit=LIMIT)
    factor, certain = _factor(found.information)
    return found.at + around_zero(factor, random), Start(found.at, factor), found.converged and certain


def _factor(information: Floats) -> tuple[Floats, bool]:
    """Lower Cholesky factor; where there is none, that of its diagonal, and the fit counts as not converged."""
    try:
        return cholesky(information, lower=True, check_finite=False), True
    except np.linalg.LinAlgError:
        return np.diag(np.sqrt(np.maximum(np.diag(information), 1.0))), False


def _approach(likelihood: Likelihood, start: Start) -> Floats:
    """Come close to the maximum by scores alone; the tables of two visits differ by little."""
    at, last = start.at, np.inf
    for _ in range(CHORDS):
        score = likelihood.score(at)
        step = cho_solve((start.factor, True), score, check_finite=False)
        decrement = float(step @ score)
        if not decrement < last:
            break
        at, last = at + step, decrement
        if decrement <= CLOSE:
            break
    return at


def _log_odds(rows: ModelRows) -> Floats:
    """Log odds of each level against the first without predictors, shape (count - 1, k)."""
    start = np.zeros((rows.count - 1, len(rows.used)))
    total = np.log(rows.shares() @ rows.all_weights())
    start[:, 0] = total[1:] - total[0]
    return start


def _levels(cumulative: Floats, random: np.random.Generator) -> Floats:
    """Draw a level from each row's cumulative probabilities, shape (n, count)."""
    drawn: Floats = (random.random(len(cumulative))[:, None] > cumulative[:, :-1]).sum(axis=1).astype(np.float64)
    return drawn
