"""Exported scripts: R, run here, gives the numbers of the bundle again from the table of patients; SAS and ARS are written."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ward import Ward, call

from counterpulse.errors import DONE, HAS_FINDINGS, USAGE

HERE = Path(__file__).parent
STUDIES = {
    "mimic_iac": "mimic2_iac.csv", "lung": "lung.csv", "veteran": "veteran.csv", "whas500": "whas500.csv",
    "heart_failure": "heart_failure_clinical_records.csv",
}  # fmt: skip
CHAIN = "chain.protocol.yaml"
PACKAGES = ("survival", "sandwich")


def r_has(*packages):
    if shutil.which("Rscript") is None:
        return False
    asked = " && ".join(f"requireNamespace('{name}', quietly = TRUE)" for name in packages)
    ran = subprocess.run(["Rscript", "--vanilla", "-e", f"quit(status = !({asked}))"], capture_output=True, check=False)
    return ran.returncode == 0


needs_r = pytest.mark.skipif(not r_has(*PACKAGES), reason=f"R with {' and '.join(PACKAGES)} is not here")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def repeated_in_r(folder):
    """compared.csv after the script has run; it ends with an error where a number differs."""
    ran = subprocess.run(
        ["Rscript", "--vanilla", "analysis.R"], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return rows_of(folder / "compared.csv")


@needs_r
@pytest.mark.parametrize("name", STUDIES)
def test_r_repeats_every_estimate(name, run_study, shared_path, tmp_path):
    data = shared_path(f"data/{STUDIES[name]}")
    (protocol,) = (path for path in (HERE / name).glob("*.protocol.yaml") if path.name != CHAIN)
    bundle = run_study(protocol, data)
    said = call(
        "export", bundle.directory, "--to", "r", "--data", data, "--protocol", protocol, "--out", tmp_path / "r"
    )
    assert said.code == DONE, said.err
    compared = repeated_in_r(tmp_path / "r")
    assert {row["result"] for row in compared} == {"agrees"}
    with_number = [
        row for row in bundle.results["estimates"] if row["estimate"] is not None or row["p_value"] is not None
    ]
    assert len(with_number) <= len(compared) + len(rows_of(tmp_path / "r" / "not-exported.csv"))
    assert not rows_of(tmp_path / "r" / "not-exported.csv")


@needs_r
def test_r_repeats_landmarks_and_time_varying_exposure(tmp_path):
    assert call("example", "stanford-heart", tmp_path / "study").code == DONE
    protocol = tmp_path / "study" / "stanford-heart.protocol.yaml"
    assert call("run", protocol, "--out", tmp_path / "bundle").code == DONE
    assert call("export", tmp_path / "bundle", "--to", "r", "--protocol", protocol).code == DONE
    compared = repeated_in_r(tmp_path / "bundle-r")
    assert len(compared) > 30
    assert {row["result"] for row in compared} == {"agrees"}


@needs_r
def test_r_finds_a_number_that_is_wrong(tmp_path):
    ward = Ward(tmp_path / "ward").write()
    assert call("run", ward.path, "--out", ward.bundle).code == DONE
    assert call("export", ward.bundle, "--to", "r").code == DONE
    folder = tmp_path / "ward" / "ward-report-r"
    expected = rows_of(folder / "expected.csv")
    expected[0]["estimate"] = repr(float(expected[0]["estimate"]) * (1 + 1e-5))
    with (folder / "expected.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(expected[0]))
        writer.writeheader()
        writer.writerows(expected)
    ran = subprocess.run(
        ["Rscript", "--vanilla", "analysis.R"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "DIFFERS" in ran.stdout


def test_sas_says_what_it_repeats(tmp_path):
    ward = Ward(tmp_path / "ward").write()
    assert call("run", ward.path, "--out", ward.bundle).code == DONE
    said = call("export", ward.bundle, "--to", "sas", "--out", tmp_path / "sas")
    assert said.code == DONE
    script = (tmp_path / "sas" / "analysis.sas").read_text(encoding="utf-8")
    assert 'model death_here(event="1") = device age sex lactate / clodds=wald alpha=0.05;' in script
    assert 'class device(ref="none") sex(ref="F") / param=ref;' in script
    for row in rows_of(tmp_path / "sas" / "expected.csv"):
        assert f"{row['id']}: " in script
    table = rows_of(tmp_path / "sas" / "table1.csv")
    estimate = next(row for row in ward.results()["estimates"] if row["id"] == "A1.death_here.pump.odds-ratio")
    assert len(table) == estimate["n"]
    assert "Study_number" not in table[0]
    assert "private" in said.err


def test_ars_holds_every_number(tmp_path):
    ward = Ward(tmp_path / "ward").write()
    assert call("run", ward.path, "--out", ward.bundle).code == DONE
    assert call("export", ward.bundle, "--to", "ars", "--out", tmp_path / "ars").code == DONE
    event = json.loads((tmp_path / "ars" / "reporting-event.json").read_text(encoding="utf-8"))
    raw = {
        (result["id"], result["operationId"].split(".")[-1]): result["rawValue"]
        for analysis in event["analyses"]
        for result in analysis["results"]
    }
    for row in ward.results()["estimates"]:
        for name in ("estimate", "conf_low", "p_value", "n"):
            assert raw.get((row["id"], name)) == (None if row[name] is None else repr(row[name]))
    assert event["analysisSets"][0]["condition"] == {
        "dataset": "ADSL", "variable": "age", "comparator": "GE", "value": ["18"],
    }  # fmt: skip


def test_a_program_that_nobody_writes_for(tmp_path):
    ward = Ward(tmp_path / "ward").write()
    assert call("run", ward.path, "--out", ward.bundle).code in (DONE, HAS_FINDINGS)
    said = call("export", ward.bundle, "--to", "stata")
    assert said.code == USAGE
    assert "r, sas, ars" in said.err
