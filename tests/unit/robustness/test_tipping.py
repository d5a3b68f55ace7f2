import numpy as np
import pytest

from counterpulse import robustness
from counterpulse.errors import InputError
from counterpulse.results import REFERENCES, Estimate, Interval, Status

CLOSED_FORM = 1e-10  # relative


def estimate(value, half=1.0, **options):
    return Estimate(
        term="device",
        measure="mean difference",
        value=value,
        interval=Interval(value - half, value + half, 0.95, "wald"),
        **options,
    )


def line(slope, deltas, *, at=2.0):
    return {float(delta): estimate(at + slope * delta) for delta in deltas}


def test_the_first_delta_with_another_conclusion_and_where_the_line_crosses():
    found = robustness.tipping_point(line(-0.4, range(-5, 6)))
    assert found.conclusion == "above no effect"
    assert (found.up, found.down) == (3.0, None)  # 2 - 0.4 delta - 1 is zero at 2.5
    assert found.up_crossing == pytest.approx(2.5, rel=CLOSED_FORM)
    assert found.down_crossing is None
    assert found.status is Status.OK
    statuses = [one.status for one in found.estimates()]
    assert statuses == [Status.OK, Status.NO_TIPPING_POINT]


def test_a_result_that_is_not_significant_can_tip_both_ways():
    found = robustness.tipping_point(line(1.0, np.arange(-4, 5), at=0.0))
    assert (found.up, found.down) == (2.0, -2.0)
    assert (found.up_crossing, found.down_crossing) == pytest.approx((1.0, -1.0), rel=CLOSED_FORM)
    assert found.conclusion == "across no effect"


def test_a_jump_over_no_effect_crosses_with_its_first_limit():
    found = robustness.tipping_point({0.0: estimate(2.0), 10.0: estimate(-2.0)})
    assert found.up == 10
    assert found.up_crossing == pytest.approx(2.5, rel=CLOSED_FORM)


def test_nothing_changes():
    found = robustness.tipping_point(line(0.0, range(-2, 3)))
    assert found.status is Status.NO_TIPPING_POINT
    assert found.tidy()["status"].to_list() == ["no-tipping-point"] * 2


def test_failed_fits_are_passed_over_and_shown():
    deltas = line(-0.4, range(5))
    deltas[3.0] = Estimate(term="device", measure="mean difference", value=np.nan, status=Status.SEPARATION)
    found = robustness.tipping_point(deltas)
    assert found.up == 4
    shown = found.glance()
    assert shown["delta"].to_list() == [0, 1, 2, 3, 4]
    assert shown["status"].to_list()[3] == "separation"
    deltas[0.0] = deltas.pop(3.0)
    assert robustness.tipping_point(deltas).status is Status.UNDEFINED


def test_another_main_delta_and_pairs():
    found = robustness.tipping_point(list(line(-0.4, range(-5, 6)).items()), main=4.0)
    assert (found.conclusion, found.delta) == ("across no effect", 4.0)
    assert found.down == 2.0
    assert set(found.provenance.citations) <= set(REFERENCES)


@pytest.mark.parametrize(
    ("deltas", "text"),
    [
        ({0.0: estimate(1.0)}, "at least two"),
        ({0.0: estimate(1.0), np.inf: estimate(2.0)}, "finite"),
        ({1.0: estimate(1.0), 2.0: estimate(2.0)}, "none of the deltas"),
        ({0.0: estimate(1.0), 2.0: estimate(2.0, scale="log")}, "scales"),
    ],
)
def test_misuse_is_refused(deltas, text):
    with pytest.raises(InputError, match=text):
        robustness.tipping_point(deltas)
