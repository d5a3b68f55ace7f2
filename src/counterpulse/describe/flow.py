"""How patients come into a cohort: criteria in order, three-valued, counted one after the other and each alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.describe.columns import read_levels
from counterpulse.errors import InputError
from counterpulse.results import FlowStep

Mask = NDArray[np.bool_]
Kind = Literal["include", "exclude"]
IfUnknown = Literal["keep-patient", "remove-patient", "stop"]

UNKNOWN = -1
"""In an integer result: 1 is true, 0 false, this is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Criterion:
    """One criterion judged for every record.

    Parameters
    ----------
    id, label : name and clinical text
    kind : "include" removes records where it is false, "exclude" where it is true
    result : shape (records,): a polars Boolean series with nulls for unknown, or integers 1, 0 and -1 (unknown)
    if_unknown : "keep-patient", "remove-patient", "stop", or None where nobody said
    """

    id: str
    label: str
    kind: Kind
    result: pl.Series | ArrayLike
    if_unknown: IfUnknown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionCount:
    """What one criterion did.

    `removed` counts, in order, among the records that earlier criteria left; so does `unknown`. `alone` is what it would
    remove by itself from all records, and `unknown_anywhere` its unknowns among all records.
    """

    id: str
    removed: int
    alone: int
    unknown: int
    unknown_anywhere: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortFlow:
    """The flow into the cohort.

    `eligible` says which records remain, shape (records,). `undecided` are the criteria that met unknown values while their
    policy is `stop` or missing: a study must not go on; those patients stand as kept.
    """

    records: int
    eligible: Mask
    counts: tuple[CriterionCount, ...]
    undecided: tuple[str, ...]
    steps: tuple[FlowStep, ...]


def cohort_flow(
    criteria: Sequence[Criterion],
    *,
    records: int | None = None,
    not_in_table: int = 0,
    groups: pl.Series | None = None,
) -> CohortFlow:
    """Apply criteria in their order and count.

    Parameters
    ----------
    criteria : in the order of the boxes
    records : rows of the table; needed only without criteria
    not_in_table : patients known to exist who have no row
    groups : group of each record, counted among the eligible; records without a group are in no group's count

    Returns
    -------
    CohortFlow
        Steps: "absent" (where `not_in_table`), "read", "include.ID" or "exclude.ID" for each criterion, "eligible".

    Raises
    ------
    InputError
        Results of different lengths, a result that is not three-valued, an unknown kind or policy, or an id given twice.
    """
    n = _records(criteria, records)
    eligible = np.ones(n, dtype=bool)
    counts: list[CriterionCount] = []
    undecided: list[str] = []
    for criterion in criteria:
        removes, unknown = _judged(criterion, n)
        count = CriterionCount(
            id=criterion.id,
            removed=int((removes & eligible).sum()),
            alone=int(removes.sum()),
            unknown=int((unknown & eligible).sum()),
            unknown_anywhere=int(unknown.sum()),
        )
        counts.append(count)
        if count.unknown and criterion.if_unknown in (None, "stop"):
            undecided.append(criterion.id)
        eligible &= ~removes
    steps = _steps(criteria, counts, n, not_in_table, eligible, groups)
    return CohortFlow(records=n, eligible=eligible, counts=tuple(counts), undecided=tuple(undecided), steps=steps)


def _records(criteria: Sequence[Criterion], records: int | None) -> int:
    ids = [criterion.id for criterion in criteria]
    for name in ids:
        if ids.count(name) > 1:
            raise InputError(f"criterion {name!r} is given twice; give each its own id")
    if records is not None:
        return records
    if not criteria:
        raise InputError("without criteria the number of records is not known; give records=")
    return len(np.asarray(criteria[0].result))


def _judged(criterion: Criterion, n: int) -> tuple[Mask, Mask]:
    """Which records the criterion removes (by its policy where unknown), and which it cannot judge."""
    if criterion.kind not in ("include", "exclude"):
        raise InputError(f"criterion {criterion.id!r} is of kind {criterion.kind!r}; give 'include' or 'exclude'")
    if criterion.if_unknown not in (None, "keep-patient", "remove-patient", "stop"):
        raise InputError(
            f"criterion {criterion.id!r} has if_unknown {criterion.if_unknown!r}; "
            "give 'keep-patient', 'remove-patient' or 'stop'"
        )
    result = _three_valued(criterion)
    if result.shape != (n,):
        raise InputError(f"criterion {criterion.id!r} judges {result.size} records, the table has {n}")
    unknown = result == UNKNOWN
    removes = result == (0 if criterion.kind == "include" else 1)
    if criterion.if_unknown == "remove-patient":
        removes |= unknown
    return removes, unknown


def _three_valued(criterion: Criterion) -> NDArray[np.int8]:
    result = criterion.result
    if isinstance(result, pl.Series):
        if result.dtype not in (pl.Boolean, pl.Null):
            raise InputError(f"criterion {criterion.id!r} gives {result.dtype}; give true, false or null")
        return result.cast(pl.Int8).fill_null(UNKNOWN).to_numpy().astype(np.int8)
    values = np.asarray(result)
    if values.dtype != bool and not np.isin(values, (UNKNOWN, 0, 1)).all():
        raise InputError(f"criterion {criterion.id!r} gives other values than 1, 0 and {UNKNOWN} (unknown)")
    return values.astype(np.int8)


def _steps(
    criteria: Sequence[Criterion],
    counts: Sequence[CriterionCount],
    n: int,
    not_in_table: int,
    eligible: Mask,
    groups: pl.Series | None,
) -> tuple[FlowStep, ...]:
    absent = [FlowStep(id="absent", label="Not in the table", kind="absent", n=not_in_table)] if not_in_table else []
    removed = [
        FlowStep(
            id=f"{criterion.kind}.{criterion.id}",
            label=criterion.label,
            kind="removed",
            n=count.removed,
            n_alone=count.alone,
            unknown=count.unknown,
        )
        for criterion, count in zip(criteria, counts, strict=True)
    ]
    last = FlowStep(
        id="eligible", label="Eligible", kind="eligible", n=int(eligible.sum()), by_group=_by_group(eligible, groups)
    )
    return (*absent, FlowStep(id="read", label="Records read", kind="read", n=n), *removed, last)


def _by_group(eligible: Mask, groups: pl.Series | None) -> dict[str, int] | None:
    if groups is None:
        return None
    if len(groups) != len(eligible):
        raise InputError(f"groups are given for {len(groups)} records, the table has {len(eligible)}")
    column = read_levels(pl.DataFrame({"group": groups}), "group")
    return {level: int((eligible & (column.codes == code)).sum()) for code, level in enumerate(column.levels)}
