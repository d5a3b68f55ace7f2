"""The judged risk of bias of each study, domain by domain, in levels that traffic lights show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from counterpulse.data.written_values import parse_number
from counterpulse.protocol.nodes import RiskOfBias
from counterpulse.protocol.plan import Plan
from counterpulse.results import Block, Notice
from counterpulse.study.reviewing.blocks import review_block
from counterpulse.study.reviewing.columns import OUTCOME, STUDY

LEVELS: Mapping[str, str] = {
    "low": "low", "low risk": "low", "probably low": "low", "yes": "low", "moderate": "some", "some concerns": "some", "some": "some",
    "unclear": "unclear", "unclear risk": "unclear", "no information": "unclear", "serious": "high", "high": "high",
    "high risk": "high", "probably high": "high", "no": "high", "critical": "critical", "not applicable": "none",
    "low, except for concerns about uncontrolled confounding": "some",
}  # fmt: skip
"""The words of RoB 2 and ROBINS-I (and of forms like them), in lower case, as levels."""
STARS: Mapping[str, int] = {"selection": 4, "comparability": 2, "outcome": 3, "exposure": 3}
"""The most stars of a domain of the Newcastle-Ottawa scale; a column is told by how its name begins."""
ALL_STARS = 9
GOOD, FAIR = (
    {"selection": 3, "comparability": 1, "outcome": 2, "exposure": 2},
    {"selection": 2, "comparability": 1, "outcome": 2, "exposure": 2},
)
"""Stars from which a domain is good or fair (the thresholds of the Agency for Healthcare Research and Quality)."""
ORDER = ("none", "low", "unclear", "some", "high", "critical")
OVERALL = "overall"
NEWCASTLE_OTTAWA = "newcastle-ottawa"


def bias_block(plan: Plan, frame: pl.DataFrame) -> tuple[tuple[Block, ...], tuple[Notice, ...]]:
    """The judgments of every study and outcome, and what is to be said of them."""
    tool = plan.protocol.risk_of_bias
    if tool is None or plan.review is None:
        return (), ()
    rows = list(_judgments(plan, tool, frame))
    if not rows:
        return (), ()
    return (review_block("risk-of-bias", rows),), tuple(_notices(tool, rows))


def _judgments(plan: Plan, tool: RiskOfBias, frame: pl.DataFrame) -> Iterator[dict[str, str | None]]:
    seen: set[tuple[str, str, tuple[str | None, ...]]] = set()
    assert plan.review is not None
    for row in frame.iter_rows(named=True):
        written = tuple(_text(plan, name, row[name]) for name in tool.columns)
        whole = _text(plan, tool.overall, row[tool.overall]) if tool.overall is not None else None
        key = (row[STUDY], row[OUTCOME], (*written, whole))
        if key in seen or not any((*written, whole)):
            continue
        seen.add(key)
        levels = [_level(tool.tool, name, text) for name, text in zip(tool.columns, written, strict=True)]
        common = {"study": row[STUDY], "outcome": row[OUTCOME], "tool": tool.tool, "support": None}
        for name, text, level in zip(tool.columns, written, levels, strict=True):
            yield {**common, "domain": plan.review.domains[name], "judgment": text, "level": level}
        yield {**common, "domain": OVERALL, **_overall(tool, whole, levels)}


def _text(plan: Plan, name: str, value: object) -> str | None:
    """A judgment as the dictionary labels it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return plan.variables[name].levels.get(str(value), str(value))


def _level(tool: str, column: str, text: str | None) -> str:
    if text is None:
        return "none"
    if tool == NEWCASTLE_OTTAWA:
        return _stars(column, text)
    return LEVELS.get(text.strip().lower(), "unclear")


def _stars(column: str, text: str) -> str:
    """Stars of a domain: enough for good, for fair, or fewer."""
    domain = next((name for name in STARS if column.lower().startswith(name)), None)
    stars = parse_number(text)
    if stars is None:
        return LEVELS.get(text.strip().lower(), "unclear")
    if domain is None or not 0 <= stars <= STARS[domain]:
        return "unclear"
    return "low" if stars >= GOOD[domain] else "some" if stars >= FAIR[domain] else "high"


def _overall(tool: RiskOfBias, written: str | None, levels: list[str]) -> dict[str, str | None]:
    """The judgment of the whole as written, else the worst of its domains; a total of stars says nothing of where bias may be."""
    worst = max(levels, key=ORDER.index, default="none")
    if written is not None and tool.tool == NEWCASTLE_OTTAWA and parse_number(written) is not None and worst != "none":
        return {"judgment": written, "level": worst}
    if written is not None:
        return {"judgment": written, "level": _level(tool.tool, "", written)}
    return {"judgment": None, "level": worst}


def _notices(tool: RiskOfBias, rows: list[dict[str, str | None]]) -> Iterator[Notice]:
    if tool.tool == NEWCASTLE_OTTAWA:
        yield from _of_stars(rows)
    unread = sorted(
        {
            str(row["judgment"])
            for row in rows
            if row["level"] == "unclear" and row["judgment"] and not _known(tool, row)
        }
    )
    if unread:
        yield Notice(
            "W858", "risk_of_bias", f"Judgments that no word of {tool.tool} is, shown as unclear: {', '.join(unread)}."
        )


def _known(tool: RiskOfBias, row: Mapping[str, str | None]) -> bool:
    """Whether a judgment is a word of the tool, or a total of stars."""
    total = (
        tool.tool == NEWCASTLE_OTTAWA and row["domain"] == OVERALL and parse_number(str(row["judgment"])) is not None
    )
    return total or str(row["judgment"]).lower() in LEVELS


def _of_stars(rows: list[dict[str, str | None]]) -> Iterator[Notice]:
    """What stars do not say."""
    domains = [row for row in rows if row["domain"] != OVERALL and row["judgment"] is not None]
    totals = [str(row["judgment"]) for row in rows if row["domain"] == OVERALL and row["judgment"] is not None]
    studies = {row["study"] for row in rows}
    alike = len(studies) > 1 and not domains and set(totals) == {str(ALL_STARS)}
    if alike or (len(domains) > 3 and all(row["level"] == "low" for row in domains)):
        text = "Every study has full or nearly full stars in every domain: a scale that tells no study from another says little of bias."
        yield Notice("W857", "risk_of_bias", text)
    lacking = sorted({str(row["study"]) for row in rows} - {str(row["study"]) for row in domains})
    if lacking:
        text = (
            f"Of {', '.join(lacking)} only a total of stars is known, and no domain: where bias may be is not known, "
            "and it is shown as unclear."
        )
        yield Notice("W879", "risk_of_bias", text)
