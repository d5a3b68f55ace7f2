"""Small cells: counts so low that they could point at a person are taken out of a result, and what gives them away with them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from math import nan

from counterpulse.results.block import Block, Cell
from counterpulse.results.census import blanks, census_of, events_of, flow_cell, people, place_of
from counterpulse.results.estimate import Estimate, GroupCount
from counterpulse.results.small_cells import hidden_cells
from counterpulse.results.small_curves import coarse_curve, coarse_numbers_at_risk
from counterpulse.results.status import Status
from counterpulse.results.study_result import (
    AnalysisRecord,
    EstimateRow,
    FlowStep,
    Notice,
    StudyResult,
    TableOneRow,
)

PEOPLE = re.compile(
    r"(?<![\w.,<=>])(\d+)(?= (?:eligible |of them |who |the follow-up|\w* ?(?:patients?|rows?|records?|values?)\b))"
)


def suppress(result: StudyResult, smallest: int) -> StudyResult:
    """The result without counts from 1 to `smallest` - 1, and without what they can be worked out from.

    Parameters
    ----------
    result : of a run
    smallest : the smallest count that may be shown; 0 and 1 leave the result as it is

    Returns
    -------
    StudyResult : with None for every hidden count. Where a hidden count is part of a printed total, the next smallest part is
        hidden with it. Smallest and largest values are always hidden; summaries of groups below `smallest`, percentages
        whose numerator or denominator is hidden, and effects that rest on a hidden group or, unadjusted, on hidden events,
        are hidden too. Curves keep only the steps that hold `smallest` events or more.
    """
    if smallest <= 1:
        return result
    census = census_of(result)
    hidden = hidden_cells(census.counts, census.sums, smallest=smallest, keep=census.keep)
    screen = _Screen(hidden, smallest)
    unadjusted = {record.id for record in result.analyses if _unadjusted(record)}
    return replace(
        result,
        flow=tuple(_flow_step(step, screen) for step in result.flow),
        table_one=tuple(_table_one(result.table_one, screen)),
        analyses=tuple(replace(record, n_missing=screen.small(record.n_missing)) for record in result.analyses),
        estimates=(estimates := tuple(_estimate_row(row, screen, row.analysis in unadjusted) for row in result.estimates)),
        blocks=tuple(_block(block, screen, estimates) for block in result.blocks),
        details={id_: {name: _detail(cell, screen) for name, cell in cells.items()} for id_, cells in result.details.items()},
        warnings=(*(replace(notice, text=_told(notice.text, screen)) for notice in result.warnings), _notice(smallest)),
    )  # fmt: skip


def _notice(smallest: int) -> Notice:
    return Notice(
        "W801", "privacy",
        f"Counts below {smallest} are not shown (privacy: small_cells), nor is what they could be worked out from: other counts "
        "of the same total, percentages, summaries of small groups, smallest and largest values, unadjusted effects of small "
        f"counts, and steps of curves with fewer than {smallest} events. A dash in a table is such a number, and the bundle holds it "
        "nowhere. Patients left out for a missing value may still follow from the sizes of two analyses.",
    )  # fmt: skip


def _unadjusted(record: AnalysisRecord) -> bool:
    return any(choice.name == "adjusted for" and choice.value == "nothing" for choice in record.choices)


@dataclass(frozen=True, slots=True)
class _Screen:
    """What is hidden, and the smallest count that is not."""

    hidden: frozenset[Hashable]
    smallest: int

    def small(self, n: int | None) -> int | None:
        """A count that stands alone."""
        return None if n is not None and 0 < n < self.smallest else n

    def people(self, n: int | None, *at: str | None) -> int | None:
        """Patients of a place in the study."""
        return None if n is not None and people(n, *at) in self.hidden else n

    def events(self, n: int | None, outcome: str, *at: str | None) -> int | None:
        """Events of a place in the study."""
        return None if n is not None and events_of(n, outcome, *at) in self.hidden else n


def _flow_step(step: FlowStep, screen: _Screen) -> FlowStep:
    by_group = step.by_group
    n = None if flow_cell(step) in screen.hidden else step.n
    return replace(
        step,
        n=n,
        n_alone=None if n is None else screen.small(step.n_alone),
        unknown=screen.small(step.unknown),
        by_group=None
        if by_group is None
        else {group: screen.people(count, group) for group, count in by_group.items()},
    )


def _table_one(rows: tuple[TableOneRow, ...], screen: _Screen) -> Iterator[TableOneRow]:
    shown = [_summary(row, screen) if row.contrast is None else row for row in rows]
    open_ = {row.variable for row, now in zip(rows, shown, strict=True) if (row.count, row.n) != (now.count, now.n)}
    for row in shown:
        yield replace(row, smd=None, p_value=None) if row.contrast is not None and row.variable in open_ else row


def _summary(row: TableOneRow, screen: _Screen) -> TableOneRow:
    n = screen.people(row.n, row.group)
    missing = (
        None if row.missing is None or blanks(row.missing, row.variable, row.group) in screen.hidden else row.missing
    )
    count = screen.people(row.count, row.group, row.variable, row.level)
    row = replace(row, minimum=None, maximum=None)
    if (row.n or 0) - (row.missing or 0) < screen.smallest or n is None:
        row = replace(row, mean=None, sd=None, median=None, q1=None, q3=None)
    whole = None not in (count, missing, n)
    return replace(row, n=n, missing=missing, count=count, percent=row.percent if whole else None)


def _group(group: GroupCount, row: EstimateRow, screen: _Screen) -> GroupCount:
    at = (group.group, *place_of(row))
    n, events = screen.people(group.n, *at), screen.events(group.events, row.outcome, *at)
    whole = (n, events) == (group.n, group.events)
    return replace(
        group, n=n, events=events, person_time=group.person_time if whole else None, risk=group.risk if whole else None
    )


def _estimate_row(row: EstimateRow, screen: _Screen, unadjusted: bool) -> EstimateRow:
    groups = tuple(_group(group, row, screen) for group in row.groups)
    at = place_of(row)
    shown = replace(
        row, groups=groups, n=screen.people(row.n, None, *at), events=screen.events(row.events, row.outcome, None, *at),
        n_missing=screen.small(row.n_missing),
    )  # fmt: skip
    small = any(0 < (group.n or 0) < screen.smallest for group in row.groups)
    hidden = groups != row.groups
    if not (small or (hidden and (unadjusted or row.estimate.reference is None))):
        return shown
    return replace(shown, estimate=_withheld(row.estimate), p_adjusted=None)


def _withheld(estimate: Estimate) -> Estimate:
    return replace(
        estimate, value=nan, std_error=None, interval=None, statistic=None, statistic_name=None, df=None, p_value=None,
        status=Status.SMALL_CELL,
    )  # fmt: skip


def _detail(cell: Cell, screen: _Screen) -> Cell:
    counted = isinstance(cell, int) and not isinstance(cell, bool)
    also = {cell[-1] for cell in screen.hidden if isinstance(cell, tuple) and cell[0] == "flow"}
    return None if counted and (0 < int(cell or 0) < screen.smallest or cell in also) else cell


def _told(text: str, screen: _Screen) -> str:
    """A sentence with its small numbers of people as "fewer than"."""

    def said(found: re.Match[str]) -> str:
        return f"fewer than {screen.smallest}" if 0 < int(found[1]) < screen.smallest else found[1]

    return PEOPLE.sub(said, text)


# -- blocks ------------------------------------------------------------------------------------------------------------


def _block(block: Block, screen: _Screen, estimates: tuple[EstimateRow, ...]) -> Block:
    columns: Mapping[str, Iterable[Cell]] = block.columns
    match block.kind:
        case "survival-curve":
            columns = coarse_curve(block.columns, screen.smallest)
        case "numbers-at-risk":
            columns = coarse_numbers_at_risk(block.columns, screen.smallest)
        case "forest" | "group-test":
            outcome = block.id.split(".")[-2]
            rows = [_counted(row, outcome, screen, _withheld_strata(block, estimates)) for row in block.rows()]
            columns = {name: [row[name] for row in rows] for name in block.columns}
    return replace(block, columns={name: tuple(column) for name, column in columns.items()})


def _withheld_strata(block: Block, estimates: tuple[EstimateRow, ...]) -> Set[tuple[str | None, str | None]]:
    rows = (row for row in estimates if row.analysis == block.analysis and row.estimate.status is Status.SMALL_CELL)
    return {place_of(row) for row in rows}


def _counted(
    row: dict[str, Cell], outcome: str, screen: _Screen, withheld: Set[tuple[str | None, str | None]]
) -> dict[str, Cell]:
    """A row of a forest or of a test of curves."""
    variable, level, group = (
        None if row.get(name) is None else str(row[name]) for name in ("variable", "level", "group")
    )
    at = (group, variable, level)
    what = "events" if "events" in row else "observed"
    n, events = row["n"], row[what]
    known = events is None or float(events) % 1 != 0 or screen.events(int(events), outcome, *at) is not None
    known = known and (events is None or not 0 < float(events) < screen.smallest)
    changed: dict[str, Cell] = {"n": None if n is None else screen.people(int(n), *at), what: events if known else None}
    if not known and "expected" in row:
        changed["expected"] = None
    if "estimate" in row and (variable, level) in withheld:
        changed |= {"estimate": None, "conf_low": None, "conf_high": None}
    return row | changed
