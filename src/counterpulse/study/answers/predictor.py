"""What predicts in an analysis of prediction quality: a model fitted here, a score of points, or a stated risk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.results import Block, Cell, Estimate, EstimateRow, Notice, Status
from counterpulse.results.predictions import CurvePoint
from counterpulse.results.wald import no_estimate
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import Request, block_id, place, slug

Floats = NDArray[np.float64]
Kind = Literal["model", "score", "risk"]

APPARENT = "Judged on the patients the model was made from, so too good; read the corrected values."
RECALIBRATED = (
    "Points are no risks: these are the risks of a logistic (or Cox) regression on the score in these patients."
)

RISK = "predicted risk."
"""A column beside those of the study (no name of the language holds a dot)."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """One predictor; `name` is its variable, and "model" for a model."""

    kind: Kind
    name: str


def predictors(request: Request) -> tuple[Predictor, ...]:
    """The predictors that the plan names, the model first."""
    found = [Predictor("model", "model")] if request.analysis.terms else []
    for kind in ("score", "risk"):
        name = request.option(kind)
        if name is not None:
            found.append(Predictor(kind, name))
    return tuple(found)


def complete_for(request: Request, names: Sequence[str]) -> pl.DataFrame:
    """The rows that have the outcome and every variable named."""
    needed = [*columns_of(request.outcome.name, request.outcome.kind), *names]
    return request.frame.drop_nulls(list(dict.fromkeys(needed)))


def labeled(request: Request, predictor: Predictor) -> str:
    """How the predictor is printed."""
    planned = request.plan.variables.get(predictor.name)
    return "the model" if predictor.kind == "model" or planned is None else planned.label


def rows_of(
    request: Request, predictor: Predictor, estimates: Iterable[Estimate], *, n: int, events: int, notes: tuple[str, ...] = ()
) -> tuple[EstimateRow, ...]:  # fmt: skip
    """Estimates of a predictor in their places."""
    found = []
    for estimate in estimates:
        term = ", ".join(part for part in (predictor.name, estimate.term) if part and part != predictor.name)
        term = term if predictor.name in term else ", ".join(part for part in (predictor.name, term) if part)
        found.append(
            place(
                request, replace(estimate, term=term, variable=None if predictor.kind == "model" else predictor.name),
                n=n, events=events, n_missing=request.frame.height - n, notes=notes,
            )
        )  # fmt: skip
    return tuple(found)


def no_score(
    request: Request, predictor: Predictor, measure: str, status: Status = Status.MISSING_INPUT
) -> EstimateRow:
    """The row of a predictor that nobody has."""
    return rows_of(request, predictor, [no_estimate(measure, status)], n=0, events=0)[0]


def block(request: Request, predictor: Predictor, kind: str, columns: dict[str, Sequence[Cell]]) -> Block:
    """A curve of a predictor."""
    name = block_id(request, *((slug(predictor.name),) if predictor.name else ()), kind)
    length = max((len(column) for column in columns.values()), default=0)
    return Block(
        id=name, analysis=request.analysis.id, kind=kind,
        columns={"model": (labeled(request, predictor),) * length, **{key: tuple(cells) for key, cells in columns.items()}},
    )  # fmt: skip


def calibration_block(
    request: Request, predictor: Predictor, curve: Sequence[CurvePoint], groups: Sequence[CurvePoint]
) -> tuple[Block, ...]:
    """The smooth curve and the tenths; nothing where there is neither."""
    points = [*(("smooth", point) for point in curve), *(("decile", point) for point in groups)]
    if not points:
        return ()
    columns: dict[str, Sequence[Cell]] = {
        "kind": [kind for kind, _ in points],
        "predicted": [point.predicted for _, point in points],
        "observed": [point.observed for _, point in points],
        "conf_low": numbers(point.low for _, point in points),
        "conf_high": numbers(point.high for _, point in points),
        "n": [point.n for _, point in points],
    }
    return (block(request, predictor, "calibration-curve", columns),)


def decision_block(
    request: Request, predictor: Predictor, threshold: Floats, model: Floats, everybody: Floats
) -> Block:
    """Net benefit of the predictor, of treating all and of treating none."""
    strategies = (
        (labeled(request, predictor), model),
        ("Treat all", everybody),
        ("Treat none", np.zeros(len(threshold))),
    )
    made = block(
        request, predictor, "decision-curve",
        {"threshold": threshold.tolist() * 3, "net_benefit": numbers(np.concatenate([values for _, values in strategies]))},
    )  # fmt: skip
    names = tuple(name for name, _ in strategies for _ in threshold)
    return replace(made, columns={**made.columns, "model": names})


def numbers(values: Iterable[float]) -> list[Cell]:
    """Numbers as a block holds them: nothing where there is none."""
    return [float(value) if np.isfinite(value) else None for value in values]


def turned_notice(request: Request, predictor: Predictor, c: float) -> tuple[Notice, ...]:
    """What is to be said of a score that goes the other way."""
    if predictor.kind == "model" or not c < 0.5:
        return ()
    text = (
        f"{labeled(request, predictor)}: more goes with fewer events (c-statistic below 0.5). Where a high score means a "
        "low risk, derive its negative under `variables` and name that."
    )
    return (Notice("W650", request.analysis.id, text),)
