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


CHAIN = """\
outcomes:
  died: {{label: In-hospital death, type: binary, event: died_in_hospital = yes, primary: yes, better: lower}}
  death_30d: {{label: Death within 30 days, type: time-to-event, event: death, horizon: 30 days, better: lower}}
  icu: {{label: ICU stay, type: continuous, value: icu_days, better: lower}}
  bled: {{label: Bleeding, type: binary, event: history_11 = yes, better: lower, if_unknown: remove-patient}}
  stroke: {{label: Stroke, type: binary, event: history_12 = yes, better: lower, if_unknown: remove-patient}}
  renal: {{label: Dialysis, type: binary, event: history_13 = yes, better: lower, if_unknown: remove-patient}}
confounders: {{all: [age, sex, diagnosis, {confounders}]}}
missing_data: {{method: multiple-imputation, datasets: 20, auxiliary: [{auxiliary}]}}
seed: 1
analyses:
  - id: A1
    role: primary
    outcome: died
    method: logistic-regression
    adjust: all
    estimand: {{contrast: odds ratio, kind: conditional, target: all, also: [risk difference]}}
  - {{id: M1, role: secondary, outcome: [died, death_30d, icu, bled, stroke, renal], method: propensity-matching,
     propensity: {{model: all, caliper: 0.2 SD of logit}}}}
  - {{id: W1, role: secondary, outcome: [died, death_30d, icu, bled, stroke, renal], method: propensity-weighting,
     propensity: {{model: all}}, estimand: {{target: overlap}}}}
  - {{id: B1, role: sensitivity, of: A1, missing_data: complete-case, bootstrap: 1000}}
"""
"""The whole chain in place of the outcomes and analyses of the protocol: imputed, matched and weighted in each table, pooled."""


def chain_of(protocol: str) -> str:
    """The protocol with the analyses of the whole chain; eligibility and the ten subgroups stay."""
    before, _, rest = protocol.partition("outcomes:\n")
    _, _, subgroups = rest.partition("subgroups:\n")
    return f"{before}{CHAIN}subgroups:\n{subgroups}"


def write_study(folder: Path, *, chain: bool = False) -> Path:
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
    text = chain_of(PROTOCOL) if chain else PROTOCOL
    auxiliary = ", ".join([*YES_NO[13:15], *NUMBERS[8:]])
    path.write_text(text.format(confounders=", ".join([*YES_NO[:10], *NUMBERS[:8]]), auxiliary=auxiliary))
    protocol, dictionary = cp.read_protocol(path), cp.read_dictionary(folder / "dictionary.csv")
    cp.mock_table(protocol, dictionary, n=N).write_csv(folder / "patients.csv", datetime_format="%Y-%m-%d %H:%M")
    return path
