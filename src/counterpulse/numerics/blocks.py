"""Work over row blocks on every core; results come back in order, so they do not depend on the number of cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from counterpulse.numerics.blas_threads import ONE_BLAS_THREAD
from counterpulse.numerics.workers import Jobs, workers_of

Item = TypeVar("Item")
Result = TypeVar("Result")

MANY_ROWS = 100_000
"""Rows from which on threads are worth starting."""


def map_blocks(work: Callable[[Item], Result], items: Iterable[Item], *, rows: int) -> list[Result]:
    """Apply `work` to every item: in turn for a short table, side by side for a long one.

    Parameters
    ----------
    work : releases the interpreter lock for most of its time (NumPy's element-wise functions and BLAS do); meanwhile
        BLAS keeps to one thread a call, since the calls themselves run side by side
    items : slices of rows, or columns
    rows : length of the table
    """
    if rows < MANY_ROWS or (cores := os.cpu_count() or 1) == 1:
        return [work(item) for item in items]
    with ONE_BLAS_THREAD, ThreadPoolExecutor(max_workers=cores) as pool:
        return list(pool.map(work, items))


def map_jobs(work: Callable[[Item], Result], items: Iterable[Item], *, jobs: Jobs) -> list[Result]:
    """Apply `work` to every item, `jobs` at a time or by the workers given; neither changes a digit (see `Workers`)."""
    return workers_of(jobs).map(work, items)
