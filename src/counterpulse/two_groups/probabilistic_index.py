"""How often a patient of one group fares better than one of another: probabilistic index and win odds."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.numerics.distributions import critical_value
from counterpulse.results import Choice, Estimate, GroupCount, Interval, Provenance, Status
from counterpulse.two_groups.arrays import Floats, as_values, check_level
from counterpulse.two_groups.rank_sum import mann_whitney


@dataclass(frozen=True, slots=True, kw_only=True)
class WinOdds:
    """The comparison of every treated patient with every reference patient.

    Attributes
    ----------
    probability : that the treated patient has the larger value, ties counted half
    odds : probability over its complement, on the log scale
    """

    groups: tuple[GroupCount, ...]
    probability: Estimate
    odds: Estimate
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Win odds, then the probability."""
        return (self.odds, self.probability)


def win_odds(
    values_treated: ArrayLike,
    values_reference: ArrayLike,
    *,
    level: float = 0.95,
    treated: str = "treated",
    reference: str = "reference",
) -> WinOdds:
    """The probability that a patient of one group has a larger value than one of the other, and its odds.

    Parameters
    ----------
    values_treated, values_reference : values, one a patient, larger ones better, without missing ones
    level : confidence level
    treated, reference : names of the groups in the result

    Returns
    -------
    WinOdds
        The variance is that of DeLong and others (1988), which is that of Brunner and Munzel (2000); the interval is
        symmetric on the log scale of the odds; the P value is that of the Mann-Whitney test (normal, corrected for ties and
        continuity), which need not agree with the interval at its edge. Status EMPTY_GROUP, TOO_FEW_ROWS (fewer than two in
        a group), ZERO_VARIANCE where one group is better throughout or all values are equal.

    Raises
    ------
    InputError
        Missing or infinite values, or a level outside (0, 1).

    References
    ----------
    Brunner and Munzel 2000; DeLong and others 1988, doi:10.2307/2531595.
    """
    check_level(level)
    x, y = as_values(values_treated, "values_treated"), as_values(values_reference, "values_reference")
    p, error, status = _index(x, y)
    test = mann_whitney(x, y)
    named = {"term": treated, "reference": reference}
    if status is Status.OK:
        center, half = log(p / (1 - p)), critical_value(level) * error / (p * (1 - p))
        tested = {"statistic": test.statistic, "statistic_name": "W", "p_value": test.p_value}
        ends = [1 / (1 + exp(-(center + side * half))) for side in (-1, 1)]
        probability = Estimate(
            measure="probabilistic index", value=p, std_error=error, interval=Interval(ends[0], ends[1], level, "logit"),
            **named, **tested,  # type: ignore[arg-type]
        )  # fmt: skip
        odds = Estimate(
            measure="win odds", scale="log", value=center, std_error=error / (p * (1 - p)),
            interval=Interval(center - half, center + half, level, "wald"), **named, **tested,  # type: ignore[arg-type]
        )  # fmt: skip
    else:
        probability = Estimate(measure="probabilistic index", value=p, status=status, **named)  # type: ignore[arg-type]
        odds = Estimate(measure="win odds", scale="log", value=nan, status=status, **named)  # type: ignore[arg-type]
    return WinOdds(
        groups=(GroupCount(treated, len(x)), GroupCount(reference, len(y))), probability=probability, odds=odds,
        provenance=Provenance(
            "win odds",
            (
                Choice("variance", "DeLong", "default", "delong-1988"),
                Choice("test", "Mann-Whitney", "default", "mann-whitney-1947"),
            ),
            ("brunner-munzel-2000", "delong-1988", "mann-whitney-1947"),
        ),
    )  # fmt: skip


def _index(x: Floats, y: Floats) -> tuple[float, float, Status]:
    """The probability, its standard error, and whether they can be used."""
    if 0 in (len(x), len(y)):
        return nan, nan, Status.EMPTY_GROUP
    above, below = _placements(x, y), 1 - _placements(y, x)
    p = float(above.mean())
    if min(len(x), len(y)) < 2:
        return p, nan, Status.TOO_FEW_ROWS
    error = sqrt(float(above.var(ddof=1)) / len(x) + float(below.var(ddof=1)) / len(y))
    return p, error, Status.OK if error > 0 and 0 < p < 1 else Status.ZERO_VARIANCE


def _placements(values: Floats, others: Floats) -> Floats:
    """For each value the part of the others below it, ties counted half."""
    ordered = np.sort(others)
    sides = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    placed: Floats = sides / (2 * len(others))
    return placed
