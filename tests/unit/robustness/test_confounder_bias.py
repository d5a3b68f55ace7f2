from math import exp, log, sqrt

import numpy as np
import pytest

from counterpulse import robustness
from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.results import REFERENCES, Estimate, Interval, Status

CLOSED_FORM = 1e-10  # relative
DRAWN = 0.01  # absolute; of means of 200,000 draws, five standard errors or more
NARROW = 1e-4  # absolute; distributions of width 1e-6 are nearly numbers
POINT = {"prevalence_exposed": 0.6, "prevalence_unexposed": 0.2, "confounder_outcome": 2.5}


def test_a_confounder_as_strong_as_the_e_value_explains_everything():
    for ratio in (1.7, 0.4):
        strength = robustness.e_value(ratio, measure="RR").value
        found = robustness.bounding_factor(ratio, confounder_exposure=strength, confounder_outcome=strength)
        assert found.estimates()[0].value == pytest.approx(0, abs=CLOSED_FORM)


def test_a_confounder_that_goes_with_one_side_alone_changes_nothing():
    for given in (
        {"confounder_exposure": 1, "confounder_outcome": 9},
        {"confounder_exposure": 9, "confounder_outcome": 1},
    ):
        assert robustness.bounding_factor(2.0, **given).tidy()["estimate"][0] == pytest.approx(2.0, rel=CLOSED_FORM)


def test_the_bound_moves_both_limits():
    found = robustness.bounding_factor(
        3.0, conf_low=2.0, conf_high=4.5, confounder_exposure=2.0, confounder_outcome=3.0
    )
    row = found.tidy().row(0, named=True)
    assert (row["estimate"], row["conf_low"], row["conf_high"]) == pytest.approx((2.0, 4 / 3, 3.0), rel=CLOSED_FORM)
    assert found.glance()["bias_factor"][0] == pytest.approx(1.5, rel=CLOSED_FORM)


def test_a_population_with_a_known_confounder_is_put_right():
    """Risks of both arms from their strata: the crude ratio over the bias is the ratio within strata."""
    true, base = 0.7, 0.05
    p1, p0, outcome = POINT.values()
    crude = base * true * (p1 * outcome + 1 - p1) / (base * (p0 * outcome + 1 - p0))
    found = robustness.binary_confounder(crude, conf_low=crude / 2, conf_high=crude * 2, **POINT)
    row = found.tidy().row(0, named=True)
    assert (row["estimate"], row["conf_low"], row["conf_high"]) == pytest.approx(
        (true, true / 2, true * 2), rel=CLOSED_FORM
    )


def test_narrow_distributions_are_the_point():
    narrow = {name: robustness.Uniform(value, value + 1e-6) for name, value in POINT.items()}
    found = robustness.probabilistic_confounder(2.0, conf_low=1.2, conf_high=10 / 3, seed=1, draws=200_000, **narrow)
    alone, total = found.estimates()
    point = robustness.binary_confounder(2.0, conf_low=1.2, conf_high=10 / 3, **POINT).estimates()[0]
    assert alone.value == pytest.approx(point.value, abs=NARROW)
    assert total.interval.low == pytest.approx(point.interval.low, abs=DRAWN)
    assert total.interval.high == pytest.approx(point.interval.high, abs=DRAWN)
    assert [one.term for one in (alone, total)] == ["confounding alone", "confounding and chance"]


def test_the_stream_is_named_by_seed_and_analysis():
    priors = {
        "prevalence_exposed": robustness.Beta(6, 4), "prevalence_unexposed": robustness.Trapezoidal(0.1, 0.2, 0.3, 0.5),
        "confounder_outcome": robustness.LogNormal(2.0, 0.2),
    }  # fmt: skip
    one, two, other = (
        robustness.probabilistic_confounder(2.0, seed=seed, draws=2000, **priors).estimates() for seed in (1, 1, 2)
    )
    assert one == two != other
    assert len(one) == 1


@pytest.mark.parametrize(
    ("prior", "mean", "sd"),
    [
        (robustness.Uniform(1, 3), 2, 2 / sqrt(12)),
        (robustness.Trapezoidal(0, 1, 1, 2), 1, sqrt(1 / 6)),
        (robustness.Trapezoidal(0, 0, 1, 1), 0.5, sqrt(1 / 12)),
        (robustness.Trapezoidal(0, 0, 0, 3), 1, sqrt(0.5)),
        (robustness.Beta(2, 6), 0.25, sqrt(12 / (64 * 9))),
        (robustness.LogNormal(2, 0.5), 2 * exp(0.125), 2 * exp(0.125) * sqrt(exp(0.25) - 1)),
    ],
)
def test_draws_have_the_moments_of_their_distribution(prior, mean, sd):
    values = prior.draw(stream(3, "moments"), 200_000)
    low, high = prior.support
    assert low <= values.min()
    assert values.max() <= high
    assert values.mean() == pytest.approx(mean, abs=DRAWN)
    assert values.std() == pytest.approx(sd, abs=DRAWN)


def test_a_failed_estimate_has_a_status():
    failed = Estimate(term="x", measure="risk ratio", value=np.nan, scale="log", status=Status.SEPARATION)
    assert robustness.binary_confounder(failed, **POINT).status is Status.UNDEFINED
    assert robustness.bounding_factor(failed, confounder_exposure=2, confounder_outcome=2).status is Status.UNDEFINED


def test_an_estimate_brings_its_interval_and_level():
    given = Estimate(
        term="x", measure="risk ratio", value=log(2), scale="log", interval=Interval(log(1.5), log(8 / 3), 0.9, "wald")
    )
    found = robustness.bounding_factor(given, confounder_exposure=1, confounder_outcome=1).estimates()[0]
    assert (found.interval.low, found.interval.level) == pytest.approx((log(1.5), 0.9), rel=CLOSED_FORM)
    assert set(robustness.binary_confounder(2.0, **POINT).provenance.citations) <= set(REFERENCES)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"prevalence_exposed": 1.2}, "probability"),
        ({"confounder_outcome": 0.0}, "above zero"),
        ({"conf_low": 2.5, "conf_high": 3}, "outside"),
    ],
)
def test_misuse_is_refused(change, text):
    with pytest.raises(InputError, match=text):
        robustness.binary_confounder(2.0, **(POINT | change))


def test_impossible_strengths_and_distributions_are_refused():
    with pytest.raises(InputError, match="at least 1"):
        robustness.bounding_factor(2.0, confounder_exposure=0.5, confounder_outcome=2)
    priors = {name: robustness.Uniform(value, value + 0.1) for name, value in POINT.items()}
    with pytest.raises(InputError, match="from 0 to 1"):
        robustness.probabilistic_confounder(
            2.0, seed=1, **(priors | {"prevalence_exposed": robustness.Uniform(0.5, 1.5)})
        )
    with pytest.raises(InputError, match="1000"):
        robustness.probabilistic_confounder(2.0, seed=1, draws=10, **priors)
    for make in (
        lambda: robustness.Uniform(2, 1),
        lambda: robustness.Trapezoidal(0, 2, 1, 3),
        lambda: robustness.Beta(0, 1),
        lambda: robustness.LogNormal(-1, 1),
    ):
        with pytest.raises(InputError, match="needs"):
            make()
