"""An estimate of a block, with its limits, as the journal prints it."""

from __future__ import annotations

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import known
from counterpulse.report.chapters.context import Context
from counterpulse.report.measures import Measure
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Cell as Value

Row = dict[str, Value]


def printed(context: Context, row: Row, measure: Measure) -> str:
    """An estimate with its interval, as the journal prints it."""
    value, *ends = scaled(row, measure)
    if value is None:
        return EM_DASH
    return numbers.estimate(value, ends[0], ends[1], context.style, places=measure.places, null=measure.null)


def scaled(row: Row, measure: Measure) -> tuple[float | None, float | None, float | None]:
    """An estimate and its limits on the scale that is printed."""
    points = measure.kind in ("points", "probability")
    found = [known(row.get(name)) for name in ("estimate", "conf_low", "conf_high")]
    value, low, high = (numbers.hundredfold(end) if points and end is not None else end for end in found)
    return value, low, high
