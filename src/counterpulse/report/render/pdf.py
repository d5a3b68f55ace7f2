"""The document as a tagged PDF, typeset by Typst."""

from __future__ import annotations

from counterpulse.report.document import Document
from counterpulse.report.typesetting import quoted, to_pdf


def render_pdf(document: Document) -> bytes:
    """Render the whole report."""
    return to_pdf(f"#set document(title: {quoted(document.title)}, date: none)\n= #{quoted(document.title)}\n")
