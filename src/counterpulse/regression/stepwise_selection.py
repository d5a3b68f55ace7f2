"""Stepwise selection of the terms of a model: forward, backward or both, by P value, AIC or BIC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.regression.column_likelihood import ColumnLikelihood
from counterpulse.regression.nested_models import Fitted, Neighbor, Nest

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Direction = Literal["forward", "backward", "both"]
Criterion = Literal["p", "aic", "bic"]

LEAST_GAIN = 1e-7
"""A step that lowers AIC or BIC by less is none, as in R's ``step``."""

MOST_VISITS = 10
"""Steps for each candidate after which a selection ends in any case."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A term with the coefficients it brings together; `needs` are terms without which it has no place (by index)."""

    name: str
    columns: tuple[int, ...]
    needs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a selection; `criterion` is AIC or BIC of the model it led to, or None where P values decide."""

    step: int
    action: str
    term: str
    statistic: float
    df: float
    p_value: float
    criterion: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a selection found.

    Attributes
    ----------
    terms : positions of the chosen candidates, ascending
    path : the steps in order
    fitted : the chosen model
    """

    terms: tuple[int, ...]
    path: tuple[Step, ...]
    fitted: Fitted


@dataclass(slots=True)
class _Walk:
    """Where a selection stands."""

    candidates: Sequence[Candidate]
    keep: tuple[int, ...]
    nest: Nest
    penalty: float | None
    inside: frozenset[int]
    here: Fitted
    path: list[Step] = field(default_factory=list)

    def neighbors(self, *, adding: bool) -> list[Neighbor]:
        """The models with one term more, or with one less."""
        found = []
        for index, candidate in enumerate(self.candidates):
            if (index in self.inside) == adding or not self._may_move(index, candidate):
                continue
            columns = self.nest.free(self._columns(self.inside ^ {index}))
            df = len(columns) - len(self.here.columns)
            if adding and df == 0:
                continue
            found.append(Neighbor(index, columns, df, partial(self._price, df, len(columns))))
        return found

    def _may_move(self, index: int, candidate: Candidate) -> bool:
        """A main effect stays while a product with it is in, and comes before it."""
        if index in self.inside:
            return not any(index in self.candidates[other].needs for other in self.inside)
        return all(need in self.inside for need in candidate.needs)

    def _columns(self, inside: frozenset[int]) -> Indices:
        wanted = [*range(self.nest.likelihood.nuisance), *self.keep]
        wanted += [column for index in inside for column in self.candidates[index].columns]
        return np.unique(np.array(wanted, dtype=np.intp))

    def _price(self, df: int, parameters: int, value: float) -> tuple[float, float]:
        """Lower is better: the criterion, or P upward for a term that enters and downward for one that leaves."""
        if self.penalty is not None:
            return self.criterion(value, parameters), 0.0
        gain = 2 * (value - self.here.value)
        if df > 0:
            return self.nest.likelihood.tail(gain, df, parameters), -gain
        return -self.nest.likelihood.tail(-gain, max(1, -df), len(self.here.columns)), -gain

    def criterion(self, value: float, parameters: int) -> float:
        """Minus twice the log-likelihood and a penalty a parameter."""
        return (self.penalty or 0.0) * parameters - 2 * value

    def go(self, neighbor: Neighbor, fitted: Fitted) -> None:
        """Take a step and note it."""
        adding = neighbor.index not in self.inside
        statistic = 2 * abs(fitted.value - self.here.value)
        larger = max(len(neighbor.columns), len(self.here.columns))
        df = abs(neighbor.df)
        self.path.append(
            Step(
                step=len(self.path) + 1, action="enter" if adding else "leave",
                term=self.candidates[neighbor.index].name, statistic=statistic, df=float(df),
                p_value=self.nest.likelihood.tail(statistic, df, larger) if df else 1.0,
                criterion=None if self.penalty is None else self.criterion(fitted.value, len(neighbor.columns)),
            )
        )  # fmt: skip
        self.inside, self.here = self.inside ^ {neighbor.index}, fitted

    def move(self, neighbors: list[Neighbor], worth: float) -> bool:
        """Go to the best neighbor if its price is below `worth`."""
        best = self.nest.best(self.here, neighbors)
        if best is None or not best[0].price(best[1].value)[0] < worth:
            return False
        self.go(*best)
        return True


def stepwise(
    candidates: Sequence[Candidate],
    *,
    keep: Sequence[int] = (),
    likelihood: ColumnLikelihood,
    direction: Direction = "both",
    by: Criterion = "p",
    enter: float = 0.05,
    stay: float = 0.10,
) -> Selected:
    """Select terms step by step.

    Parameters
    ----------
    candidates : the terms that may come and go, each with all of its columns
    keep : coefficients that always stay
    direction : "forward" and "both" begin without a candidate, "backward" with all of them
    by : "p": the term with the lowest P value enters if it is below `enter`; the one with the highest leaves if it is
        not below `stay`; in "both", terms leave after every entry. "aic", "bic": the neighbor with the lowest
        criterion, as long as it is lower, as R's ``step`` does

    Returns
    -------
    Selected : the chosen terms and the path

    Raises
    ------
    InputError : `enter` is above `stay`, so that terms would come and go without end

    Notes
    -----
    P values are of likelihood-ratio tests (partial F tests for a linear model). BIC counts patients, and events for a
    time to event (Volinsky and Raftery 2000, doi:10.1111/j.0006-341X.2000.00256.x). Estimates and intervals of the
    chosen model take no account of the selection.
    """
    if by == "p" and direction == "both" and enter > stay:
        raise InputError(
            f"a term would enter at P < {enter:g} and leave at P >= {stay:g}; let `enter` be at most `stay`"
        )
    penalty = {"p": None, "aic": 2.0, "bic": log(max(likelihood.size, 1.0))}[by]
    nest = Nest.of(likelihood)
    inside = frozenset(range(len(candidates))) if direction == "backward" else frozenset()
    walk = _Walk(candidates, tuple(keep), nest, penalty, inside, Fitted(np.empty(0, np.intp), np.empty(0), 0.0))
    walk.here = nest.fit(walk._columns(inside))
    if penalty is None:
        _by_p_value(walk, direction, enter, stay)
    else:
        _by_criterion(walk, direction)
    return Selected(terms=tuple(sorted(walk.inside)), path=tuple(walk.path), fitted=walk.here)


def _by_p_value(walk: _Walk, direction: Direction, enter: float, stay: float) -> None:
    for _ in range(MOST_VISITS * max(1, len(walk.candidates))):
        entered = direction != "backward" and walk.move(walk.neighbors(adding=True), enter)
        left = direction != "forward" and _leave(walk, stay)
        if not (entered or left):
            return


def _leave(walk: _Walk, stay: float) -> bool:
    """Terms leave one by one; whether any did."""
    before = walk.inside
    while walk.move(walk.neighbors(adding=False), np.nextafter(-stay, np.inf)):
        pass
    return walk.inside != before


def _by_criterion(walk: _Walk, direction: Direction) -> None:
    for _ in range(MOST_VISITS * max(1, len(walk.candidates))):
        neighbors = walk.neighbors(adding=False) if direction != "forward" else []
        if direction != "backward":
            neighbors += walk.neighbors(adding=True)
        if not walk.move(neighbors, walk.criterion(walk.here.value, len(walk.here.columns)) - LEAST_GAIN):
            return


def univariable(candidates: Sequence[Candidate], *, likelihood: ColumnLikelihood) -> tuple[Step, ...]:
    """Each candidate alone in a model.

    Parameters
    ----------
    candidates : the terms, each with all of its columns
    likelihood : of all columns

    Returns
    -------
    tuple of Step : one a candidate, in their order; the likelihood-ratio test (partial F) against no term at all
    """
    nest = Nest.of(likelihood)
    nuisance = np.arange(likelihood.nuisance)
    null = nest.fit(nuisance)
    found = []
    for position, candidate in enumerate(candidates):
        alone = nest.fit(np.append(nuisance, np.array(candidate.columns, dtype=np.intp)))
        df = len(alone.columns) - len(null.columns)
        statistic = max(0.0, 2 * (alone.value - null.value))
        p_value = likelihood.tail(statistic, df, len(alone.columns)) if df else 1.0
        found.append(
            Step(step=position + 1, action="alone", term=candidate.name, statistic=statistic, df=float(df),
                 p_value=p_value, criterion=None)
        )  # fmt: skip
    return tuple(found)
