import pytest

from counterpulse.data import Categorical, Interaction, Numeric, Spline
from counterpulse.study.planning.adjustment import _as_listed
from counterpulse.study.planning.wording import term_text

OUTCOMES = "{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes}}"


def test_an_interaction_is_of_the_variables_as_they_stand_in_the_list():
    spline, log = Spline("age", 4), Numeric("lactate", log=True)
    terms = (spline, "sex", log, Interaction("age", "sex"), Interaction("sex", "lactate"))
    assert _as_listed(terms) == (spline, "sex", log, Interaction(spline, "sex"), Interaction("sex", log))


def test_the_reference_level_of_a_category_stays_in_its_interactions():
    site = Categorical("site", "b")
    assert _as_listed((site, "sex", Interaction("sex", "site")))[2] == Interaction("sex", site)


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (Spline("age", 4), "age, spline with 4 knots"),
        (Spline("age", (40, 60, 80)), "age, spline with knots at 40, 60 and 80"),
        (Spline("age", 5, 62.5), "age, spline with 5 knots (reference 62.5)"),
    ],
)
def test_a_spline_in_words(term, words):
    assert term_text(term) == words


@pytest.mark.parametrize(
    ("spline", "term"),
    [
        ("{variable: age, spline: 4}", Spline("age", 4)),
        ("{variable: age, spline: 4, reference: 60}", Spline("age", 4, 60.0)),
        ("{variable: age, spline: 3, knots: [40, 60, 80]}", Spline("age", (40.0, 60.0, 80.0))),
        ("{variable: age, knots: [40, 60, 80], reference: 55}", Spline("age", (40.0, 60.0, 80.0), 55.0)),
    ],
)
def test_a_spline_is_planned_as_it_is_written(written, spline, term):
    line = f"{{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [{spline}]}}"
    plan = written.plan(outcomes=OUTCOMES, time_zero="{text: admission, counted: yes}", analyses=f"[{line}]")
    assert plan.analyses[0].terms == (term,)
