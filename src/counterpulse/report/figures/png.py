"""A scene as PNG at 300 dots an inch: painted at twice the size and reduced, so that every edge is smooth."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from math import hypot
from typing import TYPE_CHECKING

from counterpulse.report.figures.scene import Path, Scene, Text
from counterpulse.report.figures.typeface import font

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Point = tuple[float, float]
OVERSAMPLING = 2
POINTS_PER_INCH = 72


def to_png(scene: Scene, *, dots_per_inch: int = 300) -> bytes:
    """The scene painted on white."""
    from PIL import Image, ImageDraw

    scale = OVERSAMPLING * dots_per_inch / POINTS_PER_INCH
    size = (round(scene.width * scale / OVERSAMPLING), round(scene.height * scale / OVERSAMPLING))
    image = Image.new("RGB", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), "white")
    draw = ImageDraw.Draw(image, "RGBA")
    for shape in scene.shapes:
        if isinstance(shape, Path):
            _paint_path(draw, shape, scale)
        elif shape.upright:
            _paint_text(draw, shape, scale)
        else:
            _paint_turned(image, shape, scale)
    out = BytesIO()
    image.reduce(OVERSAMPLING).save(out, "PNG", dpi=(dots_per_inch, dots_per_inch), compress_level=6)
    return out.getvalue()


def _paint_path(draw: ImageDraw, path: Path, scale: float) -> None:
    points = [(x * scale, y * scale) for x, y in path.points]
    if path.fill:
        draw.polygon(points, fill=(*_rgb(path.fill), round(255 * path.opacity)))
    if path.stroke:
        width = max(1, round(path.width * scale))
        for piece in _dashes(points, [length * scale for length in path.dash]) if path.dash else [points]:
            draw.line(piece, fill=_rgb(path.stroke), width=width, joint="curve")


def _dashes(points: list[Point], pattern: list[float]) -> list[list[Point]]:
    """The drawn pieces of a dashed polyline; the pattern runs on around corners."""
    pieces: list[list[Point]] = [[points[0]]]
    index, left = 0, pattern[0]
    for start, end in pairwise(points):
        length = hypot(end[0] - start[0], end[1] - start[1])
        done = 0.0
        while length - done > left:
            done += left
            share = done / length
            corner = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            if index % 2 == 0:
                pieces[-1].append(corner)
            else:
                pieces.append([corner])
            index += 1
            left = pattern[index % len(pattern)]
        left -= length - done
        if index % 2 == 0 and length > 0:
            pieces[-1].append(end)
    return [piece for piece in pieces if len(piece) > 1]


def _paint_text(draw: ImageDraw, text: Text, scale: float) -> None:
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[text.anchor]
    face = font(text.size * scale, bold=text.bold)
    draw.text((text.x * scale, text.y * scale), text.text, fill=_rgb(text.color), font=face, anchor=anchor)


def _paint_turned(page: Image, text: Text, scale: float) -> None:
    """A line that reads upwards, centered at its place."""
    from PIL import Image, ImageDraw

    face = font(text.size * scale, bold=text.bold)
    strip = Image.new("RGB", (round(text.width * scale) + 4, round(text.size * scale * 1.4)), "white")
    baseline = round(text.size * scale)
    ImageDraw.Draw(strip).text((strip.width / 2, baseline), text.text, fill=_rgb(text.color), font=face, anchor="ms")
    turned = strip.transpose(Image.Transpose.ROTATE_90)
    page.paste(turned, (round(text.x * scale) - baseline, round(text.y * scale - turned.height / 2)))


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
