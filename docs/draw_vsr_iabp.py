"""Draws the dummy patients of the example vsr-iabp so that they repeat the printed table of the published cohort.

Luo XL et al., Intra-aortic balloon pump support in patients with acute myocardial infarction with ventricular septal rupture
(59 patients with a balloon pump, 33 without; 1 excluded for free wall rupture, 24 for stable hemodynamics). Its Table 1 and
Table 2 fix the mean, the standard deviation and the counts of each group; everything else about these people is made up.

    python docs/draw_vsr_iabp.py     writes src/counterpulse/examples/vsr_iabp/vsr-iabp.csv
"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TABLE = Path(__file__).parents[1] / "src/counterpulse/examples/vsr_iabp/vsr-iabp.csv"
MARK = "counterpulse mock patient"
GROUPS = {"iabp": 59, "none": 33}
SEED = 20020401
FIRST_DAY, LAST_DAY = date(2002, 4, 1), date(2020, 7, 31)

NUMBERS = {  # mean and standard deviation of each group, decimals recorded
    "Age": ((65.9, 7.8), (71.2, 8.0), 1),
    "BMI": ((25.2, 3.2), (22.8, 3.1), 1),
    "Days from infarction": ((3.8, 4.1), (3.0, 3.1), 1),
    "Creatinine": ((137.1, 66.7), (130.7, 39.4), 1),
    "Mean blood pressure": ((70.4, 9.4), (78.9, 11.1), 1),
    "Heart rate": ((103.7, 16.1), (100.6, 18.3), 1),
    "Left atrial diameter": ((37.1, 4.9), (36.6, 5.6), 1),
    "Left ventricular diameter": ((52.2, 5.8), (50.5, 5.7), 1),
    "LVEF": ((46.0, 9.9), (48.4, 10.1), 1),
    "Perforation size": ((14.8, 6.5), (11.8, 4.7), 1),
}
COUNTS = {  # patients with it in each group
    "Male": (33, 10), "Emergency intervention": (8, 4), "Current smoker": (33, 11), "Hypertension": (33, 23),
    "Diabetes mellitus": (12, 12), "Prior stroke": (14, 7), "Chronic renal insufficiency": (15, 7), "Killip class IV": (55, 31),
    "Ventricular aneurysm": (29, 11),
}  # fmt: skip
DEATHS, OPERATIONS, DEATHS_BEFORE_OPERATION = (21, 31), (29, 1), (20, 30)
OPERATION_DAY = (20.6, 8.6)
SKEWED = ("Days from infarction", "Creatinine", "Perforation size")
RISK = {"Age": 0.6, "Left atrial diameter": -0.3, "Left ventricular diameter": -0.4, "Perforation size": -0.4}

Floats = NDArray[np.float64]


def with_moments(draws: Floats, mean: float, sd: float, *, skewed: bool) -> Floats:
    """Values of the given sample mean and standard deviation; skewed ones are positive."""
    z = (draws - draws.mean()) / draws.std(ddof=1)
    if not skewed:
        return mean + sd * z
    low, high = 0.01, 3.0  # the spread of the logarithm at which the coefficient of variation is right
    for _ in range(200):
        middle = (low + high) / 2
        values = np.exp(middle * z)
        low, high = (middle, high) if values.std(ddof=1) / values.mean() < sd / mean else (low, middle)
    return values * mean / values.mean()


def patients() -> dict[str, list[str]]:
    """The table by header, every value as text."""
    random = np.random.default_rng(SEED)
    parts = [_group(random, index, name, size) for index, (name, size) in enumerate(GROUPS.items())]
    parts.append(_excluded(random, parts))
    table = {header: [value for part in parts for value in part[header]] for header in parts[0]}
    order = random.permutation(len(table["Balloon pump"]))
    shuffled = {header: [column[i] for i in order] for header, column in table.items()}
    number = {"Study number": [f"VSR{i:03d}" for i in range(1, len(order) + 1)]}
    return {**number, **shuffled, MARK: ["yes"] * len(order)}


def _group(random: np.random.Generator, index: int, name: str, size: int) -> dict[str, list[str]]:
    numbers = {
        header: np.round(with_moments(random.normal(size=size), *values[index], skewed=header in SKEWED), values[2])
        for header, values in NUMBERS.items()
    }
    flags = {header: random.permutation(np.arange(size) < counts[index]) for header, counts in COUNTS.items()}
    risk = sum(weight * _standard(numbers[header]) for header, weight in RISK.items())
    risk = risk - 0.5 * flags["Male"] - 0.3 * flags["Ventricular aneurysm"] + random.normal(size=size)
    death, operation = _course(random, index, np.argsort(-risk))
    onset = [FIRST_DAY + timedelta(days=int(day)) for day in random.integers(0, (LAST_DAY - FIRST_DAY).days, size)]
    return {
        "Date of septal rupture": [day.isoformat() for day in onset],
        "Balloon pump": ["yes" if name == "iabp" else "no"] * size,
        "Free wall rupture": ["no"] * size,
        "Unstable hemodynamics": ["yes"] * size,
        **{header: [f"{value:.1f}" for value in column] for header, column in numbers.items()},
        **{header: ["yes" if flag else "no" for flag in column] for header, column in flags.items()},
        "Date of surgical repair": _dates(onset, operation),
        "Date of death": _dates(onset, death),
        "Last seen": [
            (day + timedelta(days=int(30 if np.isnan(left) else left))).isoformat()
            for day, left in zip(onset, death, strict=True)
        ],
    }


def _course(random: np.random.Generator, index: int, by_risk: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Days from the rupture to death and to operation; missing where there was none within 30 days."""
    size = len(by_risk)
    death, operation = np.full(size, np.nan), np.full(size, np.nan)
    early = by_risk[: DEATHS_BEFORE_OPERATION[index]]
    death[early] = np.clip(np.ceil(random.exponential((7.0, 9.0)[index], len(early))), 1, 30)
    operated = by_risk[DEATHS_BEFORE_OPERATION[index] :][: OPERATIONS[index]]
    days = with_moments(random.normal(size=max(2, len(operated))), *OPERATION_DAY, skewed=True)
    operation[operated] = np.clip(np.round(days[: len(operated)]), 1, 60) if index == 0 else 1.0
    late = DEATHS[index] - DEATHS_BEFORE_OPERATION[index]
    first = operated[np.argsort(operation[operated])][:late]
    death[first] = np.clip(operation[first] + 2, 1, 30)
    return death, operation


def _excluded(random: np.random.Generator, parts: list[dict[str, list[str]]]) -> dict[str, list[str]]:
    """One patient with free wall rupture, twenty-four without an indication: like the others, but for that."""
    pool = {header: [value for part in parts for value in part[header]] for header in parts[0]}
    chosen = random.choice(len(pool["Balloon pump"]), 25, replace=False)
    copied = {header: [column[i] for i in chosen] for header, column in pool.items()}
    return {
        **copied, "Free wall rupture": ["yes"] + ["no"] * 24, "Unstable hemodynamics": ["yes"] + ["no"] * 24,
        "Balloon pump": ["no"] * 25,
    }  # fmt: skip


def _standard(values: Floats) -> Floats:
    standard: Floats = (values - values.mean()) / values.std()
    return standard


def _dates(onset: list[date], days: Floats) -> list[str]:
    return [
        "" if np.isnan(left) else (day + timedelta(days=int(left))).isoformat()
        for day, left in zip(onset, days, strict=True)
    ]


def as_csv(table: dict[str, list[str]]) -> str:
    """The table as it ships."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return out.getvalue()


if __name__ == "__main__":
    TABLE.write_text(as_csv(patients()), encoding="utf-8")
