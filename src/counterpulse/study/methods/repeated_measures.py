"""Repeated measurements of a patient: the difference of means, over all times or at given ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Interaction, Numeric, Spline, Term
from counterpulse.regression import GeeFit, RandomInterceptFit
from counterpulse.results import At, Choice, Estimate, EstimateRow, Status
from counterpulse.study.answers.fitted_model import (
    FittedModel,
    ModelKind,
    complete_df,
    group_counts,
    joint_evidence,
    patients,
)
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.planning.clusters import Way
from counterpulse.study.request import Answer, Evidence, Request, place, time_column

PATIENT = "patient."
UNIT = "hours"
KNOTS = 4

WITHIN = "Conditional on the patient: measurements of one patient share an intercept."
AVERAGED = "Population-averaged over patients."


def _random_intercept(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> RandomInterceptFit:
    return regression.mixed_linear(
        frame, outcome=request.outcome.name, terms=terms, cluster=PATIENT, level=request.analysis.level
    )


def _gee(request: Request, frame: pl.DataFrame, terms: Sequence[Term]) -> GeeFit:
    return regression.gee(
        frame, outcome=request.outcome.name, terms=terms, cluster=PATIENT, family="gaussian",
        correlation=request.option("correlation"), level=request.analysis.level,
    )  # fmt: skip


WAYS: Mapping[str, Way] = {
    "random-intercept": Way(
        _random_intercept, ModelKind("mean difference", "identity", estimand="conditional", notes=(WITHIN,))
    ),
    "gee": Way(_gee, ModelKind("mean difference", "identity", estimand="marginal", notes=(AVERAGED,))),
}


@dataclass(frozen=True, slots=True)
class Courses:
    """A fitted model whose groups have courses of their own over time."""

    request: Request
    model: FittedModel
    kind: ModelKind
    time: Numeric | Spline

    def differences(self, times: Sequence[float]) -> Iterator[EstimateRow]:
        """The difference of every treated group from the reference at each time."""
        for treated in self.request.treated:
            for time in times:
                yield self._placed(replace(self._difference(treated, time), at=At(time, UNIT)))

    def slopes(self) -> Iterator[EstimateRow]:
        """How much faster the mean of a treated group changes, where time is linear."""
        if isinstance(self.time, Spline):
            return
        for treated in self.request.treated:
            estimate = self._contrast(treated, {f"{self.request.group}={treated}:{self.time.variable}": 1.0})
            unit = f"{self.request.outcome.unit} per hour" if self.request.outcome.unit else "per hour"
            yield self._placed(replace(estimate, measure="slope difference", unit=unit))

    def products(self) -> list[str]:
        """The coefficients by which the courses differ."""
        product = f"{self.request.group}:{self.time.variable}"
        return [column.name for column in self.model.parameters.columns if column.variable == product]

    def evidence(self, effects: Iterable[EstimateRow], test: EstimateRow) -> dict[str, Evidence]:
        """What pooling over imputed tables needs of the differences and of the test."""
        df = complete_df(self.request, self.model)
        known = {} if df is None else {row.id: Evidence(df_complete=df) for row in effects}
        joint = joint_evidence(self.request, self.model, self.products()) if test.estimate.status is Status.OK else None
        return known if joint is None else {**known, test.id: joint}

    def interaction(self) -> EstimateRow:
        """One test that the courses of all groups are parallel."""
        names = self.products()
        test = self.model.parameters.wald(names) if names else None
        fitted = test is not None and self.model.status is Status.OK
        estimate = Estimate(
            term="time", variable=str(self.request.group), measure="interaction", value=nan,
            statistic=test.statistic if test and fitted else None,
            statistic_name=f"Wald {test.statistic_name}" if test and fitted else None,
            df=test.df if test and fitted else None, p_value=test.p_value if test and fitted else None,
            status=test.status if test and fitted else self.model.status,
        )  # fmt: skip
        n = patients(self.request, self.model.rows_used)
        return place(self.request, estimate, n=n, clusters=self.model.clusters)

    def _difference(self, treated: str, time: float) -> Estimate:
        """Weights are the difference of two rows of the design that differ in the group alone."""
        request, group = self.request, str(self.request.group)
        if self.model.status is not Status.OK:
            return self._contrast(treated, {})
        kind = request.frame[group].dtype
        two = request.frame[self.model.rows_used[[0, 0]]].with_columns(
            pl.Series(group, [treated, request.reference], dtype=kind),
            pl.Series(self.time.variable, [time, time], dtype=pl.Float64),
        )
        first, second = self.model.spec.matrix(two)
        columns = self.model.spec.columns
        weights = {column.name: float(w) for column, w in zip(columns, first - second, strict=True) if w != 0}
        return self._contrast(treated, weights)

    def _contrast(self, treated: str, weights: Mapping[str, float]) -> Estimate:
        group, known = str(self.request.group), {column.name for column in self.model.parameters.columns}
        if not weights or not set(weights) <= known:
            status = Status.EMPTY_GROUP if self.model.status is Status.OK else self.model.status
            if self.request.frame[self.request.outcome.name].null_count() == self.request.frame.height:
                status = Status.NO_MEASUREMENT
            return Estimate(
                term=treated, variable=group, reference=self.request.reference, measure="mean difference", value=nan,
                status=status,
            )  # fmt: skip
        return self.model.parameters.contrast(
            weights, measure="mean difference", scale="identity", term=treated, variable=group,
            reference=self.request.reference,
        )  # fmt: skip

    def _placed(self, estimate: Estimate) -> EstimateRow:
        return place(
            self.request, estimate, kind=self.kind.estimand or "marginal", n=patients(self.request, self.model.rows_used),
            n_missing=self.model.n_missing, clusters=self.model.clusters, notes=self.kind.notes,
            groups=group_counts(self.request, self.model.rows_used),
        )  # fmt: skip


def estimate(request: Request) -> Answer:
    """The difference of means between the groups, over all times or as it changes with time."""
    request = _in_order(request)
    time = _time(request)
    courses = request.group is not None and bool(request.option("interaction"))
    besides: tuple[Term, ...] = (time, Interaction(str(request.group), time)) if courses else (time,)
    modelled = replace(
        request, analysis=replace(request.analysis, terms=(*request.analysis.terms, *besides)),
    )  # fmt: skip
    way = WAYS[str(request.option("model"))]

    def fit(frame: pl.DataFrame, terms: Sequence[Term]) -> FittedModel:
        return way.fit(request, frame, terms)

    answer, model = answer_model(modelled, fit, way.kind)
    answer = replace(answer, rows=tuple(map(_of_patients, answer.rows)))
    if not courses:
        return answer
    own = Courses(request, model, way.kind, time)
    times, choice = _times(request, model)
    others = tuple(row for row in answer.rows if request.group not in str(row.estimate.variable).split(":"))
    effects, test = (*own.differences(times), *own.slopes()), own.interaction()
    return replace(
        answer, rows=(*effects, test, *others), choices=(*answer.choices, choice),
        evidence={**answer.evidence, **own.evidence(effects, test)},
    )  # fmt: skip


def _in_order(request: Request) -> Request:
    """Measurements in the order of their times, each with its patient."""
    sample = request.sample
    patient = sample.row_of_origin if sample.cluster is None else sample.cluster
    times = sample.frame[time_column(request.outcome.name)].cast(pl.Float64).fill_null(np.inf).to_numpy()
    order = np.lexsort((times, patient))
    frame = sample.frame.with_columns(pl.Series(PATIENT, patient))[order]
    ordered = replace(sample, frame=frame, row_of_origin=sample.row_of_origin[order], cluster=patient[order])
    return replace(request, sample=ordered)


def _time(request: Request) -> Numeric | Spline:
    name = time_column(request.outcome.name)
    return Spline(name, KNOTS) if request.option("time") == "spline" else Numeric(name)


def _times(request: Request, model: FittedModel) -> tuple[tuple[float, ...], Choice]:
    """The times of the plan in hours, else the middle one of those measured."""
    given = tuple(float(mark.within(UNIT)) for mark in request.option("at") or ())
    if given or not len(model.rows_used):
        return given, Choice("times of the differences", ", ".join(f"{mark:g} hours" for mark in given), "given")
    median = float(np.median(request.frame[time_column(request.outcome.name)].gather(model.rows_used).to_numpy()))
    return (median,), Choice("times of the differences", f"{median:g} hours, the median of those measured", "derived")


def _of_patients(row: EstimateRow) -> EstimateRow:
    """The row of a variance between clusters, which here are patients."""
    if row.estimate.variable != PATIENT:
        return row
    own = PATIENT.removesuffix(".")
    return replace(
        row, id=row.id.replace(PATIENT.replace(".", "_"), own), estimate=replace(row.estimate, term=own, variable=own)
    )


SPEC = MethodSpec(
    name="repeated-measures",
    label="a model of repeated measurements",
    about="differences of means were estimated from all measurements of each patient",
    outcomes=frozenset({"repeated"}),
    measures=("mean difference",),
    kind="conditional",
    options=(
        Option(
            name="model", default="random-intercept", kind="word", allowed=tuple(WAYS),
            about="how the measurements of a patient hang together",
            phrases=(
                ("random-intercept", "a linear mixed model with a random intercept for each patient was fitted by restricted maximum likelihood"),
                ("gee", "generalized estimating equations were solved, with a robust variance by patient"),
            ),
            references=(("random-intercept", "laird-ware-1982"), ("gee", "liang-zeger-1986")),
        ),
        Option(
            name="correlation", default="exchangeable", kind="word", allowed=("independence", "exchangeable", "ar1"),
            about="the working correlation of gee; ar1 is of measurements next to each other in time", words="",
        ),
        Option(
            name="time", default="linear", kind="word", allowed=("linear", "spline"), about="how the mean changes with time",
            phrases=(("linear", "time was entered as a linear term"), ("spline", "time was entered as a natural cubic spline with 4 knots")),
        ),
        Option(
            name="interaction", default=False, kind="yes-no",
            about="whether the difference between the groups changes with time",
            phrases=(("True", "the difference was allowed to change with time"), ("False", "")),
        ),
        Option(
            name="at", default=(), kind="lengths", about="times from time zero of the differences, with `interaction: yes`",
            words="",
        ),
    ),
    rules=(
        Rule("times of the differences", "as given; otherwise the median time of the measurements"),
        Rule("missing measurements", "missing at random for a random intercept, completely at random for gee"),
    ),
    adjustable=True,
    needs_groups=False,
    calls="counterpulse.regression.mixed_linear",
    citations=("laird-ware-1982",),
    estimate=estimate,
)  # fmt: skip
