"""The studies that ship, from the copy to the report: septal rupture and the registry with its table of blood gases."""

import csv
import json
from datetime import datetime, timedelta

import pytest
from ward import call

from counterpulse.errors import DONE, HAS_FINDINGS

CLOSED_FORM = 1e-10  # relative; means of the same numbers
WINDOWS = {"lactate_4h": (1, 4), "lactate_24h": (6, 24)}


class Shipped:
    """A study that was copied and run."""

    def __init__(self, name, folder):
        self.folder, self.bundle = folder, folder / "report"
        assert call("example", name, folder).code == DONE
        self.protocol = folder / f"{name}.protocol.yaml"
        self.checked = call("check", self.protocol)
        self.said = call("run", self.protocol, "--out", self.bundle)
        self.results = json.loads((self.bundle / "results.json").read_text(encoding="utf-8"))
        self.report = (self.bundle / "report.html").read_text(encoding="utf-8")

    def rows(self, analysis, **fields):
        found = [row for row in self.results["estimates"] if row["analysis"] == analysis]
        return [row for row in found if all(row[name] == value for name, value in fields.items())]

    def kinds(self):
        return {block["kind"] for block in self.results["blocks"]}


@pytest.fixture(scope="module")
def rupture(tmp_path_factory):
    return Shipped("vsr-iabp", tmp_path_factory.mktemp("vsr"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return Shipped("ecls-registry", tmp_path_factory.mktemp("ecls"))


def test_both_check_and_run(rupture, registry):
    for study in (rupture, registry):
        assert study.checked.code in (DONE, HAS_FINDINGS)
        assert "0 errors" in study.checked.out
        assert study.said.code == DONE, study.said.text
        assert "MOCK DATA" in study.report


def test_the_ladder_of_the_septal_rupture(rupture):
    models = ["Model II", "Unadjusted", "Model I"]
    for analysis, measure in (("M1", "odds ratio"), ("H1", "hazard ratio")):
        rows = rupture.rows(analysis, measure=measure, variable="device", subgroup=None)
        assert [row["model"] for row in rows] == models
        assert {row["n"] for row in rows} == {92}
    covariates = {row["variable"] for row in rupture.rows("M1", model="Model I", role="covariate")}
    assert covariates == {"age", "male"}


def test_predictors_one_by_one_and_who_was_given_a_pump(rupture):
    assert len({row["variable"] for row in rupture.rows("U1", model="screen")}) == 18
    assert {row["variable"] for row in rupture.rows("P1")} == {"age", "male", "bmi", "map", "perforation"}
    assert {row["outcome"] for row in rupture.rows("P1")} == {"device=iabp"}


def test_the_selection_is_repeated_and_warned_of(rupture):
    frequency = next(block for block in rupture.results["blocks"] if block["kind"] == "selection-frequency")["columns"]
    assert len(frequency["term"]) == 18
    assert all(0 <= share <= 1 for share in frequency["frequency"])
    chosen = {term for term, word in zip(frequency["term"], frequency["selected"], strict=True) if word == "yes"}
    assert chosen == {row["variable"] for row in rupture.rows("S1", model="Stepwise", role="covariate")}
    repeated = [row for row in rupture.rows("S1") if (row["interval_method"] or "").startswith("percentile")]
    assert len(repeated) == 1
    assert "intervals are too narrow" in rupture.report


def test_the_report_warns_that_the_time_of_the_pump_is_unknown(rupture):
    assert any(warning["code"] == "W246" for warning in rupture.results["warnings"])


def test_the_registry_has_every_kind_of_result(registry):
    assert registry.kinds() >= {
        "effect-curve", "calibration-curve", "roc", "decision-curve", "center-funnel", "crosstab", "distribution",
        "missing-pattern", "correlation", "events-per-parameter", "survival-curve", "forest",
    }  # fmt: skip
    for analysis, words in (("S4", "random intercept"), ("S5", "generalized estimating equations")):
        (row,) = registry.rows(analysis, variable="iabp_after")
        assert row["status"] == "ok"
        record = next(item for item in registry.results["analyses"] if item["id"] == analysis)
        assert any(words in str(choice["value"]) for choice in record["choices"])
    assert {row["model"] for row in registry.rows("L1", variable="iabp_after")} == {
        "Unadjusted", "Age and sex", "Baseline", "With curves",
    }  # fmt: skip


def test_lactate_at_a_time_is_the_last_in_its_window(registry):
    """Taken once more, row by row, from the two files."""
    with (registry.folder / "registry.csv").open(encoding="utf-8", newline="") as file:
        starts = {row["patient_id"]: datetime.fromisoformat(row["ecmo_start"]) for row in csv.DictReader(file)}
    with (registry.folder / "registry.gas.csv").open(encoding="utf-8", newline="") as file:
        gases = [row for row in csv.DictReader(file) if row["lactate"] and row["taken_at"]]
    protocol = call("explain", registry.bundle, "eligible")
    assert protocol.code == DONE
    taken = {}
    for name, (low, high) in WINDOWS.items():
        for row in gases:
            start, at = starts[row["patient_id"]], datetime.fromisoformat(row["taken_at"])
            if start + timedelta(hours=low) <= at <= start + timedelta(hours=high):
                before = taken.get((name, row["patient_id"]))
                if before is None or at > before[0]:
                    taken[name, row["patient_id"]] = (at, float(row["lactate"]))
    from counterpulse import read_dictionary
    from counterpulse.study import read_study
    from counterpulse.study.patients.cohort import make_cohort

    plan, table = read_study(registry.protocol)
    frame = make_cohort(plan, table).frame
    assert read_dictionary(registry.folder / "dictionary.csv").variables
    for name in WINDOWS:
        ours = dict(frame.select("patient_id", name).drop_nulls().iter_rows())
        slowly = {patient: value for (of, patient), (_, value) in taken.items() if of == name}
        assert ours == {patient: slowly[patient] for patient in ours}
        blank = set(frame["patient_id"]) - set(ours)
        assert not blank & set(slowly)


def test_the_lactate_course_uses_every_measurement_after_the_landmark(registry):
    (row,) = registry.rows("A8", variable="iabp_after")
    details = registry.results["details"]["A8"]
    assert row["measure"] == "mean difference"
    assert row["clusters"] <= details["lactate_course.measurements"]
    assert sum(group["n"] for group in row["groups"]) == row["clusters"]
