"""One part of an exported script: one outcome of one analysis on one sample, with the estimates to repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from counterpulse.data.terms import Term, variables_of
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.results import EstimateRow
from counterpulse.study.answers.screen import NAME as SCREEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a script repeats at once; `rows` are the estimates that the bundle holds of it.

    `terms` are those of this part's model (the analysis may be a ladder of several).
    """

    plan: Plan
    analysis: PlannedAnalysis
    outcome: PlannedOutcome
    rows: Sequence[EstimateRow]
    terms: tuple[Term, ...]
    kinds: Mapping[str, str]
    model: str | None = None
    screened: bool = False

    @property
    def name(self) -> str:
        """Analysis, outcome and model in one line."""
        return " ".join(filter(None, (self.analysis.id, self.outcome.name, self.model)))

    @property
    def group(self) -> str | None:
        """The column of the compared groups; none where the exposure itself is the outcome, or a predictor stands alone."""
        return None if self.outcome.of_group is not None or self.screened else self.plan.group_variable

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
        """The id of an estimate by measure, group and time."""
        for row in self.of_measure(measure):
            when = None if row.estimate.at is None else row.estimate.at.time
            if row.estimate.term == term and (at is None or when == at):
                return row.id
        return None


def parts_of(plan: Plan, analysis: PlannedAnalysis, rows: Sequence[EstimateRow]) -> Iterator[Part]:
    """The parts of an analysis: each outcome, and of each its models or samples; a screen has a part a predictor."""
    kinds = {variable.name: variable.kind for variable in plan.variables.values()}
    if plan.group_variable is not None:
        kinds[plan.group_variable] = "category"
    for name in analysis.outcomes:
        for model in dict.fromkeys(row.model for row in rows if row.outcome == name):
            part = Part(
                plan=plan, analysis=analysis, outcome=plan.outcomes[name], terms=_terms(analysis, model, rows), model=model,
                rows=[row for row in rows if (row.outcome, row.model) == (name, model)], kinds=kinds,
            )  # fmt: skip
            if model is None or not model.endswith(SCREEN):
                yield part
                continue
            for term in analysis.screen:
                own = [row for row in part.rows if row.estimate.variable in variables_of(term)]
                yield replace(part, terms=(term,), rows=own, screened=True)


def _terms(analysis: PlannedAnalysis, model: str | None, rows: Sequence[EstimateRow]) -> tuple[Term, ...]:
    """What a model of a ladder adjusts for, or the analysis itself; of a selection what the bundle holds."""
    named = {step.name: step for step in analysis.models}
    step = next((step for name, step in named.items() if model and name in model), None)
    terms, selection = (analysis.terms, analysis.selection) if step is None else (step.terms, step.selection)
    if selection is None:
        return terms
    chosen = {row.estimate.variable for row in rows if row.model == model}
    return tuple(term for term in (*selection.keep, *selection.candidates) if set(variables_of(term)) <= chosen)
