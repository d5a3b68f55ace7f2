"""Files with line and column, and what is said about them."""

from counterpulse.source.finding import Finding, Location, Severity, did_you_mean

__all__ = ["Finding", "Location", "Severity", "did_you_mean"]
