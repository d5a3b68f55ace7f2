"""From a fitted model to the rows of a study: the exposure first, then what it was adjusted for, then subgroups."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from counterpulse.data.design import INTERCEPT
from counterpulse.data.terms import Term
from counterpulse.results import Cell, Estimate, EstimateRow, GroupCount, Status
from counterpulse.study.answers.effect_curves import effect_curves, spline_choices
from counterpulse.study.answers.fitted_model import (
    Fit,
    FittedModel,
    ModelKind,
    complete_df,
    effective_patients,
    group_counts,
    no_effect,
    patients,
    total_events,
)
from counterpulse.study.answers.joint_tests import joint_tests
from counterpulse.study.answers.subgroup_answers import subgroup_answer
from counterpulse.study.request import Answer, Evidence, Request, place


def answer_model(request: Request, fit: Fit, kind: ModelKind) -> tuple[Answer, FittedModel]:
    """Fit the planned model and place its coefficients."""
    exposure = (request.group,) if request.group is not None else ()
    terms: tuple[Term, ...] = (*exposure, *request.analysis.terms)
    model = fit(request.frame, terms)
    groups = group_counts(request, model.rows_used)
    conditional = kind.estimand or ("conditional" if request.analysis.terms else "marginal")
    rows = [
        place(
            request, estimate, role=_role(request, estimate), kind=conditional,
            n=patients(request, model.rows_used), events=total_events(request, model.rows_used),
            n_missing=model.n_missing, clusters=model.clusters, effective_n=effective_patients(request, model.rows_used),
            groups=groups if estimate.variable == request.group else (),
            notes=kind.notes if estimate.variable == request.group else (),
        )
        for estimate in sorted(_estimates(model), key=lambda item: item.variable != request.group)
        if estimate.variable != INTERCEPT
    ]  # fmt: skip
    rows = [*_exposure_rows(request, model, kind, groups, conditional, rows), *_others(request, rows)]
    df = complete_df(request, model)
    evidence = {row.id: Evidence(df_complete=df) for row in rows} if df is not None else {}
    joint = joint_tests(request, model)
    rows += [row for row, _ in joint]
    evidence |= {row.id: found for row, found in joint if found is not None}
    splines = spline_choices(model)
    answer = Answer(
        rows=tuple(rows),
        blocks=effect_curves(request, model, kind),
        details=_fit_details(request, model, kind),
        choices=(*(replace(choice, origin="derived") for choice in model.provenance.choices), *splines),
        citations=(*model.provenance.citations, *(str(choice.reference) for choice in splines)),
        n_missing=model.n_missing,
        evidence=evidence,
    )
    if request.plan.subgroups is not None and request.plan.subgroups.of == request.analysis.id and exposure:
        answer = answer.joined(subgroup_answer(request, fit, kind, rows[0], groups))
    return answer, model


def _fit_details(request: Request, model: FittedModel, kind: ModelKind) -> dict[str, Cell]:
    """How many parameters were estimated, and what a comparison of models needs."""
    k = sum(status is Status.OK for status in model.parameters.statuses) + kind.further
    details: dict[str, Cell] = {f"{request.name}: parameters": k}
    if request.weights is None and kind.log_likelihood is not None and isfinite(value := kind.log_likelihood(model)):
        details |= {f"{request.name}: log-likelihood": value, f"{request.name}: AIC": 2 * k - 2 * value}
    return details


def _estimates(model: FittedModel) -> list[Estimate]:
    """The estimates of a model, of which those of a spline are bare coefficients: only the curve is an effect."""
    names = {name for spline in model.spec.splines for name in model.spec.columns_of(spline.variable)}
    bare = {(column.variable, column.term) for column in model.spec.columns if column.name in names}
    return [
        replace(item, measure="coefficient", scale="identity") if (item.variable, item.term) in bare else item
        for item in model.estimates()
    ]


def _others(request: Request, rows: list[EstimateRow]) -> list[EstimateRow]:
    return [row for row in rows if row.estimate.variable != request.group]


def _exposure_rows(
    request: Request, model: FittedModel, kind: ModelKind, groups: tuple[GroupCount, ...], conditional: str,
    rows: list[EstimateRow],
) -> list[EstimateRow]:  # fmt: skip
    """One row a treated group, in the order of the protocol; a group that could not be compared says why."""
    if request.group is None:
        return []
    found = {
        row.estimate.term: row
        for row in rows
        if row.estimate.variable == request.group and row.estimate.reference == request.reference
    }
    return [
        found.get(treated) or _no_contrast(request, model, kind, groups, conditional, treated)
        for treated in request.treated
    ]


def _role(request: Request, estimate: Estimate) -> str | None:
    return None if request.group is None or estimate.variable == request.group else "covariate"


def _no_contrast(
    request: Request,
    model: FittedModel,
    kind: ModelKind,
    groups: tuple[GroupCount, ...],
    conditional: str,
    treated: str,
) -> EstimateRow:
    """The row of an exposure that the model could not compare, with the reason."""
    compared = [count.n for count in groups if count.group in (treated, request.reference)]
    empty = 0 in compared and any(count.n for count in groups)
    status = Status.EMPTY_GROUP if empty else model.status if model.status is not Status.OK else Status.UNDEFINED
    estimate = no_effect(request, kind, status, treated)
    return place(
        request,
        estimate,
        kind=conditional,
        n=patients(request, model.rows_used),
        events=total_events(request, model.rows_used),
        n_missing=model.n_missing,
        groups=groups,
    )
