"""One synthetic table, written once as raw numbers so that every contender, R too, reads the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

COVARIATES = 20
CENTERS = 112
SEED = 20260101


def write_table(folder: Path, n: int, *, tied: bool, covariates: int = COVARIATES) -> None:
    """Write columns x0 (the treatment), x1 … x19, outcome, time, event, center, one after the other, as float64.

    With `tied`, times are rounded to 3 digits: some thousands of distinct values. Otherwise all differ.
    """
    random = np.random.default_rng(SEED)
    x = random.normal(size=(covariates, n))
    x[covariates // 2 :] = x[covariates // 2 :] > 0.5
    x[0] = random.random(n) < 0.3
    center = random.integers(0, CENTERS, n).astype(np.float64)
    linear = 0.3 * x[0] + 0.1 * x[1:COVARIATES].sum(axis=0) / 2
    outcome = (random.random(n) < 1 / (1 + np.exp(0.8 - linear))).astype(np.float64)
    time = random.exponential(np.exp(-linear)) + 0.001
    censoring = random.uniform(0, 4, n) + 0.001
    event = (time <= censoring).astype(np.float64)
    time = np.minimum(time, censoring)
    time = np.ceil(time * 1000) / 1000 if tied else time + np.arange(n) * 1e-13
    columns = np.vstack([x, outcome, time, event, center])
    folder.mkdir(parents=True, exist_ok=True)
    columns.astype("<f8").tofile(folder / "columns.bin")
    (folder / "table.json").write_text(json.dumps({"n": n, "covariates": covariates}))


def read_table(folder: Path) -> dict[str, np.ndarray]:
    """Read the columns by name."""
    about = json.loads((folder / "table.json").read_text())
    names = [*(f"x{index}" for index in range(about["covariates"])), "outcome", "time", "event", "center"]
    values = np.fromfile(folder / "columns.bin", dtype="<f8").reshape(len(names), about["n"])
    return dict(zip(names, values, strict=True))
