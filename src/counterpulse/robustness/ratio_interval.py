"""A ratio with its interval as a reader reads it, checked; from numbers or from an estimate. Shared by this room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, isnan, log

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value
from counterpulse.results.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Bounded:
    """A number between its limits; a limit, or a level of confidence, that is not known is None."""

    value: float
    low: float | None
    high: float | None
    level: float | None = None

    def each(self, change: Callable[[float], float]) -> Bounded:
        """The number and its limits under a rising function."""
        low = None if self.low is None else change(self.low)
        return Bounded(change(self.value), low, None if self.high is None else change(self.high), self.level)


def read_bounded(estimate: float | Estimate, conf_low: float | None, conf_high: float | None) -> Bounded:
    """A number and its limits on the natural scale; limits of an `Estimate` are its own.

    Raises
    ------
    InputError : limits beside an `Estimate`, limits in the wrong order, or an estimate outside them
    """
    if isinstance(estimate, Estimate):
        if conf_low is not None or conf_high is not None:
            raise InputError("an Estimate brings its own interval; give conf_low and conf_high only beside a number")
        natural = estimate.natural()
        interval = natural.interval
        if interval is None:
            return Bounded(natural.value, None, None)
        return Bounded(natural.value, _known(interval.low), _known(interval.high), interval.level)
    found = Bounded(float(estimate), _known(conf_low), _known(conf_high))
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    if not isnan(found.value) and not low <= found.value <= high:
        raise InputError("the estimate lies outside conf_low to conf_high; give all three on the same, natural scale")
    return found


def check_ratio(bounded: Bounded, measure: str) -> None:
    """Refuse what is no ratio.

    Raises
    ------
    InputError : the number or a limit is zero or negative
    """
    if any(end is not None and end <= 0 for end in (bounded.value, bounded.low, bounded.high)):
        raise InputError(
            f"a {measure} and its limits are above zero; give them as a reader reads them, not as logarithms"
        )


def check_above(name: str, value: float, least: float) -> None:
    """Refuse what is not finite or below the least possible value.

    Raises
    ------
    InputError : it is
    """
    if not (isfinite(value) and value >= least):
        raise InputError(f"{name}={value!r} is not possible; it is a number of at least {least:g}")


def check_probability(name: str, value: float) -> None:
    """Refuse what is no probability.

    Raises
    ------
    InputError : it is none
    """
    if not 0 <= value <= 1:
        raise InputError(f"{name}={value!r} is no probability; it lies between 0 and 1")


def log_and_error(bounded: Bounded, level: float) -> tuple[float, float | None]:
    """The logarithm of a ratio and its standard error, from the width of its interval."""
    if bounded.low is None or bounded.high is None:
        return log(bounded.value), None
    return log(bounded.value), (log(bounded.high) - log(bounded.low)) / (2 * critical_value(level))


def _known(end: float | None) -> float | None:
    return None if end is None or isnan(end) else float(end)
