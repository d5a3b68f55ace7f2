"""A study of usual size, made here: 42 columns, six analyses, ten subgroups, dummy patients."""

from __future__ import annotations

from pathlib import Path

N = 5500
YES_NO = [f"history_{number}" for number in range(1, 17)]
NUMBERS = [f"value_{number}" for number in range(1, 15)]
HEADER = "name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section"

PROTOCOL = """\
protocol: 1
study: {{id: bench, title: A study of usual size, design: cohort, registration: none, data_seen_before_plan: no}}
data: {{table: patients.csv, dictionary: dictionary.csv, one_row_per: patient, id: patient, site: center, kind: mock}}
time_zero: start
eligibility:
  include: [{{id: adult, text: Adults, rule: age >= 18, if_unknown: stop}}]
  exclude: [{{id: history, text: Earlier device, rule: history_16 = yes, if_unknown: keep-patient}}]
groups: {{variable: pump, treated: {{yes: Pump}}, reference: {{no: No pump}}, assigned_by: clinician}}
exposure: {{given: pump = yes, starts: pump_start}}
immortal_time: {{plan: landmark, at: 24 hours}}
follow_up: {{death: death, last_seen: last_seen}}
outcomes:
  died: {{label: In-hospital death, type: binary, event: died_in_hospital = yes, primary: yes, better: lower}}
  death_30d: {{label: Death within 30 days, type: time-to-event, event: death, horizon: 30 days, better: lower}}
confounders: {{all: [age, sex, diagnosis, {confounders}]}}
missing_data: {{method: complete-case}}
seed: 1
analyses:
  - id: A1
    role: primary
    outcome: died
    method: logistic-regression
    adjust: all
    clusters: {{variable: center, as: robust}}
    estimand: {{contrast: odds ratio, kind: conditional, target: all, also: [risk difference, risk ratio]}}
  - {{id: A2, role: secondary, outcome: died, method: two-proportions}}
  - {{id: A3, role: secondary, outcome: death_30d, method: kaplan-meier}}
  - {{id: A4, role: secondary, outcome: death_30d, method: cox, adjust: all}}
  - {{id: A5, role: secondary, outcome: death_30d, method: rmst}}
  - {{id: S1, role: sensitivity, of: A4, immortal_time: {{plan: time-varying}}}}
subgroups:
  of: A1
  by: [{{variable: age, cut: [65]}}, sex, diagnosis, history_1, history_2, history_3, history_4, history_5, history_6, history_7]
"""


def write_study(folder: Path) -> Path:
    """Write dictionary, protocol and dummy patients; the path of the protocol comes back."""
    import counterpulse as cp

    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        "patient,,Patient,id,,,,,,,,",
        "center,,Center,category,,,,,,,,",
        "start,,Support started,datetime,,,2017-01-01,2023-07-31,,,,",
        "pump,,Pump,yesno,,,,,,,,",
        'pump_start,,Pump started,datetime,,,,,,"pump = yes",,',
        "death,,Death,datetime,,,,,,,,",
        "last_seen,,Last seen,datetime,,,,,,,,",
        "died_in_hospital,,Died in hospital,yesno,,,,,,,,",
        "age,,Age,number,y,,18,100,,,,",
        "sex,,Sex,category,,F=Female|M=Male,,,,,,",
        "diagnosis,,Diagnosis,category,,ami=Infarction|chf=Heart failure|pcs=After surgery|other=Other,,,,,,",
        "icu_days,,ICU stay,number,d,,0,400,,,,",
        *(f"{name},,{name},yesno,,,,,,,," for name in YES_NO),
        *(f"{name},,{name},number,,,1,100,,,," for name in NUMBERS),
    ]
    (folder / "dictionary.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    path = folder / "bench.protocol.yaml"
    path.write_text(PROTOCOL.format(confounders=", ".join([*YES_NO[:10], *NUMBERS[:8]])))
    protocol, dictionary = cp.read_protocol(path), cp.read_dictionary(folder / "dictionary.csv")
    cp.mock_table(protocol, dictionary, n=N).write_csv(folder / "patients.csv", datetime_format="%Y-%m-%d %H:%M")
    return path
