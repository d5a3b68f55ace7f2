"""The twelve measures of a two by two table against R metafor's escalc, on six published sets with and without zero cells."""

import json
from pathlib import Path

import numpy as np
import pytest

from counterpulse.synthesis.effects.two_by_two import DIFFERENCES, FORMULAS, two_by_two

STORED = json.loads((Path(__file__).parent / "reference" / "meta_effects.json").read_text())
CLOSED_FORM = 1e-8
RTET_ORACLE = (
    1e-4  # the oracle maximizes a likelihood by golden section to about 1e-5; the exact root is proved elsewhere
)
NEVER_CORRECTED = {"AS", "PHI", "RTET"}


def floats(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def effects(cells, measure, **options):
    a, b, c, d = (np.array(cells[key]) for key in ("ai", "bi", "ci", "di"))
    return two_by_two(a, a + b, c, c + d, measure=measure, **options)


@pytest.mark.parametrize("name", STORED["sets"])
@pytest.mark.parametrize("measure", [m for m in FORMULAS if m != "RTET"])
def test_every_row_with_double_zeros_kept(name, measure):
    cells = STORED["sets"][name]
    policy = "never" if measure in NEVER_CORRECTED else "when-zero"
    made = effects(cells, measure, zero_cells=policy, double_zero="keep")
    expected = cells["escalc"][measure]
    np.testing.assert_allclose(made.yi, floats(expected["yi"]), rtol=CLOSED_FORM, atol=CLOSED_FORM)
    np.testing.assert_allclose(made.vi, floats(expected["vi"]), rtol=CLOSED_FORM, atol=0)


@pytest.mark.parametrize("name", STORED["sets"])
def test_tetrachoric_of_full_tables(name):
    cells = STORED["sets"][name]
    made, expected = effects(cells, "RTET"), cells["escalc"]["RTET"]
    full = np.all([np.array(cells[key]) > 0 for key in ("ai", "bi", "ci", "di")], axis=0)
    np.testing.assert_array_equal(made.dropped, ~full)
    np.testing.assert_allclose(made.yi[full], floats(expected["yi"])[full], atol=RTET_ORACLE)
    np.testing.assert_allclose(made.vi[full], floats(expected["vi"])[full], rtol=RTET_ORACLE)


@pytest.mark.parametrize("name", STORED["sets"])
@pytest.mark.parametrize("measure", FORMULAS)
def test_defaults_drop_double_zeros_except_for_differences(name, measure):
    cells = STORED["sets"][name]
    made = effects(cells, measure)
    a, b, c, d = (np.array(cells[key]) for key in ("ai", "bi", "ci", "di"))
    double = ((a == 0) & (c == 0)) | ((b == 0) & (d == 0))
    assert (made.dropped[double] == (measure not in DIFFERENCES)).all()
    zero = (a * b * c * d) == 0
    assert not (made.corrected & ~zero).any()
    rows_with_reason = {problem.row - 1 for problem in made.problems}
    assert set(np.flatnonzero(made.dropped | made.corrected)) == rows_with_reason
