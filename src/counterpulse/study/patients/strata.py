"""The strata of a subgroup variable: `cut: [65]` prints "<65" and ">=65"."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from counterpulse.data.design import level_text, levels_in_order
from counterpulse.protocol.plan import PlannedSubgroup


def stratum_column(frame: pl.DataFrame, subgroup: PlannedSubgroup) -> pl.Series:
    """The stratum of each row as an enum; null where the variable is unknown or in no stratum."""
    column = frame[subgroup.variable]
    name = f"{subgroup.variable}.stratum"
    if subgroup.cuts:
        return _cut(column, subgroup.cuts).alias(name)
    if subgroup.levels:
        return _grouped(column, subgroup.levels).alias(name)
    return level_text(column).cast(pl.Enum(levels_in_order(column))).alias(name)


def cut_labels(cuts: tuple[float, ...]) -> list[str]:
    """The strata of cut points, from low to high."""
    inner = [f"{low:g} to <{high:g}" for low, high in pairwise(cuts)]
    return [f"<{cuts[0]:g}", *inner, f">={cuts[-1]:g}"]


def _cut(column: pl.Series, cuts: tuple[float, ...]) -> pl.Series:
    labels = cut_labels(cuts)
    values = column.cast(pl.Float64).fill_nan(None)
    code = sum(((values >= cut).cast(pl.Int64) for cut in cuts), start=values.is_not_null().cast(pl.Int64) * 0)
    return code.replace_strict(dict(enumerate(labels)), default=None, return_dtype=pl.Enum(labels)).set(
        values.is_null(), None
    )


def _grouped(column: pl.Series, groups: tuple[tuple[str, ...], ...]) -> pl.Series:
    labels = [", ".join(group) for group in groups]
    home = {level: label for group, label in zip(groups, labels, strict=True) for level in group}
    return level_text(column).replace_strict(home, default=None, return_dtype=pl.Enum(labels))
