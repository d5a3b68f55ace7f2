"""Dates and answers of one patient that cannot all be right: the dead who are seen alive, deaths without their date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.study.patients.outcomes import columns_behind

DEATH_WORDS = re.compile(r"(^|_)(died|dead|deceased|death|mortality|exitus|verstorben)", re.I)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Columns that contradict each other in the patients of `mask`, shape (n,); `seen` says how, without a value.

    A last contact after death is a note: it may have been with the family, and the time to death does not depend on it.
    """

    code: str
    seen: str
    columns: tuple[str, ...]
    mask: pl.Series


def contradictions(nodes: ProtocolNode, frame: pl.DataFrame) -> Iterator[Contradiction]:
    """What contradicts the date of death, in the patients of `frame`; nothing where the protocol names no such date."""
    death = nodes.follow_up.death if nodes.follow_up is not None else None
    if nodes.follow_up is None or death is None:
        return
    starts = nodes.exposure.starts if nodes.exposure is not None else None
    for code, name, what in (
        ("N532", nodes.follow_up.last_seen, "last seen alive"),
        ("W532", nodes.follow_up.discharge, "discharged"),
        ("W532", starts, "treated for the first time"),
    ):
        if name is not None and frame[name].dtype.is_temporal():
            seen = f"{what} after the day of their death"
            yield from _told(frame, code, seen, (death, name), _day(name) > _day(death))
    for name in _said_to_be_dead(nodes, frame):
        undated = pl.col(name) & pl.col(death).is_null()
        yield from _told(frame, "W532", f"dead by '{name}', without a date of death", (name, death), undated)


def _told(
    frame: pl.DataFrame, code: str, seen: str, columns: tuple[str, ...], wrong: pl.Expr
) -> Iterator[Contradiction]:
    mask = frame.select(wrong.fill_null(value=False).alias("wrong"))["wrong"]
    if mask.any():
        yield Contradiction(code, seen, columns, mask)


def _day(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Date)


def _said_to_be_dead(nodes: ProtocolNode, frame: pl.DataFrame) -> list[str]:
    """The yes/no columns behind the outcomes whose names speak of death."""
    behind = set().union(*(columns_behind(outcome) for outcome in nodes.outcomes.values()))
    return [
        name
        for name in frame.columns
        if name in behind and DEATH_WORDS.search(name) and frame[name].dtype == pl.Boolean
    ]
