"""A stretch of time around time zero; both ends belong to it."""

from __future__ import annotations

from dataclasses import dataclass

from counterpulse.protocol.words import HOURS, Duration


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """``-6 to 0 hours``: from `low` to `high` in `unit`, both ends included."""

    low: float
    high: float
    unit: str

    @classmethod
    def read(cls, text: str) -> TimeWindow:
        """Read a window that the language has let pass."""
        low, _, high, unit = text.split()
        return cls(float(low), float(high), f"{unit.removesuffix('s')}s")

    def within(self, unit: str) -> tuple[float, float]:
        """The two ends in another unit."""
        return Duration(self.low, self.unit).within(unit), Duration(self.high, self.unit).within(unit)

    @property
    def whole_days(self) -> bool:
        """Whether it is written in days or longer units, so that times without a clock can be in it."""
        return HOURS[self.unit.removesuffix("s")] >= HOURS["day"]

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} {self.unit}"
