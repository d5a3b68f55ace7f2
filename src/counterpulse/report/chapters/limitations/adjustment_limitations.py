"""Limitations that matching, weighting and imputation brought: who was left out, what stayed unbalanced, who decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.adjustment import is_reference
from counterpulse.report.chapters.blocks.balance import limit_of
from counterpulse.report.chapters.blocks.block_tables import known
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.limitations.design_limitations import Limitation
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block, Status

LARGE_WEIGHT = 10
"""How many times the mean a weight must be to count as extreme; none of the estimate's own statuses needs it."""
FEW_EFFECTIVE = 0.5
MOST_NAMED = 6
UNMIXED = (Status.IMPUTATION_NOT_MIXED.code, Status.NOT_CONVERGED.code)


def adjustment_limitations(context: Context) -> Iterator[Limitation]:
    """Those that the balance reached, the weights and the imputation show."""
    yield from _matched_treated(context)
    yield from _imbalance(context)
    yield from _weights(context)
    yield from _imputation(context)


def _blocks(context: Context, kind: str) -> list[Block]:
    """The blocks of a kind that belong to an analysis that was run, or to none."""
    return [block for block in context.result.blocks if block.kind == kind]


def _analyses(blocks: Iterable[Block]) -> str:
    return listed(list(dict.fromkeys(block.analysis for block in blocks)))


def _matched_treated(context: Context) -> Iterator[Limitation]:
    """Treated patients without a match: the effect is not that in all treated."""
    found = {}
    for block in _blocks(context, "effective-size"):
        planned = context.planned(block.analysis)
        if planned is None or planned.balancing is None or planned.balancing.use != "matching":
            continue
        rows = [row for row in block.rows() if not is_reference(context, row["group"])]
        samples = list(dict.fromkeys(row["sample"] for row in rows))
        if len(samples) < 2:
            continue
        before, after = (
            sum(known(row["n"]) or 0.0 for row in rows if row["sample"] == sample)
            for sample in (samples[0], samples[-1])
        )
        if 0 < after < before:
            found[block.analysis] = round(before - after), round(before)
    if not found:
        return
    said = [
        f"{context.count(left)} of {context.count(whole)} in {name}"
        for name, (left, whole) in found.items()
        if context.count(left) != EM_DASH
    ]
    who = f" ({listed(said)})" if said else ""
    yield Limitation(
        "Unmatched patients",
        f"Some treated patients found no match and were left out{who}: the effect is that among matched treated patients, who are not "
        "all who were treated, and says nothing of those left out.",
        ("rosenbaum-rubin-1985",),
    )


def _imbalance(context: Context) -> Iterator[Limitation]:
    """Covariates whose difference after matching or weighting is beyond the limit."""
    found: dict[str, list[str]] = {}
    for block in _blocks(context, "balance"):
        samples = list(dict.fromkeys(block.columns["sample"]))
        limit = limit_of(context, block.analysis)
        names = [
            inside(context.variable(str(row["variable"])))
            for row in block.rows()
            if len(samples) > 1 and row["sample"] == samples[-1] and _beyond(row["smd"], limit)
        ]
        if names:
            found.setdefault(block.analysis, []).extend(names)
    if not found:
        return
    said = [f"{name} ({_named(names)})" for name, names in found.items()]
    yield Limitation(
        "Remaining imbalance",
        f"After matching or weighting the groups still differed beyond the limit of balance in {listed(said)}; the comparison is not "
        "free of confounding by these.",
        ("austin-2009",),
    )


def _named(names: list[str]) -> str:
    different = list(dict.fromkeys(names))
    more = len(different) - MOST_NAMED
    return listed([*different[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])


def _beyond(value: object, limit: float) -> bool:
    return isinstance(value, int | float) and abs(value) > limit


def _weights(context: Context) -> Iterator[Limitation]:
    """Weights so large, or so unequal, that a few patients decide."""
    found = []
    for block in _blocks(context, "weights"):
        for row in block.rows():
            n, effective, mean, high = (known(row[name]) for name in ("n", "effective", "mean", "high"))
            few = n is not None and effective is not None and effective < FEW_EFFECTIVE * n
            large = high is not None and mean is not None and high > LARGE_WEIGHT * mean
            if few or large:
                found.append(block)
    if found:
        share = numbers.as_written(100 * FEW_EFFECTIVE, context.style)
        yield Limitation(
            "Unequal weights",
            f"In {_analyses(found)} some patients weigh more than ten times the average, or the weighted patients tell as little as fewer "
            f"than {share}% of them would: a few patients decide much of the estimate.",
            ("cole-hernan-2008",),
        )


def _imputation(context: Context) -> Iterator[Limitation]:
    """Variables whose imputations had not settled."""
    names = [
        inside(context.variable(str(row["variable"])))
        for block in _blocks(context, "imputation")
        for row in block.rows()
        if row["status"] in UNMIXED
    ]
    if names:
        yield Limitation(
            "Imputation",
            f"The imputed values of {_named(names)} had not settled when the imputation ended; what is pooled over the tables may still "
            "depend on where the chains began.",
            ("gelman-rubin-1992",),
        )
