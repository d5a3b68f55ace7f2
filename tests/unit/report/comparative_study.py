"""Made-up blocks of matching, weighting, imputation, immortal time and robustness, put beside the study in conftest."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import exp, sqrt

import numpy as np
from bench_study import block
from made_up_study import ECMO, IABP, make_result

from counterpulse.results import StudyResult

SAMPLES = ("unadjusted", "matched")
COVARIATES = (("age", None), ("sex", "F"), ("diabetes", "yes"), ("lactate", None), ("propensity score", None))


def balance(samples=SAMPLES, *, imputed=False):
    rng = np.random.default_rng(3)
    rows = []
    for name, level in COVARIATES:
        for k, sample in enumerate(samples):
            smd = float(rng.normal(0, 0.35 / (1 + 6 * k)))
            most = abs(smd) + float(rng.uniform(0.01, 0.06)) if imputed else None
            middle = 0.3 if level or name.startswith("p") else {"age": 61.0, "lactate": 6.4}[name]
            means = (middle * (1 + smd / 8), middle)
            ratio = None if level else exp(float(rng.normal(0, 0.2)))
            rows.append((name, level, sample, smd, most, "treated", *means, ratio, abs(smd) / 2.6))
    return block("A1.death_hospital.balance", rows)


def effective():
    rows = [("unadjusted", IABP, 832.0, 832.0), ("unadjusted", ECMO, 4648.0, 4648.0)]
    return block(
        "A1.death_hospital.effective-size", [*rows, ("matched", IABP, 815.0, 815.0), ("matched", ECMO, 815.0, 815.0)]
    )


def overlap(groups=(IABP, ECMO), samples=SAMPLES):
    rng = np.random.default_rng(11)
    rows = []
    for k, sample in enumerate(samples):
        for g, group in enumerate(groups):
            shape = (3.0, 6.0) if k or not g else (2.0 + g / 3, 9.0)
            shares = np.histogram(rng.beta(*shape, 3000), 20, (0, 1))[0] / 3000
            rows += [(sample, group, i / 20, (i + 1) / 20, float(share)) for i, share in enumerate(shares)]
    return block("A1.death_hospital.overlap", rows)


def weights():
    return block(
        "A1.death_hospital.weights",
        [
            (IABP, 832, 412.3, 1.0, 0.21, 0.28, 0.62, 0.85, 1.21, 3.9, 8.44),
            (ECMO, 4648, 4390.1, 1.0, 0.88, 0.89, 0.95, 0.99, 1.04, 1.2, 1.66),
        ],
    )


def imputation():
    rows = [
        ("lactate", "pmm", 812, 14.8, 1.01, 1.02, "ok"), ("diabetes", "logistic", 55, 1.0, 1.0, 1.03, "ok"),
        ("age", "normal", 120, 2.2, 1.24, 1.31, "imputation-not-mixed"), ("bmi", "passive", 820, 15.0, None, None, "ok"),
    ]  # fmt: skip
    return block("imputation.imputation", rows)


def matrix():
    names = ("age", "sex", "diabetes", "lactate", "death_hospital", "hazard of death_30d", "center")
    rows = [
        (row, name, "no" if row == name or (row == "age" and name == "center") else "yes")
        for row, name in product(names[:4], names)
    ]
    return block("imputation.predictor-matrix", rows)


def trace(names=("lactate", "diabetes", "age"), m=20, iterations=10):
    rng = np.random.default_rng(5)
    rows = [
        (name, chain, step, 5 + float(rng.normal(0, 0.4)), 2 + float(rng.normal(0, 0.2)))
        for name, chain, step in product(names, range(1, m + 1), range(1, iterations + 1))
    ]
    return block("imputation.imputation-trace", rows)


def density(names=("lactate", "age"), m=20):
    rng = np.random.default_rng(6)
    grid = np.linspace(0, 20, 80)
    rows = []
    for name, k in product(names, range(m + 1)):
        middle, spread = 6 + (float(rng.normal(0, 0.5)) if k else 0.0), 2.5
        for x in grid:
            rows.append((name, k, None, float(x), exp(-(((x - middle) / spread) ** 2) / 2) / (spread * sqrt(6.283))))
    for k in range(m + 1):
        share = 0.25 + (float(rng.normal(0, 0.03)) if k else 0.0)
        rows += [("diabetes", k, "no", None, 1 - share), ("diabetes", k, "yes", None, share)]
    return block("imputation.imputation-density", rows)


def immortal(outcomes=("death_30d",)):
    rows = []
    for outcome in outcomes:
        same = ("age, sex", 5480, 2450, 0, 0)
        rows += [
            ("A4", None, "as observed", outcome, "hazard ratio", 0.189, 0.09, 0.397, *same, 98213.0, 0.0, 4412.5, "days"),
            ("A4", None, "time-varying", outcome, "hazard ratio", 1.014, 0.56, 1.83, *same, 98213.0, 0.0, 0.0, "days"),
            ("A5", "30 days", "landmark", outcome, "hazard ratio", 0.72, 0.4, 1.29, "age, sex", 4100, 1320, 1380, 12, 80210.0, 18003.0, 210.0, "days"),
            ("A6", "90 days", "landmark", outcome, "hazard ratio", 0.95, 0.5, 1.81, "age, sex", 3020, 800, 2460, 31, 61412.0, 36801.0, 400.0, "days"),
            ("A7", None, "clone-censor-weight", outcome, "hazard ratio", None, None, None, *same, 98213.0, 0.0, 0.0, "days"),
        ]  # fmt: skip
    return block("A4.immortal-time", rows)


def e_values():
    rows = [
        ("A1.death_hospital.iabp.odds-ratio", "odds ratio", 0.823, 0.52, "common", 1.44, 1.09, "ok"),
        ("A1.death_hospital.iabp.risk-difference", "risk difference", -0.0455, 0.53, "risk in the reference group", 1.41, 1.08, "ok"),
        ("A1.death_hospital.iabp.risk-ratio", "risk ratio", 0.914, 0.52, "none", 1.41, 1.0, "ok"),
    ]  # fmt: skip
    return block("A1.e-value", rows)


def tipping(measure="odds ratio"):
    rows = []
    for k in range(-4, 9):
        middle = -0.195 + 0.03 * k
        ends = [middle, middle - 0.18, middle + 0.18]
        rows.append(("lactate", k / 2, measure, *(exp(end) if "ratio" in measure else end for end in ends), 0.04))
    return block("A1.death_hospital.lactate.tipping-point", rows)


def specifications(n=(2, 3, 2, 2), measure="odds ratio"):
    rng = np.random.default_rng(9)
    names = ("Adjustment", "Missing values", "Clusters", "Follow-up")[: len(n)]
    options = [[f"{name.lower()}, option {k + 1}" for k in range(many)] for name, many in zip(names, n, strict=True)]
    found = sorted((float(rng.normal(-0.15, 0.12)), combination) for combination in product(*options))
    main = tuple(option[0] for option in options)
    rows = []
    for rank, (value, combination) in enumerate(found, start=1):
        ends = [value, value - 0.17, value + 0.17]
        numbers = [exp(end) if "ratio" in measure else end for end in ends]
        for name, option in zip(names, combination, strict=True):
            rows.append(
                (rank, name, option, measure, *numbers, 0.05, 5000, 2600, "yes" if combination == main else "no")
            )
    return block("A1.death_hospital.specification-curve", rows)


def characteristics():
    rows = []
    for scenario, truth, power in (("no effect", 1.0, 0.05), ("odds ratio 0.7", 0.7, 0.83)):
        rows.append(
            (
                scenario,
                "A1.death_hospital.iabp.odds-ratio",
                "death_hospital",
                "odds ratio",
                truth,
                200,
                1,
                truth * 1.01,
                0.01,
                0.006,
                0.09,
                0.088,
                0.945,
                0.016,
                power,
                0.02,
            )
        )
        rows.append(
            (
                scenario,
                "A1.death_hospital.iabp.risk-difference",
                "death_hospital",
                "risk difference",
                truth / 10 - 0.1,
                200,
                0,
                0.01,
                0.001,
                0.001,
                0.02,
                0.02,
                0.955,
                0.015,
                power,
                0.02,
            )
        )
    return block("A1.operating-characteristics", rows)


def comparative_blocks():
    return (
        balance(imputed=True), effective(), overlap(), weights(), imputation(), matrix(), trace(), density(), immortal(), e_values(),
        tipping(), specifications(), characteristics(),
    )  # fmt: skip


def comparative_result() -> StudyResult:
    result = make_result()
    return replace(result, blocks=(*result.blocks, *comparative_blocks()))
