"""The flow of a cohort (STROBE): boxes down the middle, removals to their right with every reason, groups at the foot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterpulse.report.figures.boxes import (
    GUTTER,
    WIDTH,
    Board,
    Box,
    FlowStage,
    Layout,
    PlacedBox,
    abreast,
    columns,
    fan,
    in_words,
    paint,
    spine,
    stages_in_words,
)
from counterpulse.report.figures.scene import Scene

GROUP = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChart:
    """The stages in order and the box of each group (none, or one to twelve and more)."""

    stages: Sequence[FlowStage]
    groups: Sequence[Box] = ()


def place(chart: FlowChart) -> Layout:
    """Measure and place every box."""
    board = Board()
    rows = abreast(len(chart.groups))
    left = GUTTER if len(rows) > 1 else 0.0
    last, y = spine(board, chart.stages, middle=(left + WIDTH) / 2, right=WIDTH, ends=not chart.groups)
    placed = []
    for row in rows:
        y += board.gap / 2
        boxes = [chart.groups[k] for k in row]
        found, bottom = _groups(board, boxes, left, y)
        placed.append(found)
        y = bottom + board.gap / 2
    if last and placed:
        fan(board, last, placed, gutter=0.0)
    return board.laid_out()


def _groups(board: Board, groups: Sequence[Box], left: float, y: float) -> tuple[list[PlacedBox], float]:
    lefts, width = columns(len(groups), left=left, right=WIDTH, gap=board.size, widest=GROUP)
    placed, bottom = board.row(groups, lefts, width, y)
    return [box for box in placed if box], bottom


def draw_flow(chart: FlowChart, *, title: str = "Participant flow") -> Scene:
    """Draw the flow of participants."""
    return paint(place(chart), title=title, description=describe(chart))


def describe(chart: FlowChart) -> str:
    """The chart in words, for those who do not see it."""
    return ". ".join([*stages_in_words(chart.stages), *map(in_words, chart.groups)]) + "."
