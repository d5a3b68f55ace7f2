"""Nearest-neighbor matching on a score: greedy, in a named order, under calipers and exact covariates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from counterpulse.numerics.random_streams import stream
from counterpulse.propensity._kernels import match_greedily

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]
Order = Literal["largest", "smallest", "closest", "farthest", "data", "random"]

COMPILED_FROM = 20_000
"""Treated units from which on a compiled loop is worth the half second it takes to load."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Who chooses first: the treated in an order, or (`by_distance` 1, -1) the pair that is closest or farthest apart."""

    of_treated: Callable[[Floats, int], Codes]
    by_distance: float = 0.0


def _data(score: Floats, seed: int) -> Codes:
    return np.arange(len(score))


def _random(score: Floats, seed: int) -> Codes:
    return stream(seed, "propensity matching").permutation(len(score))


ORDERS: Mapping[Order, Turns] = {
    "largest": Turns(lambda score, seed: np.argsort(-score, kind="stable")),
    "smallest": Turns(lambda score, seed: np.argsort(score, kind="stable")),
    "closest": Turns(_data, 1.0),
    "farthest": Turns(_data, -1.0),
    "data": Turns(_data),
    "random": Turns(_random),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rules:
    """Which pairs may be made.

    Attributes
    ----------
    order, seed : who chooses first; the seed is for a random order
    wanted : how many controls each treated unit may have, shape (treated,)
    width : the caliper on the score, inclusive; infinite where there is none
    strata : codes within which pairs are made, shape (n,), or None
    near, limits : covariates, shape (n, q), and how far apart a pair may lie in each, shape (q,); a limit below zero asks
        for farther apart than that
    apart : codes that must differ within a pair, shape (n, a)
    replace : whether a control may be used again
    """

    order: Order
    seed: int
    wanted: Codes
    width: float
    strata: Codes | None
    near: Floats
    limits: Floats
    apart: Codes
    replace: bool


def nearest_controls(score: Floats, treated: Mask, rules: Rules) -> Codes:
    """Match every treated unit with its nearest controls.

    Parameters
    ----------
    score, treated : shape (n,)

    Returns
    -------
    NDArray : shape (treated, rounds), the unit each is matched with in each round, -1 for none
    """
    sorted_units = np.argsort(score, kind="stable") if rules.strata is None else np.lexsort((score, rules.strata))
    position = np.empty(len(score), dtype=np.int64)
    position[sorted_units] = np.arange(1, len(score) + 1)
    units = np.flatnonzero(treated)
    turns = ORDERS[rules.order]
    turn = turns.of_treated(score[units], rules.seed)
    partner = np.full((len(units), int(rules.wanted.max(initial=0))), -1, dtype=np.int64)
    strata = np.zeros(len(score), dtype=np.int64) if rules.strata is None else rules.strata
    loop = _compiled() if len(units) >= COMPILED_FROM and find_spec("numba") else match_greedily
    loop(
        _with_sentinels(score[sorted_units]), _with_sentinels(strata[sorted_units]),
        _free_controls(treated[sorted_units]), position[units[turn]], rules.wanted[turn], rules.width,
        _with_sentinels(rules.near[sorted_units]), rules.limits, _with_sentinels(rules.apart[sorted_units]),
        rules.replace, turns.by_distance, partner,
    )  # fmt: skip
    matched = np.empty_like(partner)
    matched[turn] = np.where(partner < 0, -1, sorted_units[partner - 1])
    return matched


def _with_sentinels(values: NDArray[Any]) -> NDArray[Any]:
    """Put an empty row before the first and after the last."""
    out = np.zeros((len(values) + 2, *values.shape[1:]), dtype=values.dtype)
    out[1:-1] = values
    return out


def _free_controls(treated: Mask) -> Codes:
    """Point every position at the nearest control at or beside it, to the left (row 0) and to the right (row 1)."""
    place = np.arange(len(treated) + 2)
    control = np.concatenate(([True], ~treated, [True]))
    left = np.maximum.accumulate(np.where(control, place, 0))
    right = np.minimum.accumulate(np.where(control, place, place[-1])[::-1])[::-1]
    return np.ascontiguousarray(np.vstack((left, right)))


@cache
def _compiled() -> Any:  # noqa: ANN401  (numba has no types)
    from numba import njit

    try:
        return njit(cache=True, error_model="numpy")(match_greedily)
    except RuntimeError:  # no folder to keep the compiled loop in
        return njit(error_model="numpy")(match_greedily)
