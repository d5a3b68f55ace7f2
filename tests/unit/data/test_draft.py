import datetime

import polars as pl
import pyreadstat
import pytest

from counterpulse.data import dictionary_csv, draft_dictionary, read_dictionary, read_table
from counterpulse.data.identifiers import identifier

N = 40
CANARY = "Qanary"


@pytest.fixture
def table_file(tmp_path):
    frame = pl.DataFrame(
        {
            "Patient ID": [f"{CANARY}{i}" for i in range(N)],
            "Age (years)": [50.5 + i for i in range(N - 1)] + [999.0],
            "sex": ["F", "M"] * (N // 2),
            "center": ["A"] * (N - 3) + [CANARY] * 3,
            "NYHA": [1, 2, 3, 4] * (N // 4),
            "beds": list(range(100, 100 + N)),
            "died": [0, 1] * (N // 2),
            "day": [datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(N)],
            "start": [f"2020-01-01 {i % 24:02}:07" for i in range(N)],
            "birth_date": ["1950-01-01"] * N,
            "zip": ["8000"] * N,
            "note": [f"{CANARY} said {i}" for i in range(N)],
            "in": [1.5] * N,
        }
    )
    path = tmp_path / "data.csv"
    frame.write_csv(path)
    return path


def test_types_levels_units_and_missing_codes_are_guessed(table_file):
    dictionary = draft_dictionary(table_file).dictionary
    types = {variable.name: variable.type for variable in dictionary}
    assert types == {
        "patient_id": "id", "age": "number", "sex": "category", "center": "category", "nyha": "category",
        "beds": "integer", "died": "yesno", "day": "date", "start": "datetime", "birth_date": "date", "zip": "text",
        "note": "text", "v_in": "number",
    }  # fmt: skip
    age = dictionary["age"]
    assert (age.source, age.label, age.unit, age.missing_codes) == ("Age (years)", "Age", "years", ("999",))
    assert list(dictionary["nyha"].levels) == ["1", "2", "3", "4"]


def test_rare_levels_and_values_of_patients_are_never_written(table_file):
    draft = draft_dictionary(table_file)
    assert draft.without_levels == ("center",)
    assert draft.dictionary["center"].levels is None
    text = dictionary_csv(draft.dictionary)
    assert CANARY not in text
    assert "2020" not in text
    assert "8000" not in text
    assert "1950" not in text


def test_likely_identifiers_are_flagged(table_file):
    assert draft_dictionary(table_file).identifiers == {"birth_date": "a birth date", "zip": "a postal code"}


def test_a_draft_reads_its_own_file(table_file, tmp_path):
    path = tmp_path / "dictionary.csv"
    path.write_text(dictionary_csv(draft_dictionary(table_file).dictionary), encoding="utf-8")
    table = read_table(table_file, read_dictionary(path))
    assert table.frame.height == N
    assert table.frame["age"].null_count() == 1


def test_labels_of_spss_are_kept_unless_few_patients_hold_them(tmp_path):
    frame = pl.DataFrame({"sex": [1.0, 2.0] * 20, "who": [1.0] * 37 + [2.0] * 3, "dead": [1.0, 2.0] * 20})
    path = tmp_path / "d.sav"
    pyreadstat.write_sav(
        frame,
        str(path),
        column_labels={"sex": "Sex at birth", "who": "Doctor"},
        variable_value_labels={
            "sex": {1.0: "Male", 2.0: "Female", 3.0: "Other"},
            "who": {1.0: "Team", 2.0: CANARY},
            "dead": {1.0: "Yes", 2.0: "No"},
        },
    )
    draft = draft_dictionary(path)
    assert draft.dictionary["sex"].label == "Sex at birth"
    assert draft.dictionary["sex"].levels == {"1": "Male", "2": "Female", "3": "Other"}
    assert draft.dictionary["who"].levels == {"1": "Team"}
    assert draft.without_levels == ("who",)
    assert draft.dictionary["dead"].type == "yesno"
    assert draft.dictionary["dead"].levels == {"1": "yes", "2": "no"}
    assert CANARY not in dictionary_csv(draft.dictionary)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("DOB", "a birth date"),
        ("Geburtsdatum", "a birth date"),
        ("date_of_birth", "a birth date"),
        ("fecha de nacimiento", "a birth date"),
        ("lastName", "a name"),
        ("Prénom", "a name"),
        ("MRN", "a record number"),
        ("e-mail", "an e-mail address"),
        ("phone_home", "a telephone number"),
        ("PLZ", "a postal code"),
        ("Straße", "an address"),
        ("SSN", "a national number"),
        ("birth_weight", None),
        ("drug_name", None),
        ("cpr_minutes", None),
        ("white_cell_count", None),
        ("cap_refill", None),
        ("age", None),
    ],
)
def test_identifiers_by_header(header, reason):
    assert identifier(header, "", pl.Series(["a", "b"])) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("jane@example.org", "an e-mail address"),
        ("078-05-1120", "a national number"),
        ("+41 44 123 45 67", "a telephone number"),
        ("Doe, Jane", "a name"),
        ("120/80", None),
        ("2020-01-02", None),
    ],
)
def test_identifiers_by_shape(value, reason):
    assert identifier("x", "", pl.Series([value, value, None])) == reason


def test_the_shared_tables_are_drafted(shared_path, tmp_path):
    for name in ("lung.csv", "mimic2_iac.csv", "support2.csv"):
        source = shared_path(f"data/{name}")
        path = tmp_path / "dictionary.csv"
        path.write_text(dictionary_csv(draft_dictionary(source).dictionary), encoding="utf-8")
        assert read_table(source, read_dictionary(path)).frame.height > 200
