"""A scene as Encapsulated PostScript, level 2: lines, areas, and text as the outlines of its letters, so that no font is needed.

PostScript knows no transparency: a translucent area takes the color it has on white, and is painted before everything else so that it
hides no line; where two such areas overlap, the later one shows. Arabic letters keep their isolated forms.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from counterpulse.report.figures.outline import UNITS, outline
from counterpulse.report.figures.scene import Path, Scene, Text
from counterpulse.report.figures.typeface import text_width
from counterpulse.report.fonts.clusters import IGNORABLE
from counterpulse.report.fonts.coverage import family_of, shown
from counterpulse.report.fonts.direction import in_visual_order
from counterpulse.report.fonts.face import Face

PROLOG = """\
/m /moveto load def /l /lineto load def /c /curveto load def /h /closepath load def
/rgb /setrgbcolor load def /w /setlinewidth load def /d /setdash load def
1 setlinejoin 0 setlinecap
"""


def to_eps(scene: Scene, *, width: float) -> bytes:
    """The scene `width` points wide."""
    scale = width / scene.width
    height = scene.height * scale
    paths = [shape for shape in scene.shapes if isinstance(shape, Path)]
    under = [path for path in paths if path.opacity < 1]
    over = [shape for shape in scene.shapes if isinstance(shape, Text) or shape.opacity == 1]
    letters = _Letters()
    body = [line for path in under for line in _path(path)]
    body += [line for shape in over for line in (_path(shape) if isinstance(shape, Path) else letters.line(shape))]
    head = (
        "%!PS-Adobe-3.0 EPSF-3.0",
        f"%%BoundingBox: 0 0 {ceil(width)} {ceil(height)}",
        f"%%HiResBoundingBox: 0 0 {width:.4f} {height:.4f}",
        f"%%Title: ({_ascii(scene.title)})",
        "%%LanguageLevel: 2",
        "%%DocumentData: Clean7Bit",
        "%%EndComments",
        "%%BeginProlog",
        f"{len(letters.known) + 20} dict begin",
        f"{PROLOG}%%EndProlog",
        "gsave",
        f"0 {height:.4f} translate {scale:.6f} dup neg scale",
        f"1 1 1 rgb 0 0 m {_n(scene.width)} 0 l {_n(scene.width)} {_n(scene.height)} l 0 {_n(scene.height)} l h fill",
    )
    return "\n".join((*head, *letters.outlines(), *body, "grestore", "end", "showpage", "%%EOF", "")).encode("ascii")


def _ascii(words: str) -> str:
    """Words for a comment: printable ASCII, no parentheses, within a line."""
    return "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in "()\\" else "?" for letter in words
    )[:200]


def _path(path: Path) -> Iterator[str]:
    (x, y), *rest = path.points
    line = " ".join((f"{_n(x)} {_n(y)} m", *(f"{_n(x)} {_n(y)} l" for x, y in rest)))
    closed = f"{line} h" if len(path.points) > 2 and path.points[0] == path.points[-1] else line
    if path.fill:
        yield f"{_color(path.fill, path.opacity)} {closed} fill"
    if path.stroke:
        dash = " ".join(map(_n, path.dash))
        yield f"{_color(path.stroke)} {_n(path.width)} w [{dash}] 0 d {closed} stroke"


def _color(color: str, opacity: float = 1.0) -> str:
    """A color, mixed with the white below it."""
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    parts = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return " ".join(_n(1 - opacity * (1 - part)) for part in parts) + " rgb"


def _n(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) >= 0.0005 else "0"


class _Letters:
    """Letters set so far; each outline is written once."""

    def __init__(self) -> None:
        self.known: dict[tuple[Face, str], str] = {}

    def line(self, text: Text) -> Iterator[str]:
        """A line of text, letter by letter from left to right."""
        turn = "" if text.upright else " -90 rotate"
        yield f"gsave {_color(text.color)} {_n(text.x)} {_n(text.y)} translate{turn}"
        x = text.left - text.x
        for cluster in in_visual_order(shown(text.text)):
            for letter in cluster:
                yield from self._letter(letter, x, text)
            x += text_width(cluster, text.size, bold=text.bold)
        yield "grestore"

    def _letter(self, letter: str, x: float, text: Text) -> Iterator[str]:
        found = family_of(letter)
        if found is None or letter in IGNORABLE or letter.isspace():
            return
        face = found.face(bold=text.bold)
        name = self.known.setdefault((face, face.glyph(letter)), f"g{len(self.known)}")
        yield f"{_n(x)} {text.size / UNITS:.5f} {name}"

    def outlines(self) -> Iterator[str]:
        """The definitions of the letters; each takes a place on the line and a size."""
        for (face, glyph), name in self.known.items():
            yield f"/{name} {{gsave exch 0 translate dup neg scale newpath {outline(face, glyph)} fill grestore}} bind def"
