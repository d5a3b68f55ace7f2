"""Cox's proportional hazards model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import Design, DesignColumn, DesignSpec, build_design
from counterpulse.data.terms import Term, variables_of
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import center_and_scale, meat
from counterpulse.results.coefficients import Coefficients, WaldTest
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Origin, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.survival.follow_up import ColumnOrArray, Floats, Indices, column_names, read_follow_up, with_column
from counterpulse.survival.maximize import Maximum, maximize
from counterpulse.survival.risk_sets import RiskSets, SortedRows, make_risk_sets, segmented_cumsum, sort_rows
from counterpulse.survival.score_residuals import to_score_residuals

Ties = Literal["efron", "breslow"]
MEASURE = "hazard ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxRequest:
    """What was asked: the table and the columns of the model."""

    table: pl.DataFrame
    time: str
    event: str
    terms: tuple[Term, ...]
    start: str | None
    ties: Ties
    strata: ColumnOrArray | None
    weights: ColumnOrArray | None
    cluster: ColumnOrArray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxData:
    """Rows sorted into risk sets, with covariates centered and scaled (by 1 where they do not vary)."""

    rows: SortedRows
    sets: RiskSets
    design: Design
    center: Floats
    scale: Floats
    strata: tuple[str, ...]
    n_missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxFit:
    """A fitted proportional hazards model; log hazard ratios, conditional on the other covariates.

    Attributes
    ----------
    parameters : log hazard ratios with the covariance used for intervals and tests
    model_covariance : inverse information, shape (p, p)
    log_likelihood_null, log_likelihood : partial log likelihood at zero and at the estimate
    n, events, n_missing : rows used, events in them, rows left out
    rows_used : indices into the table, shape (n,), in the order of the model's rows
    columns, spec : what the coefficients belong to, and the coding that can be applied to new rows
    dropped : coefficients left out, constant or dependent on those before them
    single_level : variables of one level, which have no coefficient
    clusters : number of clusters of the robust variance, None where rows count singly or the variance is the model's
    robust : whether the covariance used is the sandwich
    status : of the fit; each coefficient has its own
    center : means of the columns, at which `baseline()` stands
    """

    parameters: Coefficients
    model_covariance: Floats
    log_likelihood_null: float
    log_likelihood: float
    n: int
    events: int
    n_missing: int
    rows_used: Indices
    columns: tuple[DesignColumn, ...]
    spec: DesignSpec
    dropped: tuple[str, ...]
    single_level: tuple[str, ...]
    clusters: int | None
    robust: bool
    status: Status
    iterations: int
    center: Floats
    provenance: Provenance
    request: CoxRequest = field(repr=False, compare=False)
    hazard: pl.DataFrame = field(repr=False, compare=False)

    @property
    def coefficients(self) -> Floats:
        """Log hazard ratios, shape (p,); nan where the status is not OK."""
        return self.parameters.values

    @property
    def covariance(self) -> Floats:
        """The covariance used for intervals, shape (p, p)."""
        return self.parameters.covariance

    def estimates(self) -> tuple[Estimate, ...]:
        """Hazard ratios on the log scale, and a status for every term of one level."""
        fitted = (
            self.parameters.estimate(position, measure=MEASURE, scale="log") for position in range(len(self.columns))
        )
        status = self.status if self.status in (Status.NO_ROWS, Status.NO_EVENTS) else Status.CONSTANT
        absent = (
            Estimate(term=name, variable=name, measure=MEASURE, scale="log", value=np.nan, status=status)
            for name in self.single_level
        )
        return (*fitted, *absent)

    def contrast(self, weights: Mapping[str, float], *, term: str = "") -> Estimate:
        """Combine log hazard ratios linearly, by coefficient name."""
        return self.parameters.contrast(weights, measure=MEASURE, scale="log", term=term)

    def wald(self, names: Sequence[str]) -> WaldTest:
        """Test jointly that the named coefficients are zero."""
        return self.parameters.wald(names)

    def tidy(self) -> pl.DataFrame:
        """One row a coefficient; hazard ratios."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row on the fit."""
        return pl.DataFrame(
            {
                "n": [self.n], "events": [self.events], "n_missing": [self.n_missing],
                "log_likelihood_null": [self.log_likelihood_null], "log_likelihood": [self.log_likelihood],
                "clusters": [self.clusters], "robust": [self.robust], "status": [self.status.code],
            }
        )  # fmt: skip

    def baseline(self) -> pl.DataFrame:
        """Cumulative hazard and survival at the means of the columns (`center`), by stratum and event time.

        Increments are Breslow's, or Efron's where the fit uses Efron's likelihood; survival is exp(-hazard).
        """
        return self.hazard


def cox(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    terms: Sequence[Term],
    start: str | None = None,
    ties: Ties = "efron",
    strata: ColumnOrArray | None = None,
    weights: ColumnOrArray | None = None,
    cluster: ColumnOrArray | None = None,
    robust: bool | None = None,
    level: float = 0.95,
) -> CoxFit:
    """Fit Cox's proportional hazards model by maximum partial likelihood.

    Parameters
    ----------
    table : one row a patient, or one row an interval at risk (start, time]
    time : end of follow-up (numeric, not negative)
    event : yes/no, 0/1, or 1/2 where 2 is the event
    terms : column names or `Numeric`, `Categorical`, `Interaction`
    start : begin of the interval at risk: late entry, covariates that change with time
    ties : likelihood for tied events
    strata : column(s) or array; every stratum has its own baseline hazard
    weights : column or array, not negative; rows of weight zero are left out
    cluster : column(s) or array of what holds rows that belong together, for the robust variance
    robust : sandwich variance (Lin and Wei 1989). Default: with `cluster`, or when a weight is not a whole number
    level : of confidence intervals

    Returns
    -------
    CoxFit : coefficients that cannot be estimated have a status, not a number

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, negative weights

    Notes
    -----
    Hazard ratios are conditional on covariates, and assume proportional hazards and censoring independent of the
    event given the covariates. Times that differ by less than 1.5e-8 of their mean count as tied, as in R's survival.

    References
    ----------
    Cox 1972 (doi:10.1111/j.2517-6161.1972.tb00899.x); Efron 1977 (doi:10.1080/01621459.1977.10480613)
    """
    _check(terms, ties, level)
    request = CoxRequest(
        table=table, time=time, event=event, terms=tuple(terms), start=start, ties=ties, strata=strata,
        weights=weights, cluster=cluster,
    )  # fmt: skip
    data = prepare(request)
    sandwich = _wants_sandwich(robust, cluster, data.sets.weights)
    if data.sets.n == 0 or data.sets.m == 0:
        return _unfitted(
            Status.NO_ROWS if data.sets.n == 0 else Status.NO_EVENTS, request, data, level, sandwich, robust
        )
    maximum = maximize(data.rows, data.sets, data.design.X, efron=ties == "efron")
    return _fitted(maximum, request, data, level, sandwich, robust)


def prepare(request: CoxRequest) -> CoxData:
    """Read the table into sorted, complete rows and a scaled design; the only matrix of its size is the design's."""
    clustered = with_column(request.table, "cluster", request.cluster)
    needed = [name for term in request.terms for name in variables_of(term)] + column_names(request.cluster, "cluster")
    follow_up = read_follow_up(
        clustered, time=request.time, event=request.event, start=request.start, weights=request.weights,
        groups=request.strata, also_complete=needed,
    )  # fmt: skip
    rows, order = sort_rows(follow_up)
    design = build_design(request.table, request.terms, intercept=False, rows=follow_up.rows[order])
    center, scale = center_and_scale(design.X) if len(order) else _unscaled(design)
    return CoxData(
        rows=rows, sets=make_risk_sets(rows), design=design, center=center,
        scale=np.where(scale > 0, scale, 1.0), strata=follow_up.labels, n_missing=follow_up.n_missing,
    )  # fmt: skip


def _unscaled(design: Design) -> tuple[Floats, Floats]:
    p = len(design.columns)
    return np.zeros(p), np.ones(p)


def _check(terms: Sequence[Term], ties: str, level: float) -> None:
    if isinstance(terms, str) or not terms:
        raise InputError("'terms' is a list of at least one column name or term")
    if ties not in ("efron", "breslow"):
        raise InputError(f"ties={ties!r} is not known; use 'efron' or 'breslow'")
    if not 0 < level < 1:
        raise InputError("'level' lies between 0 and 1, such as 0.95")


def _wants_sandwich(robust: bool | None, cluster: ColumnOrArray | None, weights: Floats | None) -> bool:
    if robust is not None:
        return robust
    return cluster is not None or (weights is not None and bool(np.any(weights != np.floor(weights))))


def _clusters(request: CoxRequest, rows: Indices) -> tuple[NDArray[np.intp] | None, int]:
    names = column_names(request.cluster, "cluster")
    if not names:
        return None, 0
    table = with_column(request.table, "cluster", request.cluster).select(names)
    labels = table[names[0]] if len(names) == 1 else table.select(pl.struct(names)).to_series()
    codes = labels.gather(rows).rank("dense").cast(pl.Int64).to_numpy() - 1
    return codes, int(codes.max(initial=-1)) + 1


def _fitted(
    maximum: Maximum, request: CoxRequest, data: CoxData, level: float, sandwich: bool, robust: bool | None
) -> CoxFit:
    design, scale = data.design, data.scale
    statuses = _statuses(maximum)
    bad = np.array([status is not Status.OK for status in statuses], dtype=bool)
    unscale = np.outer(scale, scale)
    model = maximum.covariance / unscale
    hazard = _baseline(data, maximum)
    clusters, covariance = None, model
    if sandwich:
        codes, count = _clusters(request, design.rows_used)
        clusters = count if codes is not None else None
        residuals = to_score_residuals(data.sets, design.X, maximum.state)
        covariance = maximum.covariance @ meat_of(residuals, codes, count) @ maximum.covariance / unscale
    values = maximum.beta / scale
    values[bad] = np.nan
    model, covariance = (_without(matrix, bad) for matrix in (model, covariance))
    return _fit(
        request, data, level, sandwich, robust, clusters, values, covariance, model, statuses, maximum.status,
        maximum.log_likelihood_null, maximum.log_likelihood, maximum.iterations, hazard,
    )  # fmt: skip


def meat_of(residuals: Floats, codes: NDArray[np.intp] | None, count: int) -> Floats:
    """Sum the outer products of the residuals, added up by cluster; shape (p, p)."""
    return meat(residuals, np.ones(len(residuals)), codes, count)


def _unfitted(
    status: Status, request: CoxRequest, data: CoxData, level: float, sandwich: bool, robust: bool | None
) -> CoxFit:
    p = len(data.design.columns)
    nothing = np.full((p, p), np.nan)
    hazard = pl.DataFrame(
        schema={"stratum": pl.String, "time": pl.Float64, "cumulative_hazard": pl.Float64, "survival": pl.Float64}
    )
    return _fit(
        request, data, level, sandwich, robust, None, np.full(p, np.nan), nothing, nothing, (status,) * p, status,
        np.nan, np.nan, 0, hazard,
    )  # fmt: skip


def _fit(
    request: CoxRequest, data: CoxData, level: float, sandwich: bool, robust: bool | None, clusters: int | None,
    values: Floats, covariance: Floats, model: Floats, statuses: tuple[Status, ...], status: Status,
    null: float, log_likelihood: float, iterations: int, hazard: pl.DataFrame,
) -> CoxFit:  # fmt: skip
    columns = data.design.columns
    left_out = (Status.RANK_DEFICIENT, Status.CONSTANT)
    dropped = [column.name for column, one in zip(columns, statuses, strict=True) if one in left_out]
    single_level = tuple(
        variables_of(term)[0]
        for term, coding in zip(request.terms, data.design.spec.codings, strict=True)
        if not coding.columns()
    )
    return CoxFit(
        parameters=Coefficients(
            columns=columns, values=values, covariance=covariance, statuses=statuses, level=level
        ),
        model_covariance=model, log_likelihood_null=null, log_likelihood=log_likelihood,
        n=data.sets.n, events=len(data.sets.event_rows), n_missing=data.n_missing, rows_used=data.design.rows_used,
        columns=columns, spec=data.design.spec, dropped=tuple(dropped), single_level=single_level, clusters=clusters, robust=sandwich,
        status=status, iterations=iterations, center=data.center,
        provenance=_provenance(request, sandwich, robust), request=request, hazard=hazard,
    )  # fmt: skip


def _statuses(maximum: Maximum) -> tuple[Status, ...]:
    rest = Status.NOT_CONVERGED if maximum.status is Status.NOT_CONVERGED else Status.OK
    unknown = not np.any(np.diag(maximum.covariance))
    return tuple(
        Status.SEPARATION if infinite
        else Status.RANK_DEFICIENT if not independent
        else Status.NOT_CONVERGED if unknown
        else rest
        for infinite, independent in zip(maximum.infinite, maximum.independent, strict=True)
    )  # fmt: skip


def _without(matrix: Floats, bad: NDArray[np.bool_]) -> Floats:
    kept = matrix.copy()
    kept[bad, :] = np.nan
    kept[:, bad] = np.nan
    return kept


def _baseline(data: CoxData, maximum: Maximum) -> pl.DataFrame:
    sets = data.sets
    order = np.lexsort((sets.time, sets.stratum))
    stratum = sets.stratum[order]
    starts = np.flatnonzero(np.diff(stratum, prepend=-1))
    increments = maximum.state.s10[order] * np.exp(-maximum.state.shift)
    total = segmented_cumsum(increments, starts)
    labels = data.strata or ("",)
    return pl.DataFrame(
        {
            "stratum": pl.Series(labels, dtype=pl.String).gather(stratum),
            "time": sets.time[order],
            "cumulative_hazard": total,
            "survival": np.exp(-total),
        }
    )


def _provenance(request: CoxRequest, sandwich: bool, robust: bool | None) -> Provenance:
    origin: Origin = "given" if robust is not None else "derived" if sandwich else "default"
    tie_reference = "efron-1977" if request.ties == "efron" else "breslow-1974"
    citations = ["cox-1972", tie_reference]
    variance_reference = None
    if sandwich:
        variance_reference = "lin-wei-1989"
        citations += ["lin-wei-1989"] + (["binder-1992"] if request.weights is not None else [])
    return Provenance(
        method="Cox proportional hazards model",
        choices=(
            Choice("ties", request.ties, "default" if request.ties == "efron" else "given", tie_reference),
            Choice("variance", "robust" if sandwich else "model", origin, variance_reference),
        ),
        citations=tuple(citations),
    )
