"""Made-up results of every kind that the analyst's bench gives, put beside those of the study in conftest."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, log

import numpy as np
from made_up_study import ECMO, IABP, analysis, make_plan, make_result, placed, plain, ratio

from counterpulse.data.terms import Spline
from counterpulse.protocol.plan import Plan, PlannedModel, PlannedSelection
from counterpulse.results import AnalysisRecord, At, Block, Estimate, GroupCount, Interval, Status, StudyResult
from counterpulse.results.block import KINDS

LONG = "Intra-aortic balloon pump placed within twenty-four hours of the start of venoarterial support"
CANDIDATES = ("age", "sex", "diabetes", "lactate")


def block(id_, rows):
    analysis_id, kind = id_.split(".")[0], id_.split(".")[-1]
    rows = list(rows)
    columns = {name: tuple(row[k] for row in rows) for k, name in enumerate(KINDS[kind])}
    return Block(id=id_, analysis=analysis_id, kind=kind, columns=columns)


def effect_curve(id_, variable, measure="odds ratio", reference=60.0, reach=1.0):
    values = np.linspace(25, 88, 60)
    lines = []
    for value in values:
        middle = 0.0009 * (value - reference) ** 2 * (1 if value > reference else 0.4)
        half = reach * (0.02 + 0.018 * abs(value - reference))
        ends = (middle, middle - half, middle + half)
        lines.append(
            (variable, measure, reference, float(value), *(exp(end) if "ratio" in measure else end for end in ends))
        )
    return block(id_, lines)


def calibration(id_):
    rng = np.random.default_rng(3)
    lines = []
    for model, slope in (("Clinical", 0.9), ("Clinical and lactate", 1.0)):
        for x in np.linspace(0.06, 0.82, 40):
            y = float(np.clip(0.02 + slope * x, 0, 1))
            lines.append((model, "smooth", float(x), y, max(y - 0.05 - x / 20, 0), min(y + 0.05 + x / 20, 1), None))
        for k in range(10):
            x, y = 0.09 + 0.08 * k, 0.02 + slope * (0.09 + 0.08 * k) + float(rng.normal(0, 0.02))
            lines.append((model, "decile", x, y, max(y - 0.08, 0), min(y + 0.08, 1), 54))
    return block(id_, lines)


def roc(id_):
    lines = []
    for model, power in (("Clinical", 0.45), ("Clinical and lactate", 0.3), ("SAVE", 0.6)):
        lines += [(model, 1 - float(x), float(x**power), 1 - float(x)) for x in np.linspace(0.0, 1, 60)]
    return block(id_, lines)


def decision(id_):
    lines = []
    for at in np.linspace(0.05, 0.7, 40):
        odds = at / (1 - at)
        lines.append(("Clinical", float(at), float(0.48 * (1 - 0.4 * at) - 0.30 * odds * (1 - at))))
        lines.append(("all", float(at), float(0.52 - 0.48 * odds)))
        lines.append(("none", float(at), 0.0))
    return block(id_, lines)


def incidence(id_, causes=("death_30d", "weaned from support")):
    lines, risk = [], []
    for group, n, rates in ((IABP, 832, (0.016, 0.03)), (ECMO, 4648, (0.02, 0.024))):
        for cause, rate in zip(causes, rates, strict=True):
            for day in range(1, 31):
                value = rate / sum(rates) * (1 - exp(-sum(rates) * day))
                error = (value * (1 - value) / n) ** 0.5
                lines.append(
                    (
                        group,
                        cause,
                        float(day),
                        value,
                        value - 1.96 * error,
                        value + 1.96 * error,
                        error,
                        float(round(n * exp(-sum(rates) * (day - 1)))),
                        9.0,
                    )
                )
        risk += [(group, float(day), round(n * exp(-sum(rates) * day)), 0, 0) for day in range(0, 31, 5)]
    at_risk = Block(
        id=id_.replace("cumulative-incidence", "at-risk"), analysis=id_.split(".")[0], kind="numbers-at-risk",
        columns={name: tuple(row[k] for row in risk) for k, name in enumerate(KINDS["numbers-at-risk"])},
    )  # fmt: skip
    return block(id_, lines), at_risk


def distribution(variable="age", groups=(IABP, ECMO)):
    lines = []
    edges = [None, *range(25, 90, 5), None]
    rng = np.random.default_rng(5)
    for k, group in enumerate(groups):
        values = rng.normal(60 - 4 * k, 13, 600 + 900 * k)
        counts = np.histogram(values, [-inf, *range(25, 90, 5), inf])[0]
        lines += [
            (variable, group, None if low is None else float(low), None if high is None else float(high), int(n), 100 * n / len(values))
            for low, high, n in zip(edges, edges[1:], counts, strict=False)
        ]  # fmt: skip
    return block(f"description.{variable}.distribution", lines)


def merged_distribution():
    """As privacy leaves it: bins joined, one count hidden."""
    lines = [
        ("lactate", IABP, None, 4.0, 8, None), ("lactate", IABP, 4.0, 6.0, 40, None), ("lactate", IABP, 6.0, 8.0, 30, None),
        ("lactate", IABP, 8.0, 12.0, 22, None), ("lactate", IABP, 12.0, None, None, None),
        ("lactate", ECMO, None, 2.0, 10, 10.0), ("lactate", ECMO, 2.0, 4.0, 40, 40.0), ("lactate", ECMO, 4.0, 6.0, 30, 30.0),
        ("lactate", ECMO, 6.0, None, 20, 20.0),
    ]  # fmt: skip
    return block("description.lactate.distribution", lines)


def crosstab():
    lines = []
    for row, counts in (("M", (410, 1500, 3)), ("F", (120, 640, None)), ("(missing)", (5, 7, 0))):
        total = sum(n or 0 for n in counts)
        lines += [
            ("sex", row, "diabetes", column, n, None if n is None else 100 * n / total, None if n is None else 10.0)
            for column, n in zip(("yes", "no", "(missing)"), counts, strict=True)
        ]
    return block("description.sex.diabetes.crosstab", lines)


def missing():
    names = ("age", "sex", "lactate", "diabetes")
    patterns = ((), ("lactate",), ("lactate", "diabetes"), ("diabetes",))
    lines = [
        (k, name, "yes" if name in pattern else "no", n, n / 54.8)
        for k, (pattern, n) in enumerate(zip(patterns, (5100, 300, 73, None), strict=True), start=1) if n is not None
        for name in names
    ] + [(4, name, "yes" if name == "diabetes" else "no", None, None) for name in names]  # fmt: skip
    shares = [
        (name, group, n, gone, 100 * gone / n)
        for name, part in (("age", 0.0), ("lactate", 0.07), ("diabetes", 0.01))
        for group, n in ((IABP, 832), (ECMO, 4648), (None, 5480))
        for gone in (round(n * part),)
    ]
    lost = [
        ("A1", "death_hospital", None, 5480, 380, 6.9), ("A1", "death_hospital", "lactate", 5480, 373, 6.8),
        ("A1", "death_hospital", "diabetes", 5480, 80, 1.5), ("A3", "death_30d", None, 5480, 0, 0.0),
    ]  # fmt: skip
    return (
        block("description.missingness", shares), block("description.missing-pattern", lines), block("description.rows-lost", lost),
    )  # fmt: skip


def associations(names=CANDIDATES):
    rng = np.random.default_rng(2)
    lines = [
        (
            a,
            b,
            float(rng.uniform(-1, 1)) if k else None,
            "pearson" if k % 2 else "Cramér's V",
            5100,
            None if k % 2 else 40,
        )
        for k, (a, b) in enumerate((a, b) for i, a in enumerate(names) for b in names[i + 1 :])
    ]
    factors = [(name, 1, 1.2 + 0.3 * k, (1.2 + 0.3 * k) ** 0.5) for k, name in enumerate(names)]
    factors[-1] = (names[-1], 1, None, None)
    return block("description.correlation", lines), block("description.variance-inflation", factors)


def funnel():
    rng = np.random.default_rng(8)
    lines = []
    for k, n in enumerate(sorted(rng.integers(12, 420, 28), reverse=True)):
        events = int(rng.binomial(int(n), 0.52 if k % 9 else 0.66))
        error = (0.52 * 0.48 / n) ** 0.5
        limits = [max(0.0, min(1.0, 0.52 + z * error)) for z in (-1.96, 1.96, -3.09, 3.09)]
        lines.append((str(k + 1), int(n), events, events / int(n), 0.52, *limits))
    lines.append(("3 smaller centers", 19, 11, 11 / 19, 0.52, None, None, None, None))
    return block("description.death_hospital.center-funnel", lines)


def per_parameter():
    lines = [
        ("A1", "death_hospital", None, 5480, 2630, 6, 438.3), ("A6", "bleeding", "crude", 5480, 44, 1, 44.0),
        ("A6", "bleeding", "full", 5480, 44, 6, 7.33), ("A6", "bleeding", "screen: lactate", 5400, None, 1, None),
    ]  # fmt: skip
    return block("description.events-per-parameter", lines)


def selection():
    path = [
        (1, "enter", "lactate", 91.2, 1.0, 1e-12, 7201.4), (2, "enter", "age", 44.0, 1.0, 2e-9, 7160.1),
        (3, "leave", "sex=F", 0.4, 1.0, 0.53, 7158.2),
    ]  # fmt: skip
    often = [("lactate", "yes", 1.0), ("age", "yes", 0.985), ("sex=F", "no", 0.31), ("diabetes", "no", 0.07)]
    lasso = [
        (float(p), int(k), float(1.28 + 0.05 * (log(p) + 4) ** 2 / 10), 0.01, "chosen" if i == 20 else "")
        for i, (p, k) in enumerate(zip(np.geomspace(0.3, 0.001, 40), np.linspace(0, 12, 40), strict=True))
    ]
    return (
        block("A6.bleeding.selection-path", path), block("A6.bleeding.selection-frequency", often),
        block("A6.bleeding.lasso-path", lasso),
    )  # fmt: skip


def auc_over_time(id_):
    times = (5.0, 10.0, 15.0, 20.0, 30.0)
    lines = [
        (model, t, base - t / 500, base - t / 500 - 0.03, base - t / 500 + 0.03)
        for model, base in (("SAVE", 0.71), ("Updated", 0.78))
        for t in times
    ]
    return block(id_, lines)


def rows():
    ladder = [
        placed(f"A4.{name}.death_30d.iabp.hazard-ratio", "A4", ratio("hazard ratio", *numbers), outcome="death_30d", model=name, events=2450)
        for name, *numbers in (("main", 0.91, 0.79, 1.05, 0.2), ("crude", 0.86, 0.75, 0.98, 0.024), ("all candidates", 0.93, 0.8, 1.08, 0.34))
    ]  # fmt: skip
    screened = (
        ("age", "age", None, 1.03, 1.02, 1.04, 1e-6), ("sex", "F", "M", 1.1, 0.9, 1.3, 0.31), ("diabetes", "yes", "no", 1.2, 1.0, 1.44, 0.05),
    )  # fmt: skip
    screen = [
        placed(
            f"A6.screen.bleeding.{variable}.odds-ratio", "A6",
            ratio("odds ratio", *numbers, term=term, variable=variable, reference=reference, unit="10 years" if variable == "age" else None),
            outcome="bleeding", model="screen", events=44, groups=(GroupCount(term, 900, 12), GroupCount(str(reference), 4580, 32)) if reference else (),
        )
        for variable, term, reference, *numbers in screened
    ]  # fmt: skip
    quality = [
        placed(f"A7.death_hospital.{name}", "A7", plain(name, *numbers, term=term, variable=None, reference=None), groups=(), estimand=None)
        for name, term, *numbers in (
            ("c-statistic", "apparent", 0.742, 0.729, 0.755), ("c-statistic", "optimism-corrected", 0.738, 0.724, 0.752),
            ("Brier score", "", 0.2013, 0.195, 0.207), ("calibration slope", "", 0.97, 0.9, 1.04),
        )
    ]  # fmt: skip
    clustered = [
        placed("A8.death_hospital.iabp.odds-ratio", "A8", Estimate(term=IABP, variable="iabp_after", reference=ECMO, measure="odds ratio", scale="log", value=log(0.84), status=Status.FEW_CLUSTERS), clusters=7),
        placed("A8.death_hospital.variance", "A8", plain("variance between clusters", 0.21, 0.11, 0.4, term="center", reference=None), groups=(), estimand=None, clusters=27),
        placed("A8.death_hospital.median", "A8", plain("median odds ratio", 1.55, 1.3, 1.9, term="center", reference=None), groups=(), estimand=None, clusters=27),
        placed("A8.death_hospital.iabp.mean", "A8", Estimate(term=IABP, variable="iabp_after", reference=ECMO, measure="mean difference", value=-1.2, std_error=0.5, statistic=-2.4, statistic_name="t", df=14.26, p_value=0.03, interval=Interval(-2.3, -0.1, 0.95, "CR2")), clusters=27),
        placed("A8.death_hospital.q50", "A8", plain("quantile difference", -0.8, -1.6, 0.1, 0.07, unit="days", at=At(0.5)), estimand=None),
    ]  # fmt: skip
    return [*ladder, *screen, *quality, *clustered]


def bench_plan() -> Plan:
    plan = make_plan()
    selected = PlannedSelection(method="stepwise", candidates=CANDIDATES, keep=("age",))
    ladder = (
        PlannedModel(name="main", terms=("age", "sex", Spline("lactate"))), PlannedModel(name="crude"),
        PlannedModel(name="all candidates", selection=selected),
    )  # fmt: skip
    analyses = [replace(item, models=ladder) if item.id == "A4" else item for item in plan.analyses]
    analyses += [
        analysis("A7", "exploratory", "Prediction of in-hospital death", "logistic-regression", "death_hospital", "predictions were made by logistic regression."),
        analysis("A8", "sensitivity", "In-hospital death, centers", "logistic-regression", "death_hospital", "centers were taken into account."),
    ]  # fmt: skip
    return replace(plan, analyses=tuple(analyses))


def bench_result() -> StudyResult:
    result = make_result()
    curves, at_risk = incidence("A3.death_30d.cumulative-incidence")
    blocks = [
        distribution(), merged_distribution(), crosstab(), *missing(), *associations(), funnel(), per_parameter(), *selection(),
        curves, at_risk, effect_curve("A1.death_hospital.age.effect-curve", "age"),
        effect_curve("A1.death_hospital.lactate.effect-curve", "lactate", reach=9.0),
        effect_curve("A8.death_hospital.age.effect-curve", "age", "mean difference"),
        calibration("A7.death_hospital.calibration-curve"), roc("A7.death_hospital.roc"), decision("A7.death_hospital.decision-curve"),
        auc_over_time("A7.death_30d.time-dependent-auc"),
        block("A8.death_hospital.proportional-odds", [("age", 1.2, 2.0, 0.55), ("GLOBAL", 9.9, 4.0, 0.042)]),
    ]  # fmt: skip
    records = [
        AnalysisRecord(
            id="A7", role="exploratory", label="Prediction of in-hospital death", method="logistic-regression"
        ),
        AnalysisRecord(id="A8", role="sensitivity", label="In-hospital death, centers", method="logistic-regression"),
    ]
    kept = [row for row in result.estimates if row.analysis != "A4"]
    return replace(
        result, blocks=(*result.blocks, *blocks), analyses=(*result.analyses, *records), estimates=(*kept, *rows())
    )
