"""Associations, variance inflation and control limits against R."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse import describe
from counterpulse.describe.centers import control_limit
from counterpulse.describe.histogram import round_width

CLOSED_FORM = 1e-10  # relative; all are closed forms
ROUNDING = 1e-12  # absolute, where a limit is zero but for rounding


@pytest.fixture(scope="module")
def reference():
    return json.loads((Path(__file__).parent / "reference" / "description.json").read_text())


@pytest.fixture(scope="module")
def table(reference):
    return pl.DataFrame(reference["data"])


NAMES = ("age", "lactate", "sex", "stage", "site")


def test_associations(reference, table):
    found = {(item.row, item.column): item.value for item in describe.associations(table, variables=NAMES).pairs}
    expected = {
        ("age", "lactate"): reference["pearson"], ("age", "sex"): reference["point_biserial"],
        ("lactate", "stage"): reference["ratio"], ("sex", "stage"): reference["cramer"]["sex_stage"],
        ("sex", "site"): reference["cramer"]["sex_site"], ("stage", "site"): reference["cramer"]["stage_site"],
    }  # fmt: skip
    for pair, value in expected.items():
        assert found[pair] == pytest.approx(value, rel=CLOSED_FORM), pair
    (ranked,) = describe.associations(table, variables=("age", "lactate"), numeric="spearman").pairs
    assert ranked.value == pytest.approx(reference["spearman"], rel=CLOSED_FORM)


def test_variance_inflation(reference, table):
    found = {item.variable: item for item in describe.associations(table, variables=NAMES).inflation}
    for name, value in reference["gvif"].items():
        assert found[name].gvif == pytest.approx(value, rel=CLOSED_FORM)
    assert found["age"].gvif == pytest.approx(reference["vif_age"], rel=CLOSED_FORM)
    assert found["stage"].df == 3
    assert found["stage"].per_column == pytest.approx(reference["gvif"]["stage"] ** (1 / 6), rel=CLOSED_FORM)


def test_control_limits(reference):
    for risk, of_risk in zip((0.07, 0.52), reference["limits"], strict=True):
        for n, limits in zip(reference["sizes"], of_risk, strict=True):
            ours = [control_limit(p, n=n, risk=risk) for p in (0.001, 0.025, 0.975, 0.999)]
            np.testing.assert_allclose(ours, limits, rtol=CLOSED_FORM, atol=ROUNDING)


def test_the_width_of_bins(reference, table):
    for name, width in reference["freedman_diaconis"].items():
        assert describe.distribution(table, variable=name).width == round_width(0.75 * width)
