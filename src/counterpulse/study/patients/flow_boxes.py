"""The boxes of `flow` counted: in everybody and in each group, with those whom the rule cannot judge and with the reasons."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from counterpulse.data.design import level_text
from counterpulse.protocol.plan import Plan, PlannedFlowBox
from counterpulse.results import FlowStep
from counterpulse.results.study_result import FLOW_BOX, FLOW_REASON, FLOW_UNKNOWN

NO_REASON = "Reason not recorded"


def count_boxes(plan: Plan, frame: pl.DataFrame, judged: dict[str, pl.Series]) -> Iterator[FlowStep]:
    """Count each box.

    Parameters
    ----------
    frame : the eligible patients, the group column as an enum of the compared groups (anyone else is null)
    judged : of each box its rule, true, false or null (unknown) for each patient

    Returns
    -------
    Iterator of FlowStep : "flow.NAME" of each box, "flow.NAME.unknown" where the rule is unknown for somebody, and
        "flow.NAME.reason.LEVEL" and "flow.NAME.no-reason" where the box has reasons
    """
    for box in plan.flow:
        inside = judged[box.name].fill_null(value=False)
        unknown = judged[box.name].is_null()
        yield _step(plan, frame, inside, f"flow.{box.name}", box.label, FLOW_BOX)
        if unknown.any():
            yield _step(plan, frame, unknown, f"flow.{box.name}.unknown", f"{box.label}: unknown", FLOW_UNKNOWN)
        if box.reasons is not None:
            yield from _reasons(plan, frame, box, inside)


def _reasons(plan: Plan, frame: pl.DataFrame, box: PlannedFlowBox, inside: pl.Series) -> Iterator[FlowStep]:
    text = level_text(frame[str(box.reasons)])
    seen = sorted(text.filter(inside).drop_nulls().unique().to_list())
    for level in (
        *(level for level in box.levels if level in seen),
        *(level for level in seen if level not in box.levels),
    ):
        mask = inside & (text == level).fill_null(value=False)
        yield _step(plan, frame, mask, f"flow.{box.name}.reason.{level}", box.levels.get(level, level), FLOW_REASON)
    nobody_said = inside & text.is_null()
    if nobody_said.any():
        yield _step(plan, frame, nobody_said, f"flow.{box.name}.no-reason", NO_REASON, FLOW_REASON)


def _step(plan: Plan, frame: pl.DataFrame, mask: pl.Series, id_: str, label: str, kind: str) -> FlowStep:
    return FlowStep(id=id_, label=label, kind=kind, n=int(mask.sum()), by_group=group_counts(plan, frame.filter(mask)))


def group_counts(plan: Plan, frame: pl.DataFrame) -> dict[str, int] | None:
    """Patients of each compared group, the groups in the order of the protocol."""
    if plan.group_variable is None:
        return None
    counts = dict(frame[plan.group_variable].drop_nulls().cast(pl.String).value_counts().iter_rows())
    return {group.level: int(counts.get(group.level, 0)) for group in plan.groups}
