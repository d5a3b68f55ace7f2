"""Rehearsals of studies whose truth is known: coverage, power by closed formulas, immortal time and confounding as planted."""

from datetime import date, timedelta
from math import log, sqrt

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtr

from counterpulse.numerics.random_streams import stream
from counterpulse.study import read_study, rehearse_analyses

pytestmark = pytest.mark.slow

PATIENTS, REPLICATES = 400, 500
ERRORS = 4.0  # Monte Carlo errors within which a share or a bias must lie
FORMULA = 0.02  # what the closed formulas of power leave out: groups of random size, a normal test
EVEN = 2e-3  # relative: even chances of the people behind a truth leave so much of a ratio open
SMALL_SAMPLE = 0.03  # bias of log odds and hazard ratios in 400 patients
DICTIONARY = """\
name,source,label,type,unit,levels,minimum,maximum,missing_codes,applies_if,integer,section
pid,,Patient,id,,,,,,,,
start,,Admission,date,,,,,,,,
pump,,Pump,yesno,,,,,,,,
pump_day,,Pump started,date,,,,,,,,
age,,Age,number,years,,0,120,,,,
died,,Died,yesno,,,,,,,,
death,,Date of death,date,,,,,,,,
seen,,Last seen,date,,,,,,,,
"""
PROTOCOL = """\
protocol: 1
study: {id: s, title: A study, design: cohort, registration: none, data_seen_before_plan: no}
data: {table: s.csv, dictionary: d.csv, one_row_per: patient, id: pid}
time_zero: start
eligibility: {}
groups: {variable: pump, treated: {yes: Pump}, reference: {no: No pump}, assigned_by: clinician}
EXPOSURE
follow_up: {death: death, last_seen: seen}
outcomes:
  died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes, if_unknown: keep-patient}
  dead: {label: Death, type: time-to-event, event: death, horizon: 60 days, better: lower}
missing_data: {method: complete-case}
seed: 7
analyses:
ANALYSES
rehearsal:
  replicates: 500
  outcomes:
    died: {risk: 0.4, within: 60 days, effects: 0.6}
    dead: {risk: 0.5, shape: 0.7, effects: 0.6}
  prognosis: PROGNOSIS
"""


def study(folder, *, late, analyses, prognosis):
    """Patients without any outcome; the older are treated more often, and later than day 0 if at all."""
    rng = stream(11, "rehearsed study")
    age = rng.normal(60, 10, PATIENTS)
    pump = rng.random(PATIENTS) < 1 / (1 + np.exp(-(age - 60) / 10))
    wait = rng.integers(1, 25, PATIENTS) if late else np.zeros(PATIENTS, dtype=int)
    zero = date(2020, 1, 1)
    days = [(zero + timedelta(days=int(wait[i]))).isoformat() if pump[i] else "" for i in range(PATIENTS)]
    pl.DataFrame(
        {
            "pid": [str(i) for i in range(PATIENTS)], "start": [zero.isoformat()] * PATIENTS,
            "pump": ["yes" if given else "no" for given in pump], "pump_day": days, "age": [f"{a:.2f}" for a in age],
            "died": [""] * PATIENTS, "death": [""] * PATIENTS, "seen": [""] * PATIENTS,
        }
    ).write_csv(folder / "s.csv")  # fmt: skip
    (folder / "d.csv").write_text(DICTIONARY, encoding="utf-8")
    exposure = "exposure: {given: pump = yes, starts: pump_day}\nimmortal_time: {plan: time-varying}" if late else ""
    text = PROTOCOL.replace("EXPOSURE", exposure).replace("PROGNOSIS", prognosis)
    (folder / "s.yaml").write_text(text.replace("ANALYSES", analyses), encoding="utf-8")
    plan, table = read_study(folder / "s.yaml")
    found = rehearse_analyses(plan, table)
    return plan, {
        (block.analysis, row["scenario"] == "no effect", row["measure"]): row for block in found.blocks for row in block.rows()
    }, pump.mean()  # fmt: skip


def within(value, expected, error, more=0.0):
    assert abs(value - expected) <= ERRORS * error + more, (value, expected, error)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    analyses = """\
  - {id: L1, role: primary, outcome: died, method: logistic-regression, adjust: none}
  - {id: C1, role: secondary, outcome: dead, method: cox, adjust: none}
  - {id: K1, role: secondary, outcome: dead, method: kaplan-meier, compare_with: log-rank}"""
    return study(tmp_path_factory.mktemp("plain"), late=False, analyses=analyses, prognosis="{age: 0}")


@pytest.fixture(scope="module")
def confounded(tmp_path_factory):
    analyses = """\
  - {id: L1, role: primary, outcome: died, method: logistic-regression, adjust: [age],
     estimand: {contrast: odds ratio, kind: conditional, target: all, also: [risk difference]}}
  - {id: L0, role: sensitivity, of: L1, label: Not adjusted, adjust: none,
     estimand: {contrast: odds ratio, kind: marginal, target: all}}
  - {id: C1, role: secondary, outcome: dead, method: cox, adjust: [age]}"""
    return study(tmp_path_factory.mktemp("confounded"), late=False, analyses=analyses, prognosis="{age: 0.7}")


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    analyses = """\
  - {id: T1, role: primary, outcome: dead, method: cox, adjust: [age]}
  - {id: N1, role: sensitivity, of: T1, label: Naive, immortal_time: {plan: ignore-and-report},
     estimand: {contrast: hazard ratio, kind: conditional, target: all}}
  - {id: M1, role: sensitivity, of: T1, label: Landmark, immortal_time: {plan: landmark, at: 25 days},
     estimand: {contrast: hazard ratio, kind: conditional, target: all}}
  - {id: B1, role: secondary, outcome: died, method: logistic-regression, adjust: [age], immortal_time: {plan: landmark, at: 25 days}}
  - {id: B0, role: secondary, outcome: died, method: logistic-regression, adjust: [age], immortal_time: {plan: ignore-and-report}}"""
    return study(tmp_path_factory.mktemp("late"), late=True, analyses=analyses, prognosis="{age: 0.5}")


def test_intervals_cover_and_power_is_that_of_the_closed_formulas(plain):
    _, rows, treated = plain
    n1, n0 = PATIENTS * treated, PATIENTS * (1 - treated)
    p1 = 0.4 * 0.6 / (1 - 0.4 + 0.4 * 0.6)
    error = sqrt(1 / (n1 * p1 * (1 - p1)) + 1 / (n0 * 0.4 * 0.6))
    row = rows["L1", False, "odds ratio"]
    assert row["truth"] == pytest.approx(0.6, rel=EVEN)  # people with even chances
    within(row["power"], ndtr(-log(0.6) / error - 1.96), row["power_error"], FORMULA)
    within(row["empirical_error"], error, error / sqrt(2 * REPLICATES), FORMULA)
    events = n1 * (1 - 0.5**0.6) + n0 * 0.5
    row = rows["C1", False, "hazard ratio"]
    schoenfeld = ndtr(-log(0.6) * sqrt(events * treated * (1 - treated)) - 1.96)
    within(row["power"], schoenfeld, row["power_error"], FORMULA)
    within(rows["K1", False, "test of curves"]["power"], schoenfeld, row["power_error"], FORMULA)
    for row in rows.values():
        assert row["failed"] == 0
        if row["truth"] is not None:
            within(row["coverage"], 0.95, row["coverage_error"])
            within(row["bias"], 0.0, row["bias_error"], SMALL_SAMPLE)
    for key in (key for key in rows if key[1]):
        within(rows[key]["power"], 0.05, rows[key]["power_error"])


def test_confounding_by_indication_misleads_who_does_not_adjust(confounded):
    _, rows, _ = confounded
    for none in (True, False):
        for key in ("L1", none, "odds ratio"), ("L1", none, "risk difference"), ("C1", none, "hazard ratio"):
            within(rows[key]["bias"], 0.0, rows[key]["bias_error"], SMALL_SAMPLE)
            within(rows[key]["coverage"], 0.95, rows[key]["coverage_error"])
        crude = rows["L0", none, "odds ratio"]
        assert crude["bias"] > 0.3
        assert crude["coverage"] < 0.85
    assert rows["L1", False, "odds ratio"]["truth"] == pytest.approx(0.6, rel=EVEN)
    assert 0.6 < rows["L0", False, "odds ratio"]["truth"] < 0.64  # the odds ratio of everybody is nearer to 1


def test_immortal_time_misleads_the_naive_analysis_alone(late):
    _, rows, _ = late
    for name, measure in (("T1", "hazard ratio"), ("M1", "hazard ratio"), ("B1", "odds ratio")):
        row = rows[name, True, measure]
        within(row["bias"], 0.0, row["bias_error"], SMALL_SAMPLE)
        within(row["coverage"], 0.95, row["coverage_error"])
    naive = rows["N1", True, "hazard ratio"]
    assert naive["bias"] < -0.3
    assert naive["coverage"] < 0.5
    assert rows["B0", True, "odds ratio"]["bias"] < -0.3
    assert rows["N1", False, "hazard ratio"]["truth"] == pytest.approx(0.6, rel=EVEN)
    within(
        rows["T1", False, "hazard ratio"]["bias"], 0.0, rows["T1", False, "hazard ratio"]["bias_error"], SMALL_SAMPLE
    )
    early = rows["M1", False, "hazard ratio"]  # nobody is treated after this landmark
    within(early["bias"], 0.0, early["bias_error"], SMALL_SAMPLE)
