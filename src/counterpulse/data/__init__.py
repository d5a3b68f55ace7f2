"""Dictionaries, patients, and what estimators are given. Names are loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.data.applicability import applicable
    from counterpulse.data.design import (
        INTERCEPT,
        Design,
        DesignColumn,
        DesignSpec,
        build_design,
        complete_rows,
        is_categorical,
        learn,
        level_text,
        levels_in_order,
    )
    from counterpulse.data.dictionary import TYPES, Dictionary, Variable, VariableType
    from counterpulse.data.dictionary_reader import read_dictionary
    from counterpulse.data.dictionary_writer import dictionary_csv
    from counterpulse.data.digest import content_digest
    from counterpulse.data.draft import Draft, draft_dictionary
    from counterpulse.data.patient_table import DataKind, PatientTable
    from counterpulse.data.queries import queries_csv
    from counterpulse.data.redcap import RedcapImport, RedcapTable, import_redcap
    from counterpulse.data.redcap_dictionary import read_redcap_dictionary
    from counterpulse.data.related_reader import RelatedRows, read_related, with_related
    from counterpulse.data.sample import Kind, Sample, TableSet
    from counterpulse.data.scope import scope_of
    from counterpulse.data.table_reader import read_table
    from counterpulse.data.terms import Categorical, Interaction, Numeric, Spline, Term, variables_of

_HOMES = {
    "applicability": ("applicable",),
    "digest": ("content_digest",),
    "design": (
        "INTERCEPT", "Design", "DesignColumn", "DesignSpec", "build_design", "complete_rows", "is_categorical", "learn",
        "level_text", "levels_in_order",
    ),
    "dictionary": ("TYPES", "Dictionary", "Variable", "VariableType"),
    "draft": ("Draft", "draft_dictionary"),
    "patient_table": ("DataKind", "PatientTable"),
    "dictionary_reader": ("read_dictionary",),
    "queries": ("queries_csv",),
    "redcap": ("RedcapImport", "RedcapTable", "import_redcap"),
    "redcap_dictionary": ("read_redcap_dictionary",),
    "related_reader": ("RelatedRows", "read_related", "with_related"),
    "table_reader": ("read_table",),
    "sample": ("Kind", "Sample", "TableSet"),
    "scope": ("scope_of",),
    "terms": ("Categorical", "Interaction", "Numeric", "Spline", "Term", "variables_of"),
    "dictionary_writer": ("dictionary_csv",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "INTERCEPT", "TYPES", "Categorical", "DataKind", "Design", "DesignColumn", "DesignSpec", "Dictionary", "Draft",
    "Interaction", "Kind", "Numeric", "PatientTable", "RedcapImport", "RedcapTable", "RelatedRows", "Sample", "Spline",
    "TableSet", "Term", "Variable", "VariableType", "applicable", "build_design", "complete_rows", "content_digest",
    "dictionary_csv", "draft_dictionary", "import_redcap", "is_categorical", "learn", "level_text", "levels_in_order",
    "queries_csv", "read_dictionary", "read_redcap_dictionary", "read_related", "read_table", "scope_of", "variables_of",
    "with_related",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
