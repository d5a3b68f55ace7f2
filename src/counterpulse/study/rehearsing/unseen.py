"""The study's table with nothing in it that an outcome is made of: what a rehearsal is allowed to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from counterpulse.data.patient_table import PatientTable
from counterpulse.data.queries import no_queries
from counterpulse.data.terms import variables_of
from counterpulse.errors import ProtocolError
from counterpulse.protocol.nodes import CountedTime, Outcome, ProtocolNode
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedPopulation
from counterpulse.source import Finding, Location
from counterpulse.study.patients.cohort import Cohort, make_cohort
from counterpulse.study.patients.derive import columns_read
from counterpulse.study.patients.outcomes import columns_behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """The eligible patients with blank outcomes.

    `hidden` are the columns that were blanked; `criteria` those of the eligibility that read one of them and were not applied.
    """

    cohort: Cohort
    hidden: frozenset[str]
    criteria: tuple[str, ...]


def unseen_patients(plan: Plan, table: PatientTable) -> Unseen:
    """The eligible patients of a study whose outcomes nobody has looked at.

    Raises
    ------
    ProtocolError : the groups, the exposure or time zero are made of an outcome
    DataError : nobody is eligible, or a rule is unknown for some patients and the protocol does not say what then
    """
    hidden = hidden_columns(plan.protocol)
    _refuse(plan, hidden)
    frame = table.frame.with_columns(
        pl.lit(None).cast(table.frame.schema[name]).alias(name) for name in sorted(hidden & set(table.frame.columns))
    )
    kept = tuple(item for item in plan.criteria if not columns_read(plan.protocol, [item.rule]) & hidden)
    blind = replace(plan, criteria=kept, populations=_readable(plan, hidden), analyses=(), flow=())
    cohort = make_cohort(blind, replace(table, frame=frame, findings=(), queries=no_queries()))
    left = tuple(item.text for item in plan.criteria if item not in kept)
    return Unseen(cohort=replace(cohort, measurements={}), hidden=hidden, criteria=left)


def hidden_columns(nodes: ProtocolNode) -> frozenset[str]:
    """Every column that an outcome or the follow-up is made of, less those that time zero, groups or models need besides.

    A date of death or of discharge, and the one column that alone is an outcome, are hidden whatever else reads them.
    """
    follow_up = (
        [] if nodes.follow_up is None else [nodes.follow_up.death, nodes.follow_up.discharge, nodes.follow_up.last_seen]
    )
    always = {name for name in follow_up if name is not None}
    behind = set(always)
    for outcome in nodes.outcomes.values():
        columns = columns_read(nodes, _written(nodes, outcome)) & _table_columns(nodes, outcome)
        always |= columns if len(columns) == 1 else set()
        behind |= columns
    return frozenset(behind - (_needed(nodes) - always))


def why_not(plan: Plan, analysis: PlannedAnalysis, hidden: frozenset[str]) -> str | None:
    """Why an analysis cannot be rehearsed without outcomes, if so."""
    population = plan.populations.get(analysis.population)
    if population is not None and population.analyze_as not in (None, plan.group_variable):
        return f"its population is analyzed by '{population.analyze_as}', and the simulated effect is of '{plan.group_variable}'"
    names: list[str | None] = [name for term in analysis.every_term for name in variables_of(term)]
    rules = [*names, analysis.clusters.variable if analysis.clusters else None]
    rules += [population.rule] if population is not None else []
    read = sorted(columns_read(plan.protocol, rules) & hidden)
    return f"it reads {', '.join(read)}, which an outcome is made of" if read else None


def keeps_by_outcome(plan: Plan, analysis: PlannedAnalysis, hidden: frozenset[str]) -> bool:
    """Whether the rule by which an analysis keeps patients reads an outcome."""
    return bool(columns_read(plan.protocol, [analysis.keep]) & hidden)


def _readable(plan: Plan, hidden: frozenset[str]) -> dict[str, PlannedPopulation]:
    return {
        name: item
        for name, item in plan.populations.items()
        if item.rule is None or not columns_read(plan.protocol, [item.rule]) & hidden
    }


def _written(nodes: ProtocolNode, outcome: Outcome) -> Iterator[str]:
    """What an outcome is made of, a key of `follow_up` as its column."""
    keys = {} if nodes.follow_up is None else nodes.follow_up.model_dump()
    other = nodes.outcomes.get(outcome.competing or "")
    competing = [] if outcome.competing is None or other is not None else [outcome.competing]
    for name in (*columns_behind(outcome), *competing):
        yield str(keys.get(name) or name)


def _table_columns(nodes: ProtocolNode, outcome: Outcome) -> set[str]:
    """The columns among the names that an outcome reads: the rest are derived variables and outcomes."""
    names = columns_read(nodes, _written(nodes, outcome))
    return names - set(nodes.variables) - set(nodes.outcomes) - set(nodes.populations)


def _needed(nodes: ProtocolNode) -> set[str]:
    """The columns of time zero, groups, exposure, patients, centers, and covariates."""
    terms: list[str] = []
    for listed in nodes.confounders.values():
        terms += [name for item in listed for name in _names(item)]
    for analysis in nodes.analyses:
        sets = [analysis.adjust, *(analysis.models or {}).values()]
        terms += [name for item in sets if isinstance(item, tuple) for term in item for name in _names(term)]
    return columns_read(nodes, [*_design(nodes), *terms])


def _design(nodes: ProtocolNode) -> Iterator[str]:
    if nodes.time_zero is not None and not isinstance(nodes.time_zero, CountedTime):
        yield nodes.time_zero
    yield from (name for name in (nodes.data.id, nodes.data.site) if name is not None)
    if nodes.groups is not None:
        yield nodes.groups.variable
    if nodes.exposure is not None:
        yield nodes.exposure.given
        yield from (name for name in (nodes.exposure.starts, nodes.exposure.stops) if name is not None)


def _names(term: object) -> Iterable[str]:
    if isinstance(term, str):
        return (term,)
    variable = getattr(term, "variable", None)
    return (variable,) if variable is not None else tuple(getattr(term, "interaction", None) or ())


def _refuse(plan: Plan, hidden: frozenset[str]) -> None:
    design = list(_design(plan.protocol))
    read = sorted(columns_read(plan.protocol, design) & hidden)
    if read:
        finding = Finding(
            code="E659", where=Location("rehearsal"),
            seen=f"time zero, the groups or the exposure read {', '.join(read)}, which an outcome is made of",
            allowed="groups and exposure that are known without the outcome",
            remedy="define them from other columns: a group made of the outcome cannot be compared in it",
        )  # fmt: skip
        raise ProtocolError([finding])
