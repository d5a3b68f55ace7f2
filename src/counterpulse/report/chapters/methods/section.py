"""The methods section: design, patients, exposure, outcomes, statistics, each in full sentences from the plan.

Everything but `methods_section` needs a plan only: an analysis plan is composed of the same words before there are data.
"""

from __future__ import annotations

from counterpulse.protocol.plan import Plan
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.methods.conventions import (
    convention_paragraphs,
    description_paragraph,
    not_run_paragraph,
    subgroup_paragraph,
)
from counterpulse.report.chapters.methods.design_words import (
    design_paragraphs,
    eligibility_paragraphs,
    exposure_paragraphs,
    outcome_paragraphs,
)
from counterpulse.report.chapters.methods.missing_words import missing_paragraph
from counterpulse.report.chapters.methods.robustness_words import robustness_paragraph
from counterpulse.report.chapters.methods.statistics_words import analysis_paragraphs
from counterpulse.report.chapters.methods.trial_conduct import trial_sections
from counterpulse.report.chapters.speech import Cite, Speech, Tense, uncited
from counterpulse.report.document import Block, Definitions, Paragraph, Section, text


def methods_section(context: Context) -> Section:
    """The methods of a study that was run."""
    speech = Speech(context.plan, cite=context.cite, result=context.result, style=context.style)
    return Section(id="methods", title="Methods", sections=_sections(speech))


def methods_sections(plan: Plan, *, tense: Tense = "future", cite: Cite = uncited) -> tuple[Section, ...]:
    """The sections of the methods from a plan alone, as an analysis plan prints them."""
    return _sections(Speech(plan, tense=tense, cite=cite))


def _sections(speech: Speech) -> tuple[Section, ...]:
    parts = (
        ("design", "Study design", design_paragraphs(speech)),
        ("eligibility", "Patients", eligibility_paragraphs(speech)),
        ("exposure", "Treatment groups and follow-up", exposure_paragraphs(speech)),
        ("outcomes", "Outcomes", outcome_paragraphs(speech)),
        ("variables", "Derived variables", _derived(speech)),
        ("statistics", "Statistical analysis", statistics_paragraphs(speech)),
    )
    *first, statistics = (Section(id=id_, title=title, blocks=tuple(blocks)) for id_, title, blocks in parts if blocks)
    return (*first, *trial_sections(speech.plan), statistics)


def _derived(speech: Speech) -> list[Block]:
    derived = [item for item in speech.plan.variables.values() if item.definition]
    return [Definitions(tuple((item.label, text(str(item.definition))) for item in derived))] if derived else []


def statistics_paragraphs(speech: Speech) -> list[Paragraph]:
    """Descriptions, analyses, subgroups, missing values, conventions."""
    found = [
        description_paragraph(speech),
        *analysis_paragraphs(speech),
        subgroup_paragraph(speech),
        missing_paragraph(speech),
        robustness_paragraph(speech),
        *convention_paragraphs(speech),
        not_run_paragraph(speech),
    ]
    return [item for item in found if item is not None and item.runs]
