"""The curve of an effect over the values of every spline of a model."""

from __future__ import annotations

from counterpulse import regression
from counterpulse.results import Block, Choice
from counterpulse.study.answers.fitted_model import FittedModel, ModelKind
from counterpulse.study.request import Request, block_id


def effect_curves(request: Request, model: FittedModel, kind: ModelKind) -> tuple[Block, ...]:
    """One block a spline, between the 1st and 99th percentile of the rows used: no extreme of a single patient."""
    return tuple(
        regression.effect_curve(model, variable=spline.variable, measure=kind.measure, scale=kind.scale).block(
            block_id(request, spline.variable, "effect-curve"), analysis=request.analysis.id
        )
        for spline in model.spec.splines
    )


def spline_choices(model: FittedModel) -> tuple[Choice, ...]:
    """Where the knots of each spline came to lie, and the value its curve is read against."""
    return tuple(
        Choice(
            f"spline of {spline.variable}",
            f"knots at {', '.join(f'{knot:g}' for knot in spline.knots)}; reference {spline.reference:g}",
            "derived",
            "harrell-2015",
        )
        for spline in model.spec.splines
        if spline.knots
    )
