from __future__ import annotations

from html.parser import HTMLParser

import pytest

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
from counterpulse.report.figures.scene import Text as SceneText
from counterpulse.report.render.html import render_html

VOID = {"meta", "br", "link", "img", "input", "hr"}
CORPUS = (
    "<script>alert(1)</script>", "a & b < c > d", "\"double\" 'single' `back`", "=cmd|' /C calc'!A0", "</table></style></title>",
    "\u202eright to left override", "עברית العربية", "患者 シ 😀👩‍⚕️", "x" * 300, "a\x00b\x1bc", "{{7*7}} ${x} <%= y %>",
    "javascript:alert(1)", "&lt;already&gt; &amp; &#60;", "-->", "]]>", "ﬁ\u0301\u200b",
)  # fmt: skip


class Reader(HTMLParser):
    """The page as a browser's tree: tags that are open, attributes, ids."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.words, self.links, self.results = [], [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.append(tag)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [value for name, value in attrs if name in ("href", "src")]
        self.results += [named["data-result"]] if "data-result" in named else []
        assert not any(name.startswith("on") for name in named)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def everything(words):
    scene = Scene(width=300, height=20, title=words, description=words, shapes=(SceneText(x=4, y=12, text=words),))
    table = Table(
        id="t1", label="Table 1", title=words, columns=(Column(Cell(words), "left"), Column(Cell("n"))), wide=True,
        rows=(Row((Cell(words),), strong=True), Row((Cell(words), Cell(words, words, (words,))), indent=1)),
        spanners=(Spanner(words, 1, 1),), footnotes=(Footnote(words, words),),
    )  # fmt: skip
    figure = Figure(id="f1", label="Figure 1", title=words, caption=words, alternative=words, scene=scene)
    blocks = (
        Paragraph((Run(words, "strong", words, (1,)), Run(words, "code"))), Listing((text(words),), ordered=True),
        Definitions(((words, text(words)),)), Callout(kind="warning", title=words, blocks=(text(words),)), table, figure,
    )  # fmt: skip
    section = Section(id="s", title=words, blocks=blocks, sections=(Section(id="s2", title=words),))
    return Document(
        title=words, subtitle=words, facts=((words, words),), sections=(section,), mark=words, colophon=words,
        references=(Reference(1, "k", words, words),), front=(Callout(kind="data-kind", title=words),),
    )  # fmt: skip


@pytest.mark.parametrize("words", CORPUS)
def test_no_text_leaves_its_place(words):
    reader = read(render_html(everything(words)))
    assert "script" not in reader.tags
    assert reader.tags.count("table") == 1
    assert all(link.startswith(("#", "https://doi.org/")) for link in reader.links)
    plain = "".join(c for c in words if c >= " " and c not in "\u202e\x7f")
    assert plain.replace("\ufffd", "") in "".join(reader.words).replace("\ufffd", "")


def test_the_same_document_gives_the_same_bytes():
    assert render_html(everything("a")) == render_html(everything("a"))


def test_ids_are_unique_and_links_arrive():
    reader = read(render_html(everything("a")))
    assert len(reader.ids) == len(set(reader.ids))
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_tables_are_readable_aloud():
    page = render_html(everything("a"))
    assert page.count('scope="col"') == 2
    assert 'scope="colgroup"' in page
    assert page.count('scope="row"') == 1
    assert page.count('scope="rowgroup"') == 1
    assert "<caption" in page


def test_the_page_loads_nothing():
    page = render_html(everything("a"))
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page
