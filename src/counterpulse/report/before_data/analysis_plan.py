"""The statistical analysis plan: what will be done with the data, written from the plan before there are any.

Its content follows Gamble C, Krishan A, Stocken D, et al. Guidelines for the content of statistical analysis plans in clinical
trials. JAMA 2017;318:2337-43 (doi:10.1001/jama.2017.18556), as far as a protocol knows it; what it does not know is listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version

from counterpulse.protocol.plan import Plan
from counterpulse.report.before_data import plan_sections
from counterpulse.report.before_data.planned_analyses import planned_analyses_section
from counterpulse.report.before_data.review_plan import review_plan_sections
from counterpulse.report.chapters.context import Counter, Works
from counterpulse.report.chapters.finishing import finished_sections
from counterpulse.report.chapters.methods.design_words import DESIGNS, registered
from counterpulse.report.chapters.methods.section import methods_sections
from counterpulse.report.chapters.speech import Cite
from counterpulse.report.chapters.supplement.checklists import checklist_blocks
from counterpulse.report.document import Document, Section, text
from counterpulse.report.number_styles import STYLES

GUIDELINE = "SAP-2017"
STILL_TO_WRITE = (
    "This plan was written from the study's protocol and dictionary by rule; no data were read. The table names the items of the "
    "guideline of Gamble and colleagues (JAMA 2017), in our own words, with the place where each one is addressed and what people "
    "must still write before the plan is signed."
)
OF_REVIEWS, PLANNED_ITEMS = "PRISMA-2020", ("Title", "Introduction", "Methods", "Other information")
"""The guideline of reviews, and those of its parts that a plan can answer."""
REVIEW_STILL_TO_WRITE = (
    "This plan was written from the review's protocol and dictionary by rule; no numbers of studies were read. The table names the items of "
    "PRISMA 2020 that a plan can answer, in our own words, with the place where each one is addressed and what people must still write."
)
FRONT = (
    "design", "eligibility", "exposure", "outcomes", "variables", "randomization", "sample-size", "interim", "adherence",
)  # fmt: skip


def compose_analysis_plan(plan: Plan) -> Document:
    """Compose the statistical analysis plan.

    Parameters
    ----------
    plan : every choice, resolved or stated as its rule
    """
    works, counter = Works(), Counter()
    review = plan.review is not None
    sections = review_plan_sections(plan, counter, works.cite) if review else _of_patients(plan, counter, works.cite)
    numbered = _numbered(sections)
    style = STYLES[plan.protocol.report.style]
    study = plan.protocol.study
    return Document(
        title=study.title,
        subtitle=f"Statistical analysis plan \N{MIDDLE DOT} {DESIGNS.get(study.design, study.design)} \N{MIDDLE DOT} {study.id}",
        facts=tuple(_facts(plan)),
        sections=finished_sections((*numbered, _checklist(plan, numbered, counter)), style),
        references=works.references(),
        colophon=f"Made by Counterpulse {version('counterpulse')} from the protocol. No data were read.",
    )


def _of_patients(plan: Plan, counter: Counter, cite: Cite) -> tuple[Section, ...]:
    """The sections of a study of patients."""
    methods = {section.id: section for section in methods_sections(plan, cite=cite)}
    return (
        plan_sections.objectives_section(plan),
        *(methods[name] for name in FRONT if name in methods),
        plan_sections.flow_section(plan),
        *plan_sections.baseline_section(plan),
        plan_sections.populations_section(plan, counter),
        plan_sections.principles_section(plan),
        *([methods["statistics"]] if "statistics" in methods else []),
        planned_analyses_section(plan, cite),
        *plan_sections.missing_section(plan),
        plan_sections.assumptions_section(plan),
        plan_sections.software_section(plan),
        plan_sections.amendments_section(plan, counter),
        plan_sections.choices_section(plan, counter, cite),
        plan_sections.signatures_section(counter),
    )


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    study = plan.protocol.study
    yield "Registration", registered(study)
    yield "Version", study.version or "not numbered"
    yield "Date", study.date or "not dated"
    if plan.review is not None:
        yield "Results of studies", "not said to have been unknown when this was written"
    unseen = "not said to have been unseen" if study.data_seen_before_plan else "seen by nobody"
    if plan.review is None:
        yield "Outcome data", f"{unseen} when this was written"
    for term, words in (("Setting", study.setting), ("Ethics", study.ethics), ("Funding", study.funding)):
        if words:
            yield term, words
    yield "Protocol digest", plan.protocol_digest
    yield "Dictionary digest", plan.dictionary_digest


def _checklist(plan: Plan, sections: tuple[Section, ...], counter: Counter) -> Section:
    label = counter.supplement()
    review = plan.review is not None
    blocks = (
        checklist_blocks(OF_REVIEWS, plan, sections, label=label, only=PLANNED_ITEMS)
        if review
        else checklist_blocks(GUIDELINE, plan, sections, label=label)
    )
    return Section(
        id="checklist",
        title=f"{len(sections) + 1}. What must still be written",
        blocks=(text(REVIEW_STILL_TO_WRITE if review else STILL_TO_WRITE), *blocks),
        new_page=True,
    )


def _numbered(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Sections with their numbers, as a plan that is signed is cited by them."""
    return tuple(
        replace(
            section,
            title=f"{k}. {section.title}",
            sections=tuple(
                replace(inner, title=f"{k}.{j}. {inner.title}") for j, inner in enumerate(section.sections, start=1)
            ),
        )
        for k, section in enumerate(sections, start=1)
    )
