"""Imputed tables in R: the values are given, all else is made again in each of them, and the answers are pooled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from counterpulse.data.dictionary import Dictionary
from counterpulse.expression import r_name, r_text
from counterpulse.protocol.plan import Plan
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_study import derived_again


def imputation_lines(plan: Plan, dictionary: Dictionary, filled: Mapping[str, str]) -> Iterator[str]:
    """The patients as observed, and a function that gives those of an imputed table, for each imputation."""
    if not filled:
        return
    yield ""
    yield f"# -- Imputed tables {'-' * 98}"
    yield ""
    yield "observed <- patients"
    for file in dict.fromkeys(filled.values()):
        own = [analysis.imputation for analysis in plan.analyses if filled.get(analysis.id) == file]
        passive = {name for imputation in own if imputation is not None for name in imputation.passive}
        yield f"{_tables_of(file)} <- function(table, moved = list()) {{"
        yield "  derive <- function(patients) {"
        yield from (f"    {line}" for line in derived_again(plan, dictionary, passive))
        yield "    patients"
        yield "  }"
        yield f"  imputed_patients(observed, {r_text(file)}, table, derive, moved)"
        yield "}"


def in_every_table(part: Part, file: str, lines: Sequence[str]) -> Iterator[str]:
    """Code carried out in each imputed table of a file, and the pooled numbers."""
    shift = part.shift
    moved = "" if shift is None else f", list({r_name(shift.variable)} = {shift.by!r})"
    yield f"  for (table in each_of({part.imputations})) {{"
    yield f"    patients <- {_tables_of(file)}(table{moved})"
    yield from (f"    {line}" for line in lines)
    yield "  }"
    yield f"  pool({part.imputations})"


def _tables_of(file: str) -> str:
    return f"patients_of_{file.removesuffix('.csv')}"
