"""The interview of `counterpulse init`, and what it writes for the same table in every format."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import numpy as np
import openpyxl
import polars as pl
import pyreadstat
import pytest
from ward import call

from counterpulse.cli import interview
from counterpulse.errors import DATA_INVALID, DONE, HAS_FINDINGS, PROTOCOL_INVALID, USAGE

N = 200
LABELS = {"patient_id": "Study number", "iabp": "Balloon pump", "lactate": "Lactate before ECMO (mmol/L)", "sex": "Sex",
          "died": "Died in hospital", "scai": "SCAI stage"}  # fmt: skip
VALUE_LABELS = {"sex": {1: "Male", 2: "Female"}, "iabp": {0: "ECMO only", 1: "IABP after ECMO"}, "died": {0: "no", 1: "yes"},
                "center": {1: "North", 2: "South", 3: "Small"}, "scai": {1: "C", 2: "D", 3: "E"}}  # fmt: skip


@pytest.fixture(scope="module")
def patients():
    random = np.random.default_rng(7)
    day = [date(2020, 1, 1) + timedelta(days=int(i)) for i in random.integers(0, 900, N)]
    pump, died = random.random(N) < 0.4, random.random(N) < 0.45
    stay = random.integers(2, 60, N)
    return pl.DataFrame(
        {
            "patient_id": [f"CANARY{i:04d}" for i in range(N)],
            "center": [3.0 if i < 3 else float(1 + i % 2) for i in range(N)],
            "ecmo_start": day,
            "iabp": pump.astype(float),
            "iabp_date": [
                d + timedelta(days=int(i % 3)) if p else None for i, (d, p) in enumerate(zip(day, pump, strict=True))
            ],
            "age": random.integers(30, 88, N).astype(float),
            "sex": random.integers(1, 3, N).astype(float),
            "lactate": np.round(random.gamma(3, 2, N), 1),
            "scai": random.integers(1, 4, N).astype(float),
            "vasopressors": [9.0 if i % 20 == 0 else float(i % 4) for i in range(N)],
            "bleeding_complication": random.integers(0, 2, N).astype(float),
            "died": died.astype(float),
            "death_date": [d + timedelta(days=int(s)) if x else None for d, s, x in zip(day, stay, died, strict=True)],
            "last_contact": [d + timedelta(days=int(s)) for d, s in zip(day, stay, strict=True)],
        }
    )


def as_csv(frame, path):
    plain = frame.with_columns(pl.col(pl.Float64).map_batches(lambda c: c.cast(pl.String).str.replace(r"\.0$", "")))
    path.write_text(plain.write_csv(), encoding="utf-8")


def as_german_csv(frame, path):
    """As Excel in Germany saves it: semicolons, decimal commas, days before months, Windows' own letters."""
    numbers = frame.with_columns(
        pl.col(pl.Float64).map_batches(
            lambda c: c.cast(pl.String).str.replace(r"\.0$", "").str.replace(".", ",", literal=True)
        ),
        pl.col(pl.Date).dt.to_string("%d.%m.%Y"),
    )
    path.write_bytes(numbers.write_csv(separator=";").encode("latin-1"))


def as_xlsx(frame, path):
    book = openpyxl.Workbook()
    book.active.append(frame.columns)
    for row in frame.iter_rows():
        book.active.append(list(row))
    book.save(path)


def as_sav(frame, path):
    pyreadstat.write_sav(frame, str(path), column_labels=LABELS, variable_value_labels=VALUE_LABELS,
                         missing_ranges={"vasopressors": [9.0]})  # fmt: skip


def as_dta(frame, path):
    whole = {name: {int(code): label for code, label in labels.items()} for name, labels in VALUE_LABELS.items()}
    pyreadstat.write_dta(frame, str(path), column_labels=LABELS, variable_value_labels=whole)


def as_xpt(frame, path):
    pyreadstat.write_xport(frame, str(path), file_format_version=8, column_labels=LABELS)


def as_parquet(frame, path):
    frame.write_parquet(path)


FORMATS = {
    "csv": as_csv, "german.csv": as_german_csv, "xlsx": as_xlsx, "sav": as_sav, "dta": as_dta, "xpt": as_xpt, "parquet": as_parquet,
}  # fmt: skip


@pytest.fixture(scope="module")
def drafts(patients, tmp_path_factory):
    """The folder that `init` wrote for each format."""
    folders = {}
    for ending, write in FORMATS.items():
        folder = tmp_path_factory.mktemp(ending)
        data = folder / f"registry.{ending.rpartition('.')[2]}"
        write(patients, data)
        assert call("init", data, "--dir", folder).code == DONE
        folders[ending] = folder
    return folders


def dictionary(folder):
    text = (folder / "registry.dictionary.csv").read_text(encoding="utf-8")
    return {row["name"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize("ending", [name for name in FORMATS if name != "csv"])
def test_one_table_gives_one_protocol_in_every_format(drafts, ending):
    def protocol(name):
        text = (drafts[name] / "registry.protocol.yaml").read_text(encoding="utf-8")
        return text.replace(f"registry.{name.rpartition('.')[2]}", "registry.*")

    assert protocol(ending) == protocol("csv")


@pytest.mark.parametrize("ending", [name for name in FORMATS if name != "csv"])
def test_dictionaries_differ_only_in_labels(drafts, ending):
    plain, other = dictionary(drafts["csv"]), dictionary(drafts[ending])
    assert list(plain) == list(other)
    for name, row in plain.items():
        if name == "center":  # many small centers without labels are not listed
            continue
        codes = [[level.partition("=")[0] for level in item["levels"].split("|")] for item in (row, other[name])]
        assert codes[0] == codes[1]
        for column in ("type", "missing_codes", "minimum", "maximum", "integer"):
            assert row[column] == other[name][column], (name, column)


def test_labels_of_the_file_reach_the_dictionary(drafts):
    for ending in ("sav", "dta"):
        rows = dictionary(drafts[ending])
        assert rows["sex"]["levels"] == "1=Male|2=Female"
        assert (rows["lactate"]["label"], rows["lactate"]["unit"]) == ("Lactate before ECMO", "mmol/L")
        assert rows["iabp"]["label"] == "Balloon pump (IABP after ECMO rather than ECMO only)"
        assert rows["center"]["levels"] == "1=North|2=South|…"
        assert rows["vasopressors"]["missing_codes"] == "9"
    assert dictionary(drafts["german.csv"])["ecmo_start"]["format"] == "day-first"


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_passes_check_and_gives_the_same_numbers(drafts, ending):
    folder = drafts[ending]
    checked = call("check", folder / "registry.protocol.yaml")
    labeled = ending in ("sav", "dta")  # a labeled level that few patients hold is a warning
    assert checked.code == (HAS_FINDINGS if labeled or ending == "german.csv" else DONE), checked.text
    assert ("W680" in checked.out) == labeled
    assert "error E" not in checked.out
    assert call("plan", folder / "registry.protocol.yaml").code == DONE


def test_no_value_of_a_patient_and_no_rare_level_is_written(drafts):
    for folder in drafts.values():
        for file in folder.glob("registry.*"):
            if file.suffix in (".yaml",) or file.name.endswith("dictionary.csv"):
                text = file.read_text(encoding="utf-8")
                assert not [word for word in ("CANARY", "Small", "2020-", "2021-") if word in text], file


def test_the_report_of_a_drafted_study(drafts):
    said = call("run", drafts["sav"] / "registry.protocol.yaml", "--out", drafts["sav"] / "report", "--jobs", 1)
    assert said.code in (DONE, HAS_FINDINGS), said.text
    assert (drafts["sav"] / "report" / "report.html").exists()


# -- tables that people know

KNOWN = {
    "lung.csv": "group: sex\ntreated: '2'\nreference: '1'\ntreated_label: Female\nreference_label: Male\ncovariates: [age, ph_karno]\n",
    "veteran.csv": "treated: '2'\nreference: '1'\n",
    "whas500.csv": "group: sho\ncovariates: [age, gender, bmi, chf]\n",
    "heart_failure_clinical_records.csv": "group: anaemia\ncovariates: [age, ejection_fraction]\n",
    "mimic2_iac.csv": "outcome: day_28_flg\ncovariates: [age, sofa_first, service_unit]\nday_0_words: Admission\n",
    "jasa.csv": "group: transplant\nimmortal_time: time-varying\nlandmark: 30 days\ncovariates: [age, surgery]\n",
    "maringe_toy.csv": "covariates: [age, sex]\n",
    "lalonde.csv": "outcome: re78\nbetter: higher\n",
    "transplant.csv": "group: sex\ntreated: f\nreference: m\noutcome: event\nevent: death\ntime: futime\n",
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_tables_become_studies(name, shared_path, tmp_path):
    answers = tmp_path / "answers.yaml"
    answers.write_text(KNOWN[name], encoding="utf-8")
    said = call("init", shared_path(f"data/{name}"), "--answers", answers, "--dir", tmp_path)
    assert said.code == DONE, said.text
    protocol = next(tmp_path.glob("*.protocol.yaml"))
    checked = call("check", protocol)
    assert checked.code in (DONE, HAS_FINDINGS), checked.text
    assert "0 errors" in checked.out or "No findings" in checked.out
    assert call("plan", protocol).code == DONE
    ran = call("run", protocol, "--out", tmp_path / "report", "--jobs", 1)
    assert ran.code == DONE, ran.text
    assert (tmp_path / "report" / "report.html").exists()


def test_several_rows_a_patient_are_told(shared_path, tmp_path):
    said = call("init", shared_path("data/heart.csv"), "--dir", tmp_path)
    assert "id repeats: several rows a patient" in said.out
    assert call("check", tmp_path / "heart.protocol.yaml").code == DATA_INVALID


# -- the interview at a terminal


@pytest.fixture
def terminal(monkeypatch, patients, tmp_path):
    """A person who types; returns what the screen showed."""

    def types(*lines, frame=patients, ending="sav"):
        data = tmp_path / f"registry.{ending}"
        FORMATS[ending](frame, data)
        monkeypatch.setattr(interview, "is_terminal", lambda: True)
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
        return call("init", data, "--dir", tmp_path / "out")

    return types


def test_enter_accepts_every_guess(terminal, tmp_path):
    said = terminal(*[""] * 60)
    assert said.code == DONE, said.text
    assert "Assumed" not in said.out
    protocol = (tmp_path / "out" / "registry.protocol.yaml").read_text(encoding="utf-8")
    assert '{label: "Died in hospital", type: binary' in protocol  # at the terminal the labels of the file are offered
    again = tmp_path / "again"
    answers = tmp_path / "out" / "registry.answers.yaml"
    assert call("init", tmp_path / "registry.sav", "--answers", answers, "--dir", again).code == DONE
    assert (again / "registry.protocol.yaml").read_text(encoding="utf-8") == protocol


def test_help_mistakes_and_none(terminal, tmp_path):
    said = terminal("", "?", "patient", "PATIENT_ID", "-", *[""] * 60)
    assert said.code == DONE, said.text
    assert "Never a hospital number" in said.out  # the help of the second question
    assert "there is no column 'patient'" in said.out
    assert "did you mean patient_id?" in said.out
    answers = (tmp_path / "out" / "registry.answers.yaml").read_text(encoding="utf-8")
    assert 'id: patient_id\ncenter: "-"\n' in answers
    assert "CANARY" not in said.text + answers


def test_day_and_month_are_asked_where_nothing_tells(terminal, tmp_path):
    frame = pl.DataFrame(
        {"admission": [f"0{1 + i % 9}/0{1 + i % 7}/2020" for i in range(60)], "age": [40.0 + i for i in range(60)]}
    )
    said = terminal("", "month-first", *[""] * 60, frame=frame, ending="csv")
    assert said.code == DONE, said.text
    assert "What stands first?" in said.out
    assert "month-first" in (tmp_path / "out" / "registry.dictionary.csv").read_text(encoding="utf-8")


def test_leaving_the_interview_writes_nothing(terminal, tmp_path):
    said = terminal("", "")  # the typing ends
    assert said.code not in (DONE, 5)
    assert not (tmp_path / "out").exists()


# -- what cannot be done


def test_wrong_calls(patients, tmp_path):
    data = tmp_path / "registry.csv"
    as_csv(patients, data)
    bad = tmp_path / "bad.yaml"
    bad.write_text("outcme: died\nday_0: ecmo_strat\n", encoding="utf-8")
    said = call("init", data, "--answers", bad, "--dir", tmp_path / "out")
    assert said.code == PROTOCOL_INVALID
    assert "did you mean outcome?" in said.err
    assert "did you mean ecmo_start?" in said.err
    assert not (tmp_path / "out").exists()
    assert call("init", data, "--answers", tmp_path / "none.yaml").code == USAGE
    for table in ("gas", "=gas.csv", "a b=gas.csv"):
        assert call("init", data, "--table", table, "--dir", tmp_path / "out").code == USAGE
    assert call("init", data, "--table", "gas=nowhere.csv", "--dir", tmp_path / "out").code == DATA_INVALID


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ("group: iabp\ntreated: 'yes, no'", "names every level"),
        ("horizon: 0 days", "`horizon` is '0 days'"),
        ("group: iabp\ntreated: maybe", "no level"),
        ("covariates: [age, patient_id]", "patient_id"),
        ("group: died\noutcome: died", "'died'"),
    ],
)
def test_answers_that_cannot_be_taken(patients, tmp_path, answer, seen):
    as_csv(patients, tmp_path / "registry.csv")
    (tmp_path / "answers.yaml").write_text(answer + "\n", encoding="utf-8")
    said = call("init", tmp_path / "registry.csv", "--answers", tmp_path / "answers.yaml", "--dir", tmp_path / "out")
    assert said.code == PROTOCOL_INVALID
    assert seen in said.err
    assert not (tmp_path / "out").exists()


def test_an_answer_without_a_question_is_told(patients, tmp_path):
    as_csv(patients.drop("iabp_date"), tmp_path / "registry.csv")
    (tmp_path / "answers.yaml").write_text("group: iabp\nimmortal_time: landmark\n", encoding="utf-8")
    said = call("init", tmp_path / "registry.csv", "--answers", tmp_path / "answers.yaml", "--dir", tmp_path / "out")
    assert said.code == DONE
    assert "immortal_time: was not asked" in said.out


def test_a_sheet_that_does_not_exist_is_refused(patients, tmp_path):
    as_xlsx(patients, tmp_path / "registry.xlsx")
    (tmp_path / "answers.yaml").write_text("sheet: elsewhere\n", encoding="utf-8")
    said = call("init", tmp_path / "registry.xlsx", "--answers", tmp_path / "answers.yaml", "--dir", tmp_path / "out")
    assert said.code == PROTOCOL_INVALID


def test_without_groups_and_covariates_no_model_is_drafted(patients, tmp_path):
    as_csv(patients.select("patient_id", "ecmo_start", "death_date", "last_contact"), tmp_path / "registry.csv")
    assert call("init", tmp_path / "registry.csv", "--dir", tmp_path / "out").code == DONE
    protocol = tmp_path / "out" / "registry.protocol.yaml"
    assert "method: cox" not in protocol.read_text(encoding="utf-8")
    assert call("run", protocol, "--out", tmp_path / "report", "--jobs", 1).code == DONE


def test_codes_with_a_decimal_comma(patients, tmp_path):
    frame = patients.with_columns(
        pl.col(pl.Float64).map_batches(lambda c: c.cast(pl.String).str.replace(".", ",", literal=True))
    )
    (tmp_path / "registry.csv").write_text(frame.write_csv(separator=";"), encoding="utf-8")
    assert call("init", tmp_path / "registry.csv", "--dir", tmp_path / "out").code == DONE
    said = call("check", tmp_path / "out" / "registry.protocol.yaml")
    assert said.code == HAS_FINDINGS, said.text  # W520 tells of the commas


# -- REDCap

REDCAP = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",Field Note,\
Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?,\
Branching Logic (Show field only if...),Required Field?,Custom Alignment,Question Number (surveys only),Matrix Group Name,\
Matrix Ranking?,Field Annotation
record_id,base,,text,Record,,,,,,,,,,,,,
surname,base,,text,Surname,,,,,,y,,,,,,,
admitted,base,,text,Admission,,,date_ymd,,,,,,,,,,
arm,base,,radio,Treatment,"1, Balloon pump | 2, None",,,,,,,,,,,,
age,base,,text,Age,,,integer,,,,,,,,,,
died,base,,yesno,Died in hospital,,,,,,,,,,,,,
taken,gas,,text,Taken,,,datetime_ymd,,,,,,,,,,
lactate,gas,,text,Lactate,,,number,,,,,,,,,,
"""


def test_a_project_of_redcap(tmp_path):
    (tmp_path / "project.csv").write_text(REDCAP, encoding="utf-8")
    lines = ["record_id,redcap_repeat_instrument,redcap_repeat_instance,surname,admitted,arm,age,died,taken,lactate"]
    for i in range(60):
        lines.append(f"{i + 1},,,ZQXJ,2020-01-{1 + i % 28:02},{1 + i % 2},{40 + i % 40},{int(i % 3 == 0)},,")
        lines += [f"{i + 1},gas,{j},,,,,,2020-02-01 1{j}:00,{j}.5" for j in (1, 2)]
    (tmp_path / "EXPORT.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    answers = tmp_path / "answers.yaml"
    answers.write_text("treated: '1'\nreference: '2'\n", encoding="utf-8")
    call_it = ("init", tmp_path / "EXPORT.csv", "--redcap", tmp_path / "project.csv", "--answers", answers)
    said = call(*call_it, "--dir", tmp_path / "out")
    assert said.code == DONE, said.text
    out = tmp_path / "out"
    assert {"patients.csv", "dictionary.csv", "gas.csv", "gas.dictionary.csv", "EXPORT.protocol.yaml"} == {
        path.name for path in out.iterdir()
    }
    text = (out / "EXPORT.protocol.yaml").read_text(encoding="utf-8")
    assert 'treated: {"1": "Balloon pump"}' in text
    assert "gas: {file:" in text
    assert "ZQXJ" not in "".join(path.read_text(encoding="utf-8") for path in out.iterdir())
    checked = call("check", out / "EXPORT.protocol.yaml")
    assert checked.code in (DONE, HAS_FINDINGS), checked.text
    assert call(*call_it, "--dir", out).code == USAGE  # nothing is replaced
    assert call(*call_it, "--sheet", "x", "--dir", tmp_path / "b").code == USAGE


@pytest.mark.parametrize("name", ["protocol", "dictionary", "answers"])
def test_a_table_may_have_any_name(patients, tmp_path, name):
    as_csv(patients, tmp_path / "registry.csv")
    said = call(
        "init", tmp_path / "registry.csv", "--table", f"{name}={tmp_path / 'registry.csv'}", "--dir", tmp_path / "out"
    )
    assert said.code == DONE
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "registry.dictionary.csv", "registry.protocol.yaml", "registry.answers.yaml", f"registry.{name}.dictionary.csv",
    }  # fmt: skip


def test_years_of_two_digits_are_told(patients, tmp_path):
    as_csv(patients.with_columns(pl.col("ecmo_start").dt.to_string("%d/%m/%y")), tmp_path / "registry.csv")
    said = call("init", tmp_path / "registry.csv", "--dir", tmp_path / "out")
    assert said.code == DONE
    assert "ecmo_start may be a date, with years of two digits" in said.out
