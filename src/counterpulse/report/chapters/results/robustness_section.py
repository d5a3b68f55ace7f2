"""How firmly the conclusions stand: confounding, missing values, choices, and how the analyses do where the truth is known."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.blocks.kinds import CONFOUNDING, REHEARSAL, SPECIFICATIONS, TIPPING
from counterpulse.report.chapters.blocks.renderers import RENDERERS
from counterpulse.report.chapters.blocks.robustness import tipping_points, tipping_table
from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Section
from counterpulse.results import Block

PARTS = {
    "e-values": ("Unmeasured confounding", CONFOUNDING),
    "tipping-points": ("Missing values that are unlike the observed ones", (TIPPING,)),
    "specifications": ("Other defensible choices", (SPECIFICATIONS,)),
    "rehearsal": ("The analyses where the truth is known", (REHEARSAL,)),
}
"""Sections by id: their titles, and the kinds of blocks that they show."""
JOINED = ("e-value",)
"""Kinds of which all blocks make one table."""


def robustness_section(context: Context) -> Section | None:
    """The section with a part for each question; nothing where nothing was asked."""
    parts = tuple(
        Section(id=id_, title=title, blocks=tuple(blocks))
        for id_, (title, kinds) in PARTS.items()
        if (blocks := _blocks(context, kinds))
    )
    return Section(id="robustness", title="Robustness", sections=parts) if parts else None


def _blocks(context: Context, kinds: Sequence[str]) -> list[DocumentBlock]:
    if kinds == (TIPPING,):
        return _tipping(context)
    return [
        part
        for kind in kinds
        for block in joined([block for block in context.result.blocks if block.kind == kind])
        for part in RENDERERS[kind](context, block)
    ]


def _tipping(context: Context) -> list[DocumentBlock]:
    """The curves of the primary analysis, and the tipping points of the others in a table."""
    blocks = [block for block in context.result.blocks if block.kind == TIPPING]
    primary = {record.id for record in context.result.analyses if record.role == "primary"}
    drawn = [block for block in blocks if block.analysis in primary] or blocks[:1]
    others = [block for block in blocks if block not in drawn]
    return [*(part for block in drawn for part in tipping_points(context, block)), *tipping_table(context, others)]


def joined(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks of a kind, those that make one table together as one."""
    if len(blocks) < 2 or blocks[0].kind not in JOINED:
        return blocks
    return [together(blocks, "robustness")]


def together(blocks: Sequence[Block], name: str) -> Block:
    """Blocks of one kind as one, their rows in order."""
    first = blocks[0]
    columns = {column: tuple(cell for block in blocks for cell in block.columns[column]) for column in first.columns}
    return Block(id=f"{name}.{first.kind}", analysis=name, kind=first.kind, columns=columns)
