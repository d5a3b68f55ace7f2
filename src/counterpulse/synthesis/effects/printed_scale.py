"""From the numbers a paper prints to the scale on which its measure is pooled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np
from scipy.special import logit

from counterpulse.synthesis.effects.effect_rows import RATIOS
from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows


@dataclass(frozen=True, slots=True)
class PrintedScale:
    """A rising function of printed numbers strictly between `low` and `high`, with its derivative."""

    name: str
    low: float
    high: float
    transform: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]

    def need(self, rows: PrintedRows, *names: str) -> None:
        """Drop rows with a number that has no place on the scale."""
        if (self.low, self.high) == (0.0, inf):
            rows.need_positive(*names)
        elif self.high < inf:
            for name in names:
                rows.need_within(name, self.low, self.high)

    def of(self, values: Floats) -> Floats:
        """The values on the scale; those at or beyond its ends are infinite."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.transform(np.clip(values, self.low, self.high))


NATURAL = PrintedScale("natural", -inf, inf, np.positive, np.ones_like)
LOG = PrintedScale("log", 0.0, inf, np.log, np.reciprocal)
LOGIT = PrintedScale("logit", 0.0, 1.0, logit, lambda p: 1 / (p * (1 - p)))
FISHER = PrintedScale("fisher-z", -1.0, 1.0, np.arctanh, lambda r: 1 / (1 - r**2))

SCALES: Mapping[str, PrintedScale] = {
    **dict.fromkeys((*sorted(RATIOS), "PLN", "IRLN"), LOG),
    **dict.fromkeys(("RD", "MD", "SMD", "COR", "PR", "IR"), NATURAL),
    "PLO": LOGIT,
    "ZCOR": FISHER,
}
"""Measures that can be read from an estimate with its uncertainty, all printed on the reader's own scale."""
