"""One value a patient of many rows: the vectorized taker against one that goes row by row."""

import datetime as dt
import math

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.protocol.window import TimeWindow
from counterpulse.study.patients.measurements import PATIENT, link, take

MEAN_OF_FEW = 1e-12  # relative: two orders of summation of at most 25 numbers
START = dt.datetime(2020, 3, 1)
LEVELS = ["I", "II", "III"]
HOUR = dt.timedelta(hours=1)

minutes = st.integers(-600, 3000).map(lambda number: START + dt.timedelta(minutes=10 * number))
rows = st.lists(
    st.tuples(
        st.integers(0, 6),  # 5 and 6 are nobody
        st.none() | minutes,
        st.none() | st.sampled_from([-2.5, 0.0, 1.0, 1.5, 7.25]),
        st.none() | st.booleans(),
        st.none() | st.sampled_from(LEVELS),
    ),
    max_size=25,
)
zeros = st.lists(st.none() | minutes, min_size=5, max_size=5)
ends = st.tuples(st.integers(-48, 96), st.integers(0, 96))
windows = st.none() | ends.map(lambda pair: TimeWindow(float(pair[0]), float(pair[0] + pair[1]), "hours"))
takes = st.sampled_from(["first", "last", "max", "min", "mean", "count", "any"])
rules = st.sampled_from(["mean", "max", "min", "first-row", "last-row"])


def slowly(table, zero, how, window, rule):
    """Each patient, each row; the value and whether values that differ stand at the first or last time."""
    found = []
    for patient in range(len(zero)):
        own = [(at, value) for owner, at, value in table if owner == patient and value is not None]
        if window is not None:
            own = [
                (at, value)
                for at, value in own
                if at is not None and zero[patient] is not None
                and window.low * HOUR <= at - zero[patient] <= window.high * HOUR
            ]  # fmt: skip
        found.append(one_value(own, how, rule, unknown=window is not None and zero[patient] is None))
    return found


def one_value(own, how, rule, *, unknown):
    if how == "count":
        return (None if unknown else float(len(own))), False
    if how in ("first", "last"):
        timed = [(at, value) for at, value in own if at is not None]
        if not timed:
            return None, False
        edge = min(at for at, _ in timed) if how == "first" else max(at for at, _ in timed)
        values = [value for at, value in timed if at == edge]
        return fold(values, rule), len(set(values)) > 1
    values = [value for _, value in own]
    return (fold(values, how) if values else None), False


def fold(values, how):
    if how == "any":
        return any(values)
    if how == "mean":
        return math.fsum(values) / len(values)
    return {"max": max, "min": min, "first-row": lambda v: v[0], "last-row": lambda v: v[-1]}[how](values)


def linked(table, zero):
    related = pl.DataFrame(
        {
            "id": [str(row[0]) for row in table], "at": [row[1] for row in table], "value": [row[2] for row in table],
            "flag": [row[3] for row in table], "stage": [row[4] for row in table],
        },
        schema={
            "id": pl.String, "at": pl.Datetime("us"), "value": pl.Float64, "flag": pl.Boolean, "stage": pl.Enum(LEVELS),
        },
    )  # fmt: skip
    patients = pl.DataFrame(
        {"id": [str(number) for number in range(len(zero))], "zero": pl.Series(zero, dtype=pl.Datetime("us"))}
    )
    return link(related, related["id"], patients, time="at")


def agree(fast, slow):
    if slow is None or fast is None or isinstance(slow, bool):
        return fast is slow
    return math.isclose(fast, slow, rel_tol=MEAN_OF_FEW, abs_tol=MEAN_OF_FEW)


@settings(max_examples=300, deadline=None)
@given(rows, zeros, takes, windows, rules)
def test_every_take_agrees_with_one_that_goes_row_by_row(table, zero, how, window, rule):
    column, place = ("flag", 3) if how == "any" else ("value", 2)
    slow = slowly([(row[0], row[1], row[place]) for row in table], zero, how, window, rule)
    taken = take(linked(table, zero), column, how, window, if_tied=rule)
    assert all(agree(fast, value) for fast, (value, _) in zip(taken.values, slow, strict=True))
    assert set(taken.tied[PATIENT]) == {patient for patient, (_, tied) in enumerate(slow) if tied}


@settings(max_examples=100, deadline=None)
@given(rows, zeros, st.sampled_from(["first", "last", "max", "min"]), windows)
def test_levels_are_taken_in_their_order(table, zero, how, window):
    ranks = [(row[0], row[1], None if row[4] is None else LEVELS.index(row[4])) for row in table]
    slow = slowly(ranks, zero, how, window, "first-row")
    fast = take(linked(table, zero), "stage", how, window, if_tied="first-row").values
    assert fast.dtype == pl.Enum(LEVELS)
    assert fast.to_list() == [None if rank is None else LEVELS[rank] for rank, _ in slow]


@settings(max_examples=60, deadline=None)
@given(rows, zeros, windows, st.randoms())
def test_the_order_of_rows_does_not_matter(table, zero, window, random):
    mixed = random.sample(table, len(table))
    for how in ("max", "min", "count"):
        first, second = (take(linked(order, zero), "value", how, window).values for order in (table, mixed))
        assert first.to_list() == second.to_list()
    first, second = (
        take(linked(order, zero), "value", "last", window, if_tied="max").values for order in (table, mixed)
    )
    assert first.to_list() == second.to_list()
