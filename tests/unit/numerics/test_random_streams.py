import numpy as np
import pytest

from counterpulse.numerics.random_streams import stream


def test_a_stream_is_its_three_arguments():
    first = stream(20, "primary", 3).random(5)
    np.testing.assert_array_equal(first, stream(20, "primary", 3).random(5))


@pytest.mark.parametrize("other", [(21, "primary", 3), (20, "secondary", 3), (20, "primary", 4)])
def test_another_argument_is_another_stream(other):
    assert not np.isin(stream(20, "primary", 3).random(50), stream(*other).random(50)).any()


def test_the_numbers_stay_what_they_are():
    drawn = stream(1, "primary").integers(0, 2**32, 3).tolist()
    assert drawn == STORED


STORED = [868905521, 2847225088, 658110260]
