"""The results of a review: selection, studies, bias, every synthesis with its tables and figures, certainty."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.report.chapters.blocks.block_tables import known
from counterpulse.report.chapters.blocks.renderers import ORDER, RENDERERS, rendered
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.results.effects import ROLES
from counterpulse.report.chapters.review.certainty import certainty_section
from counterpulse.report.chapters.review.included import bias_section, included_section
from counterpulse.report.chapters.review.results_words import results_paragraphs
from counterpulse.report.chapters.review.selection import selection_section
from counterpulse.report.chapters.review.synthesis import (
    POOLED,
    blocks_of_analysis,
    corrected,
    is_regression,
    label_of,
    main_rows,
)
from counterpulse.report.chapters.review.tables import (
    all_syntheses,
    corrected_tables,
    network_tables,
    regression_tables,
    subgroup_table,
)
from counterpulse.report.document import Block, Section, text
from counterpulse.results import AnalysisRecord
from counterpulse.results import Block as ResultBlock

SPECIFICATIONS = ("specification-curve",)
FUNNEL, TESTS = "funnel", "small-study-test"
ONE_BY_ONE = ("cumulative", "leave-one-out", "influence", "gosh")
ENOUGH = 10
FEW = (
    "Fewer than ten studies: no test can tell a small-study effect from chance here. A P value above 0.05 does not mean that there is "
    "none, and the corrected effects are shown for completeness only."
)


def review_results_section(context: Context) -> Section:
    """The results in the order of PRISMA 2020."""
    before = (selection_section(context), included_section(context), bias_section(context))
    return Section(
        id="results",
        title="Results",
        sections=(
            *(section for section in before if section is not None),
            _syntheses(context),
            *_analyses(context),
            *(section for section in (certainty_section(context),) if section is not None),
        ),
    )


def _syntheses(context: Context) -> Section:
    """All results in words and in one table."""
    table = all_syntheses(context)
    blocks: list[Block] = [*results_paragraphs(context), *([table] if table is not None else [])]
    return Section(id="syntheses", title="Results of the syntheses", blocks=tuple(blocks))


def _analyses(context: Context) -> Iterator[Section]:
    for record in context.result.analyses:
        section = _analysis(context, record)
        if section.blocks or section.sections:
            yield section


def _analysis(context: Context, record: AnalysisRecord) -> Section:
    blocks: list[Block] = [
        *network_tables(context, record),
        *rendered(context, record.id, but=(*SPECIFICATIONS, *ONE_BY_ONE, FUNNEL, TESTS)),
        *regression_tables(context, record),
        *subgroup_table(context, record),
    ]
    parts = (
        ("influence", "What moves the effect", rendered(context, record.id, only=ONE_BY_ONE)),
        ("small-study", "Small-study effects", _small_study(context, record)),
    )
    role = ROLES.get(record.role, record.role.capitalize()).removesuffix(" analyses").removesuffix(" analysis")
    return Section(
        id=f"analysis-{record.id}",
        title=f"{record.id}. {_title(context, record)} ({role.lower()})",
        blocks=tuple(blocks),
        sections=tuple(
            Section(id=f"{id_}-{record.id}", title=title, blocks=tuple(found)) for id_, title, found in parts if found
        ),
    )


def _title(context: Context, record: AnalysisRecord) -> str:
    """The label, with the outcome where the review has several and the analysis is of one."""
    names = list(dict.fromkeys(row.outcome for row in context.rows(record.id)))
    label = label_of(context, record, names[0] if len(names) == 1 and len(context.plan.outcomes) > 1 else None)
    regression = is_regression(context, record.id) and record.label.casefold() == POOLED
    return label.replace(record.label, "Meta-regression", 1) if regression else label


def _small_study(context: Context, record: AnalysisRecord) -> list[Block]:
    """The funnel plot, the tests, and the corrected effects; of an edit only where it asks for tests of its own."""
    tests = blocks_of_analysis(context, record.id, TESTS)
    if record.of is not None and not tests:
        return []
    found: list[Block] = []
    asked = bool(tests) or any(corrected(context, record.id, row.outcome) for row in main_rows(context, record.id))
    if asked and _few(tests, context, record):
        found.append(text(FEW))
    for block in sorted(
        blocks_of_analysis(context, record.id, FUNNEL, TESTS), key=lambda block: ORDER.index(block.kind)
    ):
        found += RENDERERS[block.kind](context, block)
    return [*found, *corrected_tables(context, record)]


def _few(tests: list[ResultBlock], context: Context, record: AnalysisRecord) -> bool:
    counts = [known(row["k"]) for block in tests for row in block.rows()]
    counts += [
        known(value)
        for key, value in context.result.details.get(record.id, {}).items()
        if key in {f"{name}.studies" for name in context.plan.outcomes}
    ]
    return any(count is not None and count < ENOUGH for count in counts)
