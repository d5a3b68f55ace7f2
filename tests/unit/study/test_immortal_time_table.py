"""Naive and safe answers side by side: who stands in the table, and what each leaves out."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp

import numpy as np
import pytest

from counterpulse.numerics.random_streams import stream
from counterpulse.study.run import run

EXACT = 1e-12  # relative; the same fit twice
DEATH = "end: {label: Death, type: time-to-event, event: death, horizon: 30 days, time_unit: days, better: lower, primary: yes}"
HOSPITAL = "died: {label: Died, type: binary, event: died = yes, better: lower, if_unknown: keep-patient}"
KEYS = {
    "exposure": "{given: 'device = \"pump\"', starts: pump_day}",
    "follow_up": "{death: death, last_seen: seen, discharge: discharge, after_discharge: alive}",
    "outcomes": f"{{{DEATH}, {HOSPITAL}}}",
    "immortal_time": "{plan: landmark, at: 2 days}",
}
PRIMARY = "{id: A1, role: primary, outcome: end, method: cox, adjust: [age]}"
START = date(2020, 1, 1)


def day(number):
    return (START + timedelta(days=int(number))).isoformat()


def patients(n=160):
    random = stream(11, "patients")
    rows = []
    for _ in range(n):
        age, dies, begins = random.normal(60, 10), random.exponential(30), random.exponential(4)
        pumped = begins < min(dies, 8)
        rows.append(
            {"age": f"{age:.1f}", "device": "pump" if pumped else "none", "pump_day": day(begins) if pumped else "",
             "death": day(np.ceil(dies)) if dies < 60 else "", "died": "yes" if dies < 20 else "no", "seen": day(60),
             "discharge": day(min(20, np.ceil(dies)))}
        )  # fmt: skip
    return rows


def tables(written, *analyses, **keys):
    plan = written.plan(**{**KEYS, "analyses": f"[{', '.join(analyses)}]", **keys})
    result = run(plan, written.table(*patients()))
    found = {block.id: block.rows() for block in result.blocks if block.kind == "immortal-time"}
    return plan, result, found


def test_without_a_naive_analysis_it_is_computed_for_the_comparison_only(written):
    _, result, found = tables(written, PRIMARY)
    naive, safe = found["A1.end.immortal-time"]
    assert [(row["of"], row["plan"]) for row in (naive, safe)] == [
        ("A1-naive", "ignore-and-report"),
        ("A1", "landmark"),
    ]
    assert {row.analysis for row in result.estimates} == {"A1"}
    assert not any(notice.where == "A1-naive" for notice in result.warnings)
    ignored = "{id: S1, role: sensitivity, of: A1, immortal_time: {plan: ignore-and-report}}"
    plan, other, written_out = tables(written, PRIMARY, ignored)
    assert plan.robustness.naive == ()
    row = next(row for row in other.estimates if row.analysis == "S1" and row.role != "covariate")
    assert naive["estimate"] == pytest.approx(exp(row.estimate.value), rel=EXACT)
    assert written_out["A1.end.immortal-time"][0] | {"of": "A1-naive"} == naive


def test_left_out_and_credited_are_counted(written):
    _, _, found = tables(written, PRIMARY)
    naive, landmark = found["A1.end.immortal-time"]
    rows = patients()
    ends = [min((date.fromisoformat(row["death"]) - START).days if row["death"] else 60, 30) for row in rows]
    begins = [(date.fromisoformat(row["pump_day"]) - START).days if row["pump_day"] else None for row in rows]
    left = [end < 2 for end in ends]
    assert (landmark["n"], landmark["patients_left_out"]) == (160 - sum(left), sum(left))
    assert landmark["treated_left_out"] == sum(gone and at is not None for gone, at in zip(left, begins, strict=True))
    assert naive["person_time"] == sum(ends)
    assert landmark["person_time"] == sum(end - 2 for end in ends if end >= 2)
    assert landmark["person_time_left_out"] == naive["person_time"] - landmark["person_time"]
    assert naive["credited"] == sum(min(at, end) for at, end in zip(begins, ends, strict=True) if at is not None)
    assert (landmark["credited"], naive["patients_left_out"], naive["unit"]) == (0, 0, "days")


def test_every_plan_of_one_question_stands_in_one_table(written):
    edits = [
        "{id: S1, role: sensitivity, of: A1, immortal_time: {plan: time-varying}}",
        "{id: S2, role: sensitivity, of: A1, immortal_time: {plan: landmark, at: [1 day, 3 days]}}",
        "{id: S3, role: sensitivity, of: A1, immortal_time: {plan: clone-censor-weight, grace: 3 days, bootstrap: 0}}",
        "{id: S4, role: sensitivity, of: A1, keep: age > 55}",
        "{id: S5, role: sensitivity, of: A1, immortal_time: {plan: time-varying}, adjust: [sex]}",
        "{id: S6, role: sensitivity, of: S1, keep: age > 55}",
    ]
    _, _, found = tables(written, PRIMARY, *edits)
    assert list(found) == ["A1.end.immortal-time"], "S5 has other covariates, and stands alone"
    assert [(row["of"], row["variant"]) for row in found["A1.end.immortal-time"]] == [
        ("A1-naive", None), ("A1", "landmark 2 days"), ("S1", None), ("S2", "landmark 1 day"), ("S2", "landmark 3 days"), ("S3", None),
    ]  # fmt: skip
    assert {row["adjusted_for"] for row in found["A1.end.immortal-time"]} == {"age"}


def test_a_secondary_question_is_compared_only_where_the_protocol_asks_it_twice(written):
    secondary = "{id: B1, role: secondary, outcome: died, method: logistic-regression, adjust: [age]}"
    _, _, found = tables(written, PRIMARY, secondary)
    assert list(found) == ["A1.end.immortal-time"]
    again = "{id: B2, role: sensitivity, of: B1, immortal_time: {plan: landmark, at: 3 days}}"
    _, _, found = tables(written, PRIMARY, secondary, again)
    assert [row["of"] for row in found["B1.died.immortal-time"]] == ["B1-naive", "B1", "B2"]
    assert {row["person_time"] for row in found["B1.died.immortal-time"]} == {None}, "a yes/no outcome has no time"


def test_where_immortal_time_is_ignored_everywhere_nothing_is_compared(written):
    _, _, found = tables(written, PRIMARY, immortal_time="{plan: ignore-and-report}")
    assert found == {}


def test_small_numbers_of_patients_left_out_are_not_told(written):
    _, result, found = tables(written, PRIMARY, privacy="{small_cells: 40}")
    landmark = found["A1.end.immortal-time"][1]
    assert [landmark[name] for name in ("patients_left_out", "treated_left_out", "person_time_left_out")] == [None] * 3
    details = result.details["A1"]
    assert {value for name, value in details.items() if ".person_time" in name or name.endswith("credited")} == {None}
