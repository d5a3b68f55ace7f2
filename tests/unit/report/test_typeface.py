from __future__ import annotations

import re
from io import BytesIO

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from test_html import CORPUS

from counterpulse.report.figures.typeface import text_width, wrap
from counterpulse.report.fonts.clusters import clusters, unbroken
from counterpulse.report.fonts.coverage import FAMILIES, FILES, FOLDER, family, family_of, shown
from counterpulse.report.fonts.direction import in_visual_order, right_to_left

DIRECTING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
MEASURED = 1e-12
"""Widths are sums of whole font units divided by the em: only the order of summing differs."""
LABELS = ("Balloon pump, 12.3 (0.82 to 1.27)", "患者は入院した", "עברית", "Müller–Łukasz ≥ 3 µmol·l⁻¹", "a\u0301 שׁ ग़")


def lengths(words, size, bold):
    """The width by the font library: the advance of each character that has ink, in the first family that holds it."""
    total = 0.0
    for cluster in clusters(words):
        first = cluster[0]
        path = FOLDER / FILES[family_of(first).name][bold]
        total += _advance(path, first) * size
    return total


def _advance(path, character, cache={}):  # noqa: B006
    if path not in cache:
        font = TTFont(BytesIO(path.read_bytes()), lazy=True)
        cache[path] = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
    names, metrics, units = cache[path]
    return metrics[names[ord(character)]][0] / units


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("words", LABELS[:4])
def test_a_width_is_what_the_font_says(words, bold):
    assert text_width(words, 8.5, bold=bold) == pytest.approx(lengths(words, 8.5, bold), rel=MEASURED)


def test_a_mark_adds_no_width():
    assert text_width("e\u0323\u0302", 10) == text_width("e", 10)
    assert text_width("a\u200bb\u2060c", 10) == pytest.approx(text_width("abc", 10), rel=MEASURED)


def test_an_ordinary_label_is_shown_as_it_is():
    for words in LABELS[:4]:
        assert shown(words) == words


def test_what_no_family_holds_is_named_and_two_labels_stay_two():
    assert shown("\U0001f9e0") == "[U+1F9E0]"
    assert shown("\ue000") == "[U+E000]"
    assert shown("患\u0301") == "患[U+0301]"
    assert shown("\U0001f9e0") != shown("\U0001f9e1")


@pytest.mark.parametrize("control", ["\x00", "\x1b", "\x7f", "\x85", "\ud800", "\ufeff", *sorted(DIRECTING)])
def test_controls_do_nothing(control):
    assert shown(f"a{control}b") == "a\N{REPLACEMENT CHARACTER}b"


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_can_be_shown(words):
    safe = shown(words)
    safe.encode()
    assert shown(safe) == safe
    assert all(family_of(cluster) for cluster in clusters(safe) if cluster != "\n")
    assert text_width(safe, 10) == text_width(words, 10)


def test_every_family_has_its_place():
    assert family_of("A") is family("Liberation Sans")
    assert family_of("א").name in FAMILIES
    assert family_of("患") is family("Droid Sans Fallback")
    assert family_of("ع") is family("DejaVu Sans")


@given(st.text(st.sampled_from("ab 患者。（シ\u0301😀\u200d⚕\ufe0fעב\u00a0-")), st.floats(6, 200))
def test_wrapping_keeps_every_character(words, width):
    lines = wrap(words, width, 8.5)
    spaces = re.compile(r"[^\S\u00a0]+")
    assert spaces.sub("", "".join(lines)) == spaces.sub("", words)
    for line in lines:
        assert text_width(line, 8.5) <= width or len(line) == 1


@given(st.lists(st.sampled_from(("a", " ", "患", "e\u0301", "👩\u200d⚕\ufe0f", "😀", "🇩🇪"))), st.floats(120, 150))
def test_wrapping_breaks_nothing_a_reader_sees_as_one(parts, width):
    words = "".join(parts)
    pieces = [cluster for word in words.split() for cluster in clusters(word)]
    assert [
        cluster for line in wrap(words, width, 8.5) for word in line.split() for cluster in clusters(word)
    ] == pieces


def test_ideographs_break_between_one_another_but_not_before_a_full_stop():
    assert unbroken("患者は。") == ["患", "者", "は。"]
    assert unbroken("（患者）") == ["（患", "者）"]
    lines = wrap("患者は入院した後に死亡した。", 45, 8.5)
    assert len(lines) > 1
    assert all(not line.startswith("。") for line in lines)


def test_a_space_that_binds_is_no_break():
    number = "12\u00a0345\u202f678"
    assert wrap(f"of {number}", text_width(number, 8.5) + 1, 8.5) == ("of", number)


def test_clusters():
    assert clusters("e\u0301x") == ["e\u0301", "x"]
    assert clusters("👩\u200d⚕\ufe0f!") == ["👩\u200d⚕\ufe0f", "!"]
    assert clusters("🇩🇪🇫🇷") == ["🇩🇪", "🇫🇷"]
    assert "".join(clusters("".join(CORPUS))) == "".join(CORPUS)


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("abc 12", "abc 12"), ("אבג", "גבא"), ("abc אבג def", "abc גבא def"), ("אב (12) גד", "דג (12) בא"),
        ("x אב 12", "x 12 בא"), ("אב 1.5% ab", "1.5% בא ab"), ("a (אב) b", "a (בא) b"), ("אב ab (12)", "בא ab (12)"),
    ],
)  # fmt: skip
def test_the_order_of_letters_from_left_to_right(words, seen):
    assert "".join(in_visual_order(words)) == seen


def test_the_direction_of_a_text():
    assert right_to_left("12 אבג abc")
    assert not right_to_left("12 abc אבג")
    assert not right_to_left("12")
