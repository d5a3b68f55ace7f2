"""How the columns of a table share a line that is too short for them, in any format."""

from __future__ import annotations

from collections.abc import Callable

HALVINGS = 40
"""The steps in which the level is found."""


def shared_line(widths_at: Callable[[float], list[float]], room: float) -> list[float]:
    """The widths of columns at the highest level at which they fit the room; the widths grow with the level, from 0 to the room."""
    low, high = 0.0, room
    for _ in range(HALVINGS):
        level = (low + high) / 2
        low, high = (level, high) if sum(widths_at(level)) <= room else (low, level)
    return widths_at(low)
