import datetime

import openpyxl
import polars as pl
import pyreadstat
import pytest

from counterpulse.data import dictionary_csv, draft_dictionary, read_dictionary, read_table
from counterpulse.data.draft import Habits, missing_in
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
            "device": ["A"] * (N - 3) + [CANARY] * 3,
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
        "patient_id": "id", "age": "number", "sex": "category", "device": "category", "nyha": "category",
        "beds": "integer", "died": "yesno", "day": "date", "start": "datetime", "note": "text", "v_in": "number",
    }  # fmt: skip
    age = dictionary["age"]
    assert (age.source, age.label, age.unit, age.missing_codes) == ("Age (years)", "Age", "years", ("999",))
    assert list(dictionary["nyha"].levels) == ["1", "2", "3", "4"]


def test_rare_levels_and_values_of_patients_are_never_written(table_file):
    draft = draft_dictionary(table_file)
    assert draft.rare == ("device",)
    assert draft.dictionary["device"].levels == {"A": "A"}
    assert draft.dictionary["device"].more_levels
    text = dictionary_csv(draft.dictionary)
    assert CANARY not in text
    assert "2020" not in text
    assert "8000" not in text
    assert "1950" not in text


def test_likely_identifiers_are_flagged_and_left_out(table_file):
    draft = draft_dictionary(table_file)
    assert draft.identifiers == {"birth_date": "a birth date", "zip": "a postal code"}
    assert not {"birth_date", "zip"} & set(draft.dictionary.variables)
    kept = draft_dictionary(table_file, habits=Habits(keep=frozenset({"birth_date"})))
    assert kept.dictionary["birth_date"].type == "date"


def test_a_draft_reads_its_own_file(table_file, tmp_path):
    path = tmp_path / "dictionary.csv"
    path.write_text(dictionary_csv(draft_dictionary(table_file).dictionary), encoding="utf-8")
    table = read_table(table_file, read_dictionary(path))
    assert table.frame.height == N
    assert table.frame["age"].null_count() == 1
    assert set(table.frame["device"]) == {"A", CANARY}
    (rare,) = [finding for finding in table.findings if finding.code == "W680"]
    assert CANARY not in rare.text()


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
    assert draft.rare == ("who",)
    assert draft.dictionary["dead"].type == "category"  # as in a CSV of the same table, which has no labels
    assert draft.dictionary["dead"].levels == {"1": "Yes", "2": "No"}
    assert CANARY not in dictionary_csv(draft.dictionary)


def test_what_spss_declares_missing_reaches_the_dictionary(tmp_path):
    frame = pl.DataFrame({"nyha": [1.0, 2.0, 3.0, 4.0, 8.0] * 8, "pump": [0.0, 1.0] * 20})
    path = tmp_path / "d.sav"
    labels = {"pump": {0.0: "none", 1.0: "Impella"}}
    pyreadstat.write_sav(frame, str(path), missing_ranges={"nyha": [8.0]}, variable_value_labels=labels)
    dictionary = draft_dictionary(path).dictionary
    assert dictionary["nyha"].missing_codes == ("8",)
    assert list(dictionary["nyha"].levels) == ["1", "2", "3", "4"]
    assert dictionary["pump"].type == "yesno"
    assert dictionary["pump"].label == "pump (Impella rather than none)"


COLUMNS = {
    "0/1 with 9": (["0", "1", "9", "1"] * 10, "yesno", ("9",)),
    "codes with 9": (["1", "2", "3", "9"] * 10, "category", ("9",)),
    "lactate_max": (["0.5", "1.5", "2.5", "9"] * 10, "number", ()),
    "n_pressors": (["0", "1", "2", "3"] * 10, "integer", ()),
    "words": (["1.5", "unknown", "2.5", "."] * 10, "number", (".", "unknown")),
    "smoking": (["ja", "nein", "k.A.", "ja"] * 10, "yesno", ("k.A.",)),
    "result": (["+", "-", "+", "-"] * 10, "category", ()),
    "many": ([f"level {i % 25}" for i in range(40)], "text", ()),
    "hospital": ([f"H{i % 13}" for i in range(40)], "category", ()),
    "gender": (["0", "1"] * 20, "category", ()),
    "constant": (["1.5"] * 40, "number", ()),
}


@pytest.mark.parametrize("header", COLUMNS)
def test_types_and_missing_words(header, tmp_path):
    values, kind, missing = COLUMNS[header]
    path = tmp_path / "d.csv"
    pl.DataFrame({header: values}).write_csv(path)
    draft = draft_dictionary(path)
    (variable,) = draft.dictionary
    assert (variable.type, variable.missing_codes) == (kind, missing)
    assert missing_in(draft) == tuple(code.casefold() for code in missing)
    written = tmp_path / "dictionary.csv"
    written.write_text(dictionary_csv(draft.dictionary), encoding="utf-8")
    assert read_table(path, read_dictionary(written)).frame.to_series().null_count() == sum(
        v in missing for v in values
    )


@pytest.mark.parametrize(
    ("text", "header"), [("A;B\n1,5;ja\n2,25;nein\n", "A"), ("A\tB\n1,5\tja\n2,25\tnein\n", "A")], ids=["semicolon", "tab"]
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_decimal_commas_separators_and_encodings(tmp_path, text, header, encoding):
    path = tmp_path / "d.csv"
    path.write_bytes(text.replace("B", "Größe").encode(encoding))
    dictionary = draft_dictionary(path).dictionary
    assert {variable.name: variable.type for variable in dictionary} == {"a": "number", "größe": "yesno"}


def test_decimal_commas_in_text_cells_of_excel(tmp_path):
    book = openpyxl.Workbook()
    for row in (["lactate", "cost"], *([f"{i},5", f"{i},500"] for i in range(1, 9))):
        book.active.append(row)
    book.save(tmp_path / "d.xlsx")
    dictionary = draft_dictionary(tmp_path / "d.xlsx").dictionary
    assert dictionary["lactate"].type == "number"
    assert dictionary["cost"].type == "text"  # 1,500 may be a thousand and a half


def test_empty_columns_are_left_out(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("a,b\n" + "1.5,\n" * 6, encoding="utf-8")
    draft = draft_dictionary(path)
    assert draft.empty == ("b",)
    assert list(draft.dictionary.variables) == ["a"]


DATES = {
    "2020-01-31": ("date", None), "31.01.2020": ("date", "day-first"), "01.02.2020": ("date", "day-first"),
    "01/31/2020": ("date", "month-first"), "31/01/2020 14:05": ("datetime", "day-first"), "20200131": ("date", "yyyymmdd"),
    "31JAN2020": ("date", "ddmonyyyy"), "31-Jan-2020 04:00": ("datetime", "ddmonyyyy"), "43861": ("date", "excel"),
    "43861.5": ("datetime", "excel"), "2020-01-31 00:00:00": ("date", None),
}  # fmt: skip


@pytest.mark.parametrize("written", DATES)
def test_dates_as_they_are_written(written, tmp_path):
    kind, format = DATES[written]
    path = tmp_path / "d.csv"
    path.write_text("admission date\n" + f"{written}\n" * 6, encoding="utf-8")
    draft = draft_dictionary(path)
    assert (draft.dictionary["admission_date"].type, draft.dictionary["admission_date"].format) == (kind, format)
    dictionary = tmp_path / "dictionary.csv"
    dictionary.write_text(dictionary_csv(draft.dictionary), encoding="utf-8")
    table = read_table(path, read_dictionary(dictionary))
    assert table.findings == ()
    (day,) = set(table.frame.to_series().cast(pl.Date))
    assert day == (datetime.date(2020, 2, 1) if written == "01.02.2020" else datetime.date(2020, 1, 31))


def test_a_date_whose_day_and_month_may_be_exchanged_is_told(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("admission\n" + "01/02/2020\n" * 6, encoding="utf-8")
    draft = draft_dictionary(path)
    assert draft.ambiguous == ("admission",)
    assert draft.dictionary["admission"].format is None
    said = draft_dictionary(path, habits=Habits(month_first=True))
    assert (said.ambiguous, said.dictionary["admission"].format) == ((), "month-first")


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
