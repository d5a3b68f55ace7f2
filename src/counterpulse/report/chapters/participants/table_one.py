"""Table 1: the patients at time zero, by group, with standardized differences and never an unnamed test."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import proper, quoted, sentence
from counterpulse.report.document import Cell, Column, Footnote, Row, Section, Spanner, Table
from counterpulse.report.measures import SMD_DENOMINATORS
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import TableOneRow

EVERYBODY = "\0all"


def table_one_section(context: Context) -> Section | None:
    """The section on baseline characteristics."""
    if not context.result.table_one:
        return None
    return Section(id="baseline", title="Baseline characteristics", blocks=(table_one(context),))


def table_one(context: Context) -> Table:
    """Set Table 1."""
    everything = context.result.table_one
    groups = _groups(context, everything)
    contrasts = [row for row in everything if row.contrast]
    smd = any(row.smd is not None for row in contrasts)
    tested = context.style.baseline_p and any(row.p_value is not None for row in contrasts)
    missing = _counts_missing(context) and any(row.missing for row in everything)
    tests = list(dict.fromkeys(row.test for row in contrasts if tested and row.test and row.p_value is not None))
    marks = dict(zip(tests, ascii_lowercase, strict=False))
    rows: list[Row] = []
    for variable in dict.fromkeys(row.variable for row in everything):
        own = [row for row in everything if row.variable == variable]
        rows += _variable(context, variable, own, groups, (missing, smd, tested), marks)
    heads = [
        Column(Cell("Characteristic"), "left"),
        *(Column(Cell(_head(context, everything, group))) for group in groups),
        *([Column(Cell("Missing"))] if missing else []),
        *([Column(Cell("SMD"))] if smd else []),
        *([Column(Cell(context.style.p_head))] if tested else []),
    ]
    compared = [k for k, group in enumerate(groups, start=1) if group != EVERYBODY]
    spanner = (Spanner(context.plan.group_label, compared[0], compared[-1]),) if len(compared) > 1 else ()
    return Table(
        id="table-1",
        label=context.counter.table(),
        title="Baseline characteristics",
        columns=tuple(heads),
        spanners=spanner if context.plan.group_label else (),
        rows=tuple(rows),
        footnotes=tuple(_footnotes(context, everything, marks)),
    )


def _counts_missing(context: Context) -> bool:
    """Whether the protocol wants missing values counted."""
    return "missing" in context.plan.protocol.report.table1.show


def _groups(context: Context, rows: Sequence[TableOneRow]) -> list[str]:
    """Compared groups in the plan's order, then everybody."""
    seen = dict.fromkeys(row.group or EVERYBODY for row in rows if row.contrast is None)
    planned = [group.level for group in context.plan.groups if group.level in seen]
    others = [group for group in seen if group not in planned and group != EVERYBODY]
    return [*planned, *others, *([EVERYBODY] if EVERYBODY in seen else [])]


def _head(context: Context, rows: Sequence[TableOneRow], group: str) -> str:
    n = next(
        (row.n for row in rows if row.contrast is None and (row.group or EVERYBODY) == group and row.n is not None),
        None,
    )
    label = "All" if group == EVERYBODY else context.group(group)
    return label if n is None else f"{label}\n{context.group_size(n)}"


def _variable(
    context: Context, name: str, rows: Sequence[TableOneRow], groups: Sequence[str], shown: tuple[bool, bool, bool],
    marks: dict[str, str],
) -> list[Row]:  # fmt: skip
    """The rows of one variable: one for a number or a yes/no, a head and one a level otherwise."""
    contrast = next((row for row in rows if row.contrast), None)
    parts = [row for row in rows if row.contrast is None]
    label = context.variable(name, unit=True)
    tail = _tail(context, parts, contrast, shown, marks)
    empty = tuple(Cell() for _ in tail)
    levels = list(dict.fromkeys(row.level for row in parts if row.level is not None))
    if not levels:
        return [
            Row(
                (Cell(f"{label}{context.style.label_link}{words}" if words else label), *cells, *(empty if k else tail))
            )
            for k, (words, cells) in enumerate(_summaries(context, parts, groups))
        ]
    of = any(row.missing for row in parts if row.percent is not None)
    counts = {level: _counts(context, level, parts, groups, of=of) for level in levels}
    planned = context.plan.variables.get(name)
    if context.style.counted_in_row:
        style = context.style
        label = f"{label}{style.label_link}{style.counted_of if of else style.counted}"
    if len(levels) == 1 and planned is not None and planned.kind == "yesno":
        return [Row((Cell(label), *counts[levels[0]], *tail))]
    head = Row((Cell(label), *(Cell() for _ in groups), *tail))
    return [head, *(Row((Cell(context.level(name, level)), *counts[level], *empty), indent=1) for level in levels)]


def _tail(
    context: Context, parts: Sequence[TableOneRow], contrast: TableOneRow | None, shown: tuple[bool, bool, bool],
    marks: dict[str, str],
) -> tuple[Cell, ...]:  # fmt: skip
    missing, smd, tested = shown
    cells = []
    if missing:
        cells.append(Cell(_missing(context, parts)))
    if smd:
        known = contrast is not None and contrast.smd is not None
        value = contrast.smd if contrast else None
        id_ = f"table-one.{contrast.variable}.smd" if contrast else None
        cells.append(
            Cell(numbers.number(abs(value), 2, context.style), id_)
            if known and value is not None
            else Cell(context.style.blank)
        )
    if tested:
        cell = context.p(
            contrast.p_value if contrast else None, f"table-one.{contrast.variable}.p" if contrast else None
        )
        mark = marks.get(contrast.test or "") if contrast else None
        cells.append(Cell(cell.text, cell.result, (mark,) if mark and cell.result else ()))
    return tuple(cells)


def _missing(context: Context, parts: Sequence[TableOneRow]) -> str:
    """Missing values of everybody, or of the groups together."""
    everybody = [row for row in parts if row.group is None] or parts
    first: dict[str | None, TableOneRow] = {}
    for row in everybody:
        first.setdefault(row.group, row)
    return (
        EM_DASH
        if any(row.missing is None for row in first.values())
        else context.count(sum(row.missing or 0 for row in first.values()))
    )


def _cell_id(row: TableOneRow, what: str) -> str:
    parts = ["table-one", row.variable, *([row.level] if row.level is not None else []), row.group or "all", what]
    return ".".join(parts)


def _of(parts: Sequence[TableOneRow], group: str, level: str | None = None) -> TableOneRow | None:
    return next((row for row in parts if (row.group or EVERYBODY) == group and row.level == level), None)


def _counts(
    context: Context, level: str, parts: Sequence[TableOneRow], groups: Sequence[str], *, of: bool
) -> list[Cell]:
    """A count with its percentage in every group, `of` those known where some are not."""
    cells = []
    total = max((row.n or 0) for row in parts)
    for group in groups:
        row = _of(parts, group, level)
        if row is None or row.count is None:
            cells.append(Cell(EM_DASH))
            continue
        if row.percent is None:  # small cells hide it
            cells.append(Cell(context.count(row.count), _cell_id(row, "count")))
            continue
        known = (row.n or 0) - (row.missing or 0)
        printed = numbers.count_of if of else numbers.count_percent
        cells.append(Cell(printed(row.count, known, context.style, among=total), _cell_id(row, "count")))
    return cells


def _summaries(context: Context, parts: Sequence[TableOneRow], groups: Sequence[str]) -> list[tuple[str, list[Cell]]]:
    """Mean and median rows, as the plan asks; places follow from the spread, the same in every group."""
    found = []
    style = context.style
    spread = max((row.sd for row in parts if row.sd is not None), default=0.0)
    if any(row.mean is not None for row in parts):
        places = numbers.measured_places(spread)
        cells = [
            Cell(numbers.mean_sd(row.mean, row.sd, places, style), _cell_id(row, "mean"))
            if (row := _of(parts, group)) is not None and row.mean is not None and row.sd is not None
            else Cell(EM_DASH)
            for group in groups
        ]
        found.append((style.mean_label, cells))
    if any(row.median is not None for row in parts):
        places = _quartile_places(parts)
        cells = [
            Cell(numbers.median_quartiles(row.median, row.q1, row.q3, places, style), _cell_id(row, "median"))
            if (row := _of(parts, group)) is not None
            and row.median is not None
            and row.q1 is not None
            and row.q3 is not None
            else Cell(EM_DASH)
            for group in groups
        ]
        found.append((style.median_label, cells))
    return found or [("", [Cell(EM_DASH) for _ in groups])]


def _quartile_places(parts: Sequence[TableOneRow]) -> int:
    values = [value for row in parts for value in (row.median, row.q1, row.q3) if value is not None]
    if all(float(value).is_integer() for value in values):
        return 0
    widest = max((row.q3 - row.q1 for row in parts if row.q1 is not None and row.q3 is not None), default=0.0)
    return numbers.measured_places(widest)


def _test(name: str) -> str:
    return sentence(proper(name)) + ("" if "anova" in name else " test")


def _footnotes(context: Context, rows: Sequence[TableOneRow], marks: dict[str, str]) -> list[Footnote]:
    notes = [
        Footnote("", words)
        for words in (_values(context, rows), _complete(context, rows), _imbalance(context, rows))
        if words
    ]
    if words := _quartiles(context, rows):
        notes.append(Footnote("", words))
    if context.hidden and any(row.level is not None and (row.count is None or row.percent is None) for row in rows):
        notes.append(Footnote("", context.hidden))
    return [*notes, *(Footnote(mark, f"{_test(test)}.") for test, mark in marks.items())]


def _values(context: Context, rows: Sequence[TableOneRow]) -> str:
    """What a cell holds where its row does not say so, and of whom."""
    style = context.style
    counted = [row for row in rows if row.count is not None]
    if not counted:
        return ""
    of = "Percentages are of the patients with a known value." if any(row.missing for row in rows) else ""
    if style.counted_in_row:
        return of
    either = {style.counted_of if row.missing else style.counted for row in counted if row.percent is not None}
    words = " or ".join(sorted(either)) or "n"
    return f"{style.values_are} {words} unless the row says otherwise. {of}".strip()


def _complete(context: Context, rows: Sequence[TableOneRow]) -> str:
    """What the column of missing values would say, where there is none to say it of."""
    known = [row.missing for row in rows if row.contrast is None]
    return "No value is missing." if _counts_missing(context) and known and all(count == 0 for count in known) else ""


def _imbalance(context: Context, rows: Sequence[TableOneRow]) -> str:
    if not any(row.smd is not None for row in rows):
        return ""
    kind = next((row.smd_denominator for row in rows if row.smd_denominator), "pooled")
    several = ", the largest of all pairs of groups" if len(context.plan.groups) > 2 else ""
    return (
        f"SMD{several}: the difference of means or proportions divided by {SMD_DENOMINATORS.get(kind, kind)}, without its sign; for "
        "several levels, the Mahalanobis distance of the proportions. It measures imbalance and is not a test."
    )


def _quartiles(context: Context, rows: Sequence[TableOneRow]) -> str:
    definition = context.plan.table_one.quartiles if context.plan.table_one else None
    if not definition or not any(row.median is not None for row in rows):
        return ""
    label = context.style.median_label
    words = "Q1, Q3: lower and upper quartile" if "Q1" in label else f"{label[8:-1]}: lower to upper quartile"
    words = words[:1].upper() + words[1:]
    return f"{words}; quartiles by the definition {quoted(definition)}."
