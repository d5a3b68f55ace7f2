"""A scene as SVG: searchable text whose measured width is written beside it, so no other font can make it collide."""

from __future__ import annotations

from html import escape

from counterpulse.report.figures.scene import Path, Scene, Shape, Text
from counterpulse.report.figures.typeface import FAMILY
from counterpulse.report.fonts.coverage import shown
from counterpulse.report.safe_text import clean


def to_svg(scene: Scene, *, prefix: str) -> str:
    """The scene as one SVG element; `prefix` makes its ids unique in a page.

    A text with characters that the typefaces lack has no measured width; a browser finds them elsewhere.
    """
    title, description = (f"{prefix}-{part}" for part in ("title", "description"))
    body = "\n".join(_element(shape) for shape in scene.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(scene.width)} {_n(scene.height)}" '
        f'width="{_n(scene.width)}pt" height="{_n(scene.height)}pt" font-family="{escape(FAMILY)}" '
        f'role="img" aria-labelledby="{title} {description}">\n'
        f'<title id="{title}">{_text(scene.title)}</title>\n<desc id="{description}">{_text(scene.description)}</desc>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _element(shape: Shape) -> str:
    return _path(shape) if isinstance(shape, Path) else _line_of_text(shape)


def _path(path: Path) -> str:
    paint = f'fill="{path.fill or "none"}"'
    if path.opacity < 1:
        paint += f' fill-opacity="{_n(path.opacity)}"'
    if path.stroke:
        paint += f' stroke="{path.stroke}" stroke-width="{_n(path.width)}"'
    if path.dash:
        paint += f' stroke-dasharray="{" ".join(map(_n, path.dash))}"'
    return f'<path d="{_commands(path)}" {paint}/>'


def _commands(path: Path) -> str:
    """Move and line commands; horizontal and vertical steps in their short form, repeated points once."""
    x, y = path.points[0]
    at = (_n(x), _n(y))
    parts = [f"M{at[0]} {at[1]}"]
    for point in path.points[1:]:
        to = (_n(point[0]), _n(point[1]))
        if to == at:
            continue
        if to[1] == at[1]:
            parts.append(f"H{to[0]}")
        elif to[0] == at[0]:
            parts.append(f"V{to[1]}")
        else:
            parts.append(f"L{to[0]} {to[1]}")
        at = to
    closed = len(path.points) > 2 and path.points[0] == path.points[-1]
    return "".join(parts) + ("Z" if closed else "")


def _line_of_text(text: Text) -> str:
    where = f'x="{_n(text.x)}" y="{_n(text.y)}"'
    if not text.upright:
        where += f' transform="rotate(-90 {_n(text.x)} {_n(text.y)})"'
    look = f'font-size="{_n(text.size)}" fill="{text.color}"'
    if text.anchor != "start":
        look += f' text-anchor="{text.anchor}"'
    if text.bold:
        look += ' font-weight="bold"'
    if len(text.text) > 1 and text.text == shown(text.text):
        look += f' textLength="{_n(text.width)}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {where} {look}>{_text(text.text)}</text>"


def _text(text: str) -> str:
    return escape(clean(text))


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"
