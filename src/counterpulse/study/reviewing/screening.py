"""How the studies were found: the boxes of the PRISMA 2020 diagram, as typed or counted from a log, and whether they add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from counterpulse.protocol.nodes import Screening
from counterpulse.results import FlowStep, Notice

Boxes = dict[str, Any]
LOG = "screening"
"""The name of the log among the related tables."""
LOG_COLUMNS = ("record", "source", "duplicate", "screen", "retrieved", "full_text", "reason", "study")
YES, IN = frozenset({"yes", "y", "1", "true"}), frozenset({"include", "included", "in", "yes", "y", "1", "true"})
NO, OUT = frozenset({"", "no", "n", "0", "false"}), frozenset({"exclude", "excluded", "out", "no", "n", "0", "false"})
REMOVED, MOST = "duplicates", 5
SEPARATOR = "."


def screening_boxes(screening: Screening, log: pl.DataFrame | None) -> Boxes:
    """The count of each box by its key, the counts of listed parts by theirs; what nobody counted is left out."""
    written = screening.model_dump(exclude_none=True, exclude={"log"})
    return written if log is None else _counted(log) | written


def _counted(log: pl.DataFrame) -> Boxes:
    """The boxes of a log with a row a record."""
    said = {name: _said(log, name) for name in LOG_COLUMNS}
    new = ~said["duplicate"].is_in(list(YES))
    kept = new & said["screen"].is_in(list(IN))
    absent = kept & (said["retrieved"].is_in(["no", "n", "0", "false"]))
    read = kept & ~absent
    included = read & said["full_text"].is_in(list(IN))
    left_out = read & ~included
    boxes: Boxes = {
        "identified": _by(log, "source", pl.Series([True] * log.height), "records"),
        "screened": int(new.sum()), "excluded": int((new & ~kept).sum()), "sought": int(kept.sum()),
        "not_retrieved": int(absent.sum()), "full_text": int(read.sum()),
        "included": {
            "studies": int(log.filter(included)["study"].n_unique()) if "study" in log.columns else int(included.sum()),
            "reports": int(included.sum()),
        },
    }  # fmt: skip
    if (~new).any():
        boxes["removed"] = {REMOVED: int((~new).sum())}
    if left_out.any():
        boxes["full_text_excluded"] = _by(log, "reason", left_out, "no reason given")
    return boxes


def log_notices(log: pl.DataFrame | None) -> Iterator[Notice]:
    """Records whose words cannot be told, which count as not included."""
    if log is None:
        return
    said = {name: _said(log, name) for name in LOG_COLUMNS}
    kept = ~said["duplicate"].is_in(list(YES))
    asked = {
        "duplicate": (~said["duplicate"].is_in([*YES, *NO]), "no"),
        "screen": (kept & ~said["screen"].is_in([*IN, *OUT]), "excluded"),
    }
    kept = kept & said["screen"].is_in(list(IN))
    asked["retrieved"] = kept & ~said["retrieved"].is_in([*YES, *NO]), "retrieved"
    kept = kept & ~said["retrieved"].is_in([*NO - {""}])
    asked["full_text"] = kept & ~said["full_text"].is_in([*IN, *OUT]), "excluded"
    for name, (unknown, taken) in asked.items():
        if rows := (unknown.arg_true() + 2).to_list():
            listed = ", ".join(f"row {row}" for row in rows[:MOST]) + (" and more" if len(rows) > MOST else "")
            text = f"`{name}` of the log says neither yes nor no, or is blank, in {listed}; counted as {taken}."
            yield Notice("W885", "screening", text)


def _said(log: pl.DataFrame, name: str) -> pl.Series:
    """A column in lower case; blank where the log has none."""
    if name not in log.columns:
        return pl.Series(name, [""] * log.height)
    return log[name].cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()


def _by(log: pl.DataFrame, column: str, rows: pl.Series, otherwise: str) -> dict[str, int]:
    """How many of the rows have each value of a column, in the order of the log."""
    if column not in log.columns:
        return {otherwise: int(rows.sum())}
    values = log.filter(rows)[column].cast(pl.String).fill_null("").str.strip_chars().replace("", otherwise).to_list()
    return {value: values.count(value) for value in dict.fromkeys(values)}


def screening_flow(boxes: Mapping[str, Any]) -> tuple[FlowStep, ...]:
    """The boxes as steps of the flow; the id of a part follows that of its box after a dot."""
    return tuple(_steps(boxes, ()))


def _steps(boxes: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[FlowStep]:
    for key, value in boxes.items():
        path = (*above, key)
        if isinstance(value, Mapping):
            yield from _steps(value, path)
        else:
            yield FlowStep(id=SEPARATOR.join(("screening", *path)), label=key, kind="screening", n=int(value))


def screening_notices(boxes: Mapping[str, Any], analyzed: int) -> Iterator[Notice]:
    """Boxes that do not follow from those above them; `analyzed` are the studies of the table."""
    for before, less, after in (
        ("identified", "removed", "screened"), ("screened", "excluded", "sought"), ("sought", "not_retrieved", "full_text"),
    ):  # fmt: skip
        numbers = [_total(boxes.get(key)) for key in (before, less, after)]
        if None not in (numbers[0], numbers[1], numbers[2]) and numbers[0] - numbers[1] != numbers[2]:  # type: ignore[operator]
            text = f"`{before}` less `{less}` is not `{after}`: {numbers[0]} - {numbers[1]} is not {numbers[2]}."
            yield Notice("W851", "screening", text)
    yield from _included(boxes, analyzed)


def _included(boxes: Mapping[str, Any], analyzed: int) -> Iterator[Notice]:
    included = boxes.get("included")
    both = included if isinstance(included, Mapping) else {"studies": included}
    read, excluded = _total(boxes.get("full_text")), _total(boxes.get("full_text_excluded"))
    reports = both.get("reports", both.get("studies") if read is not None else None)
    if None not in (read, excluded, reports) and read - excluded != reports:  # type: ignore[operator]
        yield Notice(
            "W851",
            "screening",
            f"`full_text` less `full_text_excluded` is not `included`: {read} - {excluded} is not {reports}.",
        )
    studies = both.get("studies")
    earlier = _total_of_studies(boxes.get("previous"))
    if studies is not None and analyzed and studies + earlier != analyzed:
        text = f"{studies + earlier} studies are included by the screening, and {analyzed} stand in the table."
        yield Notice("W852", "screening", text)


def _total(value: Any) -> int | None:  # noqa: ANN401  (a count, or counts by part)
    if value is None:
        return None
    return sum(int(part) for part in value.values()) if isinstance(value, Mapping) else int(value)


def _total_of_studies(value: Any) -> int:  # noqa: ANN401  (a count, or studies and reports)
    if value is None:
        return 0
    return int(value["studies"] if isinstance(value, Mapping) else value)
