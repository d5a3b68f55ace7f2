"""The parts of a Word file and the file itself, whose bytes depend on nothing but its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.package import Package

from counterpulse.report.render.word.ooxml import DECLARATION, NAMESPACES
from counterpulse.report.safe_text import clean

FIRST = "[Content_Types].xml"
MAKER = "Counterpulse"


@dataclass(slots=True)
class WordPackage:
    """A Word file that is being put together: a main part and those it leads to."""

    _package: Package = field(default_factory=Package)
    _main: Part = field(init=False)

    def __post_init__(self) -> None:
        """Begin with an empty main part."""
        self._main = self._part("/word/document.xml", CONTENT_TYPE.WML_DOCUMENT_MAIN, b"")
        self._package.relate_to(self._main, RELATIONSHIP_TYPE.OFFICE_DOCUMENT)

    def _part(self, name: str, kind: str, content: bytes) -> Part:
        return Part(PackURI(name), kind, content, self._package)

    def add(self, name: str, body: str) -> str:
        """Add a part beside the document, named as Word names it; its relationship's id comes back."""
        kind = name.rstrip("0123456789").upper()
        part = self._part(f"/word/{name}.xml", getattr(CONTENT_TYPE, f"WML_{kind}"), (DECLARATION + body).encode())
        return str(self._main.relate_to(part, getattr(RELATIONSHIP_TYPE, kind)))

    def picture(self, content: bytes) -> str:
        """Add a picture, once however often it is shown; its relationship's id comes back."""
        return str(self._main.relate_to(self._package.get_or_add_image_part(BytesIO(content)), RELATIONSHIP_TYPE.IMAGE))

    def doi(self, doi: str) -> str:
        """Add the address of a work; its relationship's id comes back."""
        address = f"https://doi.org/{quote(clean(doi), safe='/:;().-_')}"
        return str(self._main.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))

    def to_bytes(self, body: str, *, title: str, subject: str, language: str) -> bytes:
        """The file, with the document's body and what its properties say. No clock is asked."""
        core = self._part("/docProps/core.xml", CONTENT_TYPE.OPC_CORE_PROPERTIES, _core(title, subject, language))
        self._package.relate_to(core, RELATIONSHIP_TYPE.CORE_PROPERTIES)
        self._main._blob = f"{DECLARATION}<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>".encode()
        saved = BytesIO()
        self._package.save(saved)
        return _without_clock(saved)


def _core(title: str, subject: str, language: str) -> bytes:
    said = (
        ("dc:title", title), ("dc:subject", subject), ("dc:creator", MAKER), ("cp:lastModifiedBy", MAKER),
        ("dc:language", language),
    )  # fmt: skip
    properties = "".join(f"<{name}>{escape(clean(words), quote=False)}</{name}>" for name, words in said)
    return (
        f'{DECLARATION}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{properties}</cp:coreProperties>'
    ).encode()


def _without_clock(saved: BytesIO) -> bytes:
    """The same parts in a fixed order and with a fixed date; a picture is compressed already."""
    out = BytesIO()
    with ZipFile(saved) as parts, ZipFile(out, "w") as fixed:
        for name in sorted(parts.namelist(), key=lambda name: (name != FIRST, name)):
            entry = ZipInfo(name)
            entry.create_system = 0
            entry.compress_type = ZIP_STORED if name.endswith(".png") else ZIP_DEFLATED
            fixed.writestr(entry, parts.read(name))
    return out.getvalue()
