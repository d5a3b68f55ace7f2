"""What a review tells beside its analyses: how studies were found, what each printed, its bias, agreement, certainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from counterpulse.data.patient_table import PatientTable
from counterpulse.numerics.distributions import critical_value
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.planned_review import effects_of
from counterpulse.results import Block, Cell, FlowStep, Notice
from counterpulse.results.estimate import to_natural
from counterpulse.study.patients.cohort import Cohort
from counterpulse.study.request import Answer
from counterpulse.study.reviewing.agreement import agreement_blocks
from counterpulse.study.reviewing.answers.effects import cell
from counterpulse.study.reviewing.bias import bias_block
from counterpulse.study.reviewing.blocks import review_block
from counterpulse.study.reviewing.certainty import certainty_blocks
from counterpulse.study.reviewing.columns import (
    EVENTS,
    FORMAT,
    NOTE,
    OUTCOME,
    PATIENTS,
    REASON,
    ROW,
    STUDY,
    USED,
    VI,
    YI,
)
from counterpulse.study.reviewing.measures import scale_of
from counterpulse.study.reviewing.screening import LOG, log_notices, screening_boxes, screening_flow, screening_notices


@dataclass(frozen=True, slots=True)
class Described:
    """The flow of records, blocks, and what is to be said; nothing of a study that is no review."""

    flow: tuple[FlowStep, ...] = ()
    blocks: tuple[Block, ...] = ()
    notices: tuple[Notice, ...] = ()


def described_review(plan: Plan, table: PatientTable, cohort: Cohort, answers: Mapping[str, Answer]) -> Described:
    """Describe a review; `answers` are those of its analyses by id."""
    if plan.review is None:
        return Described()
    boxes, notices = dict[str, object](), list[Notice]()
    if plan.protocol.screening is not None:
        boxes = screening_boxes(plan.protocol.screening, table.related.get(LOG))
        notices += [
            *log_notices(table.related.get(LOG)),
            *screening_notices(boxes, int(cohort.frame[STUDY].n_unique())),
        ]
    bias, said_of_bias = bias_block(plan, cohort.frame)
    agreed, said_of_agreement = agreement_blocks(plan, table)
    certain = certainty_blocks(plan, table, cohort, bias, answers)
    return Described(
        flow=screening_flow(boxes),
        blocks=(_extraction(plan, cohort.frame), *bias, *agreed, *certain),
        notices=(*notices, *said_of_bias, *said_of_agreement),
    )


def _extraction(plan: Plan, frame: pl.DataFrame) -> Block:
    """Every row of the extraction table: what it printed, what that gives, where it stands."""
    return review_block("effect-sizes", [_row(plan, row) for row in frame.iter_rows(named=True)])


def _row(plan: Plan, row: Mapping[str, object]) -> dict[str, Cell]:
    outcome = str(row[OUTCOME]) if row[OUTCOME] is not None else None
    measure = plan.review.measures[outcome] if plan.review is not None and outcome is not None else None
    ends = _ends(plan, measure, row[YI], row[VI])
    return {
        "row": int(row[ROW]), "study": str(row[STUDY]), "outcome": outcome, "design": _text(plan, row, "design"),  # type: ignore[call-overload]
        "format": _text(plan, row, FORMAT), "measure": measure, "arm_1": _text(plan, row, "treated"),
        "events_1": _number(row[EVENTS[0]]), "n_1": _number(row[PATIENTS[0]]), "arm_2": _text(plan, row, "control"),
        "events_2": _number(row[EVENTS[1]]), "n_2": _number(row[PATIENTS[1]]), "estimate": ends[0], "conf_low": ends[1],
        "conf_high": ends[2], "yi": _number(row[YI]), "vi": _number(row[VI]), "note": _text(plan, row, NOTE),
        "used": "yes" if row[USED] else "no", "reason": _text(plan, row, REASON), "source": _text(plan, row, "source"),
        "quote": _text(plan, row, "quote"), "extractor": _text(plan, row, "extractor"),
    }  # fmt: skip


def _ends(plan: Plan, measure: str | None, yi: object, vi: object) -> tuple[float | None, float | None, float | None]:
    """The effect of a row with its 95% limits as a reader reads them."""
    if measure is None or not isinstance(yi, float) or not isinstance(vi, float):
        return None, None, None
    scale, reach = scale_of(measure, effects_of(plan.protocol)), critical_value(0.95) * vi**0.5
    return to_natural(yi, scale), to_natural(yi - reach, scale), to_natural(yi + reach, scale)


def _number(value: object) -> float | None:
    return cell(float(value)) if isinstance(value, int | float) else None


def _text(plan: Plan, row: Mapping[str, object], name: str) -> str | None:
    """A text of the table, a level by its label."""
    value = row.get(name)
    if value is None:
        return None
    levels = plan.variables[name].levels if name in plan.variables else {}
    return levels.get(str(value), str(value)) or None
