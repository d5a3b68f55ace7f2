"""Means of an outcome in weighted groups: as they are, or standardized by a model of the outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import is_categorical
from counterpulse.data.terms import Interaction, Term
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.regression.linear_regression import linear
from counterpulse.regression.logistic_regression import logistic
from counterpulse.regression.outcome import event_sign, number
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]
Population = Literal["sampled", "fixed"]

TREATMENT = "(treatment)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Who is compared, as arrays of shape (n,).

    Attributes
    ----------
    frame : the n rows
    codes : of the group, into `names`
    outcome, values, binary : its column; its values, nan where unknown; whether it is binary
    target : weights of whom standardized means are over, or None for the weighted patients themselves
    """

    frame: pl.DataFrame
    codes: Codes
    names: tuple[str, ...]
    outcome: str
    values: Floats
    binary: bool
    target: Floats | None

    @property
    def known(self) -> Mask:
        """Whose outcome is known."""
        return ~np.isnan(self.values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Means:
    """A mean for each of k groups.

    Attributes
    ----------
    values : shape (k,), nan where there is none
    influence : of each row with the weights as given, shape (n, k)
    by_weight : derivatives of the means in the weights, shape (n, k)
    used : who has a weight, an outcome and the covariates, shape (n,)
    status : of the model of the outcome
    """

    values: Floats
    influence: Floats
    by_weight: Floats
    used: Mask
    status: Status = Status.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeModel:
    """A weighted regression of the outcome by which means are standardized.

    Attributes
    ----------
    covariates : terms beside treatment
    interact : whether each covariate has its own coefficients in each group
    population : whether the covariates of the target are "sampled", so that drawing others is part of the uncertainty,
        or "fixed"
    """

    covariates: tuple[Term, ...]
    interact: bool = True
    population: Population = "sampled"

    def __post_init__(self) -> None:
        if not self.covariates:
            raise InputError("standardization needs covariates; leave them out for the means as they are")
        if self.population not in ("sampled", "fixed"):
            raise InputError(f"population={self.population!r} is not known; it is 'sampled' or 'fixed'")

    @property
    def terms(self) -> list[Term]:
        """Treatment, the covariates, and their products."""
        own = [Interaction(TREATMENT, term) for term in self.covariates if not isinstance(term, Interaction)]
        return [TREATMENT, *self.covariates, *(own if self.interact else [])]


def read_outcome(table: pl.DataFrame, name: str) -> tuple[Floats, bool]:
    """The values of an outcome, nan where unknown, and whether it is binary."""
    if name not in table.columns:
        raise InputError(f"the table has no column '{name}'")
    column = table[name].fill_nan(None) if table[name].dtype.is_float() else table[name]
    known = column.is_not_null().to_numpy()
    values = np.full(len(column), np.nan)
    binary = is_categorical(column) or column.dtype == pl.Boolean
    if binary:
        values[known] = (event_sign(column.drop_nulls(), column) + 1) / 2
    else:
        values[known] = number(column.drop_nulls())
        binary = bool(known.any() and np.isin(values[known], (0.0, 1.0)).all())
    return values, binary


def means_of(groups: Groups, weights: Floats, model: OutcomeModel | None) -> Means:
    """Estimate the mean outcome of every group under weights of shape (n,)."""
    return _plain(groups, weights) if model is None else _standardized(groups, weights, model)


def _plain(groups: Groups, weights: Floats) -> Means:
    k, known = len(groups.names), groups.known
    means, by_weight = np.full(k, np.nan), np.zeros((len(weights), k))
    for code in range(k):
        mine = known & (groups.codes == code)
        total = float(weights[mine].sum())
        if total > 0:
            own = groups.values[mine & (weights > 0)]
            alike = (
                own.min() == own.max()
            )  # a weighted mean of equal values is that value, without the rounding of its sums
            means[code] = own[0] if alike else float(weights[mine] @ groups.values[mine]) / total
            by_weight[mine, code] = (groups.values[mine] - means[code]) / total
    return Means(values=means, influence=by_weight * weights[:, None], by_weight=by_weight, used=known & (weights > 0))


def _standardized(groups: Groups, weights: Floats, model: OutcomeModel) -> Means:
    """Average the predictions of the model over the target, everybody set to each group in turn."""
    k, n = len(groups.names), len(weights)
    everyone = groups.known & (weights > 0)
    nothing = Means(values=np.full(k, np.nan), influence=np.zeros((n, k)), by_weight=np.zeros((n, k)), used=everyone)
    for code in range(k):
        if not (everyone & (groups.codes == code)).any():
            return nothing
    labels = pl.Series(groups.names).gather(groups.codes).cast(pl.Enum(groups.names))
    frame = groups.frame.with_columns(
        labels.alias(TREATMENT), pl.Series(groups.outcome, groups.values, nan_to_null=True)
    )
    regress = logistic if groups.binary else linear
    fit = regress(frame, outcome=groups.outcome, terms=model.terms, weights=weights)
    wrong = [
        status for column, status in zip(fit.columns, fit.parameters.statuses, strict=True)
        if status is not Status.OK and TREATMENT in column.variable.split(":")
    ]  # fmt: skip
    if fit.status is not Status.OK or wrong or fit.scaled is None:
        return replace(nothing, status=fit.status if fit.status is not Status.OK else (*wrong, Status.UNDEFINED)[0])
    used, scaled = fit.rows_used, fit.scaled
    w = weights[used]
    target = w if groups.target is None else groups.target[used]
    share = target / target.sum()
    X = scaled.scaling.matrix(frame, used)
    linear_predictor = X @ scaled.coefficients
    surprise = groups.values[used] - (expit(linear_predictor) if groups.binary else linear_predictor)
    means, influence, by_weight = np.empty(k), np.zeros((n, k)), np.zeros((n, k))
    for code, name in enumerate(groups.names):
        everybody = frame.with_columns(pl.lit(name, dtype=pl.Enum(groups.names)).alias(TREATMENT))
        Z = scaled.scaling.matrix(everybody, used)
        predicted, slope = Z @ scaled.coefficients, share
        if groups.binary:
            predicted = expit(predicted)
            slope = share * predicted * (1 - predicted)
        means[code] = share @ predicted
        lever = X @ (scaled.bread @ (Z.T @ slope)) * surprise
        spread = share * (predicted - means[code])
        influence[used, code] = w * lever + (spread if model.population == "sampled" else 0.0)
        by_weight[used, code] = lever + (spread / w if groups.target is None else 0.0)
    counted = np.zeros(n, dtype=bool)
    counted[used] = True
    return Means(values=means, influence=influence, by_weight=by_weight, used=counted)
