"""Curves without small cells: steps of few events are joined, and counts at a time are shown only where they differ by many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from counterpulse.results.block import Cell
from counterpulse.results.small_bins import Columns, number, rows_of

SAME = 1e-9  # of a proportion: two points of a curve that differ by less are one


def coarse_curve(columns: Columns, smallest: int) -> dict[str, list[Cell]]:
    """Keep of each curve the start and the times by which `smallest` further events have happened.

    A curve is one of a group, and of a cause where there are several.
    The curve is right at the times kept; `events` are those since the time before. Numbers at risk and censored are left to
    the block of numbers at risk.
    """
    kept: dict[str, list[Cell]] = {name: [] for name in columns}
    since: dict[tuple[Cell, Cell], float] = {}
    for row in rows_of(columns):
        curve = (row["group"], row.get("cause"))
        events = since.get(curve, 0.0) + number(row["events"])
        first = curve not in since and number(row["time"]) == 0
        since[curve] = events
        if not (first and events == 0) and not (events >= smallest and number(row["at_risk"]) >= smallest):
            continue
        since[curve] = 0.0
        shown = row | {"events": events, "at_risk": None, "censored": None}
        for name, cells in kept.items():
            cells.append(shown[name])
    return kept


def coarse_numbers_at_risk(columns: Columns, smallest: int) -> dict[str, list[Cell]]:
    """Hide counts from 1 to `smallest` - 1, and those that differ from the one shown before by so few.

    At risk, events and censored add up to the group: where one is hidden, the events and the censored are.
    """
    kept: dict[str, list[Cell]] = {name: [] for name in columns}
    before: dict[tuple[str, Cell], float] = {}
    for row in rows_of(columns):
        names = ("at_risk", "cumulative_events", "cumulative_censored")
        shown = {name: _far(row[name], before.get((name, row["group"])), smallest) for name in names}
        if not all(shown.values()):
            shown |= {"cumulative_events": False, "cumulative_censored": False}
        before |= {(name, row["group"]): number(row[name]) for name in names if shown[name]}
        for name, cell in row.items():
            kept[name].append(cell if shown.get(name, True) else None)
    return kept


def coarse_roc(columns: Columns, smallest: int) -> dict[str, list[Cell]]:
    """Keep the points between which `smallest` patients with the event, or without it, or none, have passed.

    One patient is the least step of sensitivity (of specificity) that occurs. Thresholds, which are what a model says of one
    patient, are rounded to hundredths.
    """
    kept: dict[str, list[Cell]] = {name: [] for name in columns}
    rows = rows_of(columns)
    for model in dict.fromkeys(row["model"] for row in rows):
        own = sorted(
            (row for row in rows if row["model"] == model),
            key=lambda row: (number(row["sensitivity"]), -number(row["specificity"])),
        )
        least = [_least_step([number(row[name]) for row in own]) * smallest for name in ("sensitivity", "specificity")]
        for row in _spaced(own, least):
            threshold = row["threshold"]
            shown = row | {"threshold": round(threshold, 2) if isinstance(threshold, float) else threshold}
            for name, cells in kept.items():
                cells.append(shown[name])
    return kept


def _least_step(values: Sequence[float]) -> float:
    ordered = sorted(set(values))
    steps = [after - before for before, after in pairwise(ordered) if after - before > SAME]
    return min(steps, default=1.0)


def _spaced(rows: Sequence[dict[str, Cell]], least: Sequence[float]) -> list[dict[str, Cell]]:
    """The first and the last point, and those between that are far enough from the one before and from the last."""

    def far(one: Mapping[str, Cell], other: Mapping[str, Cell]) -> bool:
        apart = [abs(number(one[name]) - number(other[name])) for name in ("sensitivity", "specificity")]
        return all(step < SAME or step > wanted - SAME for step, wanted in zip(apart, least, strict=True)) and any(
            step > SAME for step in apart
        )

    if len(rows) < 2:
        return list(rows)
    kept, last = [rows[0]], rows[-1]
    for row in rows[1:-1]:
        if far(row, kept[-1]) and far(row, last):
            kept.append(row)
    return [*kept, last]


def rounded(columns: Columns, smallest: int, *, name: str, places: int) -> dict[str, list[Cell]]:
    """One column with so many decimal places, so that no step of one patient shows."""
    return {
        key: [round(cell, places) if key == name and isinstance(cell, float) else cell for cell in cells]
        for key, cells in columns.items()
    }


def _far(cell: Cell, before: float | None, smallest: int) -> bool:
    value = number(cell)
    apart = abs(value - before) if before is not None else 0.0
    return not 0 < value < smallest and not 0 < apart < smallest
