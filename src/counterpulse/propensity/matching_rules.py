"""From the words of a call to the rules of matching: calipers, exact covariates, how many controls each may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.propensity.nearest import ORDERS, Order, Rules
from counterpulse.propensity.treatment import Units

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]
CaliperSd = Literal["pooled", "within"]
Discard = Literal["none", "treated", "control", "both"]
Estimand = Literal["ATT", "ATC"]


@dataclass(frozen=True, slots=True)
class Caliper:
    """How far apart a pair may lie in a covariate, in its own units ("raw") or in standard deviations ("sd").

    A width below zero asks for pairs that lie farther apart than that.
    """

    width: float
    unit: Literal["raw", "sd"] = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingWords:
    """What was asked for, as given to `match`."""

    estimand: Estimand
    caliper: float | None
    caliper_sd: CaliperSd
    caliper_on: Mapping[str, float | Caliper]
    order: Order
    seed: int
    ratio: int
    min_controls: int | None
    max_controls: int | None
    replace: bool
    exact: tuple[str, ...]
    anti_exact: tuple[str, ...]
    discard: Discard

    def __post_init__(self) -> None:
        if self.estimand not in get_args(Estimand):
            raise InputError(
                f"the estimand {self.estimand!r} is not known; pairs are made for the treated ('ATT') or the controls ('ATC')"
            )
        if self.order not in ORDERS:
            raise InputError(f"the order {self.order!r} is not known; it is one of {', '.join(ORDERS)}")
        if self.caliper_sd not in get_args(CaliperSd):
            raise InputError(f"caliper_sd={self.caliper_sd!r} is not known; it is 'pooled' or 'within'")
        if self.discard not in get_args(Discard):
            raise InputError(f"discard={self.discard!r} is not known; it is one of {', '.join(get_args(Discard))}")
        widths = [] if self.caliper is None else [self.caliper]
        widths += [width.width if isinstance(width, Caliper) else width for width in self.caliper_on.values()]
        if not np.isfinite(widths).all():
            raise InputError("a caliper is a finite width; leave it out for no caliper")
        _check_ratio(self.ratio, self.min_controls, self.max_controls, self.replace)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that pairs are compared by, besides the score."""
        return (*self.exact, *self.anti_exact, *self.caliper_on)


def _check_ratio(ratio: int, low: int | None, high: int | None, replace: bool) -> None:
    if isinstance(ratio, bool) or ratio != int(ratio) or ratio < 1:
        raise InputError("the ratio is a whole number of controls for each treated patient, 1 or more")
    if high is None and low is None:
        return
    if replace:
        raise InputError("a variable number of controls is for matching without replacement; leave out one of them")
    least, most = 1 if low is None else low, high
    if most is None or not (1 <= least <= ratio <= most and least < most):
        raise InputError("a variable number of controls needs 1 <= min_controls <= ratio <= max_controls")


def as_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several."""
    return (names,) if isinstance(names, str) else tuple(names)


def rules_of(words: MatchingWords, table: pl.DataFrame, units: Units, score: Floats, kept: Mask) -> Rules:
    """Turn words into rules for the units that are kept.

    Parameters
    ----------
    score : what distances are measured on, of the units kept
    kept : which units take part, shape (n,)
    """
    treated = units.treated[kept]
    limits, near = [], []
    for name, given in words.caliper_on.items():
        near.append(_numbers(units.column(table, name))[kept])
        caliper = given if isinstance(given, Caliper) else Caliper(given)
        spread = spread_of(near[-1], treated, words.caliper_sd) if caliper.unit == "sd" else 1.0
        limits.append(caliper.width * spread)
    width = np.inf if words.caliper is None else words.caliper * spread_of(score, treated, words.caliper_sd)
    if words.caliper is not None and words.caliper < 0:
        near, limits, width = [*near, score], [*limits, width], np.inf
    apart = [codes_of(units.column(table, name))[kept] for name in words.anti_exact]
    wanted = (
        wanted_controls(words, score[treated]) if words.estimand == "ATT" else wanted_controls(words, -score[~treated])
    )
    return Rules(
        order=words.order, seed=words.seed, wanted=wanted, width=float(width),
        strata=combined_codes([codes_of(units.column(table, name))[kept] for name in words.exact]),
        near=np.column_stack(near) if near else np.empty((len(score), 0)), limits=np.array(limits, dtype=np.float64),
        apart=np.column_stack(apart) if apart else np.empty((len(score), 0), dtype=np.int64), replace=words.replace,
    )  # fmt: skip


def spread_of(values: Floats, treated: Mask, kind: CaliperSd) -> float:
    """Standard deviation of everybody ("pooled"), or root of the mean variance within the groups ("within")."""
    if kind == "pooled":
        return float(values.std(ddof=1)) if len(values) > 1 else 0.0
    groups = [values[side] for side in (treated, ~treated)]
    variances = [group.var(ddof=1) if len(group) > 1 else 0.0 for group in groups]
    return float(np.sqrt(sum(variances) / 2))


def wanted_controls(words: MatchingWords, score: Floats) -> Codes:
    """How many partners each unit may have; of a variable number more go to those with a lower score.

    Of the most uneven division that gives `ratio` on average, all but one unit get the least or the most controls
    (Ming and Rosenbaum 2000).
    """
    n, most = len(score), words.max_controls
    if most is None:
        return np.full(n, words.ratio, dtype=np.int64)
    least = 1 if words.min_controls is None else words.min_controls
    with_most, rest = divmod((words.ratio - least) * n, most - least)
    shares = np.full(n, least, dtype=np.int64)
    shares[n - with_most :] = most
    if with_most < n:
        shares[n - with_most - 1] += rest
    wanted = np.empty(n, dtype=np.int64)
    wanted[np.argsort(-score, kind="stable")] = shares
    return wanted


def common_support(score: Floats, treated: Mask, discard: Discard) -> Mask:
    """Which units lie within the range of the other group's scores, where they are to be discarded."""
    kept = np.ones(len(score), dtype=bool)
    for side, other, words in ((treated, ~treated, ("treated", "both")), (~treated, treated, ("control", "both"))):
        if discard in words:
            kept &= ~side | ((score >= score[other].min()) & (score <= score[other].max()))
    return kept


def combined_codes(codes: Sequence[Codes]) -> Codes | None:
    """One code for each combination; None where there is nothing to combine."""
    if not codes:
        return None
    together = codes[0]
    for more in codes[1:]:
        together = np.unique(together * (int(more.max(initial=0)) + 1) + more, return_inverse=True)[1]
    return np.ascontiguousarray(together, dtype=np.int64)


def codes_of(column: pl.Series) -> Codes:
    """Number the distinct values from 0."""
    plain = column.cast(pl.Int8) if column.dtype == pl.Boolean else column.to_physical()
    codes: Codes = plain.rank("dense").cast(pl.Int64).to_numpy() - 1
    return codes


def _numbers(column: pl.Series) -> Floats:
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise InputError(f"column '{column.name}' is {column.dtype}; a caliper needs numbers, use exact=")
    return column.cast(pl.Float64).to_numpy()
