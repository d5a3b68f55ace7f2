"""What is counted while a Word file is written: bookmarks, pictures, lists, captions, and where each result is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.report.render.word.package import WordPackage

BULLETS = 1
"""The number of the one list with bullets; those of ordered lists follow."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A number as it is printed: the id of its result, its text, the place, and the bookmark that stands there."""

    result: str
    printed: str
    place: str
    bookmark: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, for the contents: its words, its level from 1, and the bookmark that stands there."""

    title: str
    level: int
    bookmark: str


@dataclass(slots=True)
class Ledger:
    """The counts of one file. `place` names what is being written, for the index."""

    package: WordPackage
    pictures: Mapping[str, bytes]
    place: str = "Title page"
    entries: list[Entry] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    targets: dict[str, str] = field(default_factory=dict)
    _reached: set[str] = field(default_factory=set)
    _bookmarks: int = 0
    _names: dict[str, int] = field(default_factory=dict)
    _pictures: int = 0
    _captions: dict[str, int] = field(default_factory=dict)

    def bookmark(self, content: str, name: str) -> str:
        """Content between the ends of a new bookmark."""
        self._bookmarks += 1
        start = f'<w:bookmarkStart w:id="{self._bookmarks}" w:name="{name}"/>'
        return f'{start}{content}<w:bookmarkEnd w:id="{self._bookmarks}"/>'

    def name(self, kind: str) -> str:
        """The next name of a kind of bookmark: short and plain, as Word wants it."""
        self._names[kind] = self._names.get(kind, 0) + 1
        return f"{kind}_{self._names[kind]:04d}"

    def printed(self, content: str, text: str, result: str | None) -> str:
        """Runs that print a text, entered in the index when it is a result."""
        if result is None:
            return content
        name = self.name("r")
        self.entries.append(Entry(result, text, self.place, name))
        return self.bookmark(content, name)

    def reserve(self, id_: str, kind: str) -> None:
        """Name the bookmark of a section, table or figure before it is written, so that links can lead there."""
        if id_ not in self.targets:
            self.targets[id_] = self.name(kind)

    def target(self, id_: str, kind: str) -> str:
        """The name of the bookmark of what is now written; of several with one id, links lead to the first."""
        name = self.targets.get(id_)
        if name is None or name in self._reached:
            name = self.name(kind)
        self._reached.add(name)
        return name

    def drawing(self) -> int:
        """The number of a new picture."""
        self._pictures += 1
        return self._pictures

    def ordered_list(self, start: int = 1) -> int:
        """The number of a new ordered list."""
        self.starts.append(start)
        return BULLETS + len(self.starts)

    def follows(self, sequence: str, number: int) -> bool:
        """Whether a caption's number is the next of its sequence, which it now is in any case."""
        before, self._captions[sequence] = self._captions.get(sequence, 0), number
        return number == before + 1
