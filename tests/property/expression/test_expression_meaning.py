"""The compiled form means what the slow evaluator says, on random expressions and random tables."""

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_expressions import SCOPE, calculations, conditions, tables
from slow_evaluator import evaluate_slowly

from counterpulse.expression import (
    ExpressionError,
    check,
    names,
    parse,
    to_ars,
    to_english,
    to_polars,
    to_r,
    to_text,
)

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]
MANY = settings(max_examples=120, deadline=None, suppress_health_check=CALM)
FEW = settings(MANY, max_examples=40)


def compiled(expression, table):
    values = table.select(value=to_polars(expression, SCOPE)).to_series().to_list()
    return values if names(expression) else values * table.height


@MANY
@given(conditions(), tables())
def test_conditions_agree_row_by_row(expression, table):
    expected = [evaluate_slowly(expression, row, SCOPE) for row in table.iter_rows(named=True)]
    assert compiled(expression, table) == expected


@MANY
@given(calculations(), tables())
def test_numbers_agree_row_by_row(expression, table):
    if any(problem.severity == "error" for problem in check(expression, SCOPE, expect="number")):
        return
    for seen, row in zip(compiled(expression, table), table.iter_rows(named=True), strict=True):
        expected = evaluate_slowly(expression, row, SCOPE)
        assert seen == expected  # to the last bit: the same operations, each rounded correctly


@FEW
@given(conditions())
def test_canonical_text_reads_back_as_the_same_tree(expression):
    text = to_text(expression)
    assert parse(text) == expression
    assert to_text(parse(text)) == text


@FEW
@given(conditions())
def test_every_well_typed_condition_has_every_form(expression):
    assert not [problem for problem in check(expression, SCOPE) if problem.severity == "error"]
    assert to_english(expression, SCOPE)
    assert to_r(expression, SCOPE)
    assert to_ars(expression, SCOPE)["level"] == 1


@FEW
@given(conditions(), tables())
def test_not_keeps_the_unknown_and_twice_changes_nothing(expression, table):
    text = to_text(expression)
    as_it_is = compiled(expression, table)
    assert compiled(parse(f"not ({text})"), table) == [None if value is None else not value for value in as_it_is]
    assert compiled(parse(f"not not ({text})"), table) == as_it_is


FRAGMENTS = st.sampled_from(
    [
        "and",
        "or",
        "not",
        "in",
        "is",
        "between",
        "known",
        "missing",
        "yes",
        "no",
        "days",
        "hours",
        "from",
        "to",
        "age",
        "(",
        "(",
        ")",
        ")",
        ",",
        ",",
        ".",
        "=",
        "==",
        "<=",
        "<",
        "<>",
        "-",
        "+",
        "*",
        "/",
        "18",
        "1e3",
        "0.5",
        "2017-01-01",
        "2017-13-01",
        "08:30",
        "2017-01-01T08:30",
        '"B"',
        '"B',
        "'",
        "x_y",
        "é",
        "²",
        "“",
        "&",
        "|",
        "!",
        "min(",
        "1e999",
        "2017-1-1",
        "18y",
    ]
)


@settings(max_examples=800, deadline=None)
@given(
    st.one_of(st.text(max_size=40), st.lists(FRAGMENTS, max_size=14).map(" ".join), st.lists(FRAGMENTS).map("".join))
)
def test_reading_raises_nothing_but_expression_errors(text):
    try:
        expression = parse(text)
    except ExpressionError as raised:
        error = raised
    else:
        assert parse(to_text(expression)) == expression
        check(expression, SCOPE)
        return
    assert 0 <= error.span.start <= error.span.end <= len(text)
    assert error.remedy


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "not " * 5000 + "a",
        "-" * 5000 + "a",
        "a" + " + a" * 5000,
        "(a + " * 2000,
        "a" + " = a" * 3000,
        "9" * 5000,
    ],
)
def test_absurd_texts_are_refused_without_exhausting_the_stack(text):
    with pytest.raises(ExpressionError):
        parse(text)


def test_a_long_list_of_alternatives_is_no_deep_tree():
    expression = parse(" or ".join(f"age = {number}" for number in range(3000)))
    frame = pl.DataFrame({"age": [2999.0, -1.0, None]})
    assert frame.select(to_polars(expression, SCOPE)).to_series().to_list() == [True, False, None]
