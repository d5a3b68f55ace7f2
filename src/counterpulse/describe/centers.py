"""Centers compared: the risk in each against what chance allows around the risk overall, as a funnel plot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import special

from counterpulse.describe.columns import read_levels
from counterpulse.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterRisk:
    """One center: its patients, events, and the control limits for a center of its size."""

    center: str
    n: int
    events: int
    low_95: float
    high_95: float
    low_998: float
    high_998: float

    @property
    def risk(self) -> float:
        """Events over patients."""
        return self.events / self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterFunnel:
    """Every center against the risk overall, the largest first."""

    overall: float
    centers: tuple[CenterRisk, ...]


def center_funnel(table: pl.DataFrame, *, center: str, outcome: str) -> CenterFunnel:
    """Compare the crude risk of centers; patients without a center or an outcome are left out.

    Parameters
    ----------
    table : one row a patient
    center : column of the centers
    outcome : a yes/no column

    Raises
    ------
    InputError
        A column that is not there, or an outcome that is not yes/no.

    References
    ----------
    Spiegelhalter DJ. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185-202. doi:10.1002/sim.1970
    """
    if outcome in table.columns and table[outcome].dtype != pl.Boolean:
        raise InputError(f"column {outcome!r} is not yes/no; a funnel plot compares risks")
    centers, events = read_levels(table, center), read_levels(table, outcome)
    used = centers.known & events.known
    n = np.bincount(centers.codes[used], minlength=len(centers.levels))
    died = np.bincount(centers.codes[used], weights=events.codes[used], minlength=len(centers.levels))
    overall = float(died.sum() / n.sum()) if n.sum() else 0.0
    order = sorted((int(k) for k in np.flatnonzero(n)), key=lambda k: (-int(n[k]), k))
    return CenterFunnel(
        overall=overall,
        centers=tuple(_center(centers.levels[k], int(n[k]), round(float(died[k])), overall) for k in order),
    )


def _center(name: str, n: int, events: int, overall: float) -> CenterRisk:
    low_95, high_95, low_998, high_998 = (control_limit(p, n=n, risk=overall) for p in (0.025, 0.975, 0.001, 0.999))
    return CenterRisk(
        center=name, n=n, events=events, low_95=low_95, high_95=high_95, low_998=low_998, high_998=high_998
    )  # fmt: skip


def control_limit(probability: float, *, n: int, risk: float) -> float:
    """The exact binomial control limit of a proportion, interpolated (Spiegelhalter 2005, appendix A.1.1).

    With r the smallest count for which P(R <= r) is at least `probability`, the limit is (r - a) / n, where a is the part
    of P(R = r) that lies beyond it.
    """
    if not 0 < risk < 1:
        return risk
    counts = np.arange(n + 1)
    below = np.minimum(special.bdtr(counts, n, risk), 1.0)
    r = min(int(np.searchsorted(below, probability)), n)
    before = float(below[r - 1]) if r else 0.0
    part = (float(below[r]) - probability) / (float(below[r]) - before)
    return min(max((r - part) / n, 0.0), 1.0)
