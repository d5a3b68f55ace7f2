"""Splines, ordinal and count outcomes, and exact odds ratios, from the protocol to the bundle."""

import numpy as np
import polars as pl
import pytest
from ward import N, Ward

from counterpulse import regression
from counterpulse.data import Spline

LEVELS = ["none", "mild", "severe"]


@pytest.fixture
def ward(tmp_path):
    study = Ward(tmp_path)
    random = np.random.default_rng(5)
    age = np.array([float(item) for item in study.columns["Age"]])
    severity = np.digitize(0.05 * (age - 62) + random.logistic(size=N), [-0.5, 1.2])
    days = random.uniform(1, 9, N).round(1)
    study.columns["Disability"] = [LEVELS[item] for item in severity]
    study.columns["Transfusions"] = [str(item) for item in random.negative_binomial(1.5, 1.5 / (1.5 + days / 3))]
    study.columns["Stay"] = [f"{item:.1f}" for item in days]
    study.dictionary += (
        "disability,Disability,Disability,ordinal,,none=None|mild=Mild|severe=Severe,,,,,,\n"
        "transfusions,Transfusions,Transfusions,integer,,,,,,,,\n"
        "stay,Stay,Days in intensive care,number,days,,,,,,,\n"
    )
    study.edit(
        "confounders:",
        "  disability_here: {label: Disability, type: ordinal, value: disability, better: lower}\n"
        "  bags: {label: Transfusions, type: count, value: transfusions, better: lower}\nconfounders:",
    )
    return study


def analyses(ward, *lines):
    head = ward.protocol.split("analyses:\n")[0]
    ward.protocol = head + "analyses:\n" + "".join(f"  - {line}\n" for line in lines)
    return ward


def found(ward):
    return {row["id"]: row for row in ward.results()["estimates"]}


def blocks(ward, kind):
    return {block["id"]: block for block in ward.results()["blocks"] if block["kind"] == kind}


def frame(ward):
    return pl.DataFrame(ward.columns).select(
        pl.col("Device").cast(pl.Enum(["none", "pump"])).alias("device"), pl.col("Age").cast(pl.Float64).alias("age"),
        pl.col("Sex").alias("sex"), pl.col("Died").eq("yes").alias("died"),
        pl.col("Disability").cast(pl.Enum(LEVELS)).alias("disability"),
        pl.col("Transfusions").cast(pl.Int64).alias("bags"), pl.col("Stay").cast(pl.Float64).alias("stay"),
    )  # fmt: skip


def test_a_spline_brings_its_curve_and_its_tests_to_every_model(ward):
    analyses(
        ward,
        "{id: A1, role: primary, outcome: death_here, method: logistic-regression, adjust: [{variable: age, spline: 4, reference: 60}, sex]}",
        "{id: C1, role: secondary, outcome: death, method: cox, adjust: [{variable: age, spline: 3}]}",
        "{id: O1, role: secondary, outcome: disability_here, method: ordinal-regression, adjust: [{variable: age, spline: 3}], check: proportional-odds}",
        "{id: P1, role: secondary, outcome: bags, method: poisson-regression, adjust: [{variable: age, spline: 3, knots: [50, 60, 70]}], exposure: stay}",
    )
    said = ward.run()
    assert said.code == 0, said.text
    rows, curves = found(ward), blocks(ward, "effect-curve")
    assert set(curves) == {
        f"{place}.age.effect-curve" for place in ("A1.death_here", "C1.death", "O1.disability_here", "P1.bags")
    }
    fit = regression.logistic(frame(ward), outcome="died", terms=["device", Spline("age", 4, 60), "sex"])
    curve = regression.effect_curve(fit, variable="age", measure="odds ratio", scale="log")
    columns = curves["A1.death_here.age.effect-curve"]["columns"]
    assert columns["estimate"] == pytest.approx(curve.tidy()["estimate"].to_list())
    assert set(columns["reference"]) == {60}
    record = next(item for item in ward.results()["analyses"] if item["id"] == "A1")
    assert "harrell-2015" in record["citations"]
    assert "reference 60" in next(choice["value"] for choice in record["choices"] if choice["name"] == "spline of age")
    assert "age, spline with 4 knots (reference 60)" in next(
        c["value"] for c in record["choices"] if c["name"] == "adjusted for"
    )
    ages = sorted(frame(ward)["age"])
    assert ages[0] < min(columns["value"])
    assert max(columns["value"]) < ages[-1]
    for measure, nonlinear in (("overall", False), ("nonlinearity", True)):
        row = rows[f"A1.death_here.age.{measure}"]
        test = fit.wald_test(fit.spec.columns_of("age", nonlinear=nonlinear))
        assert row["p_value"] == pytest.approx(test.p_value)
        assert (row["role"], row["df"]) == ("covariate", test.df)
    assert rows["A1.death_here.age.age'.coefficient"]["measure"] == "coefficient"
    assert (
        blocks(ward, "proportional-odds")["O1.disability_here.proportional-odds"]["columns"]["variable"][0] == "overall"
    )


def test_ordinal_and_count_outcomes_have_their_regressions_by_type(ward):
    analyses(
        ward,
        "{id: A1, role: primary, outcome: disability_here, adjust: [age]}",
        "{id: A2, role: secondary, outcome: bags, adjust: [age]}",
        "{id: A3, role: secondary, outcome: bags, method: negative-binomial, adjust: [age], exposure: stay}",
        "{id: A4, role: secondary, outcome: death_here, method: poisson-regression, adjust: [age]}",
        "{id: A5, role: secondary, outcome: disability_here, method: ordinal-regression}",
    )
    ward.edit("seed: 1", "subgroups: {of: A3, by: [sex]}\nseed: 1")
    said = ward.run()
    assert said.code == 0, said.text
    rows, table = found(ward), frame(ward)
    ordinal = regression.ordinal(table, outcome="disability", terms=["device", "age"]).estimates()[2].natural()
    assert rows["A1.disability_here.pump.odds-ratio"]["estimate"] == pytest.approx(ordinal.value)
    assert rows["A2.bags.pump.rate-ratio"]["method"] == "poisson-regression"
    negative = regression.negative_binomial(table, outcome="bags", terms=["device", "age"], exposure="stay")
    assert rows["A3.bags.pump.rate-ratio"]["estimate"] == pytest.approx(negative.estimates()[1].natural().value)
    assert ward.results()["details"]["A3"]["bags: theta"] == pytest.approx(negative.theta)
    risk = regression.poisson(table, outcome="died", terms=["device", "age"]).estimates()[1].natural()
    assert rows["A4.death_here.pump.risk-ratio"]["conf_high"] == pytest.approx(risk.interval.high)
    assert "A3.bags.sex=F.pump.rate-ratio" in rows


def test_exact_odds_ratios_are_in_the_bundle(ward):
    analyses(ward, "{id: A1, role: primary, outcome: death_here, method: exact-logistic, adjust: [sex]}")
    assert ward.run().code == 0
    exact = regression.exact_logistic(frame(ward), outcome="died", terms=["device", "sex"]).estimates()[0].natural()
    row = found(ward)["A1.death_here.pump.odds-ratio"]
    assert (row["estimate"], row["conf_low"]) == pytest.approx((exact.value, exact.interval.low))


def test_a_spline_of_few_values_estimates_nothing_and_says_so(ward):
    ward.columns["Lactate"] = [str(1 + index % 3) for index in range(N)]
    analyses(
        ward,
        "{id: A1, role: primary, outcome: death_here, method: logistic-regression, adjust: [{variable: lactate, spline: 4}]}",
    )
    said = ward.run()
    assert said.code == 1
    rows = found(ward)
    assert {row["status"] for row in rows.values()} == {"few-values"}
    curve = blocks(ward, "effect-curve")["A1.death_here.lactate.effect-curve"]["columns"]
    assert set(curve["estimate"]) == {None}


def test_an_empty_level_is_named(ward):
    ward.define("mild=Mild|severe=Severe", "mild=Mild|moderate=Moderate|severe=Severe")
    analyses(ward, "{id: A1, role: primary, outcome: disability_here, method: ordinal-regression, adjust: [age]}")
    assert ward.run().code == 1
    assert found(ward)["A1.disability_here.pump.odds-ratio"]["status"] == "empty-level"


@pytest.mark.parametrize(
    ("column", "line", "words"),
    [
        ("Lactate", "{id: A1, role: primary, outcome: death_here, method: logistic-regression, adjust: [{variable: lactate, log: yes}]}", "without log"),
        ("Stay", "{id: A1, role: primary, outcome: bags, method: poisson-regression, exposure: stay}", "time at risk"),
    ],
)  # fmt: skip
def test_values_that_have_no_logarithm_are_a_finding_on_the_data(ward, column, line, words):
    ward.set(column, 7, "0")
    said = analyses(ward, line).run()
    assert said.code == 4, said.text
    assert "E634" in said.text
    assert words in said.text
