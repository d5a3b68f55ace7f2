"""What the regressions of counts answer besides their coefficients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from operator import attrgetter

import polars as pl

from counterpulse.data.terms import Term
from counterpulse.regression import CountFit
from counterpulse.results import Cell
from counterpulse.study.answers.fitted_model import ModelKind
from counterpulse.study.answers.model_answers import answer_model
from counterpulse.study.method_spec import Option
from counterpulse.study.request import Answer, Request

EXPOSURE = Option(
    name="exposure", default=None, kind="name", about="the column of the person-time in which events were counted",
    words="the logarithm of {value} was the offset",
)  # fmt: skip


def count_answer(
    request: Request, model_of: Callable[..., CountFit], measure: str, *, dispersed: bool = False, **more: object
) -> Answer:
    """The ratio of the exposure, its covariates, and how much the counts vary beyond the model.

    Parameters
    ----------
    model_of : `regression.poisson` or `regression.negative_binomial`
    dispersed : whether the model has a parameter of its own for the dispersion
    more : what only this model is told
    """

    def fit(frame: pl.DataFrame, terms: Sequence[Term]) -> CountFit:
        return model_of(
            frame,
            outcome=request.outcome.name,
            terms=terms,
            exposure=request.option(EXPOSURE.name),
            cluster=request.cluster,
            cluster_variance=request.cluster_variance,
            level=request.analysis.level,
            **more,
        )

    log_likelihood = None if measure == "risk ratio" else attrgetter("log_likelihood")
    answer, model = answer_model(request, fit, ModelKind(measure, "log", log_likelihood, further=int(dispersed)))
    assert isinstance(model, CountFit)
    numbers = {"theta": model.theta, "theta, standard error": model.theta_std_error}
    if measure != "risk ratio":
        numbers["dispersion (Pearson)"] = model.dispersion
    details: dict[str, Cell] = {f"{request.name}: {name}": value for name, value in numbers.items() if not isnan(value)}
    return answer.joined(Answer(details=details))
