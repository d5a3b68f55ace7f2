"""Twelve groups, forty subgroups, labels of three hundred characters, nothing at all: every table composes, is read clean and is set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterpulse.report import compose, render_html
from counterpulse.report.document import Table, blocks_of
from counterpulse.report.number_styles import STYLES
from counterpulse.report.proofreading import proofread
from counterpulse.results import GroupCount
from counterpulse.results.study_result import Subgroup, TableOneRow

LONG = "<b>\"& 'x' =cmd $y$ #z 患者 😀 עברית " + "a label that says everything " * 9


def many(plan, result, groups=12, strata=40):
    """The made-up study with more groups in Table 1 and more strata than anybody needs."""
    levels = [f"g{k}" for k in range(groups)]
    planned = tuple(
        replace(plan.groups[0], level=level, label=f"{LONG[:60]}{k}", is_reference=k == 0)
        for k, level in enumerate(levels)
    )
    rows = [
        TableOneRow(variable="age", group=level, n=12345, missing=k % 3, mean=61.0 + k, sd=11.8)
        for k, level in enumerate(levels)
    ]
    rows += [
        TableOneRow(variable="sex", level=sex, group=level, n=12345, missing=k % 3, count=6000, percent=48.6)
        for sex in ("M", "F") for k, level in enumerate(levels)
    ]  # fmt: skip
    first = next(row for row in result.estimates if row.subgroup is not None)
    subgroups = [
        replace(
            first, id=f"{first.id}.{k}", subgroup=Subgroup(first.subgroup.variable, f"{LONG}{k}"),
            groups=tuple(GroupCount(count.group, 40_000 + k, 12_345) for count in first.groups),
        )
        for k in range(strata)
    ]  # fmt: skip
    variables = {name: replace(variable, label=LONG) for name, variable in plan.variables.items()}
    others = [row for row in result.estimates if row.subgroup is None]
    return replace(plan, variables=variables), replace(result, estimates=(*others, *subgroups)), planned, tuple(rows)


@pytest.mark.parametrize("style", STYLES)
def test_forty_strata_with_long_labels(plan, real_result, style):
    plan, result, _, _ = many(plan, real_result)
    document = compose(result, plan, style=style)
    assert [remark for remark in proofread(document) if remark.place.startswith("Table")] == []
    render_html(document)


@pytest.mark.parametrize("style", STYLES)
def test_twelve_groups_in_table_one(plan, real_result, style):
    _, _, groups, rows = many(plan, real_result)
    bare = replace(real_result, table_one=rows, flow=(), analyses=(), estimates=(), blocks=())
    document = compose(bare, replace(plan, groups=groups, analyses=(), subgroups=None), style=style)
    table = next(block for block in blocks_of(document.sections) if isinstance(block, Table) and block.id == "table-1")
    assert table.wide
    assert len(table.columns) == 14
    assert [remark for remark in proofread(document) if remark.place == "Table 1"] == []
    render_html(document)


def test_thousands_follow_the_style_in_every_count(plan, real_result):
    _, _, groups, rows = many(plan, real_result)
    bare = replace(real_result, table_one=rows, flow=(), analyses=(), estimates=(), blocks=())
    marks = {"jama": "12\N{NARROW NO-BREAK SPACE}345", "nejm": "12,345", "lancet": "12\N{NARROW NO-BREAK SPACE}345"}
    for style, printed in marks.items():
        document = compose(bare, replace(plan, groups=groups, analyses=(), subgroups=None), style=style)
        table = next(
            block for block in blocks_of(document.sections) if isinstance(block, Table) and block.id == "table-1"
        )
        assert printed in table.columns[1].head.text
        assert "12345" not in "".join(cell.text for row in table.rows for cell in row.cells)
