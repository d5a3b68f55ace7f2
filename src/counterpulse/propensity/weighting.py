"""Weights from a propensity score: each estimand is one tilting function of the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.propensity.covariate_balance import Denominator

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom the weighted patients stand for.

    Attributes
    ----------
    tilt : how much of the population at each score is the target, from the probabilities of every treatment, shape
        (n, k), and the focal one; shape (n,)
    pull : the derivative of log tilt in the linear predictors of the treatments, plus their probabilities; shape (n, k).
        The log of a weight so changes by `pull` less 1 for the treatment received
    denominator : of standardized differences
    needs_focal : whether the target is the patients of one treatment
    """

    tilt: Callable[[Floats, int], Floats]
    pull: Callable[[Floats, int], Floats]
    denominator: Denominator
    reference: str
    needs_focal: bool = False


def _everybody(probabilities: Floats, focal: int) -> Floats:
    return np.ones(len(probabilities))


def _focal(probabilities: Floats, focal: int) -> Floats:
    return probabilities[:, focal]


def _overlap(probabilities: Floats, focal: int) -> Floats:
    """The harmonic mean of the probabilities over their number; ``e (1 - e)`` of two."""
    with np.errstate(divide="ignore"):
        harmonic: Floats = 1 / (1 / probabilities).sum(axis=1)
    return harmonic


def _least(probabilities: Floats, focal: int) -> Floats:
    smallest: Floats = probabilities.min(axis=1)
    return smallest


def _pull_everybody(probabilities: Floats, focal: int) -> Floats:
    return probabilities


def _pull_focal(probabilities: Floats, focal: int) -> Floats:
    out = np.zeros_like(probabilities)
    out[:, focal] = 1.0
    return out


def _pull_overlap(probabilities: Floats, focal: int) -> Floats:
    return _overlap(probabilities, focal)[:, None] / probabilities


def _pull_least(probabilities: Floats, focal: int) -> Floats:
    out = np.zeros_like(probabilities)
    out[np.arange(len(out)), probabilities.argmin(axis=1)] = 1.0
    return out


TARGETS: Mapping[str, Target] = {
    "ATE": Target(_everybody, _pull_everybody, "pooled", "lunceford-davidian-2004"),
    "ATT": Target(_focal, _pull_focal, "treated", "lunceford-davidian-2004", needs_focal=True),
    "ATC": Target(_focal, _pull_focal, "control", "lunceford-davidian-2004", needs_focal=True),
    "ATO": Target(_overlap, _pull_overlap, "weighted", "li-2018"),
    "ATM": Target(_least, _pull_least, "weighted", "li-greene-2013"),
}

NAMES = {"overlap": "ATO", "matching": "ATM"}
"""Other words for an estimand."""


def balancing_weights(probabilities: Floats, group: Codes, target: Target, focal: int) -> Floats:
    """Weigh each patient by the tilt over the probability of the treatment received, shape (n,).

    Parameters
    ----------
    probabilities : of every treatment, shape (n, k)
    group : the treatment received, 0 to k - 1, shape (n,)

    Notes
    -----
    Infinite where a patient received what had no probability.
    """
    received = probabilities[np.arange(len(group)), group]
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = target.tilt(probabilities, focal) / received
    weights[np.isnan(weights)] = np.inf
    return weights


def stabilized(weights: Floats, group: Codes) -> Floats:
    """Multiply weights by the share of patients who received the same treatment (of those with a weight)."""
    count = np.bincount(group[weights > 0], minlength=int(group.max(initial=0)) + 1)
    shares: Floats = (count / count.sum())[group]
    return weights * shares


def within_scores(probabilities: Floats, low: float) -> NDArray[np.bool_]:
    """Whose probability of every treatment is at least `low` (Crump: 0.1 of two treatments), shape (n,)."""
    kept: NDArray[np.bool_] = np.all(probabilities >= low, axis=1)
    return kept


def within_percentiles(probabilities: Floats, group: Codes, percentile: float) -> NDArray[np.bool_]:
    """Who lies in the overlap of percentiles of the score, shape (n,) (Stürmer 2010).

    A probability of treatment g is at least its `percentile` among those who received g, and at most its
    100 - `percentile` among those who did not.
    """
    kept = np.ones(len(group), dtype=bool)
    for g in range(probabilities.shape[1]):
        low = np.percentile(probabilities[group == g, g], percentile)
        high = np.percentile(probabilities[group != g, g], 100 - percentile)
        kept &= (probabilities[:, g] >= low) & ((probabilities[:, g] <= high) | (probabilities.shape[1] > 2))
    return kept


def truncated(weights: Floats, group: Codes, percentile: float) -> Floats:
    """Hold weights above a percentile of their group at it."""
    out = weights.copy()
    for g in np.unique(group):
        mine = group == g
        positive = weights[mine & (weights > 0)]
        if len(positive):
            out[mine] = np.minimum(out[mine], np.percentile(positive, percentile))
    return out
