"""What a method returns and what a study holds; how both stand on disk. No plotting, no printing."""

from counterpulse.results.block import Block, Cell
from counterpulse.results.estimate import At, Estimate, GroupCount, Interval, Scale, finite_or_none, to_natural
from counterpulse.results.provenance import Choice, Origin, Provenance
from counterpulse.results.references import REFERENCES
from counterpulse.results.status import Status
from counterpulse.results.study_result import (
    AnalysisRecord,
    DataKind,
    Estimand,
    EstimateRow,
    FlowStep,
    Notice,
    StudyIdentity,
    StudyResult,
    Subgroup,
    TableOneRow,
)

__all__ = [
    "REFERENCES",
    "AnalysisRecord",
    "At",
    "Block",
    "Cell",
    "Choice",
    "DataKind",
    "Estimand",
    "Estimate",
    "EstimateRow",
    "FlowStep",
    "GroupCount",
    "Interval",
    "Notice",
    "Origin",
    "Provenance",
    "Scale",
    "Status",
    "StudyIdentity",
    "StudyResult",
    "Subgroup",
    "TableOneRow",
    "finite_or_none",
    "to_natural",
]
