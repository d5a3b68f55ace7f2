"""What every part of the report needs: the plan's words, the result's numbers, the style, and the order of citations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.report import numbers
from counterpulse.report.document import Cell, Reference
from counterpulse.report.figures.lettering import column_width
from counterpulse.report.measures import Measure, measure_of
from counterpulse.report.number_styles import EM_DASH, NumberStyle
from counterpulse.results import REFERENCES, AnalysisRecord, Estimate, EstimateRow, FlowStep, Status, StudyResult

MARKS = {
    "mock": "MOCK DATA: no patient behind these numbers",
    "synthetic": "SYNTHETIC DATA: no patient behind these numbers",
    "simulated": "SIMULATED DATA: no patient behind these numbers",
}
EVERYBODY = "all"
"""The term of an estimate of all patients of a study without groups."""
SCREEN = "screen"
"""The model of an estimate whose covariate is in a model of its own."""
CHANGED = "Patients whose treatment changed during follow-up are counted in each group they belonged to."
CLONED = (
    "Every patient counts once in each strategy, as a clone; events are those of clones that still followed theirs."
)
ENTERED = "A patient counts in each trial that he or she could enter, so groups count entries and not patients."
TWICE = {"clone-censor-weight": CLONED, "sequential-trials": ENTERED}
"""Why patients count more than once, by what estimates; else because their treatment changed."""
PRINTED = (Status.OK, Status.NOT_REACHED)
VALUED = (
    Status.ONE_STUDY,
    Status.FEW_CLUSTERS,
    Status.ZERO_RANDOM_VARIANCE,
    Status.SINGLE_ROW_CLUSTERS,
    Status.NO_GROUP_VARIANCE,
)
"""States of an estimate that is right although something around it, such as its interval, is not to be had."""


@dataclass(slots=True)
class Counter:
    """Numbers tables and figures in the order they are made."""

    tables: int = 0
    supplements: int = 0
    figures: int = 0

    def table(self) -> str:
        """The next table's label."""
        self.tables += 1
        return f"Table {self.tables}"

    def supplement(self) -> str:
        """The next supplementary table's label."""
        self.supplements += 1
        return f"Table S{self.supplements}"

    def figure(self) -> str:
        """The next figure's label."""
        self.figures += 1
        return f"Figure {self.figures}"


@dataclass(slots=True)
class Works:
    """Numbers works in the order in which they are first cited: chapters cite as a reader reads."""

    numbers: dict[str, int] = field(default_factory=dict)

    def cite(self, *keys: str | None) -> tuple[int, ...]:
        """The numbers of works, each once, in order; keys that are None or unknown are left out."""
        known = [key for key in dict.fromkeys(keys) if key is not None and key in REFERENCES]
        return tuple(sorted(self.numbers.setdefault(key, len(self.numbers) + 1) for key in known))

    def references(self) -> tuple[Reference, ...]:
        """The works cited so far."""
        return tuple(_reference(key, number) for key, number in self.numbers.items())


@dataclass(frozen=True, slots=True)
class Context:
    """A plan, its result and a style; `counter` labels what is made, `works` numbers what is cited."""

    plan: Plan
    result: StudyResult
    style: NumberStyle
    counter: Counter = field(default_factory=Counter)
    works: Works = field(default_factory=Works)

    @property
    def figure_width(self) -> float:
        """The printed width of figures, in points."""
        return column_width(self.plan.protocol.report.figures.width)

    @property
    def mark(self) -> str | None:
        """What stands on every page when the patients are not real."""
        return MARKS.get(self.result.data_kind)

    def group(self, level: str | None) -> str:
        """The label of a compared group."""
        known = next((group.label for group in self.plan.groups if group.level == level), None)
        return known or ("All patients" if level is None or level == EVERYBODY else level)

    def outcome(self, name: str) -> PlannedOutcome | None:
        """A planned outcome."""
        return self.plan.outcomes.get(name)

    def outcome_label(self, name: str) -> str:
        """The label of an outcome."""
        outcome = self.outcome(name)
        return outcome.label if outcome else name

    def planned(self, analysis: str) -> PlannedAnalysis | None:
        """A planned analysis."""
        return next((item for item in self.plan.analyses if item.id == analysis), None)

    def record(self, analysis: str) -> AnalysisRecord | None:
        """An analysis that ran."""
        return next((item for item in self.result.analyses if item.id == analysis), None)

    def steps(self, kind: str) -> list[FlowStep]:
        """The steps of a kind in the flow of participants."""
        return [step for step in self.result.flow if step.kind == kind]

    def step(self, kind: str) -> FlowStep | None:
        """The first step of a kind."""
        return next(iter(self.steps(kind)), None)

    def rows(self, analysis: str) -> list[EstimateRow]:
        """The estimates of one analysis."""
        return [row for row in self.result.estimates if row.analysis == analysis]

    def variable(self, name: str, *, unit: bool = False) -> str:
        """The label of a variable, with its unit where wanted."""
        variable = self.plan.variables.get(name)
        if variable is None:
            return self._of_no_table(name, unit=unit)
        return f"{variable.label}, {variable.unit}" if unit and variable.unit else variable.label

    def _of_no_table(self, name: str, *, unit: bool) -> str:
        """The label of what is no variable of the study: the groups, the time of a repeated measurement, the patient."""
        if name == self.plan.group_variable and self.plan.group_label:
            return self.plan.group_label
        if name.removesuffix(".time") in self.plan.outcomes:
            return "Time, hours" if unit else "Time"
        return "Patient" if name == "patient" else name

    @property
    def sampled_by_outcome(self) -> bool:
        """Whether patients were chosen by their outcome, so that how often it occurs cannot be told."""
        return self.result.identity.design == "case-control"

    def has_risks(self, row: EstimateRow) -> bool:
        """Whether events by patients are the risk of a group: all were followed as long, and none was chosen by the outcome."""
        return not self.timed(row) and not self.sampled_by_outcome

    def has_events(self, row: EstimateRow) -> bool:
        """Whether patients of an outcome have events."""
        outcome = self.outcome(row.outcome)
        return outcome is not None and outcome.kind in ("binary", "time-to-event")

    def timed(self, row: EstimateRow) -> bool:
        """Whether follow-up differs between patients."""
        outcome = self.outcome(row.outcome)
        return outcome is not None and outcome.kind == "time-to-event"

    def compares_groups(self, row: EstimateRow) -> bool:
        """Whether an estimate compares the groups of the study, not two levels of a covariate."""
        return row.estimate.reference is not None and row.estimate.variable in (None, self.plan.group_variable)

    def level(self, variable: str, level: str) -> str:
        """The label of a level."""
        planned = self.plan.variables.get(variable)
        if variable == self.plan.group_variable:
            return self.group(level)
        return planned.levels.get(level, level) if planned else level

    def cite(self, *keys: str | None) -> tuple[int, ...]:
        """The numbers of works, each once, in order."""
        return self.works.cite(*keys)

    def references(self) -> tuple[Reference, ...]:
        """The works that the report cites."""
        return self.works.references()

    def count(self, n: int | None) -> str:
        """A count; a dash for one that the protocol's privacy hides, and for one worked out here that it would hide."""
        hidden = n is None or 0 < n < self.plan.protocol.privacy.small_cells
        return EM_DASH if hidden or n is None else numbers.count(n, self.style)

    def group_size(self, n: int) -> str:
        """The size of a group under its label: "(n = 832)"."""
        return self.style.group_size.format(n=self.count(n))

    @property
    def hidden(self) -> str:
        """What stands under a table some of whose counts are not shown; nothing where the protocol hides none."""
        smallest = self.plan.protocol.privacy.small_cells
        if not smallest:
            return ""
        return f"Counts below {smallest}, and those from which one would follow, are not shown."

    def p(self, value: float | None, result: str | None = None) -> Cell:
        """A cell with a P value, or a blank."""
        known = value is not None and value == value
        return (
            Cell(numbers.p_value(value, self.style), result) if known and value is not None else Cell(self.style.blank)
        )

    def at(self, estimate: Estimate) -> str:
        """When an estimate holds: "at 30 days", or nothing."""
        if estimate.at is None:
            return ""
        return f"at {numbers.as_written(estimate.at.time, self.style)} {estimate.at.unit or ''}".rstrip()

    def tested(self, row: EstimateRow) -> float | None:
        """The P value of an estimate, unless the style withholds it."""
        return None if self.withheld(row) else row.estimate.p_value

    def withheld(self, row: EstimateRow) -> bool:
        """Whether the style gives this analysis an interval only: a secondary one, and no plan for multiplicity."""
        planned = self.planned(row.analysis)
        unadjusted = planned is None or planned.multiplicity == "none"
        known = row.estimate.p_value is not None
        return known and unadjusted and not self.style.secondary_p and row.role in ("secondary", "exploratory")

    def printed(self, row: EstimateRow) -> bool:
        """Whether an estimate is printed; one whose status takes its interval only is, with the status in a footnote."""
        kept = row.estimate.status in VALUED and isfinite(row.estimate.value)
        return row.estimate.status in PRINTED or kept

    def effect(self, row: EstimateRow) -> str:
        """An estimate with its interval as printed, or what became of it."""
        item = row.estimate.natural()
        if not self.printed(row):
            return "Not estimable"
        interval = item.interval
        if item.status is Status.NOT_REACHED and item.value != item.value:
            known = interval is not None and (isfinite(interval.low) or isfinite(interval.high))
            return f"Not reached ({self._limits(row)})" if known else "Not reached"
        if item.value != item.value:
            return EM_DASH
        return self._printed(row)

    def _scaled(self, row: EstimateRow) -> tuple[Measure, float, float | None, float | None]:
        item, measure = row.estimate.natural(), measure_of(row.estimate.measure)
        ends = (item.interval.low, item.interval.high) if item.interval else (None, None)
        low, high = (None if end is None or end != end else end for end in ends)
        if measure.kind in ("points", "probability"):
            low, high = (None if end is None else numbers.hundredfold(end) for end in (low, high))
            return measure, numbers.hundredfold(item.value), low, high
        if measure.kind == "value":
            low, high = (None if end is None or not isfinite(end) else end for end in (low, high))
        return measure, item.value, low, high

    def _printed(self, row: EstimateRow) -> str:
        measure, value, low, high = self._scaled(row)
        return numbers.estimate(value, low, high, self.style, places=self.places(row), null=measure.null)

    def _limits(self, row: EstimateRow) -> str:
        _, _, low, high = self._scaled(row)
        return numbers.interval(low, high, self.places(row), self.style, null=measure_of(row.estimate.measure).null)

    def places(self, row: EstimateRow) -> int:
        """The decimal places of an estimate and its limits."""
        measure, *values = self._scaled(row)
        return _places(measure, values)

    def scaled(self, row: EstimateRow) -> tuple[float, float | None, float | None]:
        """Value and limits on the scale that is printed."""
        return self._scaled(row)[1:]

    def level_name(self, row: EstimateRow | None) -> str:
        """The name of the interval of an estimate: "95% CI"."""
        interval = row.estimate.interval if row else None
        planned = self.plan.primary
        return numbers.level(interval.level if interval else (planned.level if planned else 0.95), self.style)

    def unit(self, row: EstimateRow) -> str:
        """The unit in which an estimate is printed."""
        kind = measure_of(row.estimate.measure).kind
        outcome = self.outcome(row.outcome)
        if kind == "points":
            return "percentage points"
        if kind == "probability":
            return "%"
        if row.estimate.measure.endswith("standardized mean difference"):
            return "SD"
        if kind in ("difference", "value"):
            return row.estimate.unit or (outcome.unit or outcome.time_unit or "" if outcome else "")
        return ""


def _places(measure: Measure, values: Iterable[float | None]) -> int:
    """Places of a ratio or percentage are fixed; a quantity in its own unit has those its interval can bear."""
    if measure.kind not in ("difference", "value"):
        return measure.places
    known = [value for value in values if value is not None and isfinite(value)]
    if measure.kind == "value" and all(value.is_integer() for value in known):
        return 0
    spread = (max(known) - min(known)) / 4 if len(known) > 1 else abs(known[0]) / 10 if known else 0.0
    return numbers.measured_places(spread)


def changed_groups(row: EstimateRow) -> bool:
    """Whether patients count in more than one group because their treatment changed.

    Counts of imputed tables are rounded means, whose sum may miss that of all by half a patient each.
    """
    rounded = (len(row.groups) + 1) / 2 if row.imputations else 0
    return row.n is not None and row.groups != () and sum(count.n or 0 for count in row.groups) > row.n + rounded


def why_twice(estimator: str) -> str:
    """Why patients count more than once."""
    return TWICE.get(estimator, CHANGED)


def counted_twice(step: FlowStep) -> bool:
    """Whether patients stand in more than one group of a step because their treatment changed."""
    return step.n is not None and sum(n or 0 for n in (step.by_group or {}).values()) > step.n


def _reference(key: str, number: int) -> Reference:
    text, _, doi = REFERENCES[key].partition(" doi:")
    return Reference(number, key, text, doi or None)
