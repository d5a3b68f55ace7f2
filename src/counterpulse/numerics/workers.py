"""Who carries out a long loop: threads of this machine, or a cluster; never what comes out of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock, Semaphore, Thread
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from counterpulse.numerics.blas_threads import ONE_BLAS_THREAD

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers(Protocol):
    """Carries out loops whose turns do not depend on each other."""

    @property
    def here(self) -> LocalWorkers:
        """The threads of this machine, for a loop that is not worth sending away."""

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Apply `work` to every item; results in the order of the items.

        Parameters
        ----------
        work : a function of nothing but its item and the values it holds (a `partial` of a function of a module, or a
            frozen dataclass), so that a turn taken twice, or on another machine, gives the same
        items : small values, such as the numbers of draws

        Raises
        ------
        whatever `work` raises, of the first item for which it does
        """


Jobs: TypeAlias = int | Workers | None
"""How many turns at a time, or who takes them; None is one a core."""


def workers_of(jobs: Jobs) -> Workers:
    """Who carries out the loops."""
    if jobs is None:
        return LocalWorkers(os.cpu_count() or 1)
    return LocalWorkers(max(1, jobs)) if isinstance(jobs, int) else jobs


@dataclass(frozen=True, eq=False)
class LocalWorkers:
    """Threads of this machine, `jobs` of them at most, however many loops run within or beside each other.

    The caller takes turns itself, and whenever another thread is free that one helps. BLAS keeps to one thread whatever
    `jobs` is, since its sums depend on the number of its threads.
    """

    jobs: int
    _free: Semaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_free", Semaphore(self.jobs - 1))

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent elsewhere, where others are at work too: a loop within a loop runs in turn there."""
        return LocalWorkers, (1,)

    @property
    def here(self) -> LocalWorkers:
        """These."""
        return self

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """See `Workers`."""
        loop, helpers = _Loop(work, tuple(items)), list[Thread]()
        with ONE_BLAS_THREAD:
            try:
                while (index := loop.take()) is not None:
                    while loop.waiting > len(helpers) and self._free.acquire(blocking=False):
                        helpers.append(Thread(target=self._help, args=(loop,), daemon=True))
                        helpers[-1].start()
                    loop.do(index)
            finally:
                loop.stop()
                for helper in helpers:
                    helper.join()
        return loop.outcome()

    def _help(self, loop: _Loop[Any, Any]) -> None:
        try:
            with ONE_BLAS_THREAD:
                while (index := loop.take()) is not None:
                    loop.do(index)
        finally:
            self._free.release()


class _Loop(Generic[Item, Result]):
    """Items handed out in order, results by place; after an error no further item is begun."""

    def __init__(self, work: Callable[[Item], Result], items: tuple[Item, ...]) -> None:
        self._work, self._items = work, items
        self._results: dict[int, Result] = {}
        self._errors: dict[int, BaseException] = {}
        self._next, self._lock = 0, Lock()

    @property
    def waiting(self) -> int:
        """Items that nobody has begun."""
        return len(self._items) - self._next

    def take(self) -> int | None:
        """The place of the next item."""
        with self._lock:
            if not self.waiting:
                return None
            self._next += 1
            return self._next - 1

    def do(self, index: int) -> None:
        """Carry out one item; an error is kept for `outcome`."""
        try:
            self._results[index] = self._work(self._items[index])
        except Exception as error:
            self._errors[index] = error
            self.stop()

    def stop(self) -> None:
        """Begin no further item."""
        with self._lock:
            self._next = len(self._items)

    def outcome(self) -> list[Result]:
        """Results in order, or the error of the first item that had one."""
        if self._errors:
            raise self._errors[min(self._errors)]
        return [self._results[index] for index in range(len(self._items))]
