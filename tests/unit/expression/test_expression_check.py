import pytest

from counterpulse.expression import Symbol, check, parse
from counterpulse.source import Location

SYMBOLS = (
    Symbol("age", "number", "Age", unit="y"), Symbol("weight", "number", unit="kg"), Symbol("height", "number", unit="cm"),
    Symbol("icu_days", "number", unit="d"), Symbol("sex", "category", levels={"F": "Female", "M": "Male"}),
    Symbol("mode", "category", levels={"VA": "Veno-arterial", "VV": "Veno-venous"}), Symbol("center", "category"),
    Symbol("scai", "ordinal", levels={stage: f"Stage {stage}" for stage in "ABCDE"}),
    Symbol("nyha", "ordinal", levels={"1": "I", "2": "II", "3": "III", "4": "IV"}),
    Symbol("iabp", "yesno"), Symbol("itt", "condition"), Symbol("born", "date"), Symbol("start", "datetime"),
    Symbol("stop", "datetime"), Symbol("note", "text"), Symbol("pid", "id"),
)  # fmt: skip
SCOPE = {symbol.name: symbol for symbol in SYMBOLS}


@pytest.mark.parametrize(
    "text",
    [
        "age >= 18 and not iabp = yes", "itt", "iabp", "itt and not iabp", 'sex = "F"', 'sex = "Female"', 'scai in ("Stage B", "C")',
        'scai >= "C"', "nyha >= 3", "nyha between 2 and 4", 'center = "12"', "start between 2017-01-01 and 2023-07-31",
        "born = start", "start < 08:30", "hours from start to stop < 0", "days from born to start between 0 and 30",
        "years from born to start >= 18", "weight / (height/100 * height/100) >= 28", "days from start to stop < icu_days * 1 and days from start to stop >= 0",
        "icu_days < days from start to stop", 'pid = "007"', "(age > 3) = iabp", "note is missing", "age + 2 > 3 * age",
    ],
)  # fmt: skip
def test_what_is_right_has_no_problem(text):
    assert check(parse(text), SCOPE) == ()


@pytest.mark.parametrize(
    ("text", "code", "span", "remedy"),
    [
        ("agee > 3", "E402", (0, 4), "did you mean age?"),
        ("sex = M", "E402", (6, 7), 'in quotes: "M"'),
        ("iabp = Yes", "E402", (7, 10), "small letters"),
        ('sex = "male"', "E403", (6, 12), "did you mean M?"),
        ('sex = "m"', "E403", (6, 9), "did you mean M?"),
        ('mode in ("VA", "veno-v")', "E403", (15, 23), "did you mean VV?"),
        ("nyha > 5", "E403", (7, 8), "levels"),
        ("sex = mode", "E403", (0, 10), "same codes"),
        ('age = "65"', "E404", (0, 10), "remove the quotes"),
        ('start > "2017-01-01"', "E404", (0, 20), "remove the quotes"),
        ("start > 3", "E404", (0, 9), "days from a to b"),
        ("born > 08:30", "E404", (0, 12), "time of day"),
        ("center = 12", "E404", (9, 11), "quotes"),
        ("pid = 7", "E404", (0, 7), "quotes"),
        ('sex < "M"', "E405", (6, 9), "ordinal"),
        ("iabp > no", "E405", (0, 9), "= yes"),
        ('note > "a"', "E405", (0, 10), "ordinal"),
        ("scai > nyha", "E403", (0, 11), "same codes"),
        ("start + 3 = 4", "E406", (0, 5), "days from a to b"),
        ("-sex = 3", "E406", (1, 4), "number"),
        ("note / 2 > 1", "E406", (0, 4), "number"),
        ("days from age to start = 3", "E407", (10, 13), "date column"),
        ("hours from born to start between 0 and 3", "E408", (11, 15), "days"),
        ("age", "E409", (0, 3), "compare"),
        ("age and iabp", "E409", (0, 3), "compare"),
        ("not sex", "E409", (4, 7), "compare"),
        ("weight > height", "E410", (0, 15), "factor"),
        ("weight + height > 3", "E410", (0, 15), "factor"),
        ("age between 75 and 18", "E411", (0, 21), "between 18 and 75"),
        ('scai between "D" and "B"', "E411", (0, 24), "between"),
        ("start between 2018-01-01 and 2017-01-01", "E411", (0, 39), "between 2017"),
        ("start between 22:00 and 06:00", "E411", (0, 29), "or"),
        ("iabp = 1", "E412", (0, 8), "yes or no"),
        ('iabp = "yes"', "E412", (0, 12), "yes or no"),
        ("age = yes", "E412", (0, 9), "yes"),
        ("days from start to stop <= 30", "W451", (0, 29), "between 0 and 30"),
        ("30 > days from start to stop", "W451", (0, 28), "between 0 and 30"),
        ("1 = 1", "W452", (0, 5), "column"),
    ],
)
def test_each_problem_has_a_code_a_place_and_a_remedy(text, code, span, remedy):
    (problem,) = check(parse(text), SCOPE)
    assert (problem.code, tuple(problem.span)) == (code, span)
    assert remedy in problem.remedy
    assert problem.severity == ("warning" if code.startswith("W") else "error")


def test_all_problems_at_once_in_the_order_of_the_text():
    problems = check(parse('agee > 3 and sex = "Men" and iabp = 1 and days from start to stop < 3'), SCOPE)
    assert [problem.code for problem in problems] == ["E402", "E403", "E412", "W451"]


@pytest.mark.parametrize(
    ("text", "expect", "codes"),
    [
        ("age + 1", "number", []), ("iabp", "number", ["E409"]), ("start", "date", []), ("age", "date", ["E409"]),
        ("sex", "any", []), ("days from start to stop", "number", []), ("start", "condition", ["E409"]),
    ],
)  # fmt: skip
def test_the_whole_must_be_what_is_expected(text, expect, codes):
    assert [problem.code for problem in check(parse(text), SCOPE, expect=expect)] == codes


def test_a_problem_is_a_finding_at_its_place_in_the_file():
    (problem,) = check(parse('age > 3 and sex = "Men"'), SCOPE)
    finding = problem.finding(Location("study.yaml", 7, 11, '    rule: age > 3 and sex = "Men"'))
    assert (finding.code, finding.where.column, finding.where.width) == ("E403", 29, 5)
    assert "levels are F, M" in finding.text()
