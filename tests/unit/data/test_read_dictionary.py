import datetime

import openpyxl
import pytest

from counterpulse.data import dictionary_csv, read_dictionary, scope_of
from counterpulse.errors import ProtocolError, UsageError

FULL = '''\
name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
pid,ID,Patient,id,,,,,,,,
age,,"Age, years",number,y,,18,110,999|-1,,yes,Baseline
sex,,Sex,category,,F=Female|M=Male,,,9,,,Baseline
pregnant,,,yesno,,1=yes|2=no,,,9,"sex = ""F""",,
stage,,,ordinal,,A|B|C,,,,,,
day,,,date,,,2017-01-01,2023-12-31,,,,
größe,Größe (cm),,integer,cm,,,,,,,
'''


def test_every_field_is_read(dictionary_of):
    dictionary = dictionary_of(FULL)
    assert list(dictionary.variables) == ["pid", "age", "sex", "pregnant", "stage", "day", "größe"]
    age = dictionary["age"]
    assert (age.label, age.unit, age.minimum, age.maximum) == ("Age, years", "y", "18", "110")
    assert (age.missing_codes, age.integer, age.section, age.line) == (("999", "-1"), True, "Baseline", 3)
    assert dictionary["sex"].levels == {"F": "Female", "M": "Male"}
    assert dictionary["stage"].levels == {"A": "A", "B": "B", "C": "C"}
    assert dictionary["pregnant"].applies_if == 'sex = "F"'
    assert dictionary["pregnant"].label == "pregnant"
    assert (dictionary["größe"].source, dictionary["größe"].integer) == ("Größe (cm)", True)
    assert dictionary["pid"].source == "ID"


def test_the_digest_is_of_the_content_not_of_the_file(dictionary_of, tmp_path):
    comma = dictionary_of(FULL)
    rows = "name;type\npid;id\n\nage;number\n"
    other = dictionary_of(rows, "a.csv")
    path = tmp_path / "b.csv"
    path.write_bytes("\ufefftype;name\r\nid;pid\r\nnumber;age\r\n".encode("utf-8"))
    assert read_dictionary(path).digest == other.digest != comma.digest
    assert other.digest.startswith("sha256:")
    assert len(other.digest) == 71
    reordered = dictionary_of(FULL.replace("F=Female|M=Male", "M=Male|F=Female"), "c.csv")
    assert reordered.digest != comma.digest


def test_excel_gives_the_same_dictionary(dictionary_of, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["name", "type", "minimum", "maximum", "levels", "missing_codes"])
    sheet.append(["age", "number", 18, 110.5, None, 999])
    sheet.append(["day", "date", datetime.date(2020, 1, 2), None, None, None])
    sheet.append([None] * 6)
    sheet.append(["sex", "category", None, None, "F=Female|M=Male", None])
    book.save(tmp_path / "d.xlsx")
    text = "name,type,minimum,maximum,levels,missing_codes\nage,number,18,110.5,,999\nday,date,2020-01-02\nsex,category,,,F=Female|M=Male\n"
    excel = read_dictionary(tmp_path / "d.xlsx")
    assert excel.digest == dictionary_of(text).digest
    assert excel["sex"].line == 5


def test_what_is_written_reads_back_the_same(dictionary_of, tmp_path):
    dictionary = dictionary_of(FULL)
    path = tmp_path / "again.csv"
    path.write_text(dictionary_csv(dictionary), encoding="utf-8")
    assert read_dictionary(path).digest == dictionary.digest


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("age,numeric", "E306", 5),
        ("age,", "E306", 5),
        (",number", "E303", 1),
        ("2x,number", "E305", 1),
        ("a b,number", "E305", 1),
        ("yes,number", "E305", 1),
        ("x,number,a=b", "E309", 10),
        ("x,category,a=1|a=2", "E307", 12),
        ("x,category,=1", "E307", 12),
        ("x,category,a=1|b=1", "E307", 12),
        ("x,category,1=2|2=1", "E307", 12),
        ("x,ordinal", "E308", 3),
        ("x,yesno,1=yes|2=perhaps", "E310", 9),
        ("x,number,,five", "E311", 11),
        ("x,date,,01.02.2020", "E311", 9),
        ("x,category,,5", "E312", 13),
        ("x,number,,5,1", "E313", 11),
        ("x,date,,2020-01-02,2019-01-02", "E313", 9),
        ("x,category,9=a,,,9", "E314", 18),
        ("x,number,,,,,perhaps", "E315", 14),
        ("x,number,,,,,,x = 1", "E317", 15),
        ("x,number,,,,,,agee = 1", "E402", 15),
        ("x,number,,,,,,age = ", "E401", None),
        ("x,number,,,,,,,9", "E318", 16),
        ("age,number\nage,number", "E304", None),
    ],
)
def test_a_mistake_has_a_code_and_a_place(dictionary_of, row, code, column):
    header = "name,type,levels,minimum,maximum,missing_codes,integer,applies_if\n"
    with pytest.raises(ProtocolError) as error:
        dictionary_of(header + row + "\n")
    finding = next(finding for finding in error.value.findings if finding.code == code)
    assert finding.where.file == "dictionary.csv"
    assert finding.where.line >= 2
    if column is not None and code != "E308":
        assert finding.where.column == column
    assert finding.allowed or finding.remedy


def test_all_findings_come_at_once_with_suggestions(dictionary_of):
    with pytest.raises(ProtocolError) as error:
        dictionary_of("name,type,labl,owner\nage,numeric\nsex,categry\n,id\n")
    text = str(error.value)
    assert [finding.code for finding in error.value.findings] == ["E302", "W302", "E306", "E306", "E303"]
    assert "did you mean label?" in text
    assert "did you mean number?" in text
    assert "did you mean category?" in text


def test_a_header_without_name_or_type_is_told(dictionary_of):
    with pytest.raises(ProtocolError, match="no column type"):
        dictionary_of("name,label\nage,Age\n")
    with pytest.raises(ProtocolError, match="no variable"):
        dictionary_of("name,type\n")


def test_an_unknown_column_is_a_warning_that_is_kept(dictionary_of):
    assert [finding.code for finding in dictionary_of("name,type,owner\nage,number,me\n").findings] == ["W302"]


def test_a_missing_dictionary(tmp_path):
    with pytest.raises(UsageError):
        read_dictionary(tmp_path / "none.csv")
    with pytest.raises(UsageError):
        read_dictionary(tmp_path / "none.xlsx")


def test_the_scope_of_rules(dictionary_of):
    scope = scope_of(dictionary_of(FULL))
    assert scope["age"].kind == "number"
    assert scope["age"].unit == "y"
    assert scope["größe"].kind == "number"
    assert scope["day"].kind == "date"
    assert scope["sex"].levels == {"F": "Female", "M": "Male"}
    assert scope["pregnant"].kind == "yesno"
    assert scope["pregnant"].levels is None


def test_the_drafts_are_read(shared_path):
    for path in shared_path("protocols").glob("*.dictionary.csv"):
        assert len(read_dictionary(path).variables) > 20
