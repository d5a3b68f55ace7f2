from math import hypot

import numpy as np
import pytest
from scipy import optimize

from counterpulse import robustness
from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.results import REFERENCES, Estimate, Status

CLOSED_FORM = 1e-10  # relative
SEARCHED = 1e-5  # relative; the general search stops where the likelihood is flat


def ratio(value, error, **options):
    return Estimate(term="device", measure="hazard ratio", scale="log", value=value, std_error=error, **options)


def test_one_control_is_a_difference():
    found = robustness.negative_control(ratio(-0.5, 0.1), controls=ratio(-0.2, 0.15))
    assert found.corrected.value == pytest.approx(-0.3, rel=CLOSED_FORM)
    assert found.corrected.std_error == pytest.approx(hypot(0.1, 0.15), rel=CLOSED_FORM)
    assert found.bias_spread == 0
    assert found.estimates() == (found.corrected, found.estimate)
    assert found.tidy()["estimate"].to_list() == pytest.approx(np.exp([-0.3, -0.5]).tolist(), rel=CLOSED_FORM)
    assert "hardly known" in found.corrected.notes[0]


def test_controls_that_agree_pool_by_their_variances():
    controls = [ratio(0.1, 0.2), ratio(0.1, 0.1), ratio(0.1, 0.4)]
    found = robustness.negative_control(ratio(0.6, 0.2), controls=controls)
    precision = 1 / 0.04 + 1 / 0.01 + 1 / 0.16
    assert found.bias == pytest.approx(0.1, rel=CLOSED_FORM)
    assert found.bias_spread == 0
    assert found.corrected.std_error == pytest.approx(hypot(0.2, precision**-0.5), rel=CLOSED_FORM)


@pytest.mark.parametrize("seed", range(6))
def test_mean_and_spread_are_the_most_likely(seed):
    random = stream(seed, "negative controls")
    errors = random.uniform(0.05, 0.4, 20)
    values = 0.2 + 0.3 * random.standard_normal(20) + errors * random.standard_normal(20)
    found = robustness.negative_control(
        ratio(1.0, 0.1), controls=[ratio(value, error) for value, error in zip(values, errors, strict=True)]
    )

    def loss(parameters):
        variances = errors**2 + np.exp(2 * parameters[1])
        return float(np.sum(np.log(variances) + (values - parameters[0]) ** 2 / variances))

    best = optimize.minimize(loss, [0.0, -1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13})
    assert found.bias == pytest.approx(best.x[0], rel=SEARCHED)
    assert found.bias_spread == pytest.approx(np.exp(best.x[1]), rel=SEARCHED)
    assert not found.corrected.notes


def test_no_bias_leaves_the_effect_where_it_is():
    found = robustness.negative_control(ratio(0.4, 0.2), controls=[ratio(0.0, 0.1)] * 5)
    assert found.corrected.value == pytest.approx(0.4, rel=CLOSED_FORM)
    assert found.corrected.std_error > 0.2


def test_failed_fits_have_a_status_or_are_left_out():
    failed = ratio(np.nan, None, status=Status.SEPARATION)
    assert robustness.negative_control(failed, controls=ratio(0, 0.1)).corrected.status is Status.UNDEFINED
    none = robustness.negative_control(ratio(0.4, 0.2), controls=[failed])
    assert none.status is Status.UNDEFINED
    assert none.tidy()["status"].to_list() == ["undefined", "ok"]
    some = robustness.negative_control(ratio(0.4, 0.2), controls=[failed, ratio(0.1, 0.1)])
    assert some.corrected.value == pytest.approx(0.3, rel=CLOSED_FORM)
    assert some.corrected.notes[0].startswith("1 of 2 negative controls")
    assert set(some.provenance.citations) <= set(REFERENCES)


def test_misuse_is_refused():
    with pytest.raises(InputError, match="at least one"):
        robustness.negative_control(ratio(0.4, 0.2), controls=[])
    other = Estimate(term="device", measure="risk difference", value=0.1, std_error=0.1)
    with pytest.raises(InputError, match="another measure"):
        robustness.negative_control(ratio(0.4, 0.2), controls=[other])
    with pytest.raises(InputError, match="level"):
        robustness.negative_control(ratio(0.4, 0.2), controls=ratio(0.1, 0.1), level=95)
