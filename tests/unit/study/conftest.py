from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from counterpulse.data import read_dictionary, read_table
from counterpulse.data.patient_table import PatientTable
from counterpulse.protocol import read_protocol
from counterpulse.protocol.plan import Plan
from counterpulse.study.patients.cohort import Cohort, make_cohort
from counterpulse.study.planning.plan import draft_plan

DICTIONARY = """\
name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
pid,,Patient,id,,,,,,,,
start,,Admission,date,,,,,,,,
began,,Admission to the minute,datetime,,,,,,,,
device,,Device,category,,pump=Pump|none=No pump|other=Other device,,,,,,
device_given,,Device given,category,,pump=Pump|none=No pump,,,,,,
pump_day,,Pump started,date,,,,,,,,
age,,Age,number,years,,0,120,,,,
sex,,Sex,category,,F=Female|M=Male,,,,,,
stage,,Stage,ordinal,,1=I|2=II|3=III,,,,,,
died,,Died,yesno,,,,,,,,
bled,,Bleeding,yesno,,,,,,,,
hours,,Hours to death or last contact,number,h,,,,,,,
death,,Date of death,date,,,,,,,,
stroke,,Date of stroke,date,,,,,,,,
death_at,,Time of death,datetime,,,,,,,,
seen,,Last seen,date,,,,,,,,
discharge,,Discharge,date,,,,,,,,
site,,Site,category,,A=A|B=B,,,,,,
"""
COLUMNS = [line.split(",")[0] for line in DICTIONARY.splitlines()[1:]]
USUAL = {"start": "2020-01-01", "device": "none", "age": "60", "sex": "F", "died": "no", "seen": "2020-12-31"}

PROTOCOL = {
    "protocol": "1",
    "study": "{id: s, title: A study, design: cohort, registration: none, data_seen_before_plan: yes}",
    "data": "{table: s.csv, dictionary: s.dictionary.csv, one_row_per: patient, id: pid}",
    "time_zero": "start",
    "eligibility": "{}",
    "groups": "{variable: device, treated: {pump: Pump}, reference: {none: No pump}, assigned_by: clinician}",
    "outcomes": "{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes, if_unknown: keep-patient}}",
    "missing_data": "{method: complete-case}",
    "analyses": "[{id: A1, role: primary, outcome: died, method: two-proportions}]",
}


@dataclass
class Written:
    """A small study on disk: a few keys of a protocol and a few cells of its patients."""

    directory: Path

    def protocol(self, **keys: str) -> Path:
        lines = [f"{name}: {value}" for name, value in (PROTOCOL | keys).items() if value]
        (self.directory / "s.dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
        path = self.directory / "s.protocol.yaml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def drafted(self, **keys: str):
        protocol = read_protocol(self.protocol(**keys))
        return draft_plan(protocol, read_dictionary(self.directory / "s.dictionary.csv"))

    def plan(self, **keys: str) -> Plan:
        plan, findings = self.drafted(**keys)
        assert plan is not None, [finding.text() for finding in findings]
        return plan

    def codes(self, **keys: str) -> list[str]:
        return [finding.code for finding in self.drafted(**keys)[1] if finding.severity == "error"]

    def table(self, *patients: dict[str, str]) -> PatientTable:
        rows = [USUAL | {"pid": str(number)} | patient for number, patient in enumerate(patients, start=1)]
        frame = pl.DataFrame(
            {name: [row.get(name) or None for row in rows] for name in COLUMNS},
            schema=dict.fromkeys(COLUMNS, pl.String),
        )
        frame.write_csv(self.directory / "s.csv")
        return read_table(self.directory / "s.csv", read_dictionary(self.directory / "s.dictionary.csv"), id="pid")

    def cohort(self, *patients: dict[str, str], **keys: str) -> tuple[Plan, Cohort]:
        plan = self.plan(**keys)
        return plan, make_cohort(plan, self.table(*patients))


@pytest.fixture
def written(tmp_path) -> Written:
    return Written(tmp_path)


@pytest.fixture
def timed(written) -> Callable[..., list[tuple[bool | None, float | None]]]:
    """Event and time of patients under an outcome called `end`."""

    def judge(outcome: str, *patients: dict[str, str], **keys: str):
        kind = "" if "type:" in outcome else "type: time-to-event, "
        outcomes = f"{{end: {{label: End, {kind}better: lower, primary: yes, if_unknown: keep-patient, {outcome}}}}}"
        analyses = "[{id: A1, role: primary, outcome: end, method: kaplan-meier}]"
        _, cohort = written.cohort(*patients, **{"outcomes": outcomes, "analyses": analyses, **keys})
        return list(cohort.frame.select("end.event", "end.time").iter_rows())

    return judge
