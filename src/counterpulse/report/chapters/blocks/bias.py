"""Judgments of bias: a light for each study and domain, the summary, the table of reasons, and the lights beside a forest plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterpulse.report.chapters.blocks.block_tables import block_anchor, published_table, text_row, titled
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.figures.risk_of_bias import BiasTable, bias_table_scenes, draw_bias_summary
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

OVERALL = "overall"
KIND = "risk-of-bias"
TOOLS = {"rob-2": "RoB 2", "robins-i": "ROBINS-I", "newcastle-ottawa": "Newcastle-Ottawa scale", "other": ""}
"""The names of tools as readers know them; one that is not here is printed as it is written."""
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Lights:
    """Columns of lights beside a forest, and the levels of each study in them."""

    columns: Sequence[tuple[str, str]]
    levels: Mapping[str, Sequence[str]]


def risk_of_bias(context: Context, block: Block) -> list[DocumentBlock]:
    """The lights and the summary of each tool, then stars or reasons where there are any."""
    found: list[DocumentBlock] = []
    parts = _parts(block)
    for (tool, outcome), rows in parts.items():
        more = [part for part in (tool, outcome) if part] if len(parts) > 1 else []
        found += _pictures(context, block, rows, (tool, outcome), more)
        found += _stars(context, block, rows, more)
    return [*found, *_reasons(context, block)]


def _pictures(
    context: Context, block: Block, rows: Sequence[Row], about: tuple[str, str], more: Sequence[str]
) -> list[DocumentBlock]:
    """The lights of one tool, on as many pages as they need, and their summary."""
    tool, outcome = about
    said = ", ".join(part for part in (tool, context.outcome_label(outcome) if outcome else "") if part)
    table = _table(titled(context, f"Risk of bias{f' ({said})' if said else ''}", block), rows, context.figure_width)
    caption = "Each light is a judgment of the reviewers; a blank: not judged."
    found: list[DocumentBlock] = [
        figure(context, scene, id=block_anchor(block, *more, *([str(k)] if k > 1 else [])), caption=caption)
        for k, scene in enumerate(bias_table_scenes(table), start=1)
    ]
    summary = draw_bias_summary(_table(f"{table.title}: summary", rows, context.figure_width))
    words = "The share of the judged studies at each level, with their number; every study counts as one."
    return [*found, figure(context, summary, id=block_anchor(block, *more, "summary"), caption=words)]


def _parts(block: Block) -> dict[tuple[str, str], list[Row]]:
    """The judgments by tool, and by outcome where a study is judged differently for another one."""
    tools: dict[str, list[Row]] = {}
    for row in block.rows():
        if row["study"] is not None:
            tools.setdefault(tool_name(row["tool"]), []).append(row)
    parts: dict[tuple[str, str], list[Row]] = {}
    for tool, rows in tools.items():
        judged = {(row["study"], row["domain"], row["level"]) for row in rows}
        differ = len(judged) > len({key[:2] for key in judged})
        for row in rows:
            parts.setdefault((tool, str(row["outcome"] or "") if differ else ""), []).append(row)
    return parts


def tool_name(tool: Value) -> str:
    """A tool as readers know it."""
    return TOOLS.get(str(tool or "").lower(), str(tool or ""))


def _table(title: str, rows: Sequence[Row], width: float) -> BiasTable:
    domains = list(dict.fromkeys(str(row["domain"]) for row in rows if not _whole(row)))
    studies = []
    for study in dict.fromkeys(str(row["study"]) for row in rows):
        own = [row for row in rows if row["study"] == study]
        judged = {str(row["domain"]): str(row["level"]) for row in own if not _whole(row) and row["level"] is not None}
        whole = next((str(row["level"]) for row in own if _whole(row) and row["level"] is not None), "")
        studies.append((study, judged, whole))
    return BiasTable(title=title, domains=domains, studies=studies, width=width)


def _whole(row: Row) -> bool:
    return str(row["domain"]).lower() == OVERALL


def _stars(context: Context, block: Block, rows: Sequence[Row], more: Sequence[str]) -> list[DocumentBlock]:
    """The stars of each study and domain, where judgments are numbers of stars."""
    own = [row for row in rows if not _whole(row) and row["judgment"] is not None]
    if not own or not all(str(row["judgment"]).isdecimal() for row in own):
        return []
    domains = list(dict.fromkeys(str(row["domain"]) for row in own))
    given = {(row["study"], str(row["domain"])): str(row["judgment"]) for row in own}
    body = [
        text_row([str(study), *(given.get((study, domain), EM_DASH) for domain in domains)], result=block.id)
        for study in dict.fromkeys(row["study"] for row in own)
    ]
    title = titled(context, "Stars given to each study", block)
    notes = ["A sum of stars is no measure of how far an estimate is off, and is not given."]
    return [
        published_table(
            context,
            id=block_anchor(block, *more, "stars"),
            title=title,
            heads=["Study", *domains],
            rows=body,
            notes=notes,
        )
    ]


def _reasons(context: Context, block: Block) -> list[DocumentBlock]:
    """What each judgment was and what it rests on, a group a study; nothing where no judgment has a reason."""
    body = []
    rows = [row for row in block.rows() if row["study"] is not None]
    if not any(row["support"] for row in rows):
        return []
    for study in dict.fromkeys(str(row["study"]) for row in rows):
        body.append(text_row([study], strong=True))
        for row in rows:
            if row["study"] == study:
                cells = [str(row[name] or EM_DASH) for name in ("domain", "judgment", "support")]
                body.append(text_row([sentence(cells[0]), *cells[1:]], result=block.id, indent=1))
    title = titled(context, "Judgments of bias and their reasons", block)
    heads = ["Study and domain", "Judgment", "Support for the judgment"]
    return [published_table(context, id=block_anchor(block, "reasons"), title=title, heads=heads, rows=body, left=3)]


# -- beside a forest ---------------------------------------------------------------------------------------------------


def lights_beside(context: Context, studies: Sequence[str], outcome: str | None) -> Lights | None:
    """The lights of some studies for an outcome; those of the whole only where tools with other domains judged them."""
    rows = [
        row
        for block in context.result.blocks if block.kind == KIND
        for row in block.rows() if str(row["study"]) in studies and row["outcome"] in (None, "", outcome)
    ]  # fmt: skip
    if not rows:
        return None
    tools = list(dict.fromkeys(tool_name(row["tool"]) for row in rows))
    table = _table("", rows, 0.0)
    domains = table.domains if len(tools) == 1 else []
    columns = [(chr(ord("A") + k), domain) for k, domain in enumerate(domains)]
    if table.whole:
        by = f", by {listed(tools)}" if len(tools) > 1 and all(tools) else ""
        columns.append(("\N{GREEK CAPITAL LETTER SIGMA}" if domains else "All", f"overall{by}"))
    levels = {
        study: [*(judged.get(domain, "") for domain in domains), *([whole or ""] if table.whole else [])]
        for study, judged, whole in table.studies
    }
    return Lights(columns, levels) if columns else None
