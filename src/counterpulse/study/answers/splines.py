"""A spline as the protocol writes it: `{variable: age, spline: 4, knots: [40, 55, 65, 80], reference: 60}`."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

from counterpulse.data.terms import Spline
from counterpulse.protocol.nodes import TermNode
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.planning.drafts import Desk, Draft

MOST_KNOTS = 10


def spline_term(desk: Desk, draft: Draft, item: TermNode, place: YamlPath) -> Spline | None:
    """The term, or None where what is written makes no spline: then it is refused."""
    before = len(desk.findings)
    for code, seen, allowed, remedy in _problems(item):
        desk.refuse(place, code, f"analysis {draft.node.id}: {seen}", allowed, remedy)
    reference = _number(item.reference)
    if len(desk.findings) > before:
        return None
    knots = item.knots or item.spline
    assert item.variable is not None
    assert knots is not None
    return Spline(item.variable, knots, reference)


def _problems(item: TermNode) -> list[tuple[str, str, str, str]]:
    """What is wrong: code, what was seen, what is allowed, what to do."""
    found = []
    name = item.variable
    if name is None or item.log or item.per is not None:
        with_ = "an interaction" if name is None else "log" if item.log else "per"
        found.append(
            (
                "E630",
                f"a spline together with {with_}",
                "{variable: NAME, spline: NUMBER}",
                f"take spline or {with_} out",
            )
        )
    if item.knots is not None and not all(low < high for low, high in pairwise(item.knots)):
        found.append(("E632", f"the knots of '{name}' do not increase", "knots from low to high", "sort the knots"))
    if item.spline is not None and item.knots is not None and len(item.knots) != item.spline:
        seen = f"a spline of '{name}' with {item.spline} knots, and a list of {len(item.knots)}"
        found.append(("E632", seen, "as many knots as the number says", "write one of both"))
    if max(item.spline or 0, len(item.knots or ())) > MOST_KNOTS:
        found.append(
            ("E632", f"a spline of '{name}' with more than {MOST_KNOTS} knots", f"3 to {MOST_KNOTS}", "use fewer")
        )
    if item.reference is not None and _number(item.reference) is None:
        found.append(("E633", f"the reference of the spline of '{name}' is no number", "a number", "correct it"))
    return found


def _number(text: str | None) -> float | None:
    try:
        value = None if text is None else float(text)
    except ValueError:
        return None
    return value if value is not None and isfinite(value) else None
