"""The order of a review's report."""

from __future__ import annotations

from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.limitations.section import limitations_section
from counterpulse.report.chapters.methods.design_words import registered
from counterpulse.report.chapters.results.robustness_section import robustness_section
from counterpulse.report.chapters.review.limitations import review_limitations
from counterpulse.report.chapters.review.methods import review_methods_section
from counterpulse.report.chapters.review.question import objectives_section
from counterpulse.report.chapters.review.results import review_results_section
from counterpulse.report.chapters.review.synthesis import review_block
from counterpulse.report.document import Section


def review_sections(context: Context) -> tuple[Section, ...]:
    """The chapters of a review between the page for reviewers and the supplement."""
    before = (
        objectives_section(context.plan, label=context.counter.table()),
        review_methods_section(context),
        review_results_section(context),
    )
    robustness = robustness_section(context)
    return (
        *before,
        *(() if robustness is None else (robustness,)),
        limitations_section(context, review_limitations(context)),
    )


def review_facts(context: Context) -> tuple[tuple[str, str], ...]:
    """What stands under the title."""
    study = context.plan.protocol.study
    block = review_block(context, "effect-sizes")
    rows = block.rows() if block is not None else []
    studies = len({row["study"] for row in rows})
    facts = [
        ("Registration", registered(study)),
        ("Protocol version", study.version),
        ("Protocol date", study.date),
        (
            "Extraction table",
            f"{numbers.count(studies, context.style)} studies, {numbers.count(len(rows), context.style)} rows"
            if rows
            else None,
        ),
        ("Funding", study.funding),
    ]
    return tuple((term, words) for term, words in facts if words)
