"""What chained equations will do: which column is imputed how, from which others, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.imputation.columns import Column, Kind, read_column
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Index = NDArray[np.intp]
Method = Literal["pmm", "normal", "logistic", "polytomous", "ordered", "random-intercept", "passive"]

DEFAULT: Mapping[Kind, Method] = {
    "number": "pmm",
    "binary": "logistic",
    "nominal": "polytomous",
    "ordinal": "ordered",
}
FITTING: Mapping[Kind, tuple[Method, ...]] = {
    "number": ("pmm", "normal", "random-intercept"),
    "binary": ("logistic",),
    "nominal": ("polytomous",),
    "ordinal": ("ordered", "polytomous"),
}
MOST_CATEGORIES = 20
"""Levels of a column that can be imputed; it may help to impute others with more."""


@dataclass(frozen=True, slots=True)
class Passive:
    """A column that is computed from others: `roots` are the columns it is computed of."""

    position: int
    expression: pl.Expr
    roots: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """All that the chains share.

    Attributes
    ----------
    columns : the usable ones
    left_out : column and why it is neither imputed nor used
    targets : positions in `columns` to impute, in the order of visits
    methods : of each column that is imputed
    predictors : for each target the positions in `columns` it is imputed from
    parts : for each column where its predictors stand in the matrix, whose first column is the intercept
    center, scale : of the columns of the matrix, shape (p,)
    passives : columns computed from others
    cluster : cluster of each row, 0, 1, …, for random intercepts
    donors : of predictive mean matching
    """

    columns: tuple[Column, ...]
    left_out: Mapping[str, Status]
    targets: tuple[int, ...]
    methods: Mapping[str, Method]
    predictors: Mapping[int, tuple[int, ...]]
    parts: tuple[slice, ...]
    center: Floats
    scale: Floats
    passives: tuple[Passive, ...]
    cluster: Index | None
    donors: int
    table: pl.DataFrame

    @property
    def n(self) -> int:
        """Rows."""
        return self.table.height

    def matrix_columns(self, target: int) -> Index:
        """Columns of the matrix that a target is imputed from, the intercept first."""
        parts = [np.arange(self.parts[j].start, self.parts[j].stop) for j in self.predictors[target]]
        return np.concatenate([np.zeros(1, dtype=np.intp), *parts]).astype(np.intp)

    def standardized(self, position: int, values: Floats) -> Floats:
        """Make the predictors of a column's completed values, shape (n, width)."""
        part = self.parts[position]
        encoded: Floats = (self.columns[position].encode(values) - self.center[part]) / self.scale[part]
        return encoded

    def predictor_matrix(self) -> pl.DataFrame:
        """Lay out one row a target and one column a predictor, 1 where the one is imputed from the other."""
        names = [column.name for column in self.columns]
        rows = {
            names[target]: [int(position in self.predictors[target]) for position in range(len(names))]
            for target in self.targets
        }
        frame = pl.DataFrame({"imputed": list(rows)}, schema={"imputed": pl.String})
        indicators = {name: [row[k] for row in rows.values()] for k, name in enumerate(names)}
        return frame.with_columns([pl.Series(name, column, dtype=pl.Int8) for name, column in indicators.items()])


def make_plan(
    table: pl.DataFrame,
    *,
    columns: Sequence[str] | None,
    methods: Mapping[str, str],
    predictors: Mapping[str, Sequence[str]],
    passive: Mapping[str, pl.Expr],
    ordered: Sequence[str],
    visit: Sequence[str] | None,
    cluster: str | None,
    donors: int,
) -> Plan:
    """Decide all that the chains share, and refuse what cannot be done."""
    names = list(dict.fromkeys(columns if columns is not None else table.columns))
    with_passive, computed = _with_passives(table, names, passive)
    read = {name: read_column(with_passive, name, ordered=ordered) for name in [*names, *computed]}
    left_out = {name: column.status for name, column in read.items() if column.status is not Status.OK}
    usable = tuple(column for name, column in read.items() if name not in left_out)
    position = {column.name: place for place, column in enumerate(usable)}
    passives = tuple(
        Passive(position[name], expression, tuple(root for root in expression.meta.root_names() if root in position))
        for name, expression in passive.items()
        if name in position
    )
    chosen = {
        column.name: _method(column, methods.get(column.name), column.name in passive)
        for column in usable
        if len(column.missing)
    }
    _known(methods, chosen, "methods")
    _known(predictors, chosen, "predictors")
    order = _visits(usable, chosen, visit)
    if "random-intercept" in chosen.values() and cluster is None:
        raise InputError("a random intercept needs `cluster`, the column of the centers")
    parts, center, scale = _layout(usable)
    return Plan(
        columns=usable, left_out=left_out, targets=tuple(position[name] for name in order), methods=chosen,
        predictors={
            position[name]: _predictors(name, position, predictors.get(name), passives, cluster) for name in order
        },
        parts=parts, center=center, scale=scale, passives=passives,
        cluster=None if cluster is None else _clusters(table, cluster), donors=donors, table=table,
    )  # fmt: skip


def _with_passives(
    table: pl.DataFrame, names: Sequence[str], passive: Mapping[str, pl.Expr]
) -> tuple[pl.DataFrame, list[str]]:
    """Add the passive columns that the table does not hold, where their roots are known."""
    for name, expression in passive.items():
        absent = [root for root in expression.meta.root_names() if root not in table.columns]
        if absent:
            raise InputError(
                f"the passive column '{name}' is computed from '{absent[0]}', which the table does not hold"
            )
        if name not in table.columns:
            computed = table.select(expression.cast(pl.Float64).alias(name)).to_series()
            table = table.with_columns(pl.when(computed.is_finite()).then(computed).alias(name))
    return table, [name for name in passive if name not in names]


def _method(column: Column, asked: str | None, passive: bool) -> Method:
    if passive:
        if column.kind != "number" or asked not in (None, "passive"):
            raise InputError(f"the passive column '{column.name}' must be a number, with no other method")
        return "passive"
    if asked is not None and asked not in FITTING[column.kind]:
        raise InputError(
            f"column '{column.name}' is {'a ' + column.kind if column.kind == 'number' else column.kind}, which is imputed "
            f"by {' or '.join(FITTING[column.kind])}, not by '{asked}'"
            + ("" if asked in get_args(Method) else "; that method is not known")
        )
    if len(column.levels) > MOST_CATEGORIES:
        raise InputError(
            f"column '{column.name}' has {len(column.levels)} levels and missing values; merge levels to {MOST_CATEGORIES} "
            "or fewer, or leave it out of `columns`"
        )
    return next(method for method in FITTING[column.kind] if method == (asked or DEFAULT[column.kind]))


def _known(given: Mapping[str, object], chosen: Mapping[str, Method], what: str) -> None:
    unknown = [name for name in given if name not in chosen]
    if unknown:
        raise InputError(
            f"`{what}` names '{unknown[0]}', which is not imputed; imputed are {', '.join(chosen) or 'none'}"
        )


def _visits(columns: Sequence[Column], chosen: Mapping[str, Method], visit: Sequence[str] | None) -> tuple[str, ...]:
    """Go from the fewest missing values to the most, or as given; passive columns follow what they are computed from."""
    active = [column for column in columns if column.name in chosen and chosen[column.name] != "passive"]
    if visit is None:
        return tuple(column.name for column in sorted(active, key=lambda column: len(column.missing)))
    if sorted(visit) != sorted(column.name for column in active):
        raise InputError(f"`visit` must name each imputed column once: {', '.join(column.name for column in active)}")
    return tuple(visit)


def _predictors(
    name: str,
    position: Mapping[str, int],
    given: Sequence[str] | None,
    passives: Sequence[Passive],
    cluster: str | None,
) -> tuple[int, ...]:
    """All other columns, but for those computed from the target, and the cluster that has a random intercept."""
    if given is not None:
        unknown = [other for other in given if other not in position or other == name]
        if unknown:
            raise InputError(f"'{name}' cannot be imputed from '{unknown[0]}'; use other columns that are not constant")
        return tuple(sorted(position[other] for other in set(given)))
    derived = {passive.position for passive in passives if name in passive.roots}
    return tuple(k for other, k in position.items() if other not in (name, cluster) and k not in derived)


def _layout(columns: Sequence[Column]) -> tuple[tuple[slice, ...], Floats, Floats]:
    """Where each column stands in the matrix, and the mean and standard deviation of its observed values."""
    parts, center, scale, at = [], [0.0], [1.0], 1
    for column in columns:
        known = column.encode(column.values[column.observed])
        parts.append(slice(at, at + column.width))
        at += column.width
        center.extend(known.mean(axis=0))
        scale.extend(known.std(axis=0))
    return tuple(parts), np.array(center), np.array(scale)


def _clusters(table: pl.DataFrame, cluster: str) -> Index:
    if cluster not in table.columns or table[cluster].null_count():
        raise InputError(f"the cluster column '{cluster}' must stand in the table, without missing values")
    codes: Index = table[cluster].rank("dense").to_numpy().astype(np.intp) - 1
    return codes
