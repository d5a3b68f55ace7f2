"""The answers to what was planned, without those after imputed values were shifted: these make the tipping-point curves."""

from __future__ import annotations

import re
from dataclasses import replace

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.results import Block, EstimateRow, StudyResult

TIPPING = "tipping-point"
SHIFT = re.compile(r"(?P<variable>[^\W\d]\w*)[ -](?P<by>[+-]\d+(?:[._]\d+)?(?:e[+-]?\d+)?)$")
"""A shift in the name of a sample ("ph -0.1"), and in the id of a block ("ph--0_1")."""


def unshifted(result: StudyResult, plan: Plan) -> StudyResult:
    """The result as its tables and figures show it.

    Rows and blocks of samples with shifted values are left out; they stay in the bundle.
    """
    rows, blocks = list(result.estimates), list(result.blocks)
    for item in plan.analyses:
        if item.shifts:
            rows = [row for row in rows if _kept_row(item, row)]
            blocks = [block for block in blocks if _kept_block(item, block)]
    return replace(result, estimates=tuple(rows), blocks=tuple(blocks))


def without_shift(words: str) -> str:
    """The name of a sample without a shift at its end."""
    found = SHIFT.search(words)
    return words if found is None else words[: found.start()].rstrip(" ,-")


def _is_plain(item: PlannedAnalysis, words: str) -> bool:
    """Whether a name says that nothing was shifted."""
    found = SHIFT.search(words)
    return found is None or found["variable"] not in {shift.variable for shift in item.shifts}


def _kept_row(item: PlannedAnalysis, row: EstimateRow) -> bool:
    return row.analysis != item.id or _is_plain(item, row.model or "")


def _kept_block(item: PlannedAnalysis, block: Block) -> bool:
    if block.analysis != item.id or block.kind == TIPPING:
        return True
    return all(_is_plain(item, part) for part in block.id.split("."))
