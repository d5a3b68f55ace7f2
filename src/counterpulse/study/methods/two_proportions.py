"""Two proportions compared without a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from counterpulse import two_groups
from counterpulse.results import Estimate, EstimateRow, Status
from counterpulse.study.answers.fitted_model import group_counts, patients
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.request import Answer, Request, place
from counterpulse.two_groups import TestResult

INTERVALS = {
    "risk difference": "newcombe", "risk ratio": "miettinen-nurminen", "odds ratio": "miettinen-nurminen",
}  # fmt: skip


def estimate(request: Request) -> Answer:
    """Each planned measure for each treated group, with observed risks."""
    outcome = request.frame[request.outcome.name]
    rows = np.flatnonzero(outcome.is_not_null().to_numpy())
    counts = {count.group: count for count in group_counts(request, rows)}
    n_missing = request.frame.height - len(rows)
    found: list[EstimateRow] = []
    citations: tuple[str, ...] = ()
    for measure in request.analysis.measures:
        for treated in request.treated:
            one, other = counts[treated], counts[request.reference]
            result = two_groups.two_proportions(
                one.events or 0, one.n or 0, other.events or 0, other.n or 0, measure=measure,
                interval=_interval(request, measure), level=request.analysis.level,
            )  # fmt: skip
            citations += result.provenance.citations
            test = two_groups.pearson_chi_squared(
                [[arm.events or 0, (arm.n or 0) - (arm.events or 0)] for arm in (one, other)]
            )
            found += [
                place(
                    request, _named(item, test, request, treated), n=patients(request, rows), n_missing=n_missing,
                    events=int(request.frame[request.outcome.name].cast(pl.Int64).sum() or 0), groups=(one, other),
                )
                for item in result.estimates()
                if item.measure == measure
            ]  # fmt: skip
    return Answer(rows=tuple(found), citations=tuple(dict.fromkeys(citations)), n_missing=n_missing)


def _interval(request: Request, measure: str) -> str:
    chosen = str(request.option("interval"))
    return INTERVALS[measure] if chosen == "by-measure" else chosen


def _named(item: Estimate, test: TestResult, request: Request, treated: str) -> Estimate:
    """The estimate under the study's names; an interval that has no test of its own stands beside Pearson's chi-squared."""
    named = replace(item, term=treated, variable=request.group, reference=request.reference)
    if named.p_value is not None or named.status is not Status.OK:
        return named
    return replace(
        named, statistic=test.statistic, statistic_name=test.statistic_name, df=test.df, p_value=test.p_value
    )


SPEC = MethodSpec(
    name="two-proportions",
    label="two proportions",
    about="proportions were compared",
    outcomes=frozenset({"binary"}),
    measures=("risk difference", "risk ratio", "odds ratio"),
    also=("risk difference", "risk ratio", "odds ratio"),
    options=(
        Option(
            name="interval", default="by-measure", kind="word",
            allowed=("by-measure", "newcombe", "miettinen-nurminen", "wald", "exact"), about="how intervals are made",
            phrases=(
                ("by-measure", "confidence intervals were Newcombe's for the risk difference and Miettinen and Nurminen's for ratios"),
                ("newcombe", "confidence intervals were Newcombe's"), ("wald", "Wald confidence intervals were computed"), ("exact", "exact confidence intervals were computed"),
                ("miettinen-nurminen", "confidence intervals were the score intervals of Miettinen and Nurminen"),
            ),
            references=(
                ("by-measure", "newcombe-1998"), ("newcombe", "newcombe-1998"),
                ("miettinen-nurminen", "miettinen-nurminen-1985"),
            ),
        ),
    ),
    rules=(
        Rule("P value", "of the interval's own test, else Pearson's chi-squared without correction", "pearson-1900",
             "P values were those of the interval's own test or, where it has none, of Pearson's chi-squared test without continuity correction"),
        Rule("zero cells", "no continuity correction; a ratio with a zero cell is named, not printed"),
    ),
    calls="counterpulse.two_groups.two_proportions",
    estimate=estimate,
)  # fmt: skip
