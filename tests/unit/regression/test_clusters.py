import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.regression import (
    conditional_logistic,
    gee,
    linear,
    logistic,
    mixed_linear,
    mixed_logistic,
    standardize,
)
from counterpulse.results import Status
from counterpulse.survival import cox

CLOSED_FORM = 1e-10
ITERATIVE = 1e-7  # tau is found where the likelihood is flat
TERMS = ["x", "arm"]


def ward(clusters, rows, *, spread=1.0):
    rng = stream(20260101, "ward of clusters", clusters * 1000 + rows)
    center = np.repeat(np.arange(clusters), rows)
    n = len(center)
    x, arm = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    shift = spread * rng.normal(size=clusters)[center]
    return pl.DataFrame(
        {
            "center": center, "x": x, "arm": arm, "y": x - arm + shift + rng.normal(size=n),
            "died": rng.random(n) < 1 / (1 + np.exp(0.3 - 0.5 * x - 0.6 * arm - shift)),
            "days": rng.exponential(size=n),
        }
    )  # fmt: skip


MODELS = {
    "linear": lambda table, **more: linear(table, outcome="y", terms=TERMS, cluster="center", **more),
    "logistic": lambda table, **more: logistic(table, outcome="died", terms=TERMS, cluster="center", **more),
    "gee": lambda table, **more: gee(table, outcome="died", terms=TERMS, cluster="center", **more),
}


def variance_choice(fit):
    return next(str(choice.value) for choice in fit.provenance.choices if choice.name == "variance")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("clusters", "small"), [(10, True), (39, True), (40, False), (80, False)])
def test_below_40_clusters_every_coefficient_has_its_own_degrees_of_freedom(model, clusters, small):
    fit = MODELS[model](ward(clusters, 12))
    rows = fit.estimates()
    assert all(row.status is Status.OK for row in rows)
    assert ("Satterthwaite" in variance_choice(fit)) is small
    if small:
        assert len({row.df for row in rows}) == len(rows)
        assert all(0 < row.df < clusters and row.statistic_name == "t" for row in rows)


@pytest.mark.parametrize("model", MODELS)
def test_below_10_clusters_a_value_without_an_interval(model):
    table = ward(9, 30)
    fit, plain = MODELS[model](table), MODELS[model](ward(9, 30))
    for row in fit.estimates():
        assert row.status is Status.FEW_CLUSTERS
        assert np.isfinite(row.value)
        assert (row.std_error, row.interval, row.p_value, row.df) == (None, None, None, None)
    assert fit.status is Status.OK
    assert fit.wald_test(TERMS).status is Status.FEW_CLUSTERS
    assert fit.contrast({"x": 1.0, "arm": 1.0}).status is Status.FEW_CLUSTERS
    np.testing.assert_array_equal(fit.coefficients, plain.coefficients)


@pytest.mark.parametrize("model", ["linear", "logistic"])
def test_a_named_variance_is_used_whatever_the_number(model):
    few, many = ward(5, 30), ward(60, 10)
    assert all(row.status is Status.OK for row in MODELS[model](few, cluster_variance="CR1").estimates())
    assert all(row.status is Status.OK for row in MODELS[model](few, cluster_variance="CR2").estimates())
    ours = [row.df for row in MODELS[model](many, cluster_variance="CR2").estimates()]
    assert all(40 < df < 60 for df in ours)


def test_what_a_cluster_variance_refuses():
    table = ward(12, 5)
    with pytest.raises(InputError, match="'CR1' or 'CR2'"):
        linear(table, outcome="y", terms=TERMS, cluster="center", cluster_variance="CR3")
    with pytest.raises(InputError, match="needs clusters"):
        linear(table, outcome="y", terms=TERMS, cluster_variance="CR2")


def test_rows_counted_twice_are_two_rows():
    table = ward(14, 6).with_columns(times=pl.Series(np.tile([1, 2, 3], 28)))
    again = pl.concat([table.filter(pl.col("times") > k) for k in range(3)])
    for model in ("linear", "logistic"):
        weighted, repeated = MODELS[model](table, weights="times"), MODELS[model](again)
        np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=CLOSED_FORM, atol=CLOSED_FORM)
        for one, other in zip(weighted.estimates(), repeated.estimates(), strict=True):
            assert one.df == pytest.approx(other.df, rel=CLOSED_FORM)


def test_separation_leaves_the_others_their_small_sample_variance():
    table = ward(15, 10).with_columns(sure=pl.when(pl.int_range(150) < 6).then(1.0).otherwise(0.0))
    table = table.with_columns(died=pl.col("died") | (pl.col("sure") == 1))
    fit = logistic(table, outcome="died", terms=["x", "sure"], cluster="center")
    infinite = fit.parameters.statuses
    assert infinite[2] is Status.SEPARATION
    assert fit.estimates()[1].statistic_name == "t"
    mixed = mixed_logistic(table, outcome="died", terms=["x", "sure"], cluster="center")
    assert mixed.parameters.statuses == infinite
    assert gee(table, outcome="died", terms=["x", "sure"], cluster="center").parameters.statuses == infinite


def test_standardized_risks_of_few_clusters():
    table = ward(9, 30).with_columns(arm=pl.col("arm").cast(pl.Int64).cast(pl.String))
    few = logistic(table, outcome="died", terms=TERMS, cluster="center")
    for row in standardize(few, table, variable="arm", treated="1", reference="0").estimates():
        assert row.status is Status.FEW_CLUSTERS
        assert np.isfinite(row.value)
        assert row.interval is None
    table = ward(20, 15).with_columns(arm=pl.col("arm").cast(pl.Int64).cast(pl.String))
    fit = logistic(table, outcome="died", terms=TERMS, cluster="center")
    assert standardize(fit, table, variable="arm", treated="1", reference="0").estimates()[3].df == 19


def test_cox_with_few_clusters():
    def fitted(clusters):
        return cox(ward(clusters, 20), time="days", event="died", terms=TERMS, cluster="center").estimates()[0]

    assert fitted(9).status is Status.FEW_CLUSTERS
    assert fitted(9).interval is None
    assert "20 clusters" in fitted(20).notes[0]
    assert fitted(45).notes == ()


MIXED = {
    "linear": lambda table: mixed_linear(table, outcome="y", terms=TERMS, cluster="center"),
    "logistic": lambda table: mixed_logistic(table, outcome="died", terms=TERMS, cluster="center"),
}


@pytest.mark.parametrize("model", MIXED)
def test_the_rows_of_a_random_intercept(model):
    fit = MIXED[model](ward(30, 20))
    rows = {row.measure: row for row in fit.estimates()}
    variance, correlation = rows["variance between clusters"], rows["intraclass correlation"]
    assert variance.value == pytest.approx(fit.between.variance, rel=CLOSED_FORM)
    assert variance.interval.low < variance.value < variance.interval.high
    assert correlation.value == pytest.approx(variance.value / (variance.value + fit.between.within), rel=CLOSED_FORM)
    assert fit.log_likelihood > fit.plain_log_likelihood
    assert len(fit.intercepts) == fit.clusters == 30
    assert ("median odds ratio" in rows) is (model == "logistic")
    if model == "logistic":
        tau = np.sqrt(variance.value)
        assert rows["median odds ratio"].natural().value == pytest.approx(np.exp(0.9538725524 * tau), rel=ITERATIVE)


@pytest.mark.parametrize("model", MIXED)
def test_no_variance_between_clusters_is_the_plain_model_and_says_so(model):
    table = ward(25, 8, spread=0.0)
    balanced = table.with_columns(center=pl.int_range(200) // 8)
    # the outcomes of every cluster alternate, so that clusters resemble each other more than chance would have it
    balanced = balanced.with_columns(
        x=pl.Series(np.tile([-1.0, -1, 1, 1, -1, -1, 1, 1], 25)), died=pl.Series(np.tile([0, 1, 1, 0, 0, 1, 1, 1], 25)),
        arm=pl.Series(np.tile([0.0, 1, 0, 1, 1, 0, 1, 0], 25)), y=pl.Series(np.tile([0.0, 1, 5, 3, 1, 2, 4, 5], 25)),
    )  # fmt: skip
    fit = MIXED[model](balanced)
    plain = (linear if model == "linear" else logistic)(balanced, outcome=fit.outcome, terms=TERMS)
    assert fit.status is Status.OK
    np.testing.assert_allclose(fit.coefficients, plain.coefficients, atol=CLOSED_FORM)
    np.testing.assert_allclose(fit.covariance, plain.covariance, atol=CLOSED_FORM)
    between = fit.between_estimates()
    assert {row.status for row in between} == {Status.ZERO_RANDOM_VARIANCE}
    assert between[0].value == 0.0
    assert all(row.status is Status.OK for row in fit.estimates()[:3])


@pytest.mark.parametrize("model", MIXED)
def test_a_random_intercept_needs_clusters_of_several_rows(model):
    alone = ward(40, 2).with_columns(center=pl.int_range(80))
    assert {row.status for row in MIXED[model](alone).estimates()} == {Status.SINGLE_ROW_CLUSTERS}
    together = ward(40, 2).with_columns(center=pl.lit(1))
    assert MIXED[model](together).status is Status.FEW_CLUSTERS


def test_failures_of_mixed_models_are_data():
    table = ward(10, 5)
    assert mixed_linear(table.head(0), outcome="y", terms=TERMS, cluster="center").status is Status.NO_ROWS
    constant = table.with_columns(y=pl.lit(1.0), died=pl.lit(False))
    assert mixed_linear(constant, outcome="y", terms=TERMS, cluster="center").status is Status.ZERO_VARIANCE
    assert mixed_logistic(constant, outcome="died", terms=TERMS, cluster="center").status is Status.NO_EVENTS
    whole = table.with_columns(died=pl.col("center") < 5)
    assert mixed_logistic(whole, outcome="died", terms=["x"], cluster="center").status is Status.NOT_CONVERGED
    with pytest.raises(InputError, match="REML"):
        mixed_linear(table, outcome="y", terms=TERMS, cluster="center", method="MAP")
    with pytest.raises(InputError, match="1 to 101"):
        mixed_logistic(table, outcome="died", terms=TERMS, cluster="center", quadrature=0)


def test_what_gee_refuses():
    table = ward(12, 5).with_columns(visit=pl.lit(1))
    for wrong in ({"family": "gamma"}, {"correlation": "toeplitz"}, {"order": "visit"}):
        with pytest.raises(InputError):
            gee(table, outcome="died", terms=TERMS, cluster="center", **wrong)
    with pytest.raises(InputError, match="repeats"):
        gee(table, outcome="died", terms=TERMS, cluster="center", correlation="ar1", order="visit")
    with pytest.raises(InputError, match="negative"):
        gee(table, outcome="y", terms=TERMS, cluster="center", family="poisson")


def test_gee_of_independent_rows_is_logistic_without_the_factor():
    table = ward(60, 8)
    fit = gee(table, outcome="died", terms=TERMS, cluster="center", correlation="independence")
    plain = logistic(table, outcome="died", terms=TERMS, cluster="center")
    np.testing.assert_allclose(fit.coefficients, plain.coefficients, atol=ITERATIVE)
    np.testing.assert_allclose(fit.covariance, plain.covariance * 59 / 60, rtol=ITERATIVE)
    few, cr2 = MODELS["gee"](ward(20, 8), correlation="independence"), MODELS["logistic"](ward(20, 8))
    np.testing.assert_allclose(few.covariance, cr2.covariance, rtol=ITERATIVE)


def test_sets_without_contrast_are_counted():
    table = pl.DataFrame(
        {"set": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6], "case": [1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1], "x": [1.0, 0, 2, 3, 1, 1, 2, 0, 4, 3, 2]}
    )  # fmt: skip
    fit = conditional_logistic(table, outcome="case", terms=["x"], stratum="set")
    assert (fit.strata, fit.strata_dropped, fit.rows_dropped, fit.n, fit.events) == (3, 3, 5, 6, 3)
    nothing = table.filter(pl.col("set").is_in([3, 4]))
    assert conditional_logistic(nothing, outcome="case", terms=["x"], stratum="set").status is Status.UNDEFINED


def test_what_does_not_vary_within_sets_and_what_separates_them():
    rng = stream(20260101, "sets", 0)
    table = pl.DataFrame(
        {"set": np.repeat(np.arange(50), 3), "case": np.tile([1, 0, 0], 50), "x": rng.normal(size=150)}
    )
    table = table.with_columns(age=pl.col("set") * 1.7, sure=pl.col("case") + 0.0, one=pl.lit(3.0))
    fit = conditional_logistic(table, outcome="case", terms=["age", "x", "sure", "one"], stratum="set")
    assert fit.parameters.statuses[0] is Status.RANK_DEFICIENT
    assert fit.parameters.statuses[3] is Status.CONSTANT
    assert Status.SEPARATION in fit.parameters.statuses
    half = table.with_columns(sure=pl.when(pl.col("set") < 10).then(pl.col("case") + 0.0).otherwise(0.0))
    fit = conditional_logistic(half, outcome="case", terms=["x", "sure"], stratum="set")
    rest = conditional_logistic(half.filter(pl.col("set") >= 10), outcome="case", terms=["x"], stratum="set")
    assert fit.parameters.statuses == (Status.OK, Status.SEPARATION)
    assert fit.coefficients[0] == pytest.approx(rest.coefficients[0], abs=ITERATIVE)


def test_glances_and_tidy_frames():
    table = ward(15, 6)
    for fit in (MODELS["gee"](table), MIXED["linear"](table), MIXED["logistic"](table)):
        assert fit.glance()["clusters"].item() == 15
        assert fit.tidy().height == len(fit.estimates())
    fit = conditional_logistic(table, outcome="died", terms=TERMS, stratum="center")
    assert fit.glance()["strata"].item() + fit.glance()["strata_dropped"].item() == 15
    assert fit.tidy().height == 2
