"""Colors and dashes of up to twelve groups.

The hues are Okabe and Ito's, darkened until text in them has a contrast of 4.5 to 1 on white; a curve is told from the
others by its dash alone where print is gray.
"""

from __future__ import annotations

COLORS = ("#0067a5", "#b84300", "#00745a", "#93357f", "#7a5600", "#4d4d4d")
DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (5, 2),
    (1.6, 1.6),
    (7, 2, 1.6, 2),
    (10, 3),
    (4, 1.6, 1.2, 1.6, 1.2, 1.6),
)


def look(index: int) -> tuple[str, tuple[float, ...]]:
    """The color and dash of the group at a position; the pairs of the first 36 differ."""
    turn, position = divmod(index, len(COLORS))
    return COLORS[position], DASHES[(position + turn) % len(DASHES)]
