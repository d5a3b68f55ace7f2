"""A number with its standard error becomes an estimate; a number that there is none of becomes its status."""

from __future__ import annotations

from math import isfinite, nan

from counterpulse.numerics.distributions import critical_value, normal_two_sided
from counterpulse.results.estimate import At, Estimate, Interval, Scale
from counterpulse.results.status import Status


def wald_estimate(
    measure: str,
    value: float,
    error: float,
    level: float,
    *,
    term: str = "",
    reference: str | None = None,
    scale: Scale = "identity",
    null: float | None = None,
    kind: str = "wald",
    at: At | None = None,
    notes: tuple[str, ...] = (),
) -> Estimate:
    """An estimate with its Wald interval, and its test where `null` is what it is compared with.

    Without a positive standard error there is a value and nothing else.
    """
    if not (isfinite(error) and error > 0):
        return Estimate(term=term, reference=reference, measure=measure, scale=scale, value=value, at=at, notes=notes)
    reach = critical_value(level) * error
    z = None if null is None else (value - null) / error
    return Estimate(
        term=term, reference=reference, measure=measure, scale=scale, value=value, std_error=error, at=at, notes=notes,
        interval=Interval(value - reach, value + reach, level, kind), statistic=z,
        statistic_name=None if z is None else "z", p_value=None if z is None else normal_two_sided(z),
    )  # fmt: skip


def no_estimate(
    measure: str, status: Status, *, term: str = "", scale: Scale = "identity", at: At | None = None,
    notes: tuple[str, ...] = (),
) -> Estimate:  # fmt: skip
    """What a number is that could not be estimated."""
    return Estimate(term=term, measure=measure, scale=scale, value=nan, status=status, at=at, notes=notes)
