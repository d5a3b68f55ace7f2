"""Which treatments of a network are joined by studies, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable


def components(treatment_1: Iterable[object], treatment_2: Iterable[object]) -> tuple[tuple[str, ...], ...]:
    """Parts of a network that no study joins, as names of treatments; one part is a connected network.

    Parameters
    ----------
    treatment_1, treatment_2 : the two treatments of each contrast, of equal length

    Returns
    -------
    The part with the most treatments first, then by name; treatments in the order of their names.
    """
    part_of: dict[str, set[str]] = {}
    for first, second in zip(treatment_1, treatment_2, strict=True):
        joined = part_of.get(str(first), {str(first)}) | part_of.get(str(second), {str(second)})
        part_of.update(dict.fromkeys(joined, joined))
    parts = {tuple(sorted(part)) for part in part_of.values()}
    return tuple(sorted(parts, key=lambda part: (-len(part), part)))
