"""Multiple imputation in a study: who takes part, what is filled in, what is not, and that nothing else changes."""

import math

import numpy as np
import polars as pl
import pytest

from counterpulse.data import read_dictionary, read_table
from counterpulse.numerics.random_streams import stream
from counterpulse.numerics.workers import LocalWorkers
from counterpulse.protocol.plan import PlannedShift
from counterpulse.study.imputing.all_cohorts import imputed_cohorts
from counterpulse.study.imputing.tables import shifted
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.run import run

OUTCOMES = """{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes, if_unknown: keep-patient},
  end: {label: End, type: time-to-event, time: hours, event: died = yes, horizon: 2 days, better: lower}}"""
IMPUTED = "{method: multiple-imputation, datasets: 4, iterations: 3}"


def keys(*analyses, missing=IMPUTED, **more):
    return {
        "outcomes": OUTCOMES,
        "time_zero": "{text: admission, counted: yes}",
        "variables": "{old: {label: Old, rule: age >= 65}}",
        "analyses": f"[{', '.join(analyses)}]",
        "missing_data": missing,
        "seed": "7",
        **more,
    }


A1 = "{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age, sex, stage]}"
C1 = "{id: C1, role: secondary, outcome: end, method: cox, adjust: [old, sex]}"
CC = "{id: S1, role: sensitivity, of: A1, missing_data: complete-case}"


def people(n=240, seed=5, holes=0.2, blank_outcomes=0.0):
    random = stream(seed, "imputed", 0)
    rows = []
    for _ in range(n):
        age, male = random.normal(62, 9), random.random() < 0.5
        treated = random.random() < 0.5
        died = random.random() < 1 / (1 + math.exp(-(age - 62) / 8))
        rows.append(
            {"age": "" if random.random() < holes else f"{age:.1f}", "sex": "" if random.random() < holes / 2 else "M" if male else "F",
             "stage": "" if random.random() < holes / 2 else str(1 + (age > 58) + (age > 66)), "device": "pump" if treated else "none",
             "died": "" if random.random() < blank_outcomes else "yes" if died else "no", "hours": f"{random.exponential(50) + 1:.2f}"}
        )  # fmt: skip
    return rows


def tables_of(written, protocol, patients, jobs=1):
    plan, table = written.plan(**protocol), written.table(*patients)
    cohort = make_cohort(plan, table)
    found = imputed_cohorts(plan, plan.analyses, cohort, table, seed=plan.protocol.seed, workers=LocalWorkers(jobs))
    return plan, table, cohort, found


# -- the plan ----------------------------------------------------------------------------------------------------------


def test_all_analyses_share_one_imputation_of_the_variables_of_their_models(written):
    plan = written.plan(**keys(A1, C1, CC))
    first, second, complete = plan.analyses
    assert first.imputation == second.imputation
    assert set(first.imputation.columns) == {"age", "sex", "stage"}
    assert first.imputation.passive == ("old",)
    assert first.imputation.ordered == ("stage",)
    assert first.imputation.outcomes == ("died", "end")
    assert complete.imputation is None
    assert first.composition == (
        "imputation by chained equations", "as observed", "logistic regression", "pooling by Rubin's rules",
    )  # fmt: skip
    assert {"imputed tables", "imputation model", "order of imputation and bootstrap"} <= {
        one.name for one in first.choices
    }


def test_the_way_of_imputing_is_no_clause_of_a_method(written):
    first, *_ = written.plan(**keys(A1, C1)).analyses
    assert not any("imputed" in clause.text for clause in first.clauses)
    assert "imputed by chained equations in 4 tables" in first.sentence


def test_outcomes_take_no_part_where_the_protocol_says_so(written):
    without = "{method: multiple-imputation, datasets: 4, iterations: 3, outcomes: no}"
    protocol = keys(A1, C1, missing=without)
    first, second = written.plan(**protocol).analyses
    assert first.imputation == second.imputation
    assert (first.imputation.outcomes, first.imputation.from_outcomes) == ((), False)
    _, _, _, (found,) = tables_of(written, protocol, people())
    assert not {"died", "end.hazard."} & set(found.tables.predictor_matrix.columns)


def test_another_way_of_imputing_is_an_imputation_of_its_own(written):
    other = "{id: S2, role: sensitivity, of: A1, missing_data: {method: multiple-imputation, methods: {age: normal}}}"
    first, second = written.plan(**keys(A1, other)).analyses
    assert (first.imputation.methods, second.imputation.methods) == ({}, {"age": "normal"})
    assert second.imputation.datasets == 4  # of the study


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("{method: multiple-imputation, shift: {sex: 1}}", "E729"),
        ("{method: multiple-imputation, auxiliary: [death]}", "E728"),
        ("{method: multiple-imputation, center: fixed}", "E728"),
        ("{method: multiple-imputation, datasets: 1}", "E217"),
    ],
)
def test_what_is_refused(written, missing, code):
    found = written.directory and keys(A1, missing=missing)
    if code == "E217":
        from counterpulse.errors import ProtocolError

        with pytest.raises(ProtocolError):
            written.codes(**found)
    else:
        assert code in written.codes(**found)


def test_a_misspelled_variable_is_told_with_a_suggestion(written):
    assert written.codes(**keys(A1, missing="{method: multiple-imputation, auxiliary: [agge]}"))


# -- what is filled in -------------------------------------------------------------------------------------------------


def test_observed_values_stay_and_outcomes_are_not_imputed(written):
    _, _, cohort, (imputed,) = tables_of(written, keys(A1, C1), people(blank_outcomes=0.1))
    assert cohort.frame["died"].null_count() > 0
    for one in imputed.cohorts:
        assert one.frame["age"].null_count() == one.frame["sex"].null_count() == one.frame["stage"].null_count() == 0
        assert one.frame["died"].equals(cohort.frame["died"])
        known = cohort.frame["age"].is_not_null()
        assert one.frame["age"].filter(known).equals(cohort.frame["age"].filter(known))
        assert one.frame["stage"].dtype == cohort.frame["stage"].dtype
    values = {tuple(one.frame["age"].to_list()) for one in imputed.cohorts}
    assert len(values) == 4


def test_derived_variables_are_computed_from_what_was_imputed(written):
    _, _, cohort, (imputed,) = tables_of(written, keys(A1, C1), people())
    assert cohort.frame["old"].null_count() > 0
    for one in imputed.cohorts:
        assert (one.frame["old"] == (one.frame["age"] >= 65)).all()


def test_the_outcome_and_its_hazard_are_predictors(written):
    _, _, _, (imputed,) = tables_of(written, keys(A1, C1), people())
    matrix = imputed.tables.predictor_matrix
    used = {name for name in matrix.columns[1:] if matrix.filter(pl.col("imputed") == "age")[name][0]}
    assert {"device", "died", "end.event", "end.hazard.", "sex", "stage"} <= used


def test_jobs_change_no_value(written):
    _, _, _, (one,) = tables_of(written, keys(A1), people())
    _, _, _, (two,) = tables_of(written, keys(A1), people(), jobs=2)
    assert all(a.frame.equals(b.frame) for a, b in zip(one.cohorts, two.cohorts, strict=True))


def test_a_shift_moves_imputed_values_alone(written):
    plan, table, cohort, (imputed,) = tables_of(written, keys(A1, C1), people())
    moved = shifted(plan, imputed, cohort, PlannedShift(variable="age", by=5.0), table)
    blank = cohort.frame["age"].is_null()
    for before, after in zip(imputed.cohorts, moved, strict=True):
        change = after.frame["age"] - before.frame["age"]
        assert np.allclose(change.filter(blank), 5.0)
        assert (change.filter(~blank) == 0).all()
        assert (after.frame["old"] == (after.frame["age"] >= 65)).all()


def test_what_does_not_apply_is_not_imputed(written):
    path = written.directory / "s.dictionary.csv"
    protocol = keys("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age, sex]}")
    plan = written.plan(**protocol)
    patients = people()
    written.table(*patients)
    text = path.read_text(encoding="utf-8").replace(
        "age,,Age,number,years,,0,120,,,,", 'age,,Age,number,years,,0,120,,"device = ""pump""",,'
    )
    path.write_text(text, encoding="utf-8")
    frame = pl.read_csv(written.directory / "s.csv", infer_schema=False)
    frame.with_columns(pl.when(pl.col("device") == "pump").then("age").alias("age")).write_csv(
        written.directory / "s.csv"
    )
    table = read_table(written.directory / "s.csv", read_dictionary(path), id="pid")
    cohort = make_cohort(plan, table)
    (imputed,) = imputed_cohorts(plan, plan.analyses, cohort, table, seed=7, workers=LocalWorkers(1))
    assert imputed.not_applicable == ("age",)
    for one in imputed.cohorts:
        absent = one.frame["device"].cast(pl.String) == "none"
        assert one.frame["age"].filter(absent).null_count() == absent.sum()
        assert one.frame["age"].filter(~absent).null_count() == 0


# -- the run -----------------------------------------------------------------------------------------------------------


def first(result, analysis):
    return next(row for row in result.estimates if row.analysis == analysis)


def test_everybody_is_analyzed_and_told(written):
    result = run(written.plan(**keys(A1, CC)), written.table(*people()))
    pooled, complete = first(result, "A1"), first(result, "S1")
    assert (pooled.n, pooled.imputations) == (240, 4)
    assert complete.n < 240
    assert complete.imputations is None
    kinds = {block.kind for block in result.blocks if block.analysis == "imputation"}
    assert kinds == {"imputation", "predictor-matrix", "imputation-trace", "imputation-density"}
    assert result.details["imputation"]["imputed tables"] == 4
    record = next(record for record in result.analyses if record.id == "A1")
    assert ("imputed tables", 4) in {(one.name, one.value) for one in record.choices if one.origin == "derived"}


def test_the_number_of_tables_follows_from_the_incomplete_patients(written):
    missing = "{method: multiple-imputation, iterations: 2}"
    result = run(written.plan(**keys(A1, missing=missing)), written.table(*people(n=120)))
    incomplete = result.details["imputation"]["incomplete patients"]
    assert result.details["imputation"]["imputed tables"] == max(20, math.ceil(100 * incomplete / 120))


def test_an_analysis_without_blanks_is_not_imputed(written):
    alone = "{id: A1, role: primary, outcome: died, method: two-proportions}"
    result = run(written.plan(**keys(alone)), written.table(*people()))
    assert first(result, "A1").imputations is None
    assert not [block for block in result.blocks if block.analysis == "imputation"]


def test_complete_tables_give_the_plain_answer(written):
    patients = people(holes=0.0)
    plain = run(written.plan(**keys(A1, missing="{method: complete-case}")), written.table(*patients))
    imputed = run(written.plan(**keys(A1)), written.table(*patients))
    assert first(imputed, "A1").estimate == first(plain, "A1").estimate


def test_an_all_missing_variable_is_told_and_its_rows_are_left_out(written):
    patients = [patient | {"stage": ""} for patient in people()]
    result = run(written.plan(**keys(A1)), written.table(*patients))
    assert "W720" in {notice.code for notice in result.warnings}
    assert first(result, "A1").estimate.status.code == "no-rows"


def test_shifts_are_variants(written):
    tipping = "{id: T1, role: sensitivity, of: A1, missing_data: {method: multiple-imputation, shift: {age: [0, 10]}}}"
    result = run(written.plan(**keys(A1, tipping)), written.table(*people()))
    rows = [row for row in result.estimates if row.analysis == "T1" and row.estimate.reference == "none"]
    assert [row.model for row in rows] == [None, "age +10"]
    assert rows[0].estimate == first(result, "A1").estimate
    assert rows[1].estimate.value != rows[0].estimate.value


def test_who_is_kept_is_judged_on_what_was_observed(written):
    kept = "{id: K1, role: secondary, outcome: died, method: logistic-regression, adjust: [sex], keep: age >= 60}"
    patients = people()
    result = run(written.plan(**keys(A1, kept)), written.table(*patients))
    assert first(result, "K1").n == sum(1 for one in patients if one["age"] and float(one["age"]) >= 60)


def test_the_same_seed_gives_the_same_answer_and_another_does_not(written):
    plan, table = written.plan(**keys(A1, C1)), written.table(*people())
    one, two, other = (run(plan, table, jobs=jobs, seed=seed) for jobs, seed in ((1, 7), (2, 7), (1, 8)))
    assert repr(one.estimates) == repr(two.estimates)
    assert first(one, "A1").estimate != first(other, "A1").estimate
