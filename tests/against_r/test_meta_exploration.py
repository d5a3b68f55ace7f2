"""What moves a pooled effect against R: metafor's blocks of ../shared/reference/meta (three sets are stored), clubSandwich and robumeta."""

import json
from pathlib import Path

import numpy as np
import pytest

from counterpulse.synthesis.exploration.baujat import baujat
from counterpulse.synthesis.exploration.cumulative import cumulative
from counterpulse.synthesis.exploration.henmi_copas import henmi_copas
from counterpulse.synthesis.exploration.influence import influence
from counterpulse.synthesis.exploration.leave_one_out import leave_one_out
from counterpulse.synthesis.exploration.robust import robust
from counterpulse.synthesis.exploration.standardized_residuals import rstandard
from counterpulse.synthesis.exploration.subgroups import subgroups
from counterpulse.synthesis.pooling.pool import pool
from counterpulse.synthesis.small_study.excess_significance import excess_significance
from counterpulse.synthesis.small_study.fail_safe_n import fail_safe_n

REFERENCE = Path(__file__).parent / "reference"
STORED = json.loads((REFERENCE / "meta_exploration_metafor.json").read_text())["sets"]
OURS = json.loads((REFERENCE / "meta_exploration.json").read_text())
SETS = ("bcg_RR", "bcg_RD", "li2007_OR", "bcg_OR", "hackshaw1998", "egger2001_OR", "yusuf1985_t6_OR", "nielweise2007_OR", "bangertdrowns2004", "lau1992_OR")  # fmt: skip

CLOSED_FORM = 1e-8
ITERATIVE = 1e-6  # relative; REML by Fisher scoring to 1e-11 in R, and all that follows from it
NOTHING = 1e-9  # absolute, of a standardized number that is zero but for rounding
R_ROOT = (
    2e-4  # of a standard error: hc() of the reference solved its equation with uniroot's default tolerance of 1.2e-4
)
R_INTEGRAL = 1e-6  # hc() with a tight root still integrates with R's default of 1.2e-4, reached far better than asked
OPTIMIZER = 1e-6  # relative; two variances by BFGS in R and L-BFGS-B here

ESTIMATORS = {"REML": ITERATIVE, "DL": CLOSED_FORM, "EE": CLOSED_FORM}


@pytest.fixture(params=SETS)
def reference(request, shared_path):
    if request.param in STORED:
        return STORED[request.param]
    return json.loads(shared_path(f"reference/meta/{request.param}.json").read_text())


def close(ours, theirs, tolerance, scale=1.0):
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=NOTHING * scale)


def close_fits(fits, r, tolerance, p_values="pval", statistic="zval"):
    theirs = {name: np.array(column, dtype=float) for name, column in r.items()}
    there = np.isfinite(theirs["estimate"])  # R fails to converge in one subset of nielweise2007
    several = there & (fits.k > 1)
    error = np.max(fits.std_error)
    for name, column in {"effect": "estimate", "std_error": "se", "low": "ci.lb", "high": "ci.ub", "q": "Q"}.items():
        close(getattr(fits, name)[there], theirs[column][there], tolerance, error)
    for name, column in {"tau2": "tau2", "h2": "H2", "q_p_value": "Qp"}.items():
        if column in theirs:  # the common effect has no tau2
            close(getattr(fits, name)[several], theirs[column][several], tolerance, error**2)
    if "I2" in theirs:
        close(fits.i2[several], theirs["I2"][several] / 100, tolerance)
    close(fits.statistic[there], theirs[statistic][there], tolerance)
    ours = fits.p_value[there]
    np.testing.assert_allclose(ours, theirs[p_values][there], rtol=100 * tolerance)  # a tail's relative error is |z| dz


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_leave_one_out(reference, estimator):
    found = leave_one_out(reference["yi"], reference["vi"], tau2=estimator, interval="wald")
    close_fits(found.without, reference["leave1out"][estimator], ESTIMATORS[estimator])


def test_leave_one_out_by_hartung_and_knapp(reference):
    found = leave_one_out(reference["yi"], reference["vi"], convention="cochrane-2025")
    close_fits(found.without, reference["leave1out"]["REML_knha"], ITERATIVE, statistic="tval")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_cumulative(reference, estimator):
    found = cumulative(reference["yi"], reference["vi"], tau2=estimator, interval="wald")
    close_fits(found.fits, reference["cumul"][estimator], ESTIMATORS[estimator], "pvals")


def test_cumulative_in_another_order(reference):
    if "cumul_year" not in reference:
        pytest.skip("this set has no year")
    r = reference["cumul_year"]
    # metafor sorts by what its argument `order` holds: here the ranks of the years, which R took for an order
    found = cumulative(reference["yi"], reference["vi"], by=r["order"], tau2="DL", interval="wald")
    close_fits(found.fits, r, CLOSED_FORM, "pvals")


MEASURES = {
    "rstudent": "rstudent", "dffits": "dffits", "cook_distance": "cook.d", "covariance_ratio": "cov.r",
    "tau2_deleted": "tau2.del", "q_deleted": "QE.del", "hat": "hat",
}  # fmt: skip


def test_influence(reference):
    found, r = influence(reference["yi"], reference["vi"]), reference["influence_REML"]
    for ours, theirs in MEASURES.items():
        close(getattr(found, ours), r[theirs], ITERATIVE, 10 if "tau2" not in ours else np.median(reference["vi"]))
    close(found.weight, np.array(r["weight"]) / 100, ITERATIVE)
    close(found.dfbetas[:, 0], r["dfbs"], ITERATIVE, 10)
    assert found.influential.tolist() == r["is_infl"]
    close(found.hat, reference["hatvalues"], ITERATIVE)
    close(found.weight, np.array(reference["weights"]) / 100, ITERATIVE)
    close(found.cook_distance, reference["cooks"], ITERATIVE, 10)
    deleted = reference["rstudent"]
    for ours, theirs in zip((found.residual, found.std_error, found.rstudent), deleted.values(), strict=True):
        close(ours, theirs, ITERATIVE)


def test_influence_on_a_regression():
    r, bcg = OURS["influence_mods"], OURS["inputs"]["bcg_RR"]
    found = influence(bcg["yi"], bcg["vi"], OURS["latitude"])
    for ours, theirs in MEASURES.items():
        close(getattr(found, ours), r[theirs], ITERATIVE)
    close(found.weight, np.array(r["weight"]) / 100, ITERATIVE)
    close(found.dfbetas.T, r["dfbs"], ITERATIVE)
    assert found.influential.tolist() == r["is_infl"]
    close(rstandard(bcg["yi"], bcg["vi"], OURS["latitude"]).rstandard, r["rstandard"], ITERATIVE)


def test_standardized_residuals(reference):
    found, r = rstandard(reference["yi"], reference["vi"]), reference["rstandard"]
    for ours, theirs in zip((found.residual, found.std_error, found.rstandard), r.values(), strict=True):
        close(ours, theirs, ITERATIVE)


def test_best_predictions(reference):
    found, r = pool(reference["yi"], reference["vi"], convention="metafor").blup(), reference["blup"]
    for ours, theirs in zip((found.effect, found.std_error, found.low, found.high), r.values(), strict=True):
        close(ours, theirs, ITERATIVE)


@pytest.mark.parametrize("estimator", ["EE", "DL"])
def test_baujat(estimator):
    bcg, r = OURS["inputs"]["bcg_RR"], OURS["baujat"][estimator]
    found = baujat(bcg["yi"], bcg["vi"], tau2=estimator)
    close(found.contribution, r["x"], CLOSED_FORM)
    close(found.influence, r["y"], CLOSED_FORM)


@pytest.mark.parametrize(("variance", "block"), [("CR1", "robust"), ("CR2", "robust_clubSandwich")])
def test_robust_with_a_cluster_a_study(reference, variance, block):
    r = reference[block]
    (effect,) = robust(reference["yi"], reference["vi"], range(reference["k"]), variance=variance).estimates()
    ours = (effect.value, effect.std_error, effect.statistic, effect.p_value, effect.interval.low, effect.interval.high)
    theirs = (r["b"], r["se"], r["t"], r["p"], r["ci_lb"], r["ci_ub"])
    assert ours == pytest.approx(theirs, rel=ITERATIVE)
    assert effect.df == pytest.approx(r.get("dfs", reference["k"] - 1), rel=ITERATIVE)


def schools(design):
    data = OURS["schools"]
    return (data["yi"], data["vi"], data["district"]), {"X": data["year"]} if design == "year" else {}


def close_coefficients(found, r, b, tolerance):
    rows = found.estimates()
    for name, key in {"std_error": "se", "statistic": "t", "df": "df", "p_value": "p"}.items():
        if key in r:
            close([getattr(row, name) for row in rows], np.broadcast_to(r[key], len(rows)), tolerance)
    close([row.value for row in rows], np.atleast_1d(b), tolerance)


@pytest.mark.parametrize("design", ["intercept", "year"])
@pytest.mark.parametrize("variance", ["CR1", "CR2"])
def test_robust_with_independent_weights(design, variance):
    arrays, more = schools(design)
    r = OURS["independent"][design]
    found = robust(*arrays, **more, variance=variance)
    assert found.tau2 == pytest.approx(r["tau2"], rel=ITERATIVE)
    close_coefficients(found, r[variance], r["b"], ITERATIVE)


@pytest.mark.parametrize("design", ["intercept", "year"])
def test_robust_with_correlated_effects(design):
    arrays, more = schools(design)
    r = OURS["correlated"][design]
    found = robust(*arrays, **more, working="correlated", rho=r["rho"])
    assert found.tau2 == pytest.approx(r["tau2"], rel=CLOSED_FORM)
    close_coefficients(found, r, r["b"], CLOSED_FORM)


@pytest.mark.parametrize("design", ["intercept", "intercept.1", "year", "year.1"])
def test_robust_with_correlated_and_hierarchical_effects(design):
    arrays, more = schools(design.removesuffix(".1"))
    r = OURS["nested"][design]
    found = robust(*arrays, **more, working="correlated-hierarchical", rho=r["rho"])
    assert (found.tau2, found.omega2) == pytest.approx((r["tau2"], r["omega2"]), rel=OPTIMIZER)
    close_coefficients(found, r["CR2"], r["b"], OPTIMIZER)
    found = robust(*arrays, **more, working="correlated-hierarchical", rho=r["rho"], variance="CR1")
    close_coefficients(found, r["CR1"], r["b"], OPTIMIZER)


def close_interval(found, r, tolerance):
    effect = found.estimates()[0]
    assert (effect.value, effect.std_error) == pytest.approx((r["b"], r["se"]), rel=CLOSED_FORM)
    ends = (effect.interval.low, effect.interval.high)
    assert ends == pytest.approx((r["ci_lb"], r["ci_ub"]), abs=tolerance * r["se"])


def test_henmi_copas(reference):
    found = henmi_copas(reference["yi"], reference["vi"])
    r = reference["hc"]
    close_interval(found, r, R_ROOT * max(1.0, found.critical))


@pytest.mark.parametrize("name", OURS["hc"])
def test_henmi_copas_with_a_tight_root(name):
    close_interval(henmi_copas(**OURS["inputs"][name]), OURS["hc"][name], R_INTEGRAL)


@pytest.mark.parametrize("method", ["Rosenthal", "Orwin", "Rosenberg"])
def test_fail_safe_n(reference, method):
    found, r = fail_safe_n(reference["yi"], reference["vi"], method=method.lower()), reference["fsn"][method]
    assert found.n == r["fsnum"]
    if method != "Orwin":
        assert found.p_value == pytest.approx(r["pval"], rel=CLOSED_FORM)


def test_excess_significance(reference):
    r = reference["tes"]
    chosen = "exact" if r["X2"] is None else "chi-squared"
    found = excess_significance(reference["yi"], reference["vi"], test=chosen)
    assert (found.observed, found.statistic is None) == (r["O"], r["X2"] is None)
    assert (found.expected, found.theta, found.p_value) == pytest.approx(
        (r["E"], r["theta"], r["pval"]), rel=CLOSED_FORM
    )
    assert found.statistic == (None if r["X2"] is None else pytest.approx(r["X2"], rel=CLOSED_FORM))


@pytest.mark.parametrize(("name", "test"), [(n, t) for n, both in OURS["tes"].items() for t, r in both.items() if r])
def test_excess_significance_both_ways(name, test):
    r = OURS["tes"][name][test]
    found = excess_significance(**OURS["inputs"][name], test={"chi2": "chi-squared"}.get(test, test))
    assert (found.expected, found.p_value) == pytest.approx((r["E"], r["p"]), rel=CLOSED_FORM)


def test_subgroups_with_their_own_variances():
    r, bcg = OURS["subgroups"]["separate"], OURS["inputs"]["bcg_RR"]
    found = subgroups(bcg["yi"], bcg["vi"], OURS["allocation"], interval="wald")
    for row, label in enumerate(found.labels):
        fits, group = found.groups, r["groups"][label]
        ours = (fits.k[row], fits.effect[row], fits.std_error[row], fits.tau2[row], fits.q[row])
        assert ours == pytest.approx(tuple(group.values()), rel=ITERATIVE)
    assert (found.between.statistic, found.between.p_value) == pytest.approx((r["Q"], r["p"]), rel=ITERATIVE)
    assert found.between_adjusted is None


def test_subgroups_with_a_common_variance():
    r, bcg = OURS["subgroups"]["common"], OURS["inputs"]["bcg_RR"]
    found = subgroups(bcg["yi"], bcg["vi"], OURS["allocation"], common_tau2=True)
    plain, adjusted = found.between, found.between_adjusted
    assert (plain.statistic, plain.p_value) == pytest.approx((r["z"]["QM"], r["z"]["p"]), rel=ITERATIVE)
    assert (adjusted.statistic, adjusted.p_value) == pytest.approx((r["knha"]["QM"], r["knha"]["p"]), rel=ITERATIVE)
    assert [adjusted.df, adjusted.df_denominator] == r["knha"]["df"]
    np.testing.assert_allclose(found.groups.tau2, r["knha"]["tau2"], rtol=ITERATIVE)
