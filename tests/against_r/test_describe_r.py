"""Stored output of R 4.2.2 with MASS (reference/describe.R on reference/describe.csv, made-up patients)."""

import json
from pathlib import Path

import polars as pl
import pytest

from counterpulse.describe import VariableChoice, table_one

HERE = Path(__file__).parent / "reference"
R = json.loads((HERE / "describe.json").read_text())
CLOSED_FORM = 1e-10  # relative; both sides evaluate one formula
EXACT_SUM = 1e-9  # relative; sums of many small probabilities in another order


@pytest.fixture(scope="module")
def patients():
    return pl.read_csv(HERE / "describe.csv").with_columns(pl.col("smoker").cast(pl.Boolean))


def contrast(table, variable):
    return next(row for row in table.rows if row.variable == variable and row.contrast)


@pytest.mark.parametrize("denominator", ["pooled", "treated", "reference", "all"])
def test_standardized_differences(patients, denominator):
    table = table_one(patients, by="arm", variables=["age", "stage", "smoker"], smd_denominator=denominator)
    assert contrast(table, "age").smd == pytest.approx(R[f"age_{denominator}"], rel=CLOSED_FORM)
    if denominator != "treated":
        assert contrast(table, "stage").smd == pytest.approx(R[f"stage_{denominator}"], rel=CLOSED_FORM)
    if denominator == "pooled":
        assert contrast(table, "smoker").smd == pytest.approx(R["smoker_pooled"], rel=CLOSED_FORM)


def test_a_level_that_the_denominators_group_lacks_is_infinitely_far(patients):
    """A generalized inverse would give a finite distance here, and a wrong one."""
    table = table_one(patients, by="arm", variables=["stage"], smd_denominator="treated")
    assert contrast(table, "stage").smd is None
    assert [remark.status.code for remark in table.remarks] == ["zero-variance"]


def test_summaries(patients):
    rows = table_one(patients, by="arm", variables=["age"]).rows
    for row in rows[:2]:
        for name, value in [("mean", row.mean), ("sd", row.sd), ("q1", row.q1), ("median", row.median), ("q3", row.q3)]:
            assert value == pytest.approx(R[f"age_{name}_{row.group}"], rel=CLOSED_FORM)


@pytest.mark.parametrize(
    ("rule", "age", "stage", "smoker"),
    [
        ("means", "age_welch", "stage_fisher", "smoker_pearson"),
        ("medians", "age_wilcox", "stage_fisher", "smoker_pearson"),
        ("tableone", None, "stage_pearson", "smoker_yates"),
    ],
)
def test_rules(patients, rule, age, stage, smoker):
    table = table_one(patients, by="arm", variables=["age", "stage", "smoker"], rule=rule, p_values=True)
    if age:
        assert contrast(table, "age").p_value == pytest.approx(R[age], rel=CLOSED_FORM)
    assert contrast(table, "stage").p_value == pytest.approx(R[stage], rel=EXACT_SUM)
    assert contrast(table, "smoker").p_value == pytest.approx(R[smoker], rel=CLOSED_FORM)


def test_a_test_fixed_for_one_variable(patients):
    choices = {"stage": VariableChoice(test="pearson chi-squared"), "age": VariableChoice(test="mann-whitney")}
    table = table_one(patients, by="arm", variables=["age", "stage"], p_values=True, choices=choices)
    assert contrast(table, "stage").p_value == pytest.approx(R["stage_pearson"], rel=CLOSED_FORM)
    assert contrast(table, "stage").test == "pearson chi-squared"
    assert contrast(table, "age").p_value == pytest.approx(R["age_wilcox"], rel=CLOSED_FORM)
