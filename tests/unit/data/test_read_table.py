import datetime
import re

import openpyxl
import polars as pl
import pyreadstat
import pytest

from counterpulse.data import applicable, read_table
from counterpulse.errors import DataError, InputError

D, T = datetime.date, datetime.datetime

DICTIONARY = """\
name,source,type,levels,missing_codes,applies_if
pid,ID,id,,,
age,,number,,999,
beds,,integer,,99,
sex,,category,F=Female|M=Male,9,
stage,,ordinal,1=low|2=middle|3=high,,
dead,,yesno,,9,
arm,,yesno,1=yes|2=no,,
day,,date,,,
start,,datetime,,,
note,,text,,,
"""

EXPECTED = pl.DataFrame(
    {
        "pid": ["007", "008", "a9", "b1"],
        "age": [50.5, None, 61.0, None],
        "beds": [1, 2, None, None],
        "sex": ["F", "M", None, "F"],
        "stage": ["1", "3", "2", None],
        "dead": [True, False, None, None],
        "arm": [True, False, True, None],
        "day": [D(2020, 1, 2), D(1960, 2, 29), None, D(2021, 12, 31)],
        "start": [T(2020, 1, 2, 3, 4), T(2020, 1, 2, 23, 59, 59), None, T(1959, 5, 6, 7, 8, 9)],
        "note": ["hé, you", None, "x", None],
    },
    schema_overrides={"sex": pl.Enum(["F", "M"]), "stage": pl.Enum(["1", "2", "3"])},
)

CSV = """\
ID,age,beds,sex,stage,dead,arm,day,start,note
007,50.5,1,F,1,1,1,2020-01-02,2020-01-02 03:04,"hé, you"
008,999,2,Male ,high,0.0,2,1960/02/29,2020-01-02T23:59:59,
a9,61,99,9,2.0,9,1,,,x
b1,NA,, f ,,,,2021-12-31,1959-05-06 07:08:09,
"""


def raw_frame():
    """The table as a statistics program holds it: numbers for codes."""
    return pl.DataFrame(
        {
            "ID": ["007", "008", "a9", "b1"],
            "age": [50.5, 999.0, 61.0, None],
            "beds": [1.0, 2.0, 99.0, None],
            "sex": ["F", "M", "9", "F"],
            "stage": [1.0, 3.0, 2.0, None],
            "dead": [1.0, 0.0, 9.0, None],
            "arm": [1.0, 2.0, 1.0, None],
            "day": [D(2020, 1, 2), D(1960, 2, 29), None, D(2021, 12, 31)],
            "start": [T(2020, 1, 2, 3, 4), T(2020, 1, 2, 23, 59, 59), None, T(1959, 5, 6, 7, 8, 9)],
            "note": ["hé, you", "", "x", ""],
        }
    )


def write_excel(path, frame=None, sheets=("first",)):
    frame = raw_frame() if frame is None else frame
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
        sheet.append(frame.columns)
        for row in frame.rows():
            sheet.append(row)
    book.save(path)
    return path


def write(kind, folder):
    path = folder / f"data.{kind}"
    frame = raw_frame()
    if kind == "csv":
        path.write_text(CSV, encoding="utf-8")
    elif kind == "xlsx":
        write_excel(path)
    elif kind == "sav":
        pyreadstat.write_sav(frame, str(path), variable_value_labels={"stage": {1: "low", 2: "middle", 3: "high"}})
    elif kind == "dta":
        pyreadstat.write_dta(frame, str(path), version=15)
    elif kind == "xpt":
        pyreadstat.write_xport(frame.with_columns(pl.col("note").str.replace("é", "e")), str(path))
    else:
        frame.write_parquet(path)
    return path


def codes(findings):
    return [finding.code for finding in findings]


def errors_of(path, dictionary, **options):
    with pytest.raises(DataError) as error:
        read_table(path, dictionary, **options)
    return error.value.findings


@pytest.mark.parametrize("kind", ["csv", "xlsx", "sav", "dta", "parquet"])
def test_one_table_in_every_format_is_one_frame_and_one_digest(kind, tmp_path, dictionary_of):
    dictionary = dictionary_of(DICTIONARY)
    table = read_table(write(kind, tmp_path), dictionary)
    assert table.frame.equals(EXPECTED)
    assert table.frame.schema == EXPECTED.schema
    csv = tmp_path / "other.csv"
    csv.write_text(CSV, encoding="utf-8")
    assert table.digest == read_table(csv, dictionary).digest
    assert table.findings == ()
    assert table.file == f"data.{kind}"
    assert table.data_kind == "real"


def test_sas_transport(tmp_path, dictionary_of):
    frame = read_table(write("xpt", tmp_path), dictionary_of(DICTIONARY)).frame
    assert frame.drop("note").equals(EXPECTED.drop("note"))


def test_the_digest_sees_every_change(tmp_path, dictionary_of, data_file):
    dictionary = dictionary_of(DICTIONARY)
    first = read_table(data_file(CSV), dictionary).digest
    for old, new in (("50.5", "50.6"), ("007", "07"), ("a9,61", "a9,"), ("F,1,1,1", "M,1,1,1"), (":04", ":05")):
        assert read_table(data_file(CSV.replace(old, new, 1)), dictionary).digest != first


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_ways_to_write_csv(encoding, end, separator, dictionary_of, data_file):
    dictionary = dictionary_of("name,type\nid,id\nort,text\n")
    text = end.join([f"id{separator}ort", f"1{separator}Köln ", "", f'2{separator}"a{separator}b"', ""])
    table = read_table(data_file(text.encode(encoding)), dictionary)
    assert table.frame["ort"].to_list() == ["Köln", f"a{separator}b"]
    assert table.findings == ()


@pytest.mark.parametrize(("encoding", "named"), [("cp1252", "Windows-1252"), ("utf-16-le", "UTF-16")])
def test_a_guessed_encoding_is_a_warning(encoding, named, dictionary_of, data_file):
    table = read_table(
        data_file("id,ort\n1,Köln\n2,Zürich\n".encode(encoding)), dictionary_of("name,type\nid,id\nort,text\n")
    )
    assert table.frame["ort"].to_list() == ["Köln", "Zürich"]
    assert codes(table.findings) == ["W503"]
    assert named in table.findings[0].seen


def test_decimal_commas_in_a_semicolon_file(dictionary_of, data_file):
    dictionary = dictionary_of("name,type\nx,number\ny,number\n")
    table = read_table(data_file("x;y\n12,5;1\n-3;2\n"), dictionary)
    assert table.frame["x"].to_list() == [12.5, -3.0]
    assert codes(table.findings) == ["W520"]
    assert codes(errors_of(data_file("x;y\n12,5;1.234\n3;2\n"), dictionary)) == ["E520"]
    assert codes(errors_of(data_file("x;y\n1.234,5;1\n3;2\n"), dictionary)) == ["E509"]
    assert codes(errors_of(data_file('x,y\n"12,5",1\n3,2\n'), dictionary)) == ["E509"]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "E502", None),
        (b" \n \n", "E502", None),
        (b"id,x\n", "E502", None),
        (b"\x00\xff\x01\x00\x03", "E503", None),
        (b"id,x\n1,2\n3\n", "E518", 3),
        (b"id,x\n1,2\n3,4,5\n", "E518", 3),
        (b"id,x\nr1,1,2\nr2,3,4\n", "E518", None),
        (b'id,x\n1,"2\n3,4\n', "E518", None),
        (b"id,y\n1,2\n", "E505", None),
        (b"id|x\n1|2\n", "E505", None),
        (b"id,x,x\n1,2,3\n", "E506", None),
        (b"id,x\n1,2\n2,3\n1,4\n", "E507", 2),
        (b"id,x\n1,2\n ,3\n", "E508", 3),
        (b"id,x\n1,2\n2,abc\n", "E509", 3),
        (b"id,x\n1,2\n2,inf\n", "E509", 3),
        (b"id,x\n1,2\n2,nan\n", "E509", 3),
        (b"id,x\n1,2\n2,<5\n", "E509", 3),
    ],
)
def test_a_bad_file_has_its_finding(content, code, line, dictionary_of, data_file):
    findings = errors_of(data_file(content), dictionary_of("name,type\nid,id\nx,number\n"))
    finding = next(finding for finding in findings if finding.code == code)
    assert finding.where.line == line
    assert finding.where.excerpt is None


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("integer,", "1.5", "E510"),
        ("category,F=Female|M=Male", "X", "E511"),
        ("ordinal,1=low|2=high", "3", "E511"),
        ("yesno,", "maybe", "E512"),
        ("yesno,", "2", "E512"),
        ("yesno,1=yes|2=no", "0", "E512"),
        ("date,", "31.12.2019", "E513"),
        ("date,", "1/2/2019", "E513"),
        ("date,", "43831", "E513"),
        ("date,", "soon", "E513"),
        ("date,", "2019-02-30", "E514"),
        ("datetime,", "2019-02-03 25:00", "E514"),
        ("datetime,", "2019-02-03 12:00Z", "E513"),
        ("datetime,", "2019-02-03T12:00+01:00", "E513"),
    ],
)
def test_a_bad_value_is_told_by_row_and_never_shown(kind, value, code, dictionary_of, data_file):
    dictionary = dictionary_of(f"name,type,levels\nid,id,\nx,{kind}\n")
    (finding,) = errors_of(data_file(f"id,x\n1,\n\n2,{value}\n"), dictionary)
    assert finding.code == code
    assert finding.where.line == 4
    assert "row 4" in finding.seen
    assert finding.remedy


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("number,,0,10", "11", "W515"),
        ("integer,,0,10", "-1", "W515"),
        ("date,,2020-01-01,2020-12-31", "2021-01-01", "W515"),
        ("datetime,,2020-01-01,2020-12-31", "2021-01-01 00:00", "W515"),
        ("date,,,", "2020-01-01 10:00", "W522"),
        ("datetime,,,", "2020-01-01", "W522"),
        ("number,,,", "", "W524"),
    ],
)
def test_warnings_are_kept_with_the_table(kind, value, code, dictionary_of, data_file):
    dictionary = dictionary_of(f"name,type,levels,minimum,maximum\nid,id,,,\nx,{kind}\n")
    assert codes(read_table(data_file(f"id,x\n1,{value}\n"), dictionary).findings) == [code]


def test_the_last_day_of_a_range_counts_whole(dictionary_of, data_file):
    dictionary = dictionary_of("name,type,maximum\nx,datetime,2020-12-31\n")
    assert read_table(data_file("x\n2020-12-31 23:59\n"), dictionary).findings == ()


@pytest.mark.parametrize("word", ["yes", "Yes ", "Y", "TRUE", "true", "1", "1.0", " 1"])
def test_words_for_yes(word, dictionary_of, data_file):
    table = read_table(data_file(f"x,y\n{word},1\n,2\n"), dictionary_of("name,type\nx,yesno\ny,number\n"))
    assert table.frame["x"].to_list() == [True, None]


def test_a_category_without_levels_takes_those_of_the_data_in_order(dictionary_of, data_file):
    dictionary = dictionary_of("name,type,missing_codes\nsite,category,99\n")
    frame = read_table(data_file("site\n10\n2\n99\n2.0\nNA\nx\n"), dictionary).frame
    assert frame["site"].to_list() == ["10", "2", None, "2", None, "x"]
    assert frame["site"].dtype == pl.Enum(["2", "10", "x"])


def test_level_codes_that_differ_only_in_case_stay_apart(dictionary_of, data_file):
    dictionary = dictionary_of("name,type,levels\nx,category,a=small|A=large\n")
    assert read_table(data_file("x\na\nA\nLARGE\n"), dictionary).frame["x"].to_list() == ["a", "A", "A"]


def test_na_may_be_a_level(dictionary_of, data_file):
    dictionary = dictionary_of("name,type,levels\nx,category,NA=Namibia|DE=Germany\n")
    assert read_table(data_file("x\nNA\nDE\n"), dictionary).frame["x"].to_list() == ["NA", "DE"]


def test_lines_of_separators_alone_are_no_patients(dictionary_of, data_file):
    table = read_table(data_file('id,x\n1,2\n,\n , \n"",\n2,3\n'), dictionary_of("name,type\nid,id\nx,number\n"))
    assert table.frame.height == 2
    assert table.findings == ()


def test_a_patient_with_nothing_known_stays(dictionary_of, data_file):
    table = read_table(data_file("id,x\n1,2\n2,\n"), dictionary_of("name,type\nx,number\n"))
    assert table.frame["x"].to_list() == [2.0, None]


def test_row_numbers_are_lines_of_the_file_even_after_line_ends_in_quotes(dictionary_of, data_file):
    dictionary = dictionary_of("name,type\nid,id\nx,number\nnote,text\n")
    (finding,) = errors_of(data_file('id,x,note\n1,2,"a\nb\nc"\n\n2,bad,\n'), dictionary)
    assert finding.where.line == 6


def test_a_long_list_of_rows_is_cut(dictionary_of, data_file):
    rows = "\n".join(f"{i},bad" for i in range(50))
    (finding,) = errors_of(data_file(f"id,x\n{rows}\n"), dictionary_of("name,type\nid,id\nx,number\n"))
    assert "50 rows" in finding.seen
    assert finding.seen.endswith("11 and 40 more)")


def test_every_error_comes_at_once_and_errors_come_first(dictionary_of, data_file):
    dictionary = dictionary_of("name,type\nid,id\nx,number\nd,date\nmissing,text\n")
    findings = errors_of(data_file("id,x,d,other\n1,a,b,\n1,2,2020-01-01,\n"), dictionary)
    assert codes(findings) == ["E505", "E509", "E513", "E507", "N517"]


def test_a_missing_column_has_a_suggestion(dictionary_of, data_file):
    dictionary = dictionary_of("name,source,type\nid,,id\nage,Age,number\n")
    (finding, _) = errors_of(data_file("id,age\n1,2\n"), dictionary)
    assert finding.code == "E505"
    assert "did you mean age?" in finding.remedy


def test_the_id_variable(dictionary_of, data_file):
    dictionary = dictionary_of("name,type\npid,id\ncenter,id\nx,number\n")
    path = data_file("pid,center,x\n1,1,2\n2,1,2\n")
    assert read_table(path, dictionary).frame.height == 2
    assert codes(errors_of(path, dictionary, id="center")) == ["E507"]
    with pytest.raises(InputError, match="did you mean pid"):
        read_table(path, dictionary, id="pidd")


def test_not_applicable_is_not_missing(dictionary_of, data_file):
    dictionary = dictionary_of('name,type,levels,applies_if\nsex,category,F|M,\npregnant,yesno,,"sex = ""F"""\n')
    table = read_table(data_file("sex,pregnant\nF,1\nM,\nF,\n,\nM,0\n,1\n"), dictionary)
    assert applicable(table, "pregnant").to_list() == [True, False, True, False, True]
    assert applicable(table, "sex").to_list() == [True] * 5
    assert codes(table.findings) == ["W516"]
    assert "row 6" in table.findings[0].seen


def test_files_that_cannot_be_read(tmp_path, dictionary_of, data_file):
    dictionary = dictionary_of(DICTIONARY)
    assert codes(errors_of(tmp_path / "none.csv", dictionary)) == ["E501"]
    assert codes(errors_of(tmp_path, dictionary)) == ["E501"]
    assert codes(errors_of(data_file("x", "data.docx"), dictionary)) == ["E504"]
    assert codes(errors_of(data_file(CSV), dictionary, sheet="a")) == ["E519"]
    for kind in ("xlsx", "sav", "dta", "xpt", "sas7bdat", "parquet"):
        assert codes(errors_of(data_file("no such thing", f"broken.{kind}"), dictionary)) == ["E501"]


def test_sheets_of_a_workbook(tmp_path, dictionary_of):
    dictionary = dictionary_of(DICTIONARY)
    path = write_excel(tmp_path / "b.xlsx", sheets=("patients", "codes"))
    assert read_table(path, dictionary, sheet="codes").frame.equals(EXPECTED)
    (finding,) = errors_of(path, dictionary, sheet="patient")
    assert finding.code == "E519"
    assert "'patients', 'codes'" in finding.allowed
    assert "did you mean patients?" in finding.remedy
    empty = write_excel(tmp_path / "e.xlsx", raw_frame().head(0))
    assert codes(errors_of(empty, dictionary)) == ["E502"]


def test_excel_serial_numbers_are_dates_and_told(tmp_path, dictionary_of):
    dictionary = dictionary_of("name,type\nday,date\nstart,datetime\n")
    frame = pl.DataFrame({"day": [43831.0, 43832.0], "start": [43831.5, 43831.75]})
    table = read_table(write_excel(tmp_path / "s.xlsx", frame), dictionary)
    assert table.frame["day"].to_list() == [D(2020, 1, 1), D(2020, 1, 2)]
    assert table.frame["start"].to_list() == [T(2020, 1, 1, 12), T(2020, 1, 1, 18)]
    assert codes(table.findings) == ["W521", "W521"]


def test_spss_user_missing_values_are_blank(tmp_path, dictionary_of):
    frame = pl.DataFrame({"x": [1.0, 99.0, 3.0], "s": ["a", "ZZ", "b"]})
    path = tmp_path / "u.sav"
    pyreadstat.write_sav(frame, str(path), missing_ranges={"x": [99], "s": ["ZZ"]})
    table = read_table(path, dictionary_of("name,type\nx,number\ns,text\n"))
    assert table.frame["x"].to_list() == [1.0, None, 3.0]
    assert table.frame["s"].to_list() == ["a", None, "b"]


def test_parquet_types(tmp_path, dictionary_of):
    path = tmp_path / "t.parquet"
    frame = pl.DataFrame(
        {"b": [True, None], "n": [1, 2], "f": [float("nan"), 1.0], "c": ["x", "y"], "z": [T(2020, 1, 1), None]},
        schema_overrides={"n": pl.Int16, "c": pl.Categorical, "z": pl.Datetime("ns")},
    )
    frame.write_parquet(path)
    dictionary = dictionary_of("name,type\nb,yesno\nn,integer\nf,number\nc,category\nz,datetime\n")
    table = read_table(path, dictionary)
    assert table.frame.rows() == [(True, 1, None, "x", T(2020, 1, 1)), (None, 2, 1.0, "y", None)]
    zoned = frame.with_columns(pl.col("z").dt.replace_time_zone("Europe/Zurich"))
    zoned.write_parquet(path)
    assert codes(errors_of(path, dictionary)) == ["E513"]


def test_old_macintosh_line_ends_and_padded_words(shared_path, dictionary_of):
    dictionary = dictionary_of("name,type,levels\nage,number,\nday_icu_intime,category,\naline_flg,yesno,\n")
    table = read_table(shared_path("data/mimic2_iac.csv"), dictionary)
    assert table.frame.height == 1776
    assert "Friday" in table.frame["day_icu_intime"].dtype.categories
    assert codes(table.findings) == ["N517"]


def test_a_very_wide_file_keeps_the_columns_of_the_dictionary(dictionary_of, data_file):
    width = 10_000
    lines = [",".join(f"c{i}" for i in range(width))] + [",".join(str(i % 7) for i in range(width))] * 5
    table = read_table(data_file("\n".join(lines)), dictionary_of("name,type\nc9999,number\nc5,number\n"))
    assert table.frame.columns == ["c9999", "c5"]
    assert table.frame.row(0) == (9999 % 7, 5)
    assert "9998 columns" in table.findings[0].seen


CANARY = "Qanary73"


@pytest.mark.parametrize("name", ["canary.csv", "canary.xlsx", "canary.sav", "canary.parquet"])
def test_no_value_of_a_patient_is_in_any_message(name, tmp_path, dictionary_of):
    dictionary = dictionary_of(DICTIONARY.replace("name,source,type", "name,source,type", 1))
    marked = [CANARY, "731373.7373", "2773-13-37", "37.13.2773", f"{CANARY} 2", "73:73", "7313.73,37"]
    values = [*marked, CANARY, "", "1"]
    frame = pl.DataFrame({column: values for column in raw_frame().columns} | {"unused": values})
    path = tmp_path / name
    if name.endswith("csv"):
        frame.write_csv(path)
    elif name.endswith("xlsx"):
        write_excel(path, frame)
    elif name.endswith("sav"):
        pyreadstat.write_sav(frame, str(path))
    else:
        frame.write_parquet(path)
    findings = errors_of(path, dictionary)
    assert len(findings) >= 9
    for finding in findings:
        text = finding.text() + str(finding.as_json())
        for value in marked:
            assert value not in text
        assert not re.search("[Qq]anary73|73", text)


def test_no_value_is_in_the_message_when_the_header_is_missing(dictionary_of, data_file):
    findings = errors_of(data_file(f"{CANARY},61\n{CANARY}2,62\n"), dictionary_of("name,type\nid,id\nx,number\n"))
    assert all(CANARY not in finding.text() for finding in findings)
