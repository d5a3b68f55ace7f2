"""Multiple imputation where it hurts: pooled numbers by hand, splines, clusters, selections, bounds, shifts that move nothing."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from test_imputed_analyses import A1, C1, IMPUTED, first, keys, people, tables_of

from counterpulse import regression, survival
from counterpulse.data import read_dictionary, read_table
from counterpulse.data.terms import Interaction, Spline
from counterpulse.imputation import chi_squared_d2
from counterpulse.numerics.distributions import f_tail, t_two_sided
from counterpulse.numerics.workers import LocalWorkers
from counterpulse.protocol import read_protocol
from counterpulse.results import Block, Choice, Estimate, EstimateRow, Interval, Notice, Status
from counterpulse.study.folding.answers import folded
from counterpulse.study.folding.blocks import folded_blocks
from counterpulse.study.imputing.all_cohorts import imputed_cohorts
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.planning.plan import make_plan
from counterpulse.study.request import Answer, Evidence
from counterpulse.study.run import run

CLOSED_FORM = 1e-9  # relative; the same fits, pooled twice
ITERATIVE = 1e-6  # relative; fits of a spline from other starting values
STAY = "los: {label: Stay, type: continuous, value: hours, better: lower, primary: yes}"
LOGISTIC = "id: A1, role: primary, outcome: died, method: logistic-regression"


def result(written, *analyses, patients=None, missing=IMPUTED, **more):
    protocol = keys(*analyses, missing=missing, **more)
    return run(written.plan(**protocol), written.table(*(people() if patients is None else patients)))


def imputed_frames(written, *analyses, patients=None, missing=IMPUTED, **more):
    *_, (imputed,) = tables_of(written, keys(*analyses, missing=missing, **more), patients or people())
    return [one.frame for one in imputed.cohorts]


def by_id(found, id_):
    return next(row for row in found.estimates if row.id == id_)


def rubin(values, variances, complete):
    """Rubin (1987) and the degrees of freedom of Barnard and Rubin (1999), from the papers."""
    m, between, within = len(values), np.var(values, ddof=1), np.mean(variances)
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    old, observed = (m - 1) / share**2, (complete + 1) / (complete + 3) * complete * (1 - share)
    df = old * observed / (old + observed)
    value = np.mean(values)
    return value, math.sqrt(total), df, t_two_sided(value / math.sqrt(total), df)


def numbers(row):
    return row.estimate.value, row.estimate.std_error, row.estimate.df, row.estimate.p_value


def coefficients(fits, name):
    at = [column.name for column in fits[0].parameters.columns].index(name)
    return [fit.parameters.values[at] for fit in fits], [fit.parameters.covariance[at, at] for fit in fits]


# -- pooled numbers by hand --------------------------------------------------------------------------------------------


def test_logistic_regression_is_refitted_in_every_table_and_pooled(written):
    fits = [
        regression.logistic(one, outcome="died", terms=["device", "age", "sex", "stage"])
        for one in imputed_frames(written, A1)
    ]
    found = result(written, A1)
    for id_, name in (("pump.odds-ratio", "device=pump"), ("age.odds-ratio", "age"), ("sex.M.odds-ratio", "sex=M")):
        hand = rubin(*coefficients(fits, name), 240 - 6)
        assert numbers(by_id(found, f"A1.died.{id_}")) == pytest.approx(hand, rel=CLOSED_FORM)


def test_a_cox_model_whose_strata_are_imputed_counts_events(written):
    strata = "{id: C1, role: primary, outcome: end, method: cox, adjust: [age], strata: [sex]}"
    frames = imputed_frames(written, strata)
    fits = [
        survival.cox(one, time="end.time", event="end.event", terms=["device", "age"], strata=["sex"]) for one in frames
    ]
    hand = rubin(*coefficients(fits, "age"), int(frames[0]["end.event"].sum()) - 2)
    assert numbers(by_id(result(written, strata), "C1.end.age.hazard-ratio")) == pytest.approx(hand, rel=CLOSED_FORM)


def test_a_linear_model_keeps_its_residual_degrees_of_freedom(written):
    linear = (
        "{id: A1, role: primary, outcome: los, method: linear-regression, variance: model, adjust: [age, stage, sex]}"
    )
    patients = people(n=40)
    frames = imputed_frames(written, linear, patients=patients, outcomes=f"{{{STAY}}}")
    fits = [regression.linear(one, outcome="los", terms=["device", "age", "stage", "sex"]) for one in frames]
    hand = rubin(*coefficients(fits, "sex=M"), 40 - 6)
    found = result(written, linear, patients=patients, outcomes=f"{{{STAY}}}")
    assert numbers(by_id(found, "A1.los.sex.M.mean-difference")) == pytest.approx(hand, rel=CLOSED_FORM)


def test_an_interaction_is_d1_by_hand(written):
    linear = "{id: A1, role: primary, outcome: los, method: linear-regression, variance: model, adjust: [age]}"
    more = {"outcomes": f"{{{STAY}}}", "subgroups": "{of: A1, by: [stage]}"}
    frames = imputed_frames(written, linear, **more)
    terms = ["device", "age", "stage", Interaction("device", "stage")]
    fits = [regression.linear(one, outcome="los", terms=terms) for one in frames]
    at = [place for place, column in enumerate(fits[0].parameters.columns) if ":" in column.name]
    values = np.array([fit.parameters.values[at] for fit in fits])
    within = np.mean([fit.parameters.covariance[np.ix_(at, at)] for fit in fits], axis=0)
    m, k = values.shape
    increase = (1 + 1 / m) * np.trace(np.cov(values, rowvar=False) @ np.linalg.inv(within)) / k
    d1 = values.mean(axis=0) @ np.linalg.solve(within, values.mean(axis=0)) / (k * (1 + increase))
    row = by_id(result(written, linear, **more), "A1.los.stage.interaction")
    assert (row.estimate.statistic, row.estimate.df) == pytest.approx((d1, 2.0), rel=CLOSED_FORM)
    assert float(row.estimate.notes[-1].split()[-1].rstrip(".")) <= 240 - len(fits[0].parameters.columns)


def test_the_test_of_one_coefficient_agrees_with_its_t():
    rows, evidence = [], []
    for value, error in ((0.5, 0.2), (0.6, 0.25), (0.4, 0.21)):
        rows.append(Estimate(term="x", measure="interaction", value=math.nan, statistic=(value / error) ** 2,
                             statistic_name="Wald F", df=1.0, p_value=0.1))  # fmt: skip
        evidence.append(Evidence(df_complete=6.0, names=("x",), values=(value,), covariance=((error**2,),)))
    pooled = folded([_answer(row, item) for row, item in zip(rows, evidence, strict=True)]).rows[0].estimate
    hand = rubin([0.5, 0.6, 0.4], [0.04, 0.0625, 0.0441], 6.0)
    assert pooled.p_value == pytest.approx(hand[3], rel=CLOSED_FORM)
    assert pooled.p_value == pytest.approx(f_tail(pooled.statistic, 1, hand[2]), rel=CLOSED_FORM)


def _answer(estimate, evidence=None, **more):
    row = EstimateRow(
        id="i", analysis="A1", role="primary", outcome="died", population="eligible", method="cox", estimate=estimate
    )
    return Answer(rows=(row,), evidence={} if evidence is None else {"i": evidence}, **more)


def test_coefficients_of_different_levels_are_not_pooled_as_if_they_were_one():
    """In one table nobody is of level B, in another nobody of C: both tests have one coefficient, of different things."""
    test = Estimate(term="x", measure="interaction", value=math.nan, statistic=4.0, statistic_name="Wald chi-squared",
                    df=1.0, p_value=0.05)  # fmt: skip
    answers = [
        _answer(replace(test, statistic=statistic),
                Evidence(names=(name,), values=(value,), covariance=((0.04,),)))
        for name, value, statistic in (("x=B", 0.4, 4.0), ("x=C", -0.4, 4.1))
    ]  # fmt: skip
    assert folded(answers).rows[0].estimate.statistic_name == "F (D2)"


def test_a_robust_test_of_few_clusters_keeps_few_degrees_of_freedom(written):
    clustered = (
        "{id: A1, role: primary, outcome: los, method: linear-regression, adjust: [age], clusters: {variable: stage}}"
    )
    patients = [patient | {"stage": "", "site": ""} for patient in people()]
    frame = _with_wards(written, patients)
    protocol = keys(clustered, outcomes=f"{{{STAY}}}", subgroups="{of: A1, by: [sex]}")
    protocol["analyses"] = protocol["analyses"].replace("variable: stage", "variable: ward")
    found = run(*_planned(written, protocol, frame))
    (test,) = (row for row in found.estimates if row.estimate.measure == "interaction")
    assert test.estimate.statistic_name == "F (D1)"
    assert float(test.estimate.notes[-1].split()[-1].rstrip(".")) < 12


def _with_wards(written, patients):
    written.protocol()
    written.table(*patients)
    frame = pl.read_csv(written.directory / "s.csv", infer_schema=False)
    return frame.with_columns(ward=pl.Series([f"w{number % 12}" for number in range(frame.height)]))


def _planned(written, protocol, frame, line="ward,,Ward,category,,,,,,,,\n"):
    path = written.protocol(**protocol)
    dictionary = written.directory / "s.dictionary.csv"
    dictionary.write_text(dictionary.read_text(encoding="utf-8") + line, encoding="utf-8")
    frame.write_csv(written.directory / "s.csv")
    read = read_dictionary(dictionary)
    return make_plan(read_protocol(path), read), read_table(written.directory / "s.csv", read, id="pid")


# -- splines -----------------------------------------------------------------------------------------------------------


def test_a_spline_has_the_same_knots_in_all_tables(written):
    bent = f"{{{LOGISTIC}, adjust: [{{variable: age, spline: 4}}, sex]}}"
    found = result(written, bent)
    (choice,) = (one for one in found.analyses[0].choices if one.name == "spline of age")
    frames = imputed_frames(written, bent)
    knots = np.mean([np.quantile(one["age"].to_numpy(), [0.05, 0.35, 0.65, 0.95]) for one in frames], axis=0)
    assert f"{knots[1]:g}" in choice.value
    fits = [regression.logistic(one, outcome="died", terms=["device", Spline("age", tuple(knots)), "sex"]) for one in frames]  # fmt: skip
    hand = rubin(*coefficients(fits, "age'"), 240 - 6)
    assert numbers(by_id(found, "A1.died.age.age'.coefficient")) == pytest.approx(hand, rel=ITERATIVE)
    assert not [notice for notice in found.warnings if notice.code == "W723"]  # the curve is pooled
    (curve,) = (block for block in found.blocks if block.kind == "effect-curve")
    middle = curve.columns["value"].index(min(curve.columns["value"], key=lambda value: abs(value - 70)))
    assert curve.columns["conf_low"][middle] < curve.columns["estimate"][middle] < curve.columns["conf_high"][middle]


# -- what is said ------------------------------------------------------------------------------------------------------


def test_a_selection_that_differs_between_tables_is_told_once(written):
    chosen = f"{{{LOGISTIC}, adjust: {{select: stepwise, from: [age, sex, stage], enter: 0.4, stay: 0.5, repeats: 0}}}}"
    tables = "{method: multiple-imputation, datasets: 6, iterations: 3}"
    found = result(written, chosen, missing=tables, patients=people(n=150, seed=8, holes=0.5))
    details = found.details["A1"]
    assert "of 6 imputed tables" in details["died: selected"]
    assert "died: AIC" not in details
    assert len([notice for notice in found.warnings if notice.code == "W640"]) == 1
    row = first(found, "A1")
    assert any("different models" in note for note in row.estimate.notes)
    some = [row for row in found.estimates if row.estimate.status is Status.IMPUTATIONS_DIFFER]
    assert all(math.isnan(row.estimate.value) for row in some)


def test_choices_notices_and_details_that_differ_are_said_once():
    estimate = Estimate(term="pump", measure="odds ratio", value=0.1, std_error=0.2)
    answers = [
        _answer(
            estimate, choices=(Choice("chosen", value, "derived"), Choice("same", "yes", "derived")),
            notices=(Notice("W1", "A1", f"{value} patients"), *extra),
            details={"lowest probability": value / 10, "largest weight": value, "mean of it": float(value)},
        )
        for value, extra in ((1, ()), (2, (Notice("W2", "A1", "Only here."),)))
    ]  # fmt: skip
    found = folded(answers)
    assert [(one.name, one.value) for one in found.choices] == [
        ("chosen", "1 (1 of 2 imputed tables); 2 (1 of 2 imputed tables)"), ("same", "yes"),
    ]  # fmt: skip
    assert [one.text for one in found.notices] == [
        "1 patients (So in the first imputed table; the others differ.)", "Only here. (In 1 of 2 imputed tables.)",
    ]  # fmt: skip
    assert found.details == {"lowest probability": 0.1, "largest weight": 2, "mean of it": 1.5}


def test_a_test_among_the_details_is_pooled_and_no_p_value_is_a_mean():
    def details(statistic, p_value):
        return {"t: chi-squared": statistic, "t: df": 2.0, "t: P value": p_value}

    estimate = Estimate(term="pump", measure="odds ratio", value=0.1, std_error=0.2)
    found = folded([_answer(estimate, details=details(*item)) for item in ((9.0, 0.011), (2.0, 0.368), (5.0, 0.082))])
    d2 = chi_squared_d2([9.0, 2.0, 5.0], df=2)
    assert found.details["t: P value"] == d2.p_value
    assert found.details["t: chi-squared"] == d2.statistic * 2


def test_a_profile_interval_that_is_not_pooled_is_told(written):
    found = result(written, f"{{{LOGISTIC}, adjust: [age, sex], interval: profile}}")
    assert first(found, "A1").estimate.interval.kind == "rubin"
    assert "interval of pooled estimates" in {one.name for one in found.analyses[0].choices}


def test_a_value_without_a_standard_error_keeps_its_value_and_its_reason():
    few = [Estimate(term="pump", measure="odds ratio", value=value, status=Status.FEW_CLUSTERS) for value in (0.1, 0.2)]
    found = folded([_answer(one) for one in few]).rows[0].estimate
    assert (found.value, found.status, found.interval) == (pytest.approx(0.15), Status.FEW_CLUSTERS, None)


def test_intervals_of_quantiles_can_be_pooled(written):
    plain = "{id: A1, role: primary, outcome: los, method: quantile-regression, adjust: [age, sex]}"
    row = first(result(written, plain, outcomes=f"{{{STAY}}}"), "A1")
    assert row.estimate.std_error > 0
    asked = plain.replace("adjust", "interval: rank, adjust")
    row = first(result(written, asked, outcomes=f"{{{STAY}}}"), "A1")
    assert (row.estimate.interval, row.estimate.std_error) == (None, None)
    assert "no interval" in row.estimate.notes[-1]


def test_who_only_helps_to_impute_is_not_said_to_be_imputed(written):
    patients = [
        patient | {"device": "" if number % 9 == 0 else patient["device"], "died": "" if number % 7 == 0 else patient["died"]}
        for number, patient in enumerate(people())
    ]  # fmt: skip
    found = result(written, A1, patients=patients, missing="{method: multiple-imputation, iterations: 2}")
    shown = {block.kind: block for block in found.blocks if block.analysis == "imputation"}
    assert set(shown["imputation"].columns["variable"]) == {"age", "sex", "stage"}
    assert set(shown["imputation-trace"].columns["variable"]) <= {"age", "sex", "stage"}
    incomplete = sum(1 for one in patients if not (one["age"] and one["sex"] and one["stage"]))
    assert found.details["imputation"]["incomplete patients"] == incomplete
    assert found.details["imputation"]["imputed tables"] == max(20, math.ceil(100 * incomplete / 240))


def test_values_that_the_dictionary_does_not_allow_are_told(written):
    patients = [
        patient | {"age": "" if number % 3 == 0 else ("1", "119", "3", "117")[number % 4]}
        for number, patient in enumerate(people(holes=0.0))
    ]
    normal = "{method: multiple-imputation, datasets: 4, iterations: 2, methods: {age: normal}}"
    matched = normal.replace("normal", "pmm")
    assert "W727" in {notice.code for notice in result(written, A1, patients=patients, missing=normal).warnings}
    assert "W727" not in {notice.code for notice in result(written, A1, patients=patients, missing=matched).warnings}


def test_whole_numbers_that_do_not_apply_to_some_are_not_cut(written):
    """A drawn 2.7 stays 2.7 (and is told); before, it became 2 where the question does not arise for somebody."""
    patients = people(holes=0.0)
    frame = _with_wards(written, patients).drop("ward")
    drinks = [str(int(float(one["age"]) // 7)) if one["sex"] == "F" and k % 3 else "" for k, one in enumerate(patients)]
    frame = frame.with_columns(drinks=pl.Series([value or None for value in drinks], dtype=pl.String))
    line = 'drinks,,Drinks,integer,,,,,,"sex = ""F""",,\n'
    protocol = keys(f"{{{LOGISTIC}, adjust: [age, drinks]}}",
                    missing="{method: multiple-imputation, datasets: 3, iterations: 2, methods: {drinks: normal}}")  # fmt: skip
    plan, table = _planned(written, protocol, frame, line)
    cohort = make_cohort(plan, table)
    (imputed,) = imputed_cohorts(plan, plan.analyses, cohort, table, seed=1, workers=LocalWorkers(1))
    drawn = imputed.cohorts[0].frame["drinks"].filter(cohort.frame["drinks"].is_null()).drop_nulls().cast(pl.Float64)
    assert (drawn != drawn.round()).any()
    assert imputed.not_allowed == ("drinks",)
    assert imputed.cohorts[0].frame["drinks"].null_count() == sum(1 for one in patients if one["sex"] == "M")


# -- shifts and methods ------------------------------------------------------------------------------------------------


def test_what_is_not_imputed_is_not_shifted_and_told(written):
    alone = "{id: A2, role: secondary, outcome: died, method: logistic-regression, adjust: [sex]}"
    missing = "{method: multiple-imputation, datasets: 3, iterations: 2, shift: {age: [0, 5], hours: [2]}}"
    found = result(written, f"{{{LOGISTIC}, adjust: [age]}}", alone, C1, missing=missing)
    models = {(row.analysis, row.model) for row in found.estimates}
    assert models == {("A1", None), ("A1", "age +5"), ("A2", None), ("C1", None), ("C1", "age +5")}
    told = {(one.where, one.text.split(" was")[0]) for one in found.warnings if one.code == "W720"}
    assert ("A2", "Age") in told
    assert ("A1", "Hours to death or last contact") in told


@pytest.mark.parametrize("name", ["died", "old"])
def test_a_method_for_what_is_not_imputed_is_refused(written, name):
    missing = f"{{method: multiple-imputation, datasets: 3, methods: {{{name}: logistic}}}}"
    assert "E728" in written.codes(**keys(A1, C1, missing=missing))


def test_a_shift_of_what_is_computed_from_others_is_refused(written):
    missing = "{method: multiple-imputation, datasets: 3, shift: {score: [1]}}"
    derived = "{score: {label: Score, value: age / 10}}"
    protocol = keys(f"{{{LOGISTIC}, adjust: [score]}}", missing=missing, variables=derived)
    assert "E729" in written.codes(**protocol)


# -- blocks ------------------------------------------------------------------------------------------------------------


def row(level=0.90):
    return EstimateRow(
        id="A1.died.pump.odds-ratio", analysis="A1", role="primary", outcome="died", population="eligible", method="cox",
        estimate=Estimate(term="pump", measure="odds ratio", value=0.0, interval=Interval(-1, 1, level, "rubin")),
    )  # fmt: skip


def effect_curve(estimate, low, high, measure="subdistribution hazard ratio"):
    return Block(id="c", analysis="A1", kind="effect-curve", columns={
        "variable": ("age",), "measure": (measure,), "reference": (60.0,), "value": (70.0,), "estimate": (estimate,),
        "conf_low": (low,), "conf_high": (high,)})  # fmt: skip


def test_curves_have_the_level_of_the_analysis():
    z = 1.6448536269514722
    made = [effect_curve(math.exp(q), math.exp(q - z * 0.2), math.exp(q + z * 0.2)) for q in (0.1, 0.3)]
    ((found,), _) = folded_blocks([(one,) for one in made], (row(),))
    error = math.sqrt(0.04 + 1.5 * np.var([0.1, 0.3], ddof=1))
    assert found.columns["estimate"][0] == pytest.approx(math.exp(0.2), rel=CLOSED_FORM)
    assert found.columns["conf_high"][0] == pytest.approx(math.exp(0.2 + z * error), rel=CLOSED_FORM)


def test_a_limit_of_zero_gives_no_interval_and_no_crash():
    made = [effect_curve(1.0, low, 2.0) for low in (0.0, 0.5)]
    ((found,), _) = folded_blocks([(one,) for one in made], (row(),))
    assert found.columns["conf_low"] == (None,)


def test_areas_by_time_count_the_variance_between_tables():
    def areas(value):
        return Block(id="t", analysis="A1", kind="time-dependent-auc", columns={
            "model": ("m",), "time": (30.0,), "estimate": (value,), "conf_low": (value - 0.05,), "conf_high": (value + 0.05,)})  # fmt: skip

    ((found,), _) = folded_blocks([(areas(0.7),), (areas(0.8),)], (row(0.95),))
    assert found.columns["conf_high"][0] - found.columns["conf_low"][0] > 0.2


def test_the_extreme_weights_are_those_of_any_table():
    def weights(low, high):
        return Block(id="w", analysis="A1", kind="weights", columns={
            "group": ("pump",), "n": (10,), "effective": (9.0,), "mean": (1.0,), "low": (low,), "p1": (0.5,), "p25": (0.6,),
            "p50": (1.0,), "p75": (2.0,), "p99": (3.0,), "high": (high,)})  # fmt: skip

    ((found,), _) = folded_blocks([(weights(0.2, 9.0),), (weights(0.1, 4.0),)], ())
    assert (found.columns["low"], found.columns["high"]) == ((0.1,), (9.0,))


def test_the_notes_of_every_table_stay_where_there_is_no_standard_error():
    """One table's estimate is a median unbiased one, as the conditional likelihood has no maximum there: that is said."""
    made = [_answer(Estimate(term="x", measure="odds ratio", value=value, notes=notes)) for value, notes in ((1.0, ()), (4.0, ("Median unbiased.",)))]  # fmt: skip
    assert "Median unbiased." in folded(made).rows[0].estimate.notes
