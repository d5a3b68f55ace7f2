"""Figures of comparative effectiveness: whatever the labels and numbers, nothing overlaps and nothing leaves the picture."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene_checks import assert_clean
from test_figure_collisions import LABEL, LONG, NASTY, WIDTHS, labels

from counterpulse.report.figures.dot_grid import DotGrid, dot_grid_scenes
from counterpulse.report.figures.lettering import ONE_COLUMN, TALLEST, TWO_COLUMNS
from counterpulse.report.figures.love import Love, LoveRow, love_scenes
from counterpulse.report.figures.mirrored import Mirrored, MirroredPanel, Share, draw_mirrored
from counterpulse.report.figures.scene import Path
from counterpulse.report.figures.small_panels import SmallLine, SmallPanel, SmallPanels, small_panel_scenes
from counterpulse.report.figures.specifications import SpecificationFigure, Specified, draw_specifications

ANYTHING = settings(max_examples=40, deadline=None)
NUMBER = st.one_of(st.none(), st.floats(-1e4, 1e4))


@ANYTHING
@given(labels(30), labels(3, 1), WIDTHS, st.data())
def test_love_plots_over_imputations(names, samples, width, data):
    rows = [
        LoveRow(
            label=name, values=data.draw(st.lists(NUMBER, min_size=len(samples), max_size=len(samples))),
            most=data.draw(st.lists(st.one_of(st.none(), st.floats(0, 1e4)), max_size=len(samples))),
        )
        for name in names
    ]  # fmt: skip
    for scene in love_scenes(Love(title="B", samples=samples, rows=rows, x_label="SMD", width=width)):
        assert_clean(scene)


@st.composite
def mirrored(draw):
    groups = list(dict.fromkeys(draw(labels(4, 2))))
    panels = []
    for name in draw(labels(3, 1)):
        bins = {}
        for group in groups[: draw(st.integers(0, len(groups)))]:
            shares = draw(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=20))
            bins[group] = [Share(k / 20, (k + 1) / 20, share) for k, share in enumerate(shares)]
        panels.append(MirroredPanel(label=name, groups=bins))
    return Mirrored(
        title="Overlap", above=groups[:-1], below=groups[-1], panels=panels, x_label=draw(LABEL), y_label=draw(LABEL),
        width=draw(WIDTHS),
    )  # fmt: skip


@ANYTHING
@given(mirrored())
def test_mirrored_histograms(figure):
    scene = draw_mirrored(figure)
    assert_clean(scene)
    assert scene.width == figure.width


def test_the_area_of_a_bar_is_its_share():
    def tallest(bins):
        panel = MirroredPanel(label="", groups={"a": bins})
        scene = draw_mirrored(Mirrored(title="O", above=["a"], below="b", panels=[panel], x_label="x", y_label="y"))
        bars = [
            shape
            for shape in scene.shapes
            if isinstance(shape, Path) and shape.fill and shape.opacity < 1 and len(shape.points) == 4
        ]
        return [(bar.points[0][1] - bar.points[1][1], bar.points[2][0] - bar.points[0][0]) for bar in bars][-2:]

    (low, narrow), (high, wide) = tallest([Share(0.0, 0.1, 0.5), Share(0.1, 0.3, 0.5)])
    assert low * narrow == pytest.approx(high * wide)


@st.composite
def small_panels(draw):
    together = draw(st.sampled_from([1, 2]))
    panels = []
    for name in draw(labels(14, 1)):
        lines = [
            SmallLine(points=points, color="#000000")
            for points in draw(
                st.lists(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=5), max_size=3)
            )
        ]
        panels.append(SmallPanel(head=name, lines=lines, described=draw(LABEL), from_zero=draw(st.booleans())))
    return SmallPanels(
        title="Chains", panels=panels, x_label=draw(LABEL), y_label=draw(LABEL), y_ticks=draw(st.booleans()), together=together,
        legend=[(name, SmallLine(points=(), color="#000000")) for name in draw(labels(3))], width=draw(WIDTHS),
    )  # fmt: skip


@ANYTHING
@given(small_panels())
def test_small_panels(figure):
    for scene in small_panel_scenes(figure):
        assert_clean(scene)
        assert scene.width == figure.width


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_many_panels_stand_on_pages_that_fit(width):
    line = SmallLine(points=[(1.0, 2.0), (10.0, 3.0)], color="#000000")
    panels = [SmallPanel(head=f"{LONG} {k}", lines=[line]) for k in range(84)]
    scenes = small_panel_scenes(
        SmallPanels(title="Chains", panels=panels, x_label="Iteration", together=2, width=width)
    )
    assert len(scenes) > 1
    assert all(scene.height <= TALLEST for scene in scenes)
    assert scenes[1].title == f"Chains (part 2 of {len(scenes)})"
    assert sum(
        len([shape for shape in scene.shapes if getattr(shape, "width", 0) == line.width]) for scene in scenes
    ) >= len(panels)


@ANYTHING
@given(labels(8, 1), labels(60, 1), WIDTHS, st.data())
def test_dot_grids(rows, columns, width, data):
    cells = st.tuples(st.integers(0, len(rows) - 1), st.integers(0, len(columns) - 1))
    grid = DotGrid(title="Predictors", rows=rows, columns=columns, dots=data.draw(st.sets(cells)), width=width)
    for scene in dot_grid_scenes(grid):
        assert_clean(scene)


@st.composite
def specification_figures(draw):
    choices = draw(labels(4, 1))
    options = st.sampled_from(NASTY[:6])
    found = []
    for _ in range(draw(st.integers(1, 40))):
        value = draw(st.one_of(st.none(), st.floats(1e-6, 1e6)))
        ends = (None, None) if value is None else draw(st.sampled_from([(value / 2, value * 2), (None, None)]))
        found.append(
            Specified(
                options=[draw(options) for _ in choices], estimate=value, low=ends[0], high=ends[1], main=not found
            )
        )
    return SpecificationFigure(
        title="S",
        choices=choices,
        specifications=found,
        y_label=draw(LABEL),
        ratio=draw(st.booleans()),
        width=draw(WIDTHS),
    )


@ANYTHING
@given(specification_figures())
def test_specification_curves(figure):
    assert_clean(draw_specifications(figure))


def test_five_hundred_specifications_fit():
    found = [
        Specified(options=[f"option {k % 5}"], estimate=1 + k / 500, low=0.9, high=2.2, main=k == 7) for k in range(500)
    ]
    scene = draw_specifications(
        SpecificationFigure(title="S", choices=["Choice"], specifications=found, y_label="Odds ratio")
    )
    assert_clean(scene)
    assert "500 specifications: from 1.00 to 2.00" in scene.description
