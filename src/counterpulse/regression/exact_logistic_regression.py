"""Exact conditional logistic regression, for tables so small that large-sample theory fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, nan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import DesignColumn, DesignSpec, build_design
from counterpulse.data.terms import Term
from counterpulse.numerics.linear_algebra import center_and_scale, independent_columns, weighted_gram
from counterpulse.regression.exact_distribution import ConditionalDistribution, conditional_distribution
from counterpulse.regression.model_rows import Rows, check_level, read_rows, single_level_terms, spec_of_no_rows
from counterpulse.regression.outcome import event_sign
from counterpulse.results.estimate import Estimate, Interval
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]
MEASURE = "odds ratio"
MOST_DECIMALS = 4
INTERVAL = "exact, each tail half"
MEDIAN_UNBIASED = "Median unbiased: the conditional maximum-likelihood estimate is infinite."

PROVENANCE = Provenance(
    "exact conditional logistic regression",
    (
        Choice(
            "estimate",
            "conditional maximum likelihood, median unbiased where that is infinite",
            "default",
            "hirji-1987",
        ),
        Choice("interval", "exact, each tail half of one less the level", "default", "mehta-patel-1995"),
        Choice("p value", "twice the smaller tail", "default", "mehta-patel-1995"),
    ),
    ("hirji-1987", "mehta-patel-1995"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactLogisticFit:
    """Exact inference on each odds ratio, given the sufficient statistics of all others and of the intercept.

    Attributes
    ----------
    odds_ratios : one a column of the terms, on the log scale
    outcome : its column
    events : among the rows used
    rows : the rows used
    spec : the coding of the terms
    status : of the fit as a whole; each odds ratio has its own
    """

    odds_ratios: tuple[Estimate, ...]
    outcome: str
    events: int
    rows: Rows
    spec: DesignSpec
    status: Status = Status.OK
    provenance: Provenance = PROVENANCE

    @property
    def n(self) -> int:
        """Rows used."""
        return self.rows.n

    @property
    def n_missing(self) -> int:
        """Rows left out for a missing value."""
        return self.rows.n_missing

    @property
    def rows_used(self) -> NDArray[np.intp]:
        """Positions of the rows used in the table, shape (n,)."""
        return self.rows.used

    def estimates(self) -> tuple[Estimate, ...]:
        """Odds ratios on the log scale; there is no intercept, which is conditioned on."""
        return self.odds_ratios

    def tidy(self) -> pl.DataFrame:
        """Odds ratios with exact intervals and p-values, one row a coefficient."""
        return tidy(self.odds_ratios)

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        return pl.DataFrame(
            {"n": self.n, "events": self.events, "n_missing": self.n_missing, "status": self.status.code}
        )


def exact_logistic(
    table: pl.DataFrame, *, outcome: str, terms: Sequence[Term], level: float = 0.95
) -> ExactLogisticFit:
    """Odds ratios of a binary outcome with exact intervals and p-values, whatever the size of the table.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : a yes/no column, a 0/1 number, or text of two levels of which the second is the event
    terms : column names or `Numeric`, `Categorical`, `Interaction`; numbers have at most 4 decimals
    level : of the intervals

    Raises
    ------
    InputError : a column is absent or cannot be used

    Notes
    -----
    Inference on a coefficient rests on the distribution of its sufficient statistic given those of the others, which is
    counted completely. The estimate is the conditional maximum-likelihood one, or the median unbiased one where that is
    infinite (perfect prediction); the ends of the interval are where each tail has half of ``1 - level``; the p value is
    twice the smaller tail. Exact intervals are conservative: they cover more often than their level. Where the counting is
    too long the coefficient says so (``Status.TOO_LARGE``); where the others leave the statistic no choice (many
    distinct values, say) it is ``Status.UNDEFINED``.

    References
    ----------
    Cox and Snell 1989, Analysis of Binary Data, section 2.1; Hirji, Mehta and Patel 1987,
    doi:10.1080/01621459.1987.10478547; Mehta and Patel 1995, doi:10.1002/sim.4780141908.
    """
    rows = read_rows(table, outcome=outcome, terms=terms, weights=None, cluster=None)
    check_level(level)
    sign = event_sign(rows.column(table, outcome), table[outcome])
    blank = ExactLogisticFit(
        odds_ratios=(), outcome=outcome, events=int((sign > 0).sum()), rows=rows, spec=DesignSpec((), True)
    )
    if rows.n == 0:
        return _unfitted(blank, terms, spec_of_no_rows(table, terms), Status.NO_ROWS)
    design = build_design(table, terms, intercept=True, rows=rows.used)
    if design.spec.without_knots:
        return _unfitted(blank, terms, design.spec, Status.FEW_VALUES)
    if blank.events in (0, rows.n):
        return _unfitted(blank, terms, design.spec, Status.ALL_EVENTS if blank.events else Status.NO_EVENTS)
    statuses = _statuses(design.X)
    active = [j for j, status in enumerate(statuses) if status is Status.OK]
    whole, unit = _whole_numbers(design.X[:, active])
    found: list[Estimate] = []
    for j, (column, status) in enumerate(zip(design.columns, statuses, strict=True)):
        if j:
            found.append(
                _odds_ratio(column, status, whole, unit, sign > 0, active.index(j) if j in active else 0, level)
            )
    found += [_nothing(name, name, None, Status.CONSTANT) for name in single_level_terms(terms, design.spec)]
    return replace(blank, odds_ratios=tuple(found), spec=design.spec)


def _unfitted(
    blank: ExactLogisticFit, terms: Sequence[Term], spec: DesignSpec, status: Status
) -> ExactLogisticFit:  # fmt: skip
    columns = (_nothing(column.term, column.variable, column.reference, status) for column in spec.columns[1:])
    absent = (_nothing(name, name, None, status) for name in single_level_terms(terms, spec))
    return replace(blank, odds_ratios=(*columns, *absent), spec=spec, status=status)


def _nothing(term: str, variable: str, reference: str | None, status: Status) -> Estimate:
    return Estimate(
        term=term, variable=variable, reference=reference, measure=MEASURE, scale="log", value=nan, status=status
    )


def _statuses(X: Floats) -> list[Status]:
    """Which columns have a coefficient."""
    scaled = X.copy(order="F")
    _, scale = center_and_scale(scaled[:, 1:])
    independent = independent_columns(weighted_gram(scaled))
    return [
        Status.OK if good else Status.CONSTANT if width == 0 else Status.RANK_DEFICIENT
        for good, width in zip(independent, np.append(1.0, scale), strict=True)
    ]


def _whole_numbers(X: Floats) -> tuple[NDArray[np.int64] | None, Floats]:
    """The columns as small whole numbers from zero on, and the size of one step of each; None for too many decimals."""
    whole, unit = np.ones(X.shape, dtype=np.int64), np.ones(X.shape[1])
    for j in range(1, X.shape[1]):
        shifted = (X[:, j] - X[:, j].min()) * 10.0**MOST_DECIMALS
        steps = np.round(shifted)
        if np.abs(shifted - steps).max() > 1e-6 * max(1.0, float(steps.max()) * 1e-6) or steps.max() > 2.0**52:
            return None, unit
        divisor = np.gcd.reduce(steps.astype(np.int64))
        whole[:, j], unit[j] = steps.astype(np.int64) // divisor, divisor / 10.0**MOST_DECIMALS
    return whole, unit


def _odds_ratio(
    column: DesignColumn, status: Status, whole: NDArray[np.int64] | None, unit: Floats, event: NDArray[np.bool_],
    position: int, level: float,
) -> Estimate:  # fmt: skip
    nothing = _nothing(column.term, column.variable, column.reference, status)
    if status is not Status.OK:
        return nothing
    if whole is None:
        return replace(nothing, status=Status.TOO_LARGE)
    patterns, inverse, sizes = np.unique(whole, axis=0, return_inverse=True, return_counts=True)
    events = np.bincount(inverse.ravel(), weights=event).astype(np.int64)
    found = conditional_distribution(patterns, sizes.astype(np.int64), events, position)
    if isinstance(found, Status):
        return replace(nothing, status=found)
    if len(found.support) == 1:
        return replace(nothing, status=Status.UNDEFINED, notes=("The other covariates leave this one no choice.",))
    return _inference(nothing, found, float(unit[position]), level)


def _inference(nothing: Estimate, found: ConditionalDistribution, unit: float, level: float) -> Estimate:
    """Estimate, interval and p value, per unit of the covariate."""
    half = (1 - level) / 2
    lowest, highest = found.observed == 0, found.observed == len(found.support) - 1
    low = -inf if lowest else found.solve(lambda beta: found.tails(beta)[1] - half)
    high = inf if highest else found.solve(lambda beta: half - found.tails(beta)[0])
    if lowest:
        value = found.solve(lambda beta: 0.5 - found.tails(beta)[0])
    elif highest:
        value = found.solve(lambda beta: found.tails(beta)[1] - 0.5)
    else:
        value = found.solve(found.mean_excess)
    return replace(
        nothing,
        value=value / unit,
        std_error=None if found.at_end else found.std_error(value) / unit,
        interval=Interval(low / unit, high / unit, level, INTERVAL),
        p_value=min(1.0, 2 * min(found.tails(0.0))),
        status=Status.OK,
        notes=(MEDIAN_UNBIASED,) if found.at_end else (),
    )
