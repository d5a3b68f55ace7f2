"""Multiple imputation by chained equations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from counterpulse.data.sample import Sample, TableSet
from counterpulse.errors import InputError
from counterpulse.imputation.chain import ChainEnd, run_chain
from counterpulse.imputation.imputed_tables import ImputedTables
from counterpulse.imputation.number_of_imputations import imputations_needed
from counterpulse.imputation.plan import Plan, make_plan
from counterpulse.imputation.predictive_mean_matching import DONORS
from counterpulse.numerics.blocks import map_jobs
from counterpulse.numerics.linear_algebra import independent_columns, weighted_gram
from counterpulse.numerics.random_streams import stream
from counterpulse.numerics.workers import Jobs
from counterpulse.results.provenance import Choice, Provenance

ITERATIONS = 5
ALMOST = 1e-8
"""A predictor of which the others leave no more than this part of the variance is dependent."""


def chained_equations(
    table: pl.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    m: int | None = None,
    iterations: int = ITERATIONS,
    seed: int,
    jobs: Jobs = None,
    methods: Mapping[str, str] | None = None,
    predictors: Mapping[str, Sequence[str]] | None = None,
    passive: Mapping[str, pl.Expr] | None = None,
    ordered: Sequence[str] = (),
    visit: Sequence[str] | None = None,
    cluster: str | None = None,
    donors: int = DONORS,
    analysis: str = "imputation",
) -> ImputedTables:
    """Impute missing values m times, each column in turn from the others.

    It is assumed that values are missing at random given the columns used; these must hold everything that is in the
    analysis, the outcome too (of a survival outcome the event and `nelson_aalen_at`).

    Parameters
    ----------
    table : one row a patient
    columns : that are imputed and imputed from; all of the table by default. Others are carried along.
    m : imputed tables; by default as many as the percentage of incomplete rows, and 20 at least
    iterations : of each chain
    seed, analysis : of the random numbers. A table depends on them and its own number, not on `m` or `jobs`.
    jobs : chains at a time, or workers; one a core by default
    methods : by column: "pmm" (numbers, the default), "normal", "random-intercept"; "logistic" (two levels);
        "polytomous"; "ordered"
    predictors : by column, what it is imputed from, where not from all others
    passive : columns computed from others, by a polars expression. They are used to impute others, but not those they
        are computed from.
    ordered : categories whose levels are in order, by default imputed by proportional odds
    visit : the imputed columns in order; by default from the fewest missing values to the most
    cluster : a column without missing values, for "random-intercept"; among `columns` it is a fixed effect for others
    donors : of predictive mean matching

    Raises
    ------
    InputError : a column is absent or cannot be imputed as asked, or the options contradict each other

    Notes
    -----
    Predictive mean matching takes the observed predictions from the estimated coefficients and the missing ones from
    drawn coefficients. Categorical models are augmented so that perfect prediction does no harm. Columns with no value
    or one value only are left as they are.

    References
    ----------
    van Buuren and Groothuis-Oudshoorn 2011, doi:10.18637/jss.v045.i03; White, Royston and Wood 2011,
    doi:10.1002/sim.4067.
    """
    _check(table, m, iterations, donors, jobs)
    plan = make_plan(
        table, columns=columns, methods=methods or {}, predictors=predictors or {}, passive=passive or {},
        ordered=ordered, visit=visit, cluster=cluster, donors=donors,
    )  # fmt: skip
    count = imputations_needed(table, columns=columns) if m is None else m

    ends = map_jobs(partial(_chain, plan, iterations, seed, analysis), range(1, count + 1), jobs=jobs)
    samples = tuple(_sample(table, plan, end, number) for number, end in enumerate(ends, 1))
    return ImputedTables(
        tables=TableSet("imputed", samples),
        rows_imputed={column.name: column.missing for column in plan.columns if column.name in plan.methods},
        methods=plan.methods,
        predictor_matrix=plan.predictor_matrix(),
        visit=tuple(plan.columns[target].name for target in plan.targets),
        iterations=iterations,
        trace=_trace(plan, ends),
        left_out=plan.left_out,
        dependent=_dependent(plan),
        unfinished=tuple(sorted({name for end in ends for name in end.unfinished})),
        provenance=_provenance(plan, m, count, iterations, seed),
    )


def _chain(plan: Plan, iterations: int, seed: int, analysis: str, draw: int) -> ChainEnd:
    return run_chain(plan, iterations, stream(seed, analysis, draw))


def _check(table: pl.DataFrame, m: int | None, iterations: int, donors: int, jobs: Jobs) -> None:
    numbers = {"m": m, "iterations": iterations, "donors": donors, "jobs": jobs if isinstance(jobs, int) else None}
    wrong = [name for name, value in numbers.items() if value is not None and value < 1]
    if wrong:
        raise InputError(f"`{wrong[0]}` must be 1 or more, not {numbers[wrong[0]]}")
    if table.height == 0:
        raise InputError("the table has no rows to impute from; check the eligibility")


def _sample(table: pl.DataFrame, plan: Plan, end: ChainEnd, number: int) -> Sample:
    """The table with its missing values filled in; observed values are those of the table, bit by bit."""
    imputed = []
    for column, values in zip(plan.columns, end.values, strict=True):
        if column.name in table.columns and not len(column.missing):
            continue
        drawn = column.decode(values)
        own = table[column.name] if column.name in table.columns and drawn.dtype == column.dtype else None
        imputed.append(drawn if own is None else _filled(own, drawn))
    frame = table.with_columns(imputed)
    return Sample(frame=frame, row_of_origin=np.arange(table.height), stage=(f"imputation {number}",))


def _filled(own: pl.Series, drawn: pl.Series) -> pl.Series:
    kept = own.fill_nan(None) if own.dtype.is_float() else own
    return (
        kept.is_null()
        .to_frame()
        .select(pl.when(pl.col(own.name)).then(drawn).otherwise(kept))
        .to_series()
        .alias(own.name)
    )


def _trace(plan: Plan, ends: Sequence[ChainEnd]) -> pl.DataFrame:
    def parts() -> Iterator[pl.DataFrame]:
        for order, target in enumerate(plan.targets):
            for imputation, end in enumerate(ends, 1):
                length = len(end.means)
                yield pl.DataFrame(
                    {
                        "variable": [plan.columns[target].name] * length,
                        "imputation": [imputation] * length,
                        "iteration": range(1, length + 1),
                        "mean": end.means[:, order],
                        "sd": end.deviations[:, order],
                    },
                    schema=TRACE,
                )

    return pl.concat([pl.DataFrame(schema=TRACE), *parts()])


TRACE = {
    "variable": pl.String,
    "imputation": pl.Int64,
    "iteration": pl.Int64,
    "mean": pl.Float64,
    "sd": pl.Float64,
}


def _dependent(plan: Plan) -> tuple[str, ...]:
    """Columns that those before them determine in the complete rows, where there are enough to tell."""
    complete = np.ones(plan.n, dtype=bool)
    for column in plan.columns:
        complete[column.missing] = False
    rows = np.flatnonzero(complete)
    if len(rows) <= len(plan.center):
        return ()
    parts = [plan.standardized(k, column.values[rows]) for k, column in enumerate(plan.columns)]
    X = np.column_stack([np.ones(len(rows)), *parts])
    independent = independent_columns(weighted_gram(X), ALMOST)
    return tuple(
        column.name for column, part in zip(plan.columns, plan.parts, strict=True) if not independent[part].all()
    )


def _provenance(plan: Plan, given: int | None, m: int, iterations: int, seed: int) -> Provenance:
    choices = (
        Choice("imputations", m, "derived" if given is None else "given", "white-2011" if given is None else None),
        Choice("iterations", iterations, "default" if iterations == ITERATIONS else "given"),
        Choice("donors", plan.donors, "default" if plan.donors == DONORS else "given", "little-1988"),
        Choice("seed", seed, "given"),
    )
    used = set(plan.methods.values())
    cited = ["van-buuren-2011", "white-2011"]
    cited += ["little-1988"] if "pmm" in used else []
    cited += ["white-2010"] if used & {"logistic", "polytomous", "ordered"} else []
    return Provenance("multiple imputation by chained equations", choices, tuple(cited))
