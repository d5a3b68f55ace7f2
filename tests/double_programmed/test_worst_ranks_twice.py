"""Win odds by comparing every patient with every other, and their DeLong variance from the definition."""

from math import log, sqrt

import numpy as np
import pytest

from counterpulse.results import Status
from counterpulse.two_groups import mann_whitney, win_odds

CLOSED_FORM = 1e-10  # relative; the same closed form by other sums


def slowly(x, y):
    wins = [[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x]
    p = sum(map(sum, wins)) / (len(x) * len(y))
    of_x = [sum(row) / len(y) for row in wins]
    of_y = [sum(row[j] for row in wins) / len(x) for j in range(len(y))]
    spread = [sum((v - p) ** 2 for v in part) / (len(part) - 1) for part in (of_x, of_y)]
    return p, sqrt(spread[0] / len(x) + spread[1] / len(y))


@pytest.mark.parametrize("seed", range(5))
def test_index_and_variance(seed):
    random = np.random.default_rng(seed)
    x, y = random.integers(-1, 12, 23 + seed).astype(float), random.integers(-1, 9, 31).astype(float)
    found = win_odds(x, y, level=0.9)
    p, error = slowly(x, y)
    assert found.probability.value == pytest.approx(p, rel=CLOSED_FORM)
    assert found.probability.std_error == pytest.approx(error, rel=CLOSED_FORM)
    assert found.odds.natural().value == pytest.approx(p / (1 - p), rel=CLOSED_FORM)
    half = 1.6448536269514722 * error / (p * (1 - p))
    assert found.odds.interval.low == pytest.approx(log(p / (1 - p)) - half, rel=CLOSED_FORM)
    ends = found.odds.natural().interval
    index = found.probability.interval
    assert [index.low, index.high] == pytest.approx(
        [ends.low / (1 + ends.low), ends.high / (1 + ends.high)], rel=CLOSED_FORM
    )
    assert found.odds.p_value == mann_whitney(x, y).p_value
    assert found.odds.statistic == pytest.approx(p * len(x) * len(y), rel=CLOSED_FORM)


def test_turning_the_groups_round_turns_the_odds_round():
    x, y = [3.0, 5, 7, 7], [1.0, 3, 4, 6, 9]
    one, other = win_odds(x, y).odds, win_odds(y, x).odds
    assert one.value == pytest.approx(-other.value, rel=CLOSED_FORM)
    assert one.std_error == pytest.approx(other.std_error, rel=CLOSED_FORM)


@pytest.mark.parametrize(
    ("x", "y", "status"),
    [
        ([], [1.0, 2], Status.EMPTY_GROUP),
        ([1.0], [1.0, 2], Status.TOO_FEW_ROWS),
        ([5.0, 6], [1.0, 2], Status.ZERO_VARIANCE),
        ([1.0, 1], [1.0, 1], Status.ZERO_VARIANCE),
    ],
)
def test_what_cannot_be_compared_says_why(x, y, status):
    found = win_odds(x, y)
    assert found.odds.status is status
    assert found.probability.status is status
