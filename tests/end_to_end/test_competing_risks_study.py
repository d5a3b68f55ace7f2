"""Competing risks from the protocol to the report: Aalen-Johansen with Gray's test, Fine-Gray, both cause-specific hazards.

The table is mgus2 of R's survival; the numbers of R are those of cmprsk and survival in the shared reference.
"""

import html
import json
import math

import polars as pl
import pytest
from test_export import needs_r, r_has, repeated_in_r, rows_of
from ward import call

import counterpulse as cp
from counterpulse.errors import DONE, PROTOCOL_INVALID
from counterpulse.results import REFERENCES

PRINTED = 1e-6
"""Relative; the shared reference holds seven digits."""

DICTIONARY = """\
name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
id,id,Patient,id,,,,,,,,
sex,sex,Sex,category,,F=Female|M=Male,,,,,,
age,age,Age,number,years,,0,120,,,,
hgb,hgb,Hemoglobin,number,g/dL,,,,,,,
months,months,Months followed,number,months,,,,,,,
ended,ended,End of follow-up,category,,none=Alive|pcm=Malignancy|death=Death,,,,,,
decade,decade,Decade,category,,early=Early|late=Late,,,,,,
"""
PROTOCOL = """\
protocol: 1
study: {id: mgus, title: Malignancy in MGUS, design: cohort, registration: none, data_seen_before_plan: no}
data: {table: mgus.csv, dictionary: dictionary.csv, one_row_per: patient, id: id}
time_zero: {text: diagnosis, counted: yes}
eligibility: {}
groups: {variable: sex, treated: {M: Men}, reference: {F: Women}, assigned_by: clinician}
outcomes:
  malignancy: {label: Malignancy, type: time-to-event, time: months, time_unit: months, event: 'ended = "pcm"', competing: 'ended = "death"', primary: yes, better: lower}
  ended_any: {label: Death or malignancy, type: time-to-event, time: months, time_unit: months, event: 'ended != "none"', better: lower}
confounders: {baseline: [age]}
missing_data: {method: complete-case}
seed: 1
subgroups: {of: F1, by: [{variable: age, cut: [70]}]}
analyses:
  - {id: J1, role: primary, outcome: malignancy, method: aalen-johansen, at: [60 months, 120 months], estimand: {contrast: cumulative incidence difference at 240 months}}
  - {id: J2, role: secondary, outcome: malignancy, method: aalen-johansen, strata: [decade]}
  - {id: J3, role: secondary, outcome: malignancy, method: aalen-johansen, compare_with: none}
  - {id: F1, role: secondary, outcome: malignancy, method: fine-gray, adjust: baseline, also: [aalen-johansen]}
  - {id: F2, role: secondary, outcome: malignancy, method: fine-gray, adjust: baseline, variance: robust, tied_censoring: after-events, ties: efron}
  - {id: F3, role: secondary, outcome: malignancy, method: fine-gray, adjust: baseline, clusters: {variable: decade, as: robust}}
  - {id: F4, role: secondary, outcome: malignancy, method: fine-gray, adjust: [age, hgb], censoring_strata: [decade]}
  - {id: F5, role: secondary, outcome: malignancy, method: fine-gray, ties: efron}
  - {id: C1, role: secondary, outcome: malignancy, method: cox, adjust: baseline, causes: both}
  - {id: P1, role: secondary, outcome: malignancy, method: fine-gray, propensity: {use: weighting, model: baseline}}
"""


@pytest.fixture(scope="module")
def table(shared_data):
    first = pl.col("pstat") == 1
    return shared_data("mgus2.csv").select(
        "id", "sex", "age", "hgb",
        months=pl.when(first).then("ptime").otherwise("futime"),
        ended=pl.when(first).then(pl.lit("pcm")).when(pl.col("death") == 1).then(pl.lit("death")).otherwise(pl.lit("none")),
        decade=pl.when(pl.col("dxyr") < 1980).then(pl.lit("early")).otherwise(pl.lit("late")),
    )  # fmt: skip


def written(folder, table, protocol=PROTOCOL):
    folder.mkdir(parents=True)
    (folder / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    (folder / "mgus.protocol.yaml").write_text(protocol, encoding="utf-8")
    table.write_csv(folder / "mgus.csv")
    return folder / "mgus.protocol.yaml"


def run(folder, table, protocol=PROTOCOL):
    path = written(folder, table, protocol)
    said = call("run", path, "--out", folder / "bundle", "--jobs", "1")
    assert said.code in (0, 1), said.text
    results = json.loads((folder / "bundle" / "results.json").read_text(encoding="utf-8"))
    return (
        results,
        {row["id"]: row for row in results["estimates"]},
        {item["id"]: item["columns"] for item in results["blocks"]},
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("competing") / "mgus"
    return folder, *run(folder, table)


def test_grays_test_is_that_of_cmprsk(study):
    _, _, rows, blocks = study
    test = rows["J1.malignancy.gray.test-of-curves"]
    assert (test["df"], test["n"], test["measure"]) == (1, 1384, "test of curves")
    assert test["p_value"] is not None
    block = blocks["J1.malignancy.test"]
    assert sum(block["observed"]) == pytest.approx(sum(block["expected"]))
    assert "J3.malignancy.gray.test-of-curves" not in rows
    assert "F1.malignancy.gray.test-of-curves" in rows


def test_gray_numbers_of_the_shared_reference(study):
    rows = study[2]
    test = rows["J1.malignancy.gray.test-of-curves"]
    assert test["statistic"] == pytest.approx(1.194508, rel=PRINTED)
    assert f"{test['p_value']:.6f}" == "0.274422"


def test_stratified_gray_is_the_kernel_within_strata(study, table):
    coded = table.with_columns(cause=pl.col("ended").replace_strict({"none": 0, "pcm": 1, "death": 2}))
    test = cp.survival.gray_test(coded, time="months", event="cause", by="sex", strata="decade")
    row = study[2]["J2.malignancy.gray.test-of-curves"]
    assert (row["statistic"], row["p_value"]) == (pytest.approx(test.statistic), pytest.approx(test.p_value))
    assert row["statistic"] != study[2]["J1.malignancy.gray.test-of-curves"]["statistic"]


@pytest.mark.parametrize(
    ("name", "coefficient", "std_error"),
    [
        ("F1.malignancy.M.subdistribution-hazard-ratio", -0.26003824, 0.18568103),
        ("F1.malignancy.age.subdistribution-hazard-ratio", -0.01733815, 0.00573710),
        ("F2.malignancy.M.subdistribution-hazard-ratio", -0.25975679, None),
        ("F2.malignancy.age.subdistribution-hazard-ratio", -0.01730171, None),
        ("C1.malignancy.M.hazard-ratio", -0.02513779, 0.18845585),
        ("C1.malignancy.age.hazard-ratio", 0.01303857, 0.00825869),
    ],
)
def test_models_are_those_of_cmprsk_and_survival(study, name, coefficient, std_error):
    row = study[2][name]
    assert math.log(row["estimate"]) == pytest.approx(coefficient, rel=PRINTED)
    if std_error is not None:
        assert row["std_error"] == pytest.approx(std_error, rel=PRINTED)


def test_the_exposure_comes_first_and_subgroups_are_tested_by_wald(study):
    _, results, rows, blocks = study
    of_f1 = [row["id"] for row in results["estimates"] if row["analysis"] == "F1"]
    assert of_f1[0] == "F1.malignancy.M.subdistribution-hazard-ratio"
    assert rows["F1.malignancy.age.interaction"]["statistic_name"] == "Wald chi-squared"
    assert rows["F1.malignancy.age=<70.M.subdistribution-hazard-ratio"]["status"] == "ok"
    assert "F1.malignancy.forest" in blocks


def test_two_clusters_give_an_effect_without_an_interval(study):
    row = study[2]["F3.malignancy.M.subdistribution-hazard-ratio"]
    assert (row["status"], row["clusters"], row["conf_low"]) == ("few-clusters", 2, None)


def test_the_competing_event_stands_beside_the_event(study, table):
    rows = study[2]
    row = rows["C1.competing-event.malignancy.M.hazard-ratio"]
    assert (row["model"], row["events"], row["role"], row["better"]) == ("competing event", 860, "secondary", None)
    coded = table.with_columns(died=pl.col("ended") == "death")
    fit = cp.survival.cox(coded, time="months", event="died", terms=["sex", "age"])
    assert math.log(row["estimate"]) == pytest.approx(fit.estimates()[0].value, rel=PRINTED)
    assert "F1.competing-event.malignancy.M.hazard-ratio" not in rows


def test_weighted_patients(study, table):
    """The robust variance takes the weights as known."""
    coded = table.with_columns(
        cause=pl.col("ended").replace_strict({"none": 0, "pcm": 1, "death": 2}), male=pl.col("sex") == "M"
    )
    found = cp.propensity.weight(coded, treatment="male", covariates=["age"], estimand="ATE")
    fit = cp.survival.fine_gray(coded, time="months", event="cause", terms=["sex"], weights=found.weights)
    row = study[2]["P1.malignancy.M.subdistribution-hazard-ratio"]
    expected = fit.estimates()[0]
    assert math.log(row["estimate"]) == pytest.approx(expected.value, rel=PRINTED)
    assert row["std_error"] == pytest.approx(expected.std_error, rel=PRINTED)


def test_the_report_says_it(study):
    text = (study[0] / "bundle" / "report.html").read_text(encoding="utf-8")
    assert "Gray P = 0.27" in text
    assert "compared by Gray's test" in html.unescape(text)
    assert "The competing event occurred in" in text
    assert "Subdistribution hazard ratio" in text
    for work in ("gray-1988", "fine-gray-1999", "latouche-2013"):
        assert REFERENCES[work].split("doi:")[1] in text


@needs_r
@pytest.mark.skipif(not r_has("cmprsk"), reason="R has no cmprsk here")
def test_r_repeats_every_estimate(study):
    folder = study[0]
    said = call(
        "export", folder / "bundle", "--to", "r", "--protocol", folder / "mgus.protocol.yaml", "--out", folder / "r"
    )
    assert said.code == DONE, said.text
    compared = {row["id"]: row for row in repeated_in_r(folder / "r")}
    assert {row["result"] for row in compared.values()} == {"agrees"}
    assert "p_value" in compared["J2.malignancy.gray.test-of-curves"]["compared"]
    full = "estimate conf_low conf_high p_value"
    for name in ("F1.malignancy.M.subdistribution-hazard-ratio", "F2.malignancy.M.subdistribution-hazard-ratio",
                 "C1.competing-event.malignancy.M.hazard-ratio"):  # fmt: skip
        assert compared[name]["compared"] == full
    assert (
        compared["F4.malignancy.M.subdistribution-hazard-ratio"]["compared"] == "estimate"
    )  # crr has another sandwich with strata
    left = {row["id"]: row["why"] for row in rows_of(folder / "r" / "not-exported.csv")}
    assert set(left) == {"F5.malignancy.M.subdistribution-hazard-ratio", "P1.malignancy.M.subdistribution-hazard-ratio"}


@pytest.mark.parametrize("method", ["fine-gray", "aalen-johansen", "cox, causes: both"])
def test_without_a_competing_event_it_is_refused(tmp_path, table, method):
    line = f"  - {{id: X1, role: secondary, outcome: ended_any, method: {method}}}\n"
    path = written(tmp_path / "study", table, PROTOCOL + line)
    said = call("plan", path)
    assert said.code == PROTOCOL_INVALID
    assert said.text.count("E670") == 1
    assert "nothing competes with 'ended_any'" in said.text


SHORT = (
    PROTOCOL[: PROTOCOL.index("subgroups:")]
    + """\
analyses:
  - {id: J1, role: primary, outcome: malignancy, method: aalen-johansen}
  - {id: F1, role: secondary, outcome: malignancy, method: fine-gray}
  - {id: C1, role: secondary, outcome: malignancy, method: cox, causes: both}
"""
)
TEST, RATIO = "J1.malignancy.gray.test-of-curves", "F1.malignancy.M.subdistribution-hazard-ratio"
OF_EVENT, OF_OTHER = "C1.malignancy.M.hazard-ratio", "C1.competing-event.malignancy.M.hazard-ratio"


def statuses(folder, table):
    _, rows, _ = run(folder, table, SHORT)
    for row in rows.values():
        if row["status"] not in ("ok", "not-reached"):
            assert row["p_value"] is None, row["id"]
    return [rows[name]["status"] for name in (TEST, RATIO, OF_EVENT, OF_OTHER)]


def changed(table, old, new, *, sex=None):
    wanted = pl.col("ended") == old
    wanted = wanted if sex is None else wanted & (pl.col("sex") == sex)
    return table.head(300).with_columns(ended=pl.when(wanted).then(pl.lit(new)).otherwise("ended"))


def test_nobody_has_the_competing_event(tmp_path, table):
    """Then Fine and Gray's model is Cox's, and the hazard ratio of the competing event is none."""
    found = statuses(tmp_path / "study", changed(table, "death", "none"))
    assert found == ["ok", "ok", "ok", "no-events"]


def test_all_events_compete(tmp_path, table):
    assert statuses(tmp_path / "study", changed(table, "pcm", "death")) == ["no-events", "no-events", "no-events", "ok"]


def test_a_group_without_the_event(tmp_path, table):
    assert statuses(tmp_path / "study", changed(table, "pcm", "death", sex="F")) == [
        "ok",
        "separation",
        "separation",
        "ok",
    ]


def test_one_patient(tmp_path, table):
    found = statuses(tmp_path / "study", table.filter(pl.col("ended") == "pcm").head(1))
    assert set(found) <= {"empty-group", "no-events"}


def test_ties_between_causes_give_the_same_whatever_the_order_of_rows(tmp_path, table):
    rounded = table.head(300).with_columns((pl.col("months") / 24).ceil() * 24)
    one, other = (
        run(tmp_path / name, part, SHORT)[1] for name, part in (("one", rounded), ("other", rounded.reverse()))
    )
    for name in (TEST, RATIO, OF_EVENT, OF_OTHER):
        assert one[name]["p_value"] == pytest.approx(other[name]["p_value"], rel=PRINTED)
        assert one[name]["status"] == "ok"
