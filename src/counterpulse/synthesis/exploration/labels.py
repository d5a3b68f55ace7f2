"""How the studies of an exploration are called."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.errors import InputError


def study_labels(labels: Sequence[str] | None, k: int) -> tuple[str, ...]:
    """One label a study, "1", "2", … unless given.

    Raises
    ------
    InputError : another number of labels than studies
    """
    if labels is None:
        return tuple(str(row + 1) for row in range(k))
    if len(labels) != k:
        raise InputError(f"there are {len(labels)} labels and {k} studies; give one label a study")
    return tuple(str(label) for label in labels)
