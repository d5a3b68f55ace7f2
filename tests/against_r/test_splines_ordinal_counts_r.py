import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpulse.data import Interaction, Spline, build_design
from counterpulse.data.spline_basis import harrell_knots, natural_spline
from counterpulse.regression import (
    effect_curve,
    exact_logistic,
    logistic,
    negative_binomial,
    ordinal,
    poisson,
    proportional_odds_test,
)
from counterpulse.survival import cox

REFERENCE = Path(__file__).parent / "reference" / "splines_ordinal_counts.json"
CLOSED_FORM = 1e-12  # the same sums in another order
TINY = 1e-12  # of a p value, where R prints 1 - pchisq
ITERATIVE = 1e-7  # relative, or of a standard error; R was run to 1e-12 and beyond
DEVIANCE = 1e-6  # of a standard error; glm stops at a change of the deviance, which is its square
FIT = 1e-6  # relative; rms and coxph stop at 1e-12 of the log-likelihood, whose root this is
STATISTIC = 1e-5  # a quadratic form of such coefficients
ROUNDING = 1e-11  # of cubes of distances up to 80
OPTIMIZER = 2e-5  # polr climbs by a quasi-Newton method without analytic curvature
PROFILE = 1e-3  # of a standard error; ordinal::confint interpolates the profile by a spline
UNIROOT = 1.3e-4  # of the odds ratio or its reciprocal; fisher.test and mantelhaen.test stop at .Machine$double.eps^0.25 of it
INFINITE = 1e300  # as the script writes it
STEP = 2e-4  # relative; glm.nb ends theta at a step of 1e-4


@pytest.fixture(scope="module")
def reference():
    return json.loads(REFERENCE.read_text())


@pytest.fixture(scope="module")
def whas(shared_data):
    return shared_data("whas500.csv")


def assert_covariance(ours, theirs, tolerance=ITERATIVE):
    theirs = np.array(theirs)
    size = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    np.testing.assert_allclose(np.asarray(ours) / size, theirs / size, atol=tolerance)


def test_knots_and_basis_are_those_of_rcspline_eval(reference, whas):
    ages, few = whas["age"].cast(pl.Float64).to_numpy(), whas["bmi"].head(60).to_numpy()
    for case in reference["spline"]["basis"]:
        knots = harrell_knots(ages, case["count"])
        np.testing.assert_allclose(knots, case["knots"], rtol=CLOSED_FORM)
        np.testing.assert_allclose(harrell_knots(few, case["count"]), case["small"], rtol=CLOSED_FORM)
        basis = np.column_stack(list(natural_spline(np.array(reference["grid"], dtype=float), knots)))
        np.testing.assert_allclose(basis, case["basis"], rtol=CLOSED_FORM, atol=ROUNDING)


@pytest.mark.parametrize(("case", "knots", "measure"), [("logistic", 4, "odds ratio"), ("cox", 5, "hazard ratio")])
def test_curves_and_tests_are_those_of_rms(reference, whas, case, knots, measure):
    terms, r = [Spline("age", knots), "gender", "sho"], reference["spline"][case]
    if case == "logistic":
        fit = logistic(whas, outcome="fstat", terms=terms)
    else:
        fit = cox(whas, time="lenfol", event="fstat", terms=terms)
    np.testing.assert_allclose(fit.parameters.values, r["coefficients"], rtol=FIT)
    curve = effect_curve(fit, variable="age", values=reference["grid"], reference=60, measure=measure, scale="log")
    moving = np.array(reference["grid"]) != 60
    ours = np.array([(item.value, item.std_error) for item in curve.estimates()])
    np.testing.assert_allclose(ours[moving], np.column_stack((r["contrast"], r["se"]))[moving], rtol=FIT)
    assert ours[~moving].tolist() == [[0, 0]]
    for name, nonlinear in (("overall", False), ("nonlinearity", True)):
        test = fit.parameters.wald(fit.spec.columns_of("age", nonlinear=nonlinear))
        np.testing.assert_allclose((test.statistic, test.df, test.p_value), r[name], rtol=STATISTIC, atol=TINY)


def test_cox_with_a_spline_is_coxph(reference, whas):
    fit = cox(whas, time="lenfol", event="fstat", terms=[Spline("age", 5), "gender", "sho"])
    np.testing.assert_allclose(fit.parameters.values, reference["spline"]["cph"], rtol=FIT)


def test_the_product_with_a_spline_is_glm(reference, whas):
    spline, r = Spline("age", 4), reference["spline"]["product"]
    fit = logistic(whas, outcome="fstat", terms=[spline, "gender", Interaction(spline, "gender"), "sho"])
    order = [0, 1, 2, 3, 4, 8, 5, 6, 7]  # R writes products after all main effects
    np.testing.assert_allclose(fit.coefficients[order], r["coefficients"], rtol=FIT)
    assert fit.log_likelihood == pytest.approx(r["log_likelihood"], rel=ITERATIVE)


@pytest.fixture(scope="module")
def patients(reference):
    levels = ["none", "mild", "moderate", "severe"]
    return pl.DataFrame(reference["ordinal"]["data"]).with_columns(
        pl.col("level").cast(pl.Enum(levels)), (pl.col("w") / 2.5).alias("pw")
    )


ORDINAL_TERMS = ["x", "g", "z"]


@pytest.mark.parametrize(
    ("case", "options"),
    [("main", {}), ("weighted", {"weights": "w"}), ("probability", {"weights": "pw", "robust": False})],
)
def test_ordinal_is_clm(reference, patients, case, options):
    fit, r = ordinal(patients, outcome="level", terms=ORDINAL_TERMS, **options), reference["ordinal"][case]
    assert [column.name for column in fit.columns][:3] == r["names"][:3]
    np.testing.assert_allclose(fit.coefficients, r["coefficients"], rtol=ITERATIVE)
    assert_covariance(fit.covariance, r["covariance"])
    assert fit.log_likelihood == pytest.approx(r["log_likelihood"], rel=ITERATIVE)


def test_ordinal_is_polr_and_lrm(reference, patients):
    fit = ordinal(patients, outcome="level", terms=ORDINAL_TERMS)
    polr, lrm = reference["ordinal"]["polr"]["coefficients"], reference["ordinal"]["lrm"]["coefficients"]
    np.testing.assert_allclose(np.append(fit.coefficients[3:], fit.coefficients[:3]), polr, rtol=OPTIMIZER)
    np.testing.assert_allclose(np.append(-fit.coefficients[:3], fit.coefficients[3:]), lrm, rtol=FIT)


def test_robust_variances_are_those_of_the_scores_of_polr(reference, patients):
    slopes_first = [3, 4, 5, 6, 0, 1, 2]
    r = reference["ordinal"]
    robust = ordinal(patients, outcome="level", terms=ORDINAL_TERMS, robust=True)
    clustered = ordinal(patients, outcome="level", terms=ORDINAL_TERMS, cluster="site", cluster_variance="CR1")
    for fit, theirs in ((robust, r["main"]["robust"]), (clustered, r["clustered"])):
        assert_covariance(fit.covariance[np.ix_(slopes_first, slopes_first)], theirs, OPTIMIZER)


def test_profile_intervals_are_those_of_clm(reference, patients):
    fit = ordinal(patients, outcome="level", terms=ORDINAL_TERMS, interval="profile")
    ends = np.array([(item.interval.low, item.interval.high) for item in fit.estimates()[3:]])
    width = np.sqrt(np.diag(fit.covariance))[3:, None]
    np.testing.assert_allclose(ends / width, np.array(reference["ordinal"]["main"]["profile"]) / width, atol=PROFILE)


def test_nonproportional_odds_are_those_of_clm(reference, patients):
    test = proportional_odds_test(ordinal(patients, outcome="level", terms=ORDINAL_TERMS)).likelihood_ratio
    np.testing.assert_allclose((test.chi_squared, test.df), reference["ordinal"]["likelihood_ratio"], rtol=FIT)


@pytest.fixture(scope="module")
def counted(reference):
    return pl.DataFrame(reference["counts"]["data"]).with_columns(pl.col("b").cast(pl.Boolean))


COUNT = {"outcome": "y", "terms": ["x", "g"], "exposure": "time"}


@pytest.mark.parametrize(("case", "options"), [("poisson", {}), ("weighted", {"weights": "w"})])
def test_poisson_is_glm(reference, counted, case, options):
    fit, r = poisson(counted, **COUNT, **options), reference["counts"][case]
    np.testing.assert_allclose(fit.coefficients, r["coefficients"], rtol=ITERATIVE)
    assert_covariance(fit.covariance, r["covariance"])
    assert fit.log_likelihood == pytest.approx(r["log_likelihood"], rel=ITERATIVE)


def test_poisson_variances_are_those_of_sandwich(reference, counted):
    r = reference["counts"]["poisson"]
    assert_covariance(poisson(counted, **COUNT, robust=True).covariance, r["robust"])
    assert_covariance(poisson(counted, **COUNT, cluster="site", cluster_variance="CR1").covariance, r["clustered"])
    assert poisson(counted, **COUNT).dispersion == pytest.approx(r["pearson"], rel=ITERATIVE)
    zou = poisson(counted, outcome="b", terms=["x", "g"])
    np.testing.assert_allclose(zou.coefficients, reference["counts"]["zou"]["coefficients"], rtol=ITERATIVE)
    assert_covariance(zou.covariance, reference["counts"]["zou"]["robust"])
    assert {item.measure for item in zou.estimates()[1:]} == {"risk ratio"}


def assert_negative_binomial(fit, r):
    size = np.sqrt(np.diag(r["covariance"]))
    np.testing.assert_allclose(fit.coefficients / size, np.array(r["coefficients"]) / size, atol=DEVIANCE)
    assert_covariance(fit.model_covariance, r["covariance"])
    assert fit.theta == pytest.approx(r["theta"], rel=ITERATIVE)
    assert fit.theta_std_error == pytest.approx(r["theta_se"], rel=ITERATIVE)
    assert fit.log_likelihood == pytest.approx(r["log_likelihood"], rel=ITERATIVE)


def test_negative_binomial_is_glm_nb_run_to_the_end(reference, counted):
    r = reference["counts"]["negative"]
    fit = negative_binomial(counted, **COUNT)
    assert_negative_binomial(fit, r)
    assert fit.dispersion == pytest.approx(r["pearson"], rel=ITERATIVE)
    assert_covariance(negative_binomial(counted, **COUNT, robust=True).covariance, r["sandwich"])
    assert_negative_binomial(negative_binomial(counted, **COUNT, weights="w"), reference["counts"]["negative_weighted"])
    quine = pl.DataFrame(reference["counts"]["quine"]["data"])
    assert_negative_binomial(
        negative_binomial(quine, outcome="Days", terms=["Eth", "Sex", "Age", "Lrn"]),
        reference["counts"]["quine"]["fit"],
    )


def test_negative_binomial_is_glm_nb_as_it_stops(reference, counted):
    fit, r = negative_binomial(counted, **COUNT), reference["counts"]["glm_nb"]
    np.testing.assert_allclose(fit.coefficients, r["coefficients"], rtol=STATISTIC)
    assert fit.theta == pytest.approx(r["theta"], rel=STEP)
    assert fit.theta_std_error == pytest.approx(r["se"], rel=STEP)


def rows(a, b, c, d, **more):
    """R's matrix(c(a, b, c, d), 2): events a of a + b in one group, c of c + d in the other."""
    group, event = [1] * (a + b) + [0] * (c + d), [1] * a + [0] * b + [1] * c + [0] * d
    return pl.DataFrame({"x": group, "y": event}).with_columns(**{name: pl.lit(value) for name, value in more.items()})


def smaller(values):
    """Of an odds ratio and its reciprocal the one below 1, where R looks for it."""
    return [min(value, 1 / value) if value > 0 else 0.0 for value in values]


def test_exact_logistic_is_fisher_of_one_binary_covariate(reference):
    for case in reference["exact"]["fisher"]:
        (found,) = exact_logistic(rows(*case["table"]), outcome="y", terms=["x"]).estimates()
        interval = found.natural().interval
        np.testing.assert_allclose(
            smaller([interval.low, interval.high]), smaller(case["interval"]), atol=UNIROOT, rtol=0
        )
        if 0 < case["estimate"] < INFINITE:
            np.testing.assert_allclose(
                smaller([found.natural().value]), smaller([case["estimate"]]), atol=UNIROOT, rtol=0
            )


def test_exact_logistic_is_the_exact_mantel_haenszel_test_of_strata(reference):
    r = reference["exact"]["strata"]
    tables = [np.array(r["table"])[:, :, k].T.ravel().tolist() for k in range(3)]  # column by column
    data = pl.concat([rows(*table, stratum=name) for table, name in zip(tables, "pqr", strict=True)])
    found = exact_logistic(data, outcome="y", terms=["x", "stratum"]).estimates()[0].natural()
    ours = (found.value, found.interval.low, found.interval.high)
    np.testing.assert_allclose(smaller(ours), smaller([r["estimate"], *r["interval"]]), atol=UNIROOT, rtol=0)


def test_a_design_of_a_spline_can_be_made_of_new_rows(whas):
    design = build_design(whas, [Spline("age", 4)], intercept=True)
    np.testing.assert_array_equal(design.spec.matrix(whas.head(5)), design.X[:5])
