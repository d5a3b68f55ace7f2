"""What is known of each row of an extraction table while its effects are read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.patient_table import PatientTable
from counterpulse.protocol.nodes import Effects
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.planned_review import effects_of
from counterpulse.source import Finding, Location


@dataclass(slots=True)
class Ledger:
    """The effects of a table while they are read; a row is an index from 0."""

    plan: Plan
    table: PatientTable
    frame: pl.DataFrame
    rows: NDArray[np.int64]
    yi: NDArray[np.float64]
    vi: NDArray[np.float64]
    notes: list[list[str]]
    reasons: list[str | None]
    formats: list[str | None]
    events: NDArray[np.float64]
    patients: NDArray[np.float64]
    doubts: dict[int, list[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def effects(self) -> Effects:
        """How rows become effects."""
        return effects_of(self.plan.protocol)

    def refuse(self, index: int, code: str, seen: str, allowed: str = "", remedy: str = "") -> None:
        """Keep a finding about a row, which then has no effect."""
        row = int(self.rows[index])
        self.findings.append(
            Finding(
                code=code,
                where=Location(self.table.file, row),
                seen=f"row {row}: {seen}",
                allowed=allowed,
                remedy=remedy,
            )
        )
        self.reasons[index] = seen

    def leave_out(self, index: int, reason: str) -> None:
        """Say why a row has no effect, where that is no error."""
        self.reasons[index] = reason

    def note(self, index: int, text: str) -> None:
        """Keep what is to be known of a row that is used."""
        self.notes[index].append(text)

    def doubt(self, index: int, text: str) -> None:
        """Keep what is odd about a row that is used."""
        self.doubts.setdefault(index, []).append(text)
        self.note(index, text)
