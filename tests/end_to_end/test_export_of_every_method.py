"""Every method of the protocol language in R: the script, run here, gives the numbers of the bundle again.

Two studies of patients who never lived, one of a real table, and the examples that ship.
"""

import collections
import re
from math import isclose

import numpy as np
import pytest
from test_export import HERE, needs_r, r_has, repeated_in_r, rows_of
from test_two_files import GasWard
from ward import Ward, call, patients

from counterpulse.errors import DONE
from counterpulse.study.export.left_out import LOOSE, TOLERANCE

PACKAGES = (
    "MASS", "lme4", "lmerTest", "geepack", "clubSandwich", "quantreg", "cmprsk", "ordinal", "pROC",
)  # fmt: skip
needs_packages = pytest.mark.skipif(not r_has(*PACKAGES), reason=f"R with {', '.join(PACKAGES)} is not here")
N = 300

COLUMNS = """\
disability,Disability,Disability,ordinal,,none=None|mild=Mild|severe=Severe,,,,,,
transfusions,Transfusions,Transfusions,integer,,,,,,,,
stay,Stay,ICU stay,number,days,,0,,,,,
vent,Vent,Days on the ventilator,number,days,,0,,,,,
ward,Ward,Ward,category,,,,,,,,
pair,Pair,Matched set,category,,,,,,,,
"""
OUTCOMES = """\
  disability_here: {label: Disability, type: ordinal, value: disability, better: lower}
  bags: {label: Transfusions, type: count, value: transfusions, better: lower}
  stay_here: {label: Stay, type: continuous, value: stay, better: lower}
  bled_here: {label: Bleeding, type: binary, event: bled = yes, better: lower}
  death_28: {label: Death within 28 days, type: time-to-event, event: death, horizon: 28 days, time_unit: days, better: lower}
  free: {label: Ventilator-free days, type: continuous, unit: d, better: higher, free_days: {support: vent, within: 28 days, dead: -1}, truncated_by: {death_28: worst-rank}}
  vent_alive: {label: Ventilator days, type: continuous, unit: d, value: vent, better: lower, truncated_by: {death_here: survivors-only}}
  stay_rank: {label: Ranked stay, type: continuous, value: stay, better: lower, truncated_by: {death_here: worst-rank}}
  icu: {label: ICU stay, unit: d, type: continuous, value: stay, better: lower, horizon: 28 days, truncated_by: {death_here: competing}}
  stroke_t: {label: Stroke, type: time-to-event, event: stroke_date, competing: death, horizon: 60 days, time_unit: days, better: lower}
confounders:"""
VARIABLES = """\
variables:
  lactate_points: {label: Lactate points, type: number, cases: [{when: lactate > 8, value: 3}, {when: lactate > 4, value: 1.5}, {otherwise: 0}]}
  points: {label: Points, value: age / 10 + lactate_points}
  stated: {label: Stated risk, value: age / 200 + lactate / 40}
outcomes:
"""
LADDER = "models: {Crude: none, Age: [age], Age and sex: [age, sex], Full: baseline}, main_model: Age and sex"
CANDIDATES = "[age, sex, lactate, site, bled, stroke, {interaction: [age, sex]}]"
ANALYSES = f"""\
{{id: T1, role: secondary, outcome: death_here, method: logistic-regression, adjust: [{{variable: age, spline: 4, reference: 60}}, sex, {{variable: lactate, log: yes}}, {{interaction: [age, sex]}}, {{interaction: [lactate, sex]}}]}}
{{id: T2, role: secondary, outcome: death, method: cox, adjust: [{{variable: age, spline: 5}}, {{variable: lactate, per: 2}}, {{interaction: [age, lactate]}}], keep: age > 60}}
{{id: T3, role: secondary, outcome: stay_here, method: linear-regression, adjust: [{{variable: age, spline: 3, knots: [50, 60, 70]}}, sex], variance: robust}}
{{id: L1, role: secondary, outcome: death_here, method: logistic-regression, {LADDER}, screen: [age, sex, site, {{variable: lactate, spline: 3}}]}}
{{id: L2, role: secondary, outcome: [death, death_28], method: cox, {LADDER}, same_rows: no}}
{{id: X1, role: exploratory, outcome: death_here, method: by-type, screen: baseline}}
{{id: W1, role: secondary, outcome: death_here, method: logistic-regression, adjust: {{select: stepwise, from: {CANDIDATES}, repeats: 5}}}}
{{id: W2, role: secondary, outcome: death, method: cox, adjust: {{select: screen, from: [age, sex, lactate, site], keep: [sex], repeats: 0}}}}
{{id: G1, role: exploratory, outcome: {{group: pump}}, method: logistic-regression, adjust: [age, sex, lactate]}}
{{id: C2, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age, sex, {{variable: lactate, spline: 3}}], clusters: {{variable: site, as: robust}}, also: [risk difference, risk ratio]}}
{{id: C3, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age, sex], clusters: {{variable: ward, as: robust}}, also: [risk difference]}}
{{id: C4, role: secondary, outcome: stay_here, method: linear-regression, adjust: [age, sex], clusters: {{variable: ward, as: robust}}}}
{{id: C5, role: secondary, outcome: stay_here, method: linear-regression, adjust: [age, sex], clusters: {{variable: pair, as: robust}}}}
{{id: C6, role: secondary, outcome: bags, method: poisson-regression, adjust: [age, sex], exposure: stay, clusters: {{variable: ward, as: robust}}}}
{{id: C7, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age], clusters: {{variable: ward, as: random-intercept}}}}
{{id: C8, role: secondary, outcome: stay_here, method: linear-regression, adjust: [age, sex], clusters: {{variable: ward, as: random-intercept}}}}
{{id: C9, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age], clusters: {{variable: pair, as: gee}}}}
{{id: D1, role: secondary, outcome: stay_here, method: linear-regression, adjust: [age], clusters: {{variable: ward, as: gee, correlation: independence}}}}
{{id: D2, role: secondary, outcome: death, method: cox, adjust: [age], clusters: {{variable: ward, as: robust}}}}
{{id: D3, role: secondary, outcome: death, method: cox, adjust: [age], clusters: {{variable: site, as: robust}}}}
{{id: D4, role: secondary, outcome: disability_here, method: ordinal-regression, adjust: [age], clusters: {{variable: ward, as: robust}}}}
{{id: D5, role: secondary, outcome: bags, method: negative-binomial, adjust: [age], clusters: {{variable: pair, as: robust}}}}
{{id: D6, role: secondary, outcome: death, method: cox, adjust: [age], clusters: {{variable: site, as: strata}}}}
{{id: D7, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age], clusters: {{variable: site, as: fixed}}}}
{{id: D8, role: secondary, outcome: bags, method: negative-binomial, adjust: [age], clusters: {{variable: ward, as: robust}}}}
{{id: O1, role: secondary, outcome: disability_here, method: ordinal-regression, adjust: [{{variable: age, spline: 3}}, sex], check: proportional-odds}}
{{id: O2, role: secondary, outcome: disability_here, adjust: [age]}}
{{id: O3, role: secondary, outcome: disability_here, method: ordinal-regression, adjust: [age], interval: profile}}
{{id: O4, role: secondary, outcome: [disability_here, bags, stay_here, bled_here, death]}}
{{id: P1, role: secondary, outcome: bags, method: poisson-regression, adjust: [age], exposure: stay}}
{{id: P2, role: secondary, outcome: death_here, method: poisson-regression, adjust: [age, sex]}}
{{id: P3, role: secondary, outcome: bags, method: poisson-regression, adjust: [age], variance: model}}
{{id: N1, role: secondary, outcome: bags, method: negative-binomial, adjust: [age], exposure: stay}}
{{id: N2, role: secondary, outcome: bags, adjust: [age]}}
{{id: Q1, role: secondary, outcome: stay_here, method: quantile-regression, quantile: [0.5, 0.75], adjust: [lactate, age]}}
{{id: Q2, role: secondary, outcome: stay_here, method: quantile-regression, adjust: [lactate, age], interval: nid}}
{{id: Q3, role: secondary, outcome: vent_alive, method: quantile-regression, adjust: [age]}}
{{id: M1, role: secondary, outcome: death_here, method: conditional-logistic, adjust: [age, pair], stratum: pair}}
{{id: E1, role: secondary, outcome: death_here, method: exact-logistic}}
{{id: E2, role: secondary, outcome: death_here, method: exact-logistic, adjust: [sex]}}
{{id: R1, role: secondary, outcome: free}}
{{id: R2, role: secondary, outcome: free, method: worst-rank, worst_rank: by-time, estimand: {{contrast: probabilistic index}}}}
{{id: R3, role: secondary, outcome: stay_rank, method: worst-rank}}
{{id: S1, role: secondary, outcome: vent_alive}}
{{id: J1, role: secondary, outcome: icu}}
{{id: J2, role: secondary, outcome: icu, method: aalen-johansen, at: [7 days], also: [cox]}}
{{id: J3, role: secondary, outcome: stroke_t, method: aalen-johansen, also: [cumulative incidence ratio]}}
{{id: J4, role: secondary, outcome: stroke_t, method: aalen-johansen, variance: aalen}}
{{id: J5, role: secondary, outcome: stroke_t, method: cox, adjust: [age]}}
{{id: H1, role: secondary, outcome: death_28, method: cox, adjust: [age], interval: profile}}
{{id: V1, role: secondary, outcome: death_here, method: prediction-quality, adjust: baseline, compare: [points], thresholds: [0.2, 0.4], bootstrap: 5}}
{{id: V2, role: secondary, outcome: death_here, method: prediction-quality, score: points, risk: stated, interval: logit}}
{{id: V3, role: secondary, outcome: death, method: prediction-quality, adjust: [age, lactate], bootstrap: 0}}
{{id: F1, role: secondary, outcome: death_here, method: logistic-regression, adjust: [age], penalty: firth}}
"""

MEASURED = """\
{id: M1, role: secondary, outcome: lac, method: repeated-measures, adjust: [age, sex]}
{id: M2, role: secondary, outcome: lac, method: repeated-measures, adjust: [age], interaction: yes, at: [6 hours, 12 hours]}
{id: M3, role: secondary, outcome: lac, method: repeated-measures, time: spline, interaction: yes}
{id: M4, role: secondary, outcome: lac, method: repeated-measures, model: gee, adjust: [age]}
{id: M5, role: secondary, outcome: lac, method: repeated-measures, model: gee, correlation: ar1, interaction: yes}
{id: M6, role: secondary, outcome: lac, method: repeated-measures, model: gee, correlation: independence, time: spline, interaction: yes}
{id: B1, role: secondary, outcome: death_here, method: logistic-regression, adjust: [lactate_24h, lactate_fell]}
"""
OF_IAC = """\
  - {id: T1, role: secondary, outcome: death_28d, method: logistic-regression, adjust: [{variable: age, spline: 5, reference: 60}, gender_num, {interaction: [age, gender_num]}]}
  - {id: T2, role: secondary, outcome: death, method: cox, adjust: [{variable: age, spline: 3}, {variable: bun_first, log: yes}]}
  - {id: C1, role: secondary, outcome: death_28d, method: logistic-regression, adjust: [age, sofa_first], clusters: {variable: hour_icu_intime}}
  - {id: C2, role: secondary, outcome: death_28d, method: poisson-regression, adjust: [age, sofa_first]}
  - {id: L1, role: secondary, outcome: death_28d, method: logistic-regression, models: {Crude: none, Full: baseline}, screen: [age, service_unit, day_icu_intime]}
  - {id: V1, role: secondary, outcome: death_28d, method: prediction-quality, adjust: [age, sofa_first, service_unit], bootstrap: 0, thresholds: [0.1]}
"""


def listed(text):
    return "".join(f"  - {line}\n" for line in text.splitlines())


def every_method(directory, analyses=ANALYSES):
    """The ward with an outcome of every kind."""
    ward = Ward(directory)
    ward.columns = patients(N)
    random = np.random.default_rng(11)
    age = np.array([float(item) for item in ward.columns["Age"]])
    days, died = [int(day) for day in ward.columns["Days"]], [said == "yes" for said in ward.columns["Died"]]
    severity = np.digitize(0.05 * (age - 62) + random.logistic(size=N), [-0.5, 1.2])
    stay = [
        random.random() + (day if dead else min(day, int(random.integers(2, 30))))
        for day, dead in zip(days, died, strict=True)
    ]
    ward.columns |= {
        "Disability": [["none", "mild", "severe"][item] for item in severity],
        "Stay": [f"{item:.4f}" for item in stay],
        "Transfusions": [str(random.negative_binomial(1.5, 1.5 / (1.5 + item / 10))) for item in stay],
        "Vent": [
            "" if dead and day < 28 and number % 2 else f"{min(random.random() * 31, day):.3f}"
            for number, (day, dead) in enumerate(zip(days, died, strict=True))
        ],
        "Ward": [f"w{(number * number + 3 * number) % 23}" for number in range(N)],
        "Pair": [f"p{number // 4}" for number in range(N)],
    }
    ward.dictionary += COLUMNS
    ward.set("Lactate", 3, "").set("Lactate", 17, "").set("Sex", 8, "")
    ward.edit("outcomes:\n", VARIABLES).edit("confounders:", OUTCOMES)
    return ward.edit("analyses:\n", f"analyses:\n{listed(analyses)}")


def exported(protocol, bundle, to="r", data=None):
    where = () if data is None else ("--data", data)
    out = bundle.with_name(f"{bundle.name}-{to}")
    said = call("export", bundle, "--to", to, "--protocol", protocol, *where, "--out", out)
    assert said.code == DONE, said.text
    return out


def agreeing(folder):
    """The rows that R compared, by id; every one agrees, and a number that ours has and R has not is no estimate."""
    rows = {row["id"]: row for row in repeated_in_r(folder)}
    assert {row["result"] for row in rows.values()} == {"agrees"}
    for row in rows.values():
        if row["estimate"]:
            assert "estimate" in row["compared"], row["id"]
    return rows


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    ward = every_method(tmp_path_factory.mktemp("export") / "every")
    ward.edit("seed: 1", "subgroups: {of: C4, by: [sex, {variable: age, cut: [60]}, bled]}\nseed: 1")
    assert ward.run().code in (0, 1)
    return ward


@pytest.fixture(scope="module")
def compared(study):
    return agreeing(exported(study.path, study.bundle))


def left(folder):
    return {row["id"]: row["why"] for row in rows_of(folder / "not-exported.csv")}


@needs_r
@needs_packages
def test_r_repeats_every_method(study, compared):
    methods = {row["id"]: row["method"] for row in study.results()["estimates"]}
    seen = {methods[name] for name in compared}
    assert seen >= {
        "logistic-regression", "linear-regression", "cox", "kaplan-meier", "aalen-johansen", "worst-rank",
        "ordinal-regression", "poisson-regression", "negative-binomial", "quantile-regression", "conditional-logistic",
        "exact-logistic", "prediction-quality",
    }  # fmt: skip
    assert len(compared) > 250
    numbers = collections.Counter(row["compared"] for row in compared.values())
    assert numbers["estimate conf_low conf_high p_value"] > 150


@needs_r
@needs_packages
@pytest.mark.parametrize(
    "name",
    [
        "T1.death_here.age.overall", "T1.death_here.age.nonlinearity", "T2.death.age.nonlinearity",
        "L1.Age-and-sex.death_here.pump.odds-ratio", "L1.Full.death_here.pump.odds-ratio",
        "L1.Age.death_here.pump.odds-ratio", "L1.screen.death_here.site.overall", "W1.death_here.pump.odds-ratio",
        "G1.group=pump.age.odds-ratio", "C4.stay_here.pump.mean-difference", "C4.stay_here.sex.interaction",
        "C5.stay_here.pump.mean-difference", "C7.death_here.pump.odds-ratio", "C8.stay_here.pump.mean-difference",
        "C9.death_here.pump.odds-ratio", "O1.disability_here.pump.odds-ratio", "P1.bags.pump.rate-ratio",
        "P2.death_here.pump.risk-ratio", "N1.bags.pump.rate-ratio", "M1.death_here.pump.odds-ratio",
        "E1.death_here.pump.odds-ratio", "R1.free.pump.win-odds", "R2.free.pump.probabilistic-index",
        "J3.stroke_t.pump.cumulative-incidence-ratio.60-days", "J1.icu.pump.cumulative-incidence-difference.28-days",
        "V2.death_here.stated.calibration-slope",
    ],
)  # fmt: skip
def test_what_r_compares_of_a_method(study, compared, name):
    if name not in compared:  # an outcome that is the exposure has a name of its own
        (name,) = [item for item in compared if item.startswith("G1") and item.endswith("age.odds-ratio")]
    assert "p_value" in compared[name]["compared"] or name.startswith("V2")


@needs_r
@needs_packages
def test_a_random_intercept_has_a_tolerance_of_its_own_with_its_reason(study, compared):
    for name, row in compared.items():
        near = float(row["tolerance"])
        loose = name.startswith(("C7", "C8"))
        assert isclose(near, LOOSE if loose else TOLERANCE)
        assert bool(row["why"]) == loose


@needs_r
@needs_packages
def test_few_clusters_are_compared_by_their_estimate(compared):
    for name in ("C2.death_here.pump.odds-ratio", "D3.death.pump.hazard-ratio", "C2.death_here.pump.risk-ratio"):
        assert compared[name]["compared"] == "estimate"


def test_what_is_not_exported_is_listed_with_its_reason(study):
    every = {
        row["id"] for row in study.results()["estimates"] if row["estimate"] is not None or row["p_value"] is not None
    }
    for to in ("r", "sas"):
        folder = exported(study.path, study.bundle, to)
        reasons, known = left(folder), {row["id"] for row in rows_of(folder / "expected.csv")}
        assert all(reasons.values())
        assert every == (known & every) | set(reasons)
        assert not known & set(reasons)
    why = left(study.bundle.with_name(f"{study.bundle.name}-r"))
    assert "random draws" in why["W1.selection-repeated.death_here.pump.odds-ratio"]
    assert "Firth" in why["F1.death_here.pump.odds-ratio"]
    assert "E2.death_here.pump.odds-ratio" in why


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        ("O1", ["proc logistic descending", "knotmethod=list("]), ("P1", ["proc genmod", "offset=log_exposure_"]),
        ("P2", ["dist=poisson", "repeated subject=row_"]), ("Q1", ["proc quantreg ci=rank", "quantile=0.5 0.75"]),
        ("Q2", ["proc quantreg ci=sparsity/hs"]), ("M1", ["proc logistic", "strata pair;"]), ("E1", ["/ estimate=odds;"]),
        ("C7", ["proc glimmix method=quad(qpoints=11)", "random intercept / subject=ward;"]),
        ("C8", ["proc mixed method=reml", "ddfm=satterthwaite"]), ("C9", ["type=exch"]), ("J3", ["/ eventcode=1;"]),
        ("R1", ["not exported to SAS"]), ("N1", ["dist=negbin"]),
    ],
)  # fmt: skip
def test_sas_has_a_procedure_or_says_so(study, analysis, words):
    folder = study.bundle.with_name(f"{study.bundle.name}-sas")
    script = ((folder if folder.exists() else exported(study.path, study.bundle, "sas")) / "analysis.sas").read_text()
    parts = re.findall(rf"/\* {analysis}: .*?(?=\n\n|\Z)", script, re.DOTALL)
    for word in words:
        assert any(word in part for part in parts), (analysis, word)


@needs_r
@needs_packages
def test_r_repeats_measurements_of_a_second_file(tmp_path):
    ward = GasWard(tmp_path / "gas")
    ward.edit(
        "outcomes:\n",
        "outcomes:\n  lac: {label: Lactate, type: repeated, from: gas, column: blood_lactate, window: 0 to 24 hours, better: lower}\n",
    )
    ward.edit("analyses:\n", f"analyses:\n{listed(MEASURED)}")
    assert ward.run().code in (0, 1)
    folder = exported(ward.path, ward.bundle)
    found = agreeing(folder)
    assert rows_of(folder / "measurements.csv")
    assert not left(folder)
    assert len(found) > 50
    for name in (
        "M2.lac.pump.mean-difference.12-hours",
        "M2.lac.pump.slope-difference.0-hours",
        "M6.lac.time.interaction",
    ):
        assert name in found or any(item.startswith(name.rsplit(".", 1)[0]) for item in found)
    assert exported(ward.path, ward.bundle, "sas")


@needs_r
@needs_packages
def test_r_repeats_the_additions_on_a_real_table(shared_path, tmp_path):
    data = shared_path("data/mimic2_iac.csv")
    folder = tmp_path / "iac"
    folder.mkdir()
    written = (HERE / "mimic_iac" / "iac.protocol.yaml").read_text()
    head = written.split("analyses:\n")[0]
    protocol = folder / "iac.protocol.yaml"
    protocol.write_text(f"{head}analyses:\n{OF_IAC}")
    (folder / "iac.dictionary.csv").write_text((HERE / "mimic_iac" / "iac.dictionary.csv").read_text())
    assert call("run", protocol, "--data", data, "--out", folder / "bundle", "--jobs", 1).code in (0, 1)
    found = agreeing(exported(protocol, folder / "bundle", data=data))
    assert "p_value" in found["C1.death_28d.yes.odds-ratio"]["compared"]
    assert "T1.death_28d.age.nonlinearity" in found


@needs_r
@needs_packages
@pytest.mark.parametrize(
    ("name", "least"), [("vsr-iabp", 80), pytest.param("ecls-registry", 430, marks=pytest.mark.slow)]
)
def test_r_repeats_the_examples(name, least, tmp_path):
    assert call("example", name, tmp_path / "study").code == DONE
    protocol = tmp_path / "study" / f"{name}.protocol.yaml"
    assert call("run", protocol, "--out", tmp_path / "bundle", "--jobs", 1).code in (0, 1)
    folder = exported(protocol, tmp_path / "bundle")
    assert len(agreeing(folder)) >= least
    assert all("random draws" in why for why in left(folder).values())
