"""The figures of a document, and their pictures as PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterpulse.report.document import Document, Figure, blocks_of
from counterpulse.report.typesetting import to_pngs


def figures_of(document: Document) -> list[Figure]:
    """Every figure, in reading order."""
    return [block for block in blocks_of(document.sections) if isinstance(block, Figure)]


def pictures_of(figures: Sequence[Figure]) -> Mapping[str, bytes]:
    """Each figure as PNG of 300 dots an inch, by its id."""
    return dict(zip((figure.id for figure in figures), to_pngs([figure.scene for figure in figures]), strict=True))
