"""What the included studies printed, how well two extractors agreed, and how bias was judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.bias import TOOLS
from counterpulse.report.chapters.blocks.block_tables import known, published_table, text_row
from counterpulse.report.chapters.blocks.renderers import RENDERERS
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.review.numerals import studies_words
from counterpulse.report.chapters.review.synthesis import review_block
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Block, Section, text
from counterpulse.report.number_styles import EM_DASH

OVERALL = "overall"
AT_RISK = ("high", "serious", "critical")
LEVELS = ("low", "some", "moderate", "high", "serious", "critical", "unclear", "none")
WORDS = {
    "low": "low", "some": "some concerns", "moderate": "moderate", "high": "high", "serious": "serious", "critical": "critical",
    "unclear": "unclear", "none": "not judged",
}  # fmt: skip
MOST_QUOTED = 400


def included_section(context: Context) -> Section | None:
    """The extraction table, the words it rests on, and the agreement of the extractors."""
    blocks = [*_shown(context, "effect-sizes"), *_quotes(context)]
    agreement = [*_agreed(context), *_shown(context, "agreement"), *_shown(context, "discrepancy")]
    inner = (
        (Section(id="agreement", title="Agreement of the extractors", blocks=tuple(agreement)),) if agreement else ()
    )
    if not blocks and not inner:
        return None
    return Section(id="included", title="Included studies and extracted numbers", blocks=tuple(blocks), sections=inner)


def _shown(context: Context, kind: str) -> list[Block]:
    block = review_block(context, kind)
    return [] if block is None else list(RENDERERS[kind](context, block))


def _quotes(context: Context) -> Iterator[Block]:
    """The quoted text behind every number that has one."""
    block = review_block(context, "effect-sizes")
    rows = [row for row in block.rows() if row["quote"]] if block is not None else []
    if block is None or not rows:
        return
    people = any(row["extractor"] for row in rows)
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for row in rows:
        key = (str(row["study"]), str(row["source"] or EM_DASH), str(row["quote"]), str(row["extractor"] or EM_DASH))
        alike.setdefault(key, []).append(str(row["outcome"] or ""))
    body = []
    for (study, place, words, extractor), outcomes in alike.items():
        cells = [f"{study}{_of_outcomes(context, outcomes)}", place, _short(words)]
        body.append(text_row([*cells, *([extractor] if people else [])], result=block.id))
    yield published_table(
        context, id="review-quotes", title="Quoted text behind the extracted numbers", rows=body, left=4,
        heads=["Study", "Place", "Text", *(["Extracted by"] if people else [])],
    )  # fmt: skip


def _of_outcomes(context: Context, outcomes: Sequence[str]) -> str:
    """The outcomes a text is about, where the review has several."""
    labels = [inside(context.outcome_label(name)) for name in dict.fromkeys(outcomes) if name]
    return f": {'; '.join(labels)}" if labels and len(context.plan.outcomes) > 1 else ""


def _short(words: str) -> str:
    return words if len(words) <= MOST_QUOTED else f"{words[:MOST_QUOTED].rstrip()} \N{HORIZONTAL ELLIPSIS}"


def _agreed(context: Context) -> Iterator[Block]:
    """Agreement in a sentence."""
    block = review_block(context, "agreement")
    if block is None:
        return
    pairs = [round(known(row["pairs"]) or 0) for row in block.rows()]
    agreed = [round(known(row["agreed"]) or 0) for row in block.rows()]
    if sum(pairs):
        style = context.style
        yield text(
            f"Two extractors filled in {numbers.count(sum(pairs), style)} entries and agreed in {numbers.count_percent(sum(agreed), sum(pairs), style)}{'' if style.percent_sign else '%'} of them.".replace(
                ")%", "%)"
            )
        )


def bias_section(context: Context) -> Section | None:
    """The judgments in a sentence, the lights and their summary."""
    block = review_block(context, "risk-of-bias")
    if block is None or not block.rows():
        return None
    return Section(
        id="risk-of-bias-results",
        title="Risk of bias of the studies",
        blocks=(text(_judged(context)), *RENDERERS["risk-of-bias"](context, block)),
    )


def _judged(context: Context) -> str:
    block = review_block(context, "risk-of-bias")
    assert block is not None
    overall = {(row["study"], row["outcome"]): str(row["level"]) for row in block.rows() if row["domain"] == OVERALL}
    by_outcome = dict.fromkeys(outcome for _, outcome in overall)
    told: list[str] = []
    for outcome in by_outcome:
        levels = [level for (_, of), level in overall.items() if of == outcome]
        counts = listed(
            [
                f"{WORDS[level]} in {numbers.count(levels.count(level), context.style)}"
                for level in LEVELS
                if level in levels
            ]
        )
        where = f" for {inside(context.outcome_label(str(outcome)))}" if len(by_outcome) > 1 and outcome else ""
        told.append(
            f"{'the overall risk of bias' if not told else 'that'}{where} was {counts} of {studies_words(len(levels), context.style)}"
        )
    tools = listed(list(dict.fromkeys(tool for row in block.rows() if (tool := TOOLS.get(str(row["tool"]), "")))))
    return sentence(f"{f'By {tools}, ' if tools else ''}{listed(told, ';')}.")
