"""The heads of the columns that count the patients of each group, under what they count."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Cell, Column, Spanner


def group_heads(labels: Sequence[str], counted: str, *, first: int = 1) -> tuple[list[Column], tuple[Spanner, ...]]:
    """A column for each group from the `first` on; what is `counted` stands once over several groups, or under one."""
    if len(labels) < 2:
        return [Column(Cell(f"{label}\n{counted}")) for label in labels], ()
    return [Column(Cell(label)) for label in labels], (Spanner(sentence(counted), first, first + len(labels) - 1),)
