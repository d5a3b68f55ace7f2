"""What a rehearsal of a study found: how its planned analyses behave where the truth is known. No outcome was read for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from counterpulse.results.block import Block
from counterpulse.results.study_result import DataKind, StudyIdentity

FORMAT = "counterpulse/rehearsal/1"
KIND = "operating-characteristics"
NO_EFFECT = "no effect"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An analysis that was not rehearsed (with this outcome), and why."""

    analysis: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Biased:
    """An estimate that misses the truth by more than the simulation's error, and what of the assumptions it leaves standing.

    `bias` and its Monte Carlo `error` are on the scale of estimation: of a ratio its logarithm.
    """

    analysis: str
    estimate: str
    scenario: str
    bias: float
    error: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedStudy:
    """The operating characteristics of the planned analyses.

    Attributes
    ----------
    identity : its `data_digest` is of the table without the `hidden` columns
    replicates, patients : simulated studies of each scenario, and patients of each
    alpha : P values below it count for power
    labels : of the analyses and the outcomes, by name
    assumptions : in words
    blocks : one an analysis, an estimate in a scenario a row. Truth and mean are as a reader reads them (of a ratio the
        geometric mean), bias and errors on the scale of estimation (of a ratio its logarithm)
    biased, left_out, notes : what a reader must know
    hidden : the columns that were blanked before anything was done
    """

    identity: StudyIdentity
    data_kind: DataKind
    replicates: int
    patients: int
    alpha: float
    labels: dict[str, str]
    assumptions: tuple[str, ...]
    blocks: tuple[Block, ...]
    biased: tuple[Biased, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether an estimate could not be had in some replicate."""
        return any(row["failed"] for block in self.blocks for row in block.rows())


def rehearsal_json(found: RehearsedStudy) -> dict[str, Any]:
    """A rehearsal as JSON holds it, numbers in full."""
    return {
        "format": FORMAT,
        "data_kind": found.data_kind,
        "study": asdict(found.identity),
        "outcomes_read": "none",
        "hidden_columns": list(found.hidden),
        "replicates": found.replicates,
        "patients": found.patients,
        "alpha": found.alpha,
        "assumptions": list(found.assumptions),
        "blocks": [_block(block) for block in found.blocks],
        "biased": _listed(found.biased),
        "left_out": _listed(found.left_out),
        "notes": list(found.notes),
    }


def _listed(items: Sequence[Biased | LeftOut]) -> list[dict[str, Any]]:
    return [asdict(item) for item in items]


def _block(block: Block) -> dict[str, Any]:
    columns = {name: list(values) for name, values in block.columns.items()}
    return {"id": block.id, "analysis": block.analysis, "kind": block.kind, "columns": columns}
