"""BLAS on one thread: its sums depend on how many it has."""

from __future__ import annotations

from functools import cache
from threading import Lock, local
from typing import Any

from threadpoolctl import ThreadpoolController


class _OneBlasThread:
    """Holds BLAS to one thread while anybody, in any thread, is inside.

    Most BLAS have one limit for the whole process: the first to come sets it, and only the last to go lifts it, since limits that
    overlap in time without being nested would undo each other. Those on OpenMP have one for each thread: everybody sets their own.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._own = Lock(), 0, local()
        self._shared: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                _take_control()
                self._shared = _blas().limit(limits=1, user_api="blas")
            self._inside += 1
        self._own.__dict__.setdefault("limits", []).append(_on_openmp().limit(limits=1))

    def __exit__(self, *_: object) -> None:
        self._own.limits.pop().restore_original_limits()
        with self._lock:
            self._inside -= 1
            if not self._inside:
                _take_control()
                self._shared.restore_original_limits()
                _take_control()


ONE_BLAS_THREAD = _OneBlasThread()


@cache
def _blas() -> ThreadpoolController:
    import scipy.special  # noqa: F401  (brings the second BLAS, which the controller would not see afterwards)

    return ThreadpoolController()


@cache
def _on_openmp() -> ThreadpoolController:
    return _blas().select(user_api="blas").select(threading_layer="openmp")


def _take_control() -> None:
    """Let this thread set limits: newer threadpoolctl lets only the thread that set the last one, and is silent about the others."""
    from threadpoolctl import OpenBLASController

    clear = getattr(OpenBLASController, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)
