"""Gray's test against R's cmprsk: ties, three groups, strata, rho, mgus2, transplant, and sixty very small tables."""

import json
from math import isnan
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.results import Status
from counterpulse.survival import gray_statistic

CLOSED_FORM = 1e-10  # relative; the statistic is a closed form
TAIL = 1e-8  # relative; a tail probability magnifies the error of its statistic
SUBTRACTED = 1e-15  # absolute; cmprsk takes its P value from one
PRINTED = 1e-6  # relative; the shared reference holds six decimals


@pytest.fixture(scope="module")
def reference():
    return json.loads((Path(__file__).parent / "reference" / "gray.json").read_text())


def not_held(events, people):
    """The factor for ties as cmprsk has it, also where more events fall on a time than there are people."""
    return np.where(events > 1, (people - events) / np.where(people == 1, 1.0, people - 1), 1.0)


def as_in_r(table, **given):
    """Our test; where it says that it holds the variance of ties, with that variance as it comes."""
    found = survival.gray_test(table, **given)
    if not found.notes:
        return found
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gray_statistic, "_tied", not_held)
        return survival.gray_test(table, **given)


def assert_tests(expected, table, **given):
    for row in expected:
        test = as_in_r(table, cause=row["cause"], **given)
        np.testing.assert_allclose(test.statistic, row["statistic"], rtol=CLOSED_FORM, atol=CLOSED_FORM)
        np.testing.assert_allclose(test.p_value, row["p_value"], rtol=TAIL, atol=SUBTRACTED)
        assert (test.df, test.status) == (row["df"], Status.OK)
        assert sum(test.observed) == pytest.approx(sum(test.expected))


@pytest.mark.parametrize("which", [0, 1, 2, 3])
def test_three_groups_three_causes_ties_rho_and_strata(reference, which):
    table, expected = pl.DataFrame(reference["large"]["data"], strict=False), reference["large"]["tests"][which]
    given = {"time": "time", "event": "cause", "by": "g", "rho": expected["rho"]}
    assert_tests(expected["plain"], table, **given)
    assert_tests(expected["stratified"], table, strata="s", **given)


def test_simulated_patients_of_the_older_reference():
    stored = json.loads((Path(__file__).parent / "reference" / "competing_risks.json").read_text())
    table = pl.DataFrame(stored["data"], strict=False)
    for name, given in {
        "time": {"time": "time", "by": "arm"}, "tied": {"time": "tied", "by": "arm"},
        "stratified": {"time": "tied", "by": "arm", "strata": "site"}, "two_groups": {"time": "tied", "by": "z"},
    }.items():  # fmt: skip
        rows = [
            {"cause": cause, "statistic": row[0], "p_value": row[1], "df": row[2]}
            for cause, row in enumerate(stored["gray"][name], start=1)
        ]
        assert_tests(rows, table, event="cause", **given)


def test_mgus2(reference, shared_data):
    first = pl.col("pstat") == 1
    table = shared_data("mgus2.csv").with_columns(
        t=pl.when(first).then("ptime").otherwise("futime"),
        ended=pl.when(first).then(pl.lit(1)).otherwise(2 * pl.col("death")),
        early=pl.col("dxyr") < 1980,
    )
    given = {"time": "t", "event": "ended", "by": "sex"}
    assert_tests(reference["mgus2"]["sex"], table, **given)
    assert_tests(reference["mgus2"]["by_decade"], table, strata="early", **given)
    for cause, statistic, p_value in ((1, 1.194508, 0.274422), (2, 11.651259, 0.000642)):
        test = survival.gray_test(table, cause=cause, **given)
        assert test.statistic == pytest.approx(statistic, rel=PRINTED)
        assert f"{test.p_value:.6f}" == f"{p_value:.6f}"


def test_transplant(reference, shared_data):
    causes = pl.Enum(["censored", "death", "ltx", "withdraw"])
    table = shared_data("transplant.csv").with_columns(pl.col("event").cast(causes))
    names = dict(enumerate(["death", "ltx", "withdraw"], start=1))
    for name, given in {
        "sex": {"by": "sex"}, "abo": {"by": "abo"}, "abo_by_sex": {"by": "abo", "strata": "sex", "rho": 1},
    }.items():  # fmt: skip
        rows = [{**row, "cause": names[row["cause"]]} for row in reference["transplant"][name]]
        assert len(rows) == 3
        assert_tests(rows, table, time="futime", event="event", **given)


def test_very_small_tables(reference):
    """Equal, but where groups do not vary: there R says -1, and P = 1."""
    held = without_variance = 0
    for stored in reference["small"]:
        table = pl.DataFrame(stored["data"])
        for name, strata in (("plain", None), ("stratified", "s")):
            given = {"time": "time", "event": "cause", "by": "g", "rho": stored["rho"], "strata": strata}
            for row in stored[name]:
                test = survival.gray_test(table, cause=row["cause"], **given)
                if row["statistic"] == -1:
                    without_variance += 1
                    assert test.status is Status.ZERO_VARIANCE or test.df < row["df"]
                    assert (test.status is Status.OK) is not isnan(test.statistic)
                    continue
                held += bool(test.notes)
                assert_tests([row], table, **given)
    assert 3 < held < 12
    assert without_variance > 20


def test_the_example_in_the_pages(reference):
    def shown(stored):
        return [f"{row['statistic']:.2f}" for row in stored["plain"]]

    stored = next(item for item in reference["small"] if "7.61" in shown(item))
    table = pl.DataFrame(stored["data"])
    test = survival.gray_test(table, time="time", event="cause", by="g", cause=1, rho=stored["rho"])
    assert (sum(test.n), f"{test.statistic:.2f}", stored["rho"]) == (10, "4.88", 0.5)
