import pytest

from counterpulse.errors import InputError
from counterpulse.expression import ExpressionError, Span, names, parse, to_text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a+b*c", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("a-b-c", "a - b - c"),
        ("-a*b", "-a * b"),
        ("-(a*b)", "-(a * b)"),
        ("- - 5 < x", "5 < x"),
        ("not a and b or c", "not a and b or c"),
        ("not (a and (b or c))", "not (a and (b or c))"),
        ("(a and b) and c", "a and b and c"),
        ("not x = yes", "not x = yes"),
        ("age between 18 and 75 and sex = 'F'", 'age between 18 and 75 and sex = "F"'),
        ("a<>1e3", "a != 1000"),
        ("x not in(\n'B' ,'C')", 'x not in ("B", "C")'),
        ("hours   from a to b<0", "hours from a to b < 0"),
        ("days from a to b + 1 > 2", "days from a to b + 1 > 2"),
        ("t >= 2017-01-01 08:30", "t >= 2017-01-01T08:30"),
        ("t >= 2017-01-01T08:30:05", "t >= 2017-01-01T08:30:05"),
        ("t >= 08:30:00", "t >= 08:30"),
        ("x = true", "x = yes"),
        ('x = "say ""no"""', "x = 'say \"no\"'"),
        ("größe is  known", "größe is known"),
        ("days > 3 and from = to", "days > 3 and from = to"),
        ("x in (-1, 2)", "x in (-1, 2)"),
    ],
)
def test_precedence_and_canonical_text(text, canonical):
    assert to_text(parse(text)) == canonical
    assert parse(canonical) == parse(text)


def test_composed_and_decomposed_letters_are_one_name():
    assert parse("gro\u0308ße > 1") == parse("größe > 1")


def test_yes_is_not_one():
    assert parse("x = yes") != parse("x = 1")


def test_names_have_places():
    assert names(parse("age > 3 and (sex = 'F' or age < 1)")) == {
        "age": (Span(0, 3), Span(26, 29)),
        "sex": (Span(13, 16),),
    }


@pytest.mark.parametrize(
    ("text", "span", "remedy"),
    [
        ("", (0, 0), "age >= 18"),
        ('sex == "M"', (4, 6), "write ="),
        ("a && b", (2, 4), "write and"),
        ("a | b", (2, 3), "write or"),
        ("!a", (0, 1), "write not"),
        ("age ≥ 18", (4, 5), "write >="),
        ("age => 18", (4, 6), "write >="),
        ("patient.age > 18", (7, 8), "letters, digits and underscores"),
        ("a.b", (1, 2), "0.5"),
        ("x > .5", (4, 5), "0.5"),
        ("x > 5.", (4, 6), "0.5"),
        ("x > 0,5", (5, 6), "0.5"),
        ("sqrt(a) > 2", (0, 4), "square"),
        ("is_null(a)", (0, 7), "is missing"),
        ("max(a, b) > 2", (0, 3), "+ - * /"),
        ("x = “B”", (4, 5), "straight quotes"),
        ("(a and b", (0, 1), "close it"),
        ("a and b)", (7, 8), "none is open"),
        ('sex = "M', (6, 8), "close it"),
        ("age between 18 or 75", (15, 17), "both ends"),
        ("age between 18", (14, 14), "both ends"),
        ("18 <= age <= 75", (10, 12), "between"),
        ("age is null", (7, 11), "is missing"),
        ("age is not missing", (7, 10), "is known"),
        ("sex is 'F'", (7, 10), "write ="),
        ("a AND b", (2, 5), "small letters"),
        ("x in [1, 2]", (5, 6), "round brackets"),
        ("x in 1", (5, 6), "brackets"),
        ("x in (B, C)", (6, 7), 'in quotes: "B"'),
        ("x in ()", (6, 7), "value"),
        ("x in (1 2)", (8, 9), "comma"),
        ("x not between 1 and 2", (2, 5), "not x between"),
        ("x = not y", (4, 7), "brackets"),
        ("t > 2017-1-1", (4, 12), "year, month, day"),
        ("t > 31.12.2017", (4, 14), "year, month, day"),
        ("t > 12/31/2017", (4, 14), "year, month, day"),
        ("t > 2017-02-30", (4, 14), "calendar"),
        ("t > 8:30", (4, 8), "08:30"),
        ("age > 18y", (6, 9), "without its unit"),
        ("lvef > 20%", (9, 10), "unit"),
        ("x > 1e999", (4, 9), "smaller"),
        ("day from a to b > 3", (0, 3), "days from"),
        ("days from a b", (12, 13), "joined by to"),
        ("age 18", (4, 6), "comparison"),
        ("age >", (5, 5), "value"),
        ("age > = 3", (6, 7), "without spaces"),
        ("x ^ 2 > 3", (2, 3), "height * height"),
        ("x @ 3", (2, 3), "remove"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_to_do(text, span, remedy):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    error = caught.value
    assert isinstance(error, InputError)
    assert error.problem.code == "E401"
    assert (tuple(error.span), remedy in error.remedy) == (span, True), (tuple(error.span), error.remedy)
