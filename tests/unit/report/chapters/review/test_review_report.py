"""The report of a review as a reader finds it: its order, its numbers, its words, and that it speaks of no patient's cohort.

`COUNTERPULSE_SNAPSHOTS=write pytest tests/unit/report/chapters/review` writes the snapshots anew; read their difference.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from worded_study import snapshot, text_of

from counterpulse.protocol.plan_on_disk import plan_from_json
from counterpulse.report.before_data.analysis_plan import compose_analysis_plan
from counterpulse.report.chapters.review.edit_words import changed
from counterpulse.report.chapters.review.limitations import review_limitations
from counterpulse.report.chapters.review.method_names import INTERVALS, PREDICTIONS, TAU2
from counterpulse.report.chapters.review.methods import review_methods_section, review_methods_sections
from counterpulse.report.chapters.review.results_words import results_paragraphs
from counterpulse.report.chapters.review.selection import boxes_of, total
from counterpulse.report.chapters.review.small_study_words import CORRECTIONS, FAIL_SAFE, TESTS
from counterpulse.report.chapters.review.synthesis_words import analysis_runs
from counterpulse.report.chapters.speech import Speech
from counterpulse.report.checklists.answering import answer_items
from counterpulse.report.checklists.evidence import Evidence
from counterpulse.report.document import Table, blocks_of, cells_of, opened, paragraphs_of, sections_of
from counterpulse.report.number_styles import STYLES
from counterpulse.report.proofreading import proofread
from counterpulse.report.render.html import render_html
from counterpulse.results import REFERENCES, FlowStep, Notice
from counterpulse.study.methods import meta_analysis

OF_COHORTS = re.compile(
    r"patients? (was|were) eligible|[Uu]nadjusted|treating clinicians|[Pp]articipant flow|Covariates? (of|are)|complete-case|Records read|"
    r"multiple imputation|product of treatment|numbers at risk|Baseline"
)
"""What only a study of patients says."""


def words_of_document(document):
    found = [words.text for block in opened(document.front) for words in paragraphs_of(block)]
    for block in blocks_of(document.sections):
        found += [words.text for words in paragraphs_of(block)]
        if isinstance(block, Table):
            found += [block.title, *(cell.text for cell in cells_of(block)), *(note.text for note in block.footnotes)]
    return "\n".join([*found, *(section.title for section in sections_of(document.sections))])


def table(document, id_):
    return next(block for block in blocks_of(document.sections) if isinstance(block, Table) and block.id == id_)


def row(document, id_, start):
    return [
        cell.text for line in table(document, id_).rows if line.cells[0].text.startswith(start) for cell in line.cells
    ]


# -- the whole ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["bcg", "network"])
def test_a_review_speaks_of_studies(which, request):
    assert not OF_COHORTS.search(words_of_document(request.getfixturevalue(which).document()))


def test_the_chapters_in_the_order_of_prisma(bcg):
    order = [section.id for section in sections_of(bcg.document().sections)]
    wanted = [
        "objectives", "methods", "eligibility", "search", "outcomes", "risk-of-bias", "statistics", "certainty", "results", "selection",
        "included", "risk-of-bias-results", "syntheses", "analysis-M1", "certainty-results", "robustness", "limitations", "checklists",
    ]  # fmt: skip
    assert [id_ for id_ in order if id_ in wanted] == wanted


@pytest.mark.parametrize("style", list(STYLES))
def test_a_copy_editor_finds_nothing(bcg, network, style):
    assert proofread(bcg.document(style)) == ()
    assert proofread(network.document(style)) == ()


def test_the_same_review_gives_the_same_page(bcg):
    assert render_html(bcg.document()) == render_html(bcg.document())


def test_tables_are_numbered_without_gaps(bcg):
    labels = [block.label for block in blocks_of(bcg.document().sections) if isinstance(block, Table)]
    for series in ("Table ", "Table S"):
        numbers = [int(label.removeprefix(series)) for label in labels if label.removeprefix(series).isdigit()]
        assert numbers == list(range(1, len(numbers) + 1))


# -- words -------------------------------------------------------------------------------------------------------------


def test_the_methods_of_a_review(bcg):
    text = text_of([review_methods_section(replace_software(bcg).context())])
    assert text == snapshot("review_methods", text)


def test_the_methods_of_a_planned_review(bcg):
    text = text_of(review_methods_sections(bcg.plan))
    assert text == snapshot("review_methods_future", text)
    assert not re.search(r"\b(was|were) (pooled|estimated|computed|judged|rated)\b", text)


def test_the_results_of_a_review(bcg):
    text = "\n\n".join(item.text for item in results_paragraphs(bcg.context()))
    assert text == snapshot("review_results", text)


def test_the_limitations_of_a_review(bcg):
    text = "\n".join(f"{item.subject}. {item.words}" for item in review_limitations(bcg.context()))
    assert text == snapshot("review_limitations", text)


def test_the_results_of_a_network(network):
    text = "\n\n".join(item.text for item in results_paragraphs(network.context()))
    assert text == snapshot("review_network", text)


def replace_software(review):
    identity = replace(review.result.identity, software={"counterpulse": "1.0"})
    return replace(review, result=replace(review.result, identity=identity))


def test_every_choice_of_a_method_has_its_words():
    allowed = {option.name: set(option.allowed) for option in meta_analysis.SPEC.options}
    assert allowed["tau2"] <= set(TAU2)
    assert allowed["interval"] <= set(INTERVALS)
    assert allowed["prediction"] - {"yes", "no", "none"} <= set(PREDICTIONS)
    assert allowed["small_study_effects"] <= {*TESTS, *CORRECTIONS, FAIL_SAFE}


def test_every_work_is_known():
    named = [*TAU2.values(), *INTERVALS.values(), *PREDICTIONS.values(), *TESTS.values(), *CORRECTIONS.values()]
    assert {work for _, work in named if work} <= set(REFERENCES)


@pytest.mark.parametrize("model", meta_analysis.MODELS)
def test_every_model_is_told(bcg, model):
    item = bcg.plan.analyses[0]
    item = replace(item, options={**item.options, "model": model})
    told = "".join(run if isinstance(run, str) else run.text for run in analysis_runs(Speech(bcg.plan), item))
    assert "were pooled" in told
    assert "REML" in told if model in ("random", "three-level") else "REML" not in told


def test_an_edit_says_what_it_changes(bcg):
    plan, speech = bcg.plan, Speech(bcg.plan)
    edits = {item.id: changed(speech, item, plan.analyses[0]) for item in plan.analyses if item.of}
    assert edits["M2"].startswith("the defaults of Review Manager 5.4")
    assert edits["M3"] == "the method of Mantel and Haenszel"


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_the_box_holds_effect_prediction_heterogeneity_and_certainty(bcg):
    (box,) = bcg.document().front
    text = " ".join(block.text for block in box.blocks)
    for part in (
        "13 studies, 357,347 patients", "0.47 (95% CI 0.32 to 0.71)", "95% prediction interval 0.13 to 1.79", "0.338 (0.130 to 1.181)",
        "I² = 92% (82% to 98%)", "not rated; to be judged by the reviewers: risk of bias, inconsistency, imprecision, and publication bias",
    ):  # fmt: skip
        assert part in text


def test_every_synthesis_stands_in_one_table(bcg):
    document = bcg.document()
    assert row(document, "all-analyses", "M1.")[1:] == [
        "13",
        "357,347",
        "0.47 (0.32 to 0.71)",
        "0.13 to 1.79",
        "0.338",
        "92",
        "0.002",
    ]
    assert row(document, "all-analyses", "M2.")[4:6] == ["—", "0.366"]
    assert row(document, "all-analyses", "M3.")[3:6] == ["0.62 (0.57 to 0.68)", "—", "—"]
    assert row(document, "all-analyses", "M4.") == []


def test_groups_of_studies_have_their_number(bcg):
    document = bcg.document()
    assert row(document, "subgroups-M1", "Random") == ["Random", "7", "222,519", "0.37 (0.20 to 0.70)", ""]
    assert row(document, "subgroups-M1", "Allocation")[-1] == "0.54"


def test_a_moderator_is_a_ratio_of_ratios(bcg):
    found = table(bcg.document(), "regression-M4-tb")
    assert found.columns[1].head.text == "Ratio of odds ratios\n(95% CI)"
    assert [cell.text for cell in found.rows[0].cells] == ["Latitude (per degree)", "0.97 (0.95 to 0.99)", "0.001"]
    notes = " ".join(note.text for note in found.footnotes)
    assert "R² = 85%" in notes
    assert "τ² = 0.050" in notes


def test_corrected_effects_stand_under_the_planned_one(bcg):
    found = [line.cells[0].text for line in table(bcg.document(), "corrected-M1-tb").rows]
    assert found == ["As planned (M1)", "Trim and fill", "PET-PEESE"]


def test_funnels_of_edits_are_not_drawn_again(bcg):
    ids = [getattr(block, "id", "") for block in blocks_of(bcg.document().sections)]
    assert "M1-tb-funnel" in ids
    assert "M2-tb-funnel" not in ids


def test_a_network_shows_every_treatment_against_the_reference(network):
    found = table(network.document(), "estimates-N1-stroke")
    assert "Placebo" in found.title
    assert [line.cells[0].text for line in found.rows] == ["A", "B"]


# -- studies -----------------------------------------------------------------------------------------------------------


def test_the_boxes_are_those_of_the_flow(bcg):
    boxes = boxes_of(bcg.result.flow)
    assert boxes["identified"] == {"databases": 300, "registers": 20}
    assert boxes["full_text_excluded"] == {"no comparator": 16}
    assert boxes["included"] == {"studies": 14, "reports": 14}
    assert total(boxes["identified"]) == 320
    assert boxes_of([FlowStep(id="read", label="read", kind="read", n=3)]) == {}


def test_a_trial_without_a_number_is_listed(bcg):
    text = words_of_document(bcg.document())
    assert "14 rows; 13 of them, from 13 studies, gave an effect. The other is listed with the reason." in text
    assert row(bcg.document(), "review-effect-sizes-unused", "Unprinted 1990")


def test_quotes_stand_in_the_report(bcg):
    assert row(bcg.document(), "review-quotes", "Aronson 1948") == ["Aronson 1948", "p. 700", "4 of 123"]


def test_what_is_found_is_a_limitation(bcg):
    subjects = [item.subject for item in review_limitations(bcg.context())]
    for subject in (
        "Registration",
        "Single extraction",
        "Effects not available",
        "Risk of bias",
        "Heterogeneity",
        "A new study",
        "Meta-regression",
        "Certainty",
    ):
        assert subject in subjects
    assert "Few studies" not in subjects
    assert "Overlap" not in subjects
    told = replace(bcg, result=replace(bcg.result, warnings=(Notice("W854", "M1", "shared"),)))
    assert "Overlap" in [item.subject for item in review_limitations(told.context())]


# -- checklist and plan ------------------------------------------------------------------------------------------------


def test_the_items_of_prisma(bcg):
    evidence = Evidence(bcg.plan, bcg.document().sections)
    states = {answer.item.number: answer.state for answer in answer_items("PRISMA-2020", evidence)}
    answered = {number for number, state in states.items() if state == "answered"}
    assert answered >= {"1", "4", "12", "13b", "13c", "13d", "13e", "13f", "15", "16a", "18", "19", "20b", "20c", "20d"}
    assert states["3"] == states["7"] == states["26"] == "to-write"
    assert states["11"] == states["22"] == "partly"


def test_the_plan_of_a_review_speaks_of_studies(bcg, network):
    for review in (bcg, network):
        document = compose_analysis_plan(review.plan)
        text = words_of_document(document)
        assert not OF_COHORTS.search(text)
        assert "PRISMA 2020" in text
        assert document.sections[0].title == "1. Objectives"


def test_a_plan_read_back_tells_the_same(bcg):
    again = plan_from_json(bcg.result.plan)
    assert text_of(review_methods_sections(again)) == text_of(review_methods_sections(bcg.plan))
