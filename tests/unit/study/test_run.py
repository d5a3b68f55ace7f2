import json
from pathlib import Path

import pytest

from counterpulse.errors import UsageError
from counterpulse.numerics.multiplicity import ADJUSTMENTS
from counterpulse.results.on_disk import to_json
from counterpulse.study.run import could_not_estimate, run

R = Path(__file__).parents[2] / "against_r" / "reference" / "study.json"
EXACT = 1e-12  # relative; products and minima

PATIENTS = [
    {"device": "pump" if number % 3 else "none", "died": "yes" if number % 4 == 0 else "no",
     "bled": "yes" if number % 5 < 2 + (number % 3 > 0) else "no", "age": str(40 + number)}
    for number in range(48)
]  # fmt: skip
OUTCOMES = """{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes},
  bled: {label: Bled, type: binary, event: bled = yes, better: lower}}"""


@pytest.mark.parametrize("name", ["holm", "hochberg", "bonferroni"])
def test_adjusted_p_values_agree_with_r(name):
    reference = json.loads(R.read_text())["p_adjust"]
    assert ADJUSTMENTS[name](reference["p"]) == pytest.approx(reference[name], rel=EXACT)


@pytest.mark.parametrize("name", ["holm", "hochberg", "bonferroni"])
def test_several_outcomes_are_adjusted_together(written, name):
    analyses = f"[{{id: A1, role: primary, outcome: [died, bled], method: logistic-regression, multiplicity: {name}}}]"
    result = run(written.plan(outcomes=OUTCOMES, analyses=analyses), written.table(*PATIENTS))
    first = [row for row in result.estimates if row.estimate.variable == "device"]
    assert [row.outcome for row in first] == ["died", "bled"]
    expected = ADJUSTMENTS[name]([row.estimate.p_value for row in first])
    assert [row.p_adjusted for row in first] == pytest.approx(expected, rel=EXACT)


def test_without_multiplicity_nothing_is_adjusted(written):
    analyses = "[{id: A1, role: primary, outcome: [died, bled], method: logistic-regression}]"
    result = run(written.plan(outcomes=OUTCOMES, analyses=analyses), written.table(*PATIENTS))
    assert {row.p_adjusted for row in result.estimates} == {None}


def test_only_some_analyses_are_run_and_that_is_said(written):
    analyses = "[{id: A1, role: primary, outcome: died, method: two-proportions}, {id: A2, role: secondary, outcome: bled, method: two-proportions}]"
    plan, table = written.plan(outcomes=OUTCOMES, analyses=analyses), written.table(*PATIENTS)
    result = run(plan, table, only=["A2"], seed=7)
    assert [record.id for record in result.analyses] == ["A2"]
    assert {"W711", "W712"} <= {notice.code for notice in result.warnings}
    assert result.identity.seed == 7
    with pytest.raises(UsageError, match="A3"):
        run(plan, table, only=["A3"])


def test_the_result_does_not_depend_on_jobs(written):
    analyses = "[{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age]}, {id: A2, role: secondary, outcome: bled, method: two-proportions}]"
    plan, table = written.plan(outcomes=OUTCOMES, analyses=analyses), written.table(*PATIENTS)
    assert to_json(run(plan, table, jobs=1)) == to_json(run(plan, table, jobs=4))


def test_ids_are_unique_and_every_step_is_told(written):
    analyses = (
        "[{id: A1, role: primary, outcome: died, method: logistic-regression, also: [risk difference, risk ratio]}]"
    )
    told = []
    result = run(written.plan(outcomes=OUTCOMES, analyses=analyses), written.table(*PATIENTS), progress=told.append)
    ids = [row.id for row in result.estimates]
    assert len(set(ids)) == len(ids)
    assert told == ["eligibility", "Table 1", "A1"]


@pytest.mark.parametrize(
    "method", ["logistic-regression", "logistic-regression, also: [risk difference]", "two-proportions"]
)
def test_an_empty_group_is_a_status_and_no_crash(written, method):
    analyses = f"[{{id: A1, role: primary, outcome: died, method: {method}}}]"
    for device in ("none", "pump"):
        patients = [patient | {"device": device} for patient in PATIENTS]
        result = run(written.plan(outcomes=OUTCOMES, analyses=analyses), written.table(*patients))
        contrasts = [row for row in result.estimates if row.estimate.reference is not None]
        assert contrasts
        assert all(row.estimate.status.code == "empty-group" for row in contrasts)
        assert could_not_estimate(result)


def test_one_empty_group_of_three_is_named_and_the_others_are_compared(written):
    groups = (
        "{variable: device, treated: {other: Other, pump: Pump}, reference: {none: No pump}, assigned_by: clinician}"
    )
    analyses = "[{id: A1, role: primary, outcome: died, method: logistic-regression, also: [risk difference]}]"
    result = run(written.plan(outcomes=OUTCOMES, analyses=analyses, groups=groups), written.table(*PATIENTS))
    statuses = {row.id: row.estimate.status.code for row in result.estimates if row.estimate.reference is not None}
    assert statuses == {
        "A1.died.other.odds-ratio": "empty-group", "A1.died.pump.odds-ratio": "ok",
        "A1.died.other.risk-difference": "empty-group", "A1.died.pump.risk-difference": "ok",
    }  # fmt: skip


def test_privacy_is_applied_to_what_is_returned(written):
    plan = written.plan(privacy="{small_cells: 20}", outcomes=OUTCOMES)
    result = run(plan, written.table(*PATIENTS))
    assert result.warnings[-1].code == "W801"
    groups = result.estimates[0].groups
    assert [group.n for group in groups] == [
        None,
        None,
    ]  # 16 without a pump; 32 with one follow from them and the total
    assert result.estimates[0].estimate.status.code == "small-cell"
    assert not could_not_estimate(result)
