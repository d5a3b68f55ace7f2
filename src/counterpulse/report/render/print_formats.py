"""Figures as a printer takes them: TIFF, EPS and PDF at the width of one or two columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

from counterpulse.protocol.identity_nodes import FigureLooks
from counterpulse.report.document import Figure
from counterpulse.report.figures.lettering import column_width
from counterpulse.report.figures.scene import Scene, Text
from counterpulse.report.typesetting import to_picture_pdf, to_pngs

SMALLEST, LARGEST = 5.0, 10.0
"""Between these sizes, in points, stays the smallest text of a printed figure; journals ask for 6 to 8."""


def print_formats(figures: Sequence[Figure], looks: FigureLooks) -> Mapping[str, bytes]:
    """The files of the formats asked for, by name under ``figures/``.

    A figure is as wide as the column, unless its smallest text were then under 5 points or over 10: a figure that holds much is
    printed wider than the column (it says more than the column can show), one that holds little narrower.
    """
    widths = [printed_width(figure.scene, looks.width) for figure in figures]
    files: dict[str, bytes] = {}
    if "tiff" in looks.formats:
        painted = to_pngs([figure.scene for figure in figures], dots_per_inch=looks.dpi, widths=widths)
        files |= {
            f"figures/{figure.id}.tiff": _tiff(png, looks.dpi) for figure, png in zip(figures, painted, strict=True)
        }
    for figure, width in zip(figures, widths, strict=True):
        if "eps" in looks.formats:
            from counterpulse.report.figures.eps import to_eps  # with a library of fonts that no other format needs

            files[f"figures/{figure.id}.eps"] = to_eps(figure.scene, width=width)
        if "pdf" in looks.formats:
            files[f"figures/{figure.id}.pdf"] = to_picture_pdf(figure.scene, width=width)
    return files


def printed_width(scene: Scene, column: str) -> float:
    """The width in print, in points."""
    scale = column_width(column) / scene.width
    smallest = min((shape.size for shape in scene.shapes if isinstance(shape, Text)), default=0.0)
    if smallest:
        scale = min(max(scale, SMALLEST / smallest), LARGEST / smallest)
    return scene.width * scale


def _tiff(png: bytes, dpi: int) -> bytes:
    """The picture as TIFF: colors without transparency, compressed without loss, its resolution exact."""
    from PIL import Image

    with Image.open(BytesIO(png)) as picture:
        page = Image.new("RGB", picture.size, "white")
        page.paste(picture, mask=picture.getchannel("A"))
    file = BytesIO()
    page.save(file, format="TIFF", compression="tiff_lzw", dpi=(dpi, dpi))
    return file.getvalue()
