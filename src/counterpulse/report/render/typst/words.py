"""Words as literals of Typst's language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from counterpulse.report.document import Cell, Run
from counterpulse.report.figures.typeface import text_width
from counterpulse.report.fonts.clusters import clusters
from counterpulse.report.fonts.coverage import shown
from counterpulse.report.fonts.direction import right_to_left
from counterpulse.report.typesetting import quoted

BREAK = "\N{ZERO WIDTH SPACE}"
LINE, HEADING = 40.0, 22.0
"""In sizes of type: a word wider than this, in a text and in a heading, may break anywhere."""
WIDEST_LETTER = 1.1
"""No letter is much wider than the type's size: a word that may be wider than its room is measured, others need not be."""
EMPHASES = {"strong": "strong", "emphasis": "emph", "code": "code"}


def string(text: str) -> str:
    """A text as a literal; what no typeface holds is named."""
    return quoted(shown(text))


def literal(text: str, *, room: float = LINE) -> str:
    """A text as an expression of content: long words may break, line breaks stand, right to left where it begins so.

    `room` is the width, in sizes of type, beyond which a word may break anywhere.
    """
    safe = shown(text)
    lines = _lines(safe, room)
    return f"leftward({lines})" if right_to_left(safe) else lines


def _lines(safe: str, room: float) -> str:
    return "+linebreak()+".join(quoted(breakable(line, room)) for line in safe.split("\n"))


def breakable(text: str, room: float) -> str:
    """The text with words wider than the room free to break between any two characters."""
    if len(text) * WIDEST_LETTER <= room:
        return text
    return re.sub(r"\S+", lambda word: _split(word[0], room), text)


def _split(word: str, room: float) -> str:
    if len(word) * WIDEST_LETTER <= room or text_width(word, 1.0, bold=True) <= room:
        return word
    return BREAK.join(clusters(word))


def runs(pieces: Sequence[Run]) -> str:
    """The runs of a paragraph as one expression of content."""
    words = f"{{{';'.join(map(_run, pieces))}}}"
    return f"leftward({words})" if right_to_left("".join(piece.text for piece in pieces)) else words


def _run(run: Run) -> str:
    words = _lines(shown(run.text), LINE)
    if run.emphasis in EMPHASES:
        words = f"{EMPHASES[run.emphasis]}({words})"
    return f"{words};cited({_numbers(run.cites)})" if run.cites else words


def _numbers(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def cell(item: Cell, *, room: float = LINE) -> str:
    """The content of a cell with the marks of its footnotes."""
    words = "+".join(_piece(text, place, room) for text, place in item.pieces())
    return f"{words}+super({literal(','.join(item.notes), room=room)})" if item.notes else words


def _piece(text: str, place: str | None, room: float) -> str:
    words = literal(text, room=room)
    return f"goto({string(place)},{words})" if place else words


def several(items: Iterable[str]) -> str:
    """An array of expressions."""
    return f"({''.join(f'{item},' for item in items)})"
