"""The interval and the test that the profile of a likelihood gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results.estimate import Estimate, Interval


@dataclass(frozen=True, slots=True)
class ProfileInterval:
    """Ends of a profile-likelihood interval and the likelihood-ratio test of zero."""

    low: float
    high: float
    chi_squared: float

    def put_into(self, estimate: Estimate, level: float) -> Estimate:
        """Replace the Wald interval and test of an estimate."""
        return replace(
            estimate, interval=Interval(self.low, self.high, level, "profile"), statistic=self.chi_squared,
            statistic_name="chi-squared", df=1.0, p_value=chi_squared_tail(self.chi_squared, 1),
        )  # fmt: skip
