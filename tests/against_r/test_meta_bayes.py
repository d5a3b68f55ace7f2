"""The Bayesian model against bayesmeta 3.4 (reference/make_meta_bayes_sequential.py).

bayesmeta integrates tau itself exactly, and replaces the mixtures over tau by a few normals (Röver and Friede 2017, delta =
0.01, epsilon = 0.0001). That its grid, not ours, is off is shown by its own numbers in `test_variances_add_up`.
"""

import json
from math import sqrt
from pathlib import Path

import pytest

from counterpulse.synthesis.bayes.bayes_pool import bayes_pool
from counterpulse.synthesis.bayes.heterogeneity_priors import half_cauchy, half_normal

REFERENCE = json.loads((Path(__file__).parent / "reference" / "meta_bayes.json").read_text())["sets"]
PRIORS = {"HN0.5": (half_normal(0.5), (0, 4)), "HC0.5": (half_cauchy(0.5), None)}
CASES = [(name, prior) for name in REFERENCE for prior in PRIORS]

INTEGRAL = 1e-10  # relative; both integrate tau adaptively
SEARCH = 3e-5  # absolute; R's optimize and uniroot stop at .Machine$double.eps^0.25 of the range
NEAR_PEAK = 2e-8  # relative; R's optimize stops a little below the peak of a likelihood
CLOSED = 1e-9  # relative
GRID = 1e-3  # absolute; bayesmeta's own grid over tau
GRID_ENDS = 5e-3  # in standard deviations; the grid makes the variance of the mixtures too large (see above)


@pytest.fixture(scope="module")
def fits():
    return {
        (name, prior): bayes_pool(
            REFERENCE[name]["yi"],
            REFERENCE[name]["vi"],
            heterogeneity_prior=PRIORS[prior][0],
            effect_prior=PRIORS[prior][1],
        )
        for name, prior in CASES
    }


@pytest.mark.parametrize("case", CASES)
def test_heterogeneity(fits, case):
    tau, r = fits[case].heterogeneity, REFERENCE[case[0]]["fits"][case[1]]
    assert [tau.median, tau.mean, tau.sd] == pytest.approx(
        [r[key]["tau"] for key in ("median", "mean", "sd")], rel=INTEGRAL
    )
    ends = [tau.mode, tau.shortest.low, tau.shortest.high]
    assert ends == pytest.approx([r[key]["tau"] for key in ("mode", "lo95", "hi95")], abs=SEARCH)
    assert fits[case].i2 == pytest.approx(r["I2_mean_tau"][0], rel=INTEGRAL)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("parameter", ["mu", "theta"])
def test_effect_and_prediction(fits, case, parameter):
    fit, r = fits[case], REFERENCE[case[0]]["fits"][case[1]]
    got = fit.effect if parameter == "mu" else fit.prediction
    found = [got.median, got.mean, got.sd, got.mode]
    assert found == pytest.approx([r[key][parameter] for key in ("median", "mean", "sd", "mode")], abs=GRID)
    ends = [got.shortest.low, got.shortest.high]
    assert ends == pytest.approx([r[key][parameter] for key in ("lo95", "hi95")], abs=GRID_ENDS * got.sd)
    assert 1 - fit.probability_below(0) == pytest.approx(r["p_mu_gt0"][0], abs=GRID)


@pytest.mark.parametrize("case", CASES)
def test_variances_add_up(fits, case):
    """Var(new) = Var(effect) + E(tau^2): exactly so here, and not within the oracle's grid."""
    fit, r = fits[case], REFERENCE[case[0]]["fits"][case[1]]
    square = fit.heterogeneity.sd**2 + fit.heterogeneity.mean**2
    assert fit.prediction.sd == pytest.approx(sqrt(fit.effect.sd**2 + square), rel=INTEGRAL)
    assert r["sd"]["theta"] > sqrt(r["sd"]["mu"] ** 2 + r["sd"]["tau"] ** 2 + r["mean"]["tau"] ** 2) * (1 + 1e-4)


@pytest.mark.parametrize("name", REFERENCE)
def test_bayes_factors(fits, name):
    got, r = fits[name, "HN0.5"].bayes_factors, REFERENCE[name]["fits"]["HN0.5"]["bf"]
    assert [got.no_heterogeneity, got.no_effect] == pytest.approx(r[0], rel=CLOSED, abs=0)
    assert got.no_effect_at_least == pytest.approx(r[1][1], rel=NEAR_PEAK)
    assert got.no_heterogeneity_at_least == pytest.approx(r[1][0], rel=SEARCH)
    flat = fits[name, "HC0.5"].bayes_factors
    assert flat.no_effect != flat.no_effect
    assert flat.no_effect_at_least == pytest.approx(REFERENCE[name]["fits"]["HC0.5"]["bf"][1][1], rel=NEAR_PEAK)
