"""How the studies were found: the PRISMA 2020 diagram from the steps of the flow, and the sentence beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.participants.prisma import WORDS, prisma_chart
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.review.numerals import studies_words
from counterpulse.report.chapters.review.synthesis import review_block
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Block, Section, text
from counterpulse.report.figures.prisma import draw_prisma
from counterpulse.results import FlowStep

KIND, PREFIX = "screening", "screening."
Boxes = dict[str, Any]


def selection_section(context: Context) -> Section:
    """The flow of records and studies, and how many of them gave an effect."""
    boxes = boxes_of(context.result.flow)
    blocks: list[Block] = [text(words) for words in (_found(context, boxes), _table_words(context)) if words]
    if boxes:
        scene = draw_prisma(prisma_chart(boxes, context.style))
        caption = "PRISMA 2020. Counts are as the protocol or its screening log gives them; a box that nobody counted is left out."
        blocks.append(figure(context, scene, id="flow", caption=caption))
    return Section(id="selection", title="Selection of studies", blocks=tuple(blocks))


def boxes_of(flow: Sequence[FlowStep]) -> Boxes:
    """The counts of the diagram, nested by the parts of their ids: ``screening.identified.databases`` in ``identified``."""
    boxes: Boxes = {}
    for step in flow:
        if step.kind != KIND or step.n is None or not step.id.startswith(PREFIX):
            continue
        *above, last = step.id.removeprefix(PREFIX).split(".")
        place = boxes
        for name in above:
            place = place.setdefault(name, {})
        place[last] = step.n
    return boxes


def total(value: Any) -> int | None:  # noqa: ANN401  (a count, or counts by part)
    """The sum of a box; None where nobody counted it."""
    if value is None:
        return None
    return sum(value.values()) if isinstance(value, dict) else int(value)


def _found(context: Context, boxes: Boxes) -> str:
    """Records, reports and studies in a sentence."""
    style, parts = context.style, []
    if (identified := total(boxes.get("identified"))) is not None:
        parts.append(f"the search identified {numbers.count(identified, style)} records")
    if (screened := total(boxes.get("screened"))) is not None:
        parts.append(f"{numbers.count(screened, style)} records were screened")
    if (read := total(boxes.get("full_text"))) is not None:
        parts.append(f"{numbers.count(read, style)} report{' was' if read == 1 else 's were'} assessed for eligibility")
    included = boxes.get("included")
    studies = included.get("studies") if isinstance(included, dict) else included
    if studies is not None:
        parts.append(f"{studies_words(int(studies), style)} {'was' if studies == 1 else 'were'} included")
    if not parts:
        return ""
    lead = "" if identified is not None else "In all, "
    return f"{sentence(f'{lead}{listed(parts)}')}.{_reasons(context, boxes)}"


def _reasons(context: Context, boxes: Boxes) -> str:
    """Why reports were excluded, where the reasons were counted."""
    left_out = boxes.get("full_text_excluded")
    if not isinstance(left_out, dict) or not left_out:
        return ""
    told = listed(
        [f"{inside(WORDS.get(name, name))} ({numbers.count(int(n), context.style)})" for name, n in left_out.items()]
    )
    return f" Reports were excluded for these reasons: {told}."


def _table_words(context: Context) -> str:
    """Rows and studies of the extraction table, and rows without a usable effect."""
    block = review_block(context, "effect-sizes")
    if block is None:
        return ""
    rows = block.rows()
    used = [row for row in rows if row["used"] != "no"]
    studies = len({row["study"] for row in used})
    words = f"The extraction table has {numbers.count(len(rows), context.style)} rows; {numbers.count(len(used), context.style)} of them, from {studies_words(studies, context.style)}, gave an effect."
    without = len(rows) - len(used)
    return (
        words
        if not without
        else f"{words} The other{'' if without == 1 else f' {numbers.count(without, context.style)}'} {'is' if without == 1 else 'are'} listed with the reason."
    )
