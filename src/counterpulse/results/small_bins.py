"""Neighbors joined until none of them is small: bins of a histogram, deciles of a calibration, centers of a funnel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from counterpulse.results.block import Cell

Columns = Mapping[str, Sequence[Cell]]
Row = dict[str, Cell]
EPSILON = 1e-9  # of a patient: counts that come from a proportion


def joined(counts: Sequence[Sequence[float]], smallest: int) -> list[range]:
    """Join neighbors, from the first on, until every count of each is none or at least `smallest`.

    What remains at the end joins the last; a single one that is still small remains small.
    """
    parts: list[range] = []
    start = 0
    for k in range(len(counts)):
        if not _small(_total(counts, range(start, k + 1)), smallest):
            parts.append(range(start, k + 1))
            start = k + 1
    while start < len(counts):
        first = parts.pop().start if parts else 0
        rest = range(first, len(counts))
        if _small(_total(counts, rest), smallest) and parts:
            start = first
            continue
        return [*parts, rest]
    return parts


def _total(counts: Sequence[Sequence[float]], part: range) -> list[float]:
    return [sum(column) for column in zip(*(counts[k] for k in part), strict=True)]


def _small(counts: Iterable[float], smallest: int) -> bool:
    return any(EPSILON < count < smallest - EPSILON for count in counts)


def coarse_distribution(columns: Columns, smallest: int) -> dict[str, list[Cell]]:
    """Join the bins of each group; one that is small as a whole loses its count."""

    def merge(rows: Sequence[Row]) -> list[Row]:
        counts = [[number(row["n"])] for row in rows]
        found = []
        for part in joined(counts, smallest):
            n = int(_total(counts, part)[0])
            own = [rows[k] for k in part]
            shown = not _small([n], smallest)
            percents = [number(row["percent"]) for row in own if row["percent"] is not None]
            found.append(
                own[0]
                | {
                    "high": own[-1]["high"],
                    "n": n if shown else None,
                    "percent": sum(percents) if shown and percents else None,
                }
            )
        return found

    return _each(columns, ("variable", "group"), merge)


def coarse_calibration(columns: Columns, smallest: int) -> dict[str, list[Cell]]:
    """Join deciles until each holds none or `smallest` patients with the event, and without it. Smooth curves stay.

    Joined deciles have no interval; one that is still small has nothing observed.
    """

    def merge(rows: Sequence[Row]) -> list[Row]:
        if any(row["n"] is None or row["observed"] is None for row in rows):
            return [row | {"n": None} if small_count(row["n"], smallest) else row for row in rows]
        counts = [
            [number(row["n"]), (events := number(row["n"]) * number(row["observed"])), number(row["n"]) - events]
            for row in rows
        ]
        return [_decile([rows[k] for k in part], _total(counts, part), smallest) for part in joined(counts, smallest)]

    return _each(columns, ("model", "kind"), merge)


def _decile(rows: Sequence[Row], totals: Sequence[float], smallest: int) -> Row:
    if _small(totals, smallest):
        return rows[0] | {name: None for name in ("predicted", "observed", "conf_low", "conf_high", "n")}
    if len(rows) == 1:
        return dict(rows[0])
    n = totals[0]
    predicted = sum(number(row["predicted"]) * number(row["n"]) for row in rows) / n
    return rows[0] | {
        "predicted": predicted, "observed": totals[1] / n, "conf_low": None, "conf_high": None, "n": round(n),
    }  # fmt: skip


def coarse_centers(columns: Columns, smallest: int) -> dict[str, list[Cell]]:
    """Put the centers with fewer than `smallest` patients together, with the next larger ones until they are not few."""
    rows = sorted(rows_of(columns), key=lambda row: -number(row["n"]))
    small: list[Row] = []
    while rows and (number(rows[-1]["n"]) < smallest or 0 < sum(number(row["n"]) for row in small) < smallest):
        small.append(rows.pop())
    if small:
        n, events = (int(sum(number(row[name]) for row in small)) for name in ("n", "events"))
        limits = dict.fromkeys(("low_95", "high_95", "low_998", "high_998"), None)
        label = f"{len(small)} smaller center{'s' if len(small) > 1 else ''}"
        rows.append(small[0] | limits | {"center": label, "n": n, "events": events, "risk": events / n if n else None})
    return {name: [row[name] for row in rows] for name in columns}


def _each(columns: Columns, keys: Sequence[str], merge: Callable[[Sequence[Row]], list[Row]]) -> dict[str, list[Cell]]:
    """The rows of each combination of the keys, merged."""
    parts: dict[tuple[Cell, ...], list[Row]] = {}
    for row in rows_of(columns):
        parts.setdefault(tuple(row[key] for key in keys), []).append(row)
    merged = [row for rows in parts.values() for row in merge(rows)]
    return {name: [row[name] for row in merged] for name in columns}


def rows_of(columns: Columns) -> list[Row]:
    """The rows of some columns."""
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def number(cell: Cell) -> float:
    """A cell as a number; nothing is zero."""
    return float(cell) if isinstance(cell, int | float) else 0.0


def small_count(cell: Cell, smallest: int) -> bool:
    """Whether a cell holds a count that must not be shown."""
    return _small([number(cell)], smallest)
