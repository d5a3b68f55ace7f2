import datetime

import openpyxl
import polars as pl
import pyreadstat
import pytest

from counterpulse.data import read_related, read_table, with_related
from counterpulse.data.patient_table import MOCK_MARK
from counterpulse.data.queries import queries_csv
from counterpulse.errors import DataError

T = datetime.datetime
GAS = "name,source,type,minimum,maximum\npid,ID,id,,\ntaken,Taken,datetime,,\nlactate,Lac,number,0,30\n"
ROWS = "ID,Taken,Lac\nA,2020-01-01 10:00,2.5\nA,2020-01-01 12:00,3\nB,2020-01-02 09:30,\n"


def codes(findings):
    return [finding.code for finding in findings]


@pytest.fixture
def patients(dictionary_of, data_file):
    path = data_file("pid,age\nA,50\nB,60\nC,70\n", "patients.csv")
    return read_table(path, dictionary_of("name,type\npid,id\nage,number\n", "main.csv"))


@pytest.fixture
def gas(dictionary_of, data_file, patients):
    def read(text=ROWS, *, dictionary=GAS, **options):
        own = dictionary_of(dictionary, "gas.dictionary.csv")
        path = text if not isinstance(text, str) else data_file(text, "gas.csv")
        return read_related(path, own, **{"id": "pid", "time": "taken", "patients": patients, **options})

    return read


def test_rows_are_typed_and_those_without_a_row_are_counted(gas):
    read = gas()
    assert read.frame["taken"].to_list()[0] == T(2020, 1, 1, 10)
    assert read.frame["lactate"].to_list() == [2.5, 3.0, None]
    assert codes(read.findings) == ["N544"]
    assert "1 patient has no row" in read.findings[0].seen


@pytest.mark.parametrize("kind", ["xlsx", "sav", "dta", "parquet"])
def test_every_format_of_patients_is_one_of_measurements(gas, tmp_path, kind):
    frame = pl.DataFrame(
        {
            "ID": ["A", "A", "B"],
            "Taken": [T(2020, 1, 1, 10), T(2020, 1, 1, 12), T(2020, 1, 2, 9, 30)],
            "Lac": [2.5, 3.0, None],
        }
    )
    path = tmp_path / f"gas.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.title = "blood"
        for row in (frame.columns, *frame.iter_rows()):
            book["blood"].append(list(row))
        book.create_sheet("other")
        book.save(path)
    elif kind == "parquet":
        frame.write_parquet(path)
    else:
        {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[kind](frame, str(path))
    read = gas(path, sheet="blood" if kind == "xlsx" else None)
    assert read.frame.equals(gas().frame)


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("B,2020", "X,2020", "W542", "an id that no patient has"),
        ("B,2020", ",2020", "W542", "belong to nobody"),
        ("2020-01-02 09:30", "", "W543", "1 row holds no time"),
        ("3\n", "31\n", "W515", "outside 0 to 30"),
    ],
)
def test_what_is_odd_is_told_and_asked(gas, old, new, code, words):
    read = gas(ROWS.replace(old, new))
    (finding,) = [finding for finding in read.findings if finding.code == code]
    assert words in finding.seen
    assert read.queries.height == 1
    assert read.queries["file"].item() == "gas.csv"


def test_questions_hold_id_variable_value_and_row(gas):
    queries = gas(ROWS.replace("3\n", "31\n")).queries
    assert queries.select("id", "variable", "value", "row").row(0) == ("A", "lactate", "31", 3)
    assert queries_csv(queries).decode("utf-8-sig").splitlines()[0] == "id,variable,value,question,file,row"


def test_formulas_in_questions_are_made_plain(gas):
    with pytest.raises(DataError) as raised:
        gas(ROWS.replace("3\n", "=1+1\n"))
    assert b",'=1+1," in queries_csv(raised.value.queries)
    negative = queries_csv(gas(ROWS.replace("3\n", "-3\n")).queries)
    assert b",-3," in negative


def test_errors_are_told_at_once_without_a_value_and_asked_with_it(gas):
    with pytest.raises(DataError) as raised:
        gas(ROWS.replace("3\n", "ZQXJ\n").replace("2020-01-02 09:30", "1.2.2020"))
    assert codes(raised.value.findings)[:2] == ["E513", "E509"]
    assert "ZQXJ" not in str(raised.value)
    assert raised.value.queries["value"].to_list() == ["1.2.2020", "ZQXJ"]


def test_a_column_that_is_missing_is_named(gas):
    with pytest.raises(DataError) as raised:
        gas(ROWS.replace("ID,", "PatientNumber,"))
    assert codes(raised.value.findings)[0] == "E505"


def test_ids_are_compared_as_text(gas, dictionary_of, data_file):
    numbers = read_table(data_file("pid\n1\n2\n", "p.csv"), dictionary_of("name,type\npid,id\n", "m.csv"))
    own = GAS.replace("pid,ID,id", "pid,ID,integer")
    read = gas("ID,Taken,Lac\n1,2020-01-01 10:00,2\n2,2020-01-01 10:00,2\n", dictionary=own, patients=numbers)
    assert codes(read.findings) == []


def test_the_digest_is_of_all_tables(gas, patients):
    both = with_related(patients, {"gas": gas()})
    assert both.digest != patients.digest
    assert both.digest == with_related(patients, {"gas": gas()}).digest
    assert both.digest != with_related(patients, {"gas": gas(ROWS.replace("2.5", "2.6"))}).digest
    assert both.digest != with_related(patients, {"blood": gas()}).digest
    assert with_related(patients, {}) is patients
    assert both.related["gas"].height == 3


def test_mock_rows_do_not_mix_with_real_patients(gas, patients):
    mock = (
        ROWS.replace("Lac\n", f"Lac,{MOCK_MARK}\n")
        .replace("2.5\n", "2.5,yes\n")
        .replace("3\n", "3,yes\n")
        .replace("09:30,\n", "09:30,,yes\n")
    )
    with pytest.raises(DataError) as raised:
        with_related(patients, {"gas": gas(mock)})
    assert codes(raised.value.findings) == ["E546"]
    assert with_related(patients, {"gas": gas(mock)}, declared="mock").related


TWO = "name,source,type,minimum,format\nid,,id,,\nat,Day + Clock,datetime,2020-01-01,\n"


@pytest.fixture
def moments(dictionary_of, data_file):
    def read(text, dictionary=TWO):
        return read_table(data_file(text), dictionary_of(dictionary))

    return read


@pytest.mark.parametrize(
    ("clock", "second"),
    [
        ("08:05", T(2020, 2, 3, 8, 5)),
        ("8:05:09", T(2020, 2, 3, 8, 5, 9)),
        ("23:59:59.5", T(2020, 2, 3, 23, 59, 59, 500000)),
        ("00:00", T(2020, 2, 3)),
    ],
)
def test_a_date_and_a_time_of_day_are_one_moment(moments, clock, second):
    table = moments(f"id,Day,Clock\n1,2020-02-03,{clock}\n")
    assert table.frame["at"].to_list() == [second]
    assert table.findings == ()


@pytest.mark.parametrize(
    ("cells", "code"),
    [("2020-02-03,", "W522"), (",08:05", "W541"), ("2019-02-03,08:05", "W515")],
)
def test_half_a_moment_is_told(moments, cells, code):
    table = moments(f"id,Day,Clock\n1,{cells}\n2,2020-02-03,08:00\n")
    assert codes(table.findings) == [code]
    assert table.queries.height == 1


@pytest.mark.parametrize(
    ("cells", "code"),
    [("2020-02-03,8h", "E541"), ("2020-02-03,25:00", "E514"), ("2020-02-30,08:00", "E514"), ("3.2.2020,08:00", "E513")],
)
def test_what_is_no_moment_is_an_error(moments, cells, code):
    with pytest.raises(DataError) as raised:
        moments(f"id,Day,Clock\n1,{cells}\n")
    assert codes(raised.value.findings) == [code]


def test_excel_times_and_parts_of_a_day(dictionary_of, tmp_path):
    book = openpyxl.Workbook()
    for row in (["id", "Day", "Clock"], ["1", T(2020, 2, 3), datetime.time(8, 5)], ["2", T(2020, 2, 3), 0.25]):
        book.active.append(row)
    book.save(tmp_path / "d.xlsx")
    table = read_table(tmp_path / "d.xlsx", dictionary_of(TWO))
    assert table.frame["at"].to_list() == [T(2020, 2, 3, 8, 5), T(2020, 2, 3, 6)]


def test_times_of_a_statistics_program(dictionary_of, tmp_path):
    day, clock = [datetime.date(2020, 2, 3)], [datetime.time(8, 5)]
    pl.DataFrame({"id": ["1"], "Day": day, "Clock": clock}).write_parquet(tmp_path / "d.parquet")
    table = read_table(tmp_path / "d.parquet", dictionary_of(TWO))
    assert table.frame["at"].to_list() == [T(2020, 2, 3, 8, 5)]


def test_both_columns_must_be_there(moments):
    with pytest.raises(DataError, match="no column 'Clock'"):
        moments("id,Day\n1,2020-02-03\n")


def test_three_columns_are_refused(dictionary_of):
    with pytest.raises(Exception, match="E547"):
        dictionary_of("name,source,type\nat,A + B + C,datetime\n")


@pytest.mark.parametrize("written", ["a", "A.0", "0A"])
def test_the_id_of_a_patient_in_another_spelling_is_refused(gas, dictionary_of, data_file, written):
    with pytest.raises(DataError) as error:
        gas(ROWS + f"{written},2020-01-03 10:00,4\n") if written != "A.0" else gas(
            "ID,Taken,Lac\n007.0,2020-01-01 10:00,2\n",
            patients=read_table(data_file("pid\n7\n", "p.csv"), dictionary_of("name,type\npid,id\n", "p.dict.csv")),
        )
    assert codes(error.value.findings)[0] == "E543"
    assert error.value.queries.height == 1


def test_a_table_of_other_patients_is_refused(gas):
    with pytest.raises(DataError) as error:
        gas("ID,Taken,Lac\nX,2020-01-01 10:00,2.5\n")
    assert codes(error.value.findings)[0] == "E543"


def test_a_row_that_stands_twice_is_told(gas):
    read = gas(ROWS + "A,2020-01-01 10:00,2.5\n")
    assert codes(read.findings) == ["N544", "W544"]
    assert read.queries.height == 1
