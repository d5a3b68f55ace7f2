import polars as pl
import pytest

from counterpulse.errors import DataError, InputError, ProtocolError
from counterpulse.protocol.scope import study_scope
from counterpulse.results import Status
from counterpulse.study.load import check, read_both, read_plan, read_study
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.patients.samples import keep_rule, make_samples
from counterpulse.study.planning.plan import make_plan
from counterpulse.study.planning.plan_text import plan_as_text
from counterpulse.study.run import run

GAS_DICTIONARY = """\
name,source,label,type,unit,levels
pid,,Patient,id,,
taken,Taken at,Taken,datetime,,
day,,Day,date,,
hours,,Hours,number,h,
lactate,,Lactate,number,mmol/L,
vent,,Ventilated,yesno,,
rhythm,,Rhythm,category,,SR=Sinus|AF=Atrial fibrillation
stage,,Stage,ordinal,,1=A|2=B|3=C
note,,Note,text,,
"""
GAS_COLUMNS = [line.split(",")[0] for line in GAS_DICTIONARY.splitlines()[1:]]
TABLES = "{gas: {file: gas.csv, dictionary: gas.dictionary.csv, id: pid, time: taken}}"
PATIENTS = [
    {"began": "2020-01-01 10:00"},
    {"began": "2020-01-02 08:30", "device": "pump"},
    {"began": "2020-01-03 00:00"},
]


@pytest.fixture
def gas(written):
    """A study whose blood gases are in a table of their own: rows are patient, time, lactate and more."""

    def make(rows, variables="{}", *, patients=PATIENTS, dictionary=GAS_DICTIONARY, **keys):
        columns = dict.fromkeys(GAS_COLUMNS, "") | {"pid": "pid", "taken": "Taken at"}
        header = ",".join(columns[name] or name for name in GAS_COLUMNS)
        lines = [",".join(str(row.get(name, "")) for name in GAS_COLUMNS) for row in rows]
        (written.directory / "gas.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        (written.directory / "gas.dictionary.csv").write_text(dictionary, encoding="utf-8")
        path = written.protocol(**{"tables": TABLES, "time_zero": "began", "variables": variables, **keys})
        written.table(*patients)
        return path

    return make


def at(pid, taken, lactate="", **more):
    return {"pid": pid, "taken": taken, "lactate": lactate, **more}


ROWS = [
    at(1, "2020-01-01 09:59", 9), at(1, "2020-01-01 10:00", 1), at(1, "2020-01-01 14:00", 4), at(1, "2020-01-01 14:01", 8),
    at(2, "2020-01-02 09:30", 2, vent="no"), at(2, "2020-01-02 10:30", "", vent="yes"), at(9, "2020-01-01 10:00", 7),
]  # fmt: skip


def column(path, name):
    plan, table = read_study(path)
    return make_cohort(plan, table).frame[name].to_list()


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("take: last, column: lactate, window: 0 to 4 hours", [4.0, 2.0, None]),
        ("take: first, column: lactate, window: 0 to 4 hours", [1.0, 2.0, None]),
        ("take: first, column: lactate, window: -1 to 0 hours", [9.0, None, None]),
        ("take: max, column: lactate, window: 0 to 4 hours", [4.0, 2.0, None]),
        ("take: mean, column: lactate, window: 0 to 4 hours", [2.5, 2.0, None]),
        ("take: min, column: lactate", [1.0, 2.0, None]),
        ("take: last, column: lactate", [8.0, 2.0, None]),
        ("take: count, column: lactate, window: 0 to 4 hours", [2.0, 1.0, 0.0]),
        ("take: count, window: 0 to 4 hours", [2.0, 2.0, 0.0]),
        ("take: any, column: vent, window: 0 to 1 days", [None, True, None]),
        ("take: any, column: vent, window: 0 to 90 minutes", [None, False, None]),
    ],
)
def test_both_ends_belong_to_the_window(gas, how, expected):
    assert column(gas(ROWS, f"{{x: {{from: gas, {how}}}}}"), "x") == expected


def test_derived_variables_build_on_measurements(gas):
    variables = "{early: {from: gas, column: lactate, take: first, window: 0 to 1 hours}, late: {from: gas, column: lactate, take: last}, fell: {rule: late < early}}"
    assert column(gas(ROWS, variables), "fell") == [False, False, None]


def test_a_column_keeps_its_type(gas):
    rows = [
        at(1, "2020-01-01 11:00", rhythm="AF", stage="C", vent="no"),
        at(1, "2020-01-01 12:00", rhythm="SR", stage="A", vent="yes"),
    ]
    variables = "{r: {from: gas, column: rhythm, take: last}, s: {from: gas, column: stage, take: max}, v: {from: gas, column: vent, take: first}}"
    path = gas(rows, variables)
    plan, table = read_study(path)
    frame = make_cohort(plan, table).frame
    assert frame.select("r", "s", "v").row(0) == ("SR", "3", False)
    assert [plan.variables[name].kind for name in "rsv"] == ["category", "ordinal", "yesno"]
    assert plan.variables["r"].levels == {"SR": "Sinus", "AF": "Atrial fibrillation"}


def test_without_a_clock_only_days_count(gas):
    tables = TABLES.replace("time: taken", "time: day")
    rows = [at(1, "", 3, day="2020-01-02"), at(1, "", 5, day="2020-01-03")]
    path = gas(rows, "{x: {from: gas, column: lactate, take: max, window: 0 to 1 days}}", tables=tables)
    assert column(path, "x")[0] == 3.0  # the whole of the day after, though it began at 10:00
    path = gas(rows, "{x: {from: gas, column: lactate, take: max, window: 0 to 24 hours}}", tables=tables)
    with pytest.raises(ProtocolError, match="E666"):
        read_plan(path)


def test_durations_are_counted_in_their_unit(gas):
    tables = TABLES.replace("time: taken", "time: hours")
    rows = [at(1, "", 3, hours=-1), at(1, "", 5, hours=36), at(2, "", 7, hours="36.5"), at(3, "", 8, hours=0)]
    path = gas(rows, "{x: {from: gas, column: lactate, take: last, window: 0 to 1.5 days}}", tables=tables,
               time_zero="{text: ICU admission, counted: yes}")  # fmt: skip
    assert column(path, "x") == [5.0, None, 8.0]


def test_an_unknown_time_zero_leaves_the_window_open(gas):
    variables = "{x: {from: gas, take: count, window: 0 to 4 hours}, y: {from: gas, take: count}, z: {from: gas, column: lactate, take: last}}"
    path = gas(ROWS, variables, patients=[{"began": ""}, *PATIENTS[1:]])
    plan, table = read_study(path)
    assert make_cohort(plan, table).frame.select("x", "y", "z").row(0) == (None, 4.0, 8.0)


TIED = [
    at(1, "2020-01-01 11:00", 3),
    at(1, "2020-01-01 11:00", 5),
    at(2, "2020-01-02 09:00", 2),
    at(2, "2020-01-02 09:00", 2),
]


def test_values_that_differ_at_one_time_stop_the_study(gas):
    path = gas(TIED, "{x: {from: gas, column: lactate, take: last}}")
    plan, table = read_study(path)
    with pytest.raises(DataError) as raised:
        make_cohort(plan, table)
    (finding,) = raised.value.findings
    assert finding.code == "E540"
    assert "'x': for 1 patient" in finding.seen
    asked = raised.value.queries.filter(pl.col("question").str.contains("Several"))
    assert asked.select("id", "variable", "value").rows() == [("1", "lactate", "3"), ("1", "lactate", "5")]


@pytest.mark.parametrize(("rule", "value"), [("mean", 4), ("max", 5), ("min", 3), ("first-row", 3), ("last-row", 5)])
def test_a_rule_settles_ties_and_is_told(gas, rule, value):
    path = gas(TIED, f"{{x: {{from: gas, column: lactate, take: last, if_tied: {rule}}}}}")
    assert column(path, "x") == [value, 2.0, None]
    told = [finding for finding in check(path)[0] if finding.code == "W540"]
    assert rule.replace("-", " ") in told[0].seen


def test_ties_do_not_trouble_what_has_no_order(gas):
    assert column(gas(TIED, "{x: {from: gas, column: lactate, take: max}}"), "x") == [5.0, 2.0, None]


def test_a_window_with_nobody_in_it(gas):
    variables = "{x: {from: gas, column: lactate, take: last, window: 5 to 6 days}}"
    analyses = "[{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [x]}]"
    path = gas(ROWS, variables, analyses=analyses)
    assert "W545" in [finding.code for finding in check(path)[0]]
    result = run(*read_study(path))
    assert result.estimates[0].estimate.status in (Status.NO_ROWS, Status.NO_MEASUREMENT)
    assert "W545" in [notice.code for notice in result.warnings]


@pytest.mark.parametrize(
    ("variables", "keys", "code"),
    [
        ("{x: {from: gas, column: lactat, take: last}}", {}, "E660"),
        ("{}", {"tables": TABLES.replace("id: pid", "id: patient")}, "E660"),
        ("{}", {"tables": TABLES.replace("taken}", "when}")}, "E660"),
        ("{}", {"tables": TABLES.replace("taken}", "lactate}")}, "E661"),
        ("{}", {"time_zero": "{text: ICU admission, counted: yes}"}, "E661"),
        ("{}", {"time_zero": "{text: ICU admission, counted: yes}", "tables": TABLES.replace("taken}", "lactate}")}, "E661"),
        ("{x: {from: gas, column: rhythm, take: mean}}", {}, "E662"),
        ("{x: {from: gas, column: lactate, take: any}}", {}, "E662"),
        ("{x: {from: gas, column: note, take: last}}", {}, "E662"),
        ("{x: {from: gas, column: lactate, take: last}}", {"tables": TABLES.replace(", time: taken", "")}, "E663"),
        ("{x: {from: gas, column: lactate, take: max, window: 0 to 1 hours}}", {"tables": TABLES.replace(", time: taken", "")}, "E663"),
        ("{x: {from: gas, column: rhythm, take: last, if_tied: mean}}", {}, "E664"),
        ("{x: {from: gas, column: lactate, take: max, if_tied: mean}}", {}, "E664"),
        ("{x: {from: gas, column: lactate, take: last, window: 4 to 0 hours}}", {}, "E665"),
        ("{x: {from: gas, column: lactate, take: last, window: 0 to 4 hours}}", {"time_zero": "start"}, "E666"),
        ("{x: {from: blood, column: lactate, take: last}}", {}, "E233"),
        ("{x: {rule: age > 3, window: 0 to 4 hours}}", {}, "E226"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused(gas, variables, keys, code):
    path = gas(ROWS, variables, **keys)
    with pytest.raises(ProtocolError, match=code):
        read_plan(path)


def test_windows_that_touch_are_told(gas):
    variables = "{a: {from: gas, column: lactate, take: last, window: 0 to 4 hours}, b: {from: gas, column: lactate, take: last, window: 4 to 24 hours}, c: {from: gas, column: vent, take: any, window: 4 to 5 hours}}"
    told = [finding for finding in check(gas(ROWS, variables))[0] if finding.code == "W660"]
    assert len(told) == 1
    assert "'a' and 'b' touch" in told[0].seen


def test_the_plan_says_it_in_words(gas):
    variables = "{a: {label: Lactate at 4 h, from: gas, column: lactate, take: last, window: 0 to 4 hours, if_tied: max}, n: {label: Gases, from: gas, take: count}}"
    plan, _ = read_plan(gas(ROWS, variables))
    text = plan_as_text(plan)
    assert "Lactate at 4 h: last Lactate within 0 to 4 hours of time zero (of several at one time the max)" in text
    assert "Gases: number of rows of gas at any time" in text
    assert plan.variables["a"].unit == "mmol/L"
    assert plan.protocol.tables["gas"].file == "gas.csv"


def test_columns_of_a_table_may_stand_in_the_main_dictionary(gas, written):
    variables = "{x: {from: gas, column: lactate, take: last, window: 0 to 4 hours}}"
    path = gas(ROWS, variables, tables=TABLES.replace("dictionary: gas.dictionary.csv, ", ""))
    main = written.directory / "s.dictionary.csv"
    main.write_text(main.read_text() + "taken,Taken at,Taken,datetime,,,,,,,,\nlactate,,Lactate,number,mmol/L,,,,,,,\n")
    protocol, dictionary = read_both(path)
    assert set(dictionary.tables["gas"].variables) == {"pid", "taken", "lactate"}
    assert "lactate" not in dictionary
    assert "pid" in dictionary
    assert make_plan(protocol, dictionary).dictionary_digest == dictionary.digest
    assert column(path, "x") == [4.0, 2.0, None]


def test_the_dictionary_digest_is_of_all_dictionaries(gas):
    first = read_plan(gas(ROWS))[0].dictionary_digest
    assert first == read_plan(gas(ROWS))[0].dictionary_digest
    assert first != read_plan(gas(ROWS, dictionary=GAS_DICTIONARY.replace("mmol/L", "mg/dL")))[0].dictionary_digest


def test_a_missing_dictionary_of_a_table(gas, written):
    path = gas(ROWS)
    (written.directory / "gas.dictionary.csv").unlink()
    with pytest.raises(ProtocolError, match="E105"):
        read_plan(path)


def test_patients_without_their_table_are_refused(gas, written):
    path = gas(ROWS, "{x: {from: gas, column: lactate, take: last}}")
    with pytest.raises(InputError, match="without their table gas"):
        make_cohort(read_plan(path)[0], written.table(*PATIENTS))


def test_findings_of_all_files_come_at_once(gas, written):
    path = gas([at(1, "2020-01-01 10:00", "ZQXJ")])
    text = (written.directory / "s.csv").read_text()
    (written.directory / "s.csv").write_text(text.replace(",60,", ",ZQXJ,", 1))
    findings, code = check(path)
    assert code == 4
    assert {finding.where.file for finding in findings if finding.code == "E509"} == {"s.csv", "gas.csv"}


def test_with_data_the_tables_lie_beside_the_data(gas, written, tmp_path_factory):
    path = gas(ROWS, "{x: {from: gas, column: lactate, take: last}}")
    other = tmp_path_factory.mktemp("other")
    (other / "new.csv").write_text((written.directory / "s.csv").read_text())
    findings, code = check(path, data=other / "new.csv")
    assert code == 4
    assert "E501" in [finding.code for finding in findings]
    rows = (written.directory / "gas.csv").read_text()
    (other / "gas.csv").write_text(rows.replace(",8,", ",6,"))
    plan, table = read_study(path, data=other / "new.csv")
    assert make_cohort(plan, table).frame["x"].to_list() == [6.0, 2.0, None]
    (other / "new.gas.csv").write_text(rows.replace(",8,", ",5,"))
    plan, table = read_study(path, data=other / "new.csv")
    assert make_cohort(plan, table).frame["x"].to_list() == [5.0, 2.0, None]


REPEATED = "{lac: {label: Lactate, type: repeated, from: gas, column: lactate, window: 0 to 24 hours, better: lower, primary: yes}, died: {label: Died, type: binary, event: died = yes, better: lower}}"


def samples(path, **changes):
    plan, table = read_study(path)
    cohort = make_cohort(plan, table)
    analysis = plan.analyses[0]
    scope = study_scope(plan.protocol, table.dictionary)
    return make_samples(plan, analysis, plan.outcomes["lac"], cohort, keep_rule(analysis, scope))


def test_measurements_are_rows_of_the_sample(gas, monkeypatch):
    path = gas(ROWS, outcomes=REPEATED, analyses="[{id: A1, role: primary, outcome: died, method: two-proportions}]")
    (made,) = samples(path)
    sample = made.sample
    assert sample.frame.select("pid", "lac", "lac.time").rows() == [
        ("1", 1.0, 0.0),
        ("1", 4.0, 4.0),
        ("1", 8.0, 4 + 1 / 60),
        ("2", 2.0, 1.0),
    ]
    assert sample.cluster.tolist() == sample.row_of_origin.tolist() == [0, 0, 0, 1]
    assert dict(made.details) == {"lac.patients": 2, "lac.measurements": 4, "lac.patients_without_measurement": 1}
    assert [notice.code for notice in made.notices] == ["W661"]


def test_after_a_landmark_measurements_begin_with_it(gas):
    keys = {
        "exposure": "{given: 'device = \"pump\"', starts: pump_day}", "follow_up": "{death: death, last_seen: seen}",
        "immortal_time": "{plan: landmark, at: 4 hours}", "outcomes": REPEATED,
        "analyses": "[{id: A1, role: primary, outcome: died, method: two-proportions}]",
    }  # fmt: skip
    patients = [{**PATIENTS[0]}, {**PATIENTS[1], "pump_day": "2020-01-02"}, PATIENTS[2]]
    (made,) = samples(gas(ROWS, patients=patients, **keys))
    assert made.sample.frame.select("pid", "lac", "lac.time").rows() == [("1", 4.0, 4.0), ("1", 8.0, 4 + 1 / 60)]
    assert made.details["lac.before_landmark"] == 2
    assert made.details["lac.patients_without_measurement"] == 2


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("{type: repeated, column: lactate}", "E250"), ("{type: repeated, from: gas}", "E250"),
        ("{type: repeated, from: gas, column: lactate, value: age}", "E251"),
        ("{type: repeated, from: gas, column: lactate, event: died = yes}", "E251"),
        ("{type: repeated, from: blood, column: lactate}", "E233"), ("{type: repeated, from: gas, column: rhythm}", "E662"),
        ("{type: binary, event: died = yes, from: gas}", "E251"), ("{type: continuous, value: age, column: lactate}", "E251"),
        ("{type: time-to-event, event: death, window: 0 to 4 hours}", "E251"),
    ],
)  # fmt: skip
def test_a_repeated_outcome_has_its_own_keys(gas, outcome, code):
    outcomes = REPEATED.replace("{lac:", f"{{x: {outcome}, lac:")
    path = gas(ROWS, outcomes=outcomes, analyses="[{id: A1, role: primary, outcome: died, method: two-proportions}]")
    with pytest.raises(ProtocolError, match=code):
        read_plan(path)
