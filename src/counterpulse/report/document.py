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
    """A cell. `result` is the id of the number it prints, `notes` the marks of the footnotes it refers to.

    `links` are words of the text, in its order, each with the id of the section, table or figure that they lead to.
    """

    text: str = ""
    result: str | None = None
    notes: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    def pieces(self) -> Iterator[tuple[str, str | None]]:
        """The text in pieces, each with the id of what it leads to, if anything."""
        rest = self.text
        for words, place in self.links:
            before, found, rest = rest.partition(words)
            yield from ((piece, to) for piece, to in ((before, None), (found, place)) if piece)
        if rest or not self.text:
            yield rest, None


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


def columns_of(heads: Sequence[str], *, words: int | None = None, align: Align = "center") -> tuple[Column, ...]:
    """Columns by their heads; the first `words` of them, or all, begin at the left, the others are set as `align` says."""
    left = len(heads) if words is None else words
    return tuple(Column(Cell(head), "left" if k < left else align) for k, head in enumerate(heads))


def sections_of(sections: Sequence[Section]) -> Iterator[Section]:
    """Every section in reading order, those inside it after each."""
    for section in sections:
        yield section
        yield from sections_of(section.sections)


def opened(blocks: Sequence[Block]) -> Iterator[Block]:
    """Every block, those inside a callout after it."""
    for block in blocks:
        yield block
        if isinstance(block, Callout):
            yield from opened(block.blocks)


def blocks_of(sections: Sequence[Section]) -> Iterator[Block]:
    """Every block of every section in reading order."""
    for section in sections_of(sections):
        yield from opened(section.blocks)


def paragraphs_of(block: Block) -> tuple[Paragraph, ...]:
    """The paragraphs of a text, a list or definitions; none of other blocks."""
    if isinstance(block, Paragraph):
        return (block,)
    if isinstance(block, Listing):
        return block.items
    return tuple(words for _, words in block.entries) if isinstance(block, Definitions) else ()


def cells_of(table: Table) -> Iterator[Cell]:
    """Every cell as a reader meets it: the heads, then row by row."""
    yield from (column.head for column in table.columns)
    for row in table.rows:
        yield from row.cells
