"""Pooled effects of groups of studies, and the test that they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail, f_tail
from counterpulse.results.estimate import Estimate, Scale
from counterpulse.results.provenance import Provenance
from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.weighted_fit import WeightedFit, weighted_fit
from counterpulse.synthesis.exploration.refits import Asked, Refits, asked, predictions, refit, refit_with
from counterpulse.synthesis.exploration.robust import rows_by_label
from counterpulse.synthesis.pooling.asked import LEVEL, choice
from counterpulse.synthesis.pooling.intervals import WALD, inference
from counterpulse.synthesis.pooling.pool import NO_WIDTH
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]

OF_MODEL = ("std_error", "df", "statistic", "p_value", "low", "high")
"""What a common model says of its groups in place of their own fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BetweenGroups:
    """A test that the pooled effects of the groups are equal; `df_denominator` is None for chi-squared."""

    name: str
    statistic: float
    df: float
    df_denominator: float | None
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroups:
    """Pooled effects of groups.

    Attributes
    ----------
    labels : of the groups, in the order they come
    groups : a row a group, with interval, heterogeneity and prediction interval
    whole : all studies, one row
    between : the chi-squared test of Q between the groups, with the weights taken as known
    between_adjusted : the F test that goes with the interval (Welch's with separate variances, Knapp and Hartung's with a
        common one); None with Wald intervals, or where a group with its own variance has one study
    q_within, q_within_df, q_within_p_value : heterogeneity that the groups leave
    common_tau2 : one variance between studies for all groups, or one each
    """

    labels: tuple[str, ...]
    groups: Refits
    whole: Refits
    between: BetweenGroups
    between_adjusted: BetweenGroups | None
    q_within: float
    q_within_df: int
    q_within_p_value: float
    common_tau2: bool
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The pooled effect of all studies, then of each group."""
        groups = (self.groups.estimate(row, label) for row, label in enumerate(self.labels))
        return (self.whole.estimate(0, "all studies"), *groups)

    def tidy(self) -> pl.DataFrame:
        """One row a group."""
        return self.groups.frame("group", self.labels)


def subgroups(
    yi: ArrayLike,
    vi: ArrayLike,
    by: Sequence[Any] | NDArray[Any],
    *,
    common_tau2: bool = False,
    tau2: str | None = None,
    interval: str | None = None,
    prediction: str | None = None,
    convention: str | None = None,
    level: float = LEVEL,
    measure: str = "effect",
    scale: Scale = "identity",
) -> Subgroups:
    """Pool each group of studies and test whether the groups differ.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    by : the group of each study
    common_tau2 : one variance between studies for all groups (a meta-regression on the groups), or one each
    tau2, interval, prediction, convention, measure, scale : as in `pool`
    level : of every interval

    Raises
    ------
    InputError : of effects, variances or groups that do not go together, fewer than 2 groups, or a word that is not known

    Notes
    -----
    Studies are not randomized to groups: a difference between groups is an association between studies.

    References
    ----------
    Borenstein and Higgins 2013, doi:10.1007/s11121-013-0377-7; Welch 1951, doi:10.1093/biomet/38.3-4.330;
    Knapp and Hartung 2003, doi:10.1002/sim.1482.
    """
    y, v = read_studies(yi, vi)
    members = rows_by_label(by, len(y))
    if len(members) < 2:
        raise InputError("all studies are in one group; give two groups or more, or pool the studies")
    how = asked(
        tau2=tau2, interval=interval, prediction=prediction, convention=convention, level=level, measure=measure, scale=scale
    )  # fmt: skip
    inside = np.zeros((len(members), len(y)), dtype=bool)
    for group, rows in enumerate(members):
        inside[group, rows] = True
    fit_groups = _common if common_tau2 else _separate
    groups, between, adjusted = fit_groups(y, v, inside, how)
    q, df = float(groups.q.sum()), len(y) - len(members)
    shared = choice("tau2 of the groups", "common" if common_tau2 else "separate", "separate")
    return Subgroups(
        labels=tuple(str(list(by)[rows[0]]) for rows in members), groups=groups, whole=refit(y[None, :], v, how),
        between=between, between_adjusted=adjusted, q_within=q, q_within_df=df, q_within_p_value=chi_squared_tail(q, df),
        common_tau2=common_tau2, provenance=how.provenance("subgroups", ("borenstein-2013",), shared),
    )  # fmt: skip


def _separate(
    y: Floats, v: Floats, inside: NDArray[np.bool_], how: Asked
) -> tuple[Refits, BetweenGroups, BetweenGroups | None]:
    rows = np.where(inside, y, np.nan)
    groups = refit(rows, v, how)
    known = refit_with(rows, v, groups.tau2, replace(how, chosen=replace(how.chosen, interval=WALD)))
    plain = _chi_squared(known.effect, known.std_error)
    if how.chosen.interval == WALD or (groups.k < 2).any() or np.isnan(groups.std_error).any():
        return groups, plain, None
    return groups, plain, _welch(groups.effect, groups.std_error, groups.df)


def _common(
    y: Floats, v: Floats, inside: NDArray[np.bool_], how: Asked
) -> tuple[Refits, BetweenGroups, BetweenGroups | None]:
    if len(inside) == len(y):
        raise InputError(
            "every group has one study, which leaves nothing for a common variance between studies; merge groups"
        )
    tau2 = between_variance(y, v, inside.T.astype(float), estimator=how.chosen.tau2).tau2
    shared = np.repeat(tau2, len(inside))
    fit = _one_model(y, v, inside, shared)
    pooled, known = inference(fit, how.chosen.interval, how.level), inference(fit, WALD, how.level)
    wide = (pooled.std_error > NO_WIDTH * known.std_error)[:, 0]
    shown: dict[str, Any] = {name: np.where(wide, getattr(pooled, name)[:, 0], np.nan) for name in OF_MODEL}
    low, high = (np.where(wide, end, np.nan) for end in predictions(fit, shared, how))
    within = refit_with(np.where(inside, y, np.nan), v, shared, how)
    groups = replace(within, **shown, tau2=shared, prediction_low=low, prediction_high=high)
    plain = _chi_squared(groups.effect, known.std_error[:, 0])
    if how.chosen.interval == WALD or not wide.all():
        return groups, plain, None
    return groups, plain, _f_of_model(_chi_squared(groups.effect, groups.std_error), float(pooled.df[0, 0]))


def _f_of_model(scaled: BetweenGroups, left: float) -> BetweenGroups:
    """The F test of a chi-squared whose variances are scaled by what the model leaves."""
    statistic = scaled.statistic / scaled.df
    p_value = f_tail(statistic, scaled.df, left)
    return BetweenGroups(name="F", statistic=statistic, df=scaled.df, df_denominator=left, p_value=p_value)


def _one_model(y: Floats, v: Floats, inside: NDArray[np.bool_], tau2: Floats) -> WeightedFit:
    """One regression on the groups, as many times as there are groups: row g has the column of group g first."""
    order = [[group, *(other for other in range(len(inside)) if other != group)] for group in range(len(inside))]
    designs = np.stack([inside[columns].T for columns in order]).astype(float)
    return weighted_fit(np.broadcast_to(y, (len(inside), len(y))), v, designs, tau2=tau2)


def _chi_squared(effect: Floats, error: Floats) -> BetweenGroups:
    w = 1 / error**2
    statistic = float((w * (effect - (w @ effect) / w.sum()) ** 2).sum())
    df = float(len(effect) - 1)
    return BetweenGroups(
        name="chi-squared", statistic=statistic, df=df, df_denominator=None, p_value=chi_squared_tail(statistic, df)
    )


def _welch(effect: Floats, error: Floats, df: Floats) -> BetweenGroups:
    """Welch's F of means with their own variances and degrees of freedom."""
    plain, w = _chi_squared(effect, error), 1 / error**2
    g = len(effect)
    doubt = float(((1 - w / w.sum()) ** 2 / df).sum())
    statistic = plain.statistic / plain.df / (1 + 2 * (g - 2) * doubt / (g**2 - 1))
    left = (g**2 - 1) / (3 * doubt)
    return BetweenGroups(
        name="F", statistic=statistic, df=plain.df, df_denominator=left, p_value=f_tail(statistic, plain.df, left)
    )
