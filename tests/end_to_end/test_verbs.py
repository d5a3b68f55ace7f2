"""The verbs beside `run`, through the command line: what they print, what programs read of it, what they refuse."""

from __future__ import annotations

import json
import re
import shutil

import jsonschema
import openpyxl
import polars as pl
import pyreadstat
import pytest
from ward import Ward, call

from counterpulse.errors import DONE, HAS_FINDINGS, USAGE
from counterpulse.source.yaml_file import load_yaml

ESTIMATE = "A1.death_here.pump.odds-ratio"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    ward = Ward(tmp_path_factory.mktemp("ran"))
    assert ward.run().code == DONE
    return ward


@pytest.fixture
def ward(tmp_path):
    return Ward(tmp_path / "study")


def test_help_names_every_verb_in_its_group():
    said = call("--help")
    assert said.code == DONE
    start, study = said.out.split("Study")[0], said.out.split("Study")[-1]
    assert all(verb in start for verb in ("init", "example", "mock", "schema"))
    assert all(verb in study for verb in ("check", "plan", "run", "report", "explain"))
    for verb in ("init", "example", "mock", "schema", "check", "plan", "run", "report", "explain"):
        assert "Example:" in call(verb, "--help").out or verb in call(verb, "--help").out


def test_version():
    assert re.fullmatch(r"counterpulse \d+\.\d+\.\d+\S*\n", call("--version").out)


def test_only_and_seed_are_in_the_report(ward):
    said = ward.run("--only", "K1, C1", "--seed", 7)
    assert said.code == DONE
    results = ward.results()
    assert [row["id"] for row in results["analyses"]] == ["K1", "C1"]
    assert results["study"]["seed"] == 7
    assert {"W711", "W712"} <= {row["code"] for row in results["warnings"]}
    page = (ward.bundle / "report.html").read_text(encoding="utf-8")
    assert "--only" in page
    assert "--seed" in page


# -- what programs read


def test_check_as_json(ward):
    ward.set("Age", 3, "elefant").write()
    said = call("check", ward.path, "--json")
    (finding,) = json.loads(said.out)["findings"]
    assert finding["code"] == "E509"
    assert (finding["severity"], finding["file"], finding["line"]) == ("error", "ward.csv", 5)
    assert json.loads(call("check", Ward(ward.directory / "good").write().path, "--json").out) == {"findings": []}


def test_plan_as_text_and_as_json(ran):
    assert "sha256:" in call("plan", ran.path).out
    plan = json.loads(call("plan", ran.path, "--json").out)
    assert [analysis["id"] for analysis in plan["analyses"]] == ["A1", "K1", "C1"]
    assert plan == json.loads((ran.bundle / "plan.json").read_text(encoding="utf-8"))


def test_a_plan_needs_no_data(ward):
    ward.write()
    ward.data.unlink()
    assert call("plan", ward.path).code == DONE


def test_schemas_are_schemas(ran):
    protocol, results = (json.loads(call("schema", *option).out) for option in ((), ("--results",)))
    for schema in (protocol, results):
        jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(ran.results(), results)
    jsonschema.validate(load_yaml(ran.path).data, protocol)


# -- report


def test_a_report_in_another_style(ran, tmp_path):
    shutil.copytree(ran.bundle, tmp_path / "bundle")
    before = (tmp_path / "bundle" / "report.html").read_bytes()
    assert call("report", tmp_path / "bundle", "--style", "lancet").code == DONE
    assert (tmp_path / "bundle" / "report.html").read_bytes() != before
    assert (tmp_path / "bundle" / "results.json").read_bytes() == (ran.bundle / "results.json").read_bytes()
    assert call("report", tmp_path / "bundle").code == DONE
    assert (tmp_path / "bundle" / "report.html").read_bytes() == before


def test_a_style_that_does_not_exist(ran):
    said = call("report", ran.bundle, "--style", "jamaa")
    assert said.code == USAGE
    assert "jama" in said.err


# -- explain


def test_explain_an_estimate(ran):
    said = call("explain", ran.bundle, ESTIMATE)
    assert said.code == DONE
    for words in ("odds ratio of pump against none", "56 patients", "logistic regression", "(default)", "McCullagh"):
        assert words in said.out
    row = next(row for row in ran.results()["estimates"] if row["id"] == ESTIMATE)
    assert repr(row["estimate"]) in said.out
    assert json.loads(call("explain", ran.bundle, ESTIMATE, "--json").out)["row"] == row


def test_explain_a_box_of_the_flow(ran):
    said = call("explain", ran.bundle, "include.adult")
    assert said.code == DONE
    assert "Aged 18 years or older: 0 left out" in said.out
    assert "age >= 18" in said.out


def test_every_id_can_be_explained(ran):
    results = ran.results()
    ids = [row["id"] for key in ("flow", "analyses", "estimates", "blocks") for row in results[key]]
    assert len(ids) == len(set(ids))
    for number in ids:
        assert call("explain", ran.bundle, number).code == DONE
        assert json.loads(call("explain", ran.bundle, number, "--json").out)["id"] == number


def test_explain_what_is_not_there(ran):
    said = call("explain", ran.bundle, ESTIMATE.replace("odds", "ods"))
    assert said.code == USAGE
    assert f"did you mean {ESTIMATE}?" in said.err
    assert call("explain", ran.bundle, "zzzz").code == USAGE


# -- mock


def test_mock_patients_never_pass_for_people(ward):
    ward.write()
    table = ward.directory / "mock.csv"
    assert call("mock", ward.path, "--n", 60, "--out", table).code == DONE
    said = call("run", ward.path, "--data", table, "--out", ward.bundle)
    assert said.code in (DONE, HAS_FINDINGS)
    assert "MOCK DATA" in said.out
    assert ward.results()["data_kind"] == "mock"
    assert call("check", ward.path, "--data", table).code == DONE


def test_mock_replaces_nothing(ward):
    ward.write()
    before = ward.data.read_bytes()
    assert call("mock", ward.path, "--out", ward.data).code == USAGE
    assert ward.data.read_bytes() == before
    assert call("mock", ward.path, "--n", 0).code == USAGE
    said = call("mock", ward.path, "--out", ward.data / "below.csv")
    assert said.code == USAGE
    assert "None" not in said.err


# -- init


def as_csv(ward):
    return ward.data


def as_xlsx(ward):
    book = openpyxl.Workbook()
    book.active.title = "Patients"
    book.active.append(list(ward.columns))
    for row in zip(*ward.columns.values(), strict=True):
        book.active.append([value or None for value in row])
    book.save(ward.directory / "ward.xlsx")
    return ward.directory / "ward.xlsx"


def as_sav(ward):
    frame = pl.DataFrame({name.replace(" ", "_"): values for name, values in ward.columns.items()}).with_columns(
        pl.col("Age", "Lactate", "Days").cast(pl.Float64),
        pl.col("Admission", "Last_seen").str.to_date(),
        (pl.col("Died") == "yes").cast(pl.Float64),
        (pl.col("Device") == "pump").cast(pl.Float64),
    )
    labels = {"Died": {0: "no", 1: "yes"}, "Device": {0: "none", 1: "pump"}}
    pyreadstat.write_sav(frame, str(ward.directory / "ward.sav"), variable_value_labels=labels)
    return ward.directory / "ward.sav"


@pytest.mark.parametrize(("made", "options"), [(as_csv, ()), (as_xlsx, ("--sheet", "Patients")), (as_sav, ())])
def test_init_drafts_a_study_that_passes_check_and_runs(ward, made, options):
    data = made(ward.write())
    folder = ward.directory / "drafted"
    said = ward.checked(call("init", data, "--dir", folder, *options))
    assert said.code == DONE
    protocol = folder / "ward.protocol.yaml"
    assert call("check", protocol).code == DONE
    assert call("run", protocol, "--out", folder / "report").code == DONE
    written = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file())
    secret = [value for name in ("Study number", "Remark", "Admission") for value in ward.columns[name]]
    assert not [value for value in secret if value in written]
    assert str(ward.directory) not in written
    again = call("init", data, "--dir", folder, *options)
    assert again.code == USAGE
    assert "left as it is" in again.err


def test_init_of_a_table_that_tells_little(ward):
    ward.directory.mkdir()
    ward.data.write_text("Height,Weight\n" + "171.5,80\n" * 20, encoding="utf-8")
    said = call("init", ward.data, "--dir", ward.directory)
    assert said.code == DONE
    assert "compared groups: nothing in the file looked like it" in said.out
    checked = call("check", ward.directory / "ward.protocol.yaml")
    assert "Internal error" not in checked.text


def test_init_writes_no_rare_level_and_flags_names(ward):
    ward.columns = {
        "Surname": [f"Maier{i}" for i in range(40)],
        "Ward": ["A"] * 37 + ["Isolation"] * 3,
        "Died": ["0", "1"] * 20,
    }
    ward.write()
    said = call("init", ward.data, "--dir", ward.directory / "drafted")
    assert "Surname looks like a name" in said.out or "surname looks like a name" in said.out
    written = "".join(path.read_text(encoding="utf-8") for path in (ward.directory / "drafted").iterdir())
    assert "Isolation" not in written + said.text
    assert "Maier" not in written + said.text


# -- example


def test_example_copies_and_never_overwrites(tmp_path):
    assert "stanford-heart" in call("example").out
    assert call("example", "ecls-registry", tmp_path / "a").code == DONE
    assert call("example", "ecls-registry", tmp_path / "a").code == USAGE
    assert call("check", tmp_path / "a" / "ecls-registry.protocol.yaml").code in (DONE, HAS_FINDINGS)
