"""Two proportions compared without a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from counterpulse import two_groups
from counterpulse.results import EstimateRow
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.model_answers import group_counts, patients
from counterpulse.study.request import Answer, Request, place

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
                one.events or 0, one.n, other.events or 0, other.n, measure=measure,
                interval=_interval(request, measure), level=request.analysis.level,
            )  # fmt: skip
            citations += result.provenance.citations
            found += [
                place(
                    request, replace(item, term=treated, variable=request.group, reference=request.reference), n=patients(request, rows), n_missing=n_missing,
                    events=int(request.frame[request.outcome.name].cast(pl.Int64).sum() or 0), groups=(one, other),
                )
                for item in result.estimates()
                if item.measure == measure
            ]  # fmt: skip
    return Answer(rows=tuple(found), citations=tuple(dict.fromkeys(citations)), n_missing=n_missing)


def _interval(request: Request, measure: str) -> str:
    chosen = str(request.option("interval"))
    return INTERVALS[measure] if chosen == "by-measure" else chosen


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
                ("by-measure", "Newcombe's interval for the risk difference, Miettinen and Nurminen's for ratios"),
                ("newcombe", "Newcombe's interval"), ("wald", "Wald intervals"), ("exact", "exact intervals"),
                ("miettinen-nurminen", "Miettinen and Nurminen's score interval"),
            ),
            references=(
                ("by-measure", "newcombe-1998"), ("newcombe", "newcombe-1998"),
                ("miettinen-nurminen", "miettinen-nurminen-1985"),
            ),
        ),
    ),
    rules=(Rule("zero cells", "no continuity correction; a ratio with a zero cell is named, not printed", None),),
    calls="counterpulse.two_groups.two_proportions",
    estimate=estimate,
)  # fmt: skip
