"""Which treatment is best: P-scores, and probabilities of ranks by simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.synthesis.networks.effect_matrix import EffectMatrix
from counterpulse.synthesis.networks.graph_fit import GraphFit

Floats = NDArray[np.float64]
SmallValues = Literal["good", "bad"]

DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Rankogram:
    """Probabilities of ranks; rank 1 is the best treatment.

    Attributes
    ----------
    treatments : n names
    probabilities : of treatment (row) having rank (column), shape (n, n)
    sucra : surface under the cumulative ranking curve, 0 worst to 1 best, shape (n,)
    draws, seed : how they were simulated
    """

    treatments: tuple[str, ...]
    probabilities: Floats
    sucra: Floats
    draws: int
    seed: int


def p_scores(effects: EffectMatrix, *, small_values: SmallValues) -> Floats:
    """Mean certainty that a treatment is better than another one, from 0 (worst) to 1; shape (n,).

    Parameters
    ----------
    small_values : whether a small effect is "good" (deaths) or "bad" (survivors)

    References
    ----------
    Rücker and Schwarzer 2015, doi:10.1186/s12874-015-0060-8.
    """
    side = _side(small_values)
    with np.errstate(invalid="ignore", divide="ignore"):
        better = special.ndtr(-side * effects.estimate / effects.std_error)
    np.fill_diagonal(better, 0.0)
    scores: Floats = better.sum(axis=1) / (len(better) - 1)
    return scores


def rankogram(
    treatments: tuple[str, ...], fit: GraphFit, *, small_values: SmallValues, seed: int, draws: int = DRAWS
) -> Rankogram:
    """Draw the effects from their joint normal distribution and count ranks.

    References
    ----------
    Salanti, Ades and Ioannidis 2011, doi:10.1016/j.jclinepi.2010.03.016.
    """
    if draws < 1:
        raise InputError(f"draws is {draws}; ranks are counted over at least one draw. Use {DRAWS}.")
    n = len(treatments)
    values = np.zeros((draws, n))
    normal = stream(seed, "network-rankogram").standard_normal((draws, n - 1))
    values[:, 1:] = fit.potentials[1:] + normal @ np.linalg.cholesky(fit.covariance[1:, 1:]).T
    ranks = np.argsort(np.argsort(_side(small_values) * values, axis=1), axis=1)
    probabilities = np.stack([(ranks == rank).mean(axis=0) for rank in range(n)], axis=1)
    sucra = probabilities.cumsum(axis=1)[:, :-1].mean(axis=1)
    return Rankogram(treatments, probabilities, sucra, draws, seed)


def _side(small_values: str) -> float:
    if small_values not in ("good", "bad"):
        raise InputError(
            f"small_values is {small_values!r}; it can be good or bad. Say whether a small effect is good."
        )
    return 1.0 if small_values == "good" else -1.0
