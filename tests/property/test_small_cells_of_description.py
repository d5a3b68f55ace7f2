"""Nothing below the smallest count stands in a block of description, and nothing hidden follows from what is shown."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_small_cells_properties import DICTIONARY, PROTOCOL, counts_in, patients, result_of

from counterpulse import study
from counterpulse.report import compose
from counterpulse.report.write import write_report
from counterpulse.results.block import COUNT, KINDS
from counterpulse.results.on_disk import from_json, to_json
from counterpulse.results.privacy import suppress

DESCRIBE = """
describe:
  distributions: [age]
  crosstabs: [{rows: stage, columns: arm}, {rows: sex, columns: stage}]
  missingness: yes
  correlation: [age, sex, stage]
  centers: death
"""


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    directory = tmp_path_factory.mktemp("described")
    protocol = PROTOCOL.replace("one_row_per: patient", "one_row_per: patient, site: center") + DESCRIBE
    (directory / "small.protocol.yaml").write_text(protocol, encoding="utf-8")
    (directory / "small.dictionary.csv").write_text(DICTIONARY + "center,,Center,text,,,,,,,,\n", encoding="utf-8")
    return directory, study.read_plan(directory / "small.protocol.yaml")[0]


def with_centers(seed, n):
    rng = np.random.default_rng(seed + 1)
    table = patients(seed, n)
    age = [None if rng.random() < 0.02 else value for value in table["age"].to_list()]
    return table.with_columns(
        pl.Series("center", rng.choice(list("klmnopqr"), n, p=rng.dirichlet([1.0] * 8))), pl.Series("age", age)
    )


def hidden_and_determined(cells, equations):
    """Unknown cells whose value the equations determine; each equation is a set of parts and what they add up to."""
    unknown = [cell for cell, value in cells.items() if value is None]
    if not unknown:
        return []
    matrix = np.array([[equation.get(cell, 0) for cell in unknown] for equation in equations], dtype=float)
    rank = np.linalg.matrix_rank(matrix)
    return [
        cell for k, cell in enumerate(unknown)
        if np.linalg.matrix_rank(np.vstack([matrix, np.eye(len(unknown))[k]])) == rank
    ]  # fmt: skip


def crosstab_cells(block, result):
    """The cells of a crosstab with the margins that Table 1 shows."""
    cells, equations = {}, []
    rows = block.rows()
    for row in rows:
        cells[row["row"], row["column"]] = row["n"]
    for side, other in (("row", "column"), ("column", "row")):
        variable = rows[0][f"{side}_variable"]
        for level in dict.fromkeys(row[side] for row in rows):
            margin = (side, level)
            cells[margin] = margin_of(result, variable, level)
            across = dict.fromkeys(row[other] for row in rows)
            parts = {((level, item) if side == "row" else (item, level)): 1 for item in across}
            equations.append({margin: -1, **parts})
    return cells, equations


def margin_of(result, variable, level):
    whole = [row for row in result.table_one if row.contrast is None]
    if variable == "arm":
        return next((row.n for row in whole if row.group == level), None)
    everybody = [row for row in whole if row.variable == variable and row.group is None]
    if level == "(missing)":
        return everybody[0].missing
    return next((row.count for row in everybody if row.level == level), None)


def check_crosstab(block, result, smallest):
    assert hidden_and_determined(*crosstab_cells(block, result)) == []
    for row in block.rows():
        assert row["n"] is not None or (row["row_percent"], row["column_percent"]) == (None, None)


def check_distribution(block, result, smallest):
    """The bins and those without a value are the group."""
    eligible = next(step for step in result.flow if step.kind == "eligible")
    for group, size in eligible.by_group.items():
        rows = [row for row in block.rows() if row["group"] == group]
        bins = [row["n"] for row in rows]
        if size is not None and bins and None not in bins:
            assert not 0 < size - sum(bins) < smallest
        if None in bins:
            assert {row["percent"] for row in rows} == {None}


def check_centers(block, result, smallest):
    rows = block.rows()
    for row in rows:
        assert row["n"] is not None or (row["low_95"], row["risk"]) == (None, None)
        assert row["events"] is not None or row["risk"] is None
        if None not in (row["n"], row["events"]):
            assert not 0 < row["n"] - row["events"] < smallest
    if rows[0]["overall"] is not None:
        assert sum(row["events"] is None for row in rows) != 1


def check_correlation(block, result, smallest):
    assert not [row for row in block.rows() if row["smallest"] is not None and row["smallest"] < smallest]


CHECKS = {
    "crosstab": check_crosstab, "distribution": check_distribution, "center-funnel": check_centers,
    "correlation": check_correlation,
}  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(25, 160), smallest=st.integers(2, 12))
def test_no_small_count_stands_in_a_block(described, seed, n, smallest):
    shown = suppress(result_of(described, with_centers(seed, n)), smallest)
    assert not [count for count in counts_in(to_json(shown)) if 0 < count < smallest]
    for block in shown.blocks:
        for name, cell in KINDS[block.kind].items():
            if cell == COUNT and name not in ("pattern", "parameters", "df"):
                assert not [value for value in block.columns[name] if value is not None and 0 < value < smallest], (
                    block.id,
                    name,
                )
    assert to_json(from_json(to_json(shown))) == to_json(shown)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(25, 160), smallest=st.integers(2, 12))
def test_no_hidden_count_of_a_block_follows(described, seed, n, smallest):
    shown = suppress(result_of(described, with_centers(seed, n)), smallest)
    for block in shown.blocks:
        CHECKS.get(block.kind, lambda block, result, smallest: None)(block, shown, smallest)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(30, 160), smallest=st.integers(2, 12))
def test_a_suppressed_description_is_still_a_report(described, seed, n, smallest):
    _, plan = described
    shown = suppress(result_of(described, with_centers(seed, n)), smallest)
    assert write_report(compose(shown, plan), shown, plan.protocol.report)
