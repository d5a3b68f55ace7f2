import polars as pl
import pytest

from counterpulse.emulation import landmark, split_at_exposure
from counterpulse.errors import InputError

FOUR = pl.DataFrame(
    {"id": [1, 2, 3, 4, 5], "t": [10.0, 8.0, 5.0, 0.0, 6.0], "d": [1, 0, 1, 1, 0], "tx": [None, 3.0, 5.0, None, 0.0]}
)
TWO = {"time": "t", "event": "d", "exposure_time": "tx"}


def test_follow_up_before_exposure_is_unexposed():
    split = split_at_exposure(FOUR, **TWO)
    assert split.start.tolist() == [0, 0, 3, 0, 0]
    assert split.stop.tolist() == [10, 3, 8, 5, 6]
    assert split.event.tolist() == [True, False, False, True, False]
    assert split.exposed.tolist() == [False, False, True, False, True]
    assert split.sample.row_of_origin.tolist() == [0, 1, 1, 2, 4]
    assert split.person_time == (18.0, 11.0)
    assert (split.n, split.n_exposed, split.n_moved, split.n_dropped) == (4, 2, 2, 2)


def test_half_a_step_keeps_exposure_and_event_of_one_day():
    split = split_at_exposure(FOUR, half_step=0.5, **TWO)
    assert split.sample.frame["id"].to_list() == [1, 2, 2, 3, 3, 4, 5]
    assert split.start.tolist() == [0, 0, 3, 0, 4.5, 0, 0]
    assert split.stop.tolist() == [10, 3, 8, 4.5, 5, 0.5, 6]
    assert split.exposed.tolist() == [False, False, True, False, True, False, True]
    assert split.events == (2, 1)
    assert split.n_dropped == 0


def test_exposure_after_the_end_is_counted_and_not_used():
    late = FOUR.with_columns(tx=pl.Series([11.0, 3.0, 5.0, None, 0.0]))
    assert split_at_exposure(late, **TWO).n_after_end == 1
    assert landmark(late, at=4, **TWO).n_after_end == 1


def test_landmark_keeps_those_who_reach_it_and_counts_the_rest():
    kept = landmark(FOUR, at=4, exposure="treated", **TWO)
    assert kept.sample.frame["id"].to_list() == [1, 2, 3, 5]
    assert kept.sample.frame["treated"].to_list() == [False, True, False, True]
    assert (kept.n, kept.n_exposed, kept.events, kept.removed_events, kept.removed_censored) == (4, 2, 2, 1, 0)
    assert (kept.reclassified, kept.person_time_reclassified) == (1, 0.0)
    assert (kept.person_time_before, kept.person_time_removed) == (16.0, 0.0)


@pytest.mark.parametrize(
    "change", [{"half_step": 0}, {"names": ("id", "stop", "event", "exposed")}, {"exposure_time": "absent"}]
)
def test_misuse_of_split_is_explained(change):
    with pytest.raises(InputError):
        split_at_exposure(FOUR, **{**TWO, **change})


@pytest.mark.parametrize("change", [{"at": 0}, {"at": float("nan")}, {"exposure": "id"}])
def test_misuse_of_landmark_is_explained(change):
    with pytest.raises(InputError):
        landmark(FOUR, **{**TWO, "at": 3, **change})


def test_negative_and_text_exposure_is_refused():
    with pytest.raises(InputError, match="negative in 1 rows"):
        landmark(FOUR.with_columns(tx=pl.Series([-1.0, 3.0, 5.0, None, 0.0])), at=3, **TWO)
    with pytest.raises(InputError, match="must be a time"):
        landmark(FOUR.with_columns(tx=pl.lit("day 3")), at=3, **TWO)
