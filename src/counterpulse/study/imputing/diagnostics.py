"""What a reader is shown of an imputation: what was filled in, from what, and whether the chains mixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from counterpulse.protocol.plan import Plan
from counterpulse.results import Block, Cell, Choice, Notice, Status
from counterpulse.study.imputing.tables import ImputedCohorts
from counterpulse.study.request import Answer

ANALYSIS = "imputation"
MOST_DRAWN = 20
"""Imputed tables whose densities are drawn; more would be one gray band."""


def imputation_answer(plan: Plan, imputed: ImputedCohorts, *, name: str = ANALYSIS) -> Answer:
    """The blocks and notices of one imputation; `name` tells several apart."""
    tables = imputed.tables
    blocks = (
        _block(name, "imputation", _variables(imputed)),
        _block(name, "predictor-matrix", _predictors(imputed)),
        _block(name, "imputation-trace", _trace(imputed)),
        _block(name, "imputation-density", _densities(imputed)),
    )
    return Answer(
        blocks=tuple(block for block in blocks if any(block.columns.values())),
        notices=tuple(_notices(plan, imputed, name)),
        details={
            "imputed tables": tables.m,
            "variables imputed": len(_imputed(imputed)),
            "values imputed": sum(len(tables.rows_imputed[variable]) for variable in _imputed(imputed)),
            "incomplete patients": _incomplete(imputed),
        },
        citations=tables.provenance.citations,
    )


def resolved_choices(imputed: ImputedCohorts) -> tuple[Choice, ...]:
    """What the rules of the plan gave."""
    return (Choice("imputed tables", imputed.tables.m, "derived", "white-2011"),)


def _block(name: str, kind: str, columns: Mapping[str, Sequence[Cell]]) -> Block:
    return Block(
        id=f"{name}.{kind}", analysis=name, kind=kind, columns={key: tuple(cells) for key, cells in columns.items()}
    )


def _imputed(imputed: ImputedCohorts) -> list[str]:
    """The variables that analyses see imputed: not the groups, the centers and the outcomes, which only help."""
    return [name for name in imputed.tables.methods if name in imputed.planned.columns]


def _incomplete(imputed: ImputedCohorts) -> int:
    rows = {int(row) for name in _imputed(imputed) for row in imputed.tables.rows_imputed[name]}
    return len(rows)


def _variables(imputed: ImputedCohorts) -> Mapping[str, Sequence[Cell]]:
    tables = imputed.tables
    n = tables.tables.samples[0].frame.height
    mixed = {row["variable"]: row for row in tables.convergence().iter_rows(named=True)}
    left_out = [name for name in tables.left_out if name in imputed.planned.columns and name not in tables.methods]
    names = [*_imputed(imputed), *left_out]
    missing = [len(tables.rows_imputed.get(name, ())) for name in names]
    return {
        "variable": names,
        "method": [tables.methods.get(name) for name in names],
        "missing": [count if name in tables.methods else None for name, count in zip(names, missing, strict=True)],
        "percent": [
            100 * count / n if name in tables.methods else None for name, count in zip(names, missing, strict=True)
        ],
        "scale_mean": [mixed.get(name, {}).get("mean") for name in names],
        "scale_sd": [mixed.get(name, {}).get("sd") for name in names],
        "status": [
            tables.left_out[name].code if name in tables.left_out else mixed.get(name, {}).get("status")
            for name in names
        ],
    }


def _trace(imputed: ImputedCohorts) -> Mapping[str, Sequence[Cell]]:
    trace = imputed.tables.trace
    return trace.filter(pl.col("variable").is_in(_imputed(imputed))).to_dict(as_series=False)


def _predictors(imputed: ImputedCohorts) -> Mapping[str, Sequence[Cell]]:
    matrix = imputed.tables.predictor_matrix
    matrix = matrix.filter(pl.col("imputed").is_in(_imputed(imputed)))
    long = matrix.unpivot(index="imputed", variable_name="predictor", value_name="used")
    return {
        "imputed": long["imputed"].to_list(),
        "predictor": long["predictor"].to_list(),
        "used": ["yes" if used else "no" for used in long["used"]],
    }


def _densities(imputed: ImputedCohorts) -> Mapping[str, Sequence[Cell]]:
    """The observed values and those of the first tables, of every imputed variable."""
    schema = {
        "variable": pl.String, "imputation": pl.Int64, "level": pl.String, "value": pl.Float64, "density": pl.Float64,
    }  # fmt: skip
    parts = [pl.DataFrame(schema=schema)]
    for name in _imputed(imputed):
        found = imputed.tables.density(name, points=51).filter(pl.col("imputation") <= MOST_DRAWN)
        if "share" in found.columns:
            found = found.rename({"share": "density"}).with_columns(pl.lit(None, pl.Float64).alias("value"))
        else:
            found = found.with_columns(pl.lit(None, pl.String).alias("level"))
        parts.append(found.select(list(schema)))
    return pl.concat(parts).to_dict(as_series=False)


def _notices(plan: Plan, imputed: ImputedCohorts, name: str) -> Iterator[Notice]:
    tables = imputed.tables
    for variable, status in tables.left_out.items():
        if variable in imputed.planned.columns:
            yield Notice("W720", name, f"{_label(plan, variable)} is not imputed: {status.text}")
    if tables.status is not Status.OK:
        bad = tables.convergence().filter(pl.col("status") != Status.OK.code)["variable"].to_list()
        listed = ", ".join(_label(plan, variable) for variable in dict.fromkeys((*bad, *tables.unfinished)))
        yield Notice("W721", name, f"{listed}: {tables.status.text}")
    for variable in imputed.not_applicable:
        text = f"{_label(plan, variable)} does not apply to some patients; for them it stays blank and is not imputed."
        yield Notice("W722", name, text)
    for variable in imputed.not_allowed:
        text = (
            f"{_label(plan, variable)} has imputed values that the dictionary does not allow in the table: beyond a bound, or not "
            "whole. Predictive mean matching (methods: pmm) draws observed values only."
        )
        yield Notice("W727", name, text)


def _label(plan: Plan, name: str) -> str:
    if name in plan.variables:
        return plan.variables[name].label
    outcome = plan.outcomes.get(name.partition(".")[0])
    return name if outcome is None else outcome.label
