"""Cox's proportional hazards model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from counterpulse.data.design import DesignColumn, DesignSpec
from counterpulse.data.terms import Term, variables_of
from counterpulse.errors import InputError
from counterpulse.results.coefficients import FEW, TOO_FEW, Coefficients, WaldTest
from counterpulse.results.estimate import Estimate
from counterpulse.results.profile_interval import ProfileInterval
from counterpulse.results.provenance import Choice, Origin, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.survival.cox_data import CoxRequest, Ties, prepare
from counterpulse.survival.cox_solution import solve
from counterpulse.survival.follow_up import ColumnOrArray, Floats, Indices

MEASURE = "hazard ratio"
IntervalKind = Literal["wald", "profile"]


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
    single_level : variables of one level, which have no coefficient
    clusters : number of clusters of the robust variance, None where rows count singly or the variance is the model's
    robust : whether the covariance used is the sandwich
    status : of the fit; each coefficient has its own
    center : means of the columns, at which `baseline()` stands
    profiles : profile intervals, p of them, where asked for
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
    single_level: tuple[str, ...]
    clusters: int | None
    robust: bool
    status: Status
    iterations: int
    center: Floats
    provenance: Provenance
    profiles: tuple[ProfileInterval | None, ...] = ()
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

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of the columns left out as constant or dependent on those before them."""
        statuses = zip(self.columns, self.parameters.statuses, strict=True)
        return tuple(column.name for column, status in statuses if status in (Status.CONSTANT, Status.RANK_DEFICIENT))

    def estimates(self) -> tuple[Estimate, ...]:
        """Hazard ratios on the log scale, and a status for every term of one level."""
        profiles = (*self.profiles, *([None] * (len(self.columns) - len(self.profiles))))
        wald = (
            self.parameters.estimate(position, measure=MEASURE, scale="log") for position in range(len(self.columns))
        )
        fitted = (
            row if profile is None else profile.put_into(row, self.parameters.level)
            for row, profile in zip(wald, profiles, strict=True)
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
    interval: IntervalKind = "wald",
) -> CoxFit:
    """Fit Cox's proportional hazards model by maximum partial likelihood.

    Parameters
    ----------
    table : one row a patient, or one row an interval at risk (start, time]
    time : end of follow-up (numeric, not negative)
    event : yes/no, 0/1, or 1/2 where 2 is the event
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`
    start : begin of the interval at risk: late entry, covariates that change with time
    ties : likelihood for tied events
    strata : column(s) or array; every stratum has its own baseline hazard
    weights : column or array, not negative; rows of weight zero are left out
    cluster : column(s) or array of what holds rows that belong together, for the robust variance
    robust : sandwich variance (Lin and Wei 1989). Default: with `cluster`, or when a weight is not a whole number
    level : of confidence intervals
    interval : "wald", or "profile" for profile-likelihood intervals with likelihood-ratio tests

    Returns
    -------
    CoxFit : coefficients that cannot be estimated have a status, not a number

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, negative weights

    Notes
    -----
    Hazard ratios are conditional on covariates, and assume proportional hazards and censoring independent of the
    event given the covariates. With fewer than 10 clusters there is no standard error (``Status.FEW_CLUSTERS``); with
    fewer than 40 a note says that the robust variance tends to be too small. Times that differ by less than 1.5e-8 of their mean count as tied, as in R's survival.

    References
    ----------
    Cox 1972 (doi:10.1111/j.2517-6161.1972.tb00899.x); Efron 1977 (doi:10.1080/01621459.1977.10480613)
    """
    _check(terms, ties, level, interval)
    request = CoxRequest(
        table=table, time=time, event=event, terms=tuple(terms), start=start, ties=ties, strata=strata,
        weights=weights, cluster=cluster,
    )  # fmt: skip
    data = prepare(request)
    sandwich = _wants_sandwich(robust, cluster, data.sets.weights)
    if sandwich and interval == "profile":
        raise InputError("a profile interval has no robust variance; use interval='wald'")
    solution = solve(request, data, sandwich=sandwich, profile=level if interval == "profile" else None)
    columns, spec = data.design.columns, data.design.spec
    return CoxFit(
        parameters=Coefficients(
            columns=columns, values=solution.values, covariance=solution.covariance, statuses=solution.statuses,
            level=level, uncertainty=Status.FEW_CLUSTERS if _too_few(solution.clusters) else Status.OK,
            notes=few_clusters_notes(solution.clusters),
        ),
        model_covariance=solution.model_covariance, log_likelihood_null=solution.log_likelihood_null,
        log_likelihood=solution.log_likelihood, n=data.sets.n, events=int(data.sets.deaths.sum()),
        n_missing=data.n_missing, rows_used=data.design.rows_used, columns=columns, spec=spec,
        single_level=tuple(
            variables_of(term)[0]
            for term, coding in zip(request.terms, spec.codings, strict=True)
            if not coding.columns()
        ),
        clusters=solution.clusters, robust=sandwich, status=solution.status, iterations=solution.iterations,
        center=data.center, provenance=_provenance(request, sandwich, robust, interval), profiles=solution.profiles, request=request, hazard=solution.hazard,
    )  # fmt: skip


def _check(terms: Sequence[Term], ties: str, level: float, interval: str) -> None:
    if isinstance(terms, str) or not terms:
        raise InputError("'terms' is a list of at least one column name or term")
    if ties not in ("efron", "breslow"):
        raise InputError(f"ties={ties!r} is not known; use 'efron' or 'breslow'")
    if interval not in ("wald", "profile"):
        raise InputError(f"interval={interval!r} is not known; use 'wald' or 'profile'")
    if not 0 < level < 1:
        raise InputError("'level' lies between 0 and 1, such as 0.95")


def _wants_sandwich(robust: bool | None, cluster: ColumnOrArray | None, weights: Floats | None) -> bool:
    if robust is not None:
        return robust
    return cluster is not None or (weights is not None and bool(np.any(weights != np.floor(weights))))


def _too_few(clusters: int | None) -> bool:
    return clusters is not None and clusters < TOO_FEW


def few_clusters_notes(clusters: int | None) -> tuple[str, ...]:
    """Say that the sandwich is too small with few clusters; there is no small-sample version of it here."""
    if clusters is None or clusters >= FEW:
        return ()
    return (f"The robust variance rests on {clusters} clusters; below {FEW} it tends to be too small.",)


def _provenance(request: CoxRequest, sandwich: bool, robust: bool | None, interval: IntervalKind) -> Provenance:
    origin: Origin = "given" if robust is not None else "derived" if sandwich else "default"
    tie_reference = "efron-1977" if request.ties == "efron" else "breslow-1974"
    citations = ["cox-1972", tie_reference]
    profile_reference = "venzon-moolgavkar-1988" if interval == "profile" else None
    citations += [profile_reference] if profile_reference else []
    variance_reference = None
    if sandwich:
        variance_reference = "lin-wei-1989"
        citations += ["lin-wei-1989"] + (["binder-1992"] if request.weights is not None else [])
    return Provenance(
        method="Cox proportional hazards model",
        choices=(
            Choice("ties", request.ties, "default" if request.ties == "efron" else "given", tie_reference),
            Choice("variance", "robust" if sandwich else "model", origin, variance_reference),
            Choice("interval", interval, "given" if interval == "profile" else "default", profile_reference),
        ),
        citations=tuple(citations),
    )
