"""Two groups in R: proportions, means, ranks with death worst, the exact odds ratio."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.expression import r_name, r_text
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_models import has_number
from counterpulse.study.request import dead_column, died_at_column


def two_proportions_lines(part: Part) -> Iterator[str]:
    """Risks of two groups and their contrasts."""
    outcome, group = r_name(part.outcome.name), r_name(str(part.group))
    yield f"d <- complete(sample, {r_text(part.outcome.name)})"
    yield f"events <- tapply(d${outcome}, d${group}, sum)"
    yield f"n <- tapply(d${outcome}, d${group}, length)"
    for row in part.rows:
        if row.estimate.reference is not None and row.subgroup is None and has_number(row):
            pair = f"c({r_text(row.estimate.term)}, {r_text(row.estimate.reference)})"
            interval = row.estimate.interval.kind if row.estimate.interval is not None else ""
            yield (
                f"proportions({r_text(row.id)}, events[{pair}], n[{pair}], {r_text(row.estimate.measure)}, "
                f"level = {part.analysis.level!r}, interval = {r_text(interval)})"
            )


def two_means_lines(part: Part) -> Iterator[str]:
    """The difference of means by a t test."""
    outcome, group = r_name(part.outcome.name), r_name(str(part.group))
    equal = "TRUE" if part.option("variance") == "pooled" else "FALSE"
    for row in part.of_measure("mean difference"):
        if not has_number(row):
            continue
        one, other = (
            f"sample${outcome}[sample${group} == {r_text(level)}]"
            for level in (row.estimate.term, str(row.estimate.reference))
        )
        yield f"test <- t.test({one}, {other}, var.equal = {equal}, conf.level = {part.analysis.level!r})"
        yield f"compare({r_text(row.id)}, test$estimate[[1]] - test$estimate[[2]], test$conf.int[1], test$conf.int[2], test$p.value)"


def worst_rank_lines(part: Part) -> Iterator[str]:
    """Win odds, the probabilistic index, medians with death worst, and the two parts of the ranks."""
    name, group = part.outcome.name, str(part.group)
    dead, by_time = dead_column(name), part.option("worst_rank") == "by-time"
    better = r_text(str(part.outcome.better))
    yield f"d <- complete(sample, c({', '.join(map(r_text, (name, dead, group)))}))"
    if by_time:
        yield f"d <- d[!d${r_name(dead)} | !is.na(d${r_name(died_at_column(name))}), ]"
    yield f"value <- d${r_name(name)}; dead <- d${r_name(dead)}; group <- d${r_name(group)}"
    yield f"rank <- ranked_with_death(value, dead, {better}{f', d${r_name(died_at_column(name))}' if by_time else ''})"
    for row in part.rows:
        if has_number(row) and row.subgroup is None:
            yield from _ranked(row, better, f"level = {part.analysis.level!r}")


def _ranked(row: EstimateRow, better: str, level: str) -> Iterator[str]:
    found, own = row.estimate, f"group == {r_text(row.estimate.term)}"
    other = f"group == {r_text(str(found.reference))}"
    if found.measure in ("win odds", "probabilistic index"):
        odds = "TRUE" if found.measure == "win odds" else "FALSE"
        yield f"win_odds({r_text(row.id)}, rank[{own}], rank[{other}], {level}, odds = {odds})"
    elif found.measure == "median difference":
        yield f"both <- {own} | {other}"
        yield f"median_difference({r_text(row.id)}, value[both], dead[both], ({own})[both], {better}, {level})"
    elif found.measure == "median":
        yield f"compare({r_text(row.id)}, median_with_death(value[{own}], dead[{own}], {better}))"
    elif found.measure == "median of survivors":
        yield f"compare({r_text(row.id)}, median(value[{own} & !dead]))"
    elif found.measure.startswith("proportion"):
        yield f"ends <- wilson(sum(dead[{own}]), sum({own}), {level})"
        yield f"compare({r_text(row.id)}, mean(dead[{own}]), ends[1], ends[2])"


def exact_lines(part: Part) -> Iterator[str]:
    """The exact odds ratio of two groups; with covariates there is no function in R."""
    if part.terms or part.group is None or len(part.plan.treated) > 1:
        return
    name, group = part.outcome.name, part.group
    yield f"d <- complete(sample, c({r_text(name)}, {r_text(group)}))"
    for row in part.of_measure("odds ratio"):
        if has_number(row):
            treated = f"d${r_name(group)} == {r_text(row.estimate.term)}"
            yield f"exact_odds_ratio({r_text(row.id)}, d${r_name(name)}, {treated}, level = {part.analysis.level!r})"
