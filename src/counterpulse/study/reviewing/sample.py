"""The effects of one outcome that an analysis pools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from counterpulse.data.sample import Sample
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.results import Notice
from counterpulse.study.patients.made_sample import MadeSample
from counterpulse.study.reviewing.columns import NOTE, OUTCOME, ROW, STUDY, USED
from counterpulse.study.reviewing.overlap import without_overlap
from counterpulse.study.reviewing.shared_control import with_shared_control

NETWORK = "network-meta-analysis"


def effect_sample(plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, eligible: Sample) -> MadeSample:
    """The usable effects of an outcome among the eligible rows, each study once unless the method takes dependence into account.

    Raises
    ------
    DataError : a study stands more than once, and nothing says which effect counts
    """
    member = eligible.frame.select((pl.col(OUTCOME) == outcome.name) & pl.col(USED))
    sample = _picked(eligible, np.flatnonzero(member.to_series().fill_null(value=False).to_numpy()))
    network = analysis.method == NETWORK
    shared = sample if network else with_shared_control(plan, outcome, sample)
    dependent = (
        network or analysis.options.get("model") == "three-level" or analysis.options.get("dependence") == "robust"
    )
    chosen = without_overlap(
        shared.frame, plan.protocol.overlap, analysis=analysis.id, outcome=outcome.label, file=plan.protocol.data.table,
        dependent=dependent, network=network,
    )  # fmt: skip
    made = _picked(shared, np.flatnonzero(chosen.rows))
    notices = (*_of_arms(sample.frame, made.frame, analysis.id, outcome.label), *chosen.notices)
    return MadeSample(sample=replace(made, stage=(*made.stage, "effects")), notices=notices)


def _of_arms(before: pl.DataFrame, after: pl.DataFrame, analysis: str, outcome: str) -> Iterator[Notice]:
    """Rows whose control was split, or whose arms were taken together."""
    notes = dict(zip(before[ROW].to_list(), before[NOTE].to_list(), strict=True))
    for study, row, note in after.select(STUDY, ROW, NOTE).iter_rows():
        if note != notes[row]:
            said = note.removeprefix(notes[row] or "").lstrip("; ")
            yield Notice("W882", analysis, f"{outcome}: {study} (row {row}): {said}.")


def _picked(sample: Sample, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Sample:
    return replace(sample, frame=sample.frame[rows], row_of_origin=sample.row_of_origin[rows])


def rows_of(sample: Sample) -> list[int]:
    """Where the effects stand in the file."""
    return sample.frame[ROW].to_list()
