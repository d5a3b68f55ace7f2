"""A datetime that stands in two columns, a date and a time of day."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from counterpulse.data.convert import Converted, Habits, convert, plain_text
from counterpulse.data.dictionary import Variable

_CLOCK = r"^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?\d*)?$"
_SHARE_OF_A_DAY = r"^0?\.\d+$|^0$"
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND


def convert_date_and_time(day: pl.Series, clock: pl.Series, variable: Variable, habits: Habits) -> Converted:
    """The datetimes of a date column and a column of times of day, with the problems of both.

    A date without a time is read as 00:00 and told; a time without a date is blank and told.
    """
    converted = convert(day, replace(variable, type="date"), habits)
    days = converted.values
    times = _times_of_day(clock, variable, habits, converted)
    known = converted.values.is_not_null()
    converted.note("W541", times.is_not_null() & plain_text(day).is_null(), "a time of day without its date", "",
                   "add the date at the source")  # fmt: skip
    converted.note("W522", known & plain_text(clock).is_null(), "no time of day, read as 00:00", "HH:MM",
                   "add the time, or give the variable the type date")  # fmt: skip
    converted.values = days.cast(pl.Datetime("us")) + times.fill_null(0).cast(pl.Duration("us"))
    return converted


def _times_of_day(clock: pl.Series, variable: Variable, habits: Habits, converted: Converted) -> pl.Series:
    """Microseconds since midnight, shape (n,)."""
    if clock.dtype == pl.Time:
        return clock.cast(pl.Int64) // 1000
    if isinstance(clock.dtype, pl.Datetime):
        return clock.dt.time().cast(pl.Int64) // 1000
    if isinstance(clock.dtype, pl.Duration):
        times = clock.cast(pl.Duration("us")).cast(pl.Int64)
    else:
        text = plain_text(clock)
        text = text.set(text.is_in([*variable.missing_codes, "NA"]).fill_null(False), None)
        times = _from_text(text, serial=habits.serial_dates)
        unreadable = text.is_not_null() & times.is_null()
        converted.note("E541", unreadable, "no time of day", "HH:MM, or HH:MM:SS", "write times as HH:MM")
    outside = ((times < 0) | (times >= _DAY)).fill_null(False)
    converted.note("E514", outside, "a time of day that does not exist", "00:00 to 23:59", "correct them")
    return times.set(outside, None)


def _from_text(text: pl.Series, *, serial: bool) -> pl.Series:
    """What is written HH:MM (an hour or minute that no clock shows becomes -1); with `serial`, parts of a day."""
    frame = text.rename("text").to_frame()
    part = [pl.col("text").str.extract(_CLOCK, group).cast(pl.Float64) for group in (1, 2, 3, 4)]
    hour, minute, second = part[0], part[1], part[2].fill_null(0.0)
    micros = ((hour * 60 + minute) * 60 + second) * _SECOND + part[3].fill_null(0.0) * _SECOND
    shown = (hour < 24) & (minute < 60) & (second < 60)
    times = pl.when(shown).then(micros.round().cast(pl.Int64)).when(hour.is_not_null()).then(pl.lit(-1, pl.Int64))
    if serial:
        share = pl.col("text").str.contains(_SHARE_OF_A_DAY)
        seconds = (pl.col("text").cast(pl.Float64, strict=False) * 86_400).round().cast(pl.Int64)
        times = times.when(share).then(seconds * _SECOND)
    return frame.select(times.alias(text.name)).to_series()
