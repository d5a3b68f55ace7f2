"""The studies pooled group by group, and one test of whether the groups differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import nan

import polars as pl

from counterpulse.protocol.plan import PlannedSubgroup
from counterpulse.results import Estimate, EstimateRow, Notice, Subgroup
from counterpulse.study.patients.strata import stratum_column
from counterpulse.study.request import Answer, estimate_id, place
from counterpulse.study.reviewing.answers.effects import Effects, effect_row
from counterpulse.study.reviewing.answers.forest import Group
from counterpulse.study.reviewing.answers.models import asked, pooled
from counterpulse.synthesis.exploration.subgroups import subgroups

UNKNOWN = "Not reported"
BY_VARIANCE = ("random", "common")


@dataclass(frozen=True, slots=True)
class SubgroupAnswer:
    """Rows of the groups, and how the forest shows the first variable."""

    answer: Answer
    groups: tuple[Group, ...] = ()
    difference: EstimateRow | None = None


def subgroup_answer(effects: Effects) -> SubgroupAnswer:
    """The groups of every subgroup variable of the analysis."""
    request = effects.request
    planned = request.plan.subgroups
    if planned is None or planned.of != request.analysis.id or effects.k < 2:
        return SubgroupAnswer(Answer())
    answer, shown, difference = Answer(), tuple[Group, ...](), None
    for position, variable in enumerate(planned.by):
        groups = tuple(_groups(effects, variable))
        told = _told(effects, variable, groups)
        answer = answer.joined(told)
        if position == 0:
            shown, difference = groups, next((row for row in told.rows if row.estimate.measure == "interaction"), None)
    return SubgroupAnswer(answer, shown, difference)


def _groups(effects: Effects, variable: PlannedSubgroup) -> Iterator[Group]:
    strata = stratum_column(effects.frame, variable)
    written = effects.request.plan.variables[variable.variable].levels
    found = [UNKNOWN if code is None else written.get(code, code) for code in strata.to_list()]
    assert isinstance(strata.dtype, pl.Enum)
    order = [written.get(code, code) for code in strata.dtype.categories.to_list()]
    for label in (*order, UNKNOWN):
        members = tuple(index for index, other in enumerate(found) if other == label)
        if members:
            yield Group(label, members, pooled(effects.of(members)))


def _told(effects: Effects, variable: PlannedSubgroup, groups: tuple[Group, ...]) -> Answer:
    rows = [_row(effects, variable, group) for group in groups]
    counts = {
        f"{effects.request.name}.{variable.variable}={group.label}.studies": len(group.members) for group in groups
    }
    known = [group for group in groups if group.label != UNKNOWN]
    if len(known) < 2:
        return Answer(rows=tuple(rows), details=counts)
    return Answer(
        rows=(*rows, *_between(effects, variable, known)), details=counts, notices=tuple(_few(effects, variable, known))
    )


def _row(effects: Effects, variable: PlannedSubgroup, group: Group) -> EstimateRow:
    assert group.found is not None
    row = effect_row(effects.of(group.members), group.found.estimate)
    subgroup = Subgroup(variable.variable, group.label)
    return replace(row, subgroup=subgroup, id=estimate_id(effects.request, row.estimate, subgroup))


def _between(effects: Effects, variable: PlannedSubgroup, groups: Sequence[Group]) -> Iterator[EstimateRow]:
    """The test of a difference between the groups; it goes with the interval of the analysis."""
    if effects.request.option("model") not in BY_VARIANCE:
        return
    members = [index for group in groups for index in group.members]
    labels = [group.label for group in groups for _ in group.members]
    found = subgroups(effects.yi[members], effects.vi[members], labels, level=effects.level, **asked(effects))
    test = found.between_adjusted or found.between
    estimate = Estimate(
        term=variable.variable, variable=variable.variable, measure="interaction", value=nan, statistic=test.statistic,
        statistic_name=test.name, df=test.df, p_value=test.p_value,
    )  # fmt: skip
    yield place(effects.request, estimate)


def _few(effects: Effects, variable: PlannedSubgroup, groups: Sequence[Group]) -> Iterator[Notice]:
    small = [group.label for group in groups if len(group.members) < 2]
    if small:
        text = (
            f"{effects.request.outcome.label}, by {variable.label}: {', '.join(small)} {'has' if len(small) == 1 else 'have'} one study; "
            "groups of studies are compared across studies, not by randomization."
        )
        yield Notice("W864", effects.request.analysis.id, text)
