"""The certainty of the evidence: what was rated, what is asked for, and the tables of GRADE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from counterpulse.report.chapters.blocks.renderers import RENDERERS
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.review.synthesis import review_block
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside
from counterpulse.report.document import Block, Section, Table, text

LEVELS = ("very low", "low", "moderate", "high")
FINDINGS, DOMAINS = "summary-of-findings", "certainty"
LOWERING = ("risk of bias", "inconsistency", "indirectness", "imprecision", "publication bias")
"""The domains without whose judgment nothing is rated; those that raise a rating may be left open."""


def certainty_section(context: Context) -> Section | None:
    """The summary of findings and the domains behind each rating."""
    blocks = [*_said(context), *_findings(context), *_domains(context)]
    return (
        Section(id="certainty-results", title="Summary of findings and certainty", blocks=tuple(blocks))
        if blocks
        else None
    )


def certainty_of(context: Context, outcome: str) -> str | None:
    """The certainty of an outcome, "asked for" where a judgment is missing, None where the protocol does not ask for it."""
    block = review_block(context, FINDINGS)
    rows = block.rows() if block is not None else []
    found = next((row["certainty"] for row in rows if row["outcome"] == outcome), None)
    return None if found is None else str(found)


def open_domains(context: Context, outcome: str) -> list[str]:
    """The domains of an outcome whose judgment the rating waits for."""
    block = review_block(context, DOMAINS)
    rows = block.rows() if block is not None else []
    return [
        str(row["domain"])
        for row in rows
        if row["outcome"] == outcome and not row["judged"] and row["domain"] in LOWERING
    ]


def _said(context: Context) -> Iterator[Block]:
    for outcome in context.plan.outcomes:
        level, label = certainty_of(context, outcome), inside(context.outcome_label(outcome))
        if level in LEVELS:
            yield text(f"By GRADE, the certainty of the evidence for {label} was {level}.")
        elif level is not None:
            waiting = open_domains(context, outcome)
            yield text(
                f"The certainty of the evidence for {label} is not rated: these domains are still to be judged by the reviewers: {listed(waiting)}."
            )


def _findings(context: Context) -> Iterator[Block]:
    """The summary of findings stands among the main tables."""
    block = review_block(context, FINDINGS)
    if block is None:
        return
    for item in RENDERERS[FINDINGS](context, block):
        if isinstance(item, Table):
            context.counter.supplements -= 1
            yield replace(item, label=context.counter.table())
        else:
            yield item


def _domains(context: Context) -> list[Block]:
    block = review_block(context, DOMAINS)
    return [] if block is None else list(RENDERERS[DOMAINS](context, block))
