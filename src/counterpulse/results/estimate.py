"""One number with its uncertainty, held on the scale it was estimated on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, isfinite, sin, tanh
from typing import Literal

from counterpulse.results.status import Status

Scale = Literal["identity", "log", "logit", "log-log", "arcsine", "fisher-z"]


def to_natural(value: float, scale: Scale) -> float:
    """A value on the estimation scale as a reader reads it."""
    match scale:
        case "identity":
            return value
        case "log":
            return float("inf") if value >= 709 else exp(value)
        case "logit":
            return 0.0 if value <= -709 else 1 / (1 + exp(-value))
        case "log-log":
            return 0.0 if value >= 709 else exp(-exp(value))
        case "arcsine":
            return sin(value) ** 2
        case "fisher-z":
            return tanh(value)


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval on the scale of its estimate; `kind` names how it was made ("wald", "profile", "log")."""

    low: float
    high: float
    level: float
    kind: str


@dataclass(frozen=True, slots=True)
class At:
    """The time an estimate belongs to, as written by the researcher."""

    time: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Patients, events, follow-up and observed risk of one compared group; None where small cells hide it."""

    group: str
    n: int | None
    events: int | None = None
    person_time: float | None = None
    risk: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number with its uncertainty.

    `value`, `std_error` and `interval` are on `scale`; `natural()` gives what a reader reads. `term` is the level as it
    stands in the data for a categorical variable, and the column's name for a numeric one; `variable` is the column.
    """

    term: str
    measure: str
    value: float
    variable: str | None = None
    reference: str | None = None
    std_error: float | None = None
    interval: Interval | None = None
    scale: Scale = "identity"
    statistic: float | None = None
    statistic_name: str | None = None
    df: float | None = None
    p_value: float | None = None
    unit: str | None = None
    at: At | None = None
    status: Status = Status.OK
    notes: tuple[str, ...] = ()

    def natural(self) -> Estimate:
        """The same estimate on the scale a reader reads; the standard error is dropped where it no longer applies."""
        if self.scale == "identity":
            return self
        interval = self.interval
        if interval is not None:
            ends = sorted(to_natural(end, self.scale) for end in (interval.low, interval.high))
            interval = replace(interval, low=ends[0], high=ends[1])
        return replace(
            self, value=to_natural(self.value, self.scale), std_error=None, interval=interval, scale="identity"
        )

    def row(self) -> dict[str, object]:
        """One row of `.tidy()`: the natural scale, fixed column names."""
        reader = self.natural()
        return {
            "variable": self.variable,
            "term": self.term,
            "reference": self.reference,
            "measure": self.measure,
            "estimate": finite_or_none(reader.value),
            "std_error": finite_or_none(self.std_error),
            "scale": self.scale,
            "conf_low": finite_or_none(reader.interval.low) if reader.interval else None,
            "conf_high": finite_or_none(reader.interval.high) if reader.interval else None,
            "conf_level": reader.interval.level if reader.interval else None,
            "interval_method": reader.interval.kind if reader.interval else None,
            "statistic": finite_or_none(self.statistic),
            "statistic_name": self.statistic_name,
            "df": self.df,
            "p_value": finite_or_none(self.p_value),
            "time": self.at.time if self.at else None,
            "status": self.status.code,
        }


def finite_or_none(value: float | None) -> float | None:
    """Infinity and undefined have no place on disk."""
    return None if value is None or not isfinite(value) else float(value)
