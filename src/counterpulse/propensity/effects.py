"""Means and risks compared after matching or weighting, with the variance that goes with how the sample was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import is_categorical
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import cluster_sums
from counterpulse.propensity.matched_pairs import Matching
from counterpulse.propensity.score import PropensityScore
from counterpulse.propensity.treatment import Units
from counterpulse.propensity.weighted_sample import Weighting
from counterpulse.propensity.weighting import TARGETS, balancing_weights
from counterpulse.regression.marginal_effect import TwoMeans
from counterpulse.regression.outcome import event_sign, number
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]

WARNINGS = (Status.FEWER_CONTROLS, Status.EXTREME_WEIGHTS)
"""Warnings beside which there are still matched or weighted patients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMeans:
    """The means (risks) of an outcome in the treated and the controls that are comparable.

    Attributes
    ----------
    two : the two means with their covariance
    estimand : whom the effect is among
    binary : whether the outcome is, so that the means are risks
    n, n_missing : patients with a weight and an outcome; with a weight and no outcome
    influence : of the patients used on the two means, shape (n, 2)
    """

    two: TwoMeans
    estimand: str
    binary: bool
    n: int
    n_missing: int
    status: Status
    provenance: Provenance
    influence: Floats = field(repr=False)

    def estimates(self) -> tuple[Estimate, ...]:
        """Risks, risk ratio, risk difference and marginal odds ratio, or means and their difference."""
        return (*self.two.risks(), self.two.odds_ratio()) if self.binary else self.two.numbers()

    def tidy(self) -> pl.DataFrame:
        """Lay out the estimates on the natural scale."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the comparison in one row."""
        return pl.DataFrame(
            {"n": self.n, "n_missing": self.n_missing, "estimand": self.estimand, "status": self.status.code}
        )


def matched_effect(matching: Matching, *, outcome: str, level: float = 0.95) -> ComparedMeans:
    """Compare an outcome between matched patients.

    Parameters
    ----------
    matching : of the table that holds the outcome
    outcome : a yes/no or 0/1 column (risks), text of two levels, or a number (means)
    level : of the intervals

    Notes
    -----
    The variance is robust to matched sets, with the factor G / (G - 1) for G sets (Abadie and Spiess 2022). After
    matching with replacement it is robust to single patients.

    References
    ----------
    Abadie and Spiess 2022, doi:10.1080/01621459.2020.1840383
    """
    units, status = matching.score.units, matching.status
    values, binary = _outcome(matching.table, outcome, units)
    weights = matching.weights[units.rows]
    sets = matching.sets[units.rows]
    means, influence = _means(values, weights, units)
    used = (weights > 0) & ~np.isnan(values)
    factor, sums = 1.0, influence[used]
    if (sets >= 0).any():
        names, codes = np.unique(sets[used], return_inverse=True)
        sums = cluster_sums(sums, codes.astype(np.intp), len(names))
        factor = len(names) / (len(names) - 1) if len(names) > 1 else np.nan
    choice = Choice(
        "variance", "robust by matched set" if (sets >= 0).any() else "robust", "derived", "abadie-spiess-2022"
    )
    return _compared(
        matching.table, matching.score.treatment, means, factor * sums.T @ sums, level, status, matching.estimand, binary,
        influence, int(used.sum()), int(((weights > 0) & np.isnan(values)).sum()),
        Provenance(method="effect in matched patients", choices=(choice,), citations=("abadie-spiess-2022",)),
    )  # fmt: skip


def weighted_effect(weighting: Weighting, *, outcome: str, level: float = 0.95) -> ComparedMeans:
    """Compare an outcome between weighted patients.

    Parameters
    ----------
    weighting : of two treatments by a logistic score, of the table that holds the outcome
    outcome : a yes/no or 0/1 column (risks), text of two levels, or a number (means)
    level : of the intervals

    Raises
    ------
    InputError : more than two treatments, truncated weights or entropy balancing, for which there is no such variance

    Notes
    -----
    Means divided by the sum of weights. The variance stacks the equations of the score under those of the means, so it
    knows that the weights are estimated; who is trimmed counts as given.

    References
    ----------
    Lunceford and Davidian 2004, doi:10.1002/sim.1903; Stefanski and Boos 2002, doi:10.1198/000313002753631330
    """
    if len(weighting.groups.names) != 2:
        raise InputError("the weighted comparison is of two treatments")
    chosen = {choice.name: choice.value for choice in weighting.provenance.choices}
    if chosen["score"] != "logistic" or chosen["truncate"] is not None:
        raise InputError(
            "the stacked variance is for weights of a logistic score that are not truncated; bootstrap others"
        )
    units = weighting.groups.pair(1, 0)
    values, binary = _outcome(weighting.table, outcome, units)
    weights = weighting.weights[units.rows]
    means, influence = _means(values, weights, units)
    if weighting.score is not None and np.isfinite(means).all():
        influence = influence + _of_the_score(weighting, weighting.score, values, means, weights)
    known = ~np.isnan(values)
    return _compared(
        weighting.table, "treatment" if weighting.score is None else weighting.score.treatment, means, influence.T @ influence,
        level, weighting.status, weighting.estimand, binary, influence, int((known & (weights > 0)).sum()),
        int((~known & (weights > 0)).sum()),
        Provenance(
            method="effect in weighted patients", citations=("lunceford-davidian-2004", "stefanski-boos-2002"),
            choices=(Choice("variance", "stacked estimating equations", "default", "stefanski-boos-2002"),),
        ),
    )  # fmt: skip


def _outcome(table: pl.DataFrame, name: str, units: Units) -> tuple[Floats, bool]:
    """The outcome of the units, nan where unknown, and whether it is binary."""
    if name not in table.columns:
        raise InputError(f"the table has no column '{name}'")
    column = units.column(table, name)
    column = column.fill_nan(None) if column.dtype.is_float() else column
    known = column.is_not_null().to_numpy()
    values = np.full(len(column), np.nan)
    binary = is_categorical(column) or column.dtype == pl.Boolean
    if binary:
        values[known] = (event_sign(column.drop_nulls(), table[name]) + 1) / 2
    else:
        values[known] = number(column.drop_nulls())
        binary = bool(known.any() and np.isin(values[known], (0.0, 1.0)).all())
    return values, binary


def _means(values: Floats, weights: Floats, units: Units) -> tuple[Floats, Floats]:
    """Weighted means, the treated first, and the influence of each unit on them, shape (n, 2); nan without patients."""
    known = ~np.isnan(values)
    means, influence = np.full(2, np.nan), np.zeros((len(values), 2))
    for k, side in enumerate((units.treated, ~units.treated)):
        mine = side & known
        total = float(weights[mine].sum())
        if total > 0:
            means[k] = float(weights[mine] @ values[mine]) / total
            influence[mine, k] = weights[mine] * (values[mine] - means[k]) / total
    return means, influence


# How a weight changes with the logit of the score, from the score of the treated and of the controls.
SLOPES: Mapping[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = {
    "ATE": (lambda e: -(1 - e) / e, lambda e: e / (1 - e)),
    "ATT": (np.zeros_like, lambda e: e / (1 - e)),
    "ATC": (lambda e: -(1 - e) / e, np.zeros_like),
    "ATO": (lambda e: -e * (1 - e), lambda e: e * (1 - e)),
    "ATM": (lambda e: np.where(e > 0.5, -(1 - e) / e, 0.0), lambda e: np.where(e < 0.5, e / (1 - e), 0.0)),
}


def _of_the_score(
    weighting: Weighting, score: PropensityScore, values: Floats, means: Floats, weights: Floats
) -> Floats:
    """What each unit adds to the means by way of the coefficients of the score, shape (n, 2)."""
    if score.model is None or score.model.scaled is None:
        return np.zeros((len(values), 2))
    fit, units = score.model.scaled, score.units
    X = fit.scaling.matrix(weighting.table, units.rows)
    chance = score.probability
    by_score = X * (units.treated - chance)[:, None] @ fit.bread
    out = np.zeros((len(values), 2))
    for k, side in enumerate((units.treated, ~units.treated)):
        mine = side & ~np.isnan(values) & (weights > 0)
        slope = np.where(mine, SLOPES[weighting.target][k](chance), 0.0)
        slope *= _stabilizer(weighting, mine)
        residual = np.where(mine, np.nan_to_num(values) - means[k], 0.0)
        out[:, k] = by_score @ (X.T @ (slope * residual)) / weights[mine].sum()
    return out


def _stabilizer(weighting: Weighting, mine: NDArray[np.bool_]) -> float:
    """The constant by which the weights of a group were multiplied."""
    codes = weighting.groups.codes
    first = int(np.argmax(mine))
    target = TARGETS[weighting.target]
    focal = 0 if weighting.focal is None else weighting.groups.code_of(weighting.focal)
    plain = balancing_weights(weighting.probabilities[[first]], codes[[first]], target, focal)
    return float(weighting.weights[weighting.groups.rows[first]] / plain[0])


def _compared(
    table: pl.DataFrame, treatment: str, means: Floats, covariance: Floats, level: float, status: Status, estimand: str,
    binary: bool, influence: Floats, n: int, n_missing: int, provenance: Provenance,
) -> ComparedMeans:  # fmt: skip
    failed = Status.OK if status in WARNINGS and np.isfinite(means).all() else status
    if failed is Status.OK and not np.isfinite(means).all():
        failed = Status.EMPTY_GROUP
    two = TwoMeans(
        variable=treatment, treated="treated", reference="control", means=means, covariance=covariance, level=level,
        status=failed,
    )  # fmt: skip
    return ComparedMeans(
        two=two, estimand=estimand, binary=binary, n=n, n_missing=n_missing,
        status=status if status is not Status.OK else failed, provenance=provenance, influence=influence,
    )  # fmt: skip
