"""The methods section as a reader finds it, kept in `snapshots/`.

`COUNTERPULSE_SNAPSHOTS=write pytest tests/unit/report/test_methods_words.py` writes the files anew; read their difference.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from worded_study import snapshot, text_of, worded_plan, worded_result

from counterpulse.data.terms import Categorical, Interaction, Numeric, Spline
from counterpulse.protocol.plan import PlannedModel, PlannedSelection
from counterpulse.report.chapters.context import Context, Works
from counterpulse.report.chapters.methods.section import methods_section, methods_sections
from counterpulse.report.chapters.methods.statistics_words import analysis_paragraphs
from counterpulse.report.chapters.speech import Speech, listed, paragraph, spelled
from counterpulse.report.chapters.wording import inside
from counterpulse.report.number_styles import STYLES
from counterpulse.results import REFERENCES


def words(plan, tense="past"):
    return " ".join(item.text for item in analysis_paragraphs(Speech(plan, tense=tense)))


def only(plan, **changes):
    return replace(plan, analyses=(replace(plan.analyses[0], **changes),))


def test_the_methods_of_a_report():
    text = text_of([methods_section(Context(worded_plan(), worded_result(), STYLES["jama"]))])
    assert text == snapshot("methods", text)


def test_the_methods_of_an_analysis_plan():
    text = text_of(methods_sections(worded_plan()))
    assert text == snapshot("methods_future", text)


def test_a_plan_is_told_in_the_future():
    statistics = next(item for item in methods_sections(worded_plan()) if item.id == "statistics")
    assert not re.search(r"\b(was|were)\b", text_of([statistics]))


def test_works_are_numbered_as_they_are_read():
    works = Works()
    text = text_of(methods_sections(worded_plan(), tense="past", cite=works.cite))
    numbers = [int(number) for found in re.findall(r"\[([\d,]+)\]", text) for number in found.split(",")]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(works.numbers) + 1))
    assert set(works.numbers) <= set(REFERENCES)


def test_labels_of_the_researcher_keep_their_tense():
    plan = worded_plan()
    outcome = replace(plan.outcomes["death_hospital"], label="Patient was weaned")
    told = words(replace(plan, outcomes={**plan.outcomes, "death_hospital": outcome}), tense="future")
    assert "patient was weaned (A1), odds ratios will be estimated" in told


def test_an_earlier_method_and_an_earlier_set_are_referred_to():
    plan = worded_plan()
    long = ("age", "sex", "diabetes", "lactate", "ph", "center")
    analyses = (
        replace(plan.analyses[0], terms=long),
        replace(plan.analyses[1], method="logistic-regression", clauses=plan.analyses[0].clauses, terms=long, adjusted=True),
    )  # fmt: skip
    told = words(replace(plan, analyses=analyses))
    assert "by logistic regression as in A1 (without allowance for clustering by center), adjusted for the covariates of A1." in told  # fmt: skip


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("age", "age"),
        (Spline("age", 5), "age as a natural cubic spline with 5 knots"),
        (Spline("age", (40.0, 60.0, 75.0)), "age as a natural cubic spline with knots at 40, 60, and 75"),
        (Numeric("lactate", log=True), "the logarithm of lactate"),
        (Numeric("age", per=10), "age per 10 years"),
        (Categorical("sex"), "sex"),
        (Interaction("age", "sex"), "the interaction of age and sex"),
        ("unheard_of", "unheard_of"),
    ],
)
def test_functional_forms(term, said):
    assert Speech(worded_plan()).term(term) == said


def test_models_selection_and_screens():
    plan = worded_plan()
    selection = PlannedSelection(method="backward", candidates=("age", "sex"), stay=0.1)
    ladder = (PlannedModel(name="Full", terms=("age",), selection=selection), PlannedModel(name="Crude"))
    told = words(only(plan, models=ladder))
    assert "in two models: Full (adjusted for age, and covariates selected from age and sex by backward elimination (P < 0.1 to stay), repeated in 200 bootstrap samples) and Crude (without adjustment); Full was the main model" in told  # fmt: skip
    assert ", with each of age and sex in a model of its own." in words(only(plan, screen=("age", "sex"), only_screen=True))  # fmt: skip
    assert "adjusted for covariates selected from age and sex" in words(only(plan, terms=(), selection=selection))
    assert "logistic regression, without adjustment." in words(only(plan, terms=(), adjusted=False))


def test_every_edit_says_what_it_changes():
    plan = worded_plan()
    first = plan.analyses[0]
    edits = {
        "the outcome bleeding complication": {"outcomes": ("bleeding",)},
        "Cox regression as the method": {"method": "cox", "composition": ("landmark at 24 hours", "Cox regression")},
        "exact logistic regression as the method": {"method": "exact-logistic-regression"},
        "no adjustment": {"terms": ()},
        "treatment as a time-varying exposure": {"maker": "time-varying", "landmarks": ()},
        "no allowance for clusters": {"clusters": None},
        "only patients for whom \N{LEFT DOUBLE QUOTATION MARK}age < 75\N{RIGHT DOUBLE QUOTATION MARK} holds": {"keep": "age < 75"},
        "P values adjusted by the method of Holm": {"multiplicity": "holm"},
        "same as ever": {"label": "Same as ever"},
    }  # fmt: skip
    for said, changes in edits.items():
        edit = replace(first, id="S9", role="sensitivity", of="A1", **changes)
        assert f"with this change: {said} (S9)." in words(replace(plan, analyses=(first, edit)))


def test_an_analysis_without_clauses_still_has_words():
    plan = worded_plan()
    assert "the method was logistic regression" in words(only(plan, clauses=()))


@pytest.mark.parametrize("immortal", ["time-varying", "ignore-and-report", "unknown"])
def test_immortal_time(immortal):
    plan = worded_plan()
    update = (
        {"exposure": plan.protocol.exposure.model_copy(update={"timing": "unknown"})}
        if immortal == "unknown"
        else {"immortal_time": plan.protocol.immortal_time.model_copy(update={"plan": immortal})}
    )
    text = text_of(methods_sections(replace(plan, protocol=plan.protocol.model_copy(update=update)), tense="past"))
    said = {
        "time-varying": "counted as untreated until treatment began",
        "ignore-and-report": "This immortal time was not removed",
        "unknown": "The start of treatment was not recorded",
    }
    assert said[immortal] in text


def test_words_in_a_row():
    assert [listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b, and c"]
    assert listed(["a", "b", "c"], ";") == "a; b; and c"
    assert [spelled(n) for n in (1, 9, 10)] == ["one", "nine", "10"]
    assert paragraph("One.", None, "", "Two.").text == "One. Two."
    assert [inside(word) for word in ("PaCO2 at start", "Age", "IABP", "In-hospital death", "")] == [
        "PaCO2 at start", "age", "IABP", "in-hospital death", "",
    ]  # fmt: skip
