"""What weights were estimated from, and how they would move with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.linear_algebra import weighted_gram
from counterpulse.propensity.entropy_balancing import entropy_weights_by_group, target_means
from counterpulse.propensity.multinomial_score import multinomial_influence
from counterpulse.propensity.score import PropensityScore
from counterpulse.propensity.weighted_sample import Weighting, balanced_columns
from counterpulse.propensity.weighting import TARGETS
from counterpulse.regression.fit import ScaledFit
from counterpulse.regression.model_rows import read_rows, scaled_design

Floats = NDArray[np.float64]

RANK = 1e-10
"""Part of the largest eigenvalue below which a direction of the balanced covariates is none."""


@dataclass(frozen=True, slots=True)
class Source:
    """Estimated parameters in m blocks of p, on which weights depend.

    Attributes
    ----------
    influence : of each unit on the parameters, shape (n, m p)
    X, rates : the derivative of the weight of unit i in block j is ``rates[i, j] * X[i]``; shapes (n, p) and (n, m)
    """

    influence: Floats
    X: Floats
    rates: Floats

    def carried(self, by_weight: Floats) -> Floats:
        """The influence of each unit, by way of the weights, on what has these derivatives in the weights; (n, k)."""
        slopes = [self.X.T @ (self.rates[:, [j]] * by_weight) for j in range(self.rates.shape[1])]
        carried: Floats = self.influence @ np.vstack(slopes)
        return carried


def sources(weighting: Weighting) -> list[Source]:
    """Name everything the weights were estimated from; nothing for scores that were given.

    Thresholds (of truncation, of trimming) count as given: a weight held at one does not move, nor does who is trimmed.
    """
    codes = weighting.groups.codes
    weights = weighting.weights[weighting.groups.rows]
    free = np.where(weighting.held, 0.0, weights)
    found = []
    if weighting.words.method == "entropy-balancing":
        found.append(_balance(weighting, free))
    elif len(weighting.groups.names) > 2:
        found.append(_multinomial(weighting, free))
    elif weighting.score is not None and weighting.score.model is not None and weighting.score.model.scaled is not None:
        found.append(_logistic(weighting, weighting.score, weighting.score.model.scaled, free))
    if weighting.words.stabilize:
        found.append(_shares(weights, codes, len(weighting.groups.names)))
    return found


def _pulled(weighting: Weighting) -> Floats:
    """How the log of each weight changes with the linear predictor of each treatment but the first, (n, k - 1)."""
    k = len(weighting.groups.names)
    focal = 0 if weighting.focal is None else weighting.groups.code_of(weighting.focal)
    pull = TARGETS[weighting.target].pull(weighting.probabilities, focal)
    pulled: Floats = pull[:, 1:] - (weighting.groups.codes[:, None] == np.arange(1, k))
    return pulled


def _logistic(weighting: Weighting, score: PropensityScore, fit: ScaledFit, free: Floats) -> Source:
    X = fit.scaling.matrix(weighting.table, score.units.rows)
    influence = X * (score.units.treated - score.probability)[:, None] @ fit.bread
    return Source(influence, X, free[:, None] * _pulled(weighting))


def _multinomial(weighting: Weighting, free: Floats) -> Source:
    table, words = weighting.table, weighting.words
    rows = read_rows(table, outcome=words.treatment, terms=words.covariates, weights=None, cluster=None)
    X = scaled_design(table, rows, words.covariates).X
    influence = multinomial_influence(X, weighting.groups.codes, weighting.probabilities)
    return Source(influence, X, free[:, None] * _pulled(weighting))


def _balance(weighting: Weighting, free: Floats) -> Source:
    """The multipliers of each balanced group and its constant; the means to be reached are estimated too."""
    groups = weighting.groups
    codes, k = groups.codes, len(groups.names)
    focal = None if weighting.focal is None else groups.code_of(weighting.focal)
    away = balanced_columns(weighting.table, weighting.words, groups)
    plain = entropy_weights_by_group(away, codes, k, focal)
    plain = np.ones(len(away)) if plain is None else plain
    away = away - target_means(away, codes, focal)
    spread = np.sqrt((away * away).mean(axis=0))
    away /= np.where(spread > 0, spread, 1.0)
    target = np.ones(len(codes), dtype=bool) if focal is None else codes == focal
    influences, rates = [], []
    for code in range(k):
        if code == focal:
            continue
        mine = codes == code
        tilted = np.where(mine, plain, 0.0)
        reached = (target * (tilted.sum() / target.sum()))[:, None] * away
        curved = np.linalg.pinv(weighted_gram(np.asfortranarray(away), tilted), rcond=RANK, hermitian=True)
        influences += [(reached - tilted[:, None] * away) @ curved, ((mine - tilted) / tilted.sum())[:, None]]
        rates.append(np.where(mine, free, 0.0))
    X = np.column_stack((away, np.ones(len(away))))
    return Source(np.column_stack(influences), X, np.column_stack(rates))


def _shares(weights: Floats, codes: NDArray[np.intp], groups: int) -> Source:
    """The logarithms of the parts of the groups, by which weights were stabilized."""
    member = (codes[:, None] == np.arange(groups)) & (weights > 0)[:, None]
    share = member.sum(axis=0) / member.sum()
    influence = (member - share * (weights > 0)[:, None]) / (share * member.sum())
    return Source(influence, np.ones((len(weights), 1)), member * weights[:, None])
