import numpy as np
import polars as pl
import pytest

from counterpulse.data.terms import Categorical, Interaction
from counterpulse.errors import InputError
from counterpulse.regression import linear, logistic, standardize
from counterpulse.results.references import REFERENCES
from counterpulse.results.status import Status

SAME = 1e-10  # relative; closed forms


@pytest.fixture
def table():
    rng = np.random.default_rng(11)
    n = 300
    arm = np.array(["control", "low", "high"])[rng.integers(0, 3, n)]
    return pl.DataFrame(
        {
            "arm": arm,
            "dose": rng.choice([0.0, 1.5, 3.0], n),
            "on": rng.integers(0, 2, n),
            "age": rng.normal(60, 9, n),
            "y": rng.random(n) < 0.3,
        }
    )


def test_without_covariates_it_is_the_two_by_two_table(table):
    fit = logistic(table, outcome="y", terms=["on"])
    risk, other, ratio, difference = standardize(fit, table, variable="on", treated=1, reference=0).estimates()
    on, off = (table.filter(pl.col("on") == level)["y"].cast(float).to_numpy() for level in (1, 0))
    assert risk.natural().value == pytest.approx(on.mean(), rel=SAME)
    assert other.natural().value == pytest.approx(off.mean(), rel=SAME)
    variances = [group.var() / len(group) for group in (on, off)]
    assert difference.value == pytest.approx(on.mean() - off.mean(), rel=SAME)
    assert difference.std_error == pytest.approx(np.sqrt(sum(variances)), rel=SAME)
    assert ratio.std_error == pytest.approx(
        np.sqrt(variances[0] / on.mean() ** 2 + variances[1] / off.mean() ** 2), rel=SAME
    )
    assert (ratio.term, ratio.reference, ratio.measure) == ("1", "0", "risk ratio")
    assert risk.p_value is None


def test_levels_of_a_category_and_interactions(table):
    terms = [Categorical("arm", reference="control"), "age", Interaction("arm", "age")]
    fit = logistic(table, outcome="y", terms=[terms[0], "age", Interaction(terms[0], "age")])
    result = standardize(fit, table, variable="arm", treated="high", reference="control")
    for level, mean in zip(("high", "control"), result.means, strict=True):
        assert fit.predict(table.with_columns(arm=pl.lit(level))).mean() == pytest.approx(mean, rel=SAME)
    assert result.tidy()["measure"].to_list() == ["risk", "risk", "risk ratio", "risk difference"]
    assert set(result.provenance.citations) <= set(REFERENCES)


def test_a_category_of_fractions_keeps_its_names(table):
    fit = logistic(table, outcome="y", terms=[Categorical("dose"), "age"])
    result = standardize(fit, table, variable="dose", treated="3", reference=1.5)
    coefficients = dict(zip((column.name for column in fit.columns), fit.coefficients, strict=True))
    linear_predictor = coefficients["(intercept)"] + coefficients["age"] * table["age"].to_numpy()
    expected = [(1 / (1 + np.exp(-linear_predictor - coefficients[f"dose={dose:g}"]))).mean() for dose in (3.0, 1.5)]
    np.testing.assert_allclose(result.means, expected, rtol=SAME)


def test_a_linear_model_gives_means_and_their_difference(table):
    table = table.with_columns(length=pl.col("age") / 10 + pl.col("on"))
    fit = linear(table.with_columns(pl.col("length") + pl.col("y")), outcome="length", terms=["on", "dose"])
    table = table.with_columns(pl.col("length") + pl.col("y"))
    estimates = standardize(fit, table, variable="on", treated=1, reference=0).estimates()
    assert estimates[2].value == pytest.approx(fit.coefficients[1], rel=SAME)
    fixed = standardize(fit, table, variable="on", treated=1, reference=0, covariates="fixed").estimates()
    assert fixed[2].std_error == pytest.approx(fit.parameters.std_errors()[1], rel=SAME)


def test_what_cannot_be_standardized_has_a_status(table):
    table = table.with_columns(marker=pl.col("y") & (pl.col("age") > 60), copy="on")
    separated = logistic(table, outcome="y", terms=["on", "marker"])
    result = standardize(separated, table, variable="on", treated=1, reference=0)
    assert {estimate.status for estimate in result.estimates()} == {Status.SEPARATION}
    entangled = logistic(table, outcome="y", terms=["on", "age", "copy"])
    assert standardize(entangled, table, variable="on", treated=1, reference=0).status is Status.RANK_DEFICIENT
    assert standardize(entangled, table, variable="age", treated=70, reference=60).status is Status.OK


def test_misuse(table):
    fit = logistic(table, outcome="y", terms=["on", "arm"])
    with pytest.raises(InputError, match="no term of 'age'"):
        standardize(fit, table, variable="age", treated=1, reference=0)
    with pytest.raises(InputError, match="not a level of 'arm'"):
        standardize(fit, table, variable="arm", treated="medium", reference="low")
    with pytest.raises(InputError, match="give the same"):
        standardize(fit, table[:10], variable="on", treated=1, reference=0)
