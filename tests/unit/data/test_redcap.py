import polars as pl
import pytest

from counterpulse.data import read_dictionary, read_related, read_table
from counterpulse.data.redcap import import_redcap, read_redcap_dictionary
from counterpulse.data.redcap_dictionary import read_redcap_project
from counterpulse.data.redcap_export import split_redcap_export
from counterpulse.errors import DataError, ProtocolError, UsageError

HEADER = [
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)",
    "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
]  # fmt: skip


def field(name, kind="text", label="", *, form="base", choices="", valid="", low="", high="", identifier="", logic=""):
    row = dict.fromkeys(HEADER, "")
    row |= dict(zip(
        [*HEADER[:2], HEADER[3], HEADER[4], HEADER[5], *HEADER[7:12]],
        [name, form, kind, label or name.capitalize(), choices, valid, low, high, identifier, logic], strict=True,
    ))  # fmt: skip
    return row


PROJECT = [
    field("record_id", label="Record ID"),
    field("surname", identifier="y"),
    field("dob", valid="date_dmy", identifier="y"),
    field("sex", "radio", "<b>Sex</b> at birth", choices="1, Male | 2, Female"),
    field("pregnant", "yesno", logic="[sex] = '2'"),
    field("risk", "checkbox", choices="1, Smoker | 2, Diabetes | -1, Unknown"),
    field("packs", valid="number", low="0", high="200", logic="[risk(1)] = '1' AND [sex]<>''"),
    field("bmi", "calc", choices="[weight]/2"),
    field("admitted", valid="datetime_seconds_mdy", low="2019-01-01", high="today"),
    field("beds", valid="integer"),
    field("memo", "notes"),
    field("hello", "descriptive"),
    field("scan", "file"),
    field("taken", form="gas", valid="datetime_ymd"),
    field("lactate", form="gas", valid="number_1dp"),
    field("vent", "truefalse", form="gas", logic="[sex]='1'"),
    field("nyha", "dropdown", form="visit", choices="1, I | 2, II"),
    field("died", "yesno", form="end"),
]
EXPORT = """\
record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,surname,dob,sex,pregnant,risk___1,risk___2,risk____1,packs,bmi,admitted,beds,memo,base_complete,taken,lactate,vent,nyha,died
1,base_arm_1,,,north,ZQXJ,1950-01-01,1,,1,0,0,10,22.5,2020-01-01 10:00:00,1,ok,2,,,,1,
1,month_6_arm_1,,,,,,,,,,,,,,,,,,,,2,1
1,base_arm_1,gas,1,,,,,,,,,,,,,,,2020-01-01 11:00,2.5,1,,
1,base_arm_1,gas,2,,,,,,,,,,,,,,,2020-01-01 12:00,2.1,0,,
2,base_arm_1,,,south,ZQXJ,1960-01-01,2,1,0,0,0,,25,2020-02-01 10:00:00,2,,2,,,,2,
2,month_6_arm_1,,,,,,,,,,,,,,,,,,,,2,0
3,base_arm_1,gas,1,north,,,,,,,,,,,,,,2020-03-01 11:00,4.5,1,,
"""


@pytest.fixture
def files(tmp_path):
    def write(fields=PROJECT, export=EXPORT):
        pl.DataFrame(fields, schema=dict.fromkeys(HEADER, pl.String)).write_csv(tmp_path / "project.csv")
        (tmp_path / "export.csv").write_text(export, encoding="utf-8")
        return tmp_path / "project.csv", tmp_path / "export.csv"

    return write


def test_field_types_become_ours(files):
    dictionary = read_redcap_dictionary(files()[0])
    assert {variable.name: variable.type for variable in dictionary} == {
        "record_id": "id", "surname": "text", "dob": "date", "sex": "category", "pregnant": "yesno", "risk___1": "yesno",
        "risk___2": "yesno", "risk____1": "yesno", "packs": "number", "bmi": "number", "admitted": "datetime",
        "beds": "integer", "memo": "text", "taken": "datetime", "lactate": "number", "vent": "yesno", "nyha": "category",
        "died": "yesno",
    }  # fmt: skip
    assert dictionary["sex"].label == "Sex at birth"
    assert dictionary["sex"].levels == {"1": "Male", "2": "Female"}
    assert dictionary["risk___2"].label == "Risk: Diabetes"
    assert (dictionary["packs"].minimum, dictionary["packs"].maximum) == ("0", "200")
    assert (dictionary["admitted"].minimum, dictionary["admitted"].maximum) == ("2019-01-01", None)
    assert dictionary["lactate"].section == "Gas"


def test_branching_logic_becomes_applies_if(files):
    dictionary = read_redcap_dictionary(files()[0])
    assert dictionary["pregnant"].applies_if == 'sex = "2"'
    assert dictionary["packs"].applies_if == "risk___1 = yes and sex is known"


@pytest.mark.parametrize(
    ("logic", "rule"),
    [
        ("[sex]='1'", 'sex = "1"'),
        ("[sex] <> '1' or [beds] > 2", 'sex != "1" or beds > 2'),
        ('([risk(2)] = "0" || [beds]>=\'3\') && [pregnant]=1', "(risk___2 = no or beds >= 3) and pregnant = yes"),
        ("not ([sex]='1')", 'not (sex = "1")'),
        ("[risk(-1)]='1'", "risk____1 = yes"),
        ("[dob] < '1950-01-02'", "dob < 1950-01-02"),
        ("[sex]=''", "sex is missing"),
        ("[sex]='7'", None),
        ("[sex]>'1'", None),
        ("[nobody]='1'", None),
        ("[base_arm_1][sex]='1'", None),
        ("datediff([dob],'today','y') > 18", None),
        ("[beds]+1 > 2", None),
        ("[beds] > [bmi]", None),
        ("[last]='1'", None),
    ],
)  # fmt: skip
def test_a_logic_is_translated_or_told(files, logic, rule):
    dictionary = read_redcap_dictionary(files([*PROJECT, field("last", "yesno", logic=logic)])[0])
    assert dictionary["last"].applies_if == rule
    told = [finding.seen for finding in dictionary.findings if finding.code == "W549"]
    assert told == ([] if rule else ["the branching logic of last could not be translated"])


def test_identifiers_are_told_and_fields_without_values_left_out(files):
    project = read_redcap_project(files()[0])
    assert project.identifiers == ("surname", "dob")
    seen = {finding.code: finding.seen for finding in project.dictionary.findings}
    assert seen["W548"] == "REDCap marks as identifiers: surname, dob"
    assert seen["N549"] == "not read, because they hold no values: hello, scan"


def test_choices_that_our_dictionary_could_not_tell_apart(files):
    fields = [PROJECT[0], field("grade", "radio", choices="1, 2 | 2, None | 3, none | 4, <i>a|b</i>")]
    assert read_redcap_dictionary(files(fields)[0])["grade"].levels == {
        "1": "2 (1)", "2": "None (2)", "3": "none (3)", "4": "a", "b</i>": "b</i>",
    }  # fmt: skip


def test_another_csv_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("name,type\nage,number\n")
    with pytest.raises(ProtocolError, match="E549"):
        read_redcap_dictionary(tmp_path / "x.csv")


def test_an_export_is_parted(files):
    dictionary, export = files()
    parts = split_redcap_export(export, read_redcap_project(dictionary))
    assert parts.patients["record_id"].to_list() == ["1", "2", "3"]
    assert parts.patients["died"].to_list() == ["1", "0", None]
    assert parts.patients["redcap_data_access_group"].to_list() == ["north", "south", "north"]
    assert not {"nyha", "lactate"} & set(parts.patients.columns)
    assert parts.related["gas"].rows() == [
        ("1", "1", "2020-01-01 11:00", "2.5", "1"), ("1", "2", "2020-01-01 12:00", "2.1", "0"), ("3", "1", "2020-03-01 11:00", "4.5", "1"),
    ]  # fmt: skip
    assert parts.related["events"].rows() == [
        ("1", "base", "1"),
        ("1", "month_6", "2"),
        ("2", "base", "2"),
        ("2", "month_6", "2"),
    ]


@pytest.mark.parametrize(
    "export",
    [
        EXPORT.replace("record_id,", "Record ID,", 1),
        "record_id,Sex\n1,Male\n",
        EXPORT + "2,base_arm_1,,,,,,,,,,,,,,,,,,,,,\n",
        EXPORT + "2,base_arm_2,,,,,,,,,,,,,,,,,,,,,\n",
    ],
)
def test_what_is_no_export_is_refused(files, export):
    dictionary, path = files(export=export)
    with pytest.raises(DataError, match="E548"):
        split_redcap_export(path, read_redcap_project(dictionary))


def test_the_files_can_be_read_as_they_are(files, tmp_path):
    imported = import_redcap(*files(), tmp_path / "out")
    assert [path.name for path in imported.written] == [
        "dictionary.csv", "patients.csv", "gas.dictionary.csv", "gas.csv", "events.dictionary.csv", "events.csv",
    ]  # fmt: skip
    assert [(table.name, table.id, table.time) for table in imported.tables] == [
        ("gas", "record_id", "taken"),
        ("events", "record_id", None),
    ]
    patients = read_table(imported.patients, read_dictionary(imported.dictionary))
    assert patients.frame["pregnant"].to_list() == [None, True, None]
    for table in imported.tables:
        rows = read_related(
            table.file, read_dictionary(table.dictionary), id=table.id, time=table.time, patients=patients
        )
        assert {finding.code for finding in rows.findings} <= {"N544"}
    told = [finding.seen for finding in imported.findings if finding.code == "W549"]
    assert told == ["the branching logic of vent asks a field of another table, and was left out"]


def test_identifiers_in_words_are_in_no_file(files, tmp_path):
    imported = import_redcap(*files(), tmp_path / "out")
    assert not any("ZQXJ" in path.read_text() or "surname" in path.read_text() for path in imported.written)


def test_nothing_that_is_there_is_replaced(files, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "patients.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"patients\.csv is already there"):
        import_redcap(*files(), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["patients.csv"]


def test_a_project_without_events_or_repeats(files, tmp_path):
    imported = import_redcap(*files(export="record_id,sex,beds\n1,1,3\n2,2,\n"), tmp_path / "out")
    assert imported.tables == ()
    assert read_table(imported.patients, read_dictionary(imported.dictionary)).frame.height == 2
    assert any("not in the export" in finding.seen for finding in imported.findings)


def test_missing_data_codes_of_the_project_are_found_and_told(tmp_path, files):
    fields = [
        PROJECT[0],
        PROJECT[3],
        field("age", valid="integer"),
        field("excess", valid="number"),
        field("died", "yesno"),
    ]
    rows = ["1,UNK,50,-9.5,1", "2,1,-999,-99,-99", "3,2,NI,3,0", "4,1,-1,1,UNK"]
    project, export = files(fields, "record_id,sex,age,excess,died\n" + "\n".join(rows) + "\n")
    imported = import_redcap(project, export, tmp_path / "out")
    dictionary = read_dictionary(imported.dictionary)
    codes = {variable.name: variable.missing_codes for variable in dictionary if variable.missing_codes}
    assert codes == {
        "sex": ("UNK",),
        "age": ("-999", "NI"),
        "died": ("-99", "UNK"),
    }  # -99 among negative numbers is a number
    (told,) = [finding.seen for finding in imported.findings if "missing data codes" in finding.seen]
    assert "sex: UNK" in told
    table = read_table(imported.patients, dictionary)
    assert table.frame["died"].to_list() == [True, None, False, None]


def test_decimal_commas_of_the_project_become_points(tmp_path, files):
    fields = [PROJECT[0], field("weight", valid="number_1dp_comma_decimal"), field("bmi", "calc")]
    project, export = files(fields, 'record_id,weight,bmi\n1,"70,5",22.5\n2,"80,0",21\n')
    imported = import_redcap(project, export, tmp_path / "out")
    assert read_table(imported.patients, read_dictionary(imported.dictionary)).frame["weight"].to_list() == [70.5, 80.0]
