"""A sequence of nested trials: everybody eligible in a period enters the trial that begins in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import log, nan
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import complete_rows
from counterpulse.data.sample import Sample
from counterpulse.data.terms import Interaction, Spline, Term, variables_of
from counterpulse.emulation.adherence_weights import WeightModel, WeightsUnfittedError, trial_weights, weight_model
from counterpulse.emulation.person_periods import (
    PersonPeriods,
    Trials,
    at_risk_of_deviating,
    expand,
    followed_rows,
    read_person_periods,
)
from counterpulse.emulation.sequence_result import (
    ASSIGNED,
    EVENT,
    FOLLOW_UP,
    MEASURES,
    TRIAL,
    SequenceOfTrials,
    sequence_estimates,
    trial_counts,
)
from counterpulse.errors import InputError
from counterpulse.numerics.blocks import map_jobs
from counterpulse.numerics.random_streams import stream
from counterpulse.numerics.workers import Jobs
from counterpulse.regression.logistic_fit import LogisticFit
from counterpulse.regression.logistic_regression import logistic
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Estimand = Literal["intention-to-treat", "per-protocol"]

EXTREME = 1e4
"""A larger weight lets single patients decide."""

KNOTS = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the distinct periods at which the default splines have their knots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Study:
    """The expanded trials and the models of their weights and outcome."""

    person: PersonPeriods
    trials: Trials
    table: pl.DataFrame
    terms: tuple[Term, ...]
    switching: WeightModel | None
    leaving: WeightModel | None
    observed: NDArray[np.bool_] | None
    truncate: tuple[float, float] | None
    horizon: int
    level: float

    def weights(self, counts: Floats | None) -> Floats:
        """Weights of the rows of follow-up, held at quantiles where that is asked for."""
        person = self.person
        found = trial_weights(
            person, self.trials, switching=self.switching, leaving=self.leaving, observed=self.observed,
            at_risk=at_risk_of_deviating(person), followed=followed_rows(person), counts=counts,
        )  # fmt: skip
        if self.truncate is not None:
            low, high = np.quantile(found, self.truncate)
            found = np.clip(found, low, high)
        return found

    def fit(self, weights: Floats, counts: Floats | None) -> LogisticFit:
        """The pooled logistic model of the outcome, clustered by patient."""
        patient = self.person.patient[self.trials.row]
        weighted = self.switching is not None or self.leaving is not None or counts is not None
        used = weights if counts is None else weights * counts[self.trials.row]
        return logistic(
            self.table, outcome=EVENT, terms=list(self.terms), weights=used if weighted else None, cluster=patient,
            level=self.level,
        )  # fmt: skip


def sequence_of_trials(
    table: pl.DataFrame,
    *,
    patient: str,
    period: str,
    eligible: str,
    treatment: str,
    outcome: str,
    covariates: Sequence[Term],
    horizon: int,
    estimand: Estimand = "intention-to-treat",
    switch_numerator: Sequence[Term] = (),
    switch_denominator: Sequence[Term] | None = None,
    censored: str | None = None,
    censoring_numerator: Sequence[Term] = (),
    censoring_denominator: Sequence[Term] | None = None,
    follow_up_terms: Sequence[Term] | None = None,
    trial_terms: Sequence[Term] | None = None,
    interaction: bool = False,
    longest: int | None = None,
    truncate: tuple[float, float] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
    analysis: str = "sequence-of-trials",
    level: float = 0.95,
    jobs: Jobs = 1,
) -> SequenceOfTrials:
    """Emulate a trial at every period in which a patient is eligible, and pool them.

    Parameters
    ----------
    table : one row a patient and period, without gaps; none after the event
    patient, period : columns; periods are whole numbers
    eligible, treatment, outcome : yes/no (or 0/1) in the period: may enter a trial, is treated, has the event
    covariates : terms of the outcome model, with their values where a trial begins
    horizon : periods of follow-up at which risks are compared
    estimand : "intention-to-treat", or "per-protocol", which ends follow-up when treatment changes
    switch_numerator, switch_denominator : terms of the probability of keeping to the treatment, by previous treatment;
        required for per-protocol. The numerator has covariates that do not change (none: the proportion)
    censored : yes/no, lost to follow-up at the end of the period
    censoring_numerator, censoring_denominator : terms of the probability of staying, by previous treatment
    follow_up_terms, trial_terms : terms of the columns "follow_up_period" and "trial_period"; by default natural splines of
        four knots, straight lines where there are fewer than five values, nothing where there is one
    interaction : let the effect change with follow-up; the odds ratio then is that of the first period
    longest : most periods of follow-up of a trial
    truncate : two quantiles of the weights at which they are held
    bootstrap : replicates of patients; 0 gives the odds ratio a robust interval by patient and the risks none
    seed, analysis, jobs : of the random streams, and threads or workers; the result does not depend on the last

    Raises
    ------
    InputError : a column is absent, incomplete or of the wrong kind; periods with gaps or after the event; options that
        exclude each other

    Notes
    -----
    A trial's rows carry the product of (numerator / denominator) over its periods. The pooled logistic model has the treatment at the
    start; with rare events in a period its odds ratio is near the hazard ratio. Risks are standardized over everybody
    who enters a trial. Causal where covariates suffice to explain treatment, keeping to it, and loss.

    References
    ----------
    Hernan and others 2008 (doi:10.1097/EDE.0b013e3181875e61); Danaei and others 2013 (doi:10.1177/0962280211403603)
    """
    _check(estimand, switch_denominator, censored, censoring_denominator, horizon, truncate, bootstrap)
    person = read_person_periods(
        table, patient=patient, period=period, eligible=eligible, treatment=treatment, outcome=outcome
    )
    per_protocol = estimand == "per-protocol"
    trials = expand(person, per_protocol=per_protocol, longest=longest)
    expanded = _expanded(person, trials, covariates)
    terms = _terms(expanded, covariates, follow_up_terms, trial_terms, interaction)
    study = _Study(
        person=person, trials=trials, table=expanded, terms=terms,
        switching=weight_model(switch_numerator, switch_denominator) if per_protocol else None,
        leaving=weight_model(censoring_numerator, censoring_denominator), observed=_observed(person, censored),
        truncate=truncate, horizon=horizon, level=level,
    )  # fmt: skip
    values, weights, fit, status = _estimate(study, None)
    replicates = np.empty((0, len(MEASURES)))
    if bootstrap and status is Status.OK:
        replicates = _bootstrap(study, bootstrap, seed, analysis, jobs)
    effects, failed = sequence_estimates(
        fit, values, replicates, bootstrap, treatment=treatment, horizon=horizon, level=level, status=status
    )
    return SequenceOfTrials(
        effects=effects, fit=fit, status=status, failed=failed, replicates=replicates,
        sample=Sample(
            frame=expanded, row_of_origin=person.origin[trials.row], weights=weights, cluster=person.patient[trials.row],
            stage=(f"sequence of trials, {estimand}",),
        ),
        counts=trial_counts(person, trials), n_patients=person.patients, n_trials=len(np.unique(person.period[trials.start])),
        n_person_trials=len(trials.start), n_deviated=int(trials.deviated.sum()),
        provenance=_provenance(study, estimand, bootstrap, seed),
    )  # fmt: skip


def _check(
    estimand: str, switching: Sequence[Term] | None, censored: str | None, leaving: Sequence[Term] | None, horizon: int,
    truncate: tuple[float, float] | None, bootstrap: int,
) -> None:  # fmt: skip
    if estimand not in ("intention-to-treat", "per-protocol"):
        raise InputError(f"the estimand {estimand!r} is not known; it is 'intention-to-treat' or 'per-protocol'")
    if (estimand == "per-protocol") != (switching is not None):
        raise InputError(
            "'switch_denominator' names what explains a change of treatment; per-protocol needs it, and only it"
        )
    if (censored is None) != (leaving is None):
        raise InputError("'censored' and 'censoring_denominator' belong together; give both or neither")
    if horizon < 1:
        raise InputError("'horizon' is a number of periods above zero")
    if truncate is not None and not 0 <= truncate[0] < truncate[1] <= 1:
        raise InputError("'truncate' are two quantiles between 0 and 1, such as (0.01, 0.99), or None")
    if bootstrap != 0 and bootstrap < 2:
        raise InputError(f"{bootstrap} replicates are too few; 1,000 are usual, and 0 is for none")


def _expanded(person: PersonPeriods, trials: Trials, covariates: Sequence[Term]) -> pl.DataFrame:
    """Rows of follow-up with the covariates at the start of their trial."""
    names = [name for term in covariates for name in variables_of(term)]
    taken = [name for name in names if name in (EVENT, ASSIGNED, FOLLOW_UP, TRIAL)]
    if taken:
        raise InputError(f"the covariate {taken[0]!r} has the name of a column that is made; rename it")
    incomplete = int((~complete_rows(person.frame[trials.start], names)).sum())
    if incomplete:
        raise InputError(
            f"{incomplete} rows in which a trial begins lack a covariate; impute it, or make them ineligible"
        )
    start = trials.start[trials.trial]
    return person.frame.select(list(dict.fromkeys(names)))[start].with_columns(
        pl.Series(ASSIGNED, person.treated[start].astype(np.int8)), pl.Series(FOLLOW_UP, trials.follow_up),
        pl.Series(TRIAL, person.period[start]), pl.Series(EVENT, person.event[trials.row]),
    )  # fmt: skip


def _terms(
    expanded: pl.DataFrame, covariates: Sequence[Term], follow_up: Sequence[Term] | None, trial: Sequence[Term] | None,
    interaction: bool,
) -> tuple[Term, ...]:  # fmt: skip
    time = _smooth(expanded, FOLLOW_UP) if follow_up is None else tuple(follow_up)
    calendar = _smooth(expanded, TRIAL) if trial is None else tuple(trial)
    products = tuple(Interaction(ASSIGNED, term) for term in time if not isinstance(term, Interaction))
    return (ASSIGNED, *covariates, *time, *calendar, *(products if interaction else ()))


def _smooth(expanded: pl.DataFrame, name: str) -> tuple[Term, ...]:
    """A natural spline of the periods, a straight line of few, nothing of one."""
    distinct = np.unique(expanded[name].to_numpy())
    if len(distinct) < 5:
        return (name,) if len(distinct) > 1 else ()
    return (Spline(name, tuple(np.quantile(distinct, KNOTS).tolist())),)


def _observed(person: PersonPeriods, censored: str | None) -> NDArray[np.bool_] | None:
    if censored is None:
        return None
    if not complete_rows(person.frame, [censored]).all():
        raise InputError(f"'{censored}' is missing in a row; every period has it")
    values = set(person.frame[censored].unique().cast(pl.Float64).to_list())
    if not values <= {0.0, 1.0}:
        raise InputError(f"column '{censored}' is not yes/no or 0/1; recode it")
    observed: NDArray[np.bool_] = person.frame[censored].cast(pl.Float64).to_numpy() == 0
    return observed


def _estimate(study: _Study, counts: Floats | None) -> tuple[Floats, Floats, LogisticFit | None, Status]:
    """Measures, weights, the fit, and what became of it."""
    nothing = np.full(len(MEASURES), nan)
    if not len(study.trials.row):
        return nothing, np.empty(0), None, Status.NO_ROWS
    treated = study.person.treated[study.trials.start]
    if treated.all() or not treated.any():
        status = Status.NO_CONTROLS if treated.all() else Status.NO_TREATED
        return nothing, np.ones(len(study.trials.row)), None, status
    try:
        weights = study.weights(counts)
    except WeightsUnfittedError as unfitted:
        return nothing, np.ones(len(study.trials.row)), None, unfitted.status
    if not weights.max() <= EXTREME:
        return nothing, weights, None, Status.EXTREME_CENSORING_WEIGHTS
    fit = study.fit(weights, counts)
    if fit.status is not Status.OK or fit.parameters.statuses[1] is not Status.OK:
        return nothing, weights, fit, fit.status if fit.status is not Status.OK else fit.parameters.statuses[1]
    return np.concatenate((fit.coefficients[1:2], _risks(study, fit, counts))), weights, fit, Status.OK


def _risks(study: _Study, fit: LogisticFit, counts: Floats | None) -> Floats:
    """Risk difference, log risk ratio and the two risks at the horizon, standardized over the person-trials."""
    trials, treated = study.trials, study.person.treated
    longest = [
        int(trials.follow_up[treated[trials.start[trials.trial]] == arm].max(initial=-1)) + 1 for arm in (True, False)
    ]
    if study.horizon > min(longest):
        return np.full(len(MEASURES) - 1, nan)
    counted = trials.follow_up == 0 if counts is None else (trials.follow_up == 0) & (counts[trials.row] > 0)
    first = study.table[np.flatnonzero(counted)]
    shares = None if counts is None else counts[trials.row[counted]]
    risks = []
    for arm in (1, 0):
        survival = np.ones(first.height)
        for k in range(study.horizon):
            made = first.with_columns(pl.lit(arm, dtype=pl.Int8).alias(ASSIGNED), pl.lit(k).alias(FOLLOW_UP))
            survival *= 1 - fit.predict(made)
        risks.append(float(np.average(1 - survival, weights=shares)))
    ratio = log(risks[0] / risks[1]) if min(risks) > 0 else nan
    return np.array([risks[0] - risks[1], ratio, *risks])


def _bootstrap(study: _Study, replicates: int, seed: int, analysis: str, jobs: Jobs) -> Floats:
    """Measures of every replicate, shape (replicates, k); nan where one could not be had."""
    return np.array(map_jobs(partial(_replicate, study, seed, analysis), range(replicates), jobs=jobs))


def _replicate(study: _Study, seed: int, analysis: str, draw: int) -> Floats:
    n = study.person.patients
    drawn = np.bincount(stream(seed, analysis, draw).integers(0, n, n), minlength=n).astype(np.float64)
    return _estimate(study, drawn[study.person.patient])[0]


def _provenance(study: _Study, estimand: Estimand, bootstrap: int, seed: int) -> Provenance:
    truncate = "none" if study.truncate is None else f"quantiles {study.truncate[0]:g} and {study.truncate[1]:g}"
    return Provenance(
        method="sequence of nested trials",
        choices=(
            Choice("estimand", estimand, "default" if estimand == "intention-to-treat" else "given"),
            Choice("horizon", study.horizon, "given"),
            Choice("outcome model", "pooled logistic regression, clustered by patient", "default", "danaei-2013"),
            Choice("switching weights", "stabilized, by previous treatment" if study.switching else "none", "derived"),
            Choice("censoring weights", "stabilized, by previous treatment" if study.leaving else "none", "derived"),
            Choice("truncation of weights", truncate, "default" if study.truncate is None else "given"),
            *((Choice("bootstrap replicates", bootstrap, "given"), Choice("seed", seed, "given")) if bootstrap else ()),
        ),
        citations=("hernan-2008", "danaei-2013"),
    )  # fmt: skip
