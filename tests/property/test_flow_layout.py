"""Whatever the labels: no two boxes of a flow diagram touch, and every text stays in its box."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.report.figures.flow import SIZE, FlowChart, FlowLine, FlowStage, draw_flow, place

ROOM = 0.01

labels = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=120),
    st.lists(st.sampled_from(["ventricular", "a", "cannulation", "≥65", "shock,", "W" * 60]), min_size=1, max_size=14).map(" ".join),
)  # fmt: skip
counts = st.integers(0, 10_000_000).map(lambda n: f"{n:,}")
lines = st.builds(FlowLine, counts, labels, st.integers(0, 1))
boxes = st.lists(lines, min_size=1, max_size=4).map(tuple)
reasons = st.lists(lines, max_size=25).map(tuple)
stages = st.lists(st.builds(FlowStage, boxes, reasons), min_size=1, max_size=5)
charts = st.builds(FlowChart, stages=stages, groups=st.lists(boxes, max_size=6))


def apart(a, b):
    return (
        a.x + a.width <= b.x + ROOM or b.x + b.width <= a.x + ROOM or a.bottom <= b.y + ROOM or b.bottom <= a.y + ROOM
    )


@given(charts)
@settings(max_examples=60, deadline=None)
def test_boxes_are_disjoint_and_inside_the_picture(chart):
    layout = place(chart)
    for a, b in combinations(layout.boxes, 2):
        assert apart(a, b)
    for box in layout.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= layout.width + ROOM
        assert box.bottom <= layout.height + ROOM


@given(charts)
@settings(max_examples=60, deadline=None)
def test_text_stays_in_its_box_and_lines_do_not_overlap(chart):
    for box in place(chart).boxes:
        baselines = sorted({line.y for line in box.lines})
        assert all(later - earlier >= SIZE for earlier, later in pairwise(baselines))
        for line in box.lines:
            assert line.left >= box.x - ROOM
            assert line.left + line.width <= box.x + box.width + ROOM
            assert box.y <= line.y - SIZE * 0.75
            assert line.y + SIZE * 0.2 <= box.bottom


@given(charts)
@settings(max_examples=20, deadline=None)
def test_drawing_is_deterministic(chart):
    assert draw_flow(chart) == draw_flow(chart)
