"""Follow-up in order of time, with rows that agree counted together where a long table has many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.survival.follow_up import Bools, Floats, FollowUp, Indices, merge_close, time_order

LONG_TABLE = 100_000
"""Rows from which on it is worth a look whether many agree."""

LOOK_AT = 2**15
"""Rows looked at; when fewer than half of their times differ, counting beats sorting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRows:
    """Rows sorted by time; every array has one value a row.

    Attributes
    ----------
    time, start : with those that differ only by rounding made equal
    event, weights : as in `FollowUp`
    groups, strata : codes; all 0 without groups, None without strata
    count : how many rows of the table each stands for; None when one
    clusters : codes of what holds rows that belong together; None where every row stands for itself
    """

    time: Floats
    event: Bools
    start: Floats | None
    weights: Floats | None
    groups: Indices
    strata: Indices | None
    count: Floats | None
    clusters: Indices | None = None

    def at(self, rows: Indices) -> CountedRows:
        """Some of the rows, in this order."""
        return CountedRows(
            time=self.time[rows], event=self.event[rows], start=_at(self.start, rows), weights=_at(self.weights, rows),
            groups=self.groups[rows], strata=_at(self.strata, rows), count=_at(self.count, rows),
            clusters=_at(self.clusters, rows),
        )  # fmt: skip


def count_rows(follow_up: FollowUp, strata: Indices | None = None, clusters: Indices | None = None) -> CountedRows:
    """Sort follow-up by time; `strata` and `clusters` are codes of its rows, shape (n,)."""
    groups = np.zeros(len(follow_up.time), dtype=np.intp) if follow_up.groups is None else follow_up.groups
    alike = follow_up.start is None and follow_up.weights is None and clusters is None
    if alike and _often_tied(follow_up.time):
        return _counted({"time": follow_up.time, "event": follow_up.event, "groups": groups}, strata)
    order, time, start = time_order(follow_up)
    return CountedRows(
        time=time, event=follow_up.event[order], start=start, weights=_at(follow_up.weights, order),
        groups=groups[order], strata=_at(strata, order), count=None, clusters=_at(clusters, order),
    )  # fmt: skip


def _often_tied(time: Floats) -> bool:
    if len(time) < LONG_TABLE:
        return False
    some = time[:: len(time) // LOOK_AT]
    return len(np.unique(some)) < len(some) / 2


def _counted(columns: dict[str, NDArray[Any]], strata: Indices | None) -> CountedRows:
    frame = pl.DataFrame(columns if strata is None else {**columns, "strata": strata})
    counted = frame.group_by(frame.columns).len("count").sort(frame.columns)
    arrays = {name: counted[name].to_numpy() for name in frame.columns}
    return CountedRows(
        time=merge_close(arrays["time"]), event=arrays["event"], start=None, weights=None, groups=arrays["groups"],
        strata=arrays.get("strata"), count=counted["count"].cast(pl.Float64).to_numpy(),
    )  # fmt: skip


def _at(values: NDArray[Any] | None, rows: Indices) -> NDArray[Any] | None:
    return None if values is None else values[rows]
