"""What the typefaces that ship can show.

A character is looked for in the families in their order. What none of them holds is shown as its code point in brackets,
so that a label never becomes an empty box and two labels never become one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from unicodedata import category, combining, normalize

from counterpulse.report.fonts.clusters import IGNORABLE, clusters
from counterpulse.report.fonts.face import Face, read_face

FOLDER = Path(str(files("counterpulse.report.fonts")))
FAMILIES = ("Liberation Sans", "DejaVu Sans", "Droid Sans Fallback")
"""In the order in which a character is looked for."""
FILES = {
    "Liberation Sans": ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    "DejaVu Sans": ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    "Droid Sans Fallback": ("DroidSansFallbackFull.ttf", "DroidSansFallbackFull.ttf"),
}
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSHOWABLE = ("Cc", "Cf", "Cs", "Co", "Cn")
BLANK = ("Zs", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Family:
    """A family in its two weights."""

    name: str
    regular: Face
    bold: Face

    def holds(self, text: str) -> bool:
        """Whether both weights hold every character that shows."""
        return all(
            character in IGNORABLE or (self.regular.holds(character) and self.bold.holds(character))
            for character in text
        )

    def face(self, *, bold: bool) -> Face:
        """The face of a weight."""
        return self.bold if bold else self.regular


@cache
def family(name: str) -> Family:
    """A family that ships."""
    regular, bold = FILES[name]
    return Family(name, read_face(FOLDER / regular), read_face(FOLDER / bold))


@lru_cache(maxsize=8192)
def family_of(cluster: str) -> Family | None:
    """The first family that holds what a reader sees as one character; None when none does."""
    return next((known for known in map(family, FAMILIES) if known.holds(cluster)), None)


@lru_cache(maxsize=8192)
def shown(text: str) -> str:
    """A text as the families that ship can show it, on one line or several; it has no control character.

    Letters and their marks are in Unicode's composed form. Controls, also those of direction, become U+FFFD; a character that no family holds becomes "[U+1F9E0]".
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, clusters(normalize("NFC", text))))


@lru_cache(maxsize=8192)
def _shown(cluster: str) -> str:
    if cluster in ("\n", " "):
        return cluster
    if all(map(_plain, cluster)) and family_of(cluster):
        return cluster
    return "".join(map(_alone, cluster))


def _plain(character: str) -> bool:
    return character in IGNORABLE or category(character) not in UNSHOWABLE


def _alone(character: str) -> str:
    """A character by itself; a mark that no family can set on its letter is named."""
    kind = category(character)
    if character in IGNORABLE:
        return ""
    if kind in BLANK or character == "\t":
        return character if kind == "Zs" and family_of(character) else " "
    if kind in UNSHOWABLE and kind not in ("Co", "Cn"):
        return REPLACEMENT
    bare = not combining(character) and kind not in ("Mn", "Me", "Mc", "Co", "Cn")
    return character if bare and family_of(character) else f"[U+{ord(character):04X}]"
