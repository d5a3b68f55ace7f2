"""What a test of a hypothesis gives."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from counterpulse.results import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """A test by name: its statistic, degrees of freedom and two-sided P value.

    `p_value` is nan when `status` is not OK. `df_denominator` is the second degrees of freedom of an F test.
    """

    name: str
    statistic: float
    statistic_name: str
    p_value: float
    df: float | None = None
    df_denominator: float | None = None
    status: Status = Status.OK


def not_tested(name: str, statistic_name: str, status: Status) -> TestResult:
    """The result of a test that these data do not allow."""
    return TestResult(name=name, statistic=nan, statistic_name=statistic_name, p_value=nan, status=status)
