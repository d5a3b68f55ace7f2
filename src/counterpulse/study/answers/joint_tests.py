"""One test of a variable that has several coefficients: of all of them, and of those that bend a spline."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

from counterpulse.data.design import INTERCEPT
from counterpulse.results import Estimate, EstimateRow
from counterpulse.study.answers.fitted_model import FittedModel, joint_evidence, patients, total_events
from counterpulse.study.request import Evidence, Request, place


def joint_tests(request: Request, model: FittedModel) -> list[tuple[EstimateRow, Evidence | None]]:
    """The Wald tests of every spline, and of every other such variable where the request asks for them, with what they rest on."""
    return [
        (_tested(request, model, *test), joint_evidence(request, model, test[2]))
        for test in (*_of_splines(model), *_of_others(request, model))
    ]


def _of_splines(model: FittedModel) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Variable, measure and coefficients; those of its interactions among them."""
    for spline in model.spec.splines:
        yield spline.variable, "overall", model.spec.columns_of(spline.variable)
        yield spline.variable, "nonlinearity", model.spec.columns_of(spline.variable, nonlinear=True)


def _of_others(request: Request, model: FittedModel) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    splines = {spline.variable for spline in model.spec.splines}
    columns = model.parameters.columns if request.overall else ()
    for variable in dict.fromkeys(column.variable for column in columns):
        names = tuple(column.name for column in columns if column.variable == variable)
        if variable not in (INTERCEPT, request.group, *splines) and len(names) > 1:
            yield variable, "overall", names


def _tested(request: Request, model: FittedModel, variable: str, measure: str, names: tuple[str, ...]) -> EstimateRow:
    wald = model.parameters.wald(names)
    estimate = Estimate(
        term=variable, variable=variable, measure=measure, value=nan, statistic=wald.statistic,
        statistic_name=f"Wald {wald.statistic_name}", df=wald.df, p_value=wald.p_value, status=wald.status,
    )  # fmt: skip
    return place(
        request, estimate, role=None if request.group is None else "covariate", n=patients(request, model.rows_used),
        events=total_events(request, model.rows_used), n_missing=model.n_missing, clusters=model.clusters,
    )  # fmt: skip
