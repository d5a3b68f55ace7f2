from __future__ import annotations

import polars as pl
import pytest

from counterpulse.errors import UsageError
from counterpulse.study.load import check, read_study
from counterpulse.study.mock.mock import write_mock
from counterpulse.study.patients.cohort import make_cohort

N = 200
DICTIONARY = """\
name,source,type,unit,levels,minimum,maximum
pid,,id,,,,
start,Day + Clock,datetime,,,2020-01-01,2020-12-31
pump,,yesno,,,,
died,,yesno,,,,
seen,,date,,,,
"""
GAS_DICTIONARY = """\
name,source,type,unit,levels,minimum,maximum
pid,Who,id,,,,
taken,,{kind},{unit},,,
lactate,Lac,number,mmol/L,,0,20
rhythm,,category,,SR=Sinus|AF=Fibrillation,,
"""
PROTOCOL = """\
protocol: 1
study: {{id: here, title: A study, design: cohort}}
data: {{table: patients.csv, dictionary: dictionary.csv, id: pid}}
tables: {{gas: {{file: gas.csv, dictionary: gas.dictionary.csv, id: pid, time: taken}}}}
time_zero: {zero}
groups: {{variable: pump, treated: {{yes: Pump}}, reference: {{no: No pump}}}}
variables:
  early: {{from: gas, column: lactate, take: first, window: {early}}}
  late: {{from: gas, column: lactate, take: last, window: {late}}}
outcomes: {{dead: {{label: Death, type: binary, event: died = yes, primary: yes, better: lower}}}}
missing_data: {{method: complete-case}}
seed: 3
analyses: [{{id: A1, role: primary, outcome: dead, method: logistic-regression, adjust: [early, late]}}]
"""


@pytest.fixture
def protocol(tmp_path):
    def write(kind="datetime", unit="", zero="start", early="0 to 4 hours", late="2 to 3 days"):
        (tmp_path / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
        (tmp_path / "gas.dictionary.csv").write_text(GAS_DICTIONARY.format(kind=kind, unit=unit), encoding="utf-8")
        path = tmp_path / "study.protocol.yaml"
        path.write_text(PROTOCOL.format(zero=zero, early=early, late=late), encoding="utf-8")
        return path

    return write


CASES = [
    {},
    {"kind": "date", "early": "0 to 1 days"},
    {"kind": "number", "unit": "h", "zero": "{text: Admission, counted: yes}"},
    {"kind": "integer", "unit": "days", "zero": "{text: Admission, counted: yes}", "early": "0 to 1 days"},
]


@pytest.mark.parametrize("case", CASES)
def test_mock_rows_pass_the_checks_and_fill_the_windows(protocol, tmp_path, case):
    path = protocol(**case)
    patients, gas = write_mock(path, out=tmp_path / "mock.csv", n=N)
    assert (patients.name, gas.name) == ("mock.csv", "mock.gas.csv")
    findings, code = check(path, data=patients)
    assert code == 0, [finding.text() for finding in findings]
    assert {finding.code for finding in findings if finding.severity == "warning"} <= {"W260"}
    plan, table = read_study(path, data=patients)
    assert table.data_kind == "mock"
    frame = make_cohort(plan, table).frame
    for name in ("early", "late"):
        assert 0.5 * N < N - frame[name].null_count() < N
    rows = table.related["gas"]
    assert not rows.select(pl.struct("pid", "taken").is_duplicated().any()).item()


def test_the_same_seed_gives_the_same_rows(protocol, tmp_path):
    path = protocol()
    first, second, third = (
        write_mock(path, out=tmp_path / f"{name}.csv", n=30, seed=seed)[1]
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != third.read_bytes()


def test_no_table_that_is_there_is_replaced(protocol, tmp_path):
    path = protocol()
    (tmp_path / "mock.gas.csv").write_text("real")
    with pytest.raises(UsageError, match=r"mock\.gas\.csv is already there"):
        write_mock(path, out=tmp_path / "mock.csv", n=30)
    assert not (tmp_path / "mock.csv").exists()
