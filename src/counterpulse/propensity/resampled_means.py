"""Means of an outcome in samples drawn again: of matched sets, or of patients whose weights are made anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.terms import variables_of
from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.propensity.outcome_means import Groups, OutcomeModel, means_of
from counterpulse.propensity.statuses import WARNINGS
from counterpulse.propensity.weighted_sample import Weighting, weight
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def resample_sets(
    groups: Groups, weights: Floats, sets: Codes, model: OutcomeModel | None, draws: int, seed: int
) -> Floats:
    """Draw matched sets with replacement; the means of each draw, shape (draws, k), nan where there are none.

    Parameters
    ----------
    weights, sets : of the units, shape (n,); the set is -1 for who is in none
    """
    names, codes = np.unique(sets[sets >= 0], return_inverse=True)
    found = np.empty((draws, len(groups.names)))
    for draw in range(draws):
        picked = stream(seed, "bootstrap of matched sets", draw).integers(len(names), size=len(names))
        times = np.zeros(len(weights))
        times[sets >= 0] = np.bincount(picked, minlength=len(names))[codes]
        found[draw] = means_of(groups, weights * times, model).values
    return found


def resample_patients(
    weighting: Weighting, groups_of: Callable[[Weighting, str], Groups], outcome: str, model: OutcomeModel | None,
    draws: int, seed: int,
) -> Floats:  # fmt: skip
    """Draw patients with replacement and weigh them anew; the means of each draw, shape (draws, k), nan where none.

    A draw in which the weighting fails, or a group is lost, has no means.
    """
    words = weighting.words
    terms = (*words.covariates, *(() if model is None else model.covariates))
    columns = dict.fromkeys((words.treatment, outcome, *(name for term in terms for name in variables_of(term))))
    rows = weighting.groups.rows
    table = weighting.table.select(list(columns))[rows].with_columns(
        pl.Series(outcome, groups_of(weighting, outcome).values, nan_to_null=True)
    )
    given = None if words.score is None else weighting.probabilities[:, 1]
    names = weighting.groups.names
    found = np.full((draws, len(names)), np.nan)
    for draw in range(draws):
        picked = stream(seed, "bootstrap of weighted patients", draw).integers(len(rows), size=len(rows))
        again = _weighed_again(table[picked], weighting, None if given is None else given[picked])
        if again is not None and again.groups.names == names:
            groups = groups_of(again, outcome)
            found[draw] = means_of(groups, again.weights[again.groups.rows], model).values
    return found


def _weighed_again(table: pl.DataFrame, weighting: Weighting, score: Floats | None) -> Weighting | None:
    words = weighting.words
    try:
        again = weight(
            table, treatment=words.treatment, covariates=words.covariates, score=score, estimand=words.estimand,
            method=words.method, focal=words.focal, stabilize=words.stabilize, trim=words.trim,
            trim_percentile=words.trim_percentile, truncate=words.truncate,
        )  # fmt: skip
    except InputError:  # a draw without one of the treatments
        return None
    return again if again.status is Status.OK or again.status in WARNINGS else None
