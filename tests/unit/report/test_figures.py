from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from PIL import Image

from counterpulse.report.figures.axes import linear_ticks, log_ticks
from counterpulse.report.figures.boxes import FlowLine, FlowStage
from counterpulse.report.figures.flow import FlowChart, describe, draw_flow
from counterpulse.report.figures.forest import Forest, ForestRow, forest_scenes
from counterpulse.report.figures.kaplan_meier import Curve, CurveFigure, RiskRow, draw_curves
from counterpulse.report.figures.palette import look
from counterpulse.report.figures.scene import Path, Scene, Text
from counterpulse.report.figures.svg import to_svg
from counterpulse.report.figures.typeface import text_width, wrap
from counterpulse.report.typesetting import to_pngs

ONE_DOT = 1
"""A page is a whole number of dots."""

TICKS = (0.0, 10.0, 20.0, 30.0)


def curve(label, values, **more):
    times = [5.0 * (k + 1) for k in range(len(values))]
    low = [None if v is None else max(v - 0.1, 0.0) for v in values]
    high = [None if v is None else min(v + 0.1, 1.0) for v in values]
    return Curve(label=label, times=times, values=values, low=low, high=high, **more)


def figure(curves, further=False):
    rows = [
        RiskRow(c.label, ["50", "40", "30", "0"], (("Events", ["0", "5", "9", "12"]),) if further else ())
        for c in curves
    ]
    return CurveFigure(
        title="Survival", curves=curves, end=30.0, ticks=TICKS, tick_labels=[f"{t:g}" for t in TICKS], x_label="Days",
        y_label="Survival, %", origin=1.0, at_risk=rows, note="Hazard ratio 0.82 (95% CI 0.69 to 0.99); P = 0.03",
    )  # fmt: skip


def forest(rows, **more):
    return Forest(
        title="Subgroups", columns=("IABP, events/n", "ECMO, events/n"), effect_label="Odds ratio (95% CI)",
        p_label="P for interaction", rows=rows, axis_label="Odds ratio", left="Favors IABP", right="Favors ECMO", **more,
    )  # fmt: skip


def row(estimate, low, high, **more):
    fields = {"label": "Stratum", "cells": ("1/2", "3/4"), "effect": "x"} | more
    return ForestRow(estimate=estimate, low=low, high=high, **fields)


def texts(scene):
    return [shape for shape in scene.shapes if isinstance(shape, Text)]


def inside(scene):
    for shape in scene.shapes:
        if isinstance(shape, Path):
            for x, y in shape.points:
                assert -0.01 <= x <= scene.width + 0.01
                assert -0.01 <= y <= scene.height + 0.01
        elif shape.upright:
            assert shape.left >= -0.01
            assert shape.left + shape.width <= scene.width + 0.01
            assert 0 <= shape.y <= scene.height


CURVES = {
    "one": [curve("Everybody", [0.9, 0.8, 0.8])],
    "never reached, one event": [curve("A", [0.98]), curve("B", [0.9, 0.5, 0.1, 0.0])],
    "twelve": [curve(f"Center {k}", [0.9 - k / 20, 0.8 - k / 20, 0.5]) for k in range(12)],
    "unknown values": [curve("A", [0.9, None, None])],
    "no events": [Curve(label="A", times=[], values=[], low=[], high=[])],
    "long": [curve("Intra-aortic balloon pump with venoarterial extracorporeal membrane oxygenation " * 2, [0.9, 0.4])],
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("further", [False, True])
def test_curves_stay_inside_the_picture(name, further):
    inside(draw_curves(figure(CURVES[name], further)))


@pytest.mark.parametrize("name", CURVES)
def test_labels_of_curves_do_not_overlap(name):
    scene = draw_curves(figure(CURVES[name]))
    labels = sorted(text.y for text in texts(scene) if text.bold and text.x > 380)
    assert all(later - earlier >= 8.5 for earlier, later in pairwise(labels))


def centered(scene, text, nth=0):
    return [shape.x for shape in texts(scene) if shape.anchor == "middle" and shape.text == text][nth]


def test_numbers_at_risk_stand_under_their_ticks():
    scene = draw_curves(figure(CURVES["one"]))
    for tick, count in (("0", "50"), ("10", "40")):
        assert centered(scene, tick) == centered(scene, count)


def test_the_axis_reaches_to_the_end_beyond_the_last_tick():
    curves = [curve("A", [0.9] * 8)]
    wide, longer = draw_curves(figure(curves)), draw_curves(replace(figure(curves), end=40.0))
    assert centered(longer, "30") < centered(wide, "30")


def test_looks_of_twelve_groups_differ():
    assert len({look(k) for k in range(12)}) == 12


FORESTS = {
    "plain": [row(0.8, 0.6, 1.1), row(0.82, 0.69, 0.99, diamond=True, label="All")],
    "huge": [row(3.0, 0.01, 9e8), row(1e-9, 0.0, 4.0), row(0.9, 0.8, 1.0)],
    "not estimable": [row(None, None, None, effect="Not estimable"), ForestRow(label="Age", bold=True, p="0.41")],
    "infinite": [row(2.0, 0.5, float("inf")), row(float("inf"), None, None)],
    "forty": [row(0.5 + k / 20, 0.3 + k / 20, 1.0 + k / 20, label="Left ventricular ejection fraction " * 4) for k in range(40)],
    "narrow": [row(1.0, 0.999, 1.001)],
    "none": [],
}  # fmt: skip


@pytest.mark.parametrize("name", FORESTS)
@pytest.mark.parametrize("ratio", [True, False])
def test_forests_stay_inside_the_picture(name, ratio):
    for scene in forest_scenes(forest(FORESTS[name], ratio=ratio)):
        inside(scene)


def test_a_clipped_interval_has_an_arrowhead():
    [whole] = forest_scenes(forest([row(1.0, 0.9, 1.1), row(3.0, 0.5, 40.0)]))
    [clipped] = forest_scenes(forest([row(1.0, 0.9, 1.1), row(3.0, 0.5, 4000.0)]))
    triangles = [sum(isinstance(s, Path) and len(s.points) == 3 for s in scene.shapes) for scene in (whole, clipped)]
    assert triangles[0] + 1 >= triangles[1] >= triangles[0]
    assert triangles[1] == 3


def test_ticks():
    assert linear_ticks(0, 100, about=5) == (0, 20, 40, 60, 80, 100)
    assert log_ticks(0.6, 1.8) == (0.5, 1, 2)
    assert len(log_ticks(0.02, 60)) <= 8
    assert 1 in log_ticks(0.02, 60)


def test_wrapping_keeps_every_character():
    words = "Left ventricular " + "x" * 300
    lines = wrap(words, 80, 8.5)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    assert all(text_width(line, 8.5) <= 80 for line in lines)
    assert wrap("", 80, 8.5) == ("",)


def test_svg_is_well_formed_searchable_and_deterministic():
    scene = draw_flow(FlowChart(stages=[FlowStage((FlowLine("12", '<b>& "quoted" 患者 😀 \x07'),))]))
    svg = to_svg(scene, prefix="f")
    tree = ElementTree.fromstring(svg)
    assert "<b>&" in "".join(tree.itertext())
    assert svg == to_svg(scene, prefix="f")
    assert 'textLength="' in svg


def test_png_has_300_dots_an_inch_and_is_deterministic():
    scene = draw_flow(FlowChart(stages=[FlowStage((FlowLine("12", "Eligible"),))]))
    (first,) = to_pngs([scene])
    assert to_pngs([scene]) == [first]
    image = Image.open(BytesIO(first))
    assert image.width == pytest.approx(scene.width * 300 / 72, abs=ONE_DOT)


def test_the_flow_in_words():
    chart = FlowChart(
        stages=[FlowStage((FlowLine("9", "Read"),), (FlowLine("2", "Excluded"),))], groups=[(FlowLine("7", "IABP"),)]
    )
    assert describe(chart) == "Read: 9. Excluded: 2. IABP: 7."


def test_what_xml_forbids_and_what_turns_the_text_is_shown_as_replaced():
    """A label with U+FFFF is a picture, not a file that no program opens."""
    scene = Scene(width=10, height=10, shapes=(), title="a\uffffb", description="c\u202ed\x07")
    page = to_svg(scene, prefix="x")
    ElementTree.fromstring(page)
    assert "a\ufffdb" in page
    assert "c\ufffdd\ufffd" in page
