"""A document with every kind of block, and a Word file taken apart."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

from lxml import etree
from PIL import Image

from counterpulse.report.document import (
    Callout,
    Cell,
    Column,
    Definitions,
    Document,
    Figure,
    Footnote,
    Listing,
    Paragraph,
    Reference,
    Row,
    Run,
    Section,
    Spanner,
    Table,
    text,
)
from counterpulse.report.figures.scene import Scene

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
NAMES = {
    "w": W[1:-1],
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "pic": "http://schemas.openxmlformats.org/drawingml/2006/picture",
}


def parts_of(content):
    with ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tree_of(content, part="word/document.xml"):
    return etree.fromstring(parts_of(content)[part])


def find(tree, path):
    return tree.xpath(path, namespaces=NAMES)


def words(element):
    """What an element shows: fields by what they show, breaks as new lines."""
    marks = {f"{W}br": "\n", f"{W}tab": "\t"}
    return "".join(marks.get(part.tag, part.text or "") for part in element.iter(f"{W}t", *marks))


def captions(tree):
    return [words(caption) for caption in find(tree, "//w:p[w:pPr/w:pStyle/@w:val='Caption']")]


def png(width=60, height=40):
    out = BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "png")
    return out.getvalue()


def table(id_="t", label="Table 1", title="A title", *, columns=3, lines=4, **more):
    heads = tuple(Column(Cell(f"Head {number}"), "center" if number else "left") for number in range(columns))
    rows = tuple(
        Row((Cell(f"Label {line}"), *(Cell(f"{line}.{number}") for number in range(1, columns))), indent=line % 2)
        for line in range(lines)
    )
    return Table(id=id_, label=label, title=title, columns=heads, **{"rows": rows} | more)


def figure(id_="f", label="Figure 1", width=300, height=200):
    scene = Scene(width=width, height=height, title="", description="", shapes=())
    return Figure(
        id=id_, label=label, title="Survival", caption="Shaded: 95% CI.", alternative="Two curves.", scene=scene
    )


def sample():
    numbers = Paragraph((Run("The odds ratio was "), Run("0.82", "strong", "A1.or"), Run(".", cites=(1, 2))))
    grouped = table(
        "t1", title="Baseline", spanners=(Spanner("Groups", 1, 2),), footnotes=(Footnote("a", "Note."), Footnote("", "SD.")),
        rows=(Row((Cell("Risk factors"),), strong=True), Row((Cell("Age"), Cell("61", "T1.age", ("a",)), Cell("60\n(9)")), indent=1)),
        alternative="Ages of two groups.",
    )  # fmt: skip
    blocks = (
        numbers, Listing((text("one"), text("two")), ordered=True), Listing((text("dot"),)), Listing((text("again"),), ordered=True),
        Definitions((("Term", numbers), ("Other", text("words")))), grouped,
        Callout(kind="warning", title="Beware", blocks=(numbers, Listing((text("inside"),)))), figure(),
        table("t2", "Table S1", "Wide", wide=True, lines=60), table("t3", "Table S2", "Empty", rows=()), numbers,
    )  # fmt: skip
    return Document(
        title="A study", subtitle="cohort study", facts=(("Registration", "none"), ("Setting", "a ward")), mark="MOCK DATA",
        sections=(
            Section(id="a", title="Results", blocks=blocks, sections=(Section(id="b", title="More"),)),
            Section(id="c", title="Methods", blocks=(text("As planned."),), new_page=True),
        ),
        references=(Reference(1, "k", "Cox D. Regression.", "10.1/a(b)<c>"), Reference(2, "l", "A book.")),
        front=(Callout(kind="key-result", title="Primary result", blocks=(numbers,)),), colophon="Made.",
    )  # fmt: skip
