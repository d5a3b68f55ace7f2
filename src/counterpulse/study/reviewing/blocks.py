"""What a review tells beside its analyses, as blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterpulse.results import Block, Cell
from counterpulse.results.block import KINDS

REVIEW = "review"
"""What stands for an analysis in the blocks that belong to none."""


def columns_of(kind: str, rows: Sequence[Mapping[str, Cell]]) -> dict[str, tuple[Cell, ...]]:
    """The columns of a kind of block from its rows."""
    return {name: tuple(row[name] for row in rows) for name in KINDS[kind]}


def review_block(kind: str, rows: Sequence[Mapping[str, Cell]]) -> Block:
    """A block of the review as a whole."""
    return Block(id=f"{REVIEW}.{kind}", analysis=REVIEW, kind=kind, columns=columns_of(kind, rows))
