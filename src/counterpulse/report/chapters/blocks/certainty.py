"""The certainty of the evidence: the summary of findings, and each domain of GRADE with what was computed and what was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    known,
    published,
    published_table,
    text_row,
    titled,
    without_columns,
)
from counterpulse.report.chapters.blocks.printed_estimate import printed
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Spanner, Table
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Row = dict[str, Value]
LEVELS = ("very low", "low", "moderate", "high")
FULL, EMPTY = "\N{CIRCLED PLUS}", "\N{CIRCLED DASH}"
ASKED = "asked for"
NOT_JUDGED = "To be judged"


def certainty_signs(level: Value) -> str:
    """A certainty as GRADE shows it, with its words: "⊕⊕⊝⊝ Low"; what nobody judged is asked for."""
    words = str(level or "").lower().replace("_", " ")
    if words not in LEVELS:
        return sentence(words) or NOT_JUDGED
    full = LEVELS.index(words) + 1
    return f"{FULL * full}{EMPTY * (4 - full)} {sentence(words)}"


def summaries_of_findings(context: Context, block: Block) -> list[Table]:
    """A row an outcome: participants, risks per 1,000, the relative effect, the certainty."""
    rows = block.rows()
    if not rows:
        return []
    interval = context.level_name(None)
    groups = [group.label for group in context.plan.groups]
    treated, control = (groups[k] if len(groups) > 1 else ("treatment", "comparison")[k] for k in (0, 1))
    measures = {str(row["measure"]) for row in rows if row["measure"] is not None}
    one = measure_of(measures.pop()) if len(measures) == 1 else None
    body = [text_row(_cells(context, row, named=one is None), result=block.id) for row in rows]
    risks = f"Risk per {numbers.count(1000, context.style)}"
    heads = [
        "Outcome", "Participants (studies)", f"With {control}", f"With {treated} ({interval})", f"Difference ({interval})",
        f"{one.title if one else 'Effect'} ({interval})", "Certainty",
    ]  # fmt: skip
    table = published_table(
        context, id=block_anchor(block), title=titled(context, "Summary of findings", block), heads=heads, rows=body, wide=True,
        over=[Spanner(risks, 2, 4)] if any(known(row["risk_control"]) is not None for row in rows) else [], notes=_notes(rows),
    )  # fmt: skip
    if one is None:
        table = replace(
            table, columns=(*table.columns[:5], replace(table.columns[5], align="left"), *table.columns[6:])
        )
    return [table if table.spanners else without_columns(table, of=heads[2:5])]


def _notes(rows: Sequence[Row]) -> list[str]:
    notes = []
    if any(known(row["risk_treated"]) is not None for row in rows):
        notes.append(
            "The risk with the treatment follows from the risk without it and the relative effect; its interval is that of the relative "
            "effect."
        )
    notes.append(
        "Certainty by GRADE, from very low to high: how likely it is that the true effect lies close to the estimate."
    )
    if any(certainty_signs(row["certainty"]) == NOT_JUDGED for row in rows):
        notes.append("To be judged: a domain of GRADE waits for the reviewers; nothing was filled in for them.")
    return notes


def _cells(context: Context, row: Row, *, named: bool) -> list[str]:
    """A row as texts; the effect has its measure before it where the head of the column has none."""
    measure = measure_of(str(row["measure"] or ""))
    effect = printed(context, row, measure)
    studies = known(row["studies"])
    counted = "" if studies is None else f" ({published(context, studies)} {'study' if studies == 1 else 'studies'})"
    return [
        context.outcome_label(str(row["outcome"] or "")),
        f"{published(context, row['participants'])}{counted}",
        _risk(context, row["risk_control"]),
        _with_limits(context, row),
        _difference(context, row),
        f"{measure.words} {effect}" if named and effect != EM_DASH else effect,
        certainty_signs(row["certainty"]),
    ]


def _risk(context: Context, value: Value) -> str:
    found = known(value)
    return EM_DASH if found is None else numbers.number(found, 0 if found >= 1 or not found else 1, context.style)


def _with_limits(context: Context, row: Row) -> str:
    middle, low, high = (known(row[name]) for name in ("risk_treated", "risk_low", "risk_high"))
    if middle is None:
        return EM_DASH
    limits = "" if low is None or high is None else f" ({numbers.interval(low, high, 0, context.style)})"
    return f"{_risk(context, middle)}{limits}"


def _difference(context: Context, row: Row) -> str:
    """How many fewer or more of 1,000, as GRADE words it."""
    control, *ends = (known(row[name]) for name in ("risk_control", "risk_treated", "risk_low", "risk_high"))
    if control is None or ends[0] is None:
        return EM_DASH
    middle, low, high = (None if end is None else end - control for end in ends)
    limits = "" if low is None or high is None else f" ({_between(context, low, high)})"
    return f"{_fewer(context, middle or 0.0)}{limits}"


def _between(context: Context, low: float, high: float) -> str:
    """Two differences; one word serves both where both are fewer or both are more."""
    ends = [_fewer(context, end) for end in (low, high)]
    words = [end.rpartition(" ")[2] for end in ends]
    return f"{ends[0].partition(' ')[0] if words[0] == words[1] else ends[0]} to {ends[1]}"


def _fewer(context: Context, difference: float) -> str:
    size = numbers.number(abs(difference), 0, context.style)
    return "0" if size == "0" else f"{size} {'fewer' if difference < 0 else 'more'}"


def certainties(context: Context, block: Block) -> list[Table]:
    """Each domain of each outcome: what was computed, what that suggests, what the reviewers judged and why."""
    rows = block.rows()
    if not rows:
        return []
    body = []
    for outcome in dict.fromkeys(row["outcome"] for row in rows):
        body.append(text_row([context.outcome_label(str(outcome or ""))], strong=True))
        for row in rows:
            if row["outcome"] == outcome:
                judged = str(row["judged"] or "") or ASKED
                cells = [
                    sentence(str(row["domain"] or "")), *(sentence(str(row[name] or EM_DASH)) for name in ("evidence", "suggested")),
                    sentence(judged), sentence(str(row["reason"] or EM_DASH)),
                ]  # fmt: skip
                body.append(text_row(cells, result=block.id, indent=1))
    asked = any(not row["judged"] for row in rows)
    table = (
        published_table(
            context, id=block_anchor(block), title=titled(context, "Certainty of the evidence by GRADE", block),
            heads=["Outcome and domain", "Computed evidence", "Suggested", "Judged", "Reason"], rows=body, left=5,
            notes=[
                "Suggested: what the computed evidence alone would give. The judgment is the reviewers'.",
                *(["Asked for: the reviewers have not judged this yet; nothing was filled in for them."] if asked else []),
            ],
        )
    )  # fmt: skip
    return [without_columns(table, of=("Suggested", "Reason"))]
