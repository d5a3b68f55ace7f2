"""A word processor opens the report and every table is there to its last row. Word itself is not at hand; LibreOffice is."""

import shutil
import subprocess
import unicodedata

import docx
import pytest
from docx.oxml.ns import qn
from ward import call

from counterpulse.errors import DONE

CONVERSION_SECONDS = 120


def squeezed(words):
    """Words without spaces, line breaks and ligatures."""
    return "".join(unicodedata.normalize("NFKC", words).split())


@pytest.fixture(scope="module")
def report(run_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    assert call("example", "ecls-registry", folder).code == DONE
    return run_study(folder / "ecls-registry.protocol.yaml").directory / "report.docx"


@pytest.fixture(scope="module")
def printed(report, tmp_path_factory):
    """The text of the pages as LibreOffice sets them, cell by cell."""
    office, reader = shutil.which("soffice") or shutil.which("libreoffice"), shutil.which("pdftotext")
    if not (office and reader):
        pytest.skip("LibreOffice or pdftotext is not installed")
    place = tmp_path_factory.mktemp("office")
    profile = f"-env:UserInstallation={(place / 'profile').as_uri()}"
    convert = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(place), str(report)]
    subprocess.run(convert, check=True, capture_output=True, timeout=CONVERSION_SECONDS)
    read = [reader, "-raw", "-enc", "UTF-8", str(place / "report.pdf"), "-"]
    return squeezed(subprocess.run(read, check=True, capture_output=True, timeout=CONVERSION_SECONDS).stdout.decode())


def test_every_caption_is_printed(report, printed):
    captions = [found.text for found in docx.Document(report).paragraphs if found.style.name.lower() == "caption"]
    assert len(captions) > 40
    assert [caption for caption in captions if squeezed(caption) not in printed] == []


def test_every_row_is_printed(report, printed):
    tables = docx.Document(report).tables
    first = [row.find(qn("w:tc")) for found in tables for row in found._tbl.tr_lst]
    words = {"".join(part.text or "" for part in cell.iter(qn("w:t"))) for cell in first}
    assert len(words) > 400
    assert [label for label in sorted(words) if squeezed(label) not in printed] == []
