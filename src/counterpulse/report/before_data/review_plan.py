"""The sections of the analysis plan of a review: its question, how studies are found and judged, and every synthesis."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.report.before_data import plan_sections
from counterpulse.report.before_data.planned_analyses import PLANNED, analyses_section
from counterpulse.report.chapters.context import Counter
from counterpulse.report.chapters.review.edit_words import changed
from counterpulse.report.chapters.review.methods import review_methods_sections
from counterpulse.report.chapters.review.question import objectives_section
from counterpulse.report.chapters.review.synthesis_words import analysis_runs
from counterpulse.report.chapters.speech import Cite, Speech, listed, paragraph
from counterpulse.report.chapters.wording import inside, quoted, sentence
from counterpulse.report.document import Definitions, Run, Section, text

BEFORE = ("design", "eligibility", "search", "outcomes", "risk-of-bias")


def review_plan_sections(plan: Plan, counter: Counter, cite: Cite) -> tuple[Section, ...]:
    """The sections in the order of PRISMA 2020, then what a plan needs besides."""
    methods = {section.id: section for section in review_methods_sections(plan, cite=cite)}
    return (
        objectives_section(plan, label=counter.table()),
        *(methods[name] for name in BEFORE if name in methods),
        _flow(plan),
        plan_sections.principles_section(plan),
        *([methods["statistics"]] if "statistics" in methods else []),
        analyses_section(plan, cite, _analysis),
        *([methods["certainty"]] if "certainty" in methods else []),
        plan_sections.software_section(plan),
        plan_sections.amendments_section(plan, counter),
        plan_sections.choices_section(plan, counter, cite),
        plan_sections.signatures_section(counter),
    )


def _flow(plan: Plan) -> Section:
    """What the diagram and the tables of studies will show."""
    words = (
        "A PRISMA 2020 flow diagram will show the records identified and removed, those screened, the reports sought and assessed with the reasons "
        "for exclusion, and the studies included. A table will show every number that is extracted, with the place where it stands; rows that "
        "give no effect will be listed with the reason."
    )
    bias = (
        " The judgments of bias will be shown study by study, beside the forest plots, and summarized."
        if plan.protocol.risk_of_bias
        else ""
    )
    return Section(id="flow-plan", title="Flow of studies and tables", blocks=(text(f"{words}{bias}"),))


def _analysis(speech: Speech, item: PlannedAnalysis) -> Section:
    entries = tuple((term, paragraph(*runs)) for term, *runs in _parts(speech, item))
    return Section(id=f"planned-{item.id}", title=f"{item.id}. {item.label}", blocks=(Definitions(entries),))


def _parts(speech: Speech, item: PlannedAnalysis) -> Iterator[tuple[str, *tuple[Run | str, ...]]]:
    whole = next((other for other in speech.plan.analyses if other.id == item.of), None)
    of = f" of {item.of}" if item.of else ""
    yield "Role", f"{sentence(item.role)}{of}; planned {PLANNED.get(item.planned, item.planned)}."
    yield (
        "Outcome",
        f"{sentence(speech.outcomes(item))}; {listed(list(item.measures))}, with {100 * item.level:g}% intervals.",
    )
    if whole is not None and not item.options.get("moderators"):
        yield "Change", f"{sentence(changed(speech, item, whole))}; all else as in {whole.id}."
    else:
        yield "Method", *analysis_runs(speech, item)
    if item.keep is not None and whole is None:
        yield "Rows", f"Only those for which the rule {quoted(item.keep)} holds."
    planned = speech.plan.subgroups
    if planned is not None and planned.of == item.id:
        yield (
            "Subgroups",
            f"{sentence(listed([inside(entry.label) for entry in planned.by]))}; one test between groups for each.",
        )
