from dataclasses import dataclass
from math import isnan

import numpy as np
import pytest

from counterpulse.errors import InputError
from counterpulse.results.coefficients import Coefficients
from counterpulse.results.status import Status

SAME = 1e-12  # relative; closed forms


@dataclass(frozen=True)
class Named:
    name: str
    variable: str
    term: str
    reference: str | None = None


def coefficients(statuses=(Status.OK,) * 3, df=None):
    root = np.array([[1.0, 0.2, 0.1], [0.0, 0.5, -0.3], [0.0, 0.0, 2.0]])
    return Coefficients(
        columns=tuple(Named(name, name, name) for name in "abc"),
        values=np.array([1.0, -0.5, 3.0]),
        covariance=root.T @ root,
        statuses=statuses,
        level=0.9,
        df=df,
    )


def test_a_contrast_is_a_sum_with_its_variance():
    table = coefficients()
    estimate = table.contrast({"a": 2, "c": -1}, measure="difference", scale="identity")
    weights = np.array([2, 0, -1])
    assert estimate.value == pytest.approx(-1.0, rel=SAME)
    assert estimate.std_error == pytest.approx(np.sqrt(weights @ table.covariance @ weights), rel=SAME)
    assert estimate.interval.high - estimate.value == pytest.approx(1.6448536269514722 * estimate.std_error, rel=SAME)
    assert (estimate.term, estimate.statistic_name, estimate.interval.level) == ("a + c", "z", 0.9)


def test_the_joint_test_of_one_is_its_square():
    for df, name in ((None, "chi-squared"), (7.0, "F")):
        table = coefficients(df=df)
        test, single = table.wald(["b"]), table.estimate(1, measure="x", scale="identity")
        assert test.statistic == pytest.approx(single.statistic**2, rel=SAME)
        assert test.p_value == pytest.approx(single.p_value, rel=SAME)
        assert (test.statistic_name, test.df_denominator) == (name, df)


def test_what_was_left_out_takes_no_degree_of_freedom():
    table = coefficients((Status.OK, Status.CONSTANT, Status.OK))
    assert table.wald(["a", "b", "c"]).df == 2
    assert table.wald(["b"]).status is Status.CONSTANT
    assert table.contrast({"a": 1, "b": 0}, measure="x", scale="log").status is Status.OK
    assert table.contrast({"a": 1, "b": 1}, measure="x", scale="log").status is Status.CONSTANT


def test_an_infinite_coefficient_spoils_the_joint_test():
    test = coefficients((Status.OK, Status.SEPARATION, Status.OK)).wald(["a", "b"])
    assert test.status is Status.SEPARATION
    assert isnan(test.p_value)


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(InputError, match="has no coefficient 'd'; it has a, b, c"):
        coefficients().contrast({"d": 1}, measure="x", scale="log")


def test_a_singular_covariance_has_no_joint_test():
    table = Coefficients(
        columns=(Named("a", "a", "a"), Named("b", "b", "b")), values=np.ones(2), covariance=np.ones((2, 2)),
        statuses=(Status.OK, Status.OK), level=0.95,
    )  # fmt: skip
    assert table.wald(["a", "b"]).status is Status.UNDEFINED
