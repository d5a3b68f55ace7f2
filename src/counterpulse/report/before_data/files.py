"""A document before data as a file: Word, PDF or HTML by its suffix; a file that is there is never written over."""

from __future__ import annotations

from pathlib import Path

from counterpulse.errors import UsageError
from counterpulse.report.document import Document
from counterpulse.report.render.html import render_html
from counterpulse.report.render.pdf import render_pdf
from counterpulse.report.render.pictures import figures_of, pictures_of
from counterpulse.report.render.word.docx import render_docx

SUFFIXES = (".docx", ".pdf", ".html")


def check_name(path: Path) -> None:
    """Refuse a suffix that is no format.

    Raises
    ------
    UsageError : the suffix is another one
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{path} is no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file; give it one of these endings"
        )


def write_planned(document: Document, path: Path, *, line_numbers: bool = False) -> bool:
    """Write a document in the format of the path's suffix.

    Returns
    -------
    Whether it was written: a file that already holds the same is left as it is.

    Raises
    ------
    UsageError : the suffix is no format, another file is there, or it cannot be written
    """
    content = to_format(document, path.suffix.lower(), line_numbers=line_numbers)
    try:
        if path.exists():
            if path.read_bytes() == content:
                return False
            raise UsageError(
                f"{path} is there already and holds something else, perhaps edited by hand; choose another name"
            )
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another place") from None
    return True


def to_format(document: Document, suffix: str, *, line_numbers: bool = False) -> bytes:
    """A document as the bytes of a file; `line_numbers` are for Word.

    Raises
    ------
    UsageError : the suffix is no format
    """
    check_name(Path(f"document{suffix}"))
    if suffix == ".html":
        return render_html(document).encode()
    if suffix == ".pdf":
        return render_pdf(document)
    return render_docx(document, pictures_of(figures_of(document)), line_numbers=line_numbers)
