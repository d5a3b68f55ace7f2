"""What a reader sees as one character: a letter with its marks, a sequence of pictographs joined into one.

The rules are those of Unicode's text segmentation (UAX 29) as far as labels need them.
"""

from __future__ import annotations

from unicodedata import category, east_asian_width

JOINER = "\N{ZERO WIDTH JOINER}"
IGNORABLE = frozenset({"\N{ZERO WIDTH SPACE}", "\N{ZERO WIDTH NON-JOINER}", JOINER, "\N{WORD JOINER}"}) | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)
"""Characters without ink or width: joiners and selectors of a variant."""
MARKS = ("Mn", "Me", "Mc")
NO_START = frozenset("、。，．・：；？！ー）］｝〉》」』】〕〟…‥々〻ぁぃぅぇぉっゃゅょァィゥェォッャュョ％°")
"""What cannot begin a line in Chinese and Japanese."""
NO_END = frozenset("（［｛〈《「『【〔〝")
"""What cannot end one."""


def clusters(text: str) -> list[str]:
    """The text in the pieces that must stay whole."""
    pieces: list[str] = []
    for character in text:
        if pieces and _continues(pieces[-1], character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _continues(before: str, character: str) -> bool:
    if character.isascii() or before in ("\n", " "):
        return False
    if character in IGNORABLE or category(character) in MARKS:
        return True
    if before[-1] == JOINER or "\U0001f3fb" <= character <= "\U0001f3ff" or "\u1160" <= character <= "\u11ff":
        return True
    return _flag(character) and _flag(before[-1]) and sum(map(_flag, before)) % 2 == 1


def _flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def unbroken(word: str) -> list[str]:
    """The pieces of a word between which a line may break: between ideographs, which have no spaces, and nowhere else."""
    if word.isascii():
        return [word]
    pieces: list[str] = []
    for cluster in clusters(word):
        if pieces and not _breaks(pieces[-1][-1], cluster[0]):
            pieces[-1] += cluster
        else:
            pieces.append(cluster)
    return pieces


def _breaks(before: str, after: str) -> bool:
    if before in NO_END or after in NO_START:
        return False
    return east_asian_width(before) in "WF" or east_asian_width(after) in "WF"
