"""Fine and Gray's proportional hazards model of the subdistribution, and Cox's model of one cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from counterpulse.data.design import DesignColumn, DesignSpec, build_design, complete_rows
from counterpulse.data.terms import Term, variables_of
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import center_and_scale
from counterpulse.results.coefficients import TOO_FEW, Coefficients, WaldTest
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.survival.causes import CODES, OF_CAUSE, cause_position, read_causes
from counterpulse.survival.cox_data import Ties, cluster_codes
from counterpulse.survival.cox_model import few_clusters_notes
from counterpulse.survival.fine_gray_solution import SubdistributionSolution, no_solution, solve_subdistribution
from counterpulse.survival.follow_up import (
    ColumnOrArray,
    Floats,
    FollowUp,
    Indices,
    column_names,
    read_follow_up,
    time_order,
    with_column,
)
from counterpulse.survival.subdistribution_sets import subdistribution_sets

MEASURE = "subdistribution hazard ratio"
SubdistributionVariance = Literal["fine-gray", "robust", "model"]
TiedCensoring = Literal["with-events", "after-events"]
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "variance": ("fine-gray", "robust", "model"),
    "tied_censoring": ("with-events", "after-events"),
    "ties": ("breslow", "efron"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FineGrayFit:
    """A fitted model of the subdistribution hazard of one cause; log hazard ratios, conditional on the other covariates.

    Attributes
    ----------
    parameters : log subdistribution hazard ratios with the covariance used for intervals and tests
    model_covariance : inverse information, shape (p, p)
    cause, other_causes : the cause of interest, and those that can come before it
    events, other_events, n, n_missing : counts of rows
    rows_used : indices into the table in the order of the model's rows (rising time), shape (n,)
    columns, spec, center : what the coefficients belong to, the coding for new rows, and the means of the columns
    hazard : cumulative subdistribution hazard and incidence at `center`, by event time
    """

    parameters: Coefficients
    model_covariance: Floats
    cause: str
    other_causes: tuple[str, ...]
    log_likelihood_null: float
    log_likelihood: float
    n: int
    events: int
    other_events: int
    n_missing: int
    rows_used: Indices
    terms: tuple[Term, ...]
    columns: tuple[DesignColumn, ...]
    spec: DesignSpec
    center: Floats
    single_level: tuple[str, ...]
    clusters: int | None
    status: Status
    hazard: pl.DataFrame
    end_of_follow_up: float
    provenance: Provenance

    @property
    def coefficients(self) -> Floats:
        """Log subdistribution hazard ratios, shape (p,); nan where the status is not OK."""
        return self.parameters.values

    def estimates(self) -> tuple[Estimate, ...]:
        """Subdistribution hazard ratios on the log scale, and a status for every term of one level."""
        fitted = (self.parameters.estimate(at, measure=MEASURE, scale="log") for at in range(len(self.columns)))
        status = self.status if self.status in (Status.NO_ROWS, Status.NO_EVENTS) else Status.CONSTANT
        absent = (
            Estimate(term=name, variable=name, measure=MEASURE, scale="log", value=np.nan, status=status)
            for name in self.single_level
        )
        return (*fitted, *absent)

    def contrast(self, weights: Mapping[str, float], *, term: str = "") -> Estimate:
        """Combine log subdistribution hazard ratios linearly, by coefficient name."""
        return self.parameters.contrast(weights, measure=MEASURE, scale="log", term=term)

    def wald(self, names: Sequence[str]) -> WaldTest:
        """Test jointly that the named coefficients are zero."""
        return self.parameters.wald(names)

    def incidence(self, table: pl.DataFrame, time: float) -> Floats:
        """Predict the cumulative incidence of the cause by a time for every row, shape (n,).

        nan where a covariate is missing, everywhere if the fit failed, and beyond the end of follow-up.
        """
        out = np.full(table.height, np.nan)
        if self.status is not Status.OK or not 0 <= time <= self.end_of_follow_up:
            return out
        rows = np.flatnonzero(complete_rows(table, [name for term in self.terms for name in variables_of(term)]))
        predictor = (self.spec.matrix(table, rows) - self.center) @ np.nan_to_num(self.coefficients)
        passed = int(np.searchsorted(self.hazard["time"].to_numpy(), time, side="right"))
        baseline = float(self.hazard["cumulative_hazard"][passed - 1]) if passed else 0.0
        out[rows] = -np.expm1(-baseline * np.exp(predictor))
        return out

    def tidy(self) -> pl.DataFrame:
        """One row a coefficient; subdistribution hazard ratios."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row on the fit."""
        return pl.DataFrame(
            {
                "cause": [self.cause], "n": [self.n], "events": [self.events], "other_events": [self.other_events],
                "n_missing": [self.n_missing], "log_likelihood_null": [self.log_likelihood_null],
                "log_likelihood": [self.log_likelihood], "clusters": [self.clusters], "status": [self.status.code],
            }
        )  # fmt: skip


def fine_gray(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    terms: Sequence[Term],
    cause: str | int | None = None,
    censoring_strata: ColumnOrArray | None = None,
    weights: ColumnOrArray | None = None,
    cluster: ColumnOrArray | None = None,
    variance: SubdistributionVariance = "fine-gray",
    ties: Ties = "breslow",
    tied_censoring: TiedCensoring = "with-events",
    level: float = 0.95,
) -> FineGrayFit:
    """Model how covariates change the cumulative incidence of one cause while others can come before it.

    Parameters
    ----------
    table : one row a patient
    time : end of follow-up (numeric, not negative)
    event : what ended it: a category whose first level is censoring, or whole numbers of which 0 is censoring
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`; they do not change with time
    cause : the level (or number) of the cause of interest; default the first after censoring
    censoring_strata : column(s) or array within which the curve of the censoring is estimated (default: one curve)
    weights : column or array, not negative; they also weight the curve of the censoring
    cluster : column(s) or array of what holds rows that belong together, for the two sandwiches
    variance : "fine-gray" (the sandwich that counts the estimation of the censoring; R's cmprsk), "robust" (the sandwich
        with the censoring taken as known; R's coxph on finegray rows with the patient as cluster) or "model"
    ties : likelihood of tied events
    tied_censoring : whether those with an event at a time are at risk of being censored at it ("with-events"; R's cmprsk)
        or not ("after-events"; R's survival)
    level : of confidence intervals

    Returns
    -------
    FineGrayFit : coefficients that cannot be estimated have a status, not a number

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, an unknown cause or option

    Notes
    -----
    A subdistribution hazard ratio tells the direction in which a covariate moves the cumulative incidence, not by how much,
    and is no rate ratio among those at risk: show the cause-specific hazard ratios beside it. Assumes proportional
    subdistribution hazards and, within `censoring_strata`, censoring that is independent of covariates and causes. The
    sandwiches take weights as known. R's finegray leaves weights out of the curve of the censoring, and with strata the
    "fine-gray" sandwich counts the risk sets of each stratum, which that of crr does not. With fewer than 10 clusters there is no
    standard error.

    References
    ----------
    Fine and Gray 1999 (doi:10.1080/01621459.1999.10474144); Latouche and others 2013 (doi:10.1016/j.jclinepi.2012.09.017)
    """
    _check(terms, level, variance=variance, ties=ties, tied_censoring=tied_censoring)
    codes, named = read_causes(table, event)
    position = cause_position(named, cause)
    follow_up, observed = _read(table, codes, position, time, terms, censoring_strata, weights, cluster)
    order, times, _ = time_order(follow_up)
    rows, kinds = follow_up.rows[order], observed[order]
    design = build_design(table, terms, intercept=False, rows=rows)
    clusters, count = cluster_codes(table, cluster, rows)
    solution, center = _no_solution(kinds, design.spec, len(design.columns)), np.zeros(len(design.columns))
    if solution is None:
        center, scale = center_and_scale(design.X)
        sets = subdistribution_sets(
            times, kinds, weights=None if follow_up.weights is None else follow_up.weights[order],
            strata=None if follow_up.groups is None else follow_up.groups[order],
            events_first=tied_censoring == "after-events",
        )  # fmt: skip
        solution = solve_subdistribution(
            sets, design.X, scale, efron=ties == "efron", variance=variance, clusters=clusters, n_clusters=count
        )
    sandwich = clusters is not None and variance != "model"
    return FineGrayFit(
        parameters=Coefficients(
            columns=design.columns, values=solution.values, covariance=solution.covariance, statuses=solution.statuses,
            level=level, uncertainty=Status.FEW_CLUSTERS if sandwich and count < TOO_FEW else Status.OK,
            notes=few_clusters_notes(count if sandwich else None),
        ),
        model_covariance=solution.model_covariance, cause=named[position - 1],
        other_causes=tuple(name for at, name in enumerate(named, start=1) if at != position),
        log_likelihood_null=solution.log_likelihood_null, log_likelihood=solution.log_likelihood, n=len(rows),
        events=int(np.sum(kinds == 1)), other_events=int(np.sum(kinds == 2)), n_missing=follow_up.n_missing,
        rows_used=rows, terms=tuple(terms), columns=design.columns, spec=design.spec, center=center,
        single_level=tuple(
            variables_of(term)[0]
            for term, coding in zip(terms, design.spec.codings, strict=True)
            if not coding.columns()
        ),
        clusters=count if sandwich else None, status=solution.status, hazard=solution.hazard,
        end_of_follow_up=float(times[-1]) if len(times) else 0.0,
        provenance=_provenance(variance, ties, tied_censoring, stratified=censoring_strata is not None),
    )  # fmt: skip


def _check(terms: Sequence[Term], level: float, **given: str) -> None:
    if isinstance(terms, str) or not terms:
        raise InputError("'terms' is a list of at least one column name or term")
    for name, value in given.items():
        if value not in ALLOWED[name]:
            raise InputError(f"{name}={value!r} is not known; use {', '.join(ALLOWED[name])}")
    if not 0 < level < 1:
        raise InputError("'level' lies between 0 and 1, such as 0.95")


def _read(
    table: pl.DataFrame, codes: pl.Series, position: int, time: str, terms: Sequence[Term],
    strata: ColumnOrArray | None, weights: ColumnOrArray | None, cluster: ColumnOrArray | None,
) -> tuple[FollowUp, Indices]:  # fmt: skip
    """Complete follow-up, and how each ended: 0 censored, 1 the cause of interest, 2 another."""
    coded = with_column(table, "cluster", cluster).with_columns(codes, pl.lit(value=False).alias(OF_CAUSE))
    needed = [name for term in terms for name in variables_of(term)] + column_names(cluster, "cluster") + [CODES]
    follow_up = read_follow_up(coded, time=time, event=OF_CAUSE, weights=weights, groups=strata, also_complete=needed)
    ended = codes.fill_null(0).to_numpy()[follow_up.rows]
    return follow_up, np.where(ended == 0, 0, np.where(ended == position, 1, 2))


def _no_solution(kinds: Indices, spec: DesignSpec, p: int) -> SubdistributionSolution | None:
    """What is said of data to which no model can be fitted, or None."""
    if not len(kinds):
        return no_solution(Status.NO_ROWS, p)
    if not (kinds == 1).any():
        return no_solution(Status.NO_EVENTS, p)
    return no_solution(Status.FEW_VALUES, p) if spec.without_knots else None


def _provenance(variance: str, ties: str, tied_censoring: str, *, stratified: bool) -> Provenance:
    tie_reference = "efron-1977" if ties == "efron" else "breslow-1974"
    variance_reference = {"fine-gray": "fine-gray-1999", "robust": "lin-wei-1989", "model": None}[variance]
    citations = dict.fromkeys(("fine-gray-1999", "geskus-2011", tie_reference, variance_reference))
    return Provenance(
        method="Fine and Gray's model",
        choices=(
            Choice("variance", variance, "default" if variance == "fine-gray" else "given", variance_reference),
            Choice("ties", ties, "default" if ties == "breslow" else "given", tie_reference),
            Choice("tied censoring", tied_censoring, "default" if tied_censoring == "with-events" else "given"),
            Choice("curves of the censoring", "by stratum" if stratified else "one", "given" if stratified else "default"),
        ),
        citations=tuple(name for name in citations if name),
    )  # fmt: skip
