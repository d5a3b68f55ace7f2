"""Which effect an estimate is, in the words of a sentence: adjusted or not, conditional or marginal, and among whom."""

from __future__ import annotations

from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.methods.balancing_words import WHOM
from counterpulse.results import EstimateRow

TRIMMED = ", trimmed"
EVERYBODY = f" in {WHOM['all']}"
MATCHED = {
    "matched treated": "the matched treated patients",
    "matched controls": "the matched patients of the reference group",
    "matched patients": "the matched patients",
}
"""Whom an effect is about where not everybody found a match."""


def whom(context: Context, row: EstimateRow) -> str:
    """The patients an effect is about; nothing where the analysis makes no statement of it."""
    if row.estimand is None:
        return ""
    target = row.estimand.target.removesuffix(TRIMMED)
    kept = " whose probability of treatment is not extreme" if target != row.estimand.target else ""
    planned = context.planned(row.analysis)
    if target == "all" and not kept and planned is not None and planned.balancing is not None:
        return WHOM["all"]
    return "" if target == "all" and not kept else f"{MATCHED.get(target) or WHOM.get(target, target)}{kept}"


def among(context: Context, row: EstimateRow) -> str:
    """The same behind the name of a measure; everybody who was analyzed goes without saying."""
    patients = whom(context, row)
    if not patients:
        return ""
    return EVERYBODY if patients == WHOM["all"] else f" among {patients}"


def adjective(context: Context, row: EstimateRow, *, first: bool = True) -> str:
    """What stands before the name of a measure: how it is adjusted, where it is the first, and of which kind it is."""
    planned = context.planned(row.analysis)
    kind = row.estimand.kind if row.estimand is not None else ""
    if planned is None or not first:
        return f"{kind} " if kind and not first else ""
    if planned.balancing is not None:
        return f"{'further adjusted ' if planned.adjusted else ''}{kind or 'marginal'} "
    return f"adjusted {kind} ".replace("  ", " ") if planned.adjusted else "unadjusted "


def in_full(context: Context, row: EstimateRow) -> str:
    """The effect of the box of the key result: adjusted or not, of which kind, in whom."""
    planned, how = context.planned(row.analysis), _how(context, row)
    if planned is None or row.estimand is None or not (planned.adjusted or planned.balancing is not None):
        return f", {how}" if how else ""
    kind = "conditional on the covariates" if row.estimand.kind == "conditional" else row.estimand.kind
    return f" ({how}; {kind},{among(context, row) or EVERYBODY})"


def _how(context: Context, row: EstimateRow) -> str:
    planned = context.planned(row.analysis)
    if planned is None:
        return ""
    if planned.balancing is not None:
        made = {"matching": "in matched patients", "weighting": "in weighted patients"}[planned.balancing.use]
        return f"{made}, further adjusted" if planned.adjusted else made
    return "adjusted" if planned.adjusted else "unadjusted"
