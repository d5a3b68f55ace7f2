"""A whole study with made-up numbers that agree with one another, for the report to print."""

from __future__ import annotations

from math import log, nan

import numpy as np

from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.plan import (
    Plan,
    PlannedAnalysis,
    PlannedCriterion,
    PlannedGroup,
    PlannedOutcome,
    PlannedSubgroup,
    PlannedSubgroups,
    PlannedTableOne,
    PlannedVariable,
)
from counterpulse.results import (
    AnalysisRecord,
    At,
    Block,
    Choice,
    Estimand,
    Estimate,
    EstimateRow,
    FlowStep,
    GroupCount,
    Interval,
    Notice,
    Status,
    StudyIdentity,
    StudyResult,
    Subgroup,
    TableOneRow,
)

IABP, ECMO = "iabp", "ecmo_only"
LABELS = {IABP: "IABP after ECMO", ECMO: "ECMO only"}
TICKS = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
COUNTS = (GroupCount(IABP, 832, 399, None, 399 / 832), GroupCount(ECMO, 4648, 2451, None, 2451 / 4648))


def ratio(measure: str, value: float, low: float, high: float, p: float, **more: object) -> Estimate:
    fields = {"term": IABP, "variable": "iabp_after", "reference": ECMO, "scale": "log"} | more
    return Estimate(
        measure=measure, value=log(value), interval=Interval(log(low), log(high), 0.95, "wald"), p_value=p, std_error=0.1,
        statistic_name="z", **fields,
    )  # fmt: skip


def plain(measure: str, value: float, low: float, high: float, p: float | None = None, **more: object) -> Estimate:
    fields = {"term": IABP, "variable": "iabp_after", "reference": ECMO} | more
    return Estimate(measure=measure, value=value, interval=Interval(low, high, 0.95, "delta"), p_value=p, **fields)


def placed(id_: str, analysis: str, estimate: Estimate, **more: object) -> EstimateRow:
    fields = {
        "role": "primary" if analysis == "A1" else "secondary", "outcome": "death_hospital", "population": "eligible",
        "method": "logistic-regression", "better": "lower", "n": 5480, "events": 2850, "n_missing": 0, "groups": COUNTS,
        "estimand": Estimand("conditional", "all"),
    }  # fmt: skip
    return EstimateRow(id=id_, analysis=analysis, estimate=estimate, **(fields | more))


def estimates() -> tuple[EstimateRow, ...]:
    marginal = {"estimand": Estimand("marginal", "all")}
    rows = [
        placed("A1.death_hospital.iabp.odds-ratio", "A1", ratio("odds ratio", 0.823, 0.686, 0.987, 0.0355)),
        placed("A1.death_hospital.iabp.risk-difference", "A1", plain("risk difference", -0.0455, -0.0881, -0.0029, 0.036), **marginal),
        placed("A1.death_hospital.iabp.risk-ratio", "A1", ratio("risk ratio", 0.914, 0.839, 0.996, 0.041), **marginal),
        placed("A1.death_hospital.iabp.risk", "A1", plain("risk", 0.484, 0.444, 0.524, reference=None), groups=(), estimand=None),
        placed("A1.death_hospital.age", "A1", ratio("odds ratio", 1.031, 1.026, 1.036, 1e-9, term="age", variable="age", reference=None), role="covariate", groups=()),
        placed("A1.death_hospital.sex.F", "A1", ratio("odds ratio", 1.05, 0.93, 1.19, 0.42, term="F", variable="sex", reference="M"), role="covariate", groups=()),
        placed("A2.death_hospital.iabp.risk-difference", "A2", plain("risk difference", -0.0478, -0.0851, -0.0103, 0.0117), **marginal),
        placed("A3.death_30d.iabp.risk-difference.30-days", "A3", plain("risk difference", -0.031, -0.072, 0.0104, 0.143, at=At(30.0, "days")), outcome="death_30d", **marginal),
        placed("A3.death_30d.ecmo.median", "A3", Estimate(term=ECMO, measure="median survival time", value=nan, status=Status.NOT_REACHED, unit="days", interval=Interval(28.0, float("inf"), 0.95, "log")), outcome="death_30d", groups=(COUNTS[1],), estimand=None),
        placed("A3.death_30d.log-rank.test-of-curves", "A3", Estimate(term="log-rank", measure="test of curves", value=nan, statistic=3.1, statistic_name="chi-squared", df=1, p_value=0.078), outcome="death_30d", groups=(), estimand=None),
        placed("A4.death_30d.iabp.hazard-ratio", "A4", ratio("hazard ratio", 0.91, 0.79, 1.05, 0.2), outcome="death_30d",
               groups=(GroupCount(IABP, 832, 350, 18000.0), GroupCount(ECMO, 4648, 2100, 99000.0))),
        placed("A6.bleeding.iabp.odds-ratio", "A6", Estimate(term=IABP, variable="iabp_after", reference=ECMO, measure="odds ratio", scale="log", value=nan, status=Status.SEPARATION), outcome="bleeding"),
    ]  # fmt: skip
    strata = (
        ("age", "<65", 0.75, 0.6, 0.94), ("age", ">=65", 0.9, 0.7, 1.16), ("sex", "M", 0.8, 0.65, 0.99), ("sex", "F", 0.86, 0.6, 1.24),
    )  # fmt: skip
    rows += [
        placed(
            f"A1.death_hospital.{name}={level}.iabp.odds-ratio",
            "A1",
            ratio("odds ratio", *numbers, 0.1),
            subgroup=Subgroup(name, level),
        )
        for name, level, *numbers in strata
    ]
    tests = (("age", "age", 0.41), ("sex", "sex", 0.73), ("age", "continuous", 0.33))
    rows += [
        placed(
            f"A1.death_hospital.{name}.{term}.interaction",
            "A1",
            Estimate(
                term=term,
                variable=name,
                measure="interaction",
                value=nan,
                statistic=1.0,
                statistic_name="Wald chi-squared",
                df=1,
                p_value=p,
            ),
            groups=(),
        )
        for name, term, p in tests
    ]
    return tuple(rows)


def table_one() -> tuple[TableOneRow, ...]:
    rows = []
    for group, n, mean, men in ((IABP, 832, 61.2, 593), (ECMO, 4648, 60.85, 3290), (None, 5480, 60.9, 3883)):
        rows += [
            TableOneRow(variable="age", group=group, n=n, missing=0, mean=mean, sd=11.75),
            TableOneRow(variable="lactate", group=group, n=n, missing=12, median=6.4, q1=3.2, q3=10.15),
            TableOneRow(variable="sex", level="M", group=group, n=n, missing=0, count=men, percent=100 * men / n),
            TableOneRow(
                variable="sex", level="F", group=group, n=n, missing=0, count=n - men, percent=100 - 100 * men / n
            ),
            TableOneRow(variable="diabetes", level="yes", group=group, n=n, missing=3, count=n // 4, percent=25.0),
        ]
    rows += [
        TableOneRow(variable="age", contrast=(IABP, ECMO), smd=0.03, smd_denominator="pooled", p_value=0.41, test="welch t"),
        TableOneRow(variable="lactate", contrast=(IABP, ECMO), smd=-0.11, smd_denominator="pooled", p_value=0.0004, test="mann-whitney"),
        TableOneRow(variable="sex", contrast=(IABP, ECMO), smd=0.01, smd_denominator="pooled", p_value=0.77, test="pearson chi-squared"),
        TableOneRow(variable="diabetes", contrast=(IABP, ECMO), smd=0.0, smd_denominator="pooled", p_value=0.996, test="pearson chi-squared"),
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: ("age", "sex", "diabetes", "lactate").index(row.variable)))


def curve_blocks() -> tuple[Block, Block]:
    rng = np.random.default_rng(7)
    curve: dict[str, list] = {
        name: []
        for name in ("group", "time", "estimate", "conf_low", "conf_high", "std_error", "at_risk", "events", "censored")
    }
    risk: dict[str, list] = {
        name: [] for name in ("group", "time", "at_risk", "cumulative_events", "cumulative_censored")
    }
    for group, n, rate in ((IABP, 832, 0.018), (ECMO, 4648, 0.02)):
        times = np.sort(np.ceil(rng.exponential(1 / rate, n)))
        for time in range(1, 31):
            alive = float((times > time).mean())
            error = float(np.sqrt(alive * (1 - alive) / n))
            values = (
                group,
                float(time),
                alive,
                alive - 1.96 * error,
                alive + 1.96 * error,
                error,
                float((times >= time).sum()),
                0.0,
                0.0,
            )
            for name, value in zip(curve, values, strict=True):
                curve[name].append(value)
        for tick in TICKS:
            for name, value in zip(
                risk, (group, tick, int((times >= tick).sum()), int((times < tick).sum()), 0), strict=True
            ):
                risk[name].append(value)
    return (
        Block(id="A3.death_30d.curve", analysis="A3", kind="survival-curve", columns=curve),
        Block(id="A3.death_30d.at-risk", analysis="A3", kind="numbers-at-risk", columns=risk),
    )  # fmt: skip


def protocol() -> ProtocolNode:
    return ProtocolNode.model_validate({
        "protocol": 1,
        "study": {
            "id": "ecls-registry", "title": "Balloon pump after VA-ECMO and in-hospital death in cardiogenic shock",
            "design": "cohort", "setting": "Extracorporeal life support registry, 2017 to 2023", "version": "1.0",
            "registration": {"registry": "ClinicalTrials.gov", "id": "NCT00000000", "date": "2025-03-01"},
            "data_seen_before_plan": "no",
        },
        "data": {"table": "registry.csv", "dictionary": "dictionary.csv", "kind": "mock"},
        "groups": {"variable": "iabp_after", "treated": {IABP: LABELS[IABP]}, "reference": {ECMO: LABELS[ECMO]}},
    })  # fmt: skip


def analysis(
    id_: str, role: str, label: str, method: str, outcome: str, sentence: str, **more: object
) -> PlannedAnalysis:
    fields = {
        "population": "eligible",
        "measures": ("odds ratio",),
        "target": "all",
        "terms": (),
        "adjusted": True,
        "level": 0.95,
    }
    return PlannedAnalysis(
        id=id_, role=role, label=label, method=method, outcomes=(outcome,), sentence=sentence, **(fields | more)
    )  # fmt: skip


def make_plan() -> Plan:
    variables = (
        PlannedVariable(
            name="iabp_after",
            label="Balloon pump after ECMO",
            kind="category",
            definition="iabp when the pump was given after ECMO start",
        ),
        PlannedVariable(name="age", label="Age", kind="number", unit="years"),
        PlannedVariable(name="sex", label="Sex", kind="category", levels={"M": "Male", "F": "Female"}),
        PlannedVariable(name="diabetes", label="Diabetes", kind="yesno", levels={"yes": "yes", "no": "no"}),
        PlannedVariable(name="lactate", label="Lactate", kind="number", unit="mmol/L"),
    )
    outcomes = (
        PlannedOutcome(
            name="death_hospital",
            label="In-hospital death",
            kind="binary",
            definition="died in hospital is yes",
            better="lower",
            primary=True,
        ),
        PlannedOutcome(
            name="death_30d",
            label="Death within 30 days",
            kind="time-to-event",
            definition="time from ECMO start to death",
            better="lower",
            horizon=30.0,
            time_unit="days",
        ),
        PlannedOutcome(
            name="bleeding",
            label="Bleeding complication",
            kind="binary",
            definition="any of GI bleeding, surgical bleeding",
            better="lower",
        ),
    )
    return Plan(
        protocol=protocol(), protocol_digest="sha256:" + "a" * 64, dictionary_digest="sha256:" + "b" * 64,
        group_variable="iabp_after", group_label="Balloon pump after ECMO",
        groups=(PlannedGroup(IABP, LABELS[IABP], False), PlannedGroup(ECMO, LABELS[ECMO], True)), time_zero="ECMO start",
        variables={item.name: item for item in variables},
        criteria=(
            PlannedCriterion(id="adult", kind="include", text="Aged 18 years or older", rule="age >= 18", english="age is at least 18 years", if_unknown="stop"),
            PlannedCriterion(id="pregnant", kind="exclude", text="Pregnant", rule="pregnant = yes", english="pregnant is yes", if_unknown="keep-patient"),
        ),
        populations={}, outcomes={item.name: item for item in outcomes},
        table_one=PlannedTableOne(variables=("age", "sex"), rule="means", p_values=True, smd=True, overall=True, smd_denominator="pooled", quartiles="linear"),
        analyses=(
            analysis("A1", "primary", "In-hospital death, adjusted", "logistic-regression", "death_hospital", "odds ratios were estimated by logistic regression, adjusted for age, sex, diabetes and lactate; the variance was robust to clustering by center."),
            analysis("A2", "secondary", "In-hospital death without adjustment", "two-proportions", "death_hospital", "proportions were compared with Newcombe's interval.", adjusted=False),
            analysis("A3", "secondary", "Death within 30 days: Kaplan-Meier", "kaplan-meier", "death_30d", "event-free survival was estimated by the Kaplan-Meier method; curves compared by the log-rank test.", adjusted=False),
            analysis("A4", "secondary", "Death within 30 days: Cox regression", "cox", "death_30d", "hazard ratios were estimated by Cox proportional hazards regression with ties by Efron's method."),
            analysis("A6", "secondary", "Bleeding", "logistic-regression", "bleeding", "odds ratios were estimated by logistic regression.", multiplicity="holm"),
        ),
        subgroups=PlannedSubgroups(of="A1", by=(PlannedSubgroup(variable="age", label="Age", cuts=(65.0,)), PlannedSubgroup(variable="sex", label="Sex")), refit=False),
        choices=(Choice("alpha", 0.05, "default"), Choice("numbers at risk", "n(T >= t)", "default", "therneau-grambsch-2000")),
    )  # fmt: skip


def make_result() -> StudyResult:
    curve, risk = curve_blocks()
    zph = Block(
        id="A4.death_30d.zph", analysis="A4", kind="proportional-hazards",
        columns={"variable": ["iabp_after", "GLOBAL"], "chi_squared": [0.72, 4.6], "df": [1.0, 5.0], "p_value": [0.396, 0.467]},
    )  # fmt: skip
    records = [
        ("A1", "primary", "In-hospital death, adjusted", "logistic-regression", ("mccullagh-nelder-1989", "liang-zeger-1986")),
        ("A2", "secondary", "In-hospital death without adjustment", "two-proportions", ("newcombe-1998",)),
        ("A3", "secondary", "Death within 30 days: Kaplan-Meier", "kaplan-meier", ("kaplan-meier-1958", "greenwood-1926", "mantel-1966")),
        ("A4", "secondary", "Death within 30 days: Cox regression", "cox", ("cox-1972", "efron-1977", "grambsch-therneau-1994")),
        ("A6", "secondary", "Bleeding", "logistic-regression", ("mccullagh-nelder-1989",)),
    ]  # fmt: skip
    return StudyResult(
        identity=StudyIdentity(
            id="ecls-registry", title="Balloon pump after VA-ECMO and in-hospital death in cardiogenic shock", design="cohort",
            protocol_digest="sha256:" + "a" * 64, dictionary_digest="sha256:" + "b" * 64, data_digest="sha256:" + "c" * 64,
            seed=20250301, software={"counterpulse": "0.1.0", "numpy": "2.4.0", "polars": "2.1.0"},
        ),
        data_kind="mock",
        flow=(
            FlowStep(id="absent", label="No record in the table", kind="absent", n=24),
            FlowStep(id="read", label="Records read", kind="read", n=5612),
            FlowStep(id="include.adult", label="Aged 18 years or older", kind="removed", n=96, n_alone=99, unknown=0),
            FlowStep(id="exclude.pregnant", label="Pregnant", kind="removed", n=12, n_alone=14, unknown=5),
            FlowStep(id="eligible", label="Eligible", kind="eligible", n=5504, by_group={IABP: 840, ECMO: 4664}),
            FlowStep(id="analyzed", label="Analyzed", kind="analyzed", n=5480, by_group={IABP: 832, ECMO: 4648}),
            FlowStep(id="landmark.A1.death_hospital.24-hours", label="Not followed to the landmark at 24 hours (A1)", kind="design", n=15),
            FlowStep(id="analyzed.A1", label="Analyzed: In-hospital death, adjusted", kind="analysis", n=5480, unknown=9, by_group={IABP: 832, ECMO: 4648}),
        ),
        table_one=table_one(),
        analyses=tuple(
            AnalysisRecord(
                id=id_, role=role, label=label, method=method, citations=citations, n_missing=9 if id_ == "A1" else 0,
                choices=(Choice("interval", "wald", "default"), Choice("method by type", method, "derived")),
            )
            for id_, role, label, method, citations in records
        ),
        estimates=estimates(),
        blocks=(curve, risk, zph),
        warnings=(Notice("W710", "A6", "A6.bleeding.iabp.odds-ratio: " + Status.SEPARATION.text),),
    )  # fmt: skip
