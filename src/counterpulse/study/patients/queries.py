"""Questions for the data manager that the rules of a study raise: blanks that leave something open, values that contradict."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from counterpulse.data.applicability import applicable
from counterpulse.data.design import level_text
from counterpulse.data.patient_table import PatientTable
from counterpulse.data.queries import ask, queries_csv, together
from counterpulse.errors import UsageError
from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.study.patients.derive import columns_read, patient_ids

IN_BUNDLE = "private/queries.csv"


def about_blanks(
    table: PatientTable, nodes: ProtocolNode, rules: Iterable[str | None], open_: pl.Series, what: str
) -> pl.DataFrame:
    """Ask for the blank columns behind rules that cannot be judged for the patients of `open_`, shape (rows of the table,)."""
    if not open_.any():
        return together([])
    follow_up = {} if nodes.follow_up is None else nodes.follow_up.model_dump()
    read = columns_read(nodes, rules)
    read |= {str(follow_up[name]) for name in read if follow_up.get(name)}
    asked = []
    for name in (variable.name for variable in table.dictionary if variable.name in read):
        blank = open_ & table.frame[name].is_null() & applicable(table, name)
        asked.append(_about(table, nodes, name, blank, f"Blank, and {what} cannot be judged without it. What is it?"))
    return together(asked)


def about_values(
    table: PatientTable, nodes: ProtocolNode, columns: Iterable[object], mask: pl.Series, question: str
) -> pl.DataFrame:
    """One question about the values of some columns of the patients of `mask`, shape (rows of the table,)."""
    known = [name for name in map(str, columns) if name in table.dictionary]
    return together(_about(table, nodes, name, mask, question) for name in known)


def private_queries(*asked: pl.DataFrame) -> dict[str, bytes]:
    """The file of a bundle with every question about its patients; none where there is no question."""
    queries = together(asked)
    return {} if queries.is_empty() else {IN_BUNDLE: queries_csv(queries)}


def write_queries(queries: pl.DataFrame, path: Path) -> Path | None:
    """Write the questions, if there are any; a file of that name is kept, and a numbered neighbor written.

    Raises
    ------
    UsageError : the place cannot be written
    """
    if queries.is_empty():
        return None
    content = queries_csv(queries)
    number, place = 2, path
    while place.exists() and place.read_bytes() != content:
        place = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {place}: {error.strerror}; name another file") from None
    return place


def _about(table: PatientTable, nodes: ProtocolNode, name: str, mask: pl.Series, question: str) -> pl.DataFrame:
    nowhere = pl.repeat(None, table.frame.height, dtype=pl.Int64, eager=True)
    return ask(mask, question, variable=name, file=table.file, rows=nowhere, ids=patient_ids(table, nodes),
               values=level_text(table.frame[name]))  # fmt: skip
