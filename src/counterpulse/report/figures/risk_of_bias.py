"""Risk of bias: a light for each study and domain, and how the judgments of each domain are distributed.

Studies are rows, domains columns named by letters, the judgment of the whole stands apart at the right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from counterpulse.report.figures.lettering import (
    LINE_HEIGHT,
    SIZE,
    TALLEST,
    TWO_COLUMNS,
    fitted,
    named,
    told,
    widest,
)
from counterpulse.report.figures.lights import (
    LIGHTS,
    RADIUS,
    WHITE,
    draw_columns,
    draw_levels,
    draw_light,
    levels_in_order,
)
from counterpulse.report.figures.scene import FAINT, Canvas, Scene

MARGIN = 4.0
ROW = 14.5
LABEL_WIDTH, LABEL_SHARE = 190.0, 0.45
LEAST_STEP, LARGEST_STEP = 13.0, 34.0
HEAD = 17.0
FRAME = 110.0
"""Room for the head and the legends of a page."""
GRID = "#d9d9d9"
OVERALL = "Overall"
BAR, BAR_GAP = 13.0, 5.0
BAR_LABEL = 170.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasTable:
    """What is drawn: domains in order, and of each study the level in each of them and of the whole, "" where not judged."""

    title: str
    domains: Sequence[str]
    studies: Sequence[tuple[str, Mapping[str, str], str]]
    width: float = TWO_COLUMNS

    @property
    def whole(self) -> bool:
        """Whether any study is judged as a whole."""
        return any(level for _, _, level in self.studies)

    @property
    def letters(self) -> tuple[str, ...]:
        """The heads of the columns of the domains."""
        return tuple(f"D{k + 1}" for k in range(len(self.domains)))

    def levels(self, study: int) -> list[str]:
        """The levels of a study, column by column."""
        _, judged, whole = self.studies[study]
        return [*(judged.get(domain, "") for domain in self.domains), *([whole] if self.whole else [])]


# -- lights ------------------------------------------------------------------------------------------------------------


def bias_table_scenes(table: BiasTable) -> list[Scene]:
    """Draw the lights on as many pages as the studies need."""
    label = _label_width(table)
    parts: list[list[int]] = [[]]
    used = 0.0
    for k in range(len(table.studies)):
        height = _height(table.studies[k][0], label)
        if parts[-1] and used + height > TALLEST - FRAME:
            parts.append([])
            used = 0.0
        parts[-1].append(k)
        used += height
    many = len(parts) > 1
    return [
        _draw_table(
            replace(table, studies=[table.studies[k] for k in part], title=f"{table.title} (part {n} of {len(parts)})" if many else table.title),
            label,
        )
        for n, part in enumerate(parts, start=1)
    ]  # fmt: skip


def _label_width(table: BiasTable) -> float:
    most = min(LABEL_WIDTH, LABEL_SHARE * table.width)
    return min(most, max(widest([name for name, _, _ in table.studies]), widest(["Study"], bold=True)))


def _height(name: str, label: float) -> float:
    return ROW + (len(fitted(name, label, lines=3)) - 1) * LINE_HEIGHT


def _draw_table(table: BiasTable, label: float) -> Scene:
    canvas = Canvas()
    left = MARGIN + label + 10
    heads = [*table.letters, *([OVERALL] if table.whole else [])]
    last = widest([OVERALL], bold=True) + 12 if table.whole else 0.0
    step = min(LARGEST_STEP, max(LEAST_STEP, (table.width - MARGIN - left - last) / max(1, len(table.domains))))
    columns = [left + (k + 0.5) * step for k in range(len(table.domains))]
    edge = left + len(table.domains) * step
    columns += [edge + last / 2 + 3] if table.whole else []
    right = edge + last
    canvas.text(MARGIN, HEAD - 4, "Study", bold=True)
    for x, head in zip(columns, heads, strict=True):
        canvas.text(x, HEAD - 4, head, anchor="middle", bold=True)
    canvas.line((MARGIN, HEAD), (right, HEAD))
    y = HEAD + 2
    for k, (name, _, _) in enumerate(table.studies):
        height = _height(name, label)
        words = fitted(name, label, lines=3)
        middle = y + height / 2
        for n, line in enumerate(words):
            canvas.text(MARGIN, middle + SIZE * 0.35 + (n - (len(words) - 1) / 2) * LINE_HEIGHT, line)
        for x, level in zip(columns, table.levels(k), strict=True):
            draw_light(canvas, level, x, middle)
        y += height
        canvas.line((MARGIN, y), (right, y), color=GRID, width=0.4)
    if table.whole and table.domains:
        canvas.line((edge + 3, HEAD), (edge + 3, y), color=FAINT, width=0.5)
    used = {level for k in range(len(table.studies)) for level in table.levels(k) if level}
    foot = draw_levels(canvas, used, left=MARGIN, right=table.width - MARGIN, top=y + 6)
    domains = list(zip(table.letters, table.domains, strict=True))
    foot = draw_columns(canvas, domains, left=MARGIN, right=table.width - MARGIN, top=foot + 2)
    return Scene(
        width=max(table.width, right + MARGIN), height=foot + MARGIN, title=table.title,
        description=told("Judgments of bias by study.", [_said(table, k) for k in range(len(table.studies))]),
        shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _said(table: BiasTable, study: int) -> str:
    """A study in words: the whole first, then how many domains have each level."""
    name, judged, whole = table.studies[study]
    levels = list(judged.values())
    counted = [f"{levels.count(level)} {LIGHTS[level].words.lower()}" for level in levels_in_order(levels)]
    parts = [*([f"overall {LIGHTS[whole].words.lower()}"] if whole in LIGHTS else []), *counted]
    return f"{named(name)}: {', '.join(parts) or 'not judged'}"


# -- the summary -------------------------------------------------------------------------------------------------------


def draw_bias_summary(table: BiasTable) -> Scene:
    """Draw a bar a domain: the share of the judged studies at each level."""
    canvas = Canvas()
    rows = [*table.domains, *([OVERALL] if table.whole else [])]
    label = min(BAR_LABEL, LABEL_SHARE * table.width, max(widest(rows, bold=True), 30.0))
    left, right = MARGIN + label + 8, table.width - MARGIN - 10
    y = MARGIN
    said: list[str] = []
    used: set[str] = set()
    for k, row in enumerate(rows):
        levels = [level for study in range(len(table.studies)) if (level := table.levels(study)[k]) in LIGHTS]
        words = fitted(row, label, lines=3, bold=row == OVERALL)
        height = max(BAR, LINE_HEIGHT * len(words))
        y += 3 if row == OVERALL and k else 0
        for n, line in enumerate(words):
            base = y + height / 2 + SIZE * 0.35 + (n - (len(words) - 1) / 2) * LINE_HEIGHT
            canvas.text(left - 6, base, line, anchor="end", bold=row == OVERALL)
        _bar(canvas, levels, left, right, y + (height - BAR) / 2)
        used |= set(levels)
        counts = [
            f"{levels.count(level)} of {len(levels)} {LIGHTS[level].words.lower()}" for level in levels_in_order(levels)
        ]
        said.append(f"{named(row)}: {', '.join(counts) or 'not judged'}")
        y += height + BAR_GAP
    for share in (0, 25, 50, 75, 100):
        x = left + (right - left) * share / 100
        canvas.line((x, y - 1), (x, y + 2))
        canvas.text(x, y + 11, f"{share}%", anchor="middle")
    canvas.line((left, y - 1), (right, y - 1))
    foot = draw_levels(canvas, used, left=MARGIN, right=table.width - MARGIN, top=y + 18)
    return Scene(
        width=table.width, height=foot + MARGIN, title=table.title, description=told("Judgments of bias by domain.", said),
        shapes=tuple(canvas.shapes),
    )  # fmt: skip


def _bar(canvas: Canvas, levels: Sequence[str], left: float, right: float, y: float) -> None:
    x = left
    for level in levels_in_order(levels):
        light = LIGHTS[level]
        end = x + (right - left) * levels.count(level) / len(levels)
        corners = (x, y), (end, y), (end, y + BAR), (x, y + BAR), (x, y)
        canvas.area(*corners, fill=light.color)
        canvas.line(*corners, color=FAINT if light.color == WHITE else WHITE, width=0.6)
        words = str(levels.count(level))
        across = 2 * RADIUS + 3 + widest([words])
        if end - x > across + 4:
            at = (x + end - across) / 2
            draw_light(canvas, level, at + RADIUS, y + BAR / 2, edge=light.ink)
            canvas.text(at + 2 * RADIUS + 3, y + BAR / 2 + SIZE * 0.35, words, color=light.ink)
        x = end
