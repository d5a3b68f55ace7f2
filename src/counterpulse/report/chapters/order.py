"""The order of the report."""

from __future__ import annotations

from counterpulse.errors import UsageError
from counterpulse.protocol.plan import Plan
from counterpulse.report.chapters.blocks.renderers import rendered
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.finishing import finished_blocks, finished_sections
from counterpulse.report.chapters.limitations.section import limitations_section
from counterpulse.report.chapters.methods.design_words import DESIGNS, registered
from counterpulse.report.chapters.methods.section import methods_section
from counterpulse.report.chapters.participants.cohort import cohort_section
from counterpulse.report.chapters.participants.table_one import table_one_section
from counterpulse.report.chapters.results.effects import DESCRIPTION, PER_PARAMETER, results_section
from counterpulse.report.chapters.results.key_result import key_result
from counterpulse.report.chapters.results.robustness_section import robustness_section
from counterpulse.report.chapters.review.data_protection import review_data_protection_section
from counterpulse.report.chapters.review.key_result import review_key_result
from counterpulse.report.chapters.review.order import review_facts, review_sections
from counterpulse.report.chapters.supplement.checklists import checklist_sections
from counterpulse.report.chapters.supplement.data_protection import data_protection_section
from counterpulse.report.chapters.supplement.imputation import imputation_section
from counterpulse.report.chapters.supplement.provenance import choices_section, provenance_section
from counterpulse.report.chapters.supplement.reviewers import reviewers_section
from counterpulse.report.chapters.unshifted import unshifted
from counterpulse.report.document import Callout, Document, Section, text
from counterpulse.report.number_styles import STYLES
from counterpulse.results import StudyResult

EXPLAINED = {
    "mock": "The patients were made up from the dictionary to rehearse the study. No number here says anything about a treatment.",
    "synthetic": "The patients were generated. No number here describes a real patient.",
    "simulated": "The patients come from a simulation. No number here describes a real patient.",
}


def compose(result: StudyResult, plan: Plan, *, style: str | None = None) -> Document:
    """Compose the report.

    Parameters
    ----------
    result : what a run found
    plan : the plan it carried out, for labels and sentences
    style : a journal's number style; default: the protocol's `report: style`

    Raises
    ------
    UsageError : there is no such style
    """
    name = style or plan.protocol.report.style
    if name not in STYLES:
        raise UsageError(f"there is no number style {name!r}; the styles are {', '.join(STYLES)}")
    context = Context(plan, unshifted(result, plan), STYLES[name])
    first = key_result(context) if plan.review is None else review_key_result(context)
    front = tuple(box for box in (_banner(context), first) if box)
    sections = _sections(context, name)
    return Document(
        title=result.identity.title,
        subtitle=f"{DESIGNS.get(result.identity.design, result.identity.design)} \N{MIDDLE DOT} {result.identity.id}",
        facts=_facts(context) if plan.review is None else review_facts(context),
        sections=finished_sections(sections, context.style),
        references=context.references(),
        mark=context.mark,
        front=finished_blocks(front, context.style),
        colophon=_colophon(context, name),
    )


def _sections(context: Context, style: str) -> tuple[Section, ...]:
    """The chapters in the order of reading, in which tables and works are numbered; the page for reviewers and the checklists know them all."""
    review = context.plan.review is not None
    study = review_sections(context) if review else _study(context)
    reviewers = reviewers_section(context, study, style=style)
    sections = (
        reviewers,
        *study,
        choices_section(context),
        review_data_protection_section(context) if review else data_protection_section(context),
        provenance_section(context),
    )
    return (*sections, *checklist_sections(context, sections))


def _study(context: Context) -> tuple[Section, ...]:
    """The chapters of a study of patients."""
    return (
        methods_section(context),
        cohort_section(context),
        *_some(table_one_section(context)),
        *_some(_description(context)),
        results_section(context),
        *_some(robustness_section(context)),
        limitations_section(context),
        *_some(imputation_section(context)),
    )


def _some(section: Section | None) -> tuple[Section, ...]:
    return () if section is None else (section,)


def _description(context: Context) -> Section | None:
    """What is described beyond Table 1."""
    blocks = rendered(context, DESCRIPTION, but=PER_PARAMETER)
    return Section(id="description", title="Description", blocks=tuple(blocks)) if blocks else None


def _facts(context: Context) -> tuple[tuple[str, str], ...]:
    study = context.plan.protocol.study
    read = context.step("read")
    facts = [
        ("Registration", registered(study)),
        ("Protocol version", study.version),
        ("Protocol date", study.date),
        ("Records read", None if read is None or read.n is None else context.count(read.n)),
        ("Setting", study.setting),
        ("Ethics", study.ethics),
        ("Funding", study.funding),
    ]
    return tuple((term, words) for term, words in facts if words)


def _banner(context: Context) -> Callout | None:
    if context.mark is None:
        return None
    return Callout(kind="data-kind", title=context.mark, blocks=(text(EXPLAINED[context.result.data_kind]),))


def _colophon(context: Context, style: str) -> str:
    software = context.result.identity.software
    version = f" {software['counterpulse']}" if "counterpulse" in software else ""
    return f"Made by Counterpulse{version} from the protocol, without editing. Number style: {style}."
