"""Patients described: how they came into the cohort, what they are like, what is missing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.describe.balance import StandardizedDifference, smd_levels, smd_numeric
    from counterpulse.describe.baseline_table import Remark, TableOne, VariableChoice, table_one
    from counterpulse.describe.flow import CohortFlow, Criterion, CriterionCount, cohort_flow
    from counterpulse.describe.missing import Missingness, MissingRow, RowsLost, missingness, rows_lost
    from counterpulse.describe.quartiles import quartiles_of
    from counterpulse.describe.rules import RULES, Rule

__all__ = [
    "RULES",
    "CohortFlow",
    "Criterion",
    "CriterionCount",
    "MissingRow",
    "Missingness",
    "Remark",
    "RowsLost",
    "Rule",
    "StandardizedDifference",
    "TableOne",
    "VariableChoice",
    "cohort_flow",
    "missingness",
    "quartiles_of",
    "rows_lost",
    "smd_levels",
    "smd_numeric",
    "table_one",
]

_HOME = {
    "RULES": "rules",
    "CohortFlow": "flow",
    "Criterion": "flow",
    "CriterionCount": "flow",
    "MissingRow": "missing",
    "Missingness": "missing",
    "Remark": "baseline_table",
    "RowsLost": "missing",
    "Rule": "rules",
    "StandardizedDifference": "balance",
    "TableOne": "baseline_table",
    "VariableChoice": "baseline_table",
    "cohort_flow": "flow",
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
