from math import exp, inf, log, nan, sqrt

import pytest

from counterpulse import robustness
from counterpulse.errors import InputError
from counterpulse.results import REFERENCES, Estimate, Interval, Status

CLOSED_FORM = 1e-10  # relative


def strength(ratio):
    return ratio + sqrt(ratio * (ratio - 1))


def test_a_common_hazard_ratio_is_converted():
    """0.56 (0.46, 0.69): the approximation of VanderWeele and Ding's table 2, limit by limit."""
    found = robustness.e_value(0.56, conf_low=0.46, conf_high=0.69, measure="hazard ratio", risk=0.4)

    def converted(hazard_ratio):
        return (1 - 0.5 ** sqrt(hazard_ratio)) / (1 - 0.5 ** sqrt(1 / hazard_ratio))

    assert found.conversion == "common"
    assert found.risk_ratio == pytest.approx(converted(0.56), rel=CLOSED_FORM)
    assert found.value == pytest.approx(strength(1 / converted(0.56)), rel=CLOSED_FORM)
    assert found.limit == pytest.approx(strength(1 / converted(0.69)), rel=CLOSED_FORM)


@pytest.mark.parametrize(("risk", "conversion"), [(0.1499, "rare"), (0.15, "common"), (0.3, "common")])
@pytest.mark.parametrize("measure", ["odds ratio", "hazard ratio", "OR", "HR"])
def test_the_observed_risk_decides(risk, conversion, measure):
    found = robustness.e_value(2.0, measure=measure, risk=risk)
    assert found.conversion == conversion
    assert (found.risk_ratio == 2.0) == (conversion == "rare")
    if conversion == "common" and measure in ("odds ratio", "OR"):
        assert found.risk_ratio == pytest.approx(sqrt(2), rel=CLOSED_FORM)


@pytest.mark.parametrize("measure", ["odds ratio", "hazard ratio", "risk difference", "HR", "OR", "RD"])
def test_without_a_risk_it_is_refused(measure):
    with pytest.raises(InputError, match="never assumed"):
        robustness.e_value(0.2, measure=measure)


def test_differences():
    found = robustness.e_value(0.1, conf_low=0.02, conf_high=0.18, measure="risk difference", risk=0.2)
    assert found.risk_ratio == pytest.approx(1.5, rel=CLOSED_FORM)
    assert found.limit == pytest.approx(strength(1.1), rel=CLOSED_FORM)
    smd = robustness.e_value(-0.4, conf_low=-0.7, conf_high=-0.1, measure="SMD")
    assert smd.value == pytest.approx(strength(exp(0.91 * 0.4)), rel=CLOSED_FORM)
    assert smd.limit == pytest.approx(strength(exp(0.91 * 0.1)), rel=CLOSED_FORM)


def test_an_interval_that_holds_no_effect_has_one():
    assert robustness.e_value(1.3, conf_low=0.9, conf_high=1.9, measure="RR").limit == 1
    assert robustness.e_value(0.8, conf_low=0.6, conf_high=1.0, measure="RR").limit == 1
    assert robustness.e_value(1.0, conf_low=0.6, conf_high=1.4, measure="RR").value == 1
    assert robustness.e_value(1.3, conf_high=1.9, measure="RR").limit is None


def test_an_estimate_brings_its_interval():
    estimate = Estimate(
        term="device", measure="hazard ratio", value=log(0.56), scale="log",
        interval=Interval(log(0.46), log(0.69), 0.95, "wald"),
    )  # fmt: skip
    found = robustness.e_value(estimate, measure="HR", risk=0.1)
    given = robustness.e_value(0.56, conf_low=0.46, conf_high=0.69, measure="HR", risk=0.1)
    assert (found.value, found.limit) == pytest.approx((given.value, given.limit), rel=CLOSED_FORM)
    with pytest.raises(InputError, match="its own interval"):
        robustness.e_value(estimate, conf_low=0.4, measure="HR", risk=0.1)


@pytest.mark.parametrize("value", [nan, inf])
def test_no_estimate_has_a_status(value):
    found = robustness.e_value(value, measure="RR")
    assert found.status is Status.UNDEFINED
    assert found.estimates()[0].status is Status.UNDEFINED
    assert found.tidy()["estimate"].to_list() == [None]


def test_results_have_the_usual_shape():
    found = robustness.e_value(2.0, conf_low=1.2, conf_high=3.3, measure="OR", risk=0.4)
    assert found.tidy()["term"].to_list() == ["estimate", "confidence limit"]
    assert found.glance()["conversion"].to_list() == ["common"]
    assert set(found.provenance.citations) <= set(REFERENCES)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"estimate": 2.0, "measure": "rate"}, "is not known"),
        ({"estimate": -2.0, "measure": "RR"}, "above zero"),
        ({"estimate": 2.0, "conf_low": 2.5, "conf_high": 3.0, "measure": "RR"}, "outside"),
        ({"estimate": 2.0, "conf_low": 0.0, "conf_high": 3.0, "measure": "RR"}, "above zero"),
        ({"estimate": 2.0, "measure": "OR", "risk": 15}, "no probability"),
        ({"estimate": 0.1, "measure": "RD", "risk": 0.0}, "nobody"),
    ],
)
def test_misuse_is_refused(arguments, text):
    with pytest.raises(InputError, match=text):
        robustness.e_value(arguments.pop("estimate"), **arguments)
