"""The document as a Word file."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

from counterpulse.report.document import Document


def render_docx(document: Document, pictures: Mapping[str, bytes], *, line_numbers: bool = False) -> bytes:
    """Render the whole report; `pictures` are its figures as PNG, by id."""
    from docx import Document as Word

    word = Word()
    word.add_heading(document.title, 0)
    out = BytesIO()
    word.save(out)
    return out.getvalue()
