"""Figures as pictures in the line of text, with words for those who do not see them, and their caption under them."""

from __future__ import annotations

from counterpulse.report.document import Figure
from counterpulse.report.render.word.ledger import Ledger
from counterpulse.report.render.word.ooxml import attribute, paragraph
from counterpulse.report.render.word.pages import SIDEWAYS, UPRIGHT, Piece
from counterpulse.report.render.word.tables import caption

EMU = 12700
"""Units of drawings in a point."""
TALLEST, TALLEST_SIDEWAYS = 590.0, 360.0
"""The tallest picture that leaves room for its caption, in points."""
SHRUNK = 0.8
"""A picture that an upright page would shrink to less than this is set on a page on its side."""
PICTURE = "http://schemas.openxmlformats.org/drawingml/2006/picture"


def figure_piece(figure: Figure, ledger: Ledger) -> Piece:
    """A figure with its caption, both in a bookmark."""
    width, height = figure.scene.width, figure.scene.height
    upright = min(1.0, UPRIGHT / width, TALLEST / height)
    sideways = min(1.0, SIDEWAYS / width, TALLEST_SIDEWAYS / height)
    wide = upright < SHRUNK and sideways > upright
    scale = sideways if wide else upright
    picture = _inline(figure, width * scale, height * scale, ledger)
    content = f"{paragraph(picture, 'Figure', keep=True)}{caption(figure.label, figure.title, figure.caption, ledger, above=False)}"
    return Piece(ledger.bookmark(content, ledger.target(figure.id, "figure")), wide=wide)


def _inline(figure: Figure, width: float, height: float, ledger: Ledger) -> str:
    size = f'cx="{round(width * EMU)}" cy="{round(height * EMU)}"'
    relationship, number = ledger.package.picture(ledger.pictures[figure.id]), ledger.drawing()
    said = f'descr="{attribute(figure.alternative)}" title="{attribute(f"{figure.label}. {figure.title}")}"'
    return (
        f'<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent {size}/>'
        f'<wp:docPr id="{number}" name="Picture {number}" {said}/>'
        f'<wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        f'<a:graphic><a:graphicData uri="{PICTURE}"><pic:pic><pic:nvPicPr><pic:cNvPr id="{number}" name="Picture {number}" '
        f'{said}/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="{relationship}"/><a:stretch><a:fillRect/>'
        f'</a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline>'
        "</w:drawing></w:r>"
    )
