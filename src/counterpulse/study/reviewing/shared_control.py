"""Several treated arms of one study against one control: the control is split, or the arms are taken together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from counterpulse.data.sample import Sample
from counterpulse.protocol.plan import Plan, PlannedOutcome
from counterpulse.protocol.planned_review import effects_of
from counterpulse.study.reviewing.columns import COUNTED, EVENTS, NOTE, PATIENTS, STUDY, VI, YI
from counterpulse.study.reviewing.formats import BINARY, WHEN
from counterpulse.study.reviewing.measures import code_of
from counterpulse.synthesis.effects.shared_control import combine_counts, split_counts
from counterpulse.synthesis.effects.two_by_two import FORMULAS, two_by_two

ARM = "treated"
"""The column that names the treated arm of a row."""


def with_shared_control(plan: Plan, outcome: PlannedOutcome, sample: Sample) -> Sample:
    """The effects with each patient of a control arm counted once; only counts can be split or combined."""
    effects, review = effects_of(plan.protocol), plan.review
    frame = sample.frame
    if (
        review is None
        or ARM not in frame.columns
        or effects.shared_control == "keep"
        or review.measures[outcome.name] not in BINARY
    ):
        return sample
    keep = np.ones(frame.height, dtype=bool)
    for members in _shared(frame):
        if effects.shared_control == "combine":
            frame = _combined(plan, outcome, frame, members)
            keep[members[1:]] = False
        else:
            frame = _split(plan, outcome, frame, members)
    rows = np.flatnonzero(keep)
    return replace(sample, frame=frame[rows], row_of_origin=sample.row_of_origin[rows])


def _shared(frame: pl.DataFrame) -> Iterator[list[int]]:
    """Rows of one study with several treated arms and one control, all of them counts."""
    names, arms, counted = frame[STUDY].to_list(), frame[ARM].cast(pl.String).to_list(), frame[COUNTED].to_list()
    controls = list(zip(frame[EVENTS[1]].to_list(), frame[PATIENTS[1]].to_list(), strict=True))
    for name in dict.fromkeys(names):
        members = [index for index, other in enumerate(names) if other == name]
        same = len({controls[index] for index in members}) == 1 and all(counted[index] for index in members)
        if len(members) > 1 and len({arms[index] for index in members}) == len(members) and same:
            yield members


def _split(plan: Plan, outcome: PlannedOutcome, frame: pl.DataFrame, members: list[int]) -> pl.DataFrame:
    """The control divided among the comparisons; each stands under its study and arm."""
    parts = split_counts(frame[EVENTS[1]][members[0]], frame[PATIENTS[1]][members[0]], parts=len(members))
    for position, index in enumerate(members):
        numbers = (
            frame[EVENTS[0]][index], frame[PATIENTS[0]][index], float(parts.events[position]), float(parts.n[position]),
        )  # fmt: skip
        name = f"{frame[STUDY][index]}, {frame[ARM][index]}"
        frame = _replaced(plan, outcome, frame, index, numbers, name, f"control split among {len(members)} arms")
    return frame


def _combined(plan: Plan, outcome: PlannedOutcome, frame: pl.DataFrame, members: list[int]) -> pl.DataFrame:
    together = combine_counts([frame[EVENTS[0]][i] for i in members], [frame[PATIENTS[0]][i] for i in members])
    first = members[0]
    numbers = (together.events, together.n, frame[EVENTS[1]][first], frame[PATIENTS[1]][first])
    return _replaced(
        plan, outcome, frame, first, numbers, str(frame[STUDY][first]), f"{len(members)} treated arms taken together"
    )


def _replaced(
    plan: Plan, outcome: PlannedOutcome, frame: pl.DataFrame, index: int, numbers: tuple[float, float, float, float], name: str, said: str
) -> pl.DataFrame:  # fmt: skip
    """A row with other counts, and the effect that they give; events of a split control need not be whole."""
    effects = effects_of(plan.protocol)
    assert plan.review is not None
    code = code_of(plan.review.measures[outcome.name], effects)
    a, n_1, c, n_2 = numbers
    scale = 1 if float(c).is_integer() and float(n_2).is_integer() else None
    zero = effects.zero_cells
    if scale is None:
        yi, vi = _unrounded(code, a, n_1, c, n_2, zero.add if zero.when != "never" else 0.0)
    else:
        rows = two_by_two([a], [n_1], [c], [n_2], measure=code, zero_cells=WHEN[zero.when], add=zero.add)
        yi, vi = float(rows.yi[0]), float(rows.vi[0])
    note = "; ".join(part for part in (frame[NOTE][index], said) if part)
    values = {
        YI: yi, VI: vi, EVENTS[0]: a, PATIENTS[0]: n_1, EVENTS[1]: c, PATIENTS[1]: n_2, STUDY: name, NOTE: note,
    }  # fmt: skip
    return frame.with_columns(
        pl.when(pl.int_range(pl.len()) == index).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
        for column, value in values.items()
    )


def _unrounded(code: str, a: float, n_1: float, c: float, n_2: float, add: float) -> tuple[float, float]:
    """The effect of counts that are no whole numbers."""
    cells = np.array([a, n_1 - a, c, n_2 - c])
    cells = cells + add * (cells == 0).any()
    with np.errstate(divide="ignore", invalid="ignore"):
        yi, vi = FORMULAS[code](*cells)
    return float(yi), float(vi)
