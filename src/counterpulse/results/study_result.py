"""The whole answer of a study: what the report draws and what results.json holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from counterpulse.results.block import Block, Cell
from counterpulse.results.estimate import Estimate, GroupCount
from counterpulse.results.provenance import Choice

DataKind = Literal["real", "mock", "synthetic", "simulated"]
Role = Literal["primary", "secondary", "sensitivity", "exploratory", "covariate"]
Planned = Literal["registered", "stated", "after-data"]

FLOW_BOX, FLOW_REASON, FLOW_UNKNOWN = "flow", "flow-reason", "flow-unknown"
"""Kinds of steps: a box of `flow`, one of its reasons, those whom its rule cannot judge. The ids of the latter begin with the box's."""


COMPETING_EVENT = "competing event"
"""The model of a row whose events are those that compete with its outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyIdentity:
    """Which study, which inputs, which software. `data_digest` is None before data are read."""

    id: str
    title: str
    design: str
    protocol_digest: str
    dictionary_digest: str
    data_digest: str | None
    seed: int | None
    software: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One box of the participant flow.

    `kind` is "screened", "absent" (patients with no row; one step a reason), "read", "removed" (an unmet inclusion or a met
    exclusion), "deviation" (the same in a randomized trial, where nobody is removed), "eligible" (in a trial the randomized),
    "population", "flow" (a box of the protocol's `flow`, with "flow-reason" and "flow-unknown"), "design" (removed by a
    landmark, say), "analyzed" or "analysis". `n` is the count at this step; for "removed" it is
    how many this criterion removed, in order; `n_alone` how many it concerns on its own; `unknown` how many could not be judged.
    A count that small cells hide is None.
    """

    id: str
    label: str
    kind: str
    n: int | None
    n_alone: int | None = None
    unknown: int | None = None
    by_group: Mapping[str, int | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOneRow:
    """One cell group of Table 1: a summary of a variable (or of one level) in one group, or a contrast of groups.

    `group` None with `contrast` None is everybody; `contrast` lists the groups that `smd` and `p_value` compare.
    """

    variable: str
    level: str | None = None
    group: str | None = None
    contrast: tuple[str, ...] | None = None
    n: int | None = None
    missing: int | None = None
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    count: int | None = None
    percent: float | None = None
    smd: float | None = None
    smd_denominator: str | None = None
    p_value: float | None = None
    test: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRecord:
    """What was run for one analysis. `rules` of the plan appear in `choices` with what the rule gave."""

    id: str
    role: str
    label: str
    method: str
    choices: tuple[Choice, ...] = ()
    n_missing: int | None = 0
    citations: tuple[str, ...] = ()
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Estimand:
    """The kind of effect and whom it is about."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One level of a subgroup variable."""

    variable: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRow:
    """An `Estimate` placed in its study: which analysis, outcome, population and subgroup it belongs to."""

    id: str
    analysis: str
    role: str
    outcome: str
    population: str
    method: str
    estimate: Estimate
    model: str | None = None
    subgroup: Subgroup | None = None
    estimand: Estimand | None = None
    better: str | None = None
    p_adjusted: float | None = None
    n: int | None = None
    events: int | None = None
    n_missing: int | None = None
    groups: tuple[GroupCount, ...] = ()
    imputations: int | None = None
    fmi: float | None = None
    clusters: int | None = None
    effective_n: float | None = None
    planned: str = "stated"

    @property
    def of_competing_event(self) -> bool:
        """Whether the events are those that compete with the outcome, not the outcome itself."""
        return f", {self.model}".endswith(f", {COMPETING_EVENT}")


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning that the report prints: a code, the analysis or file it concerns, the sentence."""

    code: str
    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """Everything a run found. `details` holds scalars only, by analysis.

    `plan` is the plan it carried out, as plan.json holds it; it stands beside results.json, not in it.
    """

    identity: StudyIdentity
    data_kind: DataKind
    flow: tuple[FlowStep, ...] = ()
    table_one: tuple[TableOneRow, ...] = ()
    analyses: tuple[AnalysisRecord, ...] = ()
    estimates: tuple[EstimateRow, ...] = ()
    blocks: tuple[Block, ...] = ()
    details: Mapping[str, Mapping[str, Cell]] = field(default_factory=dict)
    warnings: tuple[Notice, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
