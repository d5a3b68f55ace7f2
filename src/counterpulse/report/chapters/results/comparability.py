"""What made the groups of an analysis comparable: balance, sizes, overlap and weights, printed before its effects."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.blocks.kinds import COMPARABILITY
from counterpulse.report.chapters.blocks.renderers import RENDERERS
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.speech import listed
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import text
from counterpulse.results import AnalysisRecord, Block


def comparability(context: Context, record: AnalysisRecord) -> list[DocumentBlock]:
    """The tables and figures, or the analysis that shows the same ones already."""
    ids = [item.id for item in context.result.analyses]
    so_far = ids[: ids.index(record.id) + 1]
    blocks = [block for block in context.result.blocks if block.kind in COMPARABILITY and block.analysis in so_far]
    own = [block for block in blocks if block.analysis == record.id]
    first = [_first(block, blocks) for block in own]
    new = [block for block, known in zip(own, first, strict=True) if known is block]
    elsewhere = list(dict.fromkeys(known.analysis for known in first if known.analysis != record.id))
    words = (
        text(f"How the groups were made comparable, and how far, is shown with {listed(elsewhere)}.")
        if elsewhere and not new
        else None
    )
    return [*([words] if words else []), *_rendered(context, new)]


def _first(block: Block, blocks: Sequence[Block]) -> Block:
    """The first block that holds the same."""
    return next(other for other in blocks if other.kind == block.kind and other.columns == block.columns)


def _rendered(context: Context, blocks: Sequence[Block]) -> list[DocumentBlock]:
    return [
        part
        for kind in COMPARABILITY
        for block in blocks
        if block.kind == kind
        for part in RENDERERS[kind](context, block)
    ]
