from __future__ import annotations

import pytest

from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.protocol.canonical import protocol_digest
from counterpulse.protocol.lint import lint
from counterpulse.protocol.read import Protocol, parse_protocol
from counterpulse.source import load_yaml

REGISTRY = """\
protocol: 1
study:
  id: registry-pump
  title: Balloon pump after cannulation and in-hospital death
  design: cohort
  registration: none
  data_seen_before_plan: yes
data: {table: registry.csv, dictionary: registry.dictionary.csv, id: patient_id, site: center_id}

time_zero: ecmo_start
eligibility:
  include:
    - {id: va, text: Veno-arterial ECMO for cardiogenic shock, rule: mode = "VA" and shock = yes, if_unknown: stop}
    - {id: adult, text: Aged 18 years or older, rule: age >= 18, if_unknown: stop}
  exclude:
    - {id: pregnant, text: Pregnant, rule: pregnant = yes, if_unknown: keep-patient}
    - id: pump_before
      text: Balloon pump before ECMO
      rule: pump = yes and hours from ecmo_start to pump_time < 0
      if_unknown: stop

groups:
  variable: pump_after
  treated: {pump: Balloon pump}
  reference: {none: No balloon pump}
exposure: {given: pump, starts: pump_time}
immortal_time: {plan: landmark, at: 24 hours}
follow_up: {death: death_time, discharge: discharge_time, after_discharge: alive}

variables:
  pump_after:
    cases:
      - {when: pump = yes, value: pump}
      - {when: pump = no, value: none}
  obese: {label: Obese, rule: bmi >= 28}

populations:
  everybody: {rule: age is known, default: yes}
  adults: {rule: everybody and age >= 18}

outcomes:
  death_hospital: {label: In-hospital death, type: binary, event: died = yes, primary: yes, better: lower}
  death_30d: {label: Death within 30 days, type: time-to-event, event: death, horizon: 30 days, better: lower}
  bleeding: {label: Bleeding, type: composite, any_of: {gi: Gastrointestinal, cannula: Cannulation site}, better: lower}
  icu: {label: ICU stay, type: continuous, value: icu_days, better: lower}

confounders:
  baseline: [age, sex, {variable: bmi, per: 5}]
alpha: 0.05
seed: 20250301

analyses:
  - id: A1
    role: primary
    outcome: death_hospital
    method: logistic-regression
    adjust: baseline
    clusters: {variable: center_id, as: robust}
    estimand: {contrast: odds ratio, kind: conditional, target: all}
  - {id: A2, role: secondary, outcome: death_30d, method: kaplan-meier, also: [cox]}
  - {id: S1, role: sensitivity, of: A1, missing_data: complete-case}

subgroups: {of: A1, by: [{variable: age, cut: [65]}, sex, obese]}
amendments:
  - {date: 2025-02-10, what: Covariates added, why: review, touches: [A1, adult], after_data_seen: yes}
privacy: {small_cells: 5}
report: {style: jama, table1: {show: [smd], p_values: no}}
"""

_COLUMNS = {
    "patient_id": "id", "center_id": "category", "ecmo_start": "datetime", "pump": "yesno", "pump_time": "datetime",
    "mode": "category", "shock": "yesno", "age": "number", "sex": "category", "bmi": "number", "pregnant": "yesno",
    "died": "yesno", "death_time": "datetime", "discharge_time": "datetime", "gi": "yesno", "cannula": "yesno",
    "icu_days": "number", "pump_date": "date",
}  # fmt: skip
_LEVELS = {"mode": {"VA": "Veno-arterial", "VV": "Veno-venous"}, "sex": {"F": "Female", "M": "Male"}}
_UNITS = {"age": "y", "bmi": "kg/m2", "icu_days": "d"}


def protocol_of(text, name="study.yaml"):
    file = load_yaml(text, name)
    nodes = parse_protocol(file)
    return Protocol(nodes, file, name, protocol_digest(nodes))


@pytest.fixture(scope="session")
def registry():
    return REGISTRY


@pytest.fixture(scope="session")
def dictionary():
    variables = {
        name: Variable(name=name, type=kind, source=name, label=name, unit=_UNITS.get(name), levels=_LEVELS.get(name))
        for name, kind in _COLUMNS.items()
    }
    return Dictionary(variables, "registry.dictionary.csv", "sha256:0")


@pytest.fixture(scope="session")
def changed(registry):
    """The registry protocol with one passage replaced."""

    def change(old, new):
        assert registry.count(old) >= 1, f"the protocol holds no {old!r}"
        return registry.replace(old, new, 1)

    return change


@pytest.fixture(scope="session")
def read():
    return protocol_of


@pytest.fixture(scope="session")
def linted(dictionary):
    return lambda text: lint(protocol_of(text), dictionary)
