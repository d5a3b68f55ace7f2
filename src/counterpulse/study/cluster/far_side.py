"""What a worker of the cluster does: nothing of it depends on which worker, when, or how often."""

from __future__ import annotations

import pickle
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from counterpulse.numerics.workers import LocalWorkers

PACKAGES = ("counterpulse", "numpy", "scipy", "polars", "dask", "distributed")
PROCESSOR = "processor instructions"


@cache
def installed() -> Mapping[str, str]:
    """What the digits of a number depend on beside the data: versions, and the instructions that sums are made with."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    found |= {name: version(name) for name in PACKAGES}
    known = np.show_config(mode="dicts")
    simd = known.get("SIMD Extensions", {}) if isinstance(known, dict) else {}
    return {**found, PROCESSOR: " ".join((platform.machine(), *simd.get("found", ())))}


@dataclass(frozen=True, slots=True, repr=False)
class Parcel:
    """A function with all data that it holds, sent once for a loop. It prints as nothing: logs show what they are given."""

    content: bytes
    installed: Mapping[str, str]

    def __repr__(self) -> str:
        return "Parcel"


def pack(work: Callable[[Any], Any]) -> Parcel:
    """What is sent."""
    return Parcel(pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL), installed())


@dataclass(frozen=True, slots=True, repr=False)
class Unpacked:
    """The function where it is to run; none where it would run differently, and what is installed there."""

    work: Callable[[Any], Any] | None
    differs: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return "Unpacked"


def unpack(parcel: Parcel) -> Unpacked:
    """What is received. Workers hand it on to each other; one that is lost with its worker is unpacked again."""
    same = installed() == parcel.installed
    return Unpacked(pickle.loads(parcel.content)) if same else Unpacked(None, installed())


@dataclass(frozen=True, slots=True, repr=False)
class Turns:
    """Some items of a loop, with their places."""

    items: tuple[tuple[int, Any], ...]

    def __repr__(self) -> str:
        return "Turns"


@dataclass(frozen=True, slots=True, repr=False)
class Done:
    """What became of some turns: results by place; the error of the first that had one; what is installed where it differs."""

    results: Mapping[int, Any]
    error: tuple[int, Exception] | None = None
    differs: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return "Done"


def carry_out(unpacked: Unpacked, installed_there: Mapping[str, str], turns: Turns) -> Done:
    """Take some turns of a loop, on one thread. An error is a value: Dask would write it, with what it was given, to a log."""
    work = unpacked.work
    if work is None or installed() != installed_there:
        return Done({}, differs=unpacked.differs or installed())
    results: dict[int, Any] = {}

    def take(turn: tuple[int, Any]) -> None:
        place, item = turn
        try:
            results[place] = work(item)
        except Exception as error:
            raise _TurnFailedError(place, error) from None

    try:
        LocalWorkers(1).map(take, turns.items)
    except _TurnFailedError as failed:
        return Done(results, error=(failed.place, _portable(failed.error)))
    return Done(results)


class _TurnFailedError(Exception):
    def __init__(self, place: int, error: Exception) -> None:
        super().__init__()
        self.place, self.error = place, error


def _portable(error: Exception) -> Exception:
    """The error, if it can be sent as it is; otherwise its kind alone."""
    try:
        again = pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__} on a worker")
    return error if type(again) is type(error) else RuntimeError(f"{type(error).__name__} on a worker")
