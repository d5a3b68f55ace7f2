"""Two means compared without a model (Welch)."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from counterpulse import two_groups
from counterpulse.results import EstimateRow, GroupCount
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.request import Answer, Request, place


def estimate(request: Request) -> Answer:
    """The difference of means of each treated group against the reference."""
    frame = request.frame.filter(pl.col(request.outcome.name).is_not_null())
    values = {
        level: frame.filter(pl.col(str(request.group)) == level)[request.outcome.name].cast(pl.Float64).to_numpy()
        for level in (*request.treated, request.reference)
    }
    rows: list[EstimateRow] = []
    n_missing = request.frame.height - frame.height
    for treated in request.treated:
        result = two_groups.mean_difference(
            values[treated], values[request.reference], variance=str(request.option("variance")),
            level=request.analysis.level,
        )  # fmt: skip
        item = replace(result.estimates()[0], term=treated, variable=request.group, reference=request.reference)
        groups = tuple(GroupCount(level, len(values[level])) for level in (treated, request.reference))
        rows.append(place(request, item, n=frame.height, n_missing=n_missing, groups=groups))
    return Answer(rows=tuple(rows), n_missing=n_missing)


SPEC = MethodSpec(
    name="two-means",
    label="two means",
    about="means were compared",
    outcomes=frozenset({"continuous", "count", "ordinal"}),
    measures=("mean difference",),
    options=(
        Option(
            name="variance", default="welch", kind="word", allowed=("welch", "pooled"), about="one variance, or one a group",
            phrases=(("welch", "Welch's t interval was computed"), ("pooled", "the t interval was computed with the pooled variance")),
            references=(("welch", "welch-1947"),),
        ),
    ),
    calls="counterpulse.two_groups.mean_difference",
    estimate=estimate,
)  # fmt: skip
