"""MIMIC-II arterial catheters, from protocol to results.json, against ../shared/reference/observational/ref_iac.out and R."""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

PROTOCOL = Path(__file__).parent / "mimic_iac" / "iac.protocol.yaml"
R = Path(__file__).parents[1] / "against_r" / "reference" / "study.json"
PRINTED = 5e-8  # relative; the reference prints eight digits
STOPPED_EARLY = 2e-5  # relative; glm() as it comes reports the standard error of the step before its last
ITERATIVE = 1e-6  # relative; both iterate, R here to 1e-14 in deviance
CLOSED_FORM = 1e-10  # relative


@pytest.fixture(scope="module")
def study(run_study, shared_path):
    return run_study(PROTOCOL, shared_path("data/mimic2_iac.csv"))


@pytest.fixture(scope="module")
def reference():
    return json.loads(R.read_text())["mimic"]


def on_log_scale(row):
    return math.log(row["estimate"]), row["std_error"]


def test_crude_odds_ratio_as_printed(study):
    row = study.estimates["crude.death_28d.yes.odds-ratio"]
    assert row["estimate"] == pytest.approx(1.25491944, rel=PRINTED)
    assert (row["n"], row["events"], row["n_missing"]) == (1776, 283, 0)
    assert {group["group"]: (group["n"], group["events"]) for group in row["groups"]} == {
        "yes": (984, 170),
        "no": (792, 113),
    }


def test_observed_risks_as_printed(study):
    groups = study.estimates["risks.death_28d.yes.risk-difference"]["groups"]
    risks = {group["group"]: group["risk"] for group in groups}
    assert risks["yes"] == pytest.approx(0.17276423, rel=PRINTED)
    assert risks["no"] == pytest.approx(0.14267677, rel=PRINTED)


def test_adjusted_odds_ratio_as_printed_on_the_complete_cases(study, reference):
    row = study.estimates["adjusted.death_28d.yes.odds-ratio"]
    assert (row["n"], row["n_missing"]) == (1652, 124)
    assert study.flow["analyzed"]["n"] == 1652
    assert row["estimate"] == pytest.approx(1.1444269, rel=PRINTED)
    assert row["conf_low"] == pytest.approx(0.75427784, rel=STOPPED_EARLY)
    assert row["conf_high"] == pytest.approx(1.7363799, rel=STOPPED_EARLY)
    # the reference's ends come from R's standard error before convergence; run to the end, R agrees
    assert reference["std_error_as_default"] == pytest.approx(row["std_error"], rel=STOPPED_EARLY)
    early = reference["std_error_as_default"] * 1.959964
    assert math.exp(reference["coefficient"] + early) == pytest.approx(1.7363799, rel=PRINTED)
    assert row["std_error"] == pytest.approx(reference["std_error"], rel=ITERATIVE)


def test_every_covariate_agrees_with_r(study, reference):
    theirs = dict(zip(reference["all"]["names"], reference["all"]["coefficients"], strict=True))
    errors = dict(zip(reference["all"]["names"], reference["all"]["std_errors"], strict=True))
    ours = [row for row in study.results["estimates"] if row["analysis"] == "adjusted" and row["role"] == "covariate"]
    compared = 0
    for row in ours:
        if row["variable"] == "day_icu_intime":  # R's reference is Friday, the dictionary's Monday
            continue
        name = row["variable"] + ("" if row["term"] in ("yes", row["variable"]) else row["term"])
        assert math.log(row["estimate"]) == pytest.approx(theirs[name], rel=ITERATIVE), name
        assert row["std_error"] == pytest.approx(errors[name], rel=ITERATIVE), name
        compared += 1
    assert compared == len(theirs) - 2 - 6


def test_table_one_counts_those_of_the_table(study, shared_data):
    table = shared_data("mimic2_iac.csv")
    for code, group in ((1, "yes"), (0, "no")):
        part = table.filter(pl.col("aline_flg") == code)
        for level in ("SICU", "MICU", "FICU"):
            row = study.table_one("service_unit", level, group)
            assert row["count"] == part.filter(pl.col("service_unit") == level).height
            assert row["percent"] == pytest.approx(100 * row["count"] / part.height, rel=CLOSED_FORM)
        weight = study.table_one("weight_first", None, group)
        values = part["weight_first"].drop_nulls()
        assert weight["missing"] == part["weight_first"].null_count()
        assert weight["mean"] == pytest.approx(values.mean(), rel=CLOSED_FORM)
        assert weight["sd"] == pytest.approx(values.std(), rel=CLOSED_FORM)
    missing = {"weight_first": 110, "sofa_first": 6, "temp_1st": 3, "wbc_first": 8, "gender_num": 1}
    rows = study.results["table_one"]
    for name, expected in missing.items():
        found = {
            row["missing"] for row in rows if row["variable"] == name and row["group"] is None and "missing" in row
        }
        assert found == {expected}


STRATA = {"age": "age65", "sofa_first": "sofa47", "gender_num": "sex", "service_unit": "service_unit"}
LEVELS = {
    "age": ["<65", ">=65"],
    "sofa_first": ["<4", "4-to-<7", ">=7"],
    "gender_num": ["no", "yes"],
    "service_unit": ["SICU", "MICU"],
}


@pytest.mark.parametrize("variable", STRATA)
def test_interaction_and_stratum_effects_agree_with_r(study, reference, variable):
    theirs = reference[STRATA[variable]]
    test = study.estimates[f"adjusted.death_28d.{variable}.interaction"]
    assert test["statistic"] == pytest.approx(theirs["likelihood_ratio"], rel=ITERATIVE)
    assert (test["df"], test["statistic_name"]) == (theirs["df"], "likelihood ratio chi-squared")
    for level, effect in zip(LEVELS[variable], theirs["effects"], strict=False):
        row = study.estimates[f"adjusted.death_28d.{variable}={level}.yes.odds-ratio"]
        assert on_log_scale(row) == pytest.approx(effect, rel=ITERATIVE)


@pytest.mark.parametrize("variable", ["age", "sofa_first"])
def test_cut_variables_are_also_tested_as_numbers(study, reference, variable):
    row = study.estimates[f"adjusted.death_28d.{variable}.continuous.interaction"]
    assert row["statistic"] == pytest.approx(reference["continuous"][variable], rel=ITERATIVE)
    assert row["df"] == 1


def test_a_stratum_in_which_nobody_of_a_group_had_the_event_is_named(study):
    row = study.estimates["adjusted.death_28d.service_unit=FICU.yes.odds-ratio"]
    assert (row["estimate"], row["status"]) == (None, "separation")
    assert study.exit_code == 1


def test_standardized_risks_agree_with_m_estimation_by_hand(study, reference):
    treated, untreated = reference["standardized"]["risks"]
    covariance = np.array(reference["standardized"]["covariance"])
    difference = study.estimates["adjusted.death_28d.yes.risk-difference"]
    assert difference["estimate"] == pytest.approx(treated - untreated, rel=ITERATIVE)
    assert difference["std_error"] == pytest.approx(math.sqrt([1, -1] @ covariance @ [1, -1]), rel=ITERATIVE)
    ratio = study.estimates["adjusted.death_28d.yes.risk-ratio"]
    slope = np.array([1 / treated, -1 / untreated])
    assert ratio["estimate"] == pytest.approx(treated / untreated, rel=ITERATIVE)
    assert ratio["std_error"] == pytest.approx(math.sqrt(slope @ covariance @ slope), rel=ITERATIVE)
    for level, risk in (("yes", treated), ("no", untreated)):
        assert study.estimates[f"adjusted.death_28d.{level}.risk"]["estimate"] == pytest.approx(risk, rel=ITERATIVE)
    assert difference["estimand"]["kind"] == "marginal"


def test_forest_repeats_the_rows(study):
    block = study.blocks["adjusted.death_28d.forest"]
    first = {name: column[0] for name, column in block.items()}
    overall = study.estimates["adjusted.death_28d.yes.odds-ratio"]
    assert first["variable"] is None
    assert first["estimate"] == overall["estimate"]
    for row in zip(*block.values(), strict=True):
        line = dict(zip(block, row, strict=True))
        if line["variable"] is None:
            continue
        level = "-".join(line["level"].split())
        source = study.estimates[f"adjusted.death_28d.{line['variable']}={level}.yes.odds-ratio"]
        count = next(item for item in source["groups"] if item["group"] == line["group"])
        assert (line["n"], line["events"], line["estimate"]) == (count["n"], count["events"], source["estimate"])
        assert line["p_interaction"] == study.estimates[f"adjusted.death_28d.{line['variable']}.interaction"]["p_value"]


def edited(directory, *changes):
    """The protocol with some of its text changed, beside its dictionary."""
    text = PROTOCOL.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (directory / "iac.dictionary.csv").write_bytes(PROTOCOL.with_name("iac.dictionary.csv").read_bytes())
    path = directory / PROTOCOL.name
    path.write_text(text, encoding="utf-8")
    return path


CLUSTERED = (
    "    adjust: baseline\n",
    "    adjust: baseline\n    clusters: {variable: hour_icu_intime, as: robust, variance: CR1}\n",
)


@pytest.fixture(scope="module")
def clustered(run_study, shared_path, tmp_path_factory):
    path = edited(tmp_path_factory.mktemp("clustered"), CLUSTERED)
    return run_study(path, shared_path("data/mimic2_iac.csv"))


def test_clustered_variance_agrees_with_r(clustered, reference):
    row = clustered.estimates["adjusted.death_28d.yes.odds-ratio"]
    assert on_log_scale(row) == pytest.approx(
        (reference["coefficient"], reference["clustered_std_error"]), rel=ITERATIVE
    )
    assert row["clusters"] == 24
    covariance = np.array(reference["standardized"]["clustered"])
    difference = clustered.estimates["adjusted.death_28d.yes.risk-difference"]
    assert difference["std_error"] == pytest.approx(math.sqrt([1, -1] @ covariance @ [1, -1]), rel=ITERATIVE)


@pytest.mark.parametrize("variable", ["age", "sofa_first", "gender_num"])
def test_clustered_interactions_are_wald_tests_and_agree_with_r(clustered, reference, variable):
    theirs = reference[STRATA[variable]]
    test = clustered.estimates[f"adjusted.death_28d.{variable}.interaction"]
    assert test["statistic"] == pytest.approx(theirs["wald"], rel=ITERATIVE)
    assert (test["df"], test["statistic_name"]) == (theirs["df"], "Wald chi-squared")
    for level, effect in zip(LEVELS[variable], theirs["clustered"], strict=True):
        row = clustered.estimates[f"adjusted.death_28d.{variable}={level}.yes.odds-ratio"]
        assert on_log_scale(row) == pytest.approx(effect, rel=ITERATIVE)


def test_refitted_strata_agree_with_r(run_study, shared_path, reference, tmp_path):
    path = edited(tmp_path, ("  of: adjusted\n", "  of: adjusted\n  refit: yes\n"))
    study = run_study(path, shared_path("data/mimic2_iac.csv"))
    for variable in ("gender_num", "age"):
        for level, effect in zip(LEVELS[variable], reference["refit"][STRATA[variable]], strict=True):
            row = study.estimates[f"adjusted.death_28d.{variable}={level}.yes.odds-ratio"]
            assert on_log_scale(row) == pytest.approx(effect, rel=ITERATIVE)


SMALLEST = 11


@pytest.fixture(scope="module")
def private(run_study, shared_path, tmp_path_factory):
    change = ("missing_data: {", f"privacy: {{small_cells: {SMALLEST}}}\nmissing_data: {{")
    path = edited(tmp_path_factory.mktemp("private"), change)
    return run_study(path, shared_path("data/mimic2_iac.csv"))


def test_small_cells_are_hidden_in_every_file(private):
    assert [notice["code"] for notice in private.results["warnings"]].count("W801") == 1
    deaths = private.estimates["adjusted.death_28d.service_unit=FICU.yes.odds-ratio"]["groups"]
    assert {group["group"]: group["events"] for group in deaths} == {"yes": None, "no": 0}
    with (private.directory / "tables" / "table_one.csv").open(encoding="utf-8-sig") as file:
        table = pl.read_csv(file.read().encode(), infer_schema=False)
    for name in ("n", "missing", "count"):
        assert not [text for text in table[name].drop_nulls() if 0 < int(text) < SMALLEST]
    page = (private.directory / "report.html").read_text(encoding="utf-8")
    assert "privacy: small_cells" in page
    assert "2/37" not in page


def test_privacy_leaves_large_counts_and_their_effects_as_they_are(private, study):
    for name in ("crude.death_28d.yes.odds-ratio", "adjusted.death_28d.yes.odds-ratio"):
        assert private.estimates[name] == study.estimates[name]
    assert private.table_one("service_unit", "MICU", "yes") == study.table_one("service_unit", "MICU", "yes")
    assert private.flow["analyzed"] == study.flow["analyzed"]


def test_curves_keep_only_steps_of_many_events(private, study):
    before, after = (bundle.blocks["curves.death.curve"] for bundle in (study, private))
    assert min(after["events"]) >= SMALLEST
    values = dict(zip(zip(before["group"], before["time"], strict=True), before["estimate"], strict=True))
    shown = zip(after["group"], after["time"], after["estimate"], strict=True)
    assert all(values[group, time] == estimate for group, time, estimate in shown)
