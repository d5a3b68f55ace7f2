"""Which warnings leave matched or weighted patients to go on with."""

from __future__ import annotations

from counterpulse.results.status import Status

WARNINGS = (Status.FEWER_CONTROLS, Status.FEWER_TREATED, Status.EXTREME_WEIGHTS)
"""Statuses beside which there still are patients to compare; what to do about them is in their text."""
