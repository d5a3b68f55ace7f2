"""Places that a cell names, as links: "Tables 2, S3–S5; Figure 1", or the titles of sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from counterpulse.report.document import Cell, Figure, Section, Table, blocks_of, sections_of

SEVERAL = re.compile(r"(Table|Figure)s? (.+)")
NUMBER = re.compile(r"[A-Z]?\d+")


def places_of(sections: Sequence[Section]) -> dict[str, str]:
    """The ids of sections by their titles, and of tables and figures by their labels."""
    places = {section.title: section.id for section in sections_of(sections)}
    return places | {block.label: block.id for block in blocks_of(sections) if isinstance(block, Table | Figure)}


def linked(words: str, places: Mapping[str, str]) -> Cell:
    """A cell in which every place that is known leads there."""
    return Cell(words, links=tuple((name, places[place]) for name, place in _named(words) if place in places))


def _named(words: str) -> Iterator[tuple[str, str]]:
    """The words that stand for places, in order, with the label or title of each."""
    for part in words.split("; "):
        displays = SEVERAL.fullmatch(part)
        if displays is None:
            yield from ((title, title) for title in part.split(", "))
        elif NUMBER.fullmatch(displays[2]):
            yield part, part
        else:
            yield from ((number, f"{displays[1]} {number}") for number in NUMBER.findall(displays[2]))
