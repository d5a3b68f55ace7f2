"""The report as a value: sections, paragraphs, tables and figures, with nothing said about HTML, Word or PDF.

Text is plain text everywhere; a renderer escapes it. A number carries the id of the result it prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from counterpulse.report.figures.scene import Scene

Emphasis = Literal["plain", "strong", "emphasis", "code"]
Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a paragraph. `result` is the id of the number it prints; `cites` are numbers of references."""

    text: str
    emphasis: Emphasis = "plain"
    result: str | None = None
    cites: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text."""

    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """The words alone."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, with bullets or numbered."""

    items: tuple[Paragraph, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Definitions:
    """Terms with what they are, in order."""

    entries: tuple[tuple[str, Paragraph], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """A box that must be seen: what kind of data these are, a warning, the key result."""

    kind: Literal["data-kind", "warning", "note", "key-result"]
    title: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell. `result` is the id of the number it prints, `notes` the marks of the footnotes it refers to."""

    text: str = ""
    result: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head and how its cells are set."""

    head: Cell
    align: Align = "center"


@dataclass(frozen=True, slots=True)
class Spanner:
    """A head over several columns, from the first to the last of them (counted from 0)."""

    text: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row; its first cell is its head. A row that groups the rows under it has one cell only."""

    cells: tuple[Cell, ...]
    indent: int = 0
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Footnote:
    """A footnote of a table; without a mark it concerns the whole table."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its number, title, heads, rows and footnotes.

    A `wide` one needs a page on its side; `alternative` says in a sentence what it holds, for those who do not see it.
    """

    id: str
    label: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    spanners: tuple[Spanner, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    wide: bool = False
    alternative: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure, drawn but not yet in any format; `alternative` says in words what it shows."""

    id: str
    label: str
    title: str
    caption: str
    alternative: str
    scene: Scene


Block = Paragraph | Listing | Definitions | Callout | Table | Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section; `sections` lie inside it. With `new_page` it begins a page in print."""

    id: str
    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A work, under the number by which the text cites it."""

    number: int
    key: str
    text: str
    doi: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole report.

    `front` stands under the title, before the first section: what kind of data these are, the key result. `mark` stands on
    every page when the patients are not real.
    """

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    references: tuple[Reference, ...] = ()
    mark: str | None = None
    front: tuple[Block, ...] = ()
    colophon: str = ""
    language: str = "en"


def text(words: str) -> Paragraph:
    """Make a paragraph of plain words."""
    return Paragraph((Run(words),))


def blocks_of(sections: Sequence[Section]) -> Iterator[Block]:
    """Every block in reading order, those inside a callout after it."""
    for section in sections:
        for block in section.blocks:
            yield block
            if isinstance(block, Callout):
                yield from block.blocks
        yield from blocks_of(section.sections)
