from __future__ import annotations

import polars as pl
import pytest

from counterpulse.data import read_dictionary, read_table
from counterpulse.errors import InputError, UsageError
from counterpulse.protocol.read import read_protocol
from counterpulse.protocol.scope import study_scope
from counterpulse.study.mock.mock import mock_table, write_mock
from counterpulse.study.patients.derive import condition, derive_variables

N = 400

DICTIONARY = """\
name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
pid,Patient number,Patient,id,,,,,,,,
site,,Site,category,,,,,,,,
start,ECMO started,ECMO started,datetime,,,2020-01-01,2020-12-31,,,,
pump,Pump,Pump,yesno,,1=yes|2=no,,,9,,,
pump_start,,Pump started,datetime,,,,,,"pump = yes",,
sex,Sex,Sex,category,,F=Female|M=Male|X=Other,,,,,,
pregnant,,Pregnant,yesno,,,,,,sex = 'F',,
age,,Age,number,y,,0,110,999,,,
weight,,Weight,number,kg,,20,300,,,,
score,,Score,ordinal,,1=I|2=II|3=III,,,,,,
drugs,,Drugs,integer,,,0,8,,,yes,
died,,Died,yesno,,,,,,,,
death,,Death,date,,,,2021-06-30,,,,
seen,,Last seen,date,,,,2021-06-30,,,,
remark,,Remark,text,,,,,,,,
"""

PROTOCOL = """\
protocol: 1
study: {id: here, title: A study, design: cohort}
data: {table: patients.csv, dictionary: dictionary.csv, id: pid, site: site, kind: mock}
time_zero: start
eligibility:
  include:
    - {id: adult, text: Adult, rule: age >= 18, if_unknown: stop}
    - {id: female, text: Women, rule: sex = "F", if_unknown: stop}
    - {id: heavy, text: Heavy, rule: heavy, if_unknown: stop}
  exclude: [{id: pregnant, text: Pregnant, rule: pregnant = yes, if_unknown: keep-patient}]
groups: {variable: pump, treated: {yes: Pump}, reference: {no: No pump}}
exposure: {given: pump = yes, starts: pump_start}
immortal_time: {plan: landmark, at: 24 hours}
follow_up: {death: death, last_seen: seen}
variables: {heavy: {label: Heavy, rule: weight >= 60}}
outcomes: {dead: {label: Death, type: binary, event: died = yes, primary: yes, better: lower}}
missing_data: {method: complete-case}
seed: 3
analyses: [{id: A1, role: primary, outcome: dead, method: two-proportions}]
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    (tmp_path / "study.protocol.yaml").write_text(PROTOCOL, encoding="utf-8")
    return read_protocol(tmp_path / "study.protocol.yaml"), read_dictionary(tmp_path / "dictionary.csv")


@pytest.fixture
def table(study, tmp_path):
    (path,) = write_mock(study[0].path, out=tmp_path / "mock.csv", n=N)
    return read_table(path, study[1], id="pid", data_kind="mock")


def test_every_value_passes_the_checks_of_real_data(table):
    assert table.findings == ()
    assert table.frame.height == N


def test_headers_and_codes_are_those_of_the_file(study):
    frame = mock_table(*study, n=50)
    assert frame.columns[:4] == ["Patient number", "site", "ECMO started", "Pump"]
    assert set(frame["Pump"]) == {"1", "2"}


def test_the_same_arguments_give_the_same_patients(study):
    assert mock_table(*study, n=50, seed=8).equals(mock_table(*study, n=50, seed=8))
    assert not mock_table(*study, n=50, seed=8).equals(mock_table(*study, n=50, seed=9))
    assert mock_table(*study, n=50).equals(mock_table(*study, n=50, seed=3)), "the protocol's seed is the default"


def test_ids_are_unique_and_what_must_be_known_is(table):
    assert table.frame["pid"].n_unique() == N
    known = ["pid", "site", "start", "pump", "age", "sex", "weight", "died", "seen"]
    assert table.frame.select(pl.col(known).null_count().name.keep()).row(0) == (0,) * len(known)
    assert 0 < table.frame["drugs"].null_count() < N / 5


def test_blank_where_it_does_not_apply(table):
    frame = table.frame
    assert frame.filter(pl.col("sex") != "F")["pregnant"].is_null().all()
    assert frame.filter(~pl.col("pump"))["pump_start"].is_null().all()
    assert frame.filter("pump")["pump_start"].is_not_null().all()


def test_what_happens_happens_after_time_zero_and_before_the_end(table):
    frame = table.frame.with_columns(end=pl.coalesce("death", "seen"))
    assert (frame["seen"] >= frame["start"].dt.date()).all()
    treated = frame.filter("pump")
    assert (treated["pump_start"] >= treated["start"]).all()
    assert (treated["pump_start"].dt.date() <= treated["end"]).all()


def test_the_primary_outcome_goes_with_the_date_of_death(table):
    assert (table.frame["died"] == table.frame["death"].is_not_null()).all()


def test_most_are_eligible_and_both_groups_have_events(study, table):
    protocol, dictionary = study
    scope = study_scope(protocol.nodes, dictionary)
    frame = derive_variables(table.frame, protocol.nodes, scope)
    rule = 'age >= 18 and sex = "F" and heavy and not pregnant = yes'
    eligible = frame.filter(condition(rule, scope).fill_null(False))
    assert eligible.height > 0.7 * N
    counts = eligible.group_by("pump").agg(pl.col("died").sum(), pl.len())
    assert counts.height == 2
    assert (counts["died"] > 0).all()
    assert (counts["died"] < counts["len"]).all()


def test_a_file_that_is_there_is_never_replaced(study, tmp_path):
    (tmp_path / "patients.csv").write_text("real")
    with pytest.raises(UsageError, match="not replaced"):
        write_mock(study[0].path, out=tmp_path / "patients.csv")
    assert (tmp_path / "patients.csv").read_text() == "real"


def test_nobody_is_no_table(study):
    with pytest.raises(InputError, match="at least one"):
        mock_table(*study, n=0)


def test_what_only_a_related_table_could_answer_is_left_out(study, tmp_path):
    related = PROTOCOL.replace(
        "variables: {",
        "tables: {gas: {file: gas.csv, id: pid, time: at}}\nvariables: {fell: {rule: late < 2}, "
        "late: {from: gas, column: lactate, take: last, window: 4 to 24 hours}, ",
    ).replace("exclude: [", "exclude: [{id: fell, text: Lactate fell, rule: fell, if_unknown: keep-patient}, ")
    (tmp_path / "related.protocol.yaml").write_text(related, encoding="utf-8")
    assert mock_table(read_protocol(tmp_path / "related.protocol.yaml"), study[1], n=30).height == 30
