"""How the effect depends on variables of the studies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

import numpy as np
import polars as pl

from counterpulse.data.design import DesignColumn, build_design, complete_rows, is_categorical
from counterpulse.data.terms import Numeric, Term, variables_of
from counterpulse.errors import InputError
from counterpulse.results import Block, Cell, Estimate, EstimateRow, Notice, Status
from counterpulse.results.estimate import Interval, Scale
from counterpulse.study.request import Answer, place
from counterpulse.study.reviewing.answers.effects import Effects, block, cell, study_limits
from counterpulse.study.reviewing.answers.models import asked
from counterpulse.study.reviewing.columns import numbers
from counterpulse.synthesis.pooling.meta_regression import MetaRegression, meta_regression
from counterpulse.synthesis.pooling.permutation_test import permutation_test

POINTS = 41
ENOUGH = 10
"""Studies for each moderator below which a regression is told to be fragile (Cochrane Handbook, 10.11.4)."""


def regression_answer(effects: Effects) -> Answer:
    """Coefficients, one test of all moderators, what variance they leave, and a figure for each numeric one."""
    request = effects.request
    terms = request.option("moderators")
    names = [name for term in terms for name in variables_of(term)]
    known = np.flatnonzero(complete_rows(effects.frame, names))
    used, lost = effects.of(known), effects.k - len(known)
    try:
        design = build_design(used.frame, terms, intercept=True)
        columns = [column.name for column in design.columns[1:]]
        if design.spec.without_knots:
            raise InputError(
                f"{used.k} studies have too few values of {', '.join(design.spec.without_knots)} for the knots of a spline; take it as linear"
            )
        fit = meta_regression(used.yi, used.vi, design.X[:, 1:], names=columns, level=used.level, **_asked(effects))
    except InputError as error:
        return Answer(rows=(_refused(effects),), notices=(_told(effects, str(error)),), n_missing=lost)
    rows = [*_coefficients(used, fit, design.columns), *_left_over(used, fit)]
    answer = Answer(
        rows=tuple(rows),
        blocks=tuple(_bubbles(used, fit, terms)),
        details=_details(used, fit, lost),
        notices=tuple(_fragile(used, len(columns), lost)),
        citations=fit.provenance.citations,
        n_missing=lost,
    )
    if request.option("permutation") == "yes":
        return answer.joined(_permuted(used, design.X[:, 1:], columns))
    return answer


class _Asked(TypedDict):
    tau2: str
    interval: str
    convention: str | None


def _asked(effects: Effects) -> _Asked:
    """What a regression is asked for: it has no prediction interval of its own, nor the wider interval."""
    known = asked(effects)
    interval = "hartung-knapp-truncated" if known["interval"] == "hartung-knapp-wider" else known["interval"]
    interval = "hartung-knapp" if interval == "kenward-roger" else interval
    return {"tau2": known["tau2"], "interval": interval, "convention": known["convention"]}


def _refused(effects: Effects) -> EstimateRow:
    estimate = Estimate(term="moderators", measure="meta-regression", value=float("nan"), status=Status.TOO_FEW_ROWS)
    return place(effects.request, estimate, n=None)


def _told(effects: Effects, error: str) -> Notice:
    return Notice(
        "W868",
        effects.request.analysis.id,
        f"{effects.request.outcome.label}: the meta-regression was not fitted: {error}",
    )


def _slope_scale(effects: Effects) -> Scale:
    """A slope is a difference on the scale of pooling; of logarithms it is a ratio, and no other one turns into anything."""
    return "log" if effects.scale == "log" else "identity"


def _coefficients(effects: Effects, fit: MetaRegression, columns: tuple[DesignColumn, ...]) -> Iterator[EstimateRow]:
    """The slopes, each a ratio of ratios (or a difference of differences) a unit; the intercept last."""
    for index in (*range(1, len(columns)), 0):
        column = columns[index]
        estimate = Estimate(
            term="intercept" if index == 0 else column.term, variable=None if index == 0 else column.variable,
            reference=column.reference if index else None, measure=effects.measure if index == 0 else f"change in {effects.measure}",
            value=float(fit.coefficients[index]), std_error=cell(fit.std_error[index]),
            interval=Interval(float(fit.low[index]), float(fit.high[index]), effects.level, "hartung-knapp" if np.isfinite(fit.df) else "wald"),
            scale=effects.scale if index == 0 else _slope_scale(effects), statistic=cell(fit.statistic[index]), statistic_name="t" if np.isfinite(fit.df) else "z",
            df=cell(fit.df), p_value=cell(fit.p_value[index]),
        )  # fmt: skip
        role = effects.request.analysis.role if index else "covariate"
        yield place(effects.request, estimate, role=role)


def _left_over(effects: Effects, fit: MetaRegression) -> Iterator[EstimateRow]:
    """One test of all moderators, and the variance between studies that they leave."""
    test = fit.moderators
    estimate = Estimate(
        term="moderators", variable="moderators", measure="test of moderators", value=float("nan"), statistic=test.statistic,
        statistic_name="F" if np.isfinite(test.df_residual) else "chi-squared", df=float(test.df), p_value=test.p_value,
    )  # fmt: skip
    yield place(effects.request, estimate, role="covariate")
    estimate = Estimate(
        term="tau2", variable="heterogeneity", measure="variance between studies", value=fit.tau2, interval=fit.tau2_interval,
        statistic=fit.qe, statistic_name="Q", df=float(fit.qe_df), p_value=cell(fit.qe_p_value),
    )  # fmt: skip
    yield place(effects.request, estimate, role="covariate")


def _details(effects: Effects, fit: MetaRegression, lost: int) -> dict[str, Cell]:
    values: dict[str, float | int | None] = {
        "studies": effects.k, "studies_without_moderators": lost or None, "r_squared": cell(fit.r2), "i_squared": cell(fit.i2),
        "tau_squared": cell(fit.tau2), "tau_squared_without_moderators": cell(fit.tau2_alone),
    }  # fmt: skip
    return {f"{effects.request.name}.{key}": value for key, value in values.items() if value is not None}


def _fragile(effects: Effects, moderators: int, lost: int) -> Iterator[Notice]:
    label, id_ = effects.request.outcome.label, effects.request.analysis.id
    planned, used = asked(effects)["interval"], _asked(effects)["interval"]
    if planned != used:
        yield Notice(
            "W863", id_, f"{label}: the interval {planned} is for a review without moderators; {used} is used."
        )
    if lost:
        yield Notice(
            "W869",
            id_,
            f"{label}: {lost} {'study does' if lost == 1 else 'studies do'} not report a moderator and {'is' if lost == 1 else 'are'} left out of the regression.",
        )
    if effects.k < ENOUGH * moderators:
        text = (
            f"{label}: {effects.k} studies for {moderators} coefficient{'s' if moderators > 1 else ''}; fewer than {ENOUGH} each make a "
            "meta-regression fragile, and associations between studies are no effects within them."
        )
        yield Notice("W870", id_, text)


def _bubbles(effects: Effects, fit: MetaRegression, terms: tuple[Term, ...]) -> Iterator[Block]:
    """Studies and the fitted line, where one numeric moderator stands alone."""
    if len(terms) != 1 or not isinstance(terms[0], str | Numeric) or len(fit.names) != 2:
        return
    (name,) = variables_of(terms[0])
    if is_categorical(effects.frame[name]) or effects.frame[name].dtype == pl.Boolean:
        return
    values = numbers(effects.frame, name)
    term = terms[0] if isinstance(terms[0], Numeric) else Numeric(name)
    grid = np.linspace(values.min(), values.max(), POINTS)
    line = fit.predict((np.log(grid) if term.log else grid) / term.per)
    low, high = study_limits(effects)
    weights = 1 / (effects.vi + fit.tau2)
    rows: list[dict[str, Cell]] = [
        {
            "moderator": name, "role": "study", "study": study, "value": float(values[i]), "measure": effects.measure,
            "estimate": effects.natural(effects.yi[i]), "conf_low": effects.natural(low[i]), "conf_high": effects.natural(high[i]),
            "weight": float(weights[i] / weights.sum()),
        }
        for i, study in enumerate(effects.names)
    ]  # fmt: skip
    rows += [
        {
            "moderator": name, "role": "line", "study": None, "value": float(x), "measure": effects.measure,
            "estimate": effects.natural(line.effect[i]), "conf_low": effects.natural(line.low[i]),
            "conf_high": effects.natural(line.high[i]), "weight": None,
        }
        for i, x in enumerate(grid)
    ]  # fmt: skip
    yield block(effects, "bubble", rows)


def _permuted(effects: Effects, X: np.ndarray[tuple[int, int], np.dtype[np.float64]], names: list[str]) -> Answer:
    found = permutation_test(
        effects.yi, effects.vi, X, names=names, tau2=str(_asked(effects)["tau2"]), seed=effects.request.seed_used
    )
    rows = []
    for name, value, p_value in zip(found.names, found.coefficients, found.p_values, strict=True):
        estimate = Estimate(
            term=name, variable="permutation", measure=f"change in {effects.measure}", value=float(value), scale=_slope_scale(effects),
            p_value=cell(float(p_value)), statistic_name="permutation",
        )  # fmt: skip
        rows.append(place(effects.request, estimate, role="covariate"))
    details: dict[str, Cell] = {
        f"{effects.request.name}.permutations": found.permutations, f"{effects.request.name}.permutation_exact": found.exact,
    }  # fmt: skip
    return Answer(rows=tuple(rows), details=details, citations=found.provenance.citations)
