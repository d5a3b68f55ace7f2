"""Whatever the labels and however many rows: no two texts of a figure overlap and nothing leaves it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scene_checks import assert_clean, outside, overlapping, text_box

from counterpulse.report.figures.forest import Forest, ForestRow, forest_scenes
from counterpulse.report.figures.funnel import Funnel, FunnelStudy, draw_funnel
from counterpulse.report.figures.histograms import Bar, Histograms, Panel, draw_histograms
from counterpulse.report.figures.kaplan_meier import Curve, CurveFigure, RiskRow, draw_curves
from counterpulse.report.figures.lettering import ONE_COLUMN, TALLEST, TWO_COLUMNS, apart, fitted, tick_texts, told
from counterpulse.report.figures.love import Love, LoveRow, love_scenes
from counterpulse.report.figures.matrix import Matrix, draw_matrix
from counterpulse.report.figures.scene import Scene, Text
from counterpulse.report.figures.study_forest import StudyForest, StudyRow, study_forest_scenes
from counterpulse.report.figures.typeface import text_width
from counterpulse.report.figures.xy import Area, Axis, Line, Plane, draw_plane
from counterpulse.report.number_styles import STYLES

LONG = "Intra-aortic balloon pump within twenty-four hours of venoarterial support " * 4
NASTY = (
    LONG, LONG.replace(" ", ""), "体外膜肺氧合联合主动脉内球囊反搏组" * 4, "مضخة البالون داخل الأبهر مع دعم", "קבוצת טיפול", "🫀🩺" * 30, "",
    '<b>&"quoted"</b> $x$ #let \\n =cmd|', "A", "Zoë\u0301 – naïve", "tab\tand\nline\x07",
)  # fmt: skip
LABEL = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
WIDTHS = st.sampled_from([ONE_COLUMN, TWO_COLUMNS])
STYLE = st.sampled_from([STYLES["plain"], STYLES["lancet"]])
ANYTHING = settings(max_examples=40, deadline=None)
RATIOS = st.floats(1e-6, 1e6)


def labels(most, least=0):
    return st.lists(LABEL, min_size=least, max_size=most)


# -- curves ------------------------------------------------------------------------------------------------------------


@st.composite
def curve_figures(draw):
    names = draw(labels(12, 1))
    kmunicate, ticks = draw(st.booleans()), sorted(draw(st.sets(st.integers(0, 10_000), min_size=1, max_size=30)))
    curves, rows = [], []
    for name in names:
        times = sorted(draw(st.sets(st.integers(1, 10_000), max_size=6)))
        values = sorted(draw(st.lists(st.floats(0, 1), min_size=len(times), max_size=len(times))), reverse=True)
        ends = [draw(st.sampled_from([None, value])) for value in values]
        curves.append(Curve(label=name, times=times, values=values, low=ends, high=ends, censored=times[:2]))
        counts = [draw(st.sampled_from(["0", "4648", "12,345", "812.4", "\N{EM DASH}"])) for _ in ticks]
        rows.append(RiskRow(name, counts, (("Censored", counts), ("Any event", counts)) if kmunicate else ()))
    style = draw(STYLE)
    return CurveFigure(
        title="Survival", curves=curves, end=float(draw(st.integers(1, 20_000))), ticks=[float(tick) for tick in ticks],
        tick_labels=tick_texts(ticks, style), x_label=draw(LABEL), y_label="Event-free survival, %", origin=1.0,
        at_risk=rows if draw(st.booleans()) else (), note=draw(LABEL), width=draw(WIDTHS), style=style,
        top=draw(st.sampled_from([1.0, 0.05, 0.002])),
    )  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(curve_figures())
def test_curves(figure):
    scene = draw_curves(figure)
    assert_clean(scene)
    assert scene.width == figure.width


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("further", [(), (("Censored", ("0", "3")), ("Events", ("0", "9")))])
def test_twelve_long_names_of_curves(width, further):
    curves = [Curve(label=f"{k} {LONG}", times=[3.0], values=[0.9], low=[0.8], high=[0.95]) for k in range(12)]
    rows = [RiskRow(curve.label, ("832", "12"), further) for curve in curves]
    figure = CurveFigure(
        title="S", curves=curves, end=10.0, ticks=(0.0, 10.0), tick_labels=("0", "10"), x_label="Days", y_label="S, %",
        origin=1.0, at_risk=rows, width=width,
    )  # fmt: skip
    assert_clean(draw_curves(figure))


# -- forests -----------------------------------------------------------------------------------------------------------


@st.composite
def intervals(draw):
    value = draw(st.one_of(st.none(), RATIOS))
    if value is None:
        return None, None, None
    low, high = (
        (draw(st.sampled_from([None, value, value / 3, value * 1e-4, 0.0]))),
        draw(st.sampled_from([None, value, value * 3, value * 1e4, float("inf")])),
    )
    return value, low, high


@st.composite
def forests(draw):
    rows = []
    for name in draw(labels(40)):
        value, low, high = draw(intervals())
        effect = "Not estimable" if value is None else f"{value:.2f} (0.01 to 900,000,000.00)"
        heading = draw(st.booleans())
        rows.append(
            ForestRow(label=name, bold=True, p="0.41") if heading
            else ForestRow(
                label=name, indent=1, cells=("2451/4648", "399/832"), estimate=value, low=low, high=high, effect=effect,
                diamond=draw(st.booleans()),
            )
        )  # fmt: skip
    return Forest(
        title="Subgroups", columns=[f"{draw(LABEL)}, events/n", f"{draw(LABEL)}, events/n"], effect_label="Hazard ratio (95% CI)",
        p_label="P for interaction", rows=rows, axis_label=draw(LABEL), ratio=draw(st.booleans()), left=draw(LABEL),
        right=draw(LABEL), style=draw(STYLE),
    )  # fmt: skip


@ANYTHING
@given(forests())
def test_subgroup_forests(forest):
    for scene in forest_scenes(forest):
        assert_clean(scene)


def test_forty_subgroups_stand_on_pages_that_break_before_a_heading():
    rows = [ForestRow(label="All", bold=True, estimate=0.8, low=0.7, high=0.9, effect="0.80", diamond=True)]
    for k in range(40):
        rows.append(ForestRow(label=f"Variable {k}", bold=True, p="0.5"))
        rows += [
            ForestRow(label=f"{name} {k}", indent=1, estimate=0.9, low=0.5, high=1.5, effect="0.90") for name in "ab"
        ]
    forest = Forest(title="Subgroups", columns=("A, n",), effect_label="OR", p_label="P", rows=rows, axis_label="OR")
    scenes = forest_scenes(forest)
    assert [scene.title for scene in scenes] == [
        f"Subgroups (part {k} of {len(scenes)})" for k in range(1, len(scenes) + 1)
    ]
    assert all(scene.height <= TALLEST for scene in scenes)
    shown = [[shape.text for shape in scene.shapes if isinstance(shape, Text)] for scene in scenes]
    assert all(any(text == f"Variable {k}" for texts in shown for text in texts) for k in range(40))
    assert all(
        next(text for text in texts if " " in text and text[0] in "Vab").startswith("Variable") for texts in shown
    )
    assert {tuple(text for text in texts if text in ("0.5", "1", "2"))[-3:] for texts in shown} == {("0.5", "1", "2")}
    assert len(scenes) > 1


@st.composite
def study_forests(draw):
    rows = []
    for name in draw(labels(60)):
        value, low, high = draw(intervals())
        role = draw(st.sampled_from(["study", "study", "study", "heading", "subtotal", "total", "prediction", "words"]))
        if role in ("heading", "words"):
            rows.append(StudyRow(label=name, role=role))
            continue
        counts = draw(st.sampled_from([(), (("12", "345"), ("", "")), (("", "1,200"), ("88", "12,345"))]))
        weight = draw(st.one_of(st.none(), st.floats(0, 1)))
        rows.append(
            StudyRow(
                label=name, role=role, counts=counts, estimate=None if role == "prediction" else value, low=low, high=high,
                effect="0.92 (0.80 to 1.06)", weight=weight, weight_text="8.3",
            )
        )  # fmt: skip
    return StudyForest(
        title="Studies", groups=(draw(LABEL), draw(LABEL)), effect_label="Risk ratio (95% CI)", axis_label=draw(LABEL), rows=rows,
        ratio=draw(st.booleans()), left=draw(LABEL), right=draw(LABEL), layout=draw(st.sampled_from(["revman", "jama"])),
        style=draw(STYLE),
    )  # fmt: skip


@ANYTHING
@given(study_forests())
def test_forests_of_studies(forest):
    for scene in study_forest_scenes(forest):
        assert_clean(scene)


@pytest.mark.parametrize("layout", ["revman", "jama"])
def test_sixty_studies(layout):
    rows = [
        StudyRow(label=f"Study {k}", counts=(("10", "100"), ("12", "98")), estimate=0.9, low=0.5, high=1.6, effect="0.90", weight=1 / 60, weight_text="1.7")
        for k in range(60)
    ]  # fmt: skip
    rows.append(StudyRow(label="Total", role="total", estimate=0.9, low=0.85, high=0.95, effect="0.90 (0.85 to 0.95)"))
    rows.append(StudyRow(label="Prediction interval", role="prediction", low=0.6, high=1.3, effect="(0.60 to 1.30)"))
    forest = StudyForest(title="S", groups=("A", "B"), effect_label="RR", axis_label="RR", rows=rows, layout=layout)
    scenes = study_forest_scenes(forest)
    assert len(scenes) == 2
    for scene in scenes:
        assert_clean(scene)
        assert scene.height <= TALLEST


# -- balance, planes, funnels -------------------------------------------------------------------------------------------


@ANYTHING
@given(
    names=labels(45), samples=labels(6, 1), absolute=st.booleans(), width=WIDTHS, style=STYLE, x_label=LABEL, data=st.data()
)  # fmt: skip
def test_love_plots(names, samples, absolute, width, style, x_label, data):
    value = st.one_of(st.none(), st.floats(-3, 3), st.sampled_from([float("inf"), float("-inf"), float("nan"), 0.0]))
    rows = [LoveRow(label=name, values=[data.draw(value) for _ in samples]) for name in names]
    love = Love(
        title="Balance", samples=samples, rows=rows, x_label=x_label, absolute=absolute, width=width, style=style
    )
    for scene in love_scenes(love):
        assert_clean(scene)
        assert scene.height <= TALLEST or len(names) > 12


@ANYTHING
@given(
    lines=labels(6), names=labels(6), x_label=LABEL, y_label=LABEL, width=WIDTHS, style=STYLE, square=st.booleans(),
    ticks=st.sampled_from([(0.0, 0.5, 1.0), (0.0, 1e5, 2e5, 3e5, 4e5), tuple(float(k) for k in range(30)), (-0.2, 0.0)]),
    log=st.booleans(),
)  # fmt: skip
@example(
    lines=[LONG] * 6,
    names=[],
    x_label=LONG,
    y_label=LONG,
    width=ONE_COLUMN,
    style=STYLES["plain"],
    square=True,
    ticks=(0.0, 1.0),
    log=False,
)
def test_planes(lines, names, x_label, y_label, width, style, square, ticks, log):
    y = (
        Axis(label=y_label, ticks=(0.001, 0.01, 0.1), log=True)
        if log
        else Axis(label=y_label, ticks=(0.0, 0.2), percent=True)
    )
    drawn = [Line(label=label, points=[(ticks[0], 0.01), (ticks[-1], 0.1)]) for label in lines]
    drawn.append(Line(label="Centers", points=[(ticks[-1], 0.01)] * len(names), marks=True, names=names))
    plane = Plane(
        title="Plane", x=Axis(label=x_label, ticks=ticks), y=y, lines=drawn, square=square, width=width, style=style,
        areas=[Area(label="P", parts=[[(ticks[0], 0.01), (ticks[-1], 0.01), (ticks[-1], 0.1)]], shade="#cccccc")],
        above=["12"] * len(ticks), above_label="Covariates",
    )  # fmt: skip
    assert_clean(draw_plane(plane))


@ANYTHING
@given(
    studies=st.lists(st.tuples(RATIOS, st.floats(0, 5), st.booleans()), max_size=40), pooled=st.one_of(st.none(), RATIOS),
    ratio=st.booleans(), contours=st.booleans(), width=WIDTHS, label=LABEL,
)  # fmt: skip
def test_funnels(studies, pooled, ratio, contours, width, label):
    made = [
        FunnelStudy(label=label, estimate=value, std_error=error, imputed=filled) for value, error, filled in studies
    ]
    scene = draw_funnel(
        Funnel(title="Funnel", studies=made, x_label=label, ratio=ratio, pooled=pooled, contours=contours, width=width)
    )
    assert (scene is None) is (not studies)
    if scene is not None:
        assert_clean(scene)


@ANYTHING
@given(names=labels(12, 1), note=LABEL, x_label=LABEL, width=WIDTHS, style=STYLE)
def test_histograms(names, note, x_label, width, style):
    bars = [Bar(None, 1e5, 3), Bar(1e5, 2e5, 9), Bar(2e5, 3e5, None), Bar(3e5, None, 2)]
    panels = [Panel(label=name, bars=bars, note=note) for name in names]
    assert_clean(
        draw_histograms(Histograms(title="H", panels=panels, x_label=x_label, y_label="%", width=width, style=style))
    )


@ANYTHING
@given(names=labels(16, 1))
def test_matrices(names):
    cells = {(i, j): ("\N{MINUS SIGN}0.99", 0.99) for i in range(len(names)) for j in range(i)}
    assert_clean(draw_matrix(Matrix(title="M", labels=names, cells=cells)))


# -- the pieces --------------------------------------------------------------------------------------------------------


@ANYTHING
@given(words=LABEL, width=st.floats(80, 300), lines=st.integers(1, 4), bold=st.booleans())
def test_fitted_words_fit(words, width, lines, bold):
    found = fitted(words, width, lines=lines, bold=bold)
    assert 1 <= len(found) <= lines
    assert all(text_width(line, 8.5, bold=bold) <= width for line in found)


@ANYTHING
@given(places=st.lists(st.floats(0, 500), min_size=1, max_size=40), width=st.floats(1, 40))
def test_ticks_that_are_kept_do_not_touch(places, width):
    places = sorted(places)
    kept = apart(places, [width] * len(places))
    assert kept[0] == 0
    assert all(places[b] - places[a] >= width for a, b in pairwise(kept))


def test_a_description_says_how_much_it_leaves_out():
    text = told("Head.", [f"Row {k}: 0.82 (0.69 to 0.99)" for k in range(200)])
    assert len(text) <= 1500
    assert text.startswith("Head. Row 0: 0.82")
    assert text.endswith("more.")


def test_the_checks_see_what_they_should():
    def made(*texts):
        return Scene(width=100, height=100, title="T", description="D", shapes=texts)

    a, b = Text(x=10, y=50, text="One"), Text(x=15, y=52, text="Two")
    assert overlapping(made(a, b)) == [("One", "Two")]
    assert overlapping(made(a, Text(x=10, y=70, text="Two"))) == []
    upright = Text(x=12, y=52, text="Two", upright=False, anchor="middle")
    assert overlapping(made(a, upright)) == [("One", "Two")]
    assert text_box(upright)[3] - text_box(upright)[1] == pytest.approx(upright.width)
    assert outside(made(Text(x=95, y=50, text="One"))) != []
