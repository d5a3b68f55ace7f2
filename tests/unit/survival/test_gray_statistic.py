"""Gray's test where there is nothing, or hardly anything, to compare."""

from math import isnan

import numpy as np
import polars as pl
import pytest

from counterpulse import survival
from counterpulse.errors import InputError
from counterpulse.results import Status
from counterpulse.survival.gray_statistic import TIES_HELD

NAMES = ["censored", "relapse", "death"]
CLOSED_FORM = 1e-12
STRATA = 1e-10  # relative; the inverse of a singular covariance against two of one degree of freedom


def table(times, ended, groups):
    return pl.DataFrame(
        {"time": [float(time) for time in times], "end": pl.Series(ended).cast(pl.Enum(NAMES)), "g": list(groups)}
    )


def gray(frame, **given):
    return survival.gray_test(frame, **{"time": "time", "event": "end", "by": "g", **given})


def failed(test, status):
    assert test.status is status
    assert isnan(test.statistic)
    assert isnan(test.p_value)
    return True


def test_two_groups_by_hand():
    """a: relapse at 1, censored at 3; b: death at 2, relapse at 4. At 1: R = 2, 2; at 4: only b is followed."""
    test = gray(table([1, 3, 2, 4], ["relapse", "censored", "death", "relapse"], "aabb"))
    assert test.observed == (1.0, 1.0)
    np.testing.assert_allclose(test.expected, (0.5, 1.5), rtol=CLOSED_FORM)
    assert (test.groups, test.n, test.df, test.cause) == (("a", "b"), (2, 2), 1.0, "relapse")
    np.testing.assert_allclose(test.covariance, [[0.25, -0.25], [-0.25, 0.25]], rtol=CLOSED_FORM)
    np.testing.assert_allclose(test.statistic, 1.0, rtol=CLOSED_FORM)


def test_nobody_has_the_event():
    assert failed(gray(table([1, 2, 3, 4], ["death", "censored"] * 2, "abab")), Status.NO_EVENTS)


def test_nobody_has_the_competing_event():
    frame = table([1, 2, 3, 4, 5, 6], ["relapse", "censored"] * 3, "aabbab")
    test = gray(frame)
    assert test.status is Status.OK
    log_rank = survival.log_rank(
        frame.with_columns(event=pl.col("end") == "relapse"), time="time", event="event", by="g"
    )
    np.testing.assert_allclose(test.expected, log_rank.expected, rtol=CLOSED_FORM)
    assert failed(gray(frame, cause="death"), Status.NO_EVENTS)


def test_a_group_without_the_event_is_compared():
    frame = table(range(1, 13), ["relapse", "death", "censored"] * 4, ["b" if k % 3 else "a" for k in range(12)])
    frame = frame.with_columns(
        end=pl.when((pl.col("g") == "b") & (pl.col("end") == "relapse"))
        .then(pl.lit("death"))
        .otherwise(pl.col("end").cast(pl.String))
        .cast(pl.Enum(NAMES))
    )
    test = gray(frame)
    assert test.status is Status.OK
    assert test.observed[1] == 0
    assert test.p_value < 0.5


def test_one_group_one_patient_no_patient():
    assert failed(gray(table([1, 2], ["relapse", "death"], "aa")), Status.EMPTY_GROUP)
    assert failed(gray(table([1], ["relapse"], "a")), Status.EMPTY_GROUP)
    assert failed(gray(table([1], ["relapse"], "a").head(0)), Status.NO_ROWS)


def test_everybody_at_once():
    """All events on one day: nothing varies."""
    assert failed(gray(table([1, 1, 1, 1], ["relapse"] * 4, "aabb")), Status.ZERO_VARIANCE)


def test_ties_between_causes_and_with_censoring():
    """The order of rows at one time is nothing; the causes are both of that time, and a censoring comes after."""
    times, ends = (
        [1, 1, 1, 2, 2, 2, 3, 3],
        ["relapse", "death", "censored", "death", "relapse", "relapse", "censored", "relapse"],
    )
    one = gray(table(times, ends, "abababab"))
    other = gray(table(times, ends, "abababab").reverse())
    assert one.status is Status.OK
    np.testing.assert_allclose(one.statistic, other.statistic, rtol=CLOSED_FORM)


def test_strata_in_which_groups_never_meet():
    frame = table(range(1, 9), ["relapse", "death"] * 4, "aaaabbbb").with_columns(s=pl.col("g"))
    assert failed(gray(frame, strata="s"), Status.ZERO_VARIANCE)


def test_a_difference_that_strata_do_not_tell_costs_a_degree_of_freedom():
    """a meets b in one stratum, c meets d in the other."""
    random = np.random.default_rng(1)
    n = 80
    s = random.integers(0, 2, n)
    frame = table(
        random.integers(1, 20, n),
        random.choice(NAMES, n),
        np.array(["a", "b", "c", "d"])[2 * s + random.integers(0, 2, n)],
    )
    test = gray(frame.with_columns(s=pl.Series(s)), strata="s")
    assert (test.status, test.df) == (Status.OK, 2.0)
    alone = [gray(frame.filter(pl.Series(s) == own)).statistic for own in (0, 1)]
    np.testing.assert_allclose(test.statistic, sum(alone), rtol=STRATA)


def test_ties_beyond_those_at_risk_are_said():
    frame = table(
        [3, 3, 3, 1, 2, 2, 2, 3, 2, 3],
        ["relapse"] * 3 + ["death"] * 4 + ["censored", "relapse", "censored"],
        "aaabbbbbcc",
    )
    assert gray(frame).notes == (TIES_HELD,)
    assert gray(frame, cause="death").notes == ()


def test_missing_values_are_counted_and_tables_made():
    frame = table([1, 2, 3, 4, 5], ["relapse", "death", "relapse", "censored", "death"], "ababa")
    frame = frame.with_columns(g=pl.Series(["a", "b", None, "b", "a"]))
    test = gray(frame)
    assert test.n_missing == 1
    assert test.tidy().columns == ["group", "n", "observed", "expected"]
    assert test.glance()["n_missing"].item() == 1
    assert test.provenance.citations == ("gray-1988",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rho": -1}, "rho"),
        ({"cause": "stroke"}, "stroke"),
        ({"event": "nothing"}, "nothing"),
        ({"by": "nothing"}, "nothing"),
    ],
)
def test_misuse(given, said):
    with pytest.raises(InputError, match=said):
        gray(table([1, 2], ["relapse", "death"], "ab"), **given)
