"""Random well-typed expressions and random tables with every kind of blank."""

import random
from datetime import date, datetime, time

import polars as pl
from hypothesis import strategies as st

from counterpulse.expression import Symbol
from counterpulse.expression.nodes import (
    TIME_UNITS,
    Arithmetic,
    Between,
    Comparison,
    Constant,
    Elapsed,
    Known,
    Membership,
    Name,
    Not,
    join,
    negate,
)

SEX = {"F": "Female", "M": "Male", "3": "Other or unstated"}
STAGE = {"D": "Doom", "A": "At risk", "B": "Beginning"}  # not in alphabetical order
SYMBOLS = (
    Symbol("age", "number"), Symbol("größe", "number"), Symbol("count", "number"),
    Symbol("iabp", "yesno"), Symbol("itt", "condition"),
    Symbol("sex", "category", levels=SEX), Symbol("sex_2", "category", levels=SEX), Symbol("center", "category"),
    Symbol("stage", "ordinal", levels=STAGE), Symbol("stage_2", "ordinal", levels=STAGE),
    Symbol("born", "date"), Symbol("died", "date"), Symbol("start", "datetime"), Symbol("stop", "datetime"),
    Symbol("note", "text"), Symbol("pid", "id"),
)  # fmt: skip
SCOPE = {symbol.name: symbol for symbol in SYMBOLS}
# Few values, so that equal days, ends of months, zeros and equal times meet often.
A_FEW_DAYS = [
    date(1999, 12, 31),
    date(2000, 2, 29),
    date(2018, 2, 28),
    date(2020, 1, 31),
    date(2020, 2, 29),
    date(2020, 3, 1),
]
A_FEW_TIMES = [time(0), time(8, 30), time(23, 59, 59)]
A_FEW_MOMENTS = [datetime.combine(day, clock) for day in A_FEW_DAYS for clock in A_FEW_TIMES]
A_FEW_NUMBERS = [-2.0, -1.0, 0.0, 0.5, 1.0, 2.0]
DAYS = st.one_of(
    st.sampled_from(A_FEW_DAYS), st.sampled_from(A_FEW_DAYS), st.dates(date(1999, 1, 1), date(2024, 12, 31))
)
MOMENTS = st.one_of(st.sampled_from(A_FEW_MOMENTS), st.builds(datetime.combine, DAYS, st.sampled_from(A_FEW_TIMES)))
NUMBERS = st.one_of(st.sampled_from(A_FEW_NUMBERS), st.floats(-1e6, 1e6, allow_subnormal=False), st.just(1e300))
A_FEW_TEXTS = ["", "a", "F", 'say "no"', "it's", "both ' and \"", "é"]
TEXTS = st.sampled_from(A_FEW_TEXTS)
CLOCKS = st.one_of(st.sampled_from(A_FEW_TIMES), st.times().map(lambda clock: clock.replace(microsecond=0)))
DTYPES = {
    "number": pl.Float64, "yesno": pl.Boolean, "condition": pl.Boolean, "date": pl.Date, "datetime": pl.Datetime("us"),
    "text": pl.String, "id": pl.String,
}  # fmt: skip


def names_of(*kinds):
    return st.sampled_from([Name(symbol.name) for symbol in SYMBOLS if symbol.kind in kinds])


def constants(kind, values):
    return values.map(lambda value: Constant(kind, value))


def of_levels(levels):
    return constants("text", st.sampled_from([*levels, *levels.values()]))


@st.composite
def elapsed(draw):
    either = st.one_of(names_of("date", "datetime"), constants("date", DAYS), constants("datetime", MOMENTS))
    exact = st.one_of(names_of("datetime"), constants("datetime", MOMENTS))
    unit = draw(st.sampled_from(TIME_UNITS))
    ends = exact if unit in ("minutes", "hours") else either
    return Elapsed(unit, draw(ends), draw(ends))


def calculations():
    leaves = st.one_of(names_of("number"), constants("number", NUMBERS.map(lambda number: number + 0.0)), elapsed())

    def grow(inner):
        return st.one_of(
            inner.map(negate), st.builds(Arithmetic, st.sampled_from(["*", "/"]), inner, inner), st.builds(
                Arithmetic, st.sampled_from(["+", "-"]), unitless(inner), unitless(inner)
            )
        )  # fmt: skip

    return st.recursive(leaves, grow, max_leaves=4)


def unitless(inner):
    """Days are not added to hours: a product has no unit."""
    return inner.map(lambda node: Arithmetic("*", node, Constant("number", 1.0)))


@st.composite
def pairs(draw):
    """Two sides that can be compared, and whether they have an order."""
    what = draw(st.sampled_from(["number", "yesno", "moment", "clock", "sex", "stage", "text", "center"]))
    moments = st.one_of(names_of("date", "datetime"), constants("date", DAYS), constants("datetime", MOMENTS))
    sides = {
        "number": (unitless(calculations()), unitless(calculations())),
        "yesno": (names_of("yesno", "condition"), st.one_of(names_of("yesno"), constants("yesno", st.booleans()))),
        "moment": (moments, moments),
        "clock": (names_of("datetime"), constants("time", CLOCKS)),
        "sex": (names_of_list("sex", "sex_2"), st.one_of(names_of_list("sex", "sex_2"), of_levels(SEX))),
        "stage": (names_of_list("stage", "stage_2"), st.one_of(names_of_list("stage_2"), of_levels(STAGE))),
        "text": (names_of("text", "id"), st.one_of(names_of("text", "id"), constants("text", TEXTS))),
        "center": (names_of_list("center"), constants("text", TEXTS)),
    }[what]  # fmt: skip
    left, right = draw(sides[0]), draw(sides[1])
    return what, (left, right) if draw(st.booleans()) else (right, left)


def names_of_list(*names):
    return st.sampled_from([Name(name) for name in names])


ORDERED = ("number", "moment", "clock", "stage")


@st.composite
def comparisons(draw):
    what, (left, right) = draw(pairs())
    operators = ["=", "!=", "<", "<=", ">", ">="] if what in ORDERED else ["=", "!="]
    return Comparison(draw(st.sampled_from(operators)), left, right)


@st.composite
def ranges(draw):
    what = draw(st.sampled_from(["number", "moment", "stage"]))
    if what == "number":
        return Between(*(draw(unitless(calculations())) for _ in range(3)))
    if what == "stage":
        low, high = sorted(draw(st.tuples(*[st.sampled_from(list(STAGE))] * 2)), key=list(STAGE).index)
        return Between(Name("stage"), Constant("text", low), Constant("text", high))
    low, high = sorted(draw(st.tuples(DAYS, DAYS)))
    return Between(draw(names_of("date", "datetime")), Constant("date", low), Constant("date", high))


@st.composite
def memberships(draw):
    value, items = draw(
        st.sampled_from(
            [
                (unitless(calculations()), constants("number", NUMBERS.map(lambda number: number + 0.0))),
                (names_of("date", "datetime"), st.one_of(constants("date", DAYS), constants("datetime", MOMENTS))),
                (names_of_list("sex"), of_levels(SEX)),
                (names_of_list("stage"), of_levels(STAGE)),
                (names_of("text", "id"), constants("text", TEXTS)),
                (names_of("yesno", "condition"), constants("yesno", st.booleans())),
            ]
        )
    )
    return Membership(draw(value), tuple(draw(st.lists(items, min_size=1, max_size=3))), draw(st.booleans()))


def conditions():
    values = st.one_of(calculations(), names_of(*DTYPES, "category", "ordinal"))
    leaves = st.one_of(
        names_of("yesno", "condition"), comparisons(), comparisons(), ranges(), memberships(),
        st.builds(Known, values, st.booleans()),
    )  # fmt: skip

    def grow(inner):
        parts = st.lists(inner, min_size=2, max_size=3)
        return st.one_of(
            st.builds(Not, inner), st.builds(join, st.sampled_from(["and", "or"]), parts),
            st.builds(Comparison, st.sampled_from(["=", "!="]), inner, inner), st.builds(Known, inner, st.booleans()),
        )  # fmt: skip

    return st.recursive(leaves, grow, max_leaves=6)


def _values(symbol):
    if symbol.levels:
        return list(symbol.levels)
    return {
        "number": [-1, 0, 1, 2] if symbol.name == "count" else [*A_FEW_NUMBERS, float("nan"), float("inf"), 1e300],
        "yesno": [False, True], "condition": [False, True], "date": A_FEW_DAYS,
        "datetime": [*A_FEW_MOMENTS, datetime(2020, 2, 29, 8, 30, 0, 500_000)],
    }.get(symbol.kind, A_FEW_TEXTS)  # fmt: skip


def _dtype(symbol):
    if symbol.levels:
        return pl.Enum(list(symbol.levels))
    return pl.Int64 if symbol.name == "count" else DTYPES.get(symbol.kind, pl.Categorical)


def _table(seed, rows):
    """A quarter of the values blank; the rest drawn from few values."""
    draw = random.Random(seed)
    columns = {
        symbol.name: [None if draw.random() < 0.25 else draw.choice(_values(symbol)) for _ in range(rows)]
        for symbol in SYMBOLS
    }
    return pl.DataFrame(columns, schema={symbol.name: _dtype(symbol) for symbol in SYMBOLS})


def tables(rows=60):
    return st.integers(0, 2**32).map(lambda seed: _table(seed, rows))
