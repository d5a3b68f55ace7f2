from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter
from pypdf import PdfReader
from test_html import CORPUS

from counterpulse.protocol.identity_nodes import FigureLooks
from counterpulse.report.chapters.order import compose
from counterpulse.report.document import Figure, blocks_of
from counterpulse.report.figures.eps import to_eps
from counterpulse.report.figures.lettering import column_width
from counterpulse.report.figures.scene import Path, Scene, Text
from counterpulse.report.render.print_formats import LARGEST, SMALLEST, print_formats, printed_width
from counterpulse.report.typesetting import to_pngs
from counterpulse.report.write import write_report

ALL = FigureLooks(format=("tiff", "eps", "pdf"), dpi=600)
DOT = 0.0034
"""A page is a whole number of dots: two of 600 an inch, in inches."""
DOTS = 2
"""The same, in dots."""
ROUNDED = 0.02
"""Widths are written to a hundredth of a point."""
PER_METER = 0.01
"""A PNG says its resolution in whole dots a meter, a hundredth of a dot an inch."""
DIFFERENT = 40 / 255
"""After a blur, two painters of the same shapes agree to this; a letter or line in another place differs by more."""
FEW = 0.0005
"""The share of dots that may differ: edges on the border of two dots."""


def scene(*shapes, width=300, height=60):
    return Scene(width=width, height=height, title="A title (with parentheses)", description="d", shapes=shapes)


def text(words, **more):
    return Text(**({"x": 10, "y": 30, "text": words, "size": 12} | more))


def figure(drawn, id="f"):
    return Figure(id=id, label="Figure 1", title="t", caption="c", alternative="a", scene=drawn)


@pytest.fixture(scope="module")
def figures(plan, result):
    return [block for block in blocks_of(compose(result, plan).sections) if isinstance(block, Figure)]


@pytest.mark.parametrize("column", ["one-column", "two-column"])
def test_a_figure_is_as_wide_as_its_column(column):
    assert printed_width(scene(text("a", size=7), width=column_width(column) * 0.9), column) == pytest.approx(
        column_width(column)
    )
    assert printed_width(scene(width=999), column) == column_width(column)


def test_text_stays_legible_and_modest():
    crowded = scene(text("a", size=6), text("b", size=12), width=900)
    assert printed_width(crowded, "one-column") / crowded.width * 6 == pytest.approx(SMALLEST)
    sparse = scene(text("a", size=8), width=100)
    assert printed_width(sparse, "two-column") / sparse.width * 8 == pytest.approx(LARGEST)


def test_only_what_is_asked_for_is_written(figures):
    assert print_formats(figures, FigureLooks()) == {}
    assert set(print_formats(figures[:1], FigureLooks(format="pdf"))) == {f"figures/{figures[0].id}.pdf"}


def test_a_report_holds_the_formats(plan, result, figures):
    looks = plan.protocol.report.model_copy(
        update={"outputs": ("json",), "figures": ALL.model_copy(update={"dpi": 72})}
    )
    files = write_report(compose(result, plan), result, looks)
    for kind in ("svg", "png", "tiff", "eps", "pdf"):
        assert {f"figures/{figure.id}.{kind}" for figure in figures} <= set(files)


def test_tiff_is_what_journals_ask_for(figures):
    one = figures[0]
    files = print_formats([one], FigureLooks(format="tiff", dpi=600))
    with Image.open(BytesIO(files[f"figures/{one.id}.tiff"])) as picture:
        assert picture.mode == "RGB"
        assert picture.info["compression"] == "tiff_lzw"
        assert picture.info["dpi"] == (600, 600)
        width = printed_width(one.scene, "two-column") / 72
        assert picture.width / 600 == pytest.approx(width, abs=DOT)
        assert not {270, 305, 306, 315, 316} & set(picture.tag_v2)
        assert picture.getpixel((0, 0)) == (255, 255, 255)


def test_a_pdf_figure_can_be_searched_and_has_its_fonts(figures):
    one = figures[0]
    page = PdfReader(BytesIO(print_formats([one], FigureLooks(format="pdf"))[f"figures/{one.id}.pdf"])).pages[0]
    assert float(page.mediabox.width) == pytest.approx(printed_width(one.scene, "two-column"), abs=ROUNDED)
    found = re.sub(r"\s+", "", page.extract_text())
    assert all(re.sub(r"\s+", "", shape.text) in found for shape in one.scene.shapes if isinstance(shape, Text))
    for font in page["/Resources"]["/Font"].values():
        face = font["/DescendantFonts"][0]["/FontDescriptor"]
        assert "/FontFile2" in face or "/FontFile3" in face


def test_pictures_say_their_resolution(figures):
    drawn = [figure.scene for figure in figures[:2]]
    for png, one in zip(to_pngs(drawn, dots_per_inch=300), drawn, strict=True):
        with Image.open(BytesIO(png)) as picture:
            picture.load()
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=PER_METER)
            assert picture.width == pytest.approx(one.width / 72 * 300, abs=DOTS)


@pytest.mark.parametrize("words", [*CORPUS, "🧠", "a)b(c\\d"])
def test_any_text_becomes_clean_postscript(words):
    drawn = replace(scene(text(words), text(words, bold=True, anchor="end", x=290, upright=False)), title=words)
    eps = to_eps(drawn, width=238.11)
    assert eps.isascii()
    lines = eps.decode().splitlines()
    assert lines[0] == "%!PS-Adobe-3.0 EPSF-3.0"
    assert lines[1] == "%%BoundingBox: 0 0 239 48"
    assert lines[2] == "%%HiResBoundingBox: 0 0 238.1100 47.6220"
    assert lines[-1] == "%%EOF"
    assert eps == to_eps(drawn, width=238.11)


def test_an_eps_has_no_date_and_no_font():
    eps = to_eps(scene(text("abc")), width=200).decode()
    assert "CreationDate" not in eps
    assert "findfont" not in eps
    assert "show\n" not in eps.replace("showpage\n", "")


def test_a_translucent_area_is_mixed_with_white_and_hides_nothing():
    line = Path(points=((0, 10), (300, 10)), stroke="#000000")
    band = Path(points=((0, 0), (300, 0), (300, 20)), stroke=None, fill="#ff0000", opacity=0.5)
    eps = to_eps(scene(line, band), width=300).decode()
    assert "1 0.5 0.5 rgb" in eps
    assert eps.index("1 0.5 0.5 rgb") < eps.index("stroke")


def rasterized(eps, folder, dpi):
    source, target = folder / "figure.eps", folder / "figure.png"
    source.write_bytes(eps)
    options = [
        "-q",
        "-dSAFER",
        "-dNOPAUSE",
        "-dBATCH",
        "-dEPSCrop",
        "-dTextAlphaBits=4",
        "-dGraphicsAlphaBits=4",
        "-sDEVICE=pnggray",
    ]
    subprocess.run(["gs", *options, f"-r{dpi}", f"-sOutputFile={target}", str(source)], check=True, timeout=60)
    return Image.open(target)


def blurred(picture, size):
    return np.asarray(picture.convert("L").resize(size).filter(ImageFilter.GaussianBlur(2)), dtype=float) / 255


@pytest.mark.skipif(shutil.which("gs") is None, reason="Ghostscript is not on this machine")
def test_an_eps_looks_like_the_picture(figures, tmp_path):
    labels = scene(
        text("≥ 患者 µm עברית 12.5% (א) x"),
        text("שלום abc (12)", y=50),
        text("Survival, %", x=150, y=50, anchor="middle", bold=True),
    )
    for drawn in [labels, *(figure.scene for figure in figures)]:
        opaque = replace(
            drawn, shapes=tuple(shape for shape in drawn.shapes if isinstance(shape, Text) or shape.opacity == 1)
        )
        [png] = to_pngs([opaque], dots_per_inch=144)
        with Image.open(BytesIO(png)) as ours, rasterized(to_eps(opaque, width=drawn.width), tmp_path, 144) as theirs:
            assert theirs.width == pytest.approx(ours.width, abs=DOTS)
            white = Image.new("RGBA", ours.size, "white")
            white.alpha_composite(ours.convert("RGBA"))
            apart = np.abs(blurred(white, ours.size) - blurred(theirs, ours.size))
            assert (apart > DIFFERENT).mean() < FEW
