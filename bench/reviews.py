"""Studies to be pooled, written once as text that every contender, R too, reads the same."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

SEED = 20261121
REVIEWS, STUDIES, LARGE = 10_000, 10, 3_000
# Cases and others, vaccinated and not (Colditz et al. 1994, doi:10.1001/jama.1994.03510330076038).
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip
# The arms of 26 trials of 10 treatments, one of three arms: the network of Senn et al. 2013 (doi:10.1177/0962280211432220).
DESIGNS = (
    *((0, 1),) * 3, (0, 1, 2), *((0, 3),) * 6, *((0, 4),) * 1, (1, 4), (3, 4), *((1, 3),) * 2, (3, 5), (2, 5), (0, 2),
    (0, 6), (0, 7), (1, 5), *((0, 8),) * 3, *((0, 9),) * 2,
)  # fmt: skip
INPUTS = ("many", "bcg", "large", "network")


def write_reviews(folder: Path) -> None:
    """Write a table of each input in a folder of its own."""
    random = np.random.default_rng(SEED)
    tables = {
        "many": (("review", "yi", "vi"), many(random)),
        "bcg": (("yi", "vi"), bcg()),
        "large": (("yi", "vi"), zip(*studies(random, LARGE, 0.1), strict=True)),
        "network": (("study", "first", "second", "yi", "vi"), contrasts(random)),
    }
    for name, (header, rows) in tables.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        with (folder / name / "table.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows([float(value) for value in row] for row in rows)


def read_review(folder: Path) -> dict[str, np.ndarray]:
    """Read the columns of an input by name."""
    path = folder / "table.csv"
    with path.open() as file:
        names = file.readline().strip().split(",")
    return dict(zip(names, np.loadtxt(path, delimiter=",", skiprows=1, unpack=True), strict=True))


def studies(random: np.random.Generator, k: int, tau2: float) -> tuple[np.ndarray, np.ndarray]:
    """Effects and variances of studies of usual sizes."""
    v = np.exp(random.normal(-2.5, 1.0, k))
    return random.normal(0.3, np.sqrt(v + tau2)), v


def many(random: np.random.Generator) -> Iterator[tuple[float, float, float]]:
    """Reviews from those without heterogeneity to those with much of it."""
    for review in range(REVIEWS):
        for y, v in zip(*studies(random, STUDIES, float(random.exponential(0.1))), strict=True):
            yield review, y, v


def bcg() -> Iterator[tuple[float, float]]:
    """Log risk ratios of the trials of the BCG vaccine."""
    for a, b, c, d in np.array(BCG, dtype=float):
        yield np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def contrasts(random: np.random.Generator) -> Iterator[tuple[float, float, float, float, float]]:
    """All contrasts of each trial: mean differences against the second treatment named."""
    truth = random.normal(-0.8, 0.4, 10)
    for study, arms in enumerate(DESIGNS):
        v = {arm: random.uniform(0.004, 0.06) for arm in arms}
        mean = {arm: random.normal(truth[arm] + random.normal(0, 0.2), np.sqrt(v[arm])) for arm in arms}
        for second, first in combinations(arms, 2):
            yield study, first, second, mean[first] - mean[second], v[first] + v[second]
