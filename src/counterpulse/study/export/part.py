"""One part of an exported script: one outcome of one analysis on one sample, with the estimates to repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from counterpulse.data.terms import Interaction, Term, variables_of
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedModel, PlannedOutcome, PlannedShift
from counterpulse.protocol.words import Duration
from counterpulse.regression.quantile_regression import NOT_UNIQUE
from counterpulse.results import EstimateRow
from counterpulse.study.analyses import shift_name
from counterpulse.study.answers.screen import NAME as SCREEN
from counterpulse.study.catalog import METHODS
from counterpulse.study.methods.by_type import chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a script repeats at once; `rows` are the estimates that the bundle holds of it.

    `terms` are those of this part's model (the analysis may be a ladder of several); `needed` are columns that its rows
    must have besides those that the model reads.
    """

    plan: Plan
    analysis: PlannedAnalysis
    outcome: PlannedOutcome
    rows: Sequence[EstimateRow]
    terms: tuple[Term, ...]
    kinds: Mapping[str, str]
    model: str | None = None
    screened: bool = False
    needed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Analysis, outcome and model in one line."""
        return " ".join(filter(None, (self.analysis.id, self.outcome.name, self.model)))

    @property
    def group(self) -> str | None:
        """The column of the compared groups; none where the exposure itself is the outcome, or a predictor stands alone."""
        return None if self.outcome.of_group is not None or self.screened else self.plan.group_variable

    @property
    def of_competing_event(self) -> bool:
        """Whether its events are those that compete with the outcome."""
        return any(row.of_competing_event for row in self.rows)

    @property
    def imputations(self) -> int:
        """Of how many imputed tables its estimates are pooled, 0 for patients as observed."""
        return max((row.imputations or 0 for row in self.rows), default=0)

    @property
    def shift(self) -> PlannedShift | None:
        """By how much imputed values of a variable are moved."""
        names = {shift_name(shift): shift for shift in self.analysis.shifts}
        return next((shift for name, shift in names.items() if f", {self.model}".endswith(f", {name}")), None)

    @property
    def landmark(self) -> Duration | None:
        """The landmark that its sample begins at."""
        analysis = self.analysis
        if analysis.maker != "landmark" or self.plan.protocol.exposure is None or self.outcome.of_group is not None:
            return None
        marks = analysis.landmarks
        return next((mark for mark in marks if self.model and f"landmark {mark}" in self.model), marks[0])

    @property
    def model_terms(self) -> tuple[Term, ...]:
        """The exposure, then what it is adjusted for."""
        return (*((self.group,) if self.group is not None else ()), *self.terms)

    @property
    def cluster(self) -> str | None:
        """The column of the clusters."""
        return None if self.analysis.clusters is None else self.analysis.clusters.variable

    def option(self, name: str) -> str:
        """An option of the method, as a word."""
        return str(self.analysis.options.get(name))

    def names(self, option: str) -> tuple[str, ...]:
        """An option of the method that lists variables."""
        listed = self.analysis.options.get(option) or ()
        return listed if isinstance(listed, tuple) else (str(listed),)

    def of_measure(self, measure: str) -> Iterator[EstimateRow]:
        """The rows of one measure that belong to no subgroup."""
        return (row for row in self.rows if row.estimate.measure == measure and row.subgroup is None)

    def id_of(self, measure: str, term: str, at: float | None = None) -> str | None:
        """The id of an estimate that has a value, by measure, group and time."""
        for row in self.of_measure(measure):
            when = None if row.estimate.at is None else row.estimate.at.time
            if row.estimate.term == term and (at is None or when == at) and isfinite(row.estimate.value):
                return row.id
        return None


Shared = Mapping[tuple[str, str, str | None], PlannedAnalysis]
"""Analyses with the knots that imputed tables share, by id, outcome and sample."""


def parts_of(
    plan: Plan, analysis: PlannedAnalysis, rows: Sequence[EstimateRow], shared: Shared | None = None
) -> Iterator[Part]:
    """The parts of an analysis: each outcome, and of each its models or samples; a screen has a part a predictor.

    Estimates whose interval is made of random draws, and coefficients that are one of several solutions, belong to none; nor
    do those of an emulated trial, of covariates selected in each imputed table, and of balanced patients under several models.
    """
    if analysis.estimator or (analysis.balancing is not None and len(analysis.models) > 1):
        return
    kinds = {variable.name: variable.kind for variable in plan.variables.values()}
    if plan.group_variable is not None:
        kinds[plan.group_variable] = "category"
    rows = [row for row in rows if not (resampled(row) or NOT_UNIQUE in row.estimate.notes)]
    for name in analysis.outcomes:
        for model in dict.fromkeys(row.model for row in rows if row.outcome == name):
            own = [row for row in rows if (row.outcome, row.model) == (name, model)]
            known = _with_knots(analysis, name, model, shared or {})
            step = step_of(known, model)
            if selected_anew(step, own):
                continue
            part = Part(
                plan=plan, analysis=known, outcome=plan.outcomes[name], terms=_terms(step, own), model=model, rows=own,
                kinds=kinds, needed=_needed(plan, known, step),
            )  # fmt: skip
            if model is None or not model.endswith(SCREEN):
                yield part
                continue
            for term in known.screen:
                alone = [row for row in own if row.estimate.variable in variables_of(term)]
                yield replace(part, terms=(term,), rows=alone, screened=True, needed=())


def _with_knots(analysis: PlannedAnalysis, outcome: str, model: str | None, shared: Shared) -> PlannedAnalysis:
    """The analysis as imputed tables share it; the name of a model begins with that of its sample."""
    for (id_, name, variant), known in shared.items():
        if (id_, name) == (analysis.id, outcome) and (variant is None or f"{model}, ".startswith(f"{variant}, ")):
            return known
    return analysis


def types_of(part: Part) -> tuple[str, ...]:
    """The method for the type of an outcome, and that beside it where death competes."""
    analysis, truncation = part.analysis, part.outcome.truncation
    spec = chosen(
        part.outcome.kind, adjusted=analysis.adjusted or part.group is None, clustered=analysis.clusters is not None
    )
    beside = ("aalen-johansen",) if truncation is not None and truncation.plan == "competing" else ()
    return (spec.name, *beside)


def of_type(part: Part, name: str) -> Part:
    """The part under the method that its type chose, with the options of that method."""
    options = {option.name: option.default for option in METHODS[name].options}
    planned = replace(part.analysis, method=name, options=options, measures=METHODS[name].measures[:1])
    return replace(part, analysis=planned)


def selected_anew(step: PlannedModel, rows: Sequence[EstimateRow]) -> bool:
    """Whether every imputed table has covariates of its own."""
    return step.selection is not None and any(row.imputations for row in rows)


def resampled(row: EstimateRow) -> bool:
    """Whether a number rests on random draws, which another program does not repeat."""
    by_draws = row.estimate.interval is not None and row.estimate.interval.kind.startswith("percentile")
    return by_draws or row.estimate.measure.startswith("optimism")


def step_of(analysis: PlannedAnalysis, model: str | None) -> PlannedModel:
    """The model of a ladder that a name means (it may stand after that of a sample), or the analysis itself."""
    named = [step for step in analysis.models if model is not None and f", {model}".endswith(f", {step.name}")]
    itself = PlannedModel(name="", terms=analysis.terms, selection=analysis.selection)
    return max(named, key=lambda step: len(step.name), default=itself)


def _terms(step: PlannedModel, rows: Sequence[EstimateRow]) -> tuple[Term, ...]:
    """What a model adjusts for; of a selection what the bundle holds."""
    if step.selection is None:
        return step.terms
    chosen = {row.estimate.variable for row in rows if row.subgroup is None and row.estimate.measure != "interaction"}
    found = (term for term in step.selection.candidates if _named(term) in chosen)
    return tuple(dict.fromkeys((*step.terms, *found)))


def _named(term: Term) -> str:
    if isinstance(term, Interaction):
        return ":".join(variables_of(side)[0] for side in (term.left, term.right))
    return variables_of(term)[0]


def _needed(plan: Plan, analysis: PlannedAnalysis, step: PlannedModel) -> tuple[str, ...]:
    """What a row must have though this model does not read it: a ladder on the same rows, candidates of a selection."""
    terms: tuple[Term, ...] = analysis.every_term if len(analysis.models) > 1 and analysis.same_rows else ()
    clusters: tuple[str, ...] = ()
    if step.selection is not None:
        terms = (*terms, *step.terms, *step.selection.candidates)
        clusters = () if analysis.clusters is None else (analysis.clusters.variable,)
    return tuple(dict.fromkeys((*(name for term in terms for name in variables_of(term)), *clusters)))
