"""A pooled effect with its normal or t interval, and where the effect of a new study is expected."""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import Literal

from counterpulse.numerics.distributions import critical_value, t_two_sided
from counterpulse.results.estimate import Estimate, Interval, Scale

IntervalKind = Literal["wald", "t"]


def pooled_estimate(
    measure: str,
    value: float,
    error: float,
    level: float,
    *,
    df: float,
    scale: Scale,
    tested: bool = True,
    notes: tuple[str, ...] = (),
) -> Estimate:
    """The effect with its interval and, where `tested`, its test against 0; `df` is infinite for the normal distribution.

    Without degrees of freedom, or without a standard error, there is a value alone.
    """
    if not (df > 0 and isfinite(error) and error > 0):
        return Estimate(term="pooled", measure=measure, value=value, scale=scale, notes=notes)
    reach = _critical(level, df) * error
    statistic = value / error if tested else None
    return Estimate(
        term="pooled", measure=measure, value=value, std_error=error, scale=scale, statistic=statistic,
        interval=Interval(value - reach, value + reach, level, "wald" if df == inf else "t"),
        statistic_name=None if statistic is None else "z" if df == inf else "t", df=None if df == inf else df,
        p_value=None if statistic is None else t_two_sided(statistic, df), notes=notes,
    )  # fmt: skip


def predicted(value: float, error: float, variance: float, df: float, level: float, name: str) -> Interval | None:
    """``value +- t(df) sqrt(error^2 + variance)``; None without degrees of freedom."""
    spread = sqrt(error**2 + variance) if isfinite(error) and isfinite(variance) else inf
    if not (df > 0 and isfinite(spread)):
        return None
    reach = _critical(level, df) * spread
    return Interval(value - reach, value + reach, level, f"prediction, {name}")


def _critical(level: float, df: float) -> float:
    return critical_value(level, None if df == inf else df)
