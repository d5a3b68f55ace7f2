"""What stands under a table of estimates, and which of them it is said of."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.context import PRINTED, Context, changed_groups, why_twice
from counterpulse.report.chapters.wording import proper, sentence
from counterpulse.report.document import Footnote
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import EstimateRow

Marks = dict[str, tuple[str, ...]]

WITHHELD = "No {p}: no adjustment of secondary analyses for multiplicity was planned."


def marks_of(rows: Sequence[EstimateRow]) -> Marks:
    """What must be said of each estimate and not of all: why it is not printed, whom it counts, what its method notes."""
    shared = _shared(rows)
    return {row.id: said for row in rows if (said := tuple(word for word in _said(row) if word not in shared))}


def _said(row: EstimateRow) -> tuple[str, ...]:
    status = () if row.estimate.status in PRINTED else (row.estimate.status.text,)
    return (*status, *((why_twice(row.method),) if changed_groups(row) else ()), *row.estimate.notes)


def _shared(rows: Sequence[EstimateRow]) -> dict[str, None]:
    """What is to be said of every estimate of a table, once."""
    return dict.fromkeys(word for word in _said(rows[0]) if all(word in _said(row) for row in rows)) if rows else {}


def footnotes_of(context: Context, rows: Sequence[EstimateRow], *, multiplicity: bool = False) -> tuple[Footnote, ...]:
    """The notes of a table of estimates: what concerns all of it first, then what its marks refer to."""
    notes = [Footnote("", words) for words in (_compared(context, rows), _intervals(rows)) if words]
    if any(context.withheld(row) for row in rows):
        notes.append(Footnote("", WITHHELD.format(p=context.style.p_head)))
    if multiplicity:
        used = {planned.multiplicity for row in rows if (planned := context.planned(row.analysis)) is not None}
        methods = " and ".join(sorted(name.capitalize() for name in used))
        notes.append(Footnote("", f"Adjusted {context.style.p_head}: by the method of {methods}."))
    if context.hidden and any(_hides(context, row) for row in rows):
        notes.append(Footnote("", context.hidden))
    notes += [Footnote("", words) for words in _degrees_of_freedom(context, rows)]
    notes += [Footnote("", words) for words in _shared(rows)]
    marked = dict.fromkeys(word for words in marks_of(rows).values() for word in words)
    return (*notes, *(Footnote(word, word) for word in marked))


def _hides(context: Context, row: EstimateRow) -> bool:
    """Whether a count of an estimate's groups is not shown."""
    return any(count.n is None or (count.events is None and context.has_events(row)) for count in row.groups)


def _degrees_of_freedom(context: Context, rows: Sequence[EstimateRow]) -> list[str]:
    """Where intervals and P values of clustered patients rest on Student's t, how many degrees of freedom it has."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        item = row.estimate
        if row.clusters is None or item.df is None or item.statistic_name != "t":
            continue
        clusters = (
            "few clusters" if context.count(row.clusters) == EM_DASH else f"{context.count(row.clusters)} clusters"
        )
        found.setdefault((row.analysis, clusters), []).append(item.df)
    return [
        f"{analysis}: interval and {context.style.p_head} by Student's t with {_from_to(context, dfs)} degrees of freedom ({clusters})."
        for (analysis, clusters), dfs in found.items()
    ]


def _from_to(context: Context, dfs: Sequence[float]) -> str:
    """The degrees of freedom, from the fewest to the most where estimates have their own, as pooled ones do."""
    ends = dict.fromkeys(numbers.number(df, 0 if df == round(df) else 1, context.style) for df in (min(dfs), max(dfs)))
    return " to ".join(ends)


def _compared(context: Context, rows: Sequence[EstimateRow]) -> str:
    """Which group ratios and differences compare with which, where there are two."""
    contrasts = [row for row in rows if context.compares_groups(row) and measure_of(row.estimate.measure).contrasts]
    pairs = {(row.estimate.term, row.estimate.reference) for row in contrasts}
    if len(context.plan.groups) != 2 or len(pairs) != 1:
        return ""
    treated, reference = (context.group(level) for level in pairs.pop())
    kinds = {measure_of(row.estimate.measure).kind for row in contrasts}
    words = [word for word, kind in (("Ratios", {"ratio"}), ("differences", {"points", "difference"})) if kinds & kind]
    return sentence(f"{' and '.join(words)} compare {treated} with {reference}, the reference.")


def _intervals(rows: Sequence[EstimateRow]) -> str:
    kinds = sorted({proper(row.estimate.interval.kind) for row in rows if row.estimate.interval})
    return f"Interval methods: {', '.join(kinds)}." if kinds else ""
