"""Pooling of dependent effects with a variance that holds whatever their dependence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan, sqrt
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value, t_two_sided
from counterpulse.results.estimate import Estimate, Interval, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.engine.between_variance import between_variance, estimator_named
from counterpulse.synthesis.exploration import working_models
from counterpulse.synthesis.exploration.cluster_robust import Block, RobustVariance, Rows, Sandwich, sandwich
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word, choice
from counterpulse.synthesis.pooling.design import INTERCEPT, check_independent, read_moderators, with_intercept
from counterpulse.synthesis.pooling.pool import NO_WIDTH
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]
WorkingModel = Literal["independent", "correlated", "correlated-hierarchical"]

RHO = 0.8
"""Correlation of effects of one cluster in the working model; the variance is right whatever it is (Hedges et al. 2010)."""

FEWEST_DF = 4.0
"""Below, the P value is too small however the t distribution is chosen (Tipton 2015)."""

FEW_DF = "fewer than 4 degrees of freedom: the P value and the interval of this coefficient are not to be relied on"

REFERENCES = {
    "independent": "hedges-2010",
    "correlated": "hedges-2010",
    "correlated-hierarchical": "pustejovsky-tipton-2022",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustEffects:
    """Coefficients with a cluster-robust variance.

    Attributes
    ----------
    coefficients : one estimate a column of the design, with t interval
    covariance : robust, shape (p, p)
    tau2 : variance between effects, of "correlated-hierarchical" between clusters
    omega2 : variance between the effects of a cluster; None where the working model has none
    k : effects
    clusters : their clusters
    """

    coefficients: tuple[Estimate, ...]
    covariance: Floats
    tau2: float
    omega2: float | None
    k: int
    clusters: int
    level: float
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The pooled effect; with a design its coefficients in the order of the columns."""
        return self.coefficients

    def tidy(self) -> pl.DataFrame:
        """One row a coefficient."""
        return tidy(self.coefficients)


def robust(
    yi: ArrayLike,
    vi: ArrayLike,
    cluster: Sequence[Any] | NDArray[Any],
    X: ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    variance: RobustVariance = "CR2",
    working: WorkingModel = "independent",
    tau2: str = "REML",
    rho: float = RHO,
    level: float = LEVEL,
    measure: str = "effect",
    scale: Scale = "identity",
) -> RobustEffects:
    """Pool effects of which several come from the same patients, paper or registry.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    cluster : what effects share, a label each
    X : moderators, shape (k,) or (k, q); an intercept is added. Without it the effects are pooled
    names : of the columns of X
    variance : "CR2" (adjusted, with Satterthwaite's degrees of freedom) or "CR1" (times m / (m - p), with m - p)
    working : the weights: of "independent" effects, of "correlated" effects (Hedges, Tipton and Johnson), or
        "correlated-hierarchical" (sampling errors correlated by `rho`, variances between clusters and within)
    tau2 : estimator of the variance between effects of "independent"; the other working models have their own
    rho : of "correlated" and "correlated-hierarchical", from 0 to below 1
    measure, scale : as in `pool`

    Returns
    -------
    Estimates with nan and `Status.TOO_FEW_ROWS` where the clusters are not more than the coefficients, and without an
    interval, `Status.ZERO_VARIANCE`, where nothing is left over.

    Raises
    ------
    InputError : of effects, variances, labels or a design that do not fit together, or an option that is not known

    References
    ----------
    Hedges, Tipton and Johnson 2010, doi:10.1002/jrsm.5; Tipton 2015, doi:10.1037/met0000011;
    Pustejovsky and Tipton 2018, doi:10.1080/07350015.2016.1247004, and 2022, doi:10.1007/s11121-021-01246-3.
    """
    y, v = read_studies(yi, vi)
    check_level(level)
    check_word(variance, "variance", get_args(RobustVariance))
    check_word(working, "working", get_args(WorkingModel))
    if not 0 <= rho < 1:
        raise InputError(f"rho is {rho}; it is a correlation from 0 to below 1, such as 0.8")
    x, columns = read_design(X, names, len(y))
    clusters = rows_by_label(cluster, len(y))
    provenance = _provenance(variance, working, estimator_named(tau2), rho, level)
    if len(clusters) <= x.shape[1]:
        return _too_few(columns, len(y), len(clusters), level, provenance)
    blocks, between, within = _working(y, v, x, clusters, working, tau2, rho)
    fit = sandwich(y, x, blocks, variance)
    rows = (_estimate(fit, j, name, variance, level) for j, name in enumerate(columns))
    return RobustEffects(
        coefficients=tuple(replace(row, measure=measure, scale=scale) for row in rows), covariance=fit.covariance, tau2=between, omega2=within,
        k=len(y), clusters=len(clusters), level=level, status=Status.OK, provenance=provenance,
    )  # fmt: skip


def read_design(X: ArrayLike | None, names: Sequence[str] | None, k: int) -> tuple[Floats, tuple[str, ...]]:
    """The design with its intercept first and the names of its columns; the intercept alone without moderators.

    Raises
    ------
    InputError : another number of rows than effects, a value that is not finite, or dependent columns
    """
    if X is None:
        return np.ones((k, 1)), ("effect",)
    moderators, labels = read_moderators(X, names, k)
    design, columns = with_intercept(moderators), (INTERCEPT, *labels)
    check_independent(design, columns)
    return design, columns


def rows_by_label(labels: Sequence[Any] | NDArray[Any], k: int) -> list[Rows]:
    """The rows of every label, in the order the labels come.

    Raises
    ------
    InputError : another number of labels than effects, or a label that is missing
    """
    given = list(labels)
    if len(given) != k:
        raise InputError(f"there are {len(given)} labels and {k} effects; give one label an effect")
    if any(label is None or label != label for label in given):
        raise InputError("a label is missing; name what the effect belongs to, or give it a label of its own")
    rows: dict[Any, list[int]] = {}
    for row, label in enumerate(given):
        rows.setdefault(label, []).append(row)
    return [np.array(members, dtype=np.intp) for members in rows.values()]


def _working(
    y: Floats, v: Floats, x: Floats, clusters: list[Rows], working: WorkingModel, tau2: str, rho: float
) -> tuple[list[Block], float, float | None]:
    if working == "correlated-hierarchical":
        return working_models.correlated_hierarchical(y, v, x, clusters, rho)
    if working == "correlated":
        return *working_models.correlated(y, v, x, clusters, rho), None
    between = float(between_variance(y, v, x, estimator=tau2).tau2[0])
    return working_models.independent(v, clusters, between), between, None


def _estimate(fit: Sandwich, j: int, term: str, variance: str, level: float) -> Estimate:
    value, error, df = float(fit.coefficients[j]), sqrt(float(fit.covariance[j, j])), float(fit.df[j])
    if not error > NO_WIDTH * sqrt(float(fit.bread[j, j])):
        return Estimate(term=term, measure="effect", value=value, status=Status.ZERO_VARIANCE)
    reach = critical_value(level, df) * error
    return Estimate(
        term=term, measure="effect", value=value, std_error=error, df=df, statistic=value / error, statistic_name="t",
        interval=Interval(value - reach, value + reach, level, variance), p_value=t_two_sided(value / error, df),
        notes=(FEW_DF,) if df < FEWEST_DF else (),
    )  # fmt: skip


def _too_few(names: tuple[str, ...], k: int, clusters: int, level: float, provenance: Provenance) -> RobustEffects:
    status, p = Status.TOO_FEW_ROWS, len(names)
    return RobustEffects(
        coefficients=tuple(Estimate(term=name, measure="effect", value=nan, status=status) for name in names),
        covariance=np.full((p, p), nan), tau2=nan, omega2=None, k=k, clusters=clusters, level=level, status=status,
        provenance=provenance,
    )  # fmt: skip


def _provenance(variance: str, working: str, tau2: str, rho: float, level: float) -> Provenance:
    reference = REFERENCES[working]
    model = (choice("tau2", tau2, "REML"),) if working == "independent" else (choice("rho", rho, RHO),)
    choices = (
        Choice("variance", variance, "default" if variance == "CR2" else "given", "pustejovsky-tipton-2018"),
        Choice("working", working, "default" if working == "independent" else "given", reference),
        *model,
        choice("level", level, LEVEL),
    )
    return Provenance(
        "cluster-robust pooling", choices, ("hedges-2010", "tipton-2015", "pustejovsky-tipton-2018", reference)
    )
