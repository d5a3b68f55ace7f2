"""Studies that stand twice, and studies of one registry: which effect counts, and what is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import DataError
from counterpulse.protocol.nodes import Overlap
from counterpulse.results import Notice
from counterpulse.source import Finding, Location
from counterpulse.study.reviewing.columns import PATIENTS, ROW, STUDY, VI, YI

SEPARATOR, ARMS = ";", ("treated", "control")
REGISTRY = "registry"
"""The column that names registries where the protocol says nothing of overlap."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rows count, shape (n,), and what is told of the others."""

    rows: NDArray[np.bool_]
    notices: tuple[Notice, ...]


def without_overlap(
    frame: pl.DataFrame, overlap: Overlap | None, *, analysis: str, outcome: str, file: str, dependent: bool, network: bool = False
) -> Chosen:  # fmt: skip
    """Choose the effects of one outcome of one analysis.

    Parameters
    ----------
    frame : its effects
    overlap : what the protocol says of registries
    dependent : the method takes several effects of one study into account
    network : it takes one effect of each comparison

    Raises
    ------
    DataError : a study stands more than once, and neither the protocol nor the method says what to do
    """
    groups = _registries(frame, overlap.registry) if overlap is not None else []
    keep = np.ones(frame.height, dtype=bool)
    notices: list[Notice] = []
    for members in groups:
        if overlap is None or overlap.keep == "all" or len(members) < 2:
            continue
        best = _largest(frame, members) if overlap.keep == "largest" else members[0]
        left = [index for index in members if index != best and not _stays(frame, index, best, dependent=dependent)]
        if left:
            keep[left] = False
            notices.append(_kept(frame, left, best, analysis, outcome, overlap.keep))
    notices += _shared(frame, overlap, groups, analysis, outcome)
    if network or not dependent:
        _refuse_twice(frame, keep, analysis, outcome, file, network=network)
    notices += _alike(frame, keep, analysis, outcome, network=network)
    return Chosen(keep, tuple(notices))


def _registries(frame: pl.DataFrame, column: str) -> list[list[int]]:
    """Rows that share a registry, directly or through a row in two, in the order of the table."""
    names = [_names(value) for value in frame[column].cast(pl.String).to_list()]
    root = list(range(len(names)))

    def top(index: int) -> int:
        while root[index] != index:
            index = root[index]
        return index

    first: dict[str, int] = {}
    for index, registries in enumerate(names):
        for registry in registries:
            other = top(first.setdefault(registry, index))
            root[max(other, top(index))] = min(other, top(index))
    found: dict[int, list[int]] = {}
    for index, registries in enumerate(names):
        if registries:
            found.setdefault(top(index), []).append(index)
    return list(found.values())


def _names(value: str | None) -> list[str]:
    return [part.strip().casefold() for part in (value or "").split(SEPARATOR) if part.strip()]


def _largest(frame: pl.DataFrame, members: Sequence[int]) -> int:
    """The effect with most patients; where these are not printed, the most precise one; of equals the first."""
    counted = frame.select(pl.sum_horizontal(*PATIENTS, ignore_nulls=False).alias("n"))["n"]
    sizes = [
        None if counted[index] is None else sum(counted[other] or 0 for other in members if other == index or _stays(frame, other, index, dependent=False))
        for index in members
    ]  # fmt: skip
    if None in sizes:
        sizes = [-frame[VI][index] for index in members]
    return members[max(range(len(members)), key=lambda position: (sizes[position], -position))]


def _stays(frame: pl.DataFrame, index: int, best: int, *, dependent: bool) -> bool:
    """Whether a row stands beside the one that counts: another arm of its study, or an effect that the method takes together with it."""
    one, other = (str(frame["study"][row]).strip().casefold() for row in (index, best))
    return one == other and (dependent or frame[STUDY][index] != frame[STUDY][best])


def _kept(frame: pl.DataFrame, left: Sequence[int], best: int, analysis: str, outcome: str, how: str) -> Notice:
    listed = ", ".join(_told(frame, index) for index in left)
    text = f"{outcome}: of studies that share a registry, {_told(frame, best)} counts ({how}); not counted: {listed}."
    return Notice("W853", analysis, text)


def _shared(
    frame: pl.DataFrame, overlap: Overlap | None, groups: Sequence[Sequence[int]], analysis: str, outcome: str
) -> Iterator[Notice]:
    """Studies of one registry that are all counted; and rows that name two registries."""
    column = overlap.registry if overlap is not None else REGISTRY
    if column not in frame.columns:
        return
    for members in groups or _registries(frame, column):
        if frame["study"][members].n_unique() > 1 and (overlap is None or overlap.keep == "all"):
            listed = ", ".join(_told(frame, index) for index in members)
            yield Notice(
                "W854", analysis, f"{outcome}: {listed} share a registry, and all are counted: patients may count twice. "
                "Write `keep: largest` under `overlap`, or leave one out.",
            )  # fmt: skip
    for index, value in enumerate(frame[column].cast(pl.String).to_list()):
        if len(_names(value)) > 1:
            text = f"{outcome}: {_told(frame, index)} names several registries, and overlaps with the studies of each."
            yield Notice("W855", analysis, text)


def _refuse_twice(
    frame: pl.DataFrame, keep: NDArray[np.bool_], analysis: str, outcome: str, file: str, *, network: bool
) -> None:
    keys = _comparisons(frame) if network else frame[STUDY].to_list()
    names = [key if standing else None for key, standing in zip(keys, keep, strict=True)]
    what = "with one comparison " if network else ""
    twice = [name for name in dict.fromkeys(names) if name is not None and names.count(name) > 1]
    if not twice:
        return
    rows = {name: [frame[ROW][index] for index, other in enumerate(names) if other == name] for name in twice}
    raise DataError([
        Finding(
            code="E852", where=Location(file, listed[0]),
            seen=f"analysis {analysis}, {outcome}: the study '{_name(frame, listed[0])}' stands more than once {what}(rows {', '.join(map(str, listed))})",
            allowed="one row of a study for each pair of treatments" if network else "one effect of a study, or a way to choose: `keep`, `overlap`, model: three-level, dependence: robust",
            remedy="delete the copy, or say in the protocol which one counts",
        )
        for listed in rows.values()
    ])  # fmt: skip


def _comparisons(frame: pl.DataFrame) -> list[tuple[str, ...]]:
    """The study of each row with its two treatments, in either order."""
    rows = frame.select(STUDY, *(pl.col(name).cast(pl.String).fill_null("") for name in ARMS)).iter_rows()
    return [(study, *sorted(arms)) for study, *arms in rows]


def _name(frame: pl.DataFrame, row: int) -> str:
    return str(frame.filter(pl.col(ROW) == row)[STUDY][0])


def _alike(
    frame: pl.DataFrame, keep: NDArray[np.bool_], analysis: str, outcome: str, *, network: bool
) -> Iterator[Notice]:
    """Studies of two names with one effect and variance (in a network: of one comparison)."""
    seen: dict[tuple[object, ...], int] = {}
    arms = [key[1:] for key in _comparisons(frame)] if network else [()] * frame.height
    for index in np.flatnonzero(keep):
        key = (float(frame[YI][int(index)]), float(frame[VI][int(index)]), *arms[int(index)])
        other = seen.setdefault(key, int(index))
        if other != index and frame[STUDY][other] != frame[STUDY][int(index)]:
            text = f"{outcome}: {_told(frame, other)} and {_told(frame, int(index))} hold the same effect; are they one study?"
            yield Notice("W856", analysis, text)


def _told(frame: pl.DataFrame, index: int) -> str:
    return f"{frame[STUDY][index]} (row {frame[ROW][index]})"
