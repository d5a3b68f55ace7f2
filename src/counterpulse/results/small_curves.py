"""Curves without small cells: steps of few events are joined, and counts at a time are shown only where they differ by many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterpulse.results.block import Cell

Columns = Mapping[str, Sequence[Cell]]


def coarse_curve(columns: Columns, smallest: int) -> dict[str, list[Cell]]:
    """Keep of each group the start and the times by which `smallest` further events have happened.

    The curve is right at the times kept; `events` are those since the time before. Numbers at risk and censored are left to
    the block of numbers at risk.
    """
    kept: dict[str, list[Cell]] = {name: [] for name in columns}
    since: dict[Cell, float] = {}
    for row in _rows(columns):
        events = since.get(row["group"], 0.0) + _number(row["events"])
        first = row["group"] not in since and _number(row["time"]) == 0
        since[row["group"]] = events
        if not (first and events == 0) and not (events >= smallest and _number(row["at_risk"]) >= smallest):
            continue
        since[row["group"]] = 0.0
        for name, cell in (row | {"events": events, "at_risk": None, "censored": None}).items():
            kept[name].append(cell)
    return kept


def coarse_numbers_at_risk(columns: Columns, smallest: int) -> dict[str, list[Cell]]:
    """Hide counts from 1 to `smallest` - 1, and those that differ from the one shown before by so few.

    At risk, events and censored add up to the group: where one is hidden, the events and the censored are.
    """
    kept: dict[str, list[Cell]] = {name: [] for name in columns}
    before: dict[tuple[str, Cell], float] = {}
    for row in _rows(columns):
        names = ("at_risk", "cumulative_events", "cumulative_censored")
        shown = {name: _far(row[name], before.get((name, row["group"])), smallest) for name in names}
        if not all(shown.values()):
            shown |= {"cumulative_events": False, "cumulative_censored": False}
        before |= {(name, row["group"]): _number(row[name]) for name in names if shown[name]}
        for name, cell in row.items():
            kept[name].append(cell if shown.get(name, True) else None)
    return kept


def _rows(columns: Columns) -> list[dict[str, Cell]]:
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | float) else 0.0


def _far(cell: Cell, before: float | None, smallest: int) -> bool:
    value = _number(cell)
    apart = abs(value - before) if before is not None else 0.0
    return not 0 < value < smallest and not 0 < apart < smallest
