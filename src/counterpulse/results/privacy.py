"""Small cells: counts so low that they could point at a person are taken out of a result, and what gives them away with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from math import nan

from counterpulse.results.block import Cell
from counterpulse.results.census import blanks, census_of, flow_cell, place_of
from counterpulse.results.census_of_blocks import census_of_blocks, sizes_of_blocks
from counterpulse.results.estimate import Estimate, GroupCount
from counterpulse.results.privacy_blocks import coarse_block, screened_block
from counterpulse.results.privacy_of_adjustment import Withheld
from counterpulse.results.privacy_screen import Screen
from counterpulse.results.small_bins import small_count
from counterpulse.results.small_cells import hidden_cells
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

OF_A_FEW = (
    "largest_weight", ".person_time", ".person_time_left_out", ".person_time_removed", ".person_time_reclassified", ".credited",
    "risk by the end of follow-up",
)  # fmt: skip
"""Details that may be of one patient, or follow from two that are not."""

MEAN_COUNTS = ("pairs", "matched_treated", "matched_reference", "unmatched_treated", "trimmed", "incomplete", "sets")
"""Details of matching and weighting that count patients, over imputed tables as a mean."""


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
    result = replace(result, blocks=tuple(coarse_block(block, smallest) for block in result.blocks))
    group_variable = result.plan.get("group_variable")
    census = census_of(result)
    census_of_blocks(census, result.blocks, sizes=_sizes(result), group_variable=group_variable)
    hidden = hidden_cells(census.counts, census.sums, smallest=smallest, keep=census.keep)
    screen = Screen(hidden, smallest, group_variable, sizes_of_blocks(result.blocks))
    unadjusted = {record.id for record in result.analyses if _unadjusted(record)}
    estimates = tuple(_estimate_row(row, screen, row.analysis in unadjusted) for row in result.estimates)
    screen = replace(screen, estimates={row.id: row for row in estimates})
    return replace(
        result,
        flow=tuple(_flow_step(step, screen) for step in result.flow),
        table_one=tuple(_table_one(result.table_one, screen)),
        analyses=tuple(replace(record, n_missing=screen.small(record.n_missing)) for record in result.analyses),
        estimates=estimates,
        blocks=tuple(screened_block(block, screen, _withheld_strata(estimates)) for block in result.blocks),
        details={id_: {name: _detail(name, cell, screen) for name, cell in cells.items()} for id_, cells in result.details.items()},
        warnings=(*(replace(notice, text=_told(notice.text, screen)) for notice in result.warnings), _notice(smallest)),
    )  # fmt: skip


def _sizes(result: StudyResult) -> dict[str | None, int]:
    """The patients in each compared group and in all of them, as Table 1 describes them."""
    step = next((step for step in result.flow if step.kind == "eligible"), None)
    if step is None or step.n is None:
        return {}
    sizes: dict[str | None, int] = {group: n or 0 for group, n in (step.by_group or {}).items()}
    return sizes | {None: sum(sizes.values()) if sizes else step.n}


def _withheld_strata(estimates: tuple[EstimateRow, ...]) -> Withheld:
    return {(row.analysis, *place_of(row)) for row in estimates if row.estimate.status is Status.SMALL_CELL}


def _notice(smallest: int) -> Notice:
    return Notice(
        "W801", "privacy",
        f"Counts below {smallest} are not shown (privacy: small_cells), nor is what they could be worked out from: other counts "
        "of the same total, percentages, summaries of small groups, smallest and largest values, unadjusted effects of small "
        f"counts, and steps of curves with fewer than {smallest} events. A dash in a table is such a number, and the bundle holds it "
        "nowhere. Patients left out for a missing value, or excluded from an analysis, may still follow from the sizes of two analyses.",
    )  # fmt: skip


def _unadjusted(record: AnalysisRecord) -> bool:
    return any(choice.name == "adjusted for" and choice.value == "nothing" for choice in record.choices)


def _flow_step(step: FlowStep, screen: Screen) -> FlowStep:
    by_group = step.by_group
    n = None if flow_cell(step) in screen.hidden else step.n
    return replace(
        step,
        n=n,
        n_alone=None if n is None else screen.small(step.n_alone),
        unknown=screen.small(step.unknown),
        by_group=None
        if by_group is None
        else {group: None if flow_cell(step, group) in screen.hidden else count for group, count in by_group.items()},
    )


def _table_one(rows: tuple[TableOneRow, ...], screen: Screen) -> Iterator[TableOneRow]:
    shown = [_summary(row, screen) if row.contrast is None else row for row in rows]
    open_ = {row.variable for row, now in zip(rows, shown, strict=True) if (row.count, row.n) != (now.count, now.n)}
    for row in shown:
        yield replace(row, smd=None, p_value=None) if row.contrast is not None and row.variable in open_ else row


def _summary(row: TableOneRow, screen: Screen) -> TableOneRow:
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


def _group(group: GroupCount, row: EstimateRow, screen: Screen) -> GroupCount:
    at = (group.group, *place_of(row))
    n, events = screen.people(group.n, *at), screen.events(group.events, row.outcome, *at)
    whole = (n, events) == (group.n, group.events)
    return replace(
        group, n=n, events=events, person_time=group.person_time if whole else None, risk=group.risk if whole else None
    )


def _estimate_row(row: EstimateRow, screen: Screen, unadjusted: bool) -> EstimateRow:
    groups = tuple(_group(group, row, screen) for group in row.groups)
    at = place_of(row)
    shown = replace(
        row, groups=groups, n=screen.people(row.n, None, *at), events=screen.events(row.events, row.outcome, None, *at),
        n_missing=screen.small(row.n_missing),
    )  # fmt: skip
    if (shown.n, shown.groups) != (row.n, row.groups):
        shown = replace(shown, effective_n=None)
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


def _detail(name: str, cell: Cell, screen: Screen) -> Cell:
    """A number beside the estimates; never the largest weight, which is one patient's, nor follow-up that may be of a few."""
    if name.endswith(OF_A_FEW) or (name.endswith(MEAN_COUNTS) and small_count(cell, screen.smallest)):
        return None
    counted = isinstance(cell, int) and not isinstance(cell, bool)
    also = {cell[-1] for cell in screen.hidden if isinstance(cell, tuple) and cell[0] == "flow"}
    return None if counted and (0 < int(cell or 0) < screen.smallest or cell in also) else cell


def _told(text: str, screen: Screen) -> str:
    """A sentence with its small numbers of people as "fewer than"."""

    def said(found: re.Match[str]) -> str:
        return f"fewer than {screen.smallest}" if 0 < int(found[1]) < screen.smallest else found[1]

    return PEOPLE.sub(said, text)
