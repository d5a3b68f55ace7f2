"""The nodes of a protocol: what the researcher wrote, as frozen values. A node that exists is well formed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from counterpulse.protocol.analysis_nodes import (
    Analysis,
    Clusters,
    CrosstabNode,
    DescriptionNode,
    EstimandNode,
    GroupOutcome,
    MissingData,
    Outcome,
    Propensity,
    Selection,
    Subgroups,
    SubgroupVariable,
    TableOneNode,
    TermNode,
    TermSpec,
)
from counterpulse.protocol.cohort_nodes import (
    Case,
    CountedTime,
    Criterion,
    DerivedVariable,
    Earlier,
    Eligibility,
    Exposure,
    FlowBox,
    FollowUp,
    Groups,
    ImmortalTime,
    Population,
    Screened,
)
from counterpulse.protocol.identity_nodes import (
    Amendment,
    DataSource,
    Privacy,
    Registration,
    RelatedTable,
    ReportLooks,
    Study,
    TableOneLooks,
)
from counterpulse.protocol.node import AnalysisId, IfUnknown, ImmortalPlan, Name, Node, OutcomeType, Role
from counterpulse.protocol.rehearsal_nodes import AssumedOutcome, Rehearsal, Unmeasured
from counterpulse.protocol.review_nodes import (
    BiasByDesign,
    BundleRow,
    Certainty,
    Conversion,
    Effects,
    Judgment,
    Overlap,
    Question,
    ReviewOutcome,
    RiskOfBias,
    Screening,
)
from counterpulse.protocol.robustness_nodes import Edit, Multiverse, Robustness, UnmeasuredConfounder
from counterpulse.protocol.trial_nodes import Hypothesis, IntercurrentEvent, Randomization, Trial
from counterpulse.protocol.words import Text

__all__ = [
    "Amendment",
    "Analysis",
    "AnalysisId",
    "AssumedOutcome",
    "BiasByDesign",
    "BundleRow",
    "Case",
    "Certainty",
    "Clusters",
    "Conversion",
    "CountedTime",
    "Criterion",
    "CrosstabNode",
    "DataSource",
    "DerivedVariable",
    "DescriptionNode",
    "Earlier",
    "Edit",
    "Effects",
    "Eligibility",
    "EstimandNode",
    "Exposure",
    "FlowBox",
    "FollowUp",
    "GroupOutcome",
    "Groups",
    "Hypothesis",
    "IfUnknown",
    "ImmortalPlan",
    "ImmortalTime",
    "IntercurrentEvent",
    "Judgment",
    "MissingData",
    "Multiverse",
    "Name",
    "Node",
    "Outcome",
    "OutcomeType",
    "Overlap",
    "Population",
    "Privacy",
    "Propensity",
    "ProtocolNode",
    "Question",
    "Randomization",
    "Registration",
    "Rehearsal",
    "RelatedTable",
    "ReportLooks",
    "ReviewOutcome",
    "RiskOfBias",
    "Robustness",
    "Role",
    "Screened",
    "Screening",
    "Selection",
    "Study",
    "SubgroupVariable",
    "Subgroups",
    "TableOneLooks",
    "TableOneNode",
    "TermNode",
    "TermSpec",
    "Trial",
    "Unmeasured",
    "UnmeasuredConfounder",
]


class ProtocolNode(Node):
    """A study, written once."""

    protocol: Literal[1] = Field(description="The file format; leave it as it is.", examples=[1])
    study: Study = Field(
        description="The study itself.", examples=[{"id": "my-study", "title": "…", "design": "cohort"}]
    )
    data: DataSource = Field(
        description="Where the table is.", examples=[{"table": "patients.csv", "dictionary": "dictionary.csv"}]
    )
    tables: dict[Name, RelatedTable] = Field(default={}, description="Tables with several rows a patient.")
    time_zero: Name | CountedTime | None = Field(
        default=None, description="Day 0: a date column, or {text, counted: yes} where the table holds durations."
    )
    hypothesis: Hypothesis | None = Field(default=None, description="The hypothesis of a trial.")
    trial: Trial | None = Field(default=None, description="The design of a trial.")
    question: Question | None = Field(default=None, description="The question of a review.")
    screening: Screening | None = Field(default=None, description="How the studies of a review were found.")
    overlap: Overlap | None = Field(default=None, description="What is done about studies of one registry.")
    effects: Effects | None = Field(default=None, description="How a row of a review becomes an effect.")
    risk_of_bias: RiskOfBias | None = Field(default=None, description="How bias was judged in a review.")
    certainty: Certainty | None = Field(default=None, description="How certain the evidence of a review is.")
    eligibility: Eligibility = Field(default=Eligibility(), description="Who is in.")
    groups: Groups | None = Field(default=None, description="Who is compared with whom.")
    exposure: Exposure | None = Field(
        default=None, description="When treatment begins, where that can be after time zero."
    )
    immortal_time: ImmortalTime | None = Field(default=None, description="The plan for immortal time.")
    follow_up: FollowUp | None = Field(default=None, description="How long each patient was watched.")
    variables: dict[Name, DerivedVariable] = Field(default={}, description="Columns derived once, used everywhere.")
    populations: dict[Name, Population] = Field(default={}, description="Analysis populations.")
    flow: dict[Name, Text | FlowBox] = Field(
        default={}, description="Further boxes of the flow diagram, each a rule: who received, was lost, was excluded."
    )
    outcomes: dict[Name, Outcome] = Field(default={}, description="What is measured.")
    confounders: dict[Name, tuple[TermSpec, ...]] = Field(default={}, description="Adjustment sets, argued once.")
    table1: TableOneNode | None = Field(default=None, description="Table 1, where it is not the adjustment set.")
    describe: DescriptionNode | None = Field(default=None, description="What is described beyond Table 1.")
    missing_data: MissingData | None = Field(default=None, description="What is done about missing values.")
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.05, description="The type I error; intervals have level 1 - alpha.", examples=[0.05]
    )
    seed: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Makes imputation, bootstrap and mock data repeatable; never the allocation.",
        examples=[20250301],
    )
    intercurrent_events: tuple[IntercurrentEvent, ...] = Field(
        default=(), description="Intercurrent events (ICH E9(R1))."
    )
    analyses: tuple[Analysis, ...] = Field(default=(), description="The analyses.")
    subgroups: Subgroups | None = Field(default=None, description="The subgroup analyses.")
    rehearsal: Rehearsal | None = Field(
        default=None, description="What `counterpulse rehearse` assumes of the outcomes, which it does not read."
    )
    robustness: Robustness = Field(
        default=Robustness(), description="How much it would take to change the conclusions."
    )
    multiverse: Multiverse | None = Field(
        default=None, description="One effect under all combinations of defensible choices."
    )
    amendments: tuple[Amendment, ...] = Field(default=(), description="What was changed, when and why.")
    privacy: Privacy = Field(default=Privacy(), description="What must not be shared.")
    report: ReportLooks = Field(default=ReportLooks(), description="Looks only.")
