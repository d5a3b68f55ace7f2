"""The methods section of a review, of the same words before there are results and after."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.plan import Plan
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.methods.conventions import convention_paragraphs, not_run_paragraph
from counterpulse.report.chapters.methods.design_words import design_paragraphs, registration_sentence
from counterpulse.report.chapters.review import extraction_words, synthesis_words
from counterpulse.report.chapters.review.synthesis import NETWORK
from counterpulse.report.chapters.speech import Cite, Speech, Tense, listed, paragraph, uncited
from counterpulse.report.document import Paragraph, Section


def review_methods_section(context: Context) -> Section:
    """The methods of a review that was run."""
    speech = Speech(context.plan, cite=context.cite, result=context.result, style=context.style)
    return Section(id="methods", title="Methods", sections=tuple(_sections(speech)))


def review_methods_sections(plan: Plan, *, tense: Tense = "future", cite: Cite = uncited) -> tuple[Section, ...]:
    """The sections of the methods from a plan alone, as an analysis plan prints them."""
    return tuple(_sections(Speech(plan, tense=tense, cite=cite)))


def _sections(speech: Speech) -> Iterator[Section]:
    parts = (
        ("design", "Design and registration", _design),
        ("eligibility", "Eligibility criteria", extraction_words.eligibility_paragraphs),
        ("search", "Search and selection of studies", extraction_words.search_paragraphs),
        ("outcomes", "Data extraction and effect measures", extraction_words.extraction_paragraphs),
        ("risk-of-bias", "Risk of bias", extraction_words.bias_paragraphs),
        ("statistics", "Synthesis", _statistics),
        ("certainty", "Certainty of the evidence", extraction_words.certainty_paragraphs),
    )
    for id_, title, paragraphs in parts:
        blocks = tuple(item for item in paragraphs(speech) if item.runs)
        if blocks:
            yield Section(id=id_, title=title, blocks=blocks)


def _design(speech: Speech) -> list[Paragraph]:
    """What it is, whether it was registered, and when it was planned."""
    guidelines = design_paragraphs(speech)[-1]
    return [paragraph(*_registered(speech)), guidelines]


def _registered(speech: Speech) -> Iterator[str]:
    study = speech.plan.protocol.study
    yield f"This {speech.is_} a systematic review with {_kinds(speech.plan)}."
    yield (
        registration_sentence(study)
        .replace("This study was", "This review was")
        .replace("The study was", "The review was")
    )
    late = [item.id for item in speech.plan.analyses if item.planned == "after-data"]
    whole = len(late) == len(speech.plan.analyses)
    version = f" (version {study.version}{f', {study.date}' if study.date else ''})" if study.version else ""
    if late and whole:
        yield f"The analyses are written in a protocol{version} that was made after the results had been seen; they are exploratory."
        return
    yield f"The analyses {speech.are} specified in a written protocol{version}."
    if late:
        yield f"{listed(late)} {'were' if len(late) > 1 else 'was'} added after the results had been seen."
    yield "Results of published studies can be known before a review is planned; only a registration shows when the plan was made."
    if speech.plan.protocol.amendments and speech.tense == "past":
        yield "Every amendment of the protocol is listed on the first page."


def _kinds(plan: Plan) -> str:
    networks = [item.method == NETWORK for item in plan.analyses]
    if networks and all(networks):
        return "network meta-analysis"
    return "meta-analysis and network meta-analysis" if any(networks) else "meta-analysis"


def _statistics(speech: Speech) -> list[Paragraph]:
    """Each analysis, its edits, subgroups, the multiverse, and conventions."""
    found = [
        *synthesis_words.analysis_paragraphs(speech),
        synthesis_words.subgroup_paragraph(speech),
        synthesis_words.multiverse_paragraph(speech),
        _shown(speech),
        *convention_paragraphs(speech),
        not_run_paragraph(speech),
    ]
    return [item for item in found if item is not None]


def _shown(speech: Speech) -> Paragraph:
    """How results are tabulated and drawn."""
    networks = any(item.method == NETWORK for item in speech.plan.analyses)
    pooled = any(item.method != NETWORK for item in speech.plan.analyses)
    pictures = [
        *(["in forest plots"] if pooled else []),
        *(["in a graph of the network and a league table"] if networks else []),
    ]
    return paragraph(
        f"The effects of single studies {speech.are} tabulated with their sources, and syntheses {speech.are} shown in tables and {listed(pictures)}."
    )
