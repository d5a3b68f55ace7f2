"""Quantile regression against R's quantreg: coefficients, three kinds of interval."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.regression.quantile_regression import quantile

VERTEX = 1e-9  # relative; both solve a linear program exactly
SANDWICH = 1e-7  # relative; the reference fits by interior points, to 1e-8
RANK = 1e-8  # relative; breakpoints of a step function, found exactly


@pytest.fixture(scope="module")
def reference():
    return json.loads((Path(__file__).parent / "reference" / "quantile_regression.json").read_text())


def fits(reference):
    main = pl.DataFrame(reference["data"])
    engel = pl.DataFrame(reference["engel"]["data"])
    for expected in reference["fits"]:
        yield main, "y", ["x", "u"], expected
    for expected in reference["engel"]["fits"]:
        yield engel, "foodexp", ["income"], expected


def test_coefficients_are_those_of_rq(reference):
    for table, outcome, terms, expected in fits(reference):
        found = quantile(table, outcome=outcome, terms=terms, quantile=expected["tau"], interval="nid")
        np.testing.assert_allclose(found.coefficients, expected["coefficients"], rtol=VERTEX)
        assert found.unique


def test_where_several_solutions_are_equally_good_ours_is_as_good_as_that_of_rq(reference):
    unique = []
    for expected in reference["arms"]:
        table = pl.DataFrame(reference["data"])
        found = quantile(table, outcome="y", terms=["x", "arm", "u"], quantile=expected["tau"], interval="nid")
        assert found.objective == pytest.approx(expected["objective"], rel=VERTEX)
        unique.append(found.unique)
        if found.unique:
            np.testing.assert_allclose(found.coefficients, expected["coefficients"], rtol=VERTEX)
        np.testing.assert_allclose(found.covariance, expected["nid"]["covariance"], rtol=SANDWICH, atol=SANDWICH)
    assert True in unique
    assert False in unique


@pytest.mark.parametrize("kind", ["nid", "iid"])
def test_standard_errors_and_p_values_are_those_of_summary_rq(reference, kind):
    for table, outcome, terms, expected in fits(reference):
        found = quantile(table, outcome=outcome, terms=terms, quantile=expected["tau"], interval=kind)
        theirs = np.array(expected[kind]["table"])
        np.testing.assert_allclose(found.parameters.std_errors(), theirs[:, 1], rtol=SANDWICH)
        np.testing.assert_allclose(found.covariance, expected[kind]["covariance"], rtol=SANDWICH, atol=SANDWICH)


def test_rank_intervals_are_those_of_summary_rq(reference):
    for table, outcome, terms, expected in fits(reference):
        found = quantile(table, outcome=outcome, terms=terms, quantile=expected["tau"], interval="rank")
        for row, (low, high) in list(zip(found.estimates(), expected["rank"], strict=True))[1:]:
            assert row.interval.kind == "rank"
            np.testing.assert_allclose([row.interval.low, row.interval.high], [low, high], rtol=RANK)


def test_weights_multiply_the_loss(reference):
    table = pl.DataFrame(reference["data"])
    found = quantile(table, outcome="y", terms=["x", "arm", "u"], weights="w")
    np.testing.assert_allclose(found.coefficients, reference["weighted"], rtol=VERTEX)
