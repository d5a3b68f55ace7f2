"""The counts of a result as cells, and which of them add up: what a reader could add and subtract."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations

from counterpulse.results.estimate import GroupCount
from counterpulse.results.small_cells import Sum
from counterpulse.results.study_result import (
    FLOW_BOX,
    FLOW_REASON,
    FLOW_UNKNOWN,
    EstimateRow,
    FlowStep,
    StudyResult,
    TableOneRow,
)


def people(n: int, group: str | None = None, variable: str | None = None, level: str | None = None) -> Hashable:
    """Patients: the same number of the same people is one cell wherever it stands."""
    return ("patients", group, variable, level, n)


def events_of(
    n: int, outcome: str, group: str | None = None, variable: str | None = None, level: str | None = None
) -> Hashable:
    """Events of an outcome."""
    return ("events", outcome, group, variable, level, n)


def blanks(n: int, variable: str, group: str | None) -> Hashable:
    """Missing values of a variable."""
    return ("missing", variable, group, n)


@dataclass(slots=True)
class Census:
    """Every count of a result by its cell, and the sums a reader can form."""

    counts: dict[Hashable, int] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)

    @property
    def keep(self) -> Set[Hashable]:
        """Patients and events of whole groups, which everything else refers to."""
        whole = {"patients": 2, "events": 3}
        return {
            cell
            for cell in self.counts
            if isinstance(cell, tuple) and cell[0] in whole and cell[whole[cell[0]]] is None
        }

    def count(self, cell: Hashable, n: int) -> Hashable:
        """Note a count."""
        self.counts[cell] = n
        return cell

    def sum(self, total: Hashable | None, parts: Iterable[Hashable]) -> None:
        """Note that a total can be taken apart."""
        parts = tuple(parts)
        if total is not None and parts and total not in parts:
            self.sums.append(Sum(total, parts))


def census_of(result: StudyResult) -> Census:
    """Every count of flow, Table 1 and estimates."""
    census = Census()
    _census_of_flow(census, result.flow)
    _census_of_table_one(census, result.table_one)
    for row in result.estimates:
        _census_of_row(census, row)
    _census_of_strata(census, result.estimates)
    return census


def flow_cell(step: FlowStep, group: str | None = None) -> Hashable:
    """The cell of a box of the flow, or of one group in it."""
    if step.kind in (FLOW_BOX, FLOW_REASON, FLOW_UNKNOWN):
        return ("box", step.id, group)
    if group is not None:
        return people((step.by_group or {}).get(group) or 0, group)
    whole = step.kind in ("eligible", "analyzed", "analysis")
    return people(step.n or 0) if whole else ("flow", step.id, step.n)


def _census_of_flow(census: Census, flow: Sequence[FlowStep]) -> None:
    by_kind: dict[str, list[Hashable]] = {}
    for step in flow:
        total = census.count(flow_cell(step), step.n or 0)
        by_kind.setdefault(step.kind, []).append(total)
        parts = [census.count(flow_cell(step, group), n or 0) for group, n in (step.by_group or {}).items()]
        if step.kind == "design":
            census.sum(next(iter(by_kind.get("eligible", [])), None), (total, *parts))
        else:
            census.sum(total, parts)
    screened, read, eligible = (by_kind.get(kind) for kind in ("screened", "read", "eligible"))
    if read and eligible:
        census.sum(read[0], (*by_kind.get("removed", ()), eligible[0]))
    if screened and read:
        census.sum(screened[0], (*by_kind.get("absent", ()), read[0]))
    _census_of_boxes(census, flow)


def _census_of_boxes(census: Census, flow: Sequence[FlowStep]) -> None:
    """In each group: those in a box, those whom its rule cannot judge, and the rest; and a box is the sum of its reasons."""
    eligible = next((step for step in flow if step.kind == "eligible"), None)
    for box in (step for step in flow if step.kind == FLOW_BOX):
        own = [step for step in flow if step.id.startswith(f"{box.id}.")]
        unknown = [step for step in own if step.kind == FLOW_UNKNOWN]
        reasons = [step for step in own if step.kind == FLOW_REASON]
        for group in (None, *(box.by_group or {})):
            if eligible is not None:
                census.sum(flow_cell(eligible, group), [flow_cell(step, group) for step in (box, *unknown)])
            census.sum(flow_cell(box, group), [flow_cell(step, group) for step in reasons])
    if eligible is not None:
        for one, other in combinations([step for step in flow if step.kind == FLOW_BOX], 2):
            _census_of_kin(census, flow, eligible, one, other)


def _census_of_kin(
    census: Census, flow: Sequence[FlowStep], eligible: FlowStep, one: FlowStep, other: FlowStep
) -> None:
    """Two boxes that are the same everywhere, or of which each holds the rest of the other: one tells the other."""
    steps = {step.id: step for step in flow}
    unknown, also = (steps.get(f"{box.id}.unknown") for box in (one, other))
    groups = (None, *(one.by_group or {}))

    def n(step: FlowStep | None, group: str | None) -> int:
        return 0 if step is None else ((step.n if group is None else (step.by_group or {}).get(group)) or 0)

    same = all(n(one, group) == n(other, group) for group in groups)
    rest = all(n(one, group) + n(other, group) + n(unknown, group) == n(eligible, group) for group in groups)
    for group in groups if same or rest else ():
        if same:
            census.sum(flow_cell(one, group), [flow_cell(other, group)])
        else:
            parts = [step for step in (one, other, unknown) if step is not None]
            census.sum(flow_cell(eligible, group), [flow_cell(step, group) for step in parts])
        if unknown and also and n(unknown, group) == n(also, group):
            census.sum(flow_cell(unknown, group), [flow_cell(also, group)])


def _census_of_table_one(census: Census, rows: Iterable[TableOneRow]) -> None:
    of_group: dict[tuple[str, str | None], dict[Hashable, None]] = {}
    across: dict[Hashable, dict[str | None, Hashable]] = {}
    sizes: dict[tuple[str, str | None], Hashable] = {}
    for row in rows:
        if row.contrast is not None or row.n is None:
            continue
        at = (row.variable, row.group)
        sizes[at] = census.count(people(row.n, row.group), row.n)
        parts = of_group.setdefault(at, {})
        if row.missing is not None:
            cell = census.count(blanks(row.missing, row.variable, row.group), row.missing)
            parts[cell] = None
            across.setdefault((row.variable, "missing"), {})[row.group] = cell
        if row.count is not None:
            cell = census.count(people(row.count, row.group, row.variable, row.level), row.count)
            parts[cell] = None
            across.setdefault((row.variable, "level", row.level), {})[row.group] = cell
        across.setdefault((row.variable, "n"), {})[row.group] = sizes[at]
    for at, parts in of_group.items():
        census.sum(sizes[at], parts)
    for cells in across.values():
        census.sum(cells.get(None), (cell for group, cell in cells.items() if group is not None))


def place_of(row: EstimateRow) -> tuple[str | None, str | None]:
    """The subgroup variable and level of a row."""
    return (None, None) if row.subgroup is None else (row.subgroup.variable, row.subgroup.level)


def _census_of_row(census: Census, row: EstimateRow) -> None:
    """Patients and events of a row and of its groups; those without the event are what remains."""
    at = place_of(row)
    whole = None if row.n is None else census.count(people(row.n, None, *at), row.n)
    died = None if row.events is None else census.count(events_of(row.events, row.outcome, None, *at), row.events)
    if whole is not None and died is not None:
        census.sum(whole, (died,))
    sizes, events = [], []
    for group in row.groups:
        sizes.append(census.count(people(group.n or 0, group.group, *at), group.n or 0))
        if group.events is not None:
            events.append(census.count(events_of(group.events, row.outcome, group.group, *at), group.events))
            census.sum(sizes[-1], events[-1:])
    if len(row.groups) > 1:
        census.sum(whole, sizes)
        census.sum(died, events)


def _census_of_strata(census: Census, rows: Iterable[EstimateRow]) -> None:
    """A group is the sum of its strata, in patients and in events."""
    overall: dict[tuple[str, str | None, str], EstimateRow] = {}
    parts: dict[tuple[str, str | None, str, str, str], dict[str, GroupCount]] = {}
    strata_of: dict[tuple[str, str | None, str, str], dict[str, EstimateRow]] = {}
    for row in rows:
        question = (row.analysis, row.model, row.outcome)
        if row.subgroup is None and len(row.groups) > 1:
            overall.setdefault(question, row)
        if row.subgroup is not None and row.groups:
            strata_of.setdefault((*question, row.subgroup.variable), {})[row.subgroup.level] = row
        for group in row.groups if row.subgroup is not None else ():
            assert row.subgroup is not None
            parts.setdefault((*question, row.subgroup.variable, group.group), {})[row.subgroup.level] = group
    for (analysis, model, outcome, variable, arm), strata in parts.items():
        whole = _group_of(overall.get((analysis, model, outcome)), arm)
        if whole is None:
            continue
        at = (arm, variable)
        census.sum(people(whole.n or 0, arm), [people(item.n or 0, *at, level) for level, item in strata.items()])
        if whole.events is not None:
            died = [events_of(item.events or 0, outcome, *at, level) for level, item in strata.items()]
            census.sum(events_of(whole.events, outcome, arm), died)

    for (analysis, model, outcome, variable), rows_of in strata_of.items():
        every = overall.get((analysis, model, outcome))
        if every is not None:
            sizes = [people(item.n or 0, None, variable, level) for level, item in rows_of.items()]
            census.sum(people(every.n or 0), sizes)
            died = [events_of(item.events or 0, outcome, None, variable, level) for level, item in rows_of.items()]
            census.sum(events_of(every.events or 0, outcome), died)


def _group_of(row: EstimateRow | None, group: str) -> GroupCount | None:
    return next((item for item in row.groups if item.group == group), None) if row is not None else None
