"""Figures of a review: whatever the labels and numbers, nothing overlaps and nothing leaves the picture."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene_checks import assert_clean
from test_figure_collisions import LABEL, LONG, STYLE, WIDTHS, labels

from counterpulse.report.figures.binned_plane import BIN, HEIGHT, BinnedPlane, Cloud, draw_binned_plane
from counterpulse.report.figures.funnel import Funnel, FunnelStudy, draw_funnel
from counterpulse.report.figures.lettering import ONE_COLUMN, TALLEST, TWO_COLUMNS
from counterpulse.report.figures.lights import LIGHTS
from counterpulse.report.figures.network_graph import (
    LARGEST_DISK,
    Comparison,
    NetworkGraph,
    Treatment,
    draw_network,
)
from counterpulse.report.figures.risk_of_bias import BiasTable, bias_table_scenes, draw_bias_summary
from counterpulse.report.figures.scene import Path, Text
from counterpulse.report.figures.small_panels import SmallLine, SmallPanel, SmallPanels, small_panel_scenes
from counterpulse.report.figures.study_forest import StudyForest, StudyRow, study_forest_scenes
from counterpulse.report.figures.xy import Axis, Line, Plane, draw_plane

ANYTHING = settings(max_examples=40, deadline=None)
LEVEL = st.sampled_from([*LIGHTS, "", "odd"])
CONTRAST = 4.5  # of text, by WCAG 2


def texts(scene):
    return [shape.text for shape in scene.shapes if isinstance(shape, Text)]


# -- lights ------------------------------------------------------------------------------------------------------------


@st.composite
def bias_tables(draw):
    domains = list(dict.fromkeys(draw(labels(9))))
    studies = [
        (name, {domain: draw(LEVEL) for domain in domains if draw(st.booleans())}, draw(LEVEL))
        for name in draw(labels(30))
    ]
    return BiasTable(title="B", domains=domains, studies=studies, width=draw(WIDTHS))


@ANYTHING
@given(bias_tables())
def test_lights_of_a_review(table):
    for scene in (*bias_table_scenes(table), draw_bias_summary(table)):
        assert_clean(scene)


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_many_studies_stand_on_pages_that_fit(width):
    studies = [(f"{LONG} {k}", {"D": "low"}, "high") for k in range(90)]
    scenes = bias_table_scenes(BiasTable(title="B", domains=["D"], studies=studies, width=width))
    assert len(scenes) > 1
    assert all(scene.height <= TALLEST for scene in scenes)
    assert scenes[0].title == f"B (part 1 of {len(scenes)})"
    assert sum(texts(scene).count("\N{MULTIPLICATION SIGN}") - 1 for scene in scenes) == 90


def luminance(color):
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_lights_are_told_apart_without_color():
    signs = [light.sign for light in LIGHTS.values()]
    assert len(set(signs)) == len(signs)
    gray = [luminance(LIGHTS[level].color) for level in ("low", "some", "high", "critical")]
    assert gray == sorted(gray, reverse=True)
    for light in LIGHTS.values():
        bright, dark = sorted((luminance(light.color), luminance(light.ink)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= CONTRAST


def test_a_study_is_described_by_its_whole_first():
    (scene,) = bias_table_scenes(BiasTable(title="B", domains=["D"], studies=[("Smith 2019", {"D": "low"}, "high")]))
    assert "Smith 2019: overall high or serious, 1 low" in scene.description


@st.composite
def lit_forests(draw):
    domains = [(f"{chr(65 + k)}", name) for k, name in enumerate(draw(labels(8, 1)))]
    rows = []
    for name in draw(labels(20)):
        value = draw(st.one_of(st.none(), st.floats(1e-4, 1e4)))
        ends = (None, None) if value is None else (value / 2, value * 2)
        rows.append(
            StudyRow(
                label=name, counts=[("12", "1,234"), ("9", "99")], estimate=value, low=ends[0], high=ends[1], effect="0.50 (0.20 to 1.00)",
                weight=0.1, weight_text="10.0", lights=[draw(LEVEL) for _ in domains],
            )
        )  # fmt: skip
    return StudyForest(
        title="Studies", groups=(draw(LABEL), draw(LABEL)), effect_label="Risk ratio (95% CI)", axis_label=draw(LABEL), rows=rows,
        left=draw(LABEL), right=draw(LABEL), layout=draw(st.sampled_from(["revman", "jama"])), style=draw(STYLE), domains=domains,
    )  # fmt: skip


@ANYTHING
@given(lit_forests())
def test_forests_with_lights(forest):
    for scene in study_forest_scenes(forest):
        assert_clean(scene)
        assert scene.height <= TALLEST + 60


# -- networks ----------------------------------------------------------------------------------------------------------


@ANYTHING
@given(st.data(), WIDTHS)
def test_networks(data, width):
    names = data.draw(labels(24))
    pairs = [(i, j) for i in range(len(names)) for j in range(i)]
    chosen = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=40)) if pairs else []
    graph = NetworkGraph(
        title="N", treatments=[Treatment(name, data.draw(st.one_of(st.none(), st.integers(0, 10**6)))) for name in names],
        comparisons=[Comparison(i, j, data.draw(st.integers(1, 60))) for i, j in chosen], width=width,
    )  # fmt: skip
    assert_clean(draw_network(graph))


def test_the_area_of_a_disk_is_its_patients():
    graph = NetworkGraph(
        title="N", treatments=[Treatment("A", 400), Treatment("B", 100)], comparisons=[Comparison(0, 1, 3)]
    )
    disks = [shape for shape in draw_network(graph).shapes if isinstance(shape, Path) and len(shape.points) > 10]
    wide = [max(x for x, _ in disk.points) - min(x for x, _ in disk.points) for disk in disks]
    assert wide == pytest.approx([2 * LARGEST_DISK, LARGEST_DISK])
    assert "A with B: 3 studies" in draw_network(graph).description


# -- many points -------------------------------------------------------------------------------------------------------


def axes():
    return {"x": Axis(label=LONG, ticks=(0.1, 1.0, 10.0), log=True), "y": Axis(label=LONG, ticks=(0.0, 0.5, 1.0), percent=True)}  # fmt: skip


@ANYTHING
@given(labels(4, 1), WIDTHS, st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(0, 1)), max_size=60))
def test_clouds(heads, width, points):
    clouds = [Cloud(head, points) for head in heads]
    assert_clean(
        draw_binned_plane(BinnedPlane(title="G", clouds=clouds, counted="subsets", rule=1.0, width=width, **axes()))
    )


def test_a_cloud_is_as_large_as_the_plot_and_not_as_its_points():
    points = [(0.1 + (k * 7919) % 9973 / 1000, (k * 104729) % 9967 / 9967) for k in range(9000)]
    scene = draw_binned_plane(BinnedPlane(title="G", clouds=[Cloud("All", points)], counted="subsets", **axes()))
    squares = [shape for shape in scene.shapes if isinstance(shape, Path) and shape.fill]
    assert len(squares) < (TWO_COLUMNS / BIN) * (HEIGHT / BIN)
    assert "9000 subsets" in scene.description


# -- what older figures learned ----------------------------------------------------------------------------------------


def test_disks_and_their_names():
    marks = Line(
        label="A study",
        points=[(1, 1.0), (2, 2.0), (2.1, 2.1)],
        marks=True,
        ink=True,
        radii=[2.0, 11.0, 4.0],
        names=["a", "b", "c"],
    )
    axis = Axis(label="x", ticks=(0.0, 1.0, 2.0, 3.0))
    scene = draw_plane(Plane(title="B", x=axis, y=axis, lines=[marks]))
    assert_clean(scene)
    disks = [shape for shape in scene.shapes if isinstance(shape, Path) and len(shape.points) > 20]
    wide = [max(x for x, _ in disk.points) - min(x for x, _ in disk.points) for disk in disks]
    assert wide == pytest.approx([22.0, 8.0, 4.0])  # the small ones over the large ones


@pytest.mark.parametrize("xs", [(0.5, 0.9), (0.01, 100.0), (2.0, 2.0), (-1.0, 0.0)])
def test_small_panels_with_a_logarithmic_axis(xs):
    line = SmallLine(points=[(x, 1.0 + k) for k, x in enumerate(xs)], color="#000000", dash=(2, 2))
    panel = SmallPanel(head="Effect", lines=[line], log=True, from_zero=True)
    (scene,) = small_panel_scenes(
        SmallPanels(title="P", panels=[panel], x_label="Risk ratio", legend=[("Prior", line)])
    )
    assert_clean(scene)


@pytest.mark.parametrize("filled", [None, 0.6, 40.0])
def test_a_funnel_shows_both_pooled_estimates(filled):
    studies = [
        FunnelStudy(label="A", estimate=0.5, std_error=0.2),
        FunnelStudy(label="B", estimate=1.4, std_error=0.5, imputed=True),
    ]
    scene = draw_funnel(Funnel(title="F", studies=studies, x_label="RR", pooled=0.5, filled=filled))
    assert_clean(scene)
    assert ("Pooled with those filled in" in texts(scene)) is (filled is not None)
