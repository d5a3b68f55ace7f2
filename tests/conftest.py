from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

# The fast suite draws the same examples each time, so that a commit has one verdict; `make test-all` draws new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", deadline=None)
settings.load_profile(os.environ.get("COUNTERPULSE_EXAMPLES", "same"))

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_path() -> Callable[[str], Path]:
    """The path of a file of the shared reference material; the test is skipped where it is absent."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"../shared/{name} is not here")
        return path

    return find


@pytest.fixture(scope="session")
def shared_data(shared_path) -> Callable[[str], pl.DataFrame]:
    """A table of ../shared/data as polars reads it (old Macintosh line ends included)."""

    def read(name: str) -> pl.DataFrame:
        text = shared_path(f"data/{name}").read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return pl.read_csv(text, null_values=["NA", ""], infer_schema_length=None)

    return read


@pytest.fixture(scope="session")
def pump_ward() -> pl.DataFrame:
    """Patients treated by age and shock, with a binary and a continuous outcome."""
    random = np.random.default_rng(21)
    n = 900
    age, shock = random.normal(0, 1, n), random.random(n) < 0.3
    treated = random.random(n) < 1 / (1 + np.exp(1.0 - 0.6 * age - shock))
    dead = random.random(n) < 1 / (1 + np.exp(0.7 - 0.5 * age - 0.3 * treated))
    kind = np.where(treated, random.choice(["pump", "balloon"], n), "none")
    return pl.DataFrame(
        {
            "age": age,
            "shock": shock,
            "device": treated,
            "kind": kind,
            "dead": dead,
            "days": age + random.normal(0, 1, n),
        }
    )
