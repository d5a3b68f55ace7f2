"""Who and what a plan is about: groups, variables, criteria, outcomes, populations, boxes of the flow diagram. Types only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """A compared group: the level as it stands in the data, its label, whether the others are compared with it."""

    level: str
    label: str
    is_reference: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVariable:
    """A variable as the report names it. `definition` is the derivation in words, None for a column of the table."""

    name: str
    label: str
    kind: str
    unit: str | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    section: str | None = None
    definition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCriterion:
    """An eligibility criterion: its clinical text, its rule in canonical form and in words."""

    id: str
    kind: str
    text: str
    rule: str
    english: str
    if_unknown: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOutcome:
    """An outcome. `definition` is in words; `horizon` as written; `time_unit` of a time-to-event outcome.

    `of_group` is the level of the group variable whose probability is modeled, where the exposure itself is the outcome.
    """

    name: str
    label: str
    kind: str
    definition: str
    better: str | None = None
    horizon: float | None = None
    time_unit: str | None = None
    unit: str | None = None
    summary: str | None = None
    shown_as: str | None = None
    primary: bool = False
    if_unknown: str | None = None
    competing: str | None = None
    truncation: PlannedTruncation | None = None
    of_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTruncation:
    """What becomes of the values of patients who died: `plan` is "worst-rank", "survivors-only" or "competing".

    `by` is the outcome (or key of follow-up) that says who died, `label` what it is called, `timed` whether it says when.
    """

    by: str
    label: str
    plan: str
    timed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPopulation:
    """An analysis population."""

    name: str
    label: str
    rule: str | None
    english: str
    analyze_as: str | None = None
    if_unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFlowBox:
    """A box of the flow diagram after the groups were formed.

    `stage` is "allocation", "follow-up" or "analysis". `reasons` is the column of the reasons, `levels` their labels.
    """

    name: str
    label: str
    stage: str
    rule: str
    english: str
    reasons: str | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
