"""Numbers and dates as dictionaries write them."""

from __future__ import annotations

import math
from datetime import date, datetime


def parse_number(text: str) -> float | None:
    """A finite number as a dictionary writes it, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def parse_iso(text: str) -> datetime | None:
    """An ISO date or datetime without time zone, or None."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if value.tzinfo else value


def iso_day(text: str) -> date | None:
    """The day of an ISO date or datetime, or None."""
    moment = parse_iso(text)
    return None if moment is None else moment.date()
