"""What a fitted model is to a study, and whom it counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import DesignSpec
from counterpulse.data.terms import Term
from counterpulse.propensity.balance import effective_size
from counterpulse.results import Estimate, GroupCount, Provenance, Scale, Status
from counterpulse.results.coefficients import LEFT_OUT, Coefficients
from counterpulse.study.request import START, Evidence, Request, event_column, time_column


class FittedModel(Protocol):
    """What every model of the house returns."""

    @property
    def parameters(self) -> Coefficients:
        """The coefficients with the covariance used."""

    @property
    def spec(self) -> DesignSpec:
        """The coding of the terms."""

    @property
    def n(self) -> int:
        """Rows used."""

    @property
    def n_missing(self) -> int:
        """Rows left out for a missing value."""

    @property
    def rows_used(self) -> NDArray[np.intp]:
        """Indices of the rows used."""

    @property
    def clusters(self) -> int | None:
        """How many clusters, if the variance is robust to them."""

    @property
    def status(self) -> Status:
        """Of the fit as a whole."""

    @property
    def provenance(self) -> Provenance:
        """How it was made."""

    def estimates(self) -> tuple[Estimate, ...]:
        """One a coefficient, on the estimation scale."""


Fit = Callable[[pl.DataFrame, Sequence[Term]], FittedModel]
ROBUST = ("robust", "gee")
"""Ways of treating clusters in which the variance rests on how many there are."""


@dataclass(frozen=True, slots=True)
class ModelKind:
    """How a model's coefficients are read; interactions are tested by likelihood ratio where there is a `log_likelihood`.

    `further` are parameters besides the coefficients, such as a dispersion.
    `estimand` is "conditional" or "marginal" where that does not depend on covariates; `notes` go to every effect.
    """

    measure: str
    scale: Scale
    log_likelihood: Callable[[Any], float] | None = None
    further: int = 0
    estimand: str | None = None
    notes: tuple[str, ...] = ()


def complete_df(request: Request, model: FittedModel) -> float | None:
    """Degrees of freedom without missing values, where the model's own tests are by z: events or patients less coefficients.

    Where a robust variance rests on clusters there are no more than clusters less one.
    """
    if model.parameters.df is not None or model.parameters.small_sample is not None:
        return None
    estimated = sum(status not in LEFT_OUT for status in model.parameters.statuses)
    timed = request.outcome.kind == "time-to-event"
    used = total_events(request, model.rows_used) if timed else patients(request, model.rows_used)
    planned = request.analysis.clusters
    dependent = planned is not None and planned.treat_as in ROBUST and model.clusters is not None
    most = (model.clusters or 0) - 1 if dependent else inf
    return float(max(1, min((used or 0) - estimated, most)))


def joint_evidence(request: Request, model: FittedModel, names: Sequence[str]) -> Evidence | None:
    """The coefficients behind a joint test, for pooling; nothing where one of them could not be estimated.

    The covariance is the one with which Wald's statistic is the F of the test, small-sample factor and all.
    """
    parameters = model.parameters
    at = [position for name in names if parameters.statuses[position := parameters.index(name)] not in LEFT_OUT]
    if not at or any(parameters.statuses[position] is not Status.OK for position in at):
        return None
    factor, df = 1.0, complete_df(request, model) if parameters.df is None else parameters.df
    if parameters.small_sample is not None:
        factor, df = parameters.small_sample.joint(np.eye(len(parameters.values))[at])
    return Evidence(
        df_complete=df, names=tuple(parameters.columns[position].name for position in at),
        values=tuple(parameters.values[at].tolist()),
        covariance=tuple(map(tuple, (parameters.covariance[np.ix_(at, at)] / factor).tolist())),
    )  # fmt: skip


def no_effect(request: Request, kind: ModelKind, status: Status, treated: str) -> Estimate:
    """The effect of a treatment that could not be estimated, with the reason."""
    return Estimate(
        term=treated, variable=request.group, reference=request.reference, measure=kind.measure,
        scale=kind.scale, value=nan, status=status,
    )  # fmt: skip


def patients(request: Request, rows: NDArray[np.intp]) -> int:
    """How many patients the rows are of."""
    return len(np.unique(request.sample.row_of_origin[rows]))


def effective_patients(request: Request, rows: NDArray[np.intp]) -> float | None:
    """How many patients of equal weight would tell as much as the rows, summed over the groups; None without weights."""
    if request.weights is None or request.group is None:
        return None
    rows = np.sort(rows)  # a sum of floating-point numbers depends on their order
    weights = request.frame[request.weights].gather(rows).to_numpy()
    group = request.frame[request.group].gather(rows).cast(pl.String).to_numpy()
    return sum(effective_size(weights[group == level.level]) for level in request.plan.groups)


def total_events(request: Request, rows: NDArray[np.intp]) -> int | None:
    """How many events the rows hold."""
    column = _event_name(request)
    return None if column is None else int(request.frame[column].gather(rows).sum() or 0)


def _event_name(request: Request) -> str | None:
    if request.outcome.kind == "time-to-event":
        return event_column(request.outcome.name)
    return request.outcome.name if request.outcome.kind == "binary" else None


def group_counts(
    request: Request, rows: NDArray[np.intp], among: NDArray[np.bool_] | None = None
) -> tuple[GroupCount, ...]:
    """Patients, events and follow-up of each compared group in the rows used."""
    if request.group is None:
        return ()
    if among is not None:
        rows = rows[among[rows]]
    frame, event = request.frame, _event_name(request)
    group = frame[request.group].gather(rows).cast(pl.String).to_numpy()
    events = None if event is None else frame[event].gather(rows).cast(pl.Float64).to_numpy()
    spent = _person_time(request, rows)
    return tuple(
        _group_count(request, level.level, group == level.level, rows, events, spent) for level in request.plan.groups
    )


def _person_time(request: Request, rows: NDArray[np.intp]) -> NDArray[np.float64] | None:
    if request.outcome.kind != "time-to-event":
        return None
    stop = request.frame[time_column(request.outcome.name)].gather(rows).to_numpy()
    if START not in request.frame.columns:
        return stop.astype(np.float64)
    spent: NDArray[np.float64] = stop - request.frame[START].gather(rows).to_numpy()
    return spent


def _group_count(
    request: Request, level: str, member: NDArray[np.bool_], rows: NDArray[np.intp],
    events: NDArray[np.float64] | None, spent: NDArray[np.float64] | None,
) -> GroupCount:  # fmt: skip
    n = patients(request, rows[member])
    count = None if events is None else int(np.nansum(events[member]))
    risk = count / n if count is not None and n and spent is None else None
    return GroupCount(
        group=level, n=n, events=count, person_time=None if spent is None else float(spent[member].sum()), risk=risk
    )
