"""A small study to break: a hundred and twenty patients who never lived, its protocol, and the command line in this process."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from counterpulse.cli.main import invoke

N = 120
DICTIONARY = """\
name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
patient,Study number,Patient,id,,,,,,,,
admitted,Admission,Admission,date,,,,,,,,
device,Device,Device,category,,pump=Pump|none=No pump,,,,,,
age,Age,Age,number,years,,0,120,,,,
sex,Sex,Sex,category,,F=Female|M=Male,,,,,,
lactate,Lactate,Lactate,number,mmol/L,,,,,,,
remark,Remark,Remark,text,,,,,,,,
site,Site,Site,category,,,,,,,,
died,Died,Died in hospital,yesno,,,,,,,,
bled,Bled,Bleeding,yesno,,,,,,,,
stroke,Stroke,Stroke,yesno,,,,,,,,
death_date,Death,Date of death,date,,,,,,,,
stroke_date,Stroke date,Date of stroke,date,,,,,,,,
last_seen,Last seen,Last seen alive,date,,,,,,,,
days,Days,Days to death or last contact,number,days,,,,,,,
"""
PROTOCOL = """\
protocol: 1
study: {id: ward, title: Balloon pump on a ward, design: cohort, registration: none, data_seen_before_plan: no}
data: {table: ward.csv, dictionary: dictionary.csv, one_row_per: patient, id: patient}
time_zero: admitted
eligibility:
  include:
    - {id: adult, text: Aged 18 years or older, rule: age >= 18, if_unknown: stop}
groups: {variable: device, treated: {pump: Pump}, reference: {none: No pump}, assigned_by: clinician}
follow_up: {death: death_date, last_seen: last_seen}
outcomes:
  death_here: {label: Death in hospital, type: binary, event: died = yes, primary: yes, better: lower}
  death: {label: Death, type: time-to-event, event: death, horizon: 60 days, time_unit: days, better: lower}
confounders: {baseline: [age, sex, lactate]}
missing_data: {method: complete-case}
seed: 1
analyses:
  - {id: A1, role: primary, outcome: death_here, method: logistic-regression, adjust: baseline}
  - {id: K1, role: secondary, outcome: death, method: kaplan-meier}
  - {id: C1, role: secondary, outcome: death, method: cox, adjust: [age]}
"""
Columns = dict[str, list[str]]


def patients(n: int = N) -> Columns:
    """A table by header, every value as text."""
    random = np.random.default_rng(20240229)
    pump = random.random(n) < 0.4
    male = random.random(n) < 0.6
    age = np.round(random.normal(62, 12, n).clip(19, 95))
    lactate = np.round(random.gamma(3.0, 1.7, n), 1)
    risk = 1 / (1 + np.exp(-(-4.2 + 0.045 * age + 0.25 * lactate - 0.3 * pump)))
    died = random.random(n) < risk
    days = np.where(died, random.integers(1, 50, n), random.integers(20, 200, n))
    start = [date(2019, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 700, n)]
    end = [first + timedelta(days=int(length)) for first, length in zip(start, days, strict=True)]
    stroke = random.random(n) < 0.15

    def yes(mask):
        return ["yes" if item else "no" for item in mask]

    return {
        "Study number": [f"WARDPT{number:04d}" for number in range(n)],
        "Admission": [day.isoformat() for day in start],
        "Device": ["pump" if item else "none" for item in pump],
        "Age": [f"{item:.0f}" for item in age],
        "Sex": ["M" if item else "F" for item in male],
        "Lactate": [f"{item:.1f}" for item in lactate],
        "Remark": [f"secret remark {number} of nobody" for number in range(n)],
        "Site": [f"site{number % 8}" for number in range(n)],
        "Died": yes(died),
        "Bled": yes(random.random(n) < 0.2),
        "Stroke": yes(stroke),
        "Death": [day.isoformat() if dead else "" for day, dead in zip(end, died, strict=True)],
        "Stroke date": [
            (day + timedelta(days=1)).isoformat() if hit else "" for day, hit in zip(start, stroke, strict=True)
        ],
        "Last seen": [day.isoformat() for day in end],
        "Days": [str(item) for item in days],
    }


@dataclass(frozen=True)
class Said:
    """What a command left: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def call(*arguments: object) -> Said:
    """The command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = invoke([str(argument) for argument in arguments])
    return Said(code, out.getvalue(), err.getvalue())


class Ward:
    """The study in a directory; change its parts, then call."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.protocol, self.dictionary, self.columns = PROTOCOL, DICTIONARY, patients()
        self.table: str | bytes | None = None  # instead of the columns

    path = property(lambda self: self.directory / "ward.protocol.yaml")
    data = property(lambda self: self.directory / "ward.csv")
    bundle = property(lambda self: self.directory / "ward-report")

    def edit(self, old: str, new: str) -> Ward:
        """Change the protocol; what is changed must be there."""
        assert old in self.protocol
        self.protocol = self.protocol.replace(old, new)
        return self

    def define(self, old: str, new: str) -> Ward:
        """Change the dictionary; what is changed must be there."""
        assert old in self.dictionary
        self.dictionary = self.dictionary.replace(old, new)
        return self

    def set(self, column: str, row: int, value: str) -> Ward:
        """Change one value; rows count from 0."""
        self.columns[column][row] = value
        return self

    def fill(self, column: str, value: str) -> Ward:
        """One value for everybody."""
        self.columns[column] = [value] * len(self.columns[column])
        return self

    def csv(self, separator: str = ",") -> str:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        return out.getvalue()

    def write(self) -> Ward:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.protocol, encoding="utf-8")
        (self.directory / "dictionary.csv").write_text(self.dictionary, encoding="utf-8")
        table = self.csv() if self.table is None else self.table
        self.data.write_bytes(table.encode() if isinstance(table, str) else table)
        return self

    def run(self, *options: object) -> Said:
        """Write the files and run the study into `bundle`."""
        self.write()
        return self.checked(call("run", self.path, "--out", self.bundle, "--jobs", 1, *options))

    def check(self, *options: object) -> Said:
        """Write the files and check the study."""
        self.write()
        return self.checked(call("check", self.path, *options))

    def checked(self, said: Said) -> Said:
        """No bug, and nothing of a patient."""
        assert "Internal error" not in said.text, said.text
        assert "Traceback" not in said.text
        for column in ("Study number", "Remark", "Admission", "Death", "Stroke date"):
            leaked = [value for value in self.columns.get(column, []) if len(value) > 5 and value in said.text]
            assert not leaked, said.text
        return said

    def results(self) -> dict:
        """results.json of the bundle."""
        return json.loads((self.bundle / "results.json").read_text(encoding="utf-8"))
