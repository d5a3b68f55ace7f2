"""What is added to the cells of a study that has a zero cell."""

from __future__ import annotations

import numpy as np

from counterpulse.errors import InputError
from counterpulse.synthesis.effects.printed_rows import Flags, Floats, PrintedRows
from counterpulse.synthesis.pooling.asked import check_word

POLICIES = ("when-zero", "all-if-any", "never")
CORRECTIONS = ("constant", "opposite-arm")


def mark_corrected(rows: PrintedRows, zero: Flags, *, policy: str, add: float) -> Flags:
    """Which rows are corrected (those with a zero cell, all if any has one, or none), written into the ledger.

    Raises
    ------
    InputError : another policy, or nothing to add
    """
    check_word(policy, "zero_cells", POLICIES)
    if not add > 0:
        raise InputError(f"add is {add:g}; give what is added to a cell, such as 0.5, or zero_cells='never'")
    standing = zero & ~rows.dropped
    marks = standing if policy == "when-zero" else np.full(rows.k, policy == "all-if-any" and bool(standing.any()))
    marks = marks & ~rows.dropped
    rows.flag(marks & standing, "corrected", "a cell is zero", drop=False)
    rows.flag(marks & ~standing, "corrected", "a cell of another row is zero", drop=False)
    return marks


def additions(n_treated: Floats, n_reference: Floats, *, add: float, correction: str) -> tuple[Floats, Floats]:
    """What is added to each cell of the treated and of the reference arm.

    "constant" adds `add` to all four cells. "opposite-arm" (the treatment-arm correction of Sweeting 2004,
    doi:10.1002/sim.1761) adds in proportion to the reciprocal of the size of the other arm; with equal arms both are the
    same, and the two additions always sum to twice `add`.
    """
    check_word(correction, "correction", CORRECTIONS)
    if correction == "constant":
        return np.full(len(n_treated), add), np.full(len(n_reference), add)
    n = n_treated + n_reference
    return 2 * add * n_treated / n, 2 * add * n_reference / n
