"""Whatever the labels: no two boxes of a flow diagram touch, every text stays in its box, no connector crosses a box."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.report.figures.boxes import WIDTH, Board, FlowLine, FlowStage
from counterpulse.report.figures.consort import ArmStage, ConsortChart, describe_consort, draw_consort, place_consort
from counterpulse.report.figures.flow import FlowChart, describe, draw_flow, place
from counterpulse.report.figures.prisma import OtherMethods, PrismaChart, describe_prisma, draw_prisma, place_prisma
from counterpulse.report.figures.typeface import text_width

ROOM = 0.01
SMALLEST_TEXT = 6.0
"""Points; journals print nothing smaller."""
PAGE = WIDTH + 4 + ROOM
EXAMPLES = 60

labels = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=60),
    st.sampled_from(["W" * 300, "Received extracorporeal life support " * 8]),
    st.text("主动脉内球囊反搏联合静脉动脉体外膜肺氧合", min_size=1, max_size=80),
    st.text("بالون داخل الأبهر ", min_size=1, max_size=80),
    st.lists(st.sampled_from(["ventricular", "a", "cannulation", "≥65", "shock,", "👩🏽‍⚕️", "W" * 60]), min_size=1, max_size=14).map(" ".join),
)  # fmt: skip
counts = st.one_of(st.integers(0, 10_000_000).map(lambda n: f"{n:,}"), st.just("—"))
lines = st.builds(FlowLine, counts, labels, st.integers(0, 2))
boxes = st.lists(lines, min_size=1, max_size=4).map(tuple)
perhaps = st.one_of(st.just(()), boxes)
reasons = st.lists(lines, max_size=12).map(tuple)
stages = st.lists(st.builds(FlowStage, boxes, reasons), min_size=1, max_size=4)
flows = st.builds(FlowChart, stages=st.one_of(stages, st.just([])), groups=st.lists(boxes, max_size=13))


@st.composite
def trials(draw):
    arms = draw(st.integers(0, 13))
    rows = draw(st.lists(st.lists(perhaps, min_size=arms, max_size=arms), max_size=3))
    names = ("Allocation", "Follow-up", "Analysis")
    return ConsortChart(
        enrollment=draw(st.one_of(stages, st.just([]))),
        arms=draw(st.lists(labels, min_size=arms, max_size=arms)),
        stages=[ArmStage(name, row) for name, row in zip(names, rows, strict=False)],
    )


others = st.builds(
    OtherMethods, identified=boxes, sought=perhaps, not_retrieved=perhaps, assessed=perhaps, excluded=perhaps
)
reviews = st.builds(
    PrismaChart, identified=boxes, removed=perhaps, screened=perhaps, excluded=perhaps, sought=perhaps, not_retrieved=perhaps,
    assessed=perhaps, reports_excluded=reasons, included=perhaps, other=st.none() | others, previous=perhaps, total=perhaps,
)  # fmt: skip

CHARTS = {
    "strobe": (flows, place, draw_flow, describe),
    "consort": (trials(), place_consort, draw_consort, describe_consort),
    "prisma": (reviews, place_prisma, draw_prisma, describe_prisma),
}
each = pytest.mark.parametrize("kind", CHARTS)


def drawn(data, kind):
    charts, lay_out, *_ = CHARTS[kind]
    return lay_out(data.draw(charts))


def apart(a, b):
    return a.right <= b.x + ROOM or b.right <= a.x + ROOM or a.bottom <= b.y + ROOM or b.bottom <= a.y + ROOM


def inside(layout, x, y):
    return -ROOM <= x <= layout.width + ROOM and -ROOM <= y <= layout.height + ROOM


@each
@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_box_touches_another_no_text_leaves_its_box_and_no_connector_crosses_one(kind, data):
    layout = drawn(data, kind)
    assert layout.width <= PAGE
    for a, b in combinations(layout.boxes, 2):
        assert apart(a, b)
    for box in layout.boxes:
        assert inside(layout, box.x, box.y)
        assert inside(layout, box.right, box.bottom)
        text_is_inside(box)
    for way in layout.ways:
        is_a_clean_way(way, layout)
    for band in layout.bands:
        is_a_clean_band(band, layout)
    for a, b in combinations(layout.bands, 2):
        assert a.y + a.height <= b.y + ROOM or b.y + b.height <= a.y + ROOM or a.x != b.x


def text_is_inside(box):
    size = box.lines[0].size
    assert size >= SMALLEST_TEXT
    baselines = sorted({line.y for line in box.lines})
    assert all(later - earlier >= size for earlier, later in pairwise(baselines))
    for line in box.lines:
        assert line.left >= box.x - ROOM
        assert line.left + line.width <= box.right + ROOM
        assert box.y <= line.y - size * 0.75
        assert line.y + size * 0.2 <= box.bottom
    for a, b in combinations(box.lines, 2):
        assert a.y != b.y or a.left + a.width <= b.left + ROOM or b.left + b.width <= a.left + ROOM


def is_a_clean_way(way, layout):
    """Straight parts inside the picture that cross no box; an arrow ends at the edge of one."""
    assert all(inside(layout, *point) for point in way.points)
    for (x0, y0), (x1, y1) in pairwise(way.points):
        assert x0 == x1 or y0 == y1
        left, right, top, bottom = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        for box in layout.boxes:
            across = left < box.right - ROOM and right > box.x + ROOM
            assert not (across and top < box.bottom - ROOM and bottom > box.y + ROOM)
    x, y = way.points[-1]
    assert not way.arrow or any(
        (abs(y - box.y) < ROOM and box.x <= x <= box.right)
        or (min(abs(x - box.x), abs(x - box.right)) < ROOM and box.y <= y <= box.bottom)
        for box in layout.boxes
    )


def is_a_clean_band(band, layout):
    """As long as its words, inside the picture, away from every box."""
    right, bottom = band.x + band.width, band.y + band.height
    assert inside(layout, band.x, band.y)
    assert inside(layout, right, bottom)
    along = band.height if band.upward else band.width
    assert all(text_width(line, band.size, bold=True) <= along + ROOM for line in band.lines)
    for box in layout.boxes:
        assert right <= box.x + ROOM or bottom <= box.y + ROOM or band.y >= box.bottom - ROOM


@each
@given(st.data())
@settings(max_examples=20, deadline=None)
def test_every_count_and_label_is_said_and_drawing_is_deterministic(kind, data):
    charts, lay_out, draw, say = CHARTS[kind]
    chart = data.draw(charts)
    words = say(chart)
    for box in lay_out(chart).boxes:
        assert all(line.text in words for line in box.lines if line.anchor_end)
    scene = draw(chart)
    assert scene.description == words
    assert scene == draw(chart)


@pytest.mark.parametrize("arms", range(1, 13))
def test_any_number_of_arms_fits_a_page_in_type_that_can_be_read(arms):
    words = "Received venoarterial extracorporeal membrane oxygenation"
    box = (FlowLine("1,234", words), FlowLine("34", "Contraindication", 1), FlowLine("4", "Withdrew consent", 2))
    chart = ConsortChart(
        enrollment=[FlowStage((FlowLine("9", "Randomized"),))], arms=[words] * arms,
        stages=[ArmStage(name, [box] * arms) for name in ("Allocation", "Analysis")],
    )  # fmt: skip
    layout = place_consort(chart)
    assert layout.width <= PAGE
    assert len(layout.boxes) == 1 + 2 * arms
    broken = [line.text for box in layout.boxes for line in box.lines if not line.anchor_end]
    assert " ".join(broken).count("oxygenation") == 2 * arms  # no word is broken


def test_nothing_to_draw():
    assert Board().laid_out().boxes == ()
    assert place(FlowChart(stages=[])).boxes == ()
