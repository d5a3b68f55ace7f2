"""Which variables are missing together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from counterpulse.describe.missing import is_missing


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPattern:
    """The patients who miss just these variables; none missing is the pattern of the complete."""

    missing: tuple[str, ...]
    n: int
    percent: float


def missing_patterns(table: pl.DataFrame, *, variables: Sequence[str]) -> tuple[MissingPattern, ...]:
    """Every pattern that occurs, the most frequent first; of equal ones the one with fewer missing.

    Parameters
    ----------
    table : one row a patient
    variables : columns of any type; a null, or NaN of a float, is missing

    Raises
    ------
    InputError
        A column that is not there.
    """
    blank = np.column_stack([np.zeros(table.height, dtype=bool), *(is_missing(table, name) for name in variables)])
    patterns, counts = np.unique(blank[:, 1:], axis=0, return_counts=True)
    found = [
        MissingPattern(
            missing=tuple(name for name, gone in zip(variables, pattern, strict=True) if gone),
            n=int(n),
            percent=100 * int(n) / table.height,
        )
        for pattern, n in zip(patterns, counts, strict=True)
        if n
    ]
    order = {name: index for index, name in enumerate(variables)}
    return tuple(sorted(found, key=lambda item: (-item.n, len(item.missing), [order[name] for name in item.missing])))
