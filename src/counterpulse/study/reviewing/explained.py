"""The studies behind a number of a review, as its bundle holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
FIGURES = ("study-forest", "bubble")
"""Blocks that hold the studies of an analysis one by one."""
TOLD = ("row", "format", "events_1", "n_1", "events_2", "n_2", "note", "source")


def studies_behind(row: Json, results: Json) -> list[dict[str, Any]]:
    """Each study that a number rests on: its effect and weight, and where it stands in the extraction table.

    Parameters
    ----------
    row : an estimate or a block of `results`, which is the results.json of any study; of one that is no review there is nothing
    """
    if results["study"]["design"] != "review" or "analysis" not in row:
        return []
    outcome = row.get("outcome") or _part(row["id"], 1)
    extracted = [item for item in _rows_of(results, "effect-sizes") if item["outcome"] == outcome]
    shown = [
        item
        for kind in FIGURES
        for item in _rows_of(results, kind, row["analysis"], outcome)
        if item["role"] == "study" and item["estimate"] is not None
    ]
    subgroup = row.get("subgroup")
    if subgroup is not None and subgroup["variable"] != _drawn(row["analysis"], results):
        return []
    if not shown:
        return [_told(item, item) for item in extracted if item["used"] == "yes"]
    return [
        _told(item, _printed(item, extracted))
        for item in shown
        if subgroup is None or item["subgroup"] == subgroup["level"]
    ]


def _drawn(analysis: str, results: Json) -> str | None:
    """The subgroup variable that the figure of an analysis shows: its first."""
    own = (row["subgroup"] for row in results["estimates"] if row["analysis"] == analysis and row["subgroup"])
    return next((subgroup["variable"] for subgroup in own), None)


def _rows_of(results: Json, kind: str, analysis: str | None = None, outcome: str | None = None) -> Iterator[Json]:
    for block in results["blocks"]:
        own = analysis is None or (block["analysis"] == analysis and _part(block["id"], 1) == outcome)
        if block["kind"] == kind and own:
            columns = block["columns"]
            yield from (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _part(id_: str, position: int) -> str | None:
    parts = id_.split(".")
    return parts[position] if position < len(parts) else None


def _printed(item: Json, extracted: list[Json]) -> Json:
    """The row of the extraction table with a study of a figure; a study of several rows says which."""
    name, _, rest = str(item["study"]).partition(" (row ")
    rows = [other for other in extracted if other["study"] == name]
    return next((other for other in rows if rest == f"{other['row']})"), rows[0] if len(rows) == 1 else {})


def _told(item: Json, printed: Json) -> dict[str, Any]:
    effect = {name: item.get(name) for name in ("study", "estimate", "conf_low", "conf_high", "weight")}
    return effect | {name: printed.get(name) for name in TOLD}


def study_lines(studies: list[dict[str, Any]]) -> Iterator[str]:
    """The studies in lines."""
    for item in studies:
        weight = "" if item["weight"] is None else f", weight {item['weight']:.3g}"
        effect = f"{item['estimate']:.4g} ({item['conf_low']:.4g} to {item['conf_high']:.4g}){weight}"
        place = "" if item["row"] is None else f"; row {item['row']}, {item['format']}"
        source = "" if item["source"] is None else f"; {item['source']}"
        yield f"  study     {item['study']}: {effect}{place}{source}"
