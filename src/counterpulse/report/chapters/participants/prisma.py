"""From the counts of a review's `screening:` to its PRISMA 2020 diagram.

The keys are those of the diagram: `identified` (databases, registers), `removed` (duplicates, automation, other), `screened`,
`excluded`, `sought`, `not_retrieved`, `full_text`, `full_text_excluded` (a count for each reason), `included` (studies,
reports), `other_methods` (the same from `identified` on) and `previous` (studies, reports). A box whose key is not given is
left out; nothing is worked out but the sums of what is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterpulse.report import numbers
from counterpulse.report.figures.boxes import Box, FlowLine
from counterpulse.report.figures.prisma import OtherMethods, PrismaChart
from counterpulse.report.number_styles import NumberStyle

WORDS: Mapping[str, str] = {
    "databases": "Databases", "registers": "Registers", "websites": "Websites", "organizations": "Organizations",
    "citations": "Citation searching", "duplicates": "Duplicate records", "automation": "Marked as ineligible by automation tools",
    "other": "Other reasons",
}  # fmt: skip
"""The words of the diagram for the keys that it knows; any other key is printed as it is written."""


def prisma_chart(screening: Mapping[str, Any], style: NumberStyle) -> PrismaChart:
    """The boxes of the diagram, the counts as a journal prints them."""
    previous = _studies(screening.get("previous"), "Studies included in the previous version of the review", style)
    included = _studies(screening.get("included"), "Studies included in the review", style)
    other = screening.get("other_methods")
    return PrismaChart(
        identified=_box(screening, "identified", "Records identified", style),
        removed=_box(screening, "removed", "Records removed before screening", style),
        screened=_box(screening, "screened", "Records screened", style),
        excluded=_box(screening, "excluded", "Records excluded", style),
        sought=_box(screening, "sought", "Reports sought for retrieval", style),
        not_retrieved=_box(screening, "not_retrieved", "Reports not retrieved", style),
        assessed=_box(screening, "full_text", "Reports assessed for eligibility", style),
        reports_excluded=_box(screening, "full_text_excluded", "Reports excluded", style),
        included=included,
        other=None if other is None else _other(other, style),
        previous=previous,
        total=_total(screening, style) if previous and included else (),
    )


def _other(found: Mapping[str, Any], style: NumberStyle) -> OtherMethods:
    return OtherMethods(
        identified=_box(found, "identified", "Records identified", style),
        sought=_box(found, "sought", "Reports sought for retrieval", style),
        not_retrieved=_box(found, "not_retrieved", "Reports not retrieved", style),
        assessed=_box(found, "full_text", "Reports assessed for eligibility", style),
        excluded=_box(found, "full_text_excluded", "Reports excluded", style),
    )


def _box(counts: Mapping[str, Any], key: str, title: str, style: NumberStyle) -> Box:
    """One count, or the sum of several with each of them under it."""
    value = counts.get(key)
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        return (FlowLine(numbers.count(int(value), style), title),)
    parts = [(WORDS.get(name, name), int(count)) for name, count in value.items()]
    whole = FlowLine(numbers.count(sum(count for _, count in parts), style), title)
    return (whole, *(FlowLine(numbers.count(count, style), words, 1) for words, count in parts))


def _studies(value: int | Mapping[str, int] | None, title: str, style: NumberStyle) -> Box:
    """Studies and, where they are counted too, their reports."""
    if value is None:
        return ()
    both = value if isinstance(value, Mapping) else {"studies": value}
    named = (("studies", title), ("reports", "Reports of these studies"))
    return tuple(FlowLine(numbers.count(int(both[key]), style), words) for key, words in named if key in both)


def _total(screening: Mapping[str, Any], style: NumberStyle) -> Box:
    """The earlier studies and the new ones together, and their reports where both are counted."""
    before, new = (
        value if isinstance(value, Mapping) else {"studies": value}
        for value in (screening["previous"], screening["included"])
    )
    both = {key: int(before[key]) + int(new[key]) for key in ("studies", "reports") if key in before and key in new}
    return _studies(both, "Studies included in all", style)
