import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.results import Status
from counterpulse.synthesis.effects.problem import REMEDIES
from counterpulse.synthesis.effects.proportions import (
    DOUBLE_ARCSINE_TRAP,
    harmonic_mean,
    incidence_rates,
    proportion_from_double_arcsine,
    proportions,
    rate_ratios,
)
from counterpulse.synthesis.effects.two_by_two import FORMULAS, two_by_two


def codes(made):
    return [(problem.row, problem.code) for problem in made.problems]


def test_only_the_row_with_a_zero_cell_is_corrected():
    made = two_by_two([0, 10], [20, 40], [5, 12], [20, 40])
    assert made.corrected.tolist() == [True, False]
    assert codes(made) == [(1, "corrected")]
    assert made.yi[0] == pytest.approx(np.log(0.5 * 15.5 / (20.5 * 5.5)))
    assert made.yi[1] == pytest.approx(np.log(10 * 28 / (30 * 12)))


def test_all_rows_are_corrected_when_asked():
    made = two_by_two([0, 10], [20, 40], [5, 12], [20, 40], zero_cells="all-if-any")
    assert made.corrected.tolist() == [True, True]
    assert codes(made) == [(1, "corrected"), (2, "corrected")]
    assert not two_by_two([1, 10], [20, 40], [5, 12], [20, 40], zero_cells="all-if-any").corrected.any()


def test_without_a_correction_the_row_is_dropped_with_its_reason():
    made = two_by_two([0, 10], [20, 40], [5, 12], [20, 40], zero_cells="never")
    assert codes(made) == [(1, "zero-cell")]
    assert made.k == 1
    assert np.isnan(made.yi[0])
    assert made.estimates()[0].status is Status.UNDEFINED
    assert "row 1" in made.estimates()[0].notes[0]


@pytest.mark.parametrize("measure", ["OR", "RR", "PETO"])
def test_double_zero_studies_say_nothing_of_a_ratio(measure):
    made = two_by_two([0, 20, 4], [20, 20, 20], [0, 20, 5], [20, 20, 20], measure=measure)
    assert codes(made) == [(1, "double-zero"), (2, "double-full")]
    assert made.dropped.tolist() == [True, True, False]


def test_double_zero_studies_are_kept_for_the_difference():
    made = two_by_two([0, 4], [20, 20], [0, 5], [20, 20], measure="RD")
    assert made.k == 2
    assert made.yi[0] == 0
    assert made.vi[0] > 0


def test_a_dropped_double_zero_does_not_set_off_the_correction_of_all():
    assert not two_by_two([0, 4], [20, 20], [0, 5], [20, 20], zero_cells="all-if-any").corrected.any()


def test_correction_in_proportion_to_the_other_arm():
    made = two_by_two(0, 10, 5, 30, correction="opposite-arm")
    a, c = 2 * 0.5 * 10 / 40, 2 * 0.5 * 30 / 40
    assert a + c == pytest.approx(1.0)
    assert made.yi[0] == pytest.approx(np.log(a * (25 + c) / ((10 + a) * (5 + c))))
    even = [two_by_two(0, 20, 5, 20, correction=word).yi[0] for word in ("constant", "opposite-arm")]
    assert even[0] == pytest.approx(even[1])


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ((12, 10, 1, 10), "above-n"), ((-1, 10, 1, 10), "negative"), ((1.5, 10, 1, 10), "not-whole"),
        ((1, 0, 1, 10), "not-positive"), ((None, 10, 1, 10), "missing"), ((float("nan"), 10, 1, 10), "missing"),
        (("many", 10, 1, 10), "not-a-number"), (("1_0", 10, 1, 10), "not-a-number"), ((1, float("inf"), 1, 10), "not-finite"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("measure", sorted(FORMULAS))
def test_a_bad_row_is_data_and_leaves_the_others(row, code, measure):
    made = two_by_two(*([value, good] for value, good in zip(row, (3, 20, 5, 20), strict=True)), measure=measure)
    assert (1, code) in codes(made)
    assert made.dropped.tolist() == [True, False]
    assert np.isfinite(made.yi[1])
    assert all(problem.code in REMEDIES for problem in made.problems)


def test_no_printed_number_is_in_a_message():
    made = two_by_two([731], [619], [3], [20])
    assert "731" not in made.problems[0].text
    assert made.problems[0].text.startswith("row 1: events treated exceeds n treated")


def test_series_and_single_numbers():
    made = two_by_two(pl.Series([3, None]), 20, pl.Series([5, 6]), 20)
    assert made.dropped.tolist() == [False, True]
    assert made.tidy(labels=["A", "B"])["term"].to_list() == ["A", "B"]


@pytest.mark.parametrize(
    "options",
    [{"measure": "HR"}, {"zero_cells": "always"}, {"correction": "half"}, {"add": 0.0}, {"double_zero": "yes"}],
)
def test_misuse_of_a_word(options):
    with pytest.raises(InputError):
        two_by_two([0], [20], [5], [20], **options)


def test_misuse_of_lengths():
    with pytest.raises(InputError, match="unequal lengths"):
        two_by_two([1, 2], [20, 20], [5], [20, 20])
    with pytest.raises(InputError, match="no rows"):
        two_by_two([], [], [], [])
    with pytest.raises(InputError, match="dimensions"):
        two_by_two([[1]], [20], [5], [20])
    made = two_by_two(3, 20, 5, 20)
    with pytest.raises(InputError, match="level"):
        made.limits(level=95)
    with pytest.raises(InputError, match="labels"):
        made.estimates(labels=["A", "B"])


def test_defaults_and_choices_are_told_apart():
    made = two_by_two(3, 20, 5, 20, zero_cells="when-zero")
    origin = {choice.name: choice.origin for choice in made.provenance.choices}
    assert origin["zero-cells"] == "given"
    assert origin["double-zero"] == "default"


def test_proportions_of_nobody_and_everybody():
    made = proportions([0, 10, 4], [10, 10, 10])
    assert made.corrected.tolist() == [True, True, False]
    assert made.yi[0] == pytest.approx(np.log(0.5 / 10.5))
    assert made.yi[2] == pytest.approx(np.log(4 / 6))
    assert codes(proportions([0, 4], [10, 10], zero_cells="never")) == [(1, "zero-cell")]
    for measure in ("PAS", "PFT"):
        assert proportions([0, 10], [10, 10], measure=measure).k == 2


def test_the_double_arcsine_says_its_trap():
    assert proportions([1], [10], measure="PFT").assumptions == (DOUBLE_ARCSINE_TRAP,)
    assert harmonic_mean([10, 40]) == pytest.approx(16)
    assert proportion_from_double_arcsine([-1.0, 2.0], 20).tolist() == [0.0, 1.0]
    with pytest.raises(InputError):
        harmonic_mean([10, 0])


def test_rates():
    made = incidence_rates([4, 0], [100.0, 50.0])
    assert (made.yi[0], made.vi[0]) == pytest.approx((np.log(0.04), 0.25))
    assert made.corrected.tolist() == [False, True]
    raw = incidence_rates([4], [100.0], measure="IR")
    assert (raw.yi[0], raw.vi[0]) == pytest.approx((0.04, 0.0004))
    ratio = rate_ratios([4, 0, 0, 2], [100, 50, 50, -1], [8, 0, 3, 2], [100, 50, 50, 10])
    assert (ratio.yi[0], ratio.vi[0]) == pytest.approx((np.log(0.5), 0.375))
    assert codes(ratio) == [(2, "double-zero"), (3, "corrected"), (4, "not-positive")]
