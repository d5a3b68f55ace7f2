"""The flow of a review (PRISMA 2020): records from databases and registers, from other methods, and earlier studies.

The last two are columns of their own, where there are any.

Page MJ, McKenzie JE, Bossuyt PM, et al. The PRISMA 2020 statement. BMJ 2021;372:n71 (doi:10.1136/bmj.n71)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from counterpulse.report.figures.boxes import BAND, WIDTH, Band, Board, Box, Layout, PlacedBox, in_words, paint
from counterpulse.report.figures.scene import Scene
from counterpulse.report.figures.typeface import LINE, wrap

SIZES: Mapping[int, float] = {2: 8.0, 3: 7.5, 4: 6.5, 5: 6.0}
"""The size of the text by the columns of boxes."""
WIDEST = 190.0
HEADS = {
    "previous": "Previous studies",
    "main": "Identification of new studies via databases and registers",
    "other": "Identification of new studies via other methods",
}
IDENTIFIED, SCREENED, SOUGHT, ASSESSED, INCLUDED, TOTAL = range(6)
STAGES = {"Identification": (IDENTIFIED,), "Screening": (SCREENED, SOUGHT, ASSESSED), "Included": (INCLUDED, TOTAL)}
Place = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherMethods:
    """Records that were not found in databases or registers: websites, organizations, citations."""

    identified: Box
    sought: Box
    not_retrieved: Box
    assessed: Box
    excluded: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class PrismaChart:
    """The boxes of the diagram; an empty one is left out.

    `previous` are the studies and reports of an earlier version of the review, `total` they and the new ones together.
    """

    identified: Box
    removed: Box
    screened: Box
    excluded: Box
    sought: Box
    not_retrieved: Box
    assessed: Box
    reports_excluded: Box
    included: Box
    other: OtherMethods | None = None
    previous: Box = ()
    total: Box = ()


def place_prisma(chart: PrismaChart) -> Layout:
    """Measure and place every box."""
    cells = {place: box for place, box in _cells(chart).items() if box}
    names = [name for name in ("previous", "main", "side", "other", "other side") if any(at[1] == name for at in cells)]
    board = Board(SIZES.get(len(names), 8.0))
    gap = 2 * board.size
    left = BAND + board.size
    width = min((WIDTH - left + gap) / max(len(names), 1) - gap, WIDEST)
    lefts = {name: left + k * (width + gap) for k, name in enumerate(names)}
    y = _heads(board, lefts, width)
    placed: dict[Place, PlacedBox] = {}
    for stage, rows in STAGES.items():
        used = sorted({row for row, _ in cells if row in rows})
        top = y
        for row in used:
            own = [name for name in names if (row, name) in cells]
            boxes, lefts_of = [cells[row, name] for name in own], [lefts[name] for name in own]
            found, end = board.row(boxes, lefts_of, width, y, least=board.least(stage) / len(used), even=False)
            placed |= {(row, name): box for name, box in zip(own, found, strict=True) if box}
            y = end + board.gap
        if used:
            board.stage(stage, top, y - board.gap)
    _connect(board, placed)
    return board.laid_out()


def _cells(chart: PrismaChart) -> dict[Place, Box]:
    cells: dict[Place, Box] = {
        (IDENTIFIED, "previous"): chart.previous, (IDENTIFIED, "main"): chart.identified, (IDENTIFIED, "side"): chart.removed,
        (SCREENED, "main"): chart.screened, (SCREENED, "side"): chart.excluded, (SOUGHT, "main"): chart.sought,
        (SOUGHT, "side"): chart.not_retrieved, (ASSESSED, "main"): chart.assessed, (ASSESSED, "side"): chart.reports_excluded,
        (INCLUDED, "main"): chart.included, (TOTAL, "main"): chart.total,
    }  # fmt: skip
    if chart.other is not None:
        cells |= {
            (IDENTIFIED, "other"): chart.other.identified, (SOUGHT, "other"): chart.other.sought,
            (SOUGHT, "other side"): chart.other.not_retrieved, (ASSESSED, "other"): chart.other.assessed,
            (ASSESSED, "other side"): chart.other.excluded,
        }  # fmt: skip
    return cells


def _heads(board: Board, lefts: Mapping[str, float], width: float) -> float:
    """Name the columns, where there are several kinds; give the upper end of the boxes."""
    if not {"previous", "other"} & set(lefts):
        return 0.0
    spans = {
        name: (lefts[name], lefts.get(side, lefts[name]) + width - lefts[name])
        for name, side in (("previous", ""), ("main", "side"), ("other", "other side"))
        if name in lefts
    }
    lines = {name: wrap(HEADS[name], across - board.size, board.size, bold=True) for name, (_, across) in spans.items()}
    height = max(map(len, lines.values())) * board.size * LINE + 0.8 * board.size
    for name, (left, across) in spans.items():
        board.bands.append(Band(left, 0.0, across, height, lines[name], upward=False, size=board.size))
    return height + board.size


def _connect(board: Board, placed: Mapping[Place, PlacedBox]) -> None:
    for name in ("main", "other"):
        board.down([placed.get((row, name)) for row in range(TOTAL + 1)])
    for row in range(TOTAL + 1):
        for name, beside in (("main", "side"), ("other", "other side")):
            box, side = placed.get((row, name)), placed.get((row, beside))
            if box and side:
                board.arrow((box.right, box.center), (side.x, box.center))
    included = placed.get((INCLUDED, "main"))
    last = next((placed[row, "other"] for row in (ASSESSED, SOUGHT, IDENTIFIED) if (row, "other") in placed), None)
    if included and last:
        board.arrow((last.middle, last.bottom), (last.middle, included.center), (included.right, included.center))
    earlier, total = placed.get((IDENTIFIED, "previous")), placed.get((TOTAL, "main"))
    if earlier and total:
        board.arrow((earlier.middle, earlier.bottom), (earlier.middle, total.center), (total.x, total.center))


def draw_prisma(chart: PrismaChart, *, title: str = "Flow of records and studies") -> Scene:
    """Draw the flow of records and studies of a review."""
    return paint(place_prisma(chart), title=title, description=describe_prisma(chart))


def describe_prisma(chart: PrismaChart) -> str:
    """The chart in words, for those who do not see it."""
    return " ".join(_sentences(chart))


def _sentences(chart: PrismaChart) -> Iterator[str]:
    cells = _cells(chart)
    for head, names in (("previous", ("previous",)), ("main", ("main", "side")), ("other", ("other", "other side"))):
        told = [in_words(box) for row in range(INCLUDED) for name in names if (box := cells.get((row, name)))]
        if told:
            yield f"{HEADS[head]}. {'. '.join(told)}."
    told = [in_words(box) for row in (INCLUDED, TOTAL) if (box := cells[row, "main"])]
    if told:
        yield f"Included. {'. '.join(told)}."
