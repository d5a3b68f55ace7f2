import json
from math import inf, isnan, log, sqrt

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad

from counterpulse.errors import InputError
from counterpulse.results.status import Status
from counterpulse.synthesis.bayes.bayes_pool import bayes_pool
from counterpulse.synthesis.bayes.borrowing import prior_from
from counterpulse.synthesis.bayes.effect_priors import mixture, normal
from counterpulse.synthesis.bayes.heterogeneity_priors import (
    exponential,
    half_cauchy,
    half_normal,
    half_t,
    jeffreys,
    log_normal,
    uniform,
)
from counterpulse.synthesis.bayes.prior_sensitivity import prior_sensitivity

YI, VI = [-0.62, 0.18, -0.35, -1.10], [0.08, 0.12, 0.05, 0.2]
PROPER = [half_normal(0.4), half_cauchy(0.4), half_t(0.3, df=3), exponential(0.5), uniform(2.0), log_normal(-1, 0.5)]

EXACT = 1e-10
ADAPTIVE = 1e-8  # the error of scipy's adaptive quadrature, which checks ours
PULLED = 1e-7  # a prior with a standard deviation of 1e-4 leaves the data a share of about 1e-8 / 0.03
SAMPLED = 0.02  # three posterior standard deviations with 2,000 studies


@pytest.mark.parametrize("prior", PROPER, ids=lambda prior: prior.name)
def test_priors_integrate_to_one(prior):
    def density(tau):
        return float(np.exp(prior.log_density(np.array([tau]), np.ones(2)))[0])

    total = quad(density, 1e-12, min(prior.upper, 5))[0] + (quad(density, 5, inf)[0] if prior.upper > 5 else 0)
    assert total == pytest.approx(1, rel=ADAPTIVE)


@pytest.mark.parametrize("prior", [*PROPER, uniform(), jeffreys()], ids=lambda prior: prior.name)
def test_parts_agree(prior):
    fit = bayes_pool(YI, VI, heterogeneity_prior=prior)
    for parameter in ("effect", "heterogeneity", "prediction"):
        of = getattr(fit, parameter)
        assert fit.probability_below(of.median, parameter=parameter) == pytest.approx(0.5, rel=EXACT)
        low, high = of.central.low, of.central.high
        assert fit.quantile(0.025, parameter=parameter) == pytest.approx(low, rel=EXACT)
        assert of.shortest.high - of.shortest.low <= (high - low) * (1 + EXACT)
        area = quad(lambda x, p=parameter: fit.posterior_density(p, x)[0], low, high, epsabs=1e-10, limit=200)[0]
        assert area == pytest.approx(0.95, abs=ADAPTIVE)
        peak, around = fit.posterior_density(parameter, of.mode or 1e-9)[0], of.mode + np.array([-1, 1]) * 1e-3
        assert (fit.posterior_density(parameter, around) <= peak).all()


def test_estimates():
    fit = bayes_pool(YI, VI, measure="odds ratio", scale="log")
    effect, new, tau = fit.estimates()
    assert effect.value == fit.effect.median
    assert effect.interval.kind == "shortest credible"
    assert (new.term, tau.measure) == ("prediction", "tau")
    assert fit.prediction_interval == fit.prediction.shortest
    assert fit.tau2 == tau.value**2
    assert fit.tau2_interval.high == tau.interval.high**2
    assert effect.notes
    assert fit.status is Status.OK
    assert isinstance(fit.tidy(), pl.DataFrame)
    assert fit.tidy()["estimate"][0] == pytest.approx(np.exp(effect.value))
    central = bayes_pool(YI, VI, scale="log", interval="central", level=0.9).estimates()[0]
    assert (central.interval.kind, central.interval.level) == ("central credible", 0.9)
    assert [choice.origin for choice in fit.provenance.choices] == ["default"] * 3
    json.dumps([choice.value for choice in fit.provenance.choices])


def test_containers():
    wanted = bayes_pool(YI, VI, scale="log").effect
    assert bayes_pool(np.array(YI), pl.Series(VI), scale="log").effect == wanted


def test_one_study_gives_the_study_and_the_prior():
    fit = bayes_pool([0.3], [0.04], heterogeneity_prior=half_normal(0.5))
    assert fit.effect.mean == pytest.approx(0.3, rel=EXACT)
    assert fit.heterogeneity.median == pytest.approx(0.5 * 0.6744897501960817, rel=EXACT)
    assert fit.effect.sd == pytest.approx(sqrt(0.04 + 0.25), rel=EXACT)
    assert "prior" in fit.estimates()[0].notes[0]


def test_two_studies():
    fit = bayes_pool([0.1, 0.9], [0.04, 0.04], heterogeneity_prior=half_normal(0.5))
    assert fit.effect.mean == pytest.approx(0.5, rel=EXACT)
    assert len(fit.shrinkage_estimates()) == 2


def test_equal_studies_have_their_mode_at_zero():
    fit = bayes_pool([0.2] * 5, [0.05] * 5, heterogeneity_prior=half_normal(0.5))
    assert fit.heterogeneity.mode == 0
    assert fit.heterogeneity.shortest.low == 0
    assert fit.probability_below(fit.heterogeneity.shortest.high, parameter="heterogeneity") == pytest.approx(0.95)
    assert fit.bayes_factors.no_heterogeneity_at_least == pytest.approx(1, rel=EXACT)


def test_heavy_tails_have_no_moments():
    one = bayes_pool([0.2], [0.05], heterogeneity_prior=half_cauchy(0.5))
    assert isnan(one.effect.mean)
    assert one.heterogeneity.mean == inf
    assert one.estimates()[0].std_error is None
    two = bayes_pool([0.2, 0.4], [0.05, 0.05], heterogeneity_prior=half_cauchy(0.5))
    assert two.effect.mean == pytest.approx(0.3)
    assert two.effect.sd == inf
    three = bayes_pool([0.2, 0.4, 0.1], [0.05] * 3, heterogeneity_prior=half_cauchy(0.5))
    assert three.effect.sd < inf


def test_effect_prior():
    flat = bayes_pool(YI, VI, heterogeneity_prior=half_normal(0.5))
    wide = bayes_pool(YI, VI, heterogeneity_prior=half_normal(0.5), effect_prior=(0, 1e6))
    assert wide.effect.mean == pytest.approx(flat.effect.mean, rel=EXACT)
    assert isnan(flat.log_marginal_likelihood)
    assert wide.log_marginal_likelihood < 0
    tight = bayes_pool(YI, VI, heterogeneity_prior=half_normal(0.5), effect_prior=(1, 1e-4))
    assert tight.effect.mean == pytest.approx(1, abs=PULLED)
    same = mixture((1, normal(0, 2)), (3, normal(0, 2)))
    fit, alone = (
        bayes_pool(YI, VI, heterogeneity_prior=half_normal(0.5), effect_prior=prior) for prior in (same, (0, 2))
    )
    assert fit.effect.shortest.low == pytest.approx(alone.effect.shortest.low, rel=EXACT)
    assert fit.log_marginal_likelihood == pytest.approx(alone.log_marginal_likelihood, rel=EXACT)


def test_prior_densities():
    fit = bayes_pool(YI, VI, heterogeneity_prior=uniform(2.0), effect_prior=(0, 1))
    assert fit.prior_density("heterogeneity", [-1, 1, 3]) == pytest.approx([0, 0.5, 0])
    assert fit.prior_density("effect", 0) == pytest.approx(0.3989422804014327)
    assert np.isnan(bayes_pool(YI, VI, heterogeneity_prior=uniform()).prior_density("heterogeneity", [1])).all()
    assert fit.posterior_density("heterogeneity", [-1.0, 2.5]) == pytest.approx([0, 0])
    at_zero = bayes_pool(YI, VI, heterogeneity_prior=half_normal(1.0))
    assert at_zero.prior_density("heterogeneity", 0) == pytest.approx(np.sqrt(2 / np.pi))
    near = at_zero.posterior_density("heterogeneity", [0, 1e-7])
    assert near[0] == pytest.approx(near[1], rel=EXACT)
    log_prior = bayes_pool(YI, VI, heterogeneity_prior=log_normal(-1, 1))
    assert log_prior.posterior_density("heterogeneity", 0) == pytest.approx(0)


def test_borrowing():
    registries = bayes_pool(YI, VI, heterogeneity_prior=half_normal(0.5))
    plain = prior_from(registries)
    assert 1 / plain.precision[0] == pytest.approx(registries.prediction.sd**2, rel=EXACT)
    doubted = prior_from(registries, of="effect", variance_inflation=2, bias=-0.1, bias_sd=0.2)
    assert doubted.means[0] == pytest.approx(registries.effect.mean + 0.1)
    assert 1 / doubted.precision[0] == pytest.approx(2 * registries.effect.sd**2 + 0.04)
    robust = prior_from(registries, weight=0.8, vague=normal(0, 2))
    agrees, differs = (
        bayes_pool([at, at + 0.1], [0.01, 0.01], heterogeneity_prior=half_normal(0.1), effect_prior=robust)
        for at in (-0.5, 4.0)
    )
    held = bayes_pool([4.0, 4.1], [0.01, 0.01], heterogeneity_prior=half_normal(0.1), effect_prior=plain)
    assert abs(differs.effect.median - 4.05) < abs(held.effect.median - 4.05)
    assert agrees.effect.sd < 0.2


def test_sensitivity():
    found = prior_sensitivity(YI, VI, priors={"narrow": half_normal(0.1), "wide": (half_normal(2.0), (0, 4))})
    assert [one.term for one in found.estimates()] == ["narrow", "wide"]
    assert found.fits["narrow"].effect.sd < found.fits["wide"].effect.sd
    assert found.tidy()["variable"].to_list() == ["narrow"] * 3 + ["wide"] * 3


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"heterogeneity_prior": uniform(), "yi": [0.1, 0.2], "vi": [1, 1]}, "improper"),
        ({"heterogeneity_prior": None}, "unit of the effect"),
        ({"heterogeneity_prior": "half-normal"}, "made by"),
        ({"effect_prior": (0, -1)}, "standard deviation"),
        ({"effect_prior": 3}, "effect_prior"),
        ({"level": 95}, "level"),
        ({"interval": "wald"}, "interval"),
        ({"yi": []}, "no study|one effect"),
        ({"vi": [0.1, 0, 0.1, -1]}, "rows? 2"),
        ({"yi": [0.1, float("nan"), 0, 0]}, "row 2"),
    ],
)
def test_misuse(given, asked):
    usual = {"yi": YI, "vi": VI, "heterogeneity_prior": half_normal(0.5)} | given
    if "yi" in given and not given["yi"]:
        usual["vi"] = []
    with pytest.raises(InputError, match=asked):
        bayes_pool(usual.pop("yi"), usual.pop("vi"), **usual)


@pytest.mark.parametrize("make", [half_normal, half_cauchy, exponential, uniform, lambda s: half_t(1, df=s)])
@pytest.mark.parametrize("scale", [0, -1, inf, float("nan")])
def test_prior_misuse(make, scale):
    with pytest.raises(InputError, match="above zero"):
        make(scale)


def test_more_misuse():
    fit = bayes_pool(YI, VI, heterogeneity_prior=half_normal(0.5))
    for call in (
        lambda: fit.probability_below(0, parameter="mu"),
        lambda: prior_sensitivity(YI, VI, priors={}),
        lambda: prior_from(fit, weight=0.5),
        lambda: prior_from(fit, variance_inflation=0.5),
        lambda: prior_from(fit, bias_sd=-1),
        lambda: prior_from(bayes_pool([1], [1], heterogeneity_prior=half_cauchy(1))),
        mixture,
        lambda: log_normal(0, 1, of="sd"),
    ):
        with pytest.raises(InputError):
            call()


def test_many_studies_and_wide_scales():
    random = np.random.default_rng(3)
    v = random.uniform(0.01, 0.1, 2000)
    y = random.normal(0.3, np.sqrt(v + 0.04))
    fit = bayes_pool(y, v, heterogeneity_prior=half_normal(0.5))
    assert fit.heterogeneity.median == pytest.approx(0.2, abs=SAMPLED)
    assert fit.effect.mean == pytest.approx(0.3, abs=SAMPLED)
    far = bayes_pool([1e4, -1e4, 3e4], [1e-4, 1e-4, 1e-4], heterogeneity_prior=half_cauchy(1e4))
    assert far.effect.median == pytest.approx(1e4, rel=EXACT)
    tiny = bayes_pool(YI, VI, heterogeneity_prior=half_normal(1e-7))
    w = 1 / np.array(VI)
    assert tiny.effect.mean == pytest.approx(float(w @ np.array(YI) / w.sum()), rel=EXACT)
    assert tiny.effect.sd == pytest.approx(float(w.sum() ** -0.5), rel=EXACT)
    assert log(tiny.bayes_factors.no_heterogeneity) == pytest.approx(0, abs=EXACT)
