from datetime import date, datetime, timedelta

import polars as pl
import pytest

from counterpulse.expression import ExpressionError, Symbol, parse, to_ars, to_english, to_polars, to_r

SYMBOLS = (
    Symbol("age", "number", "Age", unit="y"), Symbol("weight", "number", "Weight", unit="kg"),
    Symbol("sex", "category", "Sex", levels={"F": "Female", "M": "Male"}),
    Symbol("scai", "ordinal", "SCAI stage", levels={stage: stage for stage in "ABCDE"}),
    Symbol("iabp", "yesno", "Balloon pump"), Symbol("itt", "condition", "Intention to treat"),
    Symbol("mi_date", "date", "Last myocardial infarction"), Symbol("ecmo_start", "datetime", "ECMO started"),
    Symbol("iabp_time", "datetime", "Balloon pump inserted"),
)  # fmt: skip
SCOPE = {symbol.name: symbol for symbol in SYMBOLS}


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("age >= 18", "age ≥ 18 y"),
        ("18 <= age", "age ≥ 18 y"),
        ('sex = "F"', "sex is Female"),
        ('not sex = "Female"', "sex is not Female"),
        ("iabp", "Balloon pump is yes"),
        ("not iabp", "Balloon pump is no"),
        ("itt and not iabp = yes", "Intention to treat holds and Balloon pump is no"),
        ("age between 18 and 75", "age is between 18 and 75 y"),
        ("not (age between 18 and 75)", "age is not between 18 and 75 y"),
        ('scai in ("B", "C", "D")', "SCAI stage is B, C or D"),
        ('scai not in ("B", "C")', "SCAI stage is neither B nor C"),
        ('scai > "C"', "SCAI stage is above C"),
        ("mi_date is missing", "Last myocardial infarction is missing"),
        ("not mi_date is missing", "Last myocardial infarction is known"),
        ("ecmo_start <= 2023-07-31", "ECMO started is on or before 2023-07-31"),
        ("ecmo_start < 08:30", "the time of day of ECMO started is before 08:30"),
        ("ecmo_start < 2023-07-31T08:30", "ECMO started is before 2023-07-31 08:30"),
        (
            "iabp = yes and hours from ecmo_start to iabp_time < 0",
            "Balloon pump is yes and the time from ECMO started to Balloon pump inserted is below 0 hours",
        ),
        (
            "days from mi_date to ecmo_start between 0 and 30",
            "the time from Last myocardial infarction to ECMO started in calendar days is between 0 and 30 days",
        ),
        ("years from mi_date to ecmo_start > 1", "the time from Last myocardial infarction to ECMO started is above 1 year"),
        ("(age > 65 or iabp) and not (age > 80 or itt)", "(age > 65 y or Balloon pump is yes) and not (age > 80 y or Intention to treat holds)"),
        ("weight / (age - 1) * 2 > -3", "weight / (age − 1) × 2 > −3"),
    ],
)  # fmt: skip
def test_english(text, english):
    assert to_english(parse(text), SCOPE) == english


def condition(variable, comparator, *values, level=1, order=1):
    clause = {"dataset": "ADSL", "variable": variable, "comparator": comparator, "value": list(values)}
    return {"level": level, "order": order, "condition": clause}


def test_ars_nests_conditions_with_level_and_order():
    assert to_ars(parse('age >= 18 and not (iabp or sex in ("Female"))'), SCOPE) == {
        "level": 1, "order": 1,
        "compoundExpression": {"logicalOperator": "AND", "whereClauses": [
            condition("age", "GE", "18", level=2),
            {"level": 2, "order": 2, "compoundExpression": {"logicalOperator": "NOT", "whereClauses": [
                {"level": 3, "order": 1, "compoundExpression": {"logicalOperator": "OR", "whereClauses": [
                    condition("iabp", "EQ", "yes", level=4),
                    condition("sex", "IN", "F", level=4, order=2),
                ]}},
            ]}},
        ]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18 < age", condition("age", "GT", "18")),
        ("mi_date is missing", condition("mi_date", "EQ")),
        ("mi_date is known", condition("mi_date", "NE")),
        ("mi_date < 2020-01-01", condition("mi_date", "LT", "2020-01-01")),
        ("ecmo_start <= 2023-07-31", condition("ecmo_start", "LE", "2023-07-31T23:59:59")),
        ("ecmo_start > 2023-07-31", condition("ecmo_start", "GT", "2023-07-31T23:59:59")),
        ("ecmo_start < 08:30", condition("ecmo_start < 08:30", "EQ", "yes")),
        ("weight / age > 2", condition("weight / age > 2", "EQ", "yes")),
    ],
)
def test_ars_conditions(text, expected):
    assert to_ars(parse(text), SCOPE) == expected


def test_a_number_is_no_ars_condition():
    with pytest.raises(ExpressionError, match="not a condition"):
        to_ars(parse("age + 1"), SCOPE)


@pytest.mark.parametrize("form", [to_polars, to_english, to_r, to_ars])
def test_no_form_is_made_of_what_does_not_check(form):
    with pytest.raises(ExpressionError, match="did you mean age"):
        form(parse("agee > 3"), SCOPE)


def values(text, **columns):
    return pl.DataFrame(columns).select(to_polars(parse(text), SCOPE)).to_series().to_list()


def test_a_day_covers_its_last_minute():
    moments = [
        datetime(2016, 12, 31, 23, 59),
        datetime(2017, 1, 1),
        datetime(2023, 7, 31, 23, 59),
        datetime(2023, 8, 1),
    ]
    assert values("ecmo_start between 2017-01-01 and 2023-07-31", ecmo_start=moments) == [False, True, True, False]
    assert values("ecmo_start > 2023-07-31", ecmo_start=moments) == [False, False, False, True]
    assert values("ecmo_start = 2023-07-31", ecmo_start=moments) == [False, False, True, False]


def test_a_birthday_completes_a_year():
    born = [date(2000, 5, 17), date(2000, 5, 17), date(2000, 5, 17), date(2000, 2, 29)]
    now = [datetime(2018, 5, 16, 23), datetime(2018, 5, 17), datetime(2019, 5, 17), datetime(2018, 2, 28)]
    assert values("years from mi_date to ecmo_start >= 18", mi_date=born, ecmo_start=now) == [False, True, True, True]


def test_days_are_calendar_days_from_a_date_and_exact_from_times():
    start, stop = [datetime(2020, 1, 1, 23)], [datetime(2020, 1, 2, 5)]
    assert values("days from ecmo_start to iabp_time", ecmo_start=start, iabp_time=stop) == [0.25]
    assert values("days from mi_date to iabp_time", mi_date=[date(2020, 1, 1)], iabp_time=stop) == [1.0]


def test_unknown_is_neither_true_nor_false():
    ages = [1.0, None, float("nan")]
    assert values("age < 2", age=ages) == [True, None, None]
    assert values("not age < 2", age=ages) == [False, None, None]
    assert values("age < 2 or iabp", age=ages, iabp=[False, True, None]) == [True, True, None]
    assert values("age / 0 > 1", age=ages) == [None, None, None]
    assert values("age is missing", age=ages) == [False, True, True]
    assert values("age not in (1, 2)", age=ages) == [False, None, None]


def test_the_order_of_levels_is_the_dictionary_s_not_the_alphabet_s():
    scope = {"grade": Symbol("grade", "ordinal", levels={"mild": "Mild", "moderate": "Moderate", "fatal": "Fatal"})}
    frame = pl.DataFrame({"grade": ["mild", "moderate", "fatal", None]})
    assert frame.select(to_polars(parse('grade > "Mild"'), scope)).to_series().to_list() == [False, True, True, None]


@pytest.mark.parametrize(
    ("rule", "ages"), [("age / 10", range(1, 400)), ("age / 3 - 1", range(1, 400)), ("60 / age", range(1, 90))]
)
def test_a_division_by_a_constant_is_rounded_correctly(rule, ages):
    """Polars alone multiplies by the reciprocal: 3 / 10 would be 0.30000000000000004 and ``age / 10 <= 0.3`` false."""
    frame = pl.DataFrame({"age": list(ages)})
    seen = frame.select(to_polars(parse(rule), SCOPE)).to_series().to_list()
    assert seen == [eval(rule, {"age": float(age)}) for age in ages]


def test_hours_are_rounded_correctly():
    start = datetime(2020, 1, 1)
    frame = pl.DataFrame(
        {"ecmo_start": [start] * 500, "iabp_time": [start + timedelta(minutes=step) for step in range(500)]}
    )
    seen = frame.select(to_polars(parse("hours from ecmo_start to iabp_time"), SCOPE)).to_series().to_list()
    assert seen == [step / 60 for step in range(500)]
