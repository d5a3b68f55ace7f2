"""Patients described: how they came into the cohort, what they are like, what is missing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.describe.association import Association, Associations, VarianceInflation, associations
    from counterpulse.describe.balance import StandardizedDifference, smd_levels, smd_numeric
    from counterpulse.describe.baseline_table import Remark, TableOne, VariableChoice, table_one
    from counterpulse.describe.centers import CenterFunnel, CenterRisk, center_funnel
    from counterpulse.describe.cross_tables import Crosstab, CrosstabCell, crosstab
    from counterpulse.describe.events_per_parameter import (
        EventsPerParameter,
        events_of_binary,
        events_of_levels,
        events_of_number,
        events_of_time,
    )
    from counterpulse.describe.flow import CohortFlow, Criterion, CriterionCount, cohort_flow
    from counterpulse.describe.histogram import Distribution, HistogramBin, distribution
    from counterpulse.describe.missing import Missingness, MissingRow, RowsLost, missingness, rows_lost
    from counterpulse.describe.missing_together import MissingPattern, missing_patterns
    from counterpulse.describe.quartiles import quartiles_of
    from counterpulse.describe.rules import RULES, Rule

__all__ = [
    "RULES",
    "Association",
    "Associations",
    "CenterFunnel",
    "CenterRisk",
    "CohortFlow",
    "Criterion",
    "CriterionCount",
    "Crosstab",
    "CrosstabCell",
    "Distribution",
    "EventsPerParameter",
    "HistogramBin",
    "MissingPattern",
    "MissingRow",
    "Missingness",
    "Remark",
    "RowsLost",
    "Rule",
    "StandardizedDifference",
    "TableOne",
    "VariableChoice",
    "VarianceInflation",
    "associations",
    "center_funnel",
    "cohort_flow",
    "crosstab",
    "distribution",
    "events_of_binary",
    "events_of_levels",
    "events_of_number",
    "events_of_time",
    "missing_patterns",
    "missingness",
    "quartiles_of",
    "rows_lost",
    "smd_levels",
    "smd_numeric",
    "table_one",
]

_HOME = {
    "RULES": "rules",
    "Association": "association",
    "Associations": "association",
    "CenterFunnel": "centers",
    "CenterRisk": "centers",
    "CohortFlow": "flow",
    "Criterion": "flow",
    "CriterionCount": "flow",
    "Crosstab": "cross_tables",
    "CrosstabCell": "cross_tables",
    "Distribution": "histogram",
    "EventsPerParameter": "events_per_parameter",
    "HistogramBin": "histogram",
    "MissingPattern": "missing_together",
    "MissingRow": "missing",
    "Missingness": "missing",
    "Remark": "baseline_table",
    "RowsLost": "missing",
    "Rule": "rules",
    "StandardizedDifference": "balance",
    "TableOne": "baseline_table",
    "VariableChoice": "baseline_table",
    "VarianceInflation": "association",
    "associations": "association",
    "center_funnel": "centers",
    "cohort_flow": "flow",
    "crosstab": "cross_tables",
    "distribution": "histogram",
    "events_of_binary": "events_per_parameter",
    "events_of_levels": "events_per_parameter",
    "events_of_number": "events_per_parameter",
    "events_of_time": "events_per_parameter",
    "missing_patterns": "missing_together",
    "missingness": "missing",
    "quartiles_of": "quartiles",
    "rows_lost": "missing",
    "smd_levels": "balance",
    "smd_numeric": "balance",
    "table_one": "baseline_table",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
