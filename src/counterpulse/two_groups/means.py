"""Two means compared: the difference with its t interval, and the t test."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value, t_two_sided
from counterpulse.results import Choice, Estimate, GroupCount, Interval, Provenance, Status
from counterpulse.two_groups.arrays import Floats, as_values, check_level
from counterpulse.two_groups.tested import TestResult

VARIANCES = {"welch": ("welch-1947",), "pooled": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanDifference:
    """The difference of two means, treated minus reference."""

    variance: str
    groups: tuple[GroupCount, ...]
    estimate: Estimate
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The difference as the one estimate."""
        return (self.estimate,)


def mean_difference(
    values_treated: ArrayLike,
    values_reference: ArrayLike,
    *,
    variance: str = "welch",
    level: float = 0.95,
    treated: str = "treated",
    reference: str = "reference",
    unit: str | None = None,
) -> MeanDifference:
    """The difference in means of two independent groups, with its t interval and test.

    Parameters
    ----------
    values_treated, values_reference : values, one a patient, without missing ones
    variance : "welch" (each group its own, Satterthwaite's degrees of freedom) or "pooled"
    level : confidence level
    treated, reference : names of the groups in the result
    unit : of the values, carried into the result

    Returns
    -------
    MeanDifference
        Status EMPTY_GROUP without patients in a group, TOO_FEW_ROWS where no variance can be estimated, ZERO_VARIANCE
        where the values do not vary.

    Raises
    ------
    InputError
        Missing or infinite values, an unknown variance, or a level outside (0, 1).

    References
    ----------
    Welch 1947, doi:10.1093/biomet/34.1-2.28.
    """
    check_level(level)
    if variance not in VARIANCES:
        raise InputError(f"variance {variance!r} is unknown; give one of {', '.join(VARIANCES)}")
    x, y = as_values(values_treated, "values_treated"), as_values(values_reference, "values_reference")
    value, std_error, df, status = _difference(x, y, variance)
    interval = statistic = p_value = None
    if status is Status.OK:
        half = critical_value(level, df) * std_error
        interval = Interval(value - half, value + half, level, "t")
        statistic = value / std_error
        p_value = t_two_sided(statistic, df)
    estimate = Estimate(
        term=treated,
        measure="mean difference",
        value=value,
        reference=reference,
        std_error=std_error if status is Status.OK else None,
        interval=interval,
        statistic=statistic,
        statistic_name="t" if interval else None,
        df=df if interval else None,
        p_value=p_value,
        unit=unit,
        status=status,
    )
    return MeanDifference(
        variance=variance,
        groups=(GroupCount(treated, len(x)), GroupCount(reference, len(y))),
        estimate=estimate,
        provenance=Provenance("mean difference", (Choice("variance", variance, "given"),), VARIANCES[variance]),
    )


def t_test(values_treated: ArrayLike, values_reference: ArrayLike, *, variance: str = "welch") -> TestResult:
    """Student's t test of two means; the same numbers as `mean_difference`.

    Parameters
    ----------
    values_treated, values_reference : values, one a patient, without missing ones
    variance : "welch" or "pooled"

    Raises
    ------
    InputError
        As `mean_difference`.
    """
    estimate = mean_difference(values_treated, values_reference, variance=variance).estimate
    return TestResult(
        name=f"{variance} t",
        statistic=nan if estimate.statistic is None else estimate.statistic,
        statistic_name="t",
        df=estimate.df,
        p_value=nan if estimate.p_value is None else estimate.p_value,
        status=estimate.status,
    )


def _difference(x: Floats, y: Floats, variance: str) -> tuple[float, float, float, Status]:
    """The difference, its standard error, its degrees of freedom, and whether they can be used."""
    if 0 in (len(x), len(y)):
        return nan, nan, nan, Status.EMPTY_GROUP
    value = float(x.mean() - y.mean())
    if (min(len(x), len(y)) < 2 and variance == "welch") or len(x) + len(y) < 3:
        return value, nan, nan, Status.TOO_FEW_ROWS
    squares_x, squares_y = sum_of_squares(x), sum_of_squares(y)
    if squares_x + squares_y == 0:
        return value, nan, nan, Status.ZERO_VARIANCE
    if variance == "pooled":
        df = float(len(x) + len(y) - 2)
        return value, sqrt((squares_x + squares_y) / df * (1 / len(x) + 1 / len(y))), df, Status.OK
    part_x = squares_x / (len(x) - 1) / len(x)
    part_y = squares_y / (len(y) - 1) / len(y)
    df = (part_x + part_y) ** 2 / (part_x**2 / (len(x) - 1) + part_y**2 / (len(y) - 1))
    return value, sqrt(part_x + part_y), df, Status.OK


def sum_of_squares(values: Floats) -> float:
    """Squared distances from the mean, summed; exactly 0 where all values are equal."""
    if len(values) == 0 or values.min() == values.max():
        return 0.0
    return float(((values - values.mean()) ** 2).sum())
