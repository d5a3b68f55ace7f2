"""Naive and safe answers about immortal time side by side, after the primary analysis."""

from __future__ import annotations

from counterpulse.report.chapters.blocks.immortal_time import immortal_time_blocks
from counterpulse.report.chapters.blocks.kinds import IMMORTAL_TIME
from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Section


def immortal_time_section(context: Context) -> Section | None:
    """The same question under each plan; nothing where one plan was tried."""
    blocks = [block for block in context.result.blocks if block.kind == IMMORTAL_TIME]
    if not blocks:
        return None
    parts = immortal_time_blocks(context, blocks)
    return (
        Section(id=IMMORTAL_TIME, title="Immortal time: naive and safe answers", blocks=tuple(parts)) if parts else None
    )
