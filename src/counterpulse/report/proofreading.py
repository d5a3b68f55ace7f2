"""Reads a finished report as a copy editor does and says what does not fit together. It judges the page, never the study.

A run does not call it: the tests do, on every shipped study in every style.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterpulse.report.abbreviations import known, used
from counterpulse.report.document import (
    Block,
    Document,
    Figure,
    Row,
    Table,
    cells_of,
    opened,
    paragraphs_of,
    sections_of,
)
from counterpulse.report.figures.scene import Path, Scene

NUMBER = r"\d[\d,\N{NARROW NO-BREAK SPACE}]*"
SHARE = rf"(?P<sign>[<>]?)(?P<share>{NUMBER}(?:[.·]\d+)?)%?"
OF = re.compile(rf"(?<![\d.·])(?P<n>{NUMBER})/(?P<total>{NUMBER}) \({SHARE}\)")
ALONE = re.compile(rf"^(?P<n>{NUMBER}) \({SHARE}\)$")
GROUP_SIZE = re.compile(rf"\([nN]\s*=\s*(?P<total>{NUMBER})\)")
LABEL = re.compile(r"^(?P<series>.*?)(?P<number>\d+)$")
ZERO_P = re.compile(r"\b[Pp]\s*=\s*0?[.·]0+(?!\d)|\b[Pp]\s*=\s*(?:NS|n\.?s\.?)(?!\w)")
ZERO_P_CELL = re.compile(r"^(?:0?[.·]0+|NS|n\.?s\.?)$")
P_HEAD = re.compile(r"\b[Pp] value|\b[Pp] for ")
VERDICT = re.compile(
    r"\b(?:is|was|were|are|had|has|showed|found|made|with) (?:statistically )?no (?:significant )?"
    r"(?:difference|effect|association|benefit)\b|\b(?:not|non)[ -](?:statistically )?significant",
    re.IGNORECASE,
)
INTERVAL = re.compile(r"\d%? ?(?:CI|confidence interval)")
LEFT_OVER = re.compile(r"^None$|(?<=\w )None(?!\w)|(?<![\w'-])(?:nan|NaN|inf|True|False)(?![\w'-])|[{}]|<\w+ object")
BLANK = ("", "\N{EM DASH}", "NA")
DRAWN = {"Shaded": "a pale area", "Dashed": "a dashed line"}


@dataclass(frozen=True, slots=True)
class Remark:
    """What was found: the table, figure or section, what is wrong, and the words in question."""

    place: str
    what: str
    seen: str = ""


def proofread(document: Document) -> tuple[Remark, ...]:
    """Find what does not fit together in a finished report.

    Marks without notes and notes without marks; abbreviations listed but not used, used but not listed; percentages that do
    not follow from their counts; labels twice or missing in their series; P values of nought or "NS"; verdicts of no difference
    without an interval; empty rows, columns and headings; captions that name what is not drawn; citations without a
    reference and references never cited; what a program left over.
    """
    blocks = list(_blocks(document))
    return (
        *(remark for _, block in blocks if isinstance(block, Table) for remark in _table(block)),
        *(remark for _, block in blocks if isinstance(block, Figure) for remark in _caption(block)),
        *(remark for place, words in _sentences(document, blocks) for remark in _words(place, words)),
        *_labels(blocks),
        *_references(document, blocks),
    )


def _blocks(document: Document) -> Iterator[tuple[str, Block]]:
    """Every block with the section it stands in."""
    yield from (("Front", block) for block in opened(document.front))
    for section in sections_of(document.sections):
        yield from ((section.title, block) for block in opened(section.blocks))


def _sentences(document: Document, blocks: Sequence[tuple[str, Block]]) -> Iterator[tuple[str, str]]:
    """Every text with its place; code is what the researcher wrote, and is not read."""
    yield from ((f"Fact {term}", words) for term, words in document.facts)
    for place, block in blocks:
        for paragraph in paragraphs_of(block):
            yield place, "".join(run.text for run in paragraph.runs if run.emphasis != "code")
        if isinstance(block, Figure):
            yield block.label, f"{block.title} {block.caption} {block.alternative}"
        if isinstance(block, Table):
            yield block.label, f"{block.title} {block.alternative}"
            yield from ((block.label, note.text) for note in block.footnotes)
            yield from ((block.label, cell.text) for cell in cells_of(block))


# -- words -------------------------------------------------------------------------------------------------------------


def _words(place: str, words: str) -> Iterator[Remark]:
    if found := ZERO_P.search(words):
        yield Remark(place, "a P value is never nought nor NS", found[0])
    if (found := VERDICT.search(words)) and not INTERVAL.search(words):
        yield Remark(place, "a verdict without an interval", words)
    if found := LEFT_OVER.search(words):
        yield Remark(place, "left over from a program", found[0])


# -- tables ------------------------------------------------------------------------------------------------------------


def _table(table: Table) -> Iterator[Remark]:
    yield from _marks(table)
    yield from _abbreviations(table)
    yield from _percentages(table)
    yield from _p_values(table)
    yield from _empty(table)


def _marks(table: Table) -> Iterator[Remark]:
    referred = dict.fromkeys(mark for cell in cells_of(table) for mark in cell.notes)
    noted = [note.mark for note in table.footnotes if note.mark]
    yield from (Remark(table.label, "a mark without a note", mark) for mark in referred if mark not in noted)
    yield from (Remark(table.label, "a note without a mark", mark) for mark in noted if mark not in referred)
    yield from (Remark(table.label, "two notes of one mark", mark) for mark, n in Counter(noted).items() if n > 1)
    if list(referred) != [mark for mark in noted if mark in referred]:
        yield Remark(table.label, "notes out of order", " ".join(noted))


def _abbreviations(table: Table) -> Iterator[Remark]:
    """Known abbreviations of the table against the note that lists them."""
    listed: dict[str, str] = {}
    rest = [table.title, *(spanner.text for spanner in table.spanners), *(cell.text for cell in cells_of(table))]
    for note in table.footnotes:
        if found := _listed(note.text):
            listed |= found
        else:
            rest.append(note.text)
    there = used(rest)
    yield from (Remark(table.label, "an abbreviation not listed", short) for short in there if short not in listed)
    yield from (
        Remark(table.label, "an abbreviation listed but not used", short) for short in listed if short not in there
    )


def _listed(note: str) -> dict[str, str]:
    """The known abbreviations that a note explains, however the journal sets them."""
    explained = {}
    for short, (words, _) in known().items():
        if re.search(rf"(?<![\w-]){re.escape(short)}(?:, | = |=| denotes | ){re.escape(words)}(?![\w-])", note):
            explained[short] = words
    return explained


def _percentages(table: Table) -> Iterator[Remark]:
    label = ""
    for row in table.rows:
        label = row.cells[0].text if not row.indent else label
        for k, cell in enumerate(row.cells):
            for found in OF.finditer(cell.text):
                if not _follows(found, _whole(found["total"])):
                    yield Remark(table.label, "a percentage that does not follow from its counts", cell.text)
            if not _of_group(table.columns[k].head.text, cell.text, f"{label} {row.cells[0].text}"):
                yield Remark(table.label, "a percentage that does not follow from the size of its group", cell.text)


def _of_group(head: str, cell: str, label: str) -> bool:
    """Whether a count with its percentage fits the size of its group, where it is one and the group says its size."""
    found, total = ALONE.match(cell), GROUP_SIZE.search(head)
    if found is None or total is None or re.search(r"\b(?:mean|median)\b", label):
        return True
    return _follows(found, _whole(total["total"]))


def _whole(digits: str) -> int:
    return int(re.sub(r"\D", "", digits))


def _follows(found: re.Match[str], total: int) -> bool:
    """Whether a printed percentage is the one of its counts, rounded half up as it is printed."""
    printed = Decimal(re.sub(r"[,\N{NARROW NO-BREAK SPACE}]", "", found["share"]).replace("·", "."))
    if not total:
        return False
    share = 100 * Decimal(_whole(found["n"])) / Decimal(total)
    if found["sign"]:
        return share < printed if found["sign"] == "<" else share > printed
    exponent = printed.as_tuple().exponent
    half = Decimal(5).scaleb((exponent if isinstance(exponent, int) else 0) - 1)
    return -half <= share - printed < half


def _p_values(table: Table) -> Iterator[Remark]:
    for k, column in enumerate(table.columns):
        if not P_HEAD.search(column.head.text):
            continue
        for row in table.rows:
            if len(row.cells) > k and ZERO_P_CELL.match(row.cells[k].text):
                yield Remark(table.label, "a P value is never nought nor NS", row.cells[k].text)


def _empty(table: Table) -> Iterator[Remark]:
    rows = [row for row in table.rows if len(row.cells) > 1]
    if not table.rows:
        yield Remark(table.label, "a table without rows")
    for k, row in enumerate(table.rows):
        if not any(cell.text for cell in row.cells):
            yield Remark(table.label, "an empty row")
        elif not any(cell.text for cell in row.cells[1:]) and not _opens(row, table.rows[k + 1 : k + 2]):
            yield Remark(table.label, "a heading with nothing under it", row.cells[0].text)
    for k, column in enumerate(table.columns):
        if rows and all(len(row.cells) <= k or row.cells[k].text in BLANK for row in rows):
            yield Remark(table.label, "an empty column", column.head.text)


def _opens(heading: Row, below: Sequence[Row]) -> bool:
    """Whether a row that is only a heading has a row of its own after it."""
    return any(row.indent > heading.indent or len(heading.cells) == 1 < len(row.cells) for row in below)


# -- figures -----------------------------------------------------------------------------------------------------------


def _caption(figure: Figure) -> Iterator[Remark]:
    for word, what in DRAWN.items():
        if re.search(rf"\b{word}\b", figure.caption) and not _drawn(word, figure.scene):
            yield Remark(figure.label, f"the caption speaks of {what} that is not drawn", word)


def _drawn(word: str, scene: Scene) -> bool:
    paths = [shape for shape in scene.shapes if isinstance(shape, Path)]
    if word == "Dashed":
        return any(path.dash for path in paths)
    return any(path.fill and path.opacity < 1 for path in paths)


# -- labels and references ---------------------------------------------------------------------------------------------


def _labels(blocks: Sequence[tuple[str, Block]]) -> Iterator[Remark]:
    labels = [block.label for _, block in blocks if isinstance(block, Table | Figure)]
    yield from (Remark(label, "a label given twice") for label, n in Counter(labels).items() if n > 1)
    series: dict[str, list[int]] = {}
    for label in dict.fromkeys(labels):
        if found := LABEL.match(label):
            series.setdefault(found["series"], []).append(int(found["number"]))
    for name, numbers in series.items():
        if numbers != list(range(1, len(numbers) + 1)):
            yield Remark(name.strip(), "numbers out of order or missing", ", ".join(map(str, numbers)))


def _references(document: Document, blocks: Sequence[tuple[str, Block]]) -> Iterator[Remark]:
    cited = {
        number
        for _, block in blocks
        for paragraph in paragraphs_of(block)
        for run in paragraph.runs
        for number in run.cites
    }
    for _, block in blocks:
        if isinstance(block, Table):
            cited |= _cited_in(block)
    listed = [work.number for work in document.references]
    yield from (
        Remark("References", "a citation without a reference", str(number)) for number in sorted(cited - {*listed})
    )
    yield from (
        Remark("References", "a reference never cited", str(number)) for number in listed if number not in cited
    )
    yield from (
        Remark("References", "a number given twice", str(number)) for number, n in Counter(listed).items() if n > 1
    )


def _cited_in(table: Table) -> set[int]:
    """The works that a column of references names."""
    columns = [k for k, column in enumerate(table.columns) if column.head.text in ("Reference", "References")]
    texts = [row.cells[k].text for row in table.rows for k in columns if len(row.cells) > k]
    return {int(number) for text in texts for number in re.findall(r"\d+", text)}
