"""Proportional-odds logistic regression of an ordinal outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import DesignSpec, is_categorical, level_text, levels_in_order
from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value
from counterpulse.numerics.linear_algebra import (
    cluster_sums,
    independent_columns,
    inverse_symmetric,
    weighted_gram,
)
from counterpulse.numerics.newton import Maximum, maximize
from counterpulse.numerics.profile import constrained_value, profile_end
from counterpulse.regression.cluster_variance import ClusterVariance, bias_reduced, rows_by_cluster
from counterpulse.regression.cumulative_likelihood import CumulativeLikelihood, proportional_odds
from counterpulse.regression.fit import Rescaled, ScaledFit, no_parameters
from counterpulse.regression.logistic_fit import IntervalKind
from counterpulse.regression.model_rows import (
    Rows,
    ScaledDesign,
    check_level,
    read_rows,
    scaled_design,
    single_level_terms,
    spec_of_no_rows,
)
from counterpulse.regression.ordinal_fit import OrdinalFit
from counterpulse.regression.sandwich import Clustered, choose_variance, cluster_factor
from counterpulse.regression.separation import find_separation
from counterpulse.results.coefficients import Coefficients
from counterpulse.results.profile_interval import ProfileInterval
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

VARIANCES = ("inverse information", "sandwich, HC0, no factor", "sandwich by cluster, HC0, factor G / (G - 1)")
MOST_LEVELS = 50
USUAL_ITERATIONS, LATE_ITERATIONS, LATE_LOOKS = 15, 10, 8


def ordinal(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    weights: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    robust: bool | None = None,
    level: float = 0.95,
    interval: IntervalKind = "wald",
    cluster_variance: ClusterVariance | None = None,
) -> OrdinalFit:
    """Odds ratios of a higher level of an ordinal outcome, adjusted for each other and the same at every threshold.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : an enum (its categories in order, low to high), yes/no, or numbers of at most 50 distinct values
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`
    weights : column or array of shape (n,). Whole numbers count patients; others are probability weights and bring the
        robust variance. Rows of weight zero are left out.
    cluster : column or array of labels, shape (n,); brings the robust variance, clustered
    robust : use the sandwich variance; default: when clustered or when a weight is not a whole number
    interval : "wald", or "profile" for profile-likelihood intervals with likelihood-ratio tests
    cluster_variance : "CR1", or "CR2" with Satterthwaite degrees of freedom; default by the number of clusters

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    The model is ``logit P(Y <= j) = threshold_j - x'b`` (signs as in R's ``MASS::polr`` and ``ordinal::clm``): an odds ratio
    above 1 goes with higher levels. The covariance is the inverse of the observed information. An enum with a level
    that no row has is not fitted (``Status.EMPTY_LEVEL``). A coefficient that is infinite carries a status and no value.

    References
    ----------
    McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x; Brant 1990, doi:10.2307/2532457 (`proportional_odds_test`).
    """
    rows = read_rows(table, outcome=outcome, terms=terms, weights=weights, cluster=cluster)
    variance = choose_variance(rows, robust, VARIANCES, cluster_variance)
    check_level(level)
    if interval not in ("wald", "profile"):
        raise InputError(f"the interval {interval!r} is not known; it is 'wald' or 'profile'")
    if variance.robust and interval == "profile":
        raise InputError("a profile interval has no robust variance; use interval='wald'")
    levels, codes = _levels(rows.column(table, outcome))
    unit = np.ones(rows.n) if rows.weights is None else rows.weights
    counts: Floats = np.bincount(codes, weights=unit, minlength=len(levels)).astype(np.float64)
    blank = OrdinalFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, rows=rows, robust=variance.robust,
        cluster_variance=variance.cluster, levels=levels, counts=tuple(counts.tolist()), interval=interval,
        provenance=_provenance(rows, interval, variance.choice),
    )  # fmt: skip
    if rows.n == 0:
        return blank.unfitted(_slopes_only(spec_of_no_rows(table, terms)), Status.NO_ROWS)
    design = scaled_design(table, rows, terms)
    spec = _slopes_only(design.scaling.spec)
    blank = replace(blank, single_level=single_level_terms(terms, spec), depends_on=design.depends_on)
    status = _obstacle(counts, design, rows)
    if status is not Status.OK:
        return blank.unfitted(spec, status)
    return _solve(replace(blank, spec=spec, level_codes=codes, X=design.X[:, 1:]), design, unit)


def _levels(column: pl.Series) -> tuple[tuple[str, ...], Codes]:
    """The levels of the outcome, low to high, and the level of each row."""
    if is_categorical(column) and not isinstance(column.dtype, pl.Enum):
        raise InputError(f"the outcome '{column.name}' is text, whose order is not known; make it an enum or a number")
    if not (isinstance(column.dtype, pl.Enum) or column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise InputError(f"the outcome '{column.name}' is {column.dtype}; it is an enum, a number or yes/no")
    levels = list(column.dtype.categories) if isinstance(column.dtype, pl.Enum) else levels_in_order(column)
    if len(levels) > MOST_LEVELS:
        raise InputError(
            f"the outcome '{column.name}' has {len(levels)} levels; an ordinal outcome has at most {MOST_LEVELS}: "
            "use linear regression, or group the values"
        )
    codes = level_text(column).cast(pl.Enum(levels)).to_physical().cast(pl.Int64).to_numpy().astype(np.intp)
    return tuple(levels), codes


def _slopes_only(spec: DesignSpec) -> DesignSpec:
    """The coding without the intercept, whose place the thresholds take."""
    return replace(spec, intercept=False)


def _obstacle(counts: Floats, design: ScaledDesign, rows: Rows) -> Status:
    if design.status is not Status.OK:
        return design.status
    if (counts > 0).sum() == 1:
        return Status.ZERO_VARIANCE
    if (counts == 0).any():
        return Status.EMPTY_LEVEL
    coefficients = len(counts) - 2 + len(design.scaling.active)
    return Status.TOO_FEW_ROWS if coefficients >= rows.n else Status.OK


@dataclass(frozen=True, slots=True)
class _Solved:
    """`kept` are the positions of the coefficients that are finite, among thresholds and active slopes."""

    likelihood: CumulativeLikelihood
    maximum: Maximum
    kept: Codes
    infinite: NDArray[np.bool_]
    iterations: int


def _solve(blank: OrdinalFit, design: ScaledDesign, unit: Floats) -> OrdinalFit:
    likelihood = proportional_odds(blank.level_codes, len(blank.levels), blank.X, unit)
    start = _null_start(blank, blank.X.shape[1])
    transform = _to_original(len(blank.levels) - 1, design)
    solved = _climb(likelihood, start, transform)
    statuses = [Status.OK] * (len(blank.levels) - 1) + list(design.statuses[1:])
    active = _positions(blank, design)
    for position in active[solved.infinite]:
        statuses[position] = Status.SEPARATION
    if not solved.maximum.converged:
        statuses = [Status.NOT_CONVERGED if own is Status.OK else own for own in statuses]
        status = Status.SEPARATION if solved.infinite.all() else Status.NOT_CONVERGED
        unfitted = blank.unfitted(blank.spec, status)
        return replace(unfitted, parameters=replace(unfitted.parameters, statuses=tuple(statuses)))
    return _fitted(blank, design, solved, transform, tuple(statuses), likelihood(start).value)


def _null_start(blank: OrdinalFit, slopes: int) -> Floats:
    """The thresholds of the model without terms, then zeros."""
    below = np.cumsum(blank.counts)[:-1] / np.sum(blank.counts)
    return np.append(np.log(below / (1 - below)), np.zeros(slopes))


def _climb(likelihood: CumulativeLikelihood, start: Floats, transform: Floats) -> _Solved:
    """Maximize; where there is no maximum, find the infinite coefficients and maximize over the others."""
    everything = np.arange(len(start))
    found = maximize(likelihood, start, limit=USUAL_ITERATIONS)
    iterations = found.iterations
    for _ in range(LATE_LOOKS):
        if found.converged:
            break
        late = maximize(likelihood, found.at, limit=LATE_ITERATIONS)
        iterations += late.iterations
        separation = None if late.converged else find_separation(*likelihood.stacked(), late.at - found.at)
        if separation is not None:
            infinite = separation.infinite(transform)
            if not separation.overlapping.any():
                return _Solved(likelihood, late, everything, np.ones_like(infinite), iterations)
            stacked = likelihood.stacked()[0][separation.overlapping]
            kept = np.flatnonzero(independent_columns(weighted_gram(stacked)))
            same_bounds = np.linalg.lstsq(stacked[:, kept], stacked @ late.at, rcond=None)[0]
            part = likelihood.with_bounds(separation.overlapping, kept)
            maximum = maximize(part, same_bounds.astype(np.float64), limit=50)
            return _Solved(part, maximum, kept, infinite, iterations + maximum.iterations)
        found = late
    return _Solved(likelihood, found, everything, np.zeros(len(start), dtype=bool), iterations)


def _to_original(thresholds: int, design: ScaledDesign) -> Floats:
    """The matrix T: coefficients in the table's units are ``T @ scaled``, the thresholds first."""
    center, scale = design.scaling.center[1:], design.scaling.scale[1:]
    T = np.diag(np.append(np.ones(thresholds), 1 / scale))
    T[:thresholds, thresholds:] = center / scale
    return T


def _positions(blank: OrdinalFit, design: ScaledDesign) -> Codes:
    """Where thresholds and active slopes stand among all coefficients."""
    thresholds = len(blank.levels) - 1
    return np.append(np.arange(thresholds), design.scaling.active[1:] - 1 + thresholds)


def _fitted(
    blank: OrdinalFit, design: ScaledDesign, solved: _Solved, transform: Floats, statuses: tuple[Status, ...], null: float
) -> OrdinalFit:  # fmt: skip
    bread = inverse_symmetric(solved.likelihood(solved.maximum.at).information)
    used = _robust(blank, solved, bread) if blank.robust else Clustered(bread)
    p, active, kept = len(statuses), _positions(blank, design), solved.kept
    values, within = np.full(p, np.nan), np.zeros(len(active))
    within[kept] = solved.maximum.at
    values[active] = transform @ within
    failed = [position for position, status in enumerate(statuses) if status is not Status.OK]
    values[failed] = np.nan
    covariance, model = (_spread(transform[:, kept], inner, active, p, failed) for inner in (used.covariance, bread))
    small = used.small_sample
    parameters = Coefficients(
        columns=blank.columns, values=values, covariance=covariance, statuses=statuses, level=blank.level,
        small_sample=None if small is None else Rescaled(small, active, transform[:, kept]), uncertainty=used.uncertainty,
    )  # fmt: skip
    whole = len(kept) == len(active)
    return replace(
        blank,
        parameters=parameters,
        model_covariance=model,
        log_likelihood=solved.maximum.value,
        null_log_likelihood=null,
        iterations=solved.iterations,
        status=Status.SEPARATION if solved.infinite.any() else Status.OK,
        scaled=ScaledFit(design.scaling, within, bread, used.covariance, bread) if whole else None,
        profiles=_profiles(blank, solved, transform, active, statuses) if blank.interval == "profile" else (),
    )


def _spread(transform: Floats, inner: Floats, active: Codes, p: int, failed: list[int]) -> Floats:
    out: Floats = np.full((p, p), np.nan)
    out[np.ix_(active, active)] = transform @ inner @ transform.T
    out = (out + out.T) / 2
    out[failed, :] = np.nan
    out[:, failed] = np.nan
    return out


def _robust(blank: OrdinalFit, solved: _Solved, bread: Floats) -> Clustered:
    scores, rows, kind = solved.likelihood.scores(solved.maximum.at), blank.rows, blank.cluster_variance
    if rows.cluster is None or rows.clusters is None:
        return Clustered(bread @ weighted_gram(scores) @ bread)
    if kind is None:
        return Clustered(np.full_like(bread, np.nan), None, Status.FEW_CLUSTERS)
    summed = cluster_sums(scores, rows.cluster, rows.clusters)
    if kind == "CR1":
        return Clustered(cluster_factor(rows.clusters) * bread @ weighted_gram(summed) @ bread)
    information = np.zeros((rows.clusters, *bread.shape))
    for g, members in rows_by_cluster(rows.cluster):
        information[g] = solved.likelihood.rows(members)(solved.maximum.at).information
    return Clustered(*bias_reduced(summed, information, bread))


def _profiles(
    blank: OrdinalFit, solved: _Solved, transform: Floats, active: Codes, statuses: tuple[Status, ...]
) -> tuple[ProfileInterval | None, ...]:
    """Profile every coefficient that has an estimate."""
    reach = critical_value(blank.level)
    found: list[ProfileInterval | None] = [None] * len(statuses)
    for along, position in zip(transform[:, solved.kept], active, strict=True):
        if statuses[position] is Status.OK:
            low, high = (profile_end(solved.likelihood, solved.maximum, along, side * reach) for side in (-1, 1))
            fallen = constrained_value(solved.likelihood, solved.maximum, along[None, :])
            found[position] = ProfileInterval(low, high, float(np.maximum(0.0, 2 * (solved.maximum.value - fallen))))
    return tuple(found)


def _provenance(rows: Rows, interval: IntervalKind, variance: Choice) -> Provenance:
    weighted = "none" if rows.weights is None else "frequency" if rows.whole_weights else "probability"
    choices = (
        Choice("link", "cumulative logit, one slope for all thresholds", "default", "mccullagh-1980"),
        Choice("interval", interval, "given" if interval == "profile" else "default",
               "venzon-moolgavkar-1988" if interval == "profile" else None),
        Choice("weights", weighted, "derived"),
        variance,
    )  # fmt: skip
    return Provenance("ordinal regression", choices, tuple(choice.reference for choice in choices if choice.reference))
