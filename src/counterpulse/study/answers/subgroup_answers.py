"""The effects of an analysis in subgroups: contrasts of one model, one interaction test a variable, the forest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import nan

import numpy as np
import polars as pl

from counterpulse.data.design import complete_rows
from counterpulse.data.terms import Interaction, Numeric, Term, variables_of
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.protocol.plan import PlannedSubgroup
from counterpulse.results import (
    Block,
    Choice,
    Estimate,
    EstimateRow,
    GroupCount,
    Status,
    Subgroup,
    finite_or_none,
)
from counterpulse.results.coefficients import Coefficients
from counterpulse.study.answers.fitted_model import (
    Fit,
    FittedModel,
    ModelKind,
    complete_df,
    effective_patients,
    group_counts,
    joint_evidence,
    no_effect,
    patients,
)
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.patients.strata import stratum_column
from counterpulse.study.request import Answer, Evidence, Request, block_id, place


def subgroup_answer(
    request: Request, fit: Fit, kind: ModelKind, overall: EstimateRow, groups: tuple[GroupCount, ...]
) -> Answer:
    """Effects in each stratum from one model by contrasts (or from refits), one interaction test a variable."""
    assert request.plan.subgroups is not None
    planned = request.plan.subgroups
    rows: list[EstimateRow] = []
    evidence: dict[str, Evidence] = {}
    tests: dict[str, float | None] = {}
    method = "refitted in each stratum" if planned.refit else "contrasts of one model with an interaction"
    for subgroup in planned.by:
        strata = stratum_column(request.frame, subgroup)
        framed = request.frame.with_columns(strata)
        found, known = _subgroup(replace_frame(request, framed), fit, kind, subgroup, strata.name, planned.refit)
        rows += found
        evidence |= known
        tests[subgroup.variable] = next(
            (row.estimate.p_value for row in found if row.estimate.measure == "interaction"), None
        )
    return Answer(
        rows=tuple(rows),
        blocks=(_forest(request, overall, groups, rows, tests),),
        choices=(Choice("subgroup effects", method, "given" if planned.refit else "default"),),
        evidence=evidence,
    )


def replace_frame(request: Request, frame: pl.DataFrame) -> Request:
    """The same request on other columns of the same rows."""
    return replace(request, sample=replace(request.sample, frame=frame))


def _subgroup(
    request: Request, fit: Fit, kind: ModelKind, subgroup: PlannedSubgroup, column: str, refit: bool
) -> tuple[list[EstimateRow], dict[str, Evidence]]:
    group = str(request.group)
    others = tuple(term for term in request.analysis.terms if not _is_stratified(term, subgroup))
    terms: tuple[Term, ...] = (group, *others, column, Interaction(group, column))
    levels = list(request.frame[column].dtype.categories)  # type: ignore[attr-defined]
    whole, counts = request, _counts_by_stratum(request, terms, column, levels)
    compared = [level for level in levels if all(count.n for count in counts[level])]
    if len(compared) < len(levels):
        strata = request.frame[column]
        request = replace_frame(request, request.frame.with_columns(strata.set(~strata.is_in(compared), None)))
    model = fit(request.frame, terms)
    if model.status is Status.SEPARATION and compared:
        request = _largest_first(request, column, max(compared, key=lambda level: _size(counts[level])))
        model = fit(request.frame, terms)
    rows = [
        _stratum_row(request, fit, kind, subgroup, column, level, treated, model, others, counts[level], refit)
        for level in levels
        for treated in request.treated
    ]
    df = complete_df(request, model)
    evidence = {row.id: Evidence(df_complete=df) for row in rows} if df is not None else {}
    tests = [_interaction(request, fit, kind, model, terms, subgroup, Interaction(group, column), ())]
    evidence |= _evidence(request, model, tests[0], Interaction(group, column))
    if subgroup.cuts:
        numeric = Interaction(group, Numeric(subgroup.variable))
        continuous: tuple[Term, ...] = (group, *others, Numeric(subgroup.variable), numeric)
        notes = (f"{subgroup.label} as a continuous variable",)
        fitted = fit(whole.frame, continuous)
        tests.append(_interaction(whole, fit, kind, fitted, continuous, subgroup, numeric, notes))
        evidence |= _evidence(whole, fitted, tests[1], numeric)
    return [*rows, *tests], evidence


def _evidence(request: Request, model: FittedModel, row: EstimateRow, interaction: Interaction) -> dict[str, Evidence]:
    """What the test of an interaction rests on."""
    found = joint_evidence(request, model, _products(model, interaction)) if row.estimate.status is Status.OK else None
    return {} if found is None else {row.id: found}


def _products(model: FittedModel, interaction: Interaction) -> list[str]:
    """The coefficients of an interaction."""
    product = ":".join(variables_of(interaction))
    return [column.name for column in model.parameters.columns if column.variable == product]


def _counts_by_stratum(
    request: Request, terms: tuple[Term, ...], column: str, levels: Sequence[str]
) -> dict[str, tuple[GroupCount, ...]]:
    """The compared groups in each stratum, among the rows that the model can use."""
    outcome = columns_of(request.outcome.name, request.outcome.kind)
    needed = [*outcome, *(name for term in terms for name in variables_of(term))]
    rows = np.flatnonzero(complete_rows(request.frame, needed))
    strata = request.frame[column].cast(pl.String).to_numpy()
    return {level: group_counts(request, rows, strata == level) for level in levels}


def _size(counts: Sequence[GroupCount]) -> int:
    return sum(count.n or 0 for count in counts)


def _largest_first(request: Request, column: str, level: str) -> Request:
    """Compare strata with a large one, so that a small one without an event makes no other estimate infinite."""
    strata = request.frame[column]
    levels = [level, *(item for item in strata.dtype.categories if item != level)]  # type: ignore[attr-defined]
    return replace_frame(
        request, request.frame.with_columns(strata.cast(pl.String).cast(pl.Enum(levels)).alias(column))
    )


def _is_stratified(term: Term, subgroup: PlannedSubgroup) -> bool:
    """A categorical covariate that the strata already hold; a number stays in the model beside its strata."""
    return not subgroup.cuts and variables_of(term) == (subgroup.variable,)


def _stratum_row(
    request: Request, fit: Fit, kind: ModelKind, subgroup: PlannedSubgroup, column: str, level: str, treated: str,
    model: FittedModel, others: tuple[Term, ...], counts: tuple[GroupCount, ...], refit: bool,
) -> EstimateRow:  # fmt: skip
    member = (request.frame[column] == level).fill_null(False).to_numpy()
    if not all(count.n for count in counts):
        estimate = no_effect(request, kind, Status.EMPTY_GROUP, treated)
    elif refit:
        alone = fit(request.frame.filter(member), (str(request.group), *others))
        estimate = _exposure_estimate(request, alone.parameters, kind, treated, {})
    else:
        estimate = _exposure_estimate(request, model.parameters, kind, treated, {column: level})
    estimate = replace(estimate, statistic=None, statistic_name=None, p_value=None)  # the interaction test answers
    return place(
        request, estimate, subgroup=Subgroup(subgroup.variable, level), kind=kind.estimand or "conditional", groups=counts,
        n=patients(request, model.rows_used[member[model.rows_used]]) or sum(count.n or 0 for count in counts),
        events=None if any(count.events is None for count in counts) else sum(count.events or 0 for count in counts),
        clusters=model.clusters, effective_n=effective_patients(request, model.rows_used[member[model.rows_used]]),
    )  # fmt: skip


def _exposure_estimate(
    request: Request, coefficients: Coefficients, kind: ModelKind, level: str, strata: Mapping[str, str]
) -> Estimate:
    """The effect of a treatment, in a stratum of the model's interaction."""
    group = str(request.group)
    names = [column.name for column in coefficients.columns]
    main = f"{group}={level}"
    wanted = [main, *(f"{main}:{column}={stratum}" for column, stratum in strata.items())]
    if main not in names:
        return no_effect(request, kind, Status.EMPTY_GROUP, level)
    weights = {name: 1.0 for name in wanted if name in names}
    return coefficients.contrast(
        weights, measure=kind.measure, scale=kind.scale, term=level, variable=group, reference=request.reference
    )


def _interaction(
    request: Request, fit: Fit, kind: ModelKind, model: FittedModel, terms: tuple[Term, ...],
    subgroup: PlannedSubgroup, interaction: Interaction, notes: tuple[str, ...],
) -> EstimateRow:  # fmt: skip
    """One test a subgroup variable: likelihood ratio, or Wald where the variance is robust."""
    names = _products(model, interaction)
    wald = model.parameters.wald(names) if names else None
    log_likelihood = None if model.clusters is not None or request.weights is not None else kind.log_likelihood
    status: Status
    if wald is None or model.status not in (Status.OK, Status.SEPARATION):
        statistic, name, df, p_value = nan, "chi-squared", None, nan
        status = model.status if model.status is not Status.OK else Status.UNDEFINED
    elif log_likelihood is None:
        statistic, name, df, p_value, status = (
            wald.statistic,
            f"Wald {wald.statistic_name}",
            wald.df,
            wald.p_value,
            wald.status,
        )
    else:
        without = fit(request.frame[np.sort(model.rows_used)], [term for term in terms if term != interaction])
        statistic, df = max(0.0, 2 * (log_likelihood(model) - log_likelihood(without))), wald.df
        name, p_value, status = "likelihood ratio chi-squared", chi_squared_tail(statistic, df), wald.status
        status = Status.OK if status is Status.SEPARATION else status
    estimate = Estimate(
        term="continuous" if notes else subgroup.variable, variable=subgroup.variable, measure="interaction", value=nan,
        statistic=statistic, statistic_name=name, df=df, p_value=p_value, status=status, notes=notes,
    )  # fmt: skip
    n = patients(request, model.rows_used)
    return place(request, estimate, role=request.analysis.role, n=n, clusters=model.clusters)


def _forest(
    request: Request, overall: EstimateRow, groups: tuple[GroupCount, ...], rows: list[EstimateRow],
    tests: Mapping[str, float | None],
) -> Block:  # fmt: skip
    """The rows of a forest plot: everybody, then each stratum, one line a compared group."""
    lines = [*_forest_lines(None, None, overall, groups, None)]
    for row in rows:
        if row.subgroup is not None:
            variable = row.subgroup.variable
            lines += _forest_lines(variable, row.subgroup.level, row, row.groups, tests[variable])
    columns = ("variable", "level", "group", "n", "events", "estimate", "conf_low", "conf_high", "p_interaction")
    return Block(
        id=block_id(request, "forest"),
        analysis=request.analysis.id,
        kind="forest",
        columns={name: tuple(line[index] for line in lines) for index, name in enumerate(columns)},
    )


def _forest_lines(
    variable: str | None, level: str | None, row: EstimateRow, groups: tuple[GroupCount, ...], p_value: float | None
) -> Iterator[tuple[str | float | int | None, ...]]:
    effect = [finite_or_none(value) for value in _ends(row.estimate)]
    p_value = None if p_value is None or p_value != p_value else p_value
    for count in groups:
        yield (variable, level, count.group, count.n, count.events, *effect, p_value)


def _ends(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    natural = estimate.natural()
    ends = natural.interval
    return (natural.value, ends.low, ends.high) if ends is not None else (natural.value, None, None)
