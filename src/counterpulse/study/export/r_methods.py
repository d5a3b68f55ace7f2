"""Each method of the protocol language in R. What is not here is listed as not exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from counterpulse.expression import r_name, r_text
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_models import (
    COX,
    LINEAR,
    LOGISTIC,
    listed,
    model_lines,
    standardized_lines,
    subgroup_lines,
)
from counterpulse.study.export.r_study import r_name_dotted
from counterpulse.study.methods.by_type import chosen
from counterpulse.study.patients.outcomes import columns_of

Lines = Callable[[Part], Iterator[str]]


def _logistic(part: Part) -> Iterator[str]:
    if part.option("penalty") == "firth":
        yield "# Firth's penalty: no base R function; not repeated"
        return
    yield from model_lines(part, LOGISTIC)
    yield from standardized_lines(part)
    yield from subgroup_lines(part, LOGISTIC)


def _linear(part: Part) -> Iterator[str]:
    yield from model_lines(part, LINEAR)
    yield from subgroup_lines(part, LINEAR)


def _cox(part: Part) -> Iterator[str]:
    yield from model_lines(part, COX)
    yield from subgroup_lines(part, COX)
    yield from _curves(part)


def _curve_columns(part: Part) -> str:
    time, event = (r_text(name) for name in columns_of(part.outcome.name, "time-to-event"))
    return f"{time}, {event}"


def _curves(part: Part) -> Iterator[str]:
    """Risks, restricted means and medians from the curves, at each time that the bundle holds."""
    columns = ", ".join(r_text(name) for name in columns_of(part.outcome.name, "time-to-event"))
    group = part.group
    yield (
        f"d <- complete(sample, c({columns}))"
        if group is None
        else f"d <- complete(sample, c({columns}, {r_text(group)}))"
    )
    times = dict.fromkeys(row.estimate.at.time for row in part.rows if row.estimate.at is not None)
    for at in times:
        yield from _contrasts(part, at)
    for row in part.of_measure("median survival time"):
        rows = "d" if group is None else f"d[d${r_name(group)} == {r_text(row.estimate.term)}, ]"
        yield (
            f"median_time({r_text(row.id)}, {rows}, {_curve_columns(part)}, level = {part.analysis.level!r}, "
            f"conf_type = {r_text(_conf_type(part))})"
        )


def _conf_type(part: Part) -> str:
    word = str(part.analysis.options.get("interval", "log"))
    return "arcsin" if word == "arcsine" else word


def _contrasts(part: Part, at: float) -> Iterator[str]:
    level = f"level = {part.analysis.level!r}"
    if part.group is None:
        for row in part.of_measure("risk"):
            if row.estimate.at is not None and row.estimate.at.time == at:
                yield f"group_risk({r_text(row.id)}, d, {_curve_columns(part)}, {at!r}, {level}, {r_text(_conf_type(part))})"
        return
    for treated in part.plan.treated:
        pair = f"{r_text(part.group)}, {r_text(treated)}, {r_text(part.plan.reference)}, {at!r}, {level}"
        for function, (difference, ratio, own), more in (
            ("risk_contrasts", ("risk difference", "risk ratio", "risk"), f", conf_type = {r_text(_conf_type(part))}"),
            ("mean_time_contrasts", ("rmst difference", "rmst ratio", "rmst"), ""),
        ):
            ids = {
                "difference": part.id_of(difference, treated, at), "ratio": part.id_of(ratio, treated, at),
                "treated": part.id_of(own, treated, at), "reference": part.id_of(own, part.plan.reference, at),
            }  # fmt: skip
            if any(ids.values()):
                yield f"{function}({listed(ids)}, d, {_curve_columns(part)}, {pair}{more})"


def _kaplan_meier(part: Part) -> Iterator[str]:
    yield from _curves(part)
    test = next(part.of_measure("test of curves"), None)
    if test is None:
        return
    time, event = (r_name_dotted(name) for name in columns_of(part.outcome.name, "time-to-event"))
    strata = part.names("strata")
    more = f" + strata({', '.join(map(r_name, strata))})" if strata else ""
    rho = 1 if part.option("compare_with") == "peto-peto" else 0
    surv = f"Surv({time}, {event}) ~ {r_name(str(part.group))}{more}"
    yield f"test <- survdiff({surv}, data = d, rho = {rho})"
    yield f"compare({r_text(test.id)}, NA, p = pchisq(test$chisq, {len(part.plan.treated)}, lower.tail = FALSE))"


def _two_proportions(part: Part) -> Iterator[str]:
    outcome, group = r_name(part.outcome.name), r_name(str(part.group))
    yield f"d <- complete(sample, {r_text(part.outcome.name)})"
    yield f"events <- tapply(d${outcome}, d${group}, sum)"
    yield f"n <- tapply(d${outcome}, d${group}, length)"
    for row in part.rows:
        if row.estimate.reference is not None and row.subgroup is None:
            pair = f"c({r_text(row.estimate.term)}, {r_text(row.estimate.reference)})"
            interval = row.estimate.interval.kind if row.estimate.interval is not None else ""
            yield (
                f"proportions({r_text(row.id)}, events[{pair}], n[{pair}], {r_text(row.estimate.measure)}, "
                f"level = {part.analysis.level!r}, interval = {r_text(interval)})"
            )


def _two_means(part: Part) -> Iterator[str]:
    outcome, group = r_name(part.outcome.name), r_name(str(part.group))
    equal = "TRUE" if part.option("variance") == "pooled" else "FALSE"
    for row in part.of_measure("mean difference"):
        one, other = (
            f"sample${outcome}[sample${group} == {r_text(level)}]"
            for level in (row.estimate.term, str(row.estimate.reference))
        )
        yield f"test <- t.test({one}, {other}, var.equal = {equal}, conf.level = {part.analysis.level!r})"
        yield f"compare({r_text(row.id)}, test$estimate[[1]] - test$estimate[[2]], test$conf.int[1], test$conf.int[2], test$p.value)"


def _by_type(part: Part) -> Iterator[str]:
    analysis = part.analysis
    spec = chosen(
        part.outcome.kind, adjusted=analysis.adjusted or part.group is None, clustered=analysis.clusters is not None
    )
    options = {option.name: option.default for option in spec.options}
    planned = replace(analysis, method=spec.name, options=options, measures=spec.measures[:1])
    yield from R_METHODS[spec.name](replace(part, analysis=planned))


R_METHODS: Mapping[str, Lines] = {
    "logistic-regression": _logistic, "linear-regression": _linear, "cox": _cox, "kaplan-meier": _kaplan_meier,
    "rmst": _curves, "two-proportions": _two_proportions, "two-means": _two_means, "by-type": _by_type,
}  # fmt: skip
