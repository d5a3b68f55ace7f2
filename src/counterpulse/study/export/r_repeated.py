"""Repeated measurements in R: a random intercept for each patient, or estimating equations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from counterpulse.data.terms import Interaction, Numeric, Spline, Term
from counterpulse.expression import r_name, r_text
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_models import Model, coefficient_lines, data_lines, fit_lines, has_number
from counterpulse.study.methods.repeated_measures import KNOTS
from counterpulse.study.request import time_column

BETWEEN = ("variance between clusters", "intraclass correlation", "median odds ratio")


def repeated_lines(part: Part) -> Iterator[str]:
    """The fit, its coefficients, the differences of the groups over time."""
    time = time_column(part.outcome.name)
    model = MODELS[part.option("model")]
    moving = Spline(time, KNOTS) if part.option("time") == "spline" else Numeric(time)
    courses = part.group is not None and bool(part.analysis.options.get("interaction"))
    besides: tuple[Term, ...] = (moving, Interaction(str(part.group), moving)) if courses else (moving,)
    long = replace(part, terms=(*part.terms, *besides))
    yield f'sample <- measured(sample, "measurements.csv", {r_text(part.outcome.name)}, {r_text(time)}{_from(part)})'
    yield from data_lines(long, long.model_terms, model)
    yield from fit_lines(long, model, long.model_terms)
    others = [row for row in part.rows if not (courses and row.estimate.variable == part.group)]
    yield from coefficient_lines(long, model, others, long.model_terms)
    yield from between_lines(part)
    if courses:
        for row in part.rows:
            if row.estimate.variable == part.group and has_number(row):
                yield from _course(row, part, moving)


def between_lines(part: Part) -> Iterator[str]:
    """What lies between clusters."""
    for row in part.rows:
        if row.estimate.measure in BETWEEN and has_number(row):
            value = f"m$between[[{r_text(row.estimate.measure)}]]"
            logged = row.estimate.scale == "log"
            yield f"put({r_text(row.id)}, {f'log({value}), natural = exp' if logged else value})"


def _from(part: Part) -> str:
    """The hours of the landmark from which measurements count."""
    return f", from = {part.landmark.hours!r}" if part.landmark is not None else ""


def _course(row: EstimateRow, part: Part, moving: Numeric | Spline) -> Iterator[str]:
    group, found, level = str(part.group), row.estimate, f"level = {part.analysis.level!r}"
    own = f"{group}{found.term}"
    if found.measure == "interaction":
        yield f"joint({r_text(row.id)}, m, product_of(m, {r_text(group)}, {r_text(moving.variable)}))"
    elif found.measure == "slope difference":
        yield f"wald({r_text(row.id)}, m, {r_text(f'{own}:{moving.variable}')}, {level})"
    elif found.at is not None:
        products, weights = _at(own, moving, found.at.time)
        yield f"wald({r_text(row.id)}, m, c({r_text(own)}, {products}), {level}, weights = c(1, {weights}))"


def _at(own: str, moving: Numeric | Spline, at: float) -> tuple[str, str]:
    if isinstance(moving, Numeric):
        return r_text(f"{own}:{moving.variable}"), repr(at)
    names = ", ".join(r_text(f"{own}:{moving.variable}_s{number}") for number in range(1, KNOTS))
    return names, f"unlist(spline_columns({at!r}, {KNOTS}, from = d${r_name(moving.variable)}))"


def _equations(part: Part) -> str:
    return f"estimating_equations({{formula}}, d, d$row., gaussian, {r_text(part.option('correlation'))})"


def _y(part: Part) -> str:
    return r_name(part.outcome.name)


def _itself(part: Part) -> str:
    return "fit"


MODELS = {
    "random-intercept": Model(
        measures=("mean difference",), response=_y, natural="identity", fit=lambda part: "mixed({formula}, d, d$row.)",
        numbers=_itself, packages=("lme4", "lmerTest"),
    ),
    "gee": Model(
        measures=("mean difference",), response=_y, natural="identity", fit=_equations, numbers=_itself, packages=("geepack",),
    ),
}  # fmt: skip
