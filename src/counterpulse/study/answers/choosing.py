"""One selection of covariates, by the rule of the plan, on one likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from counterpulse import regression
from counterpulse.protocol.plan import PlannedSelection
from counterpulse.regression import Candidate, ColumnLikelihood, LassoFit, Selected, Step
from counterpulse.regression.nested_models import Nest
from counterpulse.regression.stepwise_selection import Direction

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a selection chose.

    Attributes
    ----------
    terms : positions of the chosen candidates, ascending
    path : its steps
    at : coefficients of the chosen model without a penalty, of the scaled columns; shape (p,)
    inside : the coefficients that were estimated
    lasso, nonzero : the path of a lasso, and how many terms are in at each penalty
    """

    terms: tuple[int, ...]
    path: tuple[Step, ...]
    at: Floats
    inside: Indices
    lasso: LassoFit | None = None
    nonzero: tuple[int, ...] = ()

    def coefficients(self, columns: Sequence[int], scale: Floats) -> Floats:
        """In the units of the table, nan where one was not estimated."""
        wanted = np.array(columns, dtype=np.intp)
        values: Floats = np.where(np.isin(wanted, self.inside), self.at[wanted] / scale[wanted], np.nan)
        return values


def choose(
    selection: PlannedSelection, candidates: Sequence[Candidate], keep: Sequence[int], likelihood: ColumnLikelihood,
    units: Indices, random: np.random.Generator,
) -> Chosen:  # fmt: skip
    """Select by screening, stepwise or by the lasso; `units` are the patients (or clusters) that share a fold."""
    path: tuple[Step, ...] = ()
    left = tuple(range(len(candidates)))
    limit = selection.enter if selection.method == "screen" else selection.screen
    if limit is not None:
        path = regression.univariable(candidates, likelihood=likelihood)
        left = tuple(index for index, step in enumerate(path) if step.p_value < limit)
    if selection.method == "lasso":
        found = _lasso(selection, [candidates[index] for index in left], keep, likelihood, units, random)
    elif selection.method == "screen":
        found = _together([candidates[index] for index in left], keep, likelihood)
    else:
        walked = regression.stepwise(
            _renumbered(candidates, left), keep=keep, likelihood=likelihood, direction=DIRECTIONS[selection.method],
            by=selection.by, enter=selection.enter, stay=selection.stay,
        )  # fmt: skip
        found = _chosen(walked)
    return replace(found, terms=tuple(left[index] for index in found.terms), path=(*path, *found.path))


DIRECTIONS: dict[str, Direction] = {"stepwise": "both", "forward": "forward", "backward": "backward"}


def _renumbered(candidates: Sequence[Candidate], left: Sequence[int]) -> list[Candidate]:
    """The candidates that are left, with products pointing to where their main effects now stand."""
    place = {index: position for position, index in enumerate(left)}
    return [
        replace(candidates[index], needs=tuple(place[need] for need in candidates[index].needs if need in place))
        for index in left
    ]


def _chosen(walked: Selected) -> Chosen:
    return Chosen(terms=walked.terms, path=walked.path, at=walked.fitted.at, inside=walked.fitted.columns)


def _together(candidates: Sequence[Candidate], keep: Sequence[int], likelihood: ColumnLikelihood) -> Chosen:
    """One model of all that are left."""
    columns = [
        *range(likelihood.nuisance),
        *keep,
        *(column for candidate in candidates for column in candidate.columns),
    ]
    fitted = Nest.of(likelihood).fit(np.unique(np.array(columns, dtype=np.intp)))
    return Chosen(terms=tuple(range(len(candidates))), path=(), at=fitted.at, inside=fitted.columns)


def _lasso(
    selection: PlannedSelection, candidates: Sequence[Candidate], keep: Sequence[int], likelihood: ColumnLikelihood,
    units: Indices, random: np.random.Generator,
) -> Chosen:  # fmt: skip
    """The terms with a coefficient at the chosen penalty, refitted without one."""
    allowed = [column for candidate in candidates for column in candidate.columns]
    fold_of = np.empty(int(units.max(initial=-1)) + 1, dtype=np.intp)
    present = np.unique(units)
    fold_of[present] = random.permutation(np.arange(len(present)) % selection.folds)
    fit = regression.lasso(likelihood, penalized=allowed, keep=keep, folds=fold_of[units], rule=selection.rule)
    inside = np.array([fit.coefficients[list(candidate.columns)].any(axis=0) for candidate in candidates])
    inside = inside.reshape(len(candidates), len(fit.penalties))
    terms = tuple(int(index) for index in np.flatnonzero(inside[:, fit.chosen]))
    refitted = _together([candidates[index] for index in terms], keep, likelihood)
    return replace(refitted, terms=terms, lasso=fit, nonzero=tuple(int(count) for count in inside.sum(axis=0)))
