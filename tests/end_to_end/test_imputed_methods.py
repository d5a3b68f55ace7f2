"""Multiple imputation from the file to the bundle: repeated measurements, several cores, verification, small cells."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from test_two_files import GasWard
from ward import Ward, call

from counterpulse.errors import DONE

IMPUTED = "{method: multiple-imputation, datasets: 3, iterations: 2}"
ANALYSES = """analyses:
  - {id: A1, role: primary, outcome: death_here, method: logistic-regression, adjust: [{variable: age, spline: 4}, sex, lactate]}
  - {id: C1, role: secondary, outcome: death, method: cox, adjust: [age], strata: [sex], check: [proportional-hazards]}
  - {id: S1, role: sensitivity, of: A1, missing_data: {method: multiple-imputation, shift: {age: [5]}}}
  - {id: S2, role: sensitivity, of: A1, missing_data: complete-case}
"""
MEASURED = """analyses:
  - {id: M1, role: primary, outcome: lac, method: repeated-measures, adjust: [age, sex, {interaction: [age, sex]}], interaction: yes}
  - {id: M2, role: secondary, outcome: lac, method: repeated-measures, model: gee, adjust: [age], interaction: yes}
"""
COURSE = "lac: {label: Lactate course, type: repeated, from: gas, column: blood_lactate, window: 0 to 24 hours, better: lower}"
SAME = 1e-9  # relative; one coefficient tested as t and as F


def with_holes(ward, **shares):
    random = np.random.default_rng(4)
    for column, share in shares.items():
        ward.columns[column] = ["" if random.random() < share else value for value in ward.columns[column]]
    return ward.edit("missing_data: {method: complete-case}", f"missing_data: {IMPUTED}")


def analyzed(ward, analyses):
    ward.protocol = ward.protocol[: ward.protocol.index("analyses:")] + analyses
    return ward


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    ward = Ward(tmp_path_factory.mktemp("imputed") / "study")
    with_holes(ward, Age=0.15, Sex=0.1, Lactate=0.15).edit("if_unknown: stop", "if_unknown: keep-patient")
    analyzed(ward.edit("seed: 1", "privacy: {small_cells: 5}\nsubgroups: {of: A1, by: [sex]}\nseed: 1"), ANALYSES)
    assert ward.run().code == DONE
    return ward


def files(folder: Path):
    return {path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*") if path.is_file()}  # fmt: skip


def test_a_second_core_changes_no_byte(ward):
    other = ward.directory / "two"
    assert call("run", ward.path, "--out", other, "--jobs", 2).code == DONE
    assert files(ward.bundle) == files(other)


def test_the_bundle_is_verified_and_every_estimate_explained(ward):
    assert call("verify", ward.bundle).code == DONE
    for row in ward.results()["estimates"]:
        assert call("explain", ward.bundle, row["id"]).code == DONE


def test_every_pooled_number_says_so(ward):
    results = ward.results()
    pooled = [row for row in results["estimates"] if row["analysis"] in ("A1", "C1")]
    assert {row["imputations"] for row in pooled} == {3}
    assert {row["analysis"]: row["imputations"] for row in results["estimates"]}["S2"] is None
    assert [one["code"] for one in results["warnings"]].count("W664") == 1


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    ward = GasWard(tmp_path_factory.mktemp("imputed") / "gas")
    with_holes(ward, Age=0.15, Sex=0.1).edit("outcomes:\n", f"outcomes:\n  {COURSE}\n")
    assert analyzed(ward, MEASURED).run().code == DONE
    return ward.results()["estimates"]


@pytest.mark.parametrize("analysis", ["M1", "M2"])
def test_the_course_of_the_groups_is_tested_by_its_own_coefficients(measured, analysis):
    """Not by every product of the model; and with one of them the test is that of the difference of slopes."""
    own = {row["measure"]: row for row in measured if row["analysis"] == analysis}
    test, slope = own["interaction"], own["slope difference"]
    assert test["df"] == 1
    assert test["p_value"] == pytest.approx(slope["p_value"], rel=SAME)


def test_measurements_are_no_patients_where_degrees_of_freedom_are_counted(measured):
    own = [row for row in measured if row["analysis"] == "M2" and row["df"] is not None and row["estimate"] is not None]
    assert own
    assert all(row["df"] <= row["n"] for row in own)
