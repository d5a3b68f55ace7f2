import numpy as np
import polars as pl
import pytest

from counterpulse import regression
from counterpulse.data import Spline
from counterpulse.errors import InputError
from counterpulse.regression import (
    effect_curve,
    exact_logistic,
    linear,
    logistic,
    negative_binomial,
    ordinal,
    poisson,
    proportional_odds_test,
)
from counterpulse.results.status import Status
from counterpulse.survival import cox

LEVELS = pl.Enum(["none", "mild", "severe"])
ITERATIVE = 1e-6  # relative; two iterative fits of the same finite part
CLOSE = 1e-9


@pytest.fixture
def table():
    rng = np.random.default_rng(4)
    n = 120
    age, group = rng.normal(60, 9, n), rng.choice(["a", "b"], n)
    latent = 0.05 * (age - 60) + rng.logistic(size=n)
    return pl.DataFrame(
        {
            "age": age,
            "group": group,
            "few": rng.integers(0, 3, n),
            "level": np.array(["none", "mild", "severe"])[np.digitize(latent, [-0.5, 1])],
            "y": latent > 0,
            "count": rng.negative_binomial(2, 0.4, n),
            "even": np.full(n, 2) + (np.arange(n) % 2),
            "time": rng.uniform(1, 5, n),
            "site": rng.integers(0, 15, n),
        }
    ).with_columns(pl.col("level").cast(LEVELS))


@pytest.mark.parametrize(
    "fit",
    [
        lambda t, terms: logistic(t, outcome="y", terms=terms),
        lambda t, terms: logistic(t, outcome="y", terms=terms, penalty="firth"),
        lambda t, terms: linear(t, outcome="time", terms=terms),
        lambda t, terms: cox(t, time="time", event="y", terms=terms),
        lambda t, terms: ordinal(t, outcome="level", terms=terms),
        lambda t, terms: poisson(t, outcome="count", terms=terms),
        lambda t, terms: negative_binomial(t, outcome="count", terms=terms),
        lambda t, terms: exact_logistic(t, outcome="y", terms=terms),
        lambda t, terms: regression.mixed_linear(t, outcome="time", terms=terms, cluster="site"),
        lambda t, terms: regression.mixed_logistic(t, outcome="y", terms=terms, cluster="site"),
        lambda t, terms: regression.gee(t, outcome="y", terms=terms, cluster="site"),
        lambda t, terms: regression.quantile(t, outcome="time", terms=terms),
        lambda t, terms: regression.conditional_logistic(t, outcome="y", terms=terms, stratum="site"),
    ],
)
def test_no_model_is_fitted_with_a_spline_of_fewer_values_than_knots(table, fit):
    found = fit(table, ["group", Spline("few", 4)])
    assert found.status is Status.FEW_VALUES
    assert {item.status for item in found.estimates()} == {Status.FEW_VALUES}
    assert all(np.isnan(item.value) for item in found.estimates())
    if hasattr(found, "parameters"):
        curve = effect_curve(found, variable="few", measure="odds ratio", scale="log")
        assert curve.status is Status.FEW_VALUES
        assert curve.tidy()["estimate"].null_count() == curve.tidy().height


class TestCurve:
    def test_it_is_one_at_its_reference_the_median_by_default(self, table):
        fit = logistic(table, outcome="y", terms=[Spline("age", 4)])
        curve = effect_curve(fit, variable="age", measure="odds ratio", scale="log", values=[table["age"].median(), 70])
        row = curve.tidy().row(0, named=True)
        assert (row["estimate"], row["conf_low"], row["conf_high"]) == (1, 1, 1)
        assert curve.block("A1.curve", analysis="A1").kind == "effect-curve"

    def test_its_level_can_be_another(self, table):
        fit = logistic(table, outcome="y", terms=[Spline("age", 3)])
        wide, narrow = (
            effect_curve(fit, variable="age", measure="odds ratio", scale="log", values=[75], level=level).tidy()
            for level in (0.99, 0.8)
        )
        assert wide["conf_high"][0] > narrow["conf_high"][0]

    @pytest.mark.parametrize(
        "options", [{"variable": "group"}, {"variable": "age", "values": [np.inf]}, {"variable": "age", "level": 2}]
    )
    def test_what_has_no_curve_is_refused(self, table, options):
        fit = logistic(table, outcome="y", terms=[Spline("age", 3), "group"])
        with pytest.raises(InputError):
            effect_curve(fit, measure="odds ratio", scale="log", **options)


class TestOrdinal:
    def test_its_thresholds_and_slopes_are_named(self, table):
        fit = ordinal(table, outcome="level", terms=["age", "group"])
        assert [column.name for column in fit.columns] == ["none|mild", "mild|severe", "age", "group=b"]
        assert fit.estimates()[2].value > 0  # the older the worse
        assert fit.predict(table).sum(axis=1) == pytest.approx(np.ones(120), rel=CLOSE)
        assert fit.glance()["levels"][0] == 3
        assert fit.tidy().height == 4

    def test_an_empty_level_is_a_status(self, table):
        kind = pl.Enum(["none", "mild", "moderate", "severe"])
        fit = ordinal(table.with_columns(pl.col("level").cast(pl.String).cast(kind)), outcome="level", terms=["age"])
        assert {item.status for item in fit.estimates()} == {Status.EMPTY_LEVEL}

    def test_one_level_does_not_vary(self, table):
        fit = ordinal(table.filter(pl.col("level") == "mild"), outcome="level", terms=["age"])
        assert fit.status is Status.ZERO_VARIANCE

    def test_an_infinite_slope_is_named_and_the_others_estimated(self, table):
        separated = table.with_columns(
            pl.when(pl.col("group") == "b").then(pl.lit("none")).otherwise(pl.col("level")).cast(LEVELS).alias("level")
        )
        fit = ordinal(separated, outcome="level", terms=["age", "group"])
        assert [item.status for item in fit.estimates()] == [Status.OK] * 3 + [Status.SEPARATION]
        alone = ordinal(separated.filter(pl.col("group") == "a"), outcome="level", terms=["age"])
        assert fit.coefficients[2] == pytest.approx(alone.coefficients[2], rel=ITERATIVE)
        assert fit.log_likelihood == pytest.approx(alone.log_likelihood, rel=ITERATIVE)

    def test_perfect_prediction_of_everybody_estimates_nothing(self):
        table = pl.DataFrame({"x": np.arange(30.0), "level": np.repeat([0, 1, 2], 10)})
        fit = ordinal(table, outcome="level", terms=["x"])
        assert np.isnan(fit.coefficients).all()
        assert fit.status in (Status.SEPARATION, Status.NOT_CONVERGED)

    @pytest.mark.parametrize(("outcome", "words"), [("group", "order is not known"), ("age", "levels")])
    def test_an_outcome_without_few_ordered_levels_is_refused(self, table, outcome, words):
        with pytest.raises(InputError, match=words):
            ordinal(table, outcome=outcome, terms=["few"])

    def test_few_clusters_have_small_sample_degrees_of_freedom_and_very_few_no_interval(self, table):
        some = ordinal(table, outcome="level", terms=["age"], cluster="site").estimates()[2]
        assert some.statistic_name == "t"
        assert some.df < 15
        none = ordinal(table, outcome="level", terms=["age"], cluster="few").estimates()[2]
        assert none.status is not Status.OK or none.interval is None

    def test_options_that_exclude_each_other_are_refused(self, table):
        with pytest.raises(InputError, match="profile"):
            ordinal(table, outcome="level", terms=["age"], robust=True, interval="profile")
        with pytest.raises(InputError, match="interval"):
            ordinal(table, outcome="level", terms=["age"], interval="exact")

    def test_no_rows(self, table):
        fit = ordinal(table.with_columns(age=pl.lit(None, pl.Float64)), outcome="level", terms=["age"])
        assert fit.status is Status.NO_ROWS
        assert np.isnan(fit.predict(table)).all()

    def test_there_is_no_test_of_proportional_odds_of_two_levels(self, table):
        test = proportional_odds_test(ordinal(table, outcome="y", terms=["age"]))
        assert test.status is Status.UNDEFINED
        assert test.block("P", analysis="A1").columns["p_value"] == [None]


class TestCounts:
    def test_counts_that_vary_no_more_than_poisson_have_no_dispersion(self, table):
        fit = negative_binomial(table, outcome="even", terms=["age"])
        assert {item.status for item in fit.estimates()} == {Status.NO_OVERDISPERSION}
        assert "poisson" in fit.status.text

    def test_a_group_without_events_has_no_finite_ratio(self, table):
        none = table.with_columns(pl.when(pl.col("group") == "b").then(0).otherwise(pl.col("count")).alias("count"))
        for model in (poisson, negative_binomial):
            fit = model(none, outcome="count", terms=["age", "group"])
            alone = model(none.filter(pl.col("group") == "a"), outcome="count", terms=["age"])
            assert [item.status for item in fit.estimates()] == [Status.OK, Status.OK, Status.SEPARATION]
            assert fit.coefficients[1] == pytest.approx(alone.coefficients[1], rel=ITERATIVE)
            assert np.isnan(fit.predict(none)).all()

    def test_a_rate_is_of_its_exposure(self, table):
        fit = poisson(table, outcome="count", terms=[], exposure="time")
        assert np.exp(fit.coefficients[0]) == pytest.approx(table["count"].sum() / table["time"].sum(), rel=CLOSE)
        logged = table.with_columns(pl.col("time").log().alias("log"))
        assert poisson(logged, outcome="count", terms=[], offset="log").coefficients == pytest.approx(
            fit.coefficients, rel=CLOSE
        )
        assert fit.predict(table).sum() == pytest.approx(table["count"].sum(), rel=CLOSE)
        gaps = table.with_columns(pl.when(pl.col("few") == 0).then(None).otherwise(pl.col("time")).alias("time"))
        assert poisson(gaps, outcome="count", terms=[], exposure="time").n_missing == (table["few"] == 0).sum()
        assert np.isnan(fit.predict(gaps)).sum() == (table["few"] == 0).sum()

    def test_a_yes_no_outcome_gives_risk_ratios_with_the_robust_variance(self, table):
        fit = poisson(table, outcome="y", terms=["group"])
        risks = [table.filter(pl.col("group") == name)["y"].mean() for name in "ab"]
        assert fit.estimates()[1].natural().value == pytest.approx(risks[1] / risks[0], rel=CLOSE)
        assert fit.robust
        assert "zou-2004" in fit.provenance.citations
        n = [table.filter(pl.col("group") == name).height for name in "ab"]
        closed = sum((1 - risk) / (risk * size) for risk, size in zip(risks, n, strict=True)) ** 0.5
        assert fit.estimates()[1].std_error == pytest.approx(closed, rel=CLOSE)

    @pytest.mark.parametrize(
        ("model", "options", "words"),
        [
            (poisson, {"outcome": "age"}, "whole numbers"),
            (poisson, {"outcome": "count", "exposure": "few"}, "time at risk"),
            (negative_binomial, {"outcome": "y"}, "yes/no"),
            (poisson, {"outcome": "count", "robust": False, "cluster": "site"}, "robust"),
        ],
    )
    def test_what_cannot_be_counted_is_refused(self, table, model, options, words):
        with pytest.raises(InputError, match=words):
            model(table, terms=["group"], **options)

    def test_no_events_and_no_rows(self, table):
        nothing = table.with_columns(pl.lit(0).alias("count"))
        assert poisson(nothing, outcome="count", terms=["age"]).status is Status.NO_EVENTS
        assert poisson(nothing.clear(), outcome="count", terms=["age"]).status is Status.NO_ROWS
        assert poisson(table.head(2), outcome="count", terms=["age"]).status is Status.TOO_FEW_ROWS

    def test_glance_says_how_much_counts_vary(self, table):
        row = negative_binomial(table, outcome="count", terms=["age"], cluster="site").glance().row(0, named=True)
        assert row["theta"] > 0
        assert row["theta_std_error"] > 0
        assert row["clusters"] == 15


class TestExact:
    def test_an_infinite_estimate_is_median_unbiased_and_says_so(self):
        table = pl.DataFrame({"x": [1] * 6 + [0] * 6, "y": [1] * 6 + [0] * 4 + [1] * 2})
        (found,) = exact_logistic(table, outcome="y", terms=["x"]).estimates()
        assert found.interval.high == np.inf
        assert np.isfinite(found.value)
        assert "Median unbiased" in found.notes[0]

    def test_many_decimals_are_too_large(self, table):
        found = exact_logistic(table, outcome="y", terms=["age"])
        assert found.estimates()[0].status is Status.TOO_LARGE

    def test_a_statistic_without_choice_is_undefined(self):
        table = pl.DataFrame({"x": [0, 1, 2, 4, 8, 16], "z": [1, 0, 0, 1, 0, 1], "y": [1, 0, 1, 0, 1, 0]})
        assert exact_logistic(table, outcome="y", terms=["x", "z"]).estimates()[1].status is Status.UNDEFINED

    @pytest.mark.parametrize(("value", "status"), [(1, Status.ALL_EVENTS), (0, Status.NO_EVENTS)])
    def test_outcomes_that_do_not_vary(self, table, value, status):
        assert exact_logistic(table.with_columns(y=pl.lit(value)), outcome="y", terms=["group"]).status is status

    def test_constant_and_dependent_columns_have_no_odds_ratio(self, table):
        small = table.head(20).with_columns(one=pl.lit(1), text=pl.lit("only"), twice=pl.col("few") * 2)
        fit = exact_logistic(small, outcome="y", terms=["few", "one", "twice", "text"])
        assert [item.status for item in fit.estimates()] == [
            Status.OK,
            Status.CONSTANT,
            Status.RANK_DEFICIENT,
            Status.CONSTANT,
        ]
        assert fit.glance()["n"][0] == 20
        assert fit.tidy().height == 4
        assert fit.n_missing == 0
        assert len(fit.rows_used) == 20
