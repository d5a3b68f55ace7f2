"""The two models that doubly robust estimation rests on: of treatment and of the outcome in each arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import DesignSpec, is_categorical, level_text, levels_in_order
from counterpulse.data.terms import Term, variables_of
from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.regression.fit import RegressionFit, levels_of
from counterpulse.regression.linear_regression import linear
from counterpulse.regression.logistic_regression import logistic
from counterpulse.regression.model_rows import Rows, check_level, read_rows, scaled_design, single_level_terms
from counterpulse.regression.outcome import event_sign, number
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Estimand = Literal["ATE", "ATT", "ATC"]

Predictor = Callable[[pl.DataFrame], Floats]
Learner = Callable[[pl.DataFrame, Floats, Floats | None], Predictor]
"""Learns from rows, their target (n,) and weights (n,) or None; returns what predicts the target's mean of any rows."""

TARGET = "(target)"

EXTREME = 1e4
"""A patient who counts more than this decides the result alone."""


class UnfittedError(Exception):
    """A model of treatment or outcome has no fit; `status` says why."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.text)
        self.status = status


class Options(TypedDict, total=False):
    """What `aipw` and `tmle` may be told, each with its default.

    Attributes
    ----------
    outcome_covariates : terms of the outcome models, where they differ from those of the model of treatment
    scores : column or array, shape (n,), of the probability of treatment; default: a logistic model of `covariates`
    estimand : "ATE" (everybody), "ATT" (the treated) or "ATC" (the others)
    weights : column or array of sampling weights, shape (n,); whole numbers count patients
    cluster : column or array of labels, shape (n,), for the variance
    bounds : two probabilities at which scores are held; default: as estimated
    outcome_learner, treatment_learner : data-adaptive models: called with rows, target (n,) and weights (n,) or None, each
        returns what predicts any rows. With either, all models are cross-fitted
    folds, seed, analysis : of cross-fitting; the folds depend on nothing else; default 5, 0 and the name of the function
    level : of intervals; default 0.95
    """

    outcome_covariates: Sequence[Term] | None
    scores: str | ArrayLike | None
    estimand: Estimand
    weights: str | ArrayLike | None
    cluster: str | ArrayLike | None
    bounds: tuple[float, float] | None
    outcome_learner: Learner | None
    treatment_learner: Learner | None
    folds: int
    seed: int
    analysis: str
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked of a doubly robust estimator; the fields with a default are `Options`."""

    table: pl.DataFrame
    outcome: str
    treatment: str
    covariates: Sequence[Term]
    outcome_covariates: Sequence[Term] | None = None
    scores: str | ArrayLike | None = None
    estimand: Estimand = "ATE"
    weights: str | ArrayLike | None = None
    cluster: str | ArrayLike | None = None
    bounds: tuple[float, float] | None = None
    outcome_learner: Learner | None = None
    treatment_learner: Learner | None = None
    folds: int = 5
    seed: int = 0
    analysis: str
    level: float = 0.95

    def check(self) -> None:
        """Refuse options that make no sense."""
        check_level(self.level)
        if self.estimand not in get_args(Estimand):
            raise InputError(f"the estimand {self.estimand!r} is not known; it is 'ATE', 'ATT' or 'ATC'")
        if self.bounds is not None and not 0 <= self.bounds[0] < self.bounds[1] <= 1:
            raise InputError("'bounds' are two probabilities, such as (0.01, 0.99), or None")
        if self.folds < 2:
            raise InputError(f"{self.folds} folds are too few; 5 are usual")
        if self.scores is not None and self.treatment_learner is not None:
            raise InputError("give the scores or a learner of treatment, not both")

    @property
    def outcome_terms(self) -> Sequence[Term]:
        """Terms of the outcome models."""
        return self.covariates if self.outcome_covariates is None else self.outcome_covariates

    @property
    def learned(self) -> bool:
        """Whether a model is data-adaptive, so that all are cross-fitted."""
        return self.treatment_learner is not None or self.outcome_learner is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """The rows used with their outcome and treatment; arrays of shape (n,)."""

    rows: Rows
    y: Floats
    treated: Bools
    binary: bool
    names: tuple[str, str]

    def rows_of(self, table: pl.DataFrame) -> pl.DataFrame:
        """The rows used of the table they were read from."""
        return table if self.rows.n == table.height else table[self.rows.used]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuisance:
    """Predictions for the rows used, shape (n,): probability of treatment, outcome if treated, outcome if not."""

    scores: Floats
    if_treated: Floats
    if_not: Floats


def read_arms(request: Request) -> Arms:
    """Read the rows that have every value, their outcome and treatment."""
    table, given = request.table, request.scores
    terms = list(dict.fromkeys((request.treatment, *_names(request.covariates), *_names(request.outcome_terms))))
    if isinstance(given, str):
        terms.append(given)
    weights = request.weights
    rows = read_rows(table, outcome=request.outcome, terms=terms, weights=weights, cluster=request.cluster)
    treatment, outcome = rows.column(table, request.treatment), rows.column(table, request.outcome)
    binary = _is_binary(table[request.outcome])
    y = (event_sign(outcome, table[request.outcome]) + 1) / 2 if binary else number(outcome)
    return Arms(
        rows=rows, y=y, treated=event_sign(treatment, table[request.treatment]) > 0, binary=binary,
        names=_level_names(table[request.treatment]),
    )  # fmt: skip


def _names(terms: Sequence[Term]) -> list[str]:
    return [name for term in terms for name in variables_of(term)]


def _is_binary(column: pl.Series) -> bool:
    if is_categorical(column) or column.dtype == pl.Boolean:
        return True
    values = column.drop_nulls().unique()
    return len(values) > 0 and column.dtype.is_numeric() and set(values.cast(pl.Float64).to_list()) <= {0.0, 1.0}


def _level_names(column: pl.Series) -> tuple[str, str]:
    """The treated and the reference level as text; rows may lack one of them."""
    if column.dtype == pl.Boolean:
        return "yes", "no"
    if not is_categorical(column):
        return "1", "0"
    levels = levels_in_order(column)
    if isinstance(column.dtype, pl.Enum) and len(column.dtype.categories) == 2:
        levels = list(column.dtype.categories)
    return levels[1], levels[0]


def possible(arms: Arms) -> Status:
    """Whether there are rows of both arms."""
    if arms.rows.n == 0:
        return Status.NO_ROWS
    if not arms.treated.any():
        return Status.NO_TREATED
    return Status.NO_CONTROLS if arms.treated.all() else Status.OK


def predict(request: Request, arms: Arms) -> Nuisance:
    """Fit the models and predict every row; out of fold where a learner is given.

    Raises
    ------
    UnfittedError : a model has no fit, or a patient would count without limit
    """
    frame = arms.rows_of(request.table)
    of_treatment, of_outcome = _learners(request, arms)
    n, learned = arms.rows.n, request.learned
    scores = None if request.scores is None and learned else treatment_scores(request, arms)
    found = Nuisance(scores=np.empty(n) if scores is None else scores, if_treated=np.empty(n), if_not=np.empty(n))
    everybody = np.arange(n)
    for held in _folds(request, arms) if learned else [everybody]:
        train = np.setdiff1d(everybody, held) if learned else everybody
        rows = frame[held]
        if scores is None:
            found.scores[held] = _learn(of_treatment, frame, arms.treated.astype(np.float64), arms, train)(rows)
        for arm, target in ((True, found.if_treated), (False, found.if_not)):
            own = train[arms.treated[train] == arm]
            target[held] = _learn(of_outcome, frame, arms.y, arms, own)(rows)
    return settled(found, request, arms)


def treatment_scores(request: Request, arms: Arms) -> Floats:
    """The scores given, or those of a logistic model of all rows used; shape (n,)."""
    if request.scores is not None:
        return _given_scores(request, arms)
    frame = arms.rows_of(request.table)
    return _treatment_model(request, arms)(frame, arms.treated.astype(np.float64), arms.rows.weights)(frame)


def settled(found: Nuisance, request: Request, arms: Arms) -> Nuisance:
    """The predictions with scores held at the bounds.

    Raises
    ------
    UnfittedError : a prediction is missing, no patients are comparable, or one would count without limit
    """
    _check_predictions(found, arms)
    return _bounded(found, request, arms)


def _treatment_model(request: Request, arms: Arms) -> Learner:
    terms = request.covariates
    return logistic_learner(terms, redundant(request, arms.rows, terms), Status.TREATMENT_PREDICTED)


def _learners(request: Request, arms: Arms) -> tuple[Learner, Learner]:
    """The learners given, or regression models of the terms."""
    of_treatment, of_outcome = request.treatment_learner, request.outcome_learner
    if of_treatment is None:
        of_treatment = _treatment_model(request, arms)
    if of_outcome is None:
        terms, parametric = request.outcome_terms, logistic_learner if arms.binary else linear_learner
        of_outcome = parametric(terms, redundant(request, arms.rows, terms), Status.ONE_ARM_UNFITTED)
    return of_treatment, of_outcome


def _learn(learner: Learner, frame: pl.DataFrame, target: Floats, arms: Arms, train: NDArray[np.intp]) -> Predictor:
    weights = arms.rows.weights
    return learner(frame[train], target[train], None if weights is None else weights[train])


def _given_scores(request: Request, arms: Arms) -> Floats:
    given = request.scores
    column = (
        request.table[given].cast(pl.Float64).to_numpy() if isinstance(given, str) else np.asarray(given, dtype=float)
    )
    if column.shape != (request.table.height,):
        raise InputError(f"there are {column.size} scores for {request.table.height} rows; give one a row")
    values: Floats = column[arms.rows.used]
    if not (np.isfinite(values).all() and ((values >= 0) & (values <= 1)).all()):
        raise InputError("a score is missing or not between 0 and 1; scores are probabilities of treatment")
    return values.copy()


def _folds(request: Request, arms: Arms) -> list[NDArray[np.intp]]:
    """Rows of each fold; arms are spread evenly, and clusters stay whole."""
    random = stream(request.seed, request.analysis)
    fold = np.empty(arms.rows.n, dtype=np.intp)
    if arms.rows.cluster is not None:
        labels = random.permutation(arms.rows.clusters or 0) % request.folds
        fold = labels[arms.rows.cluster]
    else:
        for arm in (True, False):
            own = np.flatnonzero(arms.treated == arm)
            fold[own] = random.permutation(len(own)) % request.folds
    return [rows for rows in (np.flatnonzero(fold == k) for k in range(request.folds)) if len(rows)]


def _check_predictions(found: Nuisance, arms: Arms) -> None:
    if not np.isfinite(found.scores).all():
        raise UnfittedError(Status.TREATMENT_PREDICTED)
    if not (np.isfinite(found.if_treated).all() and np.isfinite(found.if_not).all()):
        raise UnfittedError(Status.ONE_ARM_UNFITTED)
    if found.scores[arms.treated].min() > found.scores[~arms.treated].max():
        raise UnfittedError(Status.NO_OVERLAP)


def _bounded(found: Nuisance, request: Request, arms: Arms) -> Nuisance:
    """Hold the scores at the bounds; refuse those that let a patient count without limit."""
    scores = found.scores if request.bounds is None else np.clip(found.scores, *request.bounds)
    bounded = Nuisance(scores=scores, if_treated=found.if_treated, if_not=found.if_not)
    if_treated, if_not, _ = balancing(arms, bounded, request.estimand)
    if max(if_treated.max(), if_not.max()) > EXTREME:
        raise UnfittedError(Status.EXTREME_SCORES)
    return bounded


def balancing(arms: Arms, found: Nuisance, estimand: Estimand) -> tuple[Floats, Floats, Floats]:
    """Weights that make the treated, and the others, resemble the target, and who belongs to it; shape (n,) each."""
    treated, score = arms.treated.astype(np.float64), found.scores
    with np.errstate(divide="ignore"):
        one = np.divide(1.0, score, out=np.zeros(len(score)), where=arms.treated)
        other = np.divide(1.0, 1 - score, out=np.zeros(len(score)), where=~arms.treated)
    match estimand:
        case "ATT":
            return treated, other * score, treated
        case "ATC":
            return one * (1 - score), 1 - treated, 1 - treated
        case _:
            return one, other, np.ones(len(score))


def redundant(request: Request, rows: Rows, terms: Sequence[Term]) -> frozenset[str]:
    """Columns and terms that tell nothing in any arm: constant, or a combination of others, in all rows."""
    design = scaled_design(request.table, rows, terms)
    columns = zip(design.scaling.spec.columns, design.statuses, strict=True)
    left_out = {column.name for column, status in columns if status is not Status.OK}
    return frozenset(left_out | set(single_level_terms(terms, design.scaling.spec)))


def logistic_learner(terms: Sequence[Term], redundant: frozenset[str], separated: Status) -> Learner:
    """A logistic model of the terms; `separated` is the status where its coefficients are infinite."""

    def learn(frame: pl.DataFrame, target: Floats, weights: Floats | None) -> Predictor:
        if not len(target) or target.min() == target.max():
            raise UnfittedError(separated)
        fit = logistic(
            frame.with_columns(pl.Series(TARGET, target)), outcome=TARGET, terms=list(terms), weights=weights
        )
        _check_fit(fit, redundant, separated)
        return lambda rows: fit.predict(known_levels(rows, fit.spec))

    return learn


def linear_learner(terms: Sequence[Term], redundant: frozenset[str], _: Status) -> Learner:
    """A linear model of the terms."""

    def learn(frame: pl.DataFrame, target: Floats, weights: Floats | None) -> Predictor:
        if len(target) and target.min() == target.max():
            return lambda rows: np.full(rows.height, target[0])
        fit = linear(frame.with_columns(pl.Series(TARGET, target)), outcome=TARGET, terms=list(terms), weights=weights)
        _check_fit(fit, redundant, Status.ONE_ARM_UNFITTED)
        return lambda rows: fit.predict(known_levels(rows, fit.spec))

    return learn


def _check_fit(fit: RegressionFit, redundant: frozenset[str], separated: Status) -> None:
    """Refuse a model without a maximum, and one that lacks a column which tells something in other rows."""
    if fit.status is not Status.OK:
        raise UnfittedError(separated if fit.status is Status.SEPARATION else fit.status)
    if not {*fit.dropped, *fit.single_level} <= redundant:
        raise UnfittedError(Status.ONE_ARM_UNFITTED)


def known_levels(rows: pl.DataFrame, spec: DesignSpec) -> pl.DataFrame:
    """The rows, unless they have a level that the model has not seen."""
    for variable, known in levels_of(spec).items():
        if not set(level_text(rows[variable]).unique()) <= known:
            raise UnfittedError(Status.ONE_ARM_UNFITTED)
    return rows
