"""Weights of person-periods: inverse probabilities of keeping to a treatment, and of staying under observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import complete_rows
from counterpulse.data.terms import Term, variables_of
from counterpulse.emulation.person_periods import PersonPeriods, Trials
from counterpulse.errors import InputError
from counterpulse.regression.logistic_regression import logistic
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

KEPT = "(kept)"

MOST_LOG_WEIGHT = 100.0
"""Logarithms of weights beyond this are held here, so that they stay finite; such weights have a status."""


class WeightsUnfittedError(Exception):
    """A model of the weights has no fit; `status` says why."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.text)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightModel:
    """The terms of a weight: of its numerator (none: the proportion) and of its denominator."""

    numerator: tuple[Term, ...]
    denominator: tuple[Term, ...]

    def names(self) -> list[str]:
        """Columns that the terms read."""
        return [name for term in (*self.numerator, *self.denominator) for name in variables_of(term)]


def weight_model(numerator: Sequence[Term], denominator: Sequence[Term] | None) -> WeightModel | None:
    """The model, or None where there is no denominator."""
    if denominator is None:
        return None
    return WeightModel(numerator=tuple(numerator), denominator=tuple(denominator))


def log_ratios(person: PersonPeriods, model: WeightModel, *, kept: Bools, rows: Bools, counts: Floats | None) -> Floats:
    """Logarithm of numerator over denominator of the probability of `kept`, by previous treatment; shape (n,).

    Parameters
    ----------
    kept : what the models predict, shape (n,)
    rows : rows the models are fitted to; the others have 0
    counts : how often each row counts, shape (n,), or None; rows that do not count have 0
    """
    incomplete = int((~complete_rows(person.frame.filter(pl.Series(rows)), model.names())).sum())
    if incomplete:
        raise InputError(f"{incomplete} rows lack a covariate of the weights; impute it, or leave it out of the models")
    ratios, counted = np.zeros(len(rows)), rows if counts is None else rows & (counts > 0)
    for arm in (False, True):
        own = np.flatnonzero(counted & (person.previous == arm))
        if kept[own].all() or not kept[own].any():
            continue
        weights = None if counts is None else counts[own]
        train = person.frame[own].with_columns(pl.Series(KEPT, kept[own]))
        numerator, denominator = (_probability(train, terms, weights) for terms in (model.numerator, model.denominator))
        ratios[own] = np.log(numerator) - np.log(denominator)
    return ratios


def _probability(train: pl.DataFrame, terms: tuple[Term, ...], weights: Floats | None) -> Floats:
    if not terms:
        share = np.average(train[KEPT].to_numpy(), weights=weights)
        return np.full(train.height, float(share))
    fit = logistic(train, outcome=KEPT, terms=list(terms), weights=weights)
    if fit.status is not Status.OK:
        raise WeightsUnfittedError(Status.DEVIATION_PREDICTED if fit.status is Status.SEPARATION else fit.status)
    return fit.predict(train)


def trial_weights(
    person: PersonPeriods, trials: Trials, *, switching: WeightModel | None, leaving: WeightModel | None,
    observed: Bools | None, at_risk: Bools, followed: Bools, counts: Floats | None,
) -> Floats:  # fmt: skip
    """Weights of the rows of follow-up, shape (m,): products over the periods since the trial began.

    Keeping to the treatment counts from the second period to the row's own; staying under observation from the first
    period to the one before the row's.
    """
    sums = np.zeros(len(trials.row))
    if switching is not None:
        kept = person.treated == person.previous
        total = np.cumsum(log_ratios(person, switching, kept=kept, rows=at_risk, counts=counts))
        sums += total[trials.row] - total[trials.start[trials.trial]]
    if leaving is not None and observed is not None:
        total = np.cumsum(log_ratios(person, leaving, kept=observed, rows=followed, counts=counts))
        before = np.concatenate(([0.0], total))
        sums += before[trials.row] - before[trials.start[trials.trial]]
    return np.exp(np.minimum(sums, MOST_LOG_WEIGHT))
