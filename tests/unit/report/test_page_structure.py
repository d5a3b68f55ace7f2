"""The page as a keyboard and a screen reader meet it, and its style as a person with weak sight does; no browser is needed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest
from test_html import everything

from counterpulse.report.chapters.order import compose
from counterpulse.report.document import Cell, Column, Document, Paragraph, Row, Run, Section, Table
from counterpulse.report.render.html import render_html

VOID = {"meta", "br", "hr", "img"}
READABLE = 4.5  # contrast of text, WCAG 2.2, success criterion 1.4.3
STYLE = (files("counterpulse.report.render") / "report.css").read_text(encoding="utf-8")


class Tree(HTMLParser):
    """Every element as (tag, attributes, tags it lies in)."""

    def __init__(self, page):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, *tags):
        return [attributes for tag, attributes, _ in self.elements if tag in tags]


@pytest.fixture(scope="module", params=["made-up study", "every block"])
def tree(request, plan, result):
    return Tree(render_html(compose(result, plan) if request.param == "made-up study" else everything("a")))


def test_headings_do_not_jump(tree):
    levels = [int(tag[1]) for tag, _, _ in tree.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_landmarks_stand_once_and_hold_everything(tree):
    top = [tag for tag, _, around in tree.elements if around == ("html", "body")]
    assert [tag for tag in top if tag != "a"] == ["aside", "header", "nav", "main", "footer"]
    assert tree.all("nav")[0]["aria-label"] == "Contents"
    assert tree.all("a")[0] == {"class": "skip", "href": "#report"}
    assert tree.all("main") == [{"id": "report", "tabindex": "-1"}]
    assert tree.all("html")[0]["lang"] == "en"


def test_tables_have_captions_and_scopes(tree):
    tables = [around for tag, _, around in tree.elements if tag == "caption"]
    assert len(tables) == len(tree.all("table")) > 0
    assert all(head["scope"] in ("col", "colgroup", "row", "rowgroup") for head in tree.all("th"))


def test_pictures_have_words(tree):
    pictures = tree.all("svg")
    ids = {attributes.get("id") for attributes in tree.all("title", "desc")}
    assert pictures
    for picture in pictures:
        assert picture["role"] == "img"
        assert set(picture["aria-labelledby"].split()) <= ids


def test_what_scrolls_can_be_reached_and_has_a_name(tree):
    scrolling = [item for item in tree.all("div") if item.get("class") in ("scroll", "frame")]
    assert len(scrolling) == len(tree.all("table")) + len(tree.all("svg"))
    assert all(item["tabindex"] == "0" and item["role"] == "group" and item["aria-label"] for item in scrolling)


def test_ids_are_unique_and_without_spaces(tree):
    ids = [attributes["id"] for _, attributes, _ in tree.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(id_ and not re.search(r"\s", id_) for id_ in ids)
    targets = [item["href"][1:] for item in tree.all("a") if item["href"].startswith("#")]
    assert set(targets) <= set(ids)


def test_text_of_people_finds_its_direction(tree):
    """All but the two headings, and the works, that are always English."""
    assert len([item for item in tree.all("h1", "h2", "h3", "h4") if item.get("dir") != "auto"]) <= 2
    assert all(item.get("dir") == "auto" for item in tree.all("caption", "dd"))
    items = [item for tag, item, around in tree.elements if tag == "li" and "main" in around and "id" not in item]
    assert all(item.get("dir") == "auto" for item in items)


def test_every_number_can_be_pointed_at():
    ids = ["A1.death.pump.odds-ratio", "A1.death.sex=Ä & Ö.pump.odds ratio", "plain"]
    row = Row((Cell("Death"), *(Cell("0.8", id_) for id_ in ids)))
    table = Table(
        id="t", label="Table 1", title="x", columns=(Column(Cell("")), *[Column(Cell("OR"))] * 3), rows=(row, row)
    )
    section = Section(id="s", title="x", blocks=(Paragraph((Run("0.8", result=ids[0]),)), table))
    tree = Tree(render_html(Document(title="x", subtitle="x", facts=(), sections=(section,))))
    printed = [item for item in tree.all("span", "td") if "data-result" in item]
    assert len(printed) == 7
    pointed = [item["id"] for item in printed if "id" in item]
    assert pointed == ["A1.death.pump.odds-ratio", "A1.death.sex=Ä_&_Ö.pump.odds_ratio"]
    assert printed[0]["id"] == ids[0]


def test_rows_under_a_group_belong_to_it():
    rows = tuple(Row(tuple(map(Cell, cells))) for cells in (("a", "1"), ("Group",), ("b", "2"), ("Next",), ("c", "3")))
    table = Table(id="t", label="Table 1", title="x", columns=(Column(Cell("x")), Column(Cell("n"))), rows=rows)
    page = render_html(
        Document(title="x", subtitle="x", facts=(), sections=(Section(id="s", title="x", blocks=(table,)),))
    )
    assert page.count("<tbody>") == 3
    assert page.count('scope="rowgroup"') == 2


def test_a_section_may_begin_a_page():
    section = Section(id="s", title="x", new_page=True)
    assert '<section id="s" class="new-page">' in render_html(
        Document(title="x", subtitle="x", facts=(), sections=(section,))
    )
    assert ".new-page { break-before: page; }" in STYLE


# -- the style


def luminance(color):
    if len(color) == 4:
        color = "#" + "".join(digit * 2 for digit in color[1:])
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def colors():
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", STYLE))


def test_text_stands_out_from_its_ground():
    named = colors()
    grounds = {"#fff", *re.findall(r"background: (#[0-9a-f]{3,6});", STYLE)}
    assert len(grounds) >= 5
    for ground in grounds:
        for ink in ("ink", "soft", "accent"):
            assert contrast(named[ink], ground) >= READABLE, (ink, ground)
    assert contrast("#fff", named["alarm"]) >= READABLE
    written = re.findall(r"[ {]color: (#[0-9a-f]{3,6})", STYLE)
    assert all(contrast(color, "#fff") >= READABLE or color == "#fff" for color in written)


def test_the_style_serves_those_who_set_their_own():
    assert not re.search(r"font(?:-size)?: [^;]*\dpx", STYLE), "text in pixels does not grow with the reader's size"
    screen = STYLE[: STYLE.index("@media print")]
    assert not re.search(r"font(?:-size)?: [^;]*\dpt", screen)
    assert "@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }" in STYLE
    assert STYLE.count("scroll-behavior") == 1
    assert "@media (forced-colors: active)" in STYLE
    assert ":focus-visible" in STYLE
    assert "!important" not in STYLE


def test_links_in_text_are_underlined():
    plain = re.findall(r"([^{}]+)\{[^{}]*text-decoration: none", STYLE[: STYLE.index("@media print")])
    assert [rule.strip() for rule in plain] == ["nav a", ".cite a"]


def test_print_repeats_heads_and_keeps_rows_whole():
    printed = STYLE[STYLE.index("@media print") :]
    for rule in (
        "thead { display: table-header-group; }", "tr { break-inside: avoid; }", "@page wide { size: landscape; }",
        "counter(page)", "@top-center", "break-inside: avoid",
    ):  # fmt: skip
        assert rule in printed
