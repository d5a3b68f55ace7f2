"""Two people extracted the same papers: how far they agree, and where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

import polars as pl

from counterpulse.data.design import is_categorical, level_text
from counterpulse.data.patient_table import PatientTable
from counterpulse.errors import InputError
from counterpulse.protocol.plan import Plan
from counterpulse.results import Block, Cell, Notice, Status
from counterpulse.study.reviewing.blocks import review_block
from counterpulse.study.reviewing.files import SECOND
from counterpulse.synthesis.effects.agreement import cohen_kappa, compare_extractions

KEYS = ("study", "outcome", "treated", "control")
"""What tells a row of an extraction table from the others, where it has no id."""
NOT_COMPARED = ("extractor", "quote", "note")
KEY = "extraction.key"
Rows = list[dict[str, Cell]]


def agreement_blocks(plan: Plan, table: PatientTable) -> tuple[tuple[Block, ...], tuple[Notice, ...]]:
    """How often the extractors agree on each column, with kappa for categories, and every discrepancy."""
    second = table.related.get(SECOND)
    if second is None:
        return (), ()
    first = _keyed(plan, table.frame)
    other = _keyed(plan, second)
    found = compare_extractions(first, other, key=KEY)
    both = [name for name in first.columns if name not in (*NOT_COMPARED, KEY)]
    compared: Rows = [
        {
            "column": plan.variables[item.column].label if item.column in plan.variables else item.column, "pairs": item.n,
            "agreed": item.agreeing, "percent": 100 * item.agreeing / item.n if item.n else None, **_kappa(first, other, item.column),
        }
        for item in found.columns if item.column in both
    ]  # fmt: skip
    unlike: Rows = [
        {
            "study": _part(first, item.key, "study"), "outcome": _part(first, item.key, "outcome"), "column": item.column,
            "first": _shown(item.first), "second": _shown(item.second), "used": _shown(item.first),
        }
        for item in found.discrepancies if item.column in both
    ]  # fmt: skip
    alike = (table.frame.height - first.height, second.height - other.height)
    return tuple(_blocks(compared, unlike)), (*_alike(alike), *_notices(unlike, found.only_first, found.only_second))


def _alike(rows: tuple[int, int]) -> Iterator[Notice]:
    """Rows that nothing tells apart, and that are not compared."""
    for name, count in zip(("first", "second"), rows, strict=True):
        if count:
            text = f"{count} rows of the {name} extraction share study, outcome and arms with another one and are not compared; name a column with `id` under `data`."
            yield Notice("W886", "effects", text)


def _keyed(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows by what tells them apart: the id of the table, else study, outcome and arms."""
    id_ = plan.protocol.data.id
    names = [id_] if id_ is not None and id_ in frame.columns else [name for name in KEYS if name in frame.columns]
    parts = [pl.col(name).cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase() for name in names]
    keyed = frame.with_columns(pl.concat_str(parts, separator=" / ").alias(KEY))
    return keyed.filter(~pl.col(KEY).is_duplicated())


def _kappa(first: pl.DataFrame, second: pl.DataFrame, column: str) -> dict[str, Cell]:
    """Cohen's kappa of a category; numbers and texts have none."""
    nothing: dict[str, Cell] = {"kappa": None, "conf_low": None, "conf_high": None}
    if column not in second.columns or not (
        (is_categorical(first[column]) and first[column].dtype != pl.String) or first[column].dtype == pl.Boolean
    ):
        return nothing
    pairs = first.select(KEY, level_text(first[column]).alias("first")).join(
        second.select(KEY, level_text(second[column]).alias("second")), on=KEY
    )
    try:
        kappa = cohen_kappa(pairs["first"].to_list(), pairs["second"].to_list())
    except InputError:
        return nothing
    if kappa.estimate.status is not Status.OK or not isfinite(kappa.estimate.value):
        return nothing
    interval = kappa.estimate.interval
    return {
        "kappa": kappa.estimate.value, "conf_low": interval.low if interval else None,
        "conf_high": interval.high if interval else None,
    }  # fmt: skip


def _part(frame: pl.DataFrame, key: object, column: str) -> str | None:
    if column not in frame.columns:
        return None
    rows = frame.filter(pl.col(KEY) == str(key))
    return _shown(rows[column][0]) if rows.height else None


def _shown(value: object) -> str | None:
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)


def _blocks(compared: Rows, unlike: Rows) -> Iterator[Block]:
    for kind, rows in (("agreement", compared), ("discrepancy", unlike)):
        if rows:
            yield review_block(kind, rows)


def _notices(unlike: Rows, only_first: Sequence[object], only_second: Sequence[object]) -> Iterator[Notice]:
    if unlike:
        text = f"The two extractions differ in {len(unlike)} cell{'s' * (len(unlike) > 1)}; the first is used until they are reconciled."
        yield Notice("W871", "effects", text)
    for name, keys in (("first", only_first), ("second", only_second)):
        if keys:
            yield Notice("W872", "effects", f"Only the {name} extraction has {', '.join(map(str, keys))}.")
