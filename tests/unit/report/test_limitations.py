"""Limitations are stated where they apply, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench_study import bench_plan, bench_result
from worded_study import snapshot, text_of, worded_plan, worded_result

from counterpulse.protocol.plan import PlannedSelection, PlannedTruncation
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.limitations.section import limitations, limitations_section
from counterpulse.report.number_styles import STYLES
from counterpulse.results import Block, Notice, Status


def found(plan, result):
    return {item.subject: item.words for item in limitations(Context(plan, result, STYLES["jama"]))}


def in_protocol(plan, **update):
    return replace(plan, protocol=plan.protocol.model_copy(update=update))


def in_study(plan, **update):
    return in_protocol(plan, study=plan.protocol.study.model_copy(update=update))


def test_the_limitations_of_a_study():
    text = text_of([limitations_section(Context(worded_plan(), worded_result(), STYLES["jama"]))])
    assert text == snapshot("limitations", text)


def test_a_registered_trial_without_troubles_has_few():
    plan, result = worded_plan(), worded_result()
    groups = plan.protocol.groups.model_copy(update={"assigned_by": "randomization"})
    plan = in_study(
        in_protocol(plan, groups=groups, exposure=None, immortal_time=None, follow_up=None, amendments=()), design="randomized-trial"
    )  # fmt: skip
    first = replace(plan.analyses[0], maker="as observed", landmarks=())
    row = replace(result.estimates[0], n_missing=0)
    calm = replace(result, estimates=(row,), blocks=(), warnings=(), details={})
    assert found(replace(plan, analyses=(first,), subgroups=None), calm) == {}


@pytest.mark.parametrize("kind", ["mock", "synthetic", "simulated"])
def test_patients_that_are_not_real_come_first(kind):
    assert next(iter(found(worded_plan(), replace(worded_result(), data_kind=kind)))) == "Data"


def test_a_landmark_names_whom_it_leaves_out():
    words = found(worded_plan(), worded_result())["Landmark"]
    assert "leaves out 15 patients who died or left follow-up within 24 hours" in words
    assert "Another 4 patients treated later count as untreated" in words


def test_small_counts_of_the_landmark_are_not_told():
    privacy = worded_plan().protocol.privacy.model_copy(update={"small_cells": 5})
    words = found(in_protocol(worded_plan(), privacy=privacy), worded_result())["Landmark"]
    assert "15" in words
    assert "4 patients treated later" not in words
    hidden = replace(worded_result(), details={"A1": {"death_hospital.removed": None}})
    assert "leaves out patients who died" in found(worded_plan(), hidden)["Landmark"]


@pytest.mark.parametrize(
    ("changes", "timing", "subject", "said"),
    [
        ({"maker": "as observed", "landmarks": ()}, "known", "Immortal time", "was not removed from the primary analysis."),
        ({"maker": "as observed", "landmarks": ()}, "unknown", "Immortal time", "because the start of treatment was not recorded"),
        ({"maker": "time-varying", "landmarks": ()}, "known", "Time-varying treatment", "do not adjust for that"),
    ],
)  # fmt: skip
def test_the_time_before_treatment(changes, timing, subject, said):
    plan = worded_plan()
    exposure = plan.protocol.exposure.model_copy(update={"timing": timing})
    plan = in_protocol(replace(plan, analyses=(replace(plan.analyses[0], **changes),)), exposure=exposure)
    assert said in found(plan, worded_result())[subject]


def test_missing_values_give_the_share_lost():
    rows = tuple(replace(row, n_missing=520) if row.analysis == "A1" else row for row in worded_result().estimates)
    words = found(worded_plan(), replace(worded_result(), estimates=rows))["Missing values"]
    assert "kept 520 of 6000 patients (8.7%) out of the primary analysis" in words.replace("\N{NARROW NO-BREAK SPACE}", "")  # fmt: skip
    hidden = tuple(replace(row, n_missing=None) for row in rows)
    assert "Missing values" not in found(worded_plan(), replace(worded_result(), estimates=hidden))


def test_when_it_was_planned():
    plan = worded_plan()
    words = found(plan, worded_result())
    assert words["Unplanned analyses"].startswith("A6 was planned after the data had been seen.")
    assert words["Amendments"].startswith("Amendment 2025-06-02 was made after outcomes had been seen")
    assert "Registration" not in words
    every = replace(plan, analyses=tuple(replace(item, planned="after-data") for item in plan.analyses))
    assert found(every, worded_result())["Unplanned analyses"].startswith("All analyses were planned after")
    stated = replace(plan, analyses=tuple(replace(item, planned="stated") for item in plan.analyses))
    words = found(in_study(stated, registration="none", data_seen_before_plan=True), worded_result())
    assert {"Registration", "Data seen before the plan"} <= set(words)


def test_what_was_planned_and_not_run():
    assert found(worded_plan(), worded_result())["Analyses not run"].startswith("S3 was planned and not run")


def test_few_events_few_clusters_and_what_failed():
    block = Block(
        id="description.events-per-parameter", analysis="description", kind="events-per-parameter",
        columns={"analysis": ["A1", "A4", "A4"], "outcome": ["death_hospital"] * 3, "model": [None, None, "screen: age"],
                 "n": [100, 100, 100], "events": [40, 200, 5], "parameters": [8, 4, 1], "ratio": [5.0, 50.0, 5.0]},
    )  # fmt: skip
    rows = tuple(replace(row, clusters=12) if row.analysis == "A1" else row for row in worded_result().estimates)
    words = found(worded_plan(), replace(worded_result(), blocks=(*worded_result().blocks, block), estimates=rows))
    assert "fewer than ten in A1 (5.0)." in words["Few events"]
    assert "rests on 12 clusters" in words["Few clusters"]
    assert "bleeding complication (A6)" in words["Effects not estimated"]
    suppressed = tuple(
        replace(row, estimate=replace(row.estimate, status=Status.SMALL_CELL)) if row.analysis == "A6" else row
        for row in rows
    )
    assert "Effects not estimated" not in found(worded_plan(), replace(worded_result(), estimates=suppressed))


def test_assumptions_are_named_where_the_data_speak_against_them():
    assert "Proportional hazards" not in found(worded_plan(), worded_result())
    words = found(bench_plan(), bench_result())["Proportional odds"].replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "in A8 (all variables together, P = .04)" in words


def test_selected_covariates_survivors_and_small_counts():
    plan = worded_plan()
    selection = PlannedSelection(method="stepwise", candidates=("age",))
    truncation = PlannedTruncation(by="death_hospital", label="Death", plan="survivors-only")
    outcome = replace(plan.outcomes["bleeding"], truncation=truncation)
    chosen = replace(
        plan, analyses=(replace(plan.analyses[0], selection=selection), *plan.analyses[1:]), outcomes={**plan.outcomes, "bleeding": outcome}
    )  # fmt: skip
    result = replace(worded_result(), warnings=(Notice("W801", "privacy", "Counts below 5 are not shown."),))
    assert {"Selected covariates", "Survivors only", "Small counts"} <= set(found(chosen, result))
    assert not {"Selected covariates", "Survivors only", "Small counts"} & set(found(plan, worded_result()))


def test_centers():
    plan = worded_plan()
    assert "Centers" not in found(plan, worded_result())
    alone = replace(plan, analyses=(replace(plan.analyses[0], clusters=None), *plan.analyses[1:]))
    assert "makes no allowance" in found(alone, worded_result())["Centers"]
    without = in_protocol(plan, data=plan.protocol.data.model_copy(update={"site": None}))
    assert "The data name no centers" in found(without, worded_result())["Centers"]


def test_a_warning_of_several_analyses_is_told_once():
    twice = tuple(Notice("W620", name, "Fifteen patients were not followed.") for name in ("A1", "A2"))
    text = text_of([limitations_section(Context(worded_plan(), replace(worded_result(), warnings=twice), STYLES["jama"]))])  # fmt: skip
    assert text.count("Fifteen patients") == 1
    assert "[W620, A1, A2]" in text
    calm = text_of([limitations_section(Context(worded_plan(), replace(worded_result(), warnings=()), STYLES["jama"]))])
    assert "The run gave no warnings." in calm
