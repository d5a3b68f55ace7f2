"""Nothing below the smallest count is printed, and nothing hidden in Table 1 follows from what is."""

import io

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse import study
from counterpulse.data import read_dictionary, read_table
from counterpulse.report.write import ESTIMATE_COLUMNS, _estimate, _table_one
from counterpulse.results.on_disk import from_json, to_json
from counterpulse.results.privacy import suppress
from counterpulse.results.small_cells import Sum, hidden_cells
from counterpulse.study.run import run

PROTOCOL = """
protocol: 1
study: {id: small, title: Small cells, design: cohort, registration: none, data_seen_before_plan: yes}
data: {table: small.csv, dictionary: small.dictionary.csv, one_row_per: patient}
time_zero: {text: admission, counted: yes}
eligibility:
  include:
    - {id: adult, text: Adult, rule: age >= 18, if_unknown: remove-patient}
groups: {variable: arm, treated: {a: A, b: B}, reference: {c: C}, assigned_by: clinician}
outcomes:
  death: {label: Death, type: binary, event: died = yes, primary: yes, better: lower, if_unknown: keep-patient}
  survival: {label: Survival, type: time-to-event, time: days, event: died = yes, horizon: 60 days, better: lower, if_unknown: keep-patient}
table1: {variables: [age, sex, stage]}
missing_data: {method: complete-case}
analyses:
  - {id: A1, role: primary, outcome: death, method: logistic-regression, adjust: [age], also: [risk difference]}
  - {id: A2, role: secondary, outcome: death, method: two-proportions}
  - {id: A3, role: secondary, outcome: survival, method: kaplan-meier}
subgroups: {of: A1, by: [sex, stage]}
"""
DICTIONARY = """name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
arm,,Arm,category,,a=A|b=B|c=C,,,,,,
age,,Age,number,y,,,,,,,
sex,,Sex,category,,F=Female|M=Male,,,,,,
stage,,Stage,category,,1=One|2=Two|3=Three|4=Four,,,,,,
died,,Died,yesno,,,,,,,,
days,,Days,number,d,,0,,,,,
"""
COUNTS = {
    "n", "n_alone", "unknown", "n_missing", "events", "missing", "count", "at_risk", "censored", "observed",
    "cumulative_events", "cumulative_censored",
}  # fmt: skip


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    directory = tmp_path_factory.mktemp("small")
    (directory / "small.protocol.yaml").write_text(PROTOCOL, encoding="utf-8")
    (directory / "small.dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    return directory, study.read_plan(directory / "small.protocol.yaml")[0]


def patients(seed, n):
    rng = np.random.default_rng(seed)
    blank = rng.random(n) < 0.1
    return pl.DataFrame(
        {
            "arm": rng.choice(["a", "b", "c"], n, p=rng.dirichlet([3, 3, 3])),
            "age": np.where(rng.random(n) < 0.05, 15, rng.integers(18, 90, n)),
            "sex": rng.choice(["F", "M"], n),
            "stage": [
                None if gone else str(stage)
                for gone, stage in zip(blank, rng.choice(4, n, p=rng.dirichlet([2] * 4)) + 1, strict=True)
            ],
            "died": rng.choice(["yes", "no"], n, p=[0.3, 0.7]),
            "days": rng.integers(1, 90, n),
        }
    )


def result_of(planned, table):
    directory, plan = planned
    file = directory / "small.csv"
    table.write_csv(file)
    return run(plan, read_table(file, read_dictionary(directory / "small.dictionary.csv")))


def counts_in(tree, name=None):
    """Every count of a tree: what stands under the name of a count, and the groups of a box of the flow."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            inside = name if name == "by_group" else key
            yield from counts_in(value, "n" if inside == "by_group" and not isinstance(value, dict) else inside)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from counts_in(value, name)
    elif name in COUNTS and isinstance(tree, int | float):
        yield tree


def recoverable(rows, variable):
    """Hidden counts of a variable of Table 1 that follow from the linear system of its sums: ranks with and without each."""
    parts = [row for row in rows if row.variable == variable and row.contrast is None]
    cells = {}
    for row in parts:
        cells[row.group, "missing"] = row.missing
        cells[row.group, "n"] = row.n
        if row.level is not None:
            cells[row.group, row.level] = row.count
    unknown = [cell for cell, value in cells.items() if value is None]
    groups = list(dict.fromkeys(group for group, _ in cells if group is not None))
    names = list(dict.fromkeys(name for _, name in cells if name != "n"))
    equations = [{(g, "n"): -1, **{(g, name): 1 for name in names}} for g in (*groups, None)] if len(names) > 1 else []
    equations += [{(None, name): -1, **{(g, name): 1 for g in groups}} for name in (*names, "n")]
    if not unknown:
        return []
    matrix = np.array([[equation.get(cell, 0) for cell in unknown] for equation in equations], dtype=float)
    rank = np.linalg.matrix_rank(matrix)
    single = np.eye(len(unknown))
    return [
        cell for index, cell in enumerate(unknown) if np.linalg.matrix_rank(np.vstack([matrix, single[index]])) == rank
    ]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(25, 120), smallest=st.integers(2, 12))
def test_no_small_count_is_shown_and_none_can_be_worked_out(planned, seed, n, smallest):
    result = result_of(planned, patients(seed, n))
    shown = suppress(result, smallest)
    tree = to_json(shown)
    assert not [count for count in counts_in(tree) if 0 < count < smallest]
    small = [cell for cells in shown.details.values() for cell in cells.values() if type(cell) is int]
    assert not [count for count in small if 0 < count < smallest]
    for row in shown.estimates:
        line = dict(zip(ESTIMATE_COLUMNS, _estimate(row), strict=True))
        assert not [line[name] for name in COUNTS & line.keys() if line[name] and line[name] < smallest]
    table = pl.read_csv(io.BytesIO(_table_one(shown.table_one)), infer_schema=False)
    for name in ("n", "missing", "count"):
        assert not [text for text in table[name].drop_nulls() if 0 < int(text) < smallest]
    assert table["minimum"].is_null().all()
    for variable in ("age", "sex", "stage"):
        assert recoverable(shown.table_one, variable) == []


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(25, 120), smallest=st.integers(2, 12))
def test_what_is_shown_is_as_it_was(planned, seed, n, smallest):
    result = result_of(planned, patients(seed, n))
    shown = suppress(result, smallest)
    for before, after in zip(result.table_one, shown.table_one, strict=True):
        kept = [
            name for name in ("n", "missing", "count", "percent", "mean", "median") if getattr(after, name) is not None
        ]
        assert [getattr(before, name) for name in kept] == [getattr(after, name) for name in kept]
        if after.percent is not None:
            assert None not in (after.count, after.missing, after.n)
    for before, after in zip(result.estimates, shown.estimates, strict=True):
        assert before.id == after.id
        for one, other in zip(before.groups, after.groups, strict=True):
            assert other.n in (one.n, None)
            assert other.events in (one.events, None)
            assert other.risk is None or None not in (other.n, other.events)
    assert shown.warnings[-1].code == "W801"
    assert to_json(from_json(to_json(shown))) == to_json(shown)
    assert suppress(result, 0) is result


def tables(draw_counts):
    """Counts of levels in groups, with both margins."""
    counts, sums = {}, []
    rows, columns = len(draw_counts), len(draw_counts[0])
    for i, row in enumerate(draw_counts):
        counts[i, "all"] = sum(row)
        counts.update({(i, j): value for j, value in enumerate(row)})
        sums.append(Sum((i, "all"), tuple((i, j) for j in range(columns))))
    for j in range(columns):
        counts["all", j] = sum(row[j] for row in draw_counts)
        sums.append(Sum(("all", j), tuple((i, j) for i in range(rows))))
    return counts, sums


@settings(max_examples=60, deadline=None)
@given(
    cells=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(st.integers(0, 40), min_size=width, max_size=width), min_size=2, max_size=4)
    ),
    smallest=st.integers(2, 11),
)
def test_no_hidden_cell_of_a_table_has_one_possible_value(cells, smallest):
    counts, sums = tables(cells)
    hidden = hidden_cells(counts, sums, smallest=smallest)
    assert {cell for cell, count in counts.items() if 0 < count < smallest} <= hidden
    unknown = sorted(hidden, key=str)
    matrix = np.array([[(c in s.parts) - (c == s.total) for c in unknown] for s in sums], dtype=float)
    if unknown:
        rank = np.linalg.matrix_rank(matrix)
        for index in range(len(unknown)):
            assert np.linalg.matrix_rank(np.vstack([matrix, np.eye(len(unknown))[index]])) > rank
    for item in sums:
        parts = [counts[cell] for cell in item.parts if cell in hidden]
        assert item.total in hidden or not parts or sum(parts) >= smallest
