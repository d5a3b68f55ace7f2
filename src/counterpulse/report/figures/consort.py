"""The flow of a trial (CONSORT 2025): enrollment down the middle, then a column for each arm, stages named at the left.

Up to six arms stand side by side on a journal's page; more are set in further rows, each reached along a line at the left.

Hopewell S, Chan AW, Collins GS, et al. CONSORT 2025 statement. BMJ 2025;389:e081123 (doi:10.1136/bmj-2024-081123)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from counterpulse.report.figures.boxes import (
    BAND,
    GUTTER,
    SIZE,
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

SIZES: Mapping[int, float] = {4: 7.5, 5: 6.5, 6: 6.0}
"""The size of the text by the arms that stand side by side; no journal prints less than 6 points."""
ARM = 200.0


@dataclass(frozen=True, slots=True)
class ArmStage:
    """A stage after enrollment: its name and a box for each arm; an empty box is left out."""

    name: str
    boxes: Sequence[Box]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsortChart:
    """Enrollment, the labels of the arms, and the stages they went through. `enrolled` names the first band."""

    enrollment: Sequence[FlowStage]
    arms: Sequence[str]
    stages: Sequence[ArmStage]
    enrolled: str = "Enrollment"


def place_consort(chart: ConsortChart) -> Layout:
    """Measure and place every box."""
    rows = abreast(len(chart.arms))
    board = Board(SIZES.get(len(rows[0]), SIZE) if rows else SIZE)
    left = BAND + board.size * 0.75
    gutter = left + 1
    left += GUTTER if len(rows) > 1 else 0.0
    last, y = spine(
        board,
        chart.enrollment,
        middle=(left + WIDTH) / 2,
        right=WIDTH,
        ends=not any(map(any, (stage.boxes for stage in chart.stages))),
    )
    if last:
        end = max(box.bottom for box in board.boxes)
        board.stage(chart.enrolled, 0.0, max(end, board.least(chart.enrolled)))
        y = max(y, board.least(chart.enrolled) + board.gap)
    heads = []
    for row in rows:
        y, head = _arms(board, chart, row, left, y + board.gap / 4)
        heads += [head] if head else []
    if last and heads:
        fan(board, last, heads, gutter=gutter)
    return board.laid_out()


def _arms(board: Board, chart: ConsortChart, arms: range, left: float, y: float) -> tuple[float, list[PlacedBox]]:
    """Set the stages of some arms; give the lower end and the first box of each arm."""
    lefts, width = columns(len(arms), left=left, right=WIDTH, gap=board.size, widest=ARM)
    grid: list[list[PlacedBox | None]] = []
    for stage in chart.stages:
        boxes = [stage.boxes[arm] for arm in arms]
        if not any(boxes):
            continue
        placed, end = board.row(boxes, lefts, width, y, least=board.least(stage.name))
        board.stage(stage.name, y, end)
        grid.append(placed)
        y = end + board.gap
    tracks = [[box for box in column if box] for column in zip(*grid, strict=True)]
    for track in tracks:
        board.down(track)
    return y, [track[0] for track in tracks if track]


def draw_consort(chart: ConsortChart, *, title: str = "Participant flow") -> Scene:
    """Draw the flow of participants of a trial."""
    return paint(place_consort(chart), title=title, description=describe_consort(chart))


def describe_consort(chart: ConsortChart) -> str:
    """The chart in words, for those who do not see it."""
    return " ".join(_sentences(chart))


def _sentences(chart: ConsortChart) -> Iterator[str]:
    if chart.enrollment:
        yield f"{chart.enrolled}. {'. '.join(stages_in_words(chart.enrollment))}."
    for stage in chart.stages:
        told = [f"{arm}: {in_words(box)}" for arm, box in zip(chart.arms, stage.boxes, strict=True) if box]
        if told:
            yield f"{stage.name}. {'. '.join(told)}."
