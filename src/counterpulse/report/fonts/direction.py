"""Which way a text runs, and the order in which its letters stand on the line.

A part of Unicode's bidirectional algorithm (UAX 9), enough for labels: strong letters, numbers and what lies between them; no
embeddings, since controls of direction are never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal
from unicodedata import bidirectional, mirrored

from counterpulse.report.fonts.clusters import clusters

Kind = Literal["left", "right", "number", "sign", "neutral"]
"""What begins at the left, what begins at the right, digits, signs that join digits, the rest."""
KINDS: dict[str, Kind] = {
    "L": "left", "R": "right", "AL": "right", "EN": "number", "AN": "number", "ES": "sign", "CS": "sign", "ET": "sign",
}  # fmt: skip
MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is Hebrew or Arabic."""
    return next((kind == "right" for kind in map(_kind, text) if kind in ("left", "right")), False)


def in_visual_order(text: str) -> Sequence[str]:
    """The clusters of a label from left to right, brackets mirrored where its letters run leftward.

    A picture runs from left to right as a whole, as it does in SVG, whatever letter a label begins with.
    """
    pieces = clusters(text)
    kinds = [_kind(piece[0]) for piece in pieces]
    if "right" not in kinds:
        return pieces
    levels = _levels(_brackets(pieces, _numbers(kinds)))
    placed = [
        (level, piece.translate(MIRRORED) if level == 1 and mirrored(piece[0]) else piece)
        for level, piece in zip(levels, pieces, strict=True)
    ]
    for lowest in (2, 1):
        placed = _turned(placed, lowest)
    return [piece for _, piece in placed]


def _kind(character: str) -> Kind:
    return KINDS.get(bidirectional(character), "neutral")


def _numbers(kinds: Sequence[Kind]) -> list[Kind]:
    """Signs between digits belong to the number, and so do those beside one, such as a percent sign."""
    known = list(kinds)
    for at, kind in enumerate(kinds):
        if kind == "sign":
            beside = "number" in (
                kinds[at - 1] if at else "neutral",
                kinds[at + 1] if at + 1 < len(kinds) else "neutral",
            )
            known[at] = "number" if beside else "neutral"
    return known


def _brackets(pieces: Sequence[str], kinds: Sequence[Kind]) -> list[Kind]:
    """Both brackets of a pair run as what they hold: leftward when that is and stands after such letters."""
    known = list(kinds)
    opened: list[int] = []
    for at, piece in enumerate(pieces):
        if piece in "([{":
            opened.append(at)
        elif piece in ")]}" and opened:
            first = opened.pop()
            held = known[first + 1 : at]
            leftward = "left" not in held and _leftward(held) and _leftward(reversed(known[:first]))
            if _leftward(held) or "left" in held:
                known[first] = known[at] = "right" if leftward else "left"
    return known


def _levels(kinds: Sequence[Kind]) -> list[int]:
    """How deeply each cluster is nested: odd levels run leftward, and a number inside such a stretch rightward."""
    strong, sides = "left", list(kinds)
    for at, kind in enumerate(kinds):
        strong = kind if kind in ("left", "right") else strong
        if kind == "number" and strong == "left":
            sides[at] = "left"
    known = (_between(sides, at) if kind == "neutral" else kind for at, kind in enumerate(sides))
    return [{"left": 0, "right": 1}.get(kind, 2) for kind in known]


def _between(sides: Sequence[Kind], at: int) -> Kind:
    """The direction of what has none: leftward between two that are, else that of the picture."""
    return "right" if _leftward(reversed(sides[:at])) and _leftward(sides[at + 1 :]) else "left"


def _leftward(sides: Iterable[Kind]) -> bool:
    return next((kind != "left" for kind in sides if kind != "neutral"), False)


def _turned(placed: Sequence[tuple[int, str]], lowest: int) -> list[tuple[int, str]]:
    """The line with each stretch of at least a level turned around."""
    turned: list[tuple[int, str]] = []
    stretch: list[tuple[int, str]] = []
    for item in placed:
        if item[0] >= lowest:
            stretch.insert(0, item)
            continue
        turned += [*stretch, item]
        stretch = []
    return turned + stretch
