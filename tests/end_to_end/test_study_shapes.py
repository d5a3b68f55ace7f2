"""Studies of every shape run, say what they should, and leave a results.json that keeps to its schema."""

from __future__ import annotations

import json

import jsonschema
import pytest
from ward import PROTOCOL, Ward, call

from counterpulse.errors import DONE, HAS_FINDINGS, PROTOCOL_INVALID

GROUPS = next(line for line in PROTOCOL.splitlines() if line.startswith("groups")) + "\n"
ANALYSES = PROTOCOL[PROTOCOL.index("analyses:") :]
CLOSED_FORM = 1e-12
"""Counts divided by counts."""
ANOTHER_ORDER = 1e-9
"""The same iterations on sums taken in another order."""


@pytest.fixture(scope="module")
def schema():
    return json.loads(call("schema", "--results").out)


@pytest.fixture
def ward(tmp_path, schema):
    ward = Ward(tmp_path / "study")
    yield ward
    if ward.bundle.exists():
        jsonschema.validate(ward.results(), schema)


@pytest.fixture
def plain(tmp_path):
    """The estimates of the study as it is."""
    ward = Ward(tmp_path / "plain")
    assert ward.run().code == DONE
    return estimates(ward)


def estimates(ward):
    return {row["id"]: row for row in ward.results()["estimates"]}


def contrasts(ward):
    """The first row of each analysis."""
    first = {}
    for row in ward.results()["estimates"]:
        first.setdefault(row["analysis"], row)
    return first


def numbers(row):
    return tuple(row[name] for name in ("estimate", "conf_low", "conf_high", "p_value", "n", "events"))


def test_a_single_arm(ward):
    ward.edit(GROUPS, "").edit("design: cohort", "design: single-arm").edit(
        "confounders: {baseline: [age, sex, lactate]}\n", ""
    )
    ward.edit(ANALYSES, "analyses:\n  - {id: K1, role: primary, outcome: death, method: kaplan-meier}\n")
    said = ward.run()
    assert said.code == DONE
    assert "risk at 60 days" in said.out
    found = estimates(ward)
    assert set(found) == {"K1.death.all.risk.60-days", "K1.death.all.median-survival-time"}
    assert 0 < found["K1.death.all.risk.60-days"]["estimate"] < 1
    assert {row["group"] for row in ward.results()["table_one"]} == {None}


def test_a_single_arm_by_every_method(ward):
    ward.edit(GROUPS, "").edit("design: cohort", "design: single-arm")
    ward.edit("{id: C1", "{id: R1, role: secondary, outcome: death, method: rmst}\n  - {id: C1")
    assert ward.run().code == DONE
    assert set(contrasts(ward)) == {"A1", "K1", "R1", "C1"}
    assert estimates(ward)["R1.death.all.rmst.60-days"]["estimate"] < 60


def test_three_groups(ward):
    ward.edit("{pump: Pump}", "{pump: Pump, impella: Impella}").define("pump=Pump|", "pump=Pump|impella=Impella|")
    ward.columns["Device"] = [
        "impella" if row % 5 == 0 else device for row, device in enumerate(ward.columns["Device"])
    ]
    said = ward.run()
    assert said.code == DONE
    assert "odds ratio, impella" in said.out
    found = estimates(ward)
    for treated in ("pump", "impella"):
        assert found[f"A1.death_here.{treated}.odds-ratio"]["reference"] == "none"
        difference = (
            found[f"K1.death.{treated}.risk.60-days"]["estimate"] - found["K1.death.none.risk.60-days"]["estimate"]
        )
        assert found[f"K1.death.{treated}.risk-difference.60-days"]["estimate"] == pytest.approx(
            difference, rel=CLOSED_FORM
        )
    counted = {count["group"]: count["n"] for count in found["A1.death_here.pump.odds-ratio"]["groups"]}
    assert counted == {level: ward.columns["Device"].count(level) for level in ("pump", "impella", "none")}


@pytest.mark.parametrize("written", [("1", "0"), ("yes", "no"), ("TRUE", "FALSE"), ("1.0", "0.0")])
def test_groups_written_as_yes_and_no(ward, plain, written):
    ward.define("device,Device,Device,category,,pump=Pump|none=No pump", "device,Device,Device,yesno,,")
    ward.edit("{pump: Pump}", "{yes: Pump}").edit("{none: No pump}", "{no: No pump}")
    ward.columns["Device"] = [written[0] if device == "pump" else written[1] for device in ward.columns["Device"]]
    assert ward.run().code == DONE
    found = estimates(ward)
    assert numbers(found["A1.death_here.yes.odds-ratio"]) == numbers(plain["A1.death_here.pump.odds-ratio"])
    assert numbers(found["C1.death.yes.hazard-ratio"]) == numbers(plain["C1.death.pump.hazard-ratio"])


def test_levels_with_blanks_umlauts_and_signs(ward, plain):
    odd, other = "Größe < 3 & mehr", 'kein "Gerät"'
    ward.define("pump=Pump|none=No pump", f"{odd}=Pumpe <b>&|kein \"\"Gerät\"\"=Ohne").define(
        f"category,,{odd}", f'category,,"{odd}').define("=Ohne,", '=Ohne",')  # fmt: skip
    ward.edit("{pump: Pump}", f'{{"{odd}": "Pumpe <script>&"}}').edit("{none: No pump}", "{'kein \"Gerät\"': Ohne}")
    ward.columns["Device"] = [odd if device == "pump" else other for device in ward.columns["Device"]]
    assert ward.run().code == DONE
    row = contrasts(ward)["A1"]
    assert (row["term"], row["reference"]) == (odd, other)
    assert numbers(row) == numbers(plain["A1.death_here.pump.odds-ratio"])
    page = (ward.bundle / "report.html").read_text(encoding="utf-8")
    assert "Pumpe <script>" not in page
    assert "Pumpe &lt;script&gt;&amp;" in page
    assert all(name.isascii() for name in (path.name for path in ward.bundle.rglob("*")))
    assert call("explain", ward.bundle, row["id"]).code == DONE


def test_a_table_that_holds_durations(ward, plain):
    ward.edit("time_zero: admitted", "time_zero: {text: Admission, counted: yes}")
    ward.edit("follow_up: {death: death_date, last_seen: last_seen}\n", "")
    ward.edit("event: death, horizon: 60 days, time_unit: days", "event: died = yes, time: days, horizon: 60 days")
    assert ward.run().code == DONE
    found = estimates(ward)
    assert {name: numbers(row) for name, row in found.items()} == {name: numbers(row) for name, row in plain.items()}


COMPOSITES = """\
  harm: {label: Bleeding or stroke, type: composite, any_of: {bled: Bleeding, stroke: Stroke}, better: lower}
  first: {label: Death or stroke, type: composite, first_of: {death_date: Death, stroke_date: Stroke}, horizon: 60 days, better: lower}
confounders:"""


def test_composites(ward):
    ward.edit("confounders:", COMPOSITES).edit(
        "{id: C1", "{id: H1, role: secondary, outcome: harm, method: two-proportions}\n"
        "  - {id: F1, role: secondary, outcome: first, method: cox, adjust: [age]}\n  - {id: C1",
    )  # fmt: skip
    assert ward.run().code == DONE
    columns, first = ward.columns, contrasts(ward)
    harmed = [
        "yes" in pair for pair in zip(columns["Bled"], columns["Stroke"], strict=True)
    ]  # fmt: skip
    assert first["H1"]["events"] == sum(harmed)
    pump = [hit for hit, device in zip(harmed, columns["Device"], strict=True) if device == "pump"]
    none = [hit for hit, device in zip(harmed, columns["Device"], strict=True) if device == "none"]
    assert first["H1"]["estimate"] == pytest.approx(sum(pump) / len(pump) - sum(none) / len(none), rel=CLOSED_FORM)
    hit = [
        bool(stroke) or (died == "yes" and int(days) <= 60)
        for stroke, died, days in zip(columns["Stroke date"], columns["Died"], columns["Days"], strict=True)
    ]
    assert first["F1"]["events"] == sum(hit)


def test_populations(ward):
    ward.edit(
        "outcomes:\n",
        'populations:\n  men: {label: Men, rule: sex = "M"}\n  old: {label: Old men, rule: men and age >= 60}\noutcomes:\n',
    )
    ward.edit(
        "{id: C1", "{id: M1, role: sensitivity, of: A1, population: men, adjust: [age]}\n"
        "  - {id: O1, role: sensitivity, of: A1, population: old, adjust: [age]}\n  - {id: C1",
    )  # fmt: skip
    assert ward.run().code == DONE
    men = [float(age) for age, sex in zip(ward.columns["Age"], ward.columns["Sex"], strict=True) if sex == "M"]
    first = contrasts(ward)
    assert (first["M1"]["population"], first["M1"]["n"]) == ("men", len(men))
    assert (first["O1"]["population"], first["O1"]["n"]) == ("old", sum(age >= 60 for age in men))


def test_keep_is_the_study_of_those_kept(ward):
    ward.edit("{id: C1", "{id: M1, role: sensitivity, of: A1, keep: lactate < 5}\n  - {id: C1")
    assert ward.run().code == DONE
    alone = Ward(ward.directory / "alone")
    kept = [row for row, value in enumerate(alone.columns["Lactate"]) if float(value) < 5]
    alone.columns = {name: [values[row] for row in kept] for name, values in alone.columns.items()}
    assert alone.run().code == DONE
    assert numbers(contrasts(ward)["M1"]) == numbers(contrasts(alone)["A1"])


def test_clusters(ward, plain):
    ward.columns["Site"] = [f"site{number % 12}" for number in range(len(ward.columns["Site"]))]
    ward.edit("adjust: baseline}", "adjust: baseline, clusters: {variable: site, as: robust}}")
    ward.edit("adjust: [age]}", "adjust: [age], clusters: {variable: site, as: robust}}")
    assert ward.run().code == DONE
    found = estimates(ward)
    for name in ("A1.death_here.pump.odds-ratio", "C1.death.pump.hazard-ratio"):
        assert found[name]["clusters"] == len(set(ward.columns["Site"]))
        assert found[name]["estimate"] == plain[name]["estimate"]
        assert found[name]["std_error"] != plain[name]["std_error"]
    assert (
        found["A1.death_here.pump.odds-ratio"]["statistic_name"],
        found["C1.death.pump.hazard-ratio"]["statistic_name"],
    ) == ("t", "z")
    assert "12 clusters" in found["C1.death.pump.hazard-ratio"]["notes"][0]


def test_few_clusters_give_values_without_intervals(ward, plain):
    ward.edit("adjust: baseline}", "adjust: baseline, also: [risk difference], clusters: {variable: site, as: robust}}")
    ward.edit("adjust: [age]}", "adjust: [age], clusters: {variable: site, as: robust}}")
    assert ward.run().code == HAS_FINDINGS
    found = estimates(ward)
    for name in ("A1.death_here.pump.odds-ratio", "C1.death.pump.hazard-ratio", "A1.death_here.pump.risk-difference"):
        row = found[name]
        assert (row["status"], row["conf_low"], row["p_value"], row["std_error"]) == ("few-clusters", None, None, None)
        assert row["clusters"] == 8
        assert name not in plain or row["estimate"] == plain[name]["estimate"]


@pytest.mark.parametrize(("way", "kind"), [("random-intercept", "conditional"), ("gee", "marginal")])
def test_clusters_with_a_model_of_their_own(ward, way, kind):
    ward.columns["Site"] = [f"site{number % 12}" for number in range(len(ward.columns["Site"]))]
    ward.edit("adjust: baseline}", f"adjust: baseline, clusters: {{variable: site, as: {way}}}}}")
    ward.edit(
        "{id: C1",
        f"{{id: L1, role: secondary, outcome: lactate_value, method: linear-regression, adjust: [age], clusters: {{variable: site, as: {way}}}}}\n  - {{id: C1",
    )
    ward.edit(
        "  death: {label",
        "  lactate_value: {label: Lactate, type: continuous, value: lactate, better: lower}\n  death: {label",
    )
    ward.run()
    found = estimates(ward)
    for name in ("A1.death_here.pump.odds-ratio", "L1.lactate_value.pump.mean-difference"):
        row = found[name]
        assert (row["status"], row["clusters"], row["estimand"]["kind"]) == ("ok", 12, kind)
        assert row["conf_low"] < row["estimate"] < row["conf_high"]
        assert any("luster" in note for note in row["notes"])
    assert ("L1.lactate_value.site.variance-between-clusters" in found) is (way == "random-intercept")


def test_matched_sets(ward):
    ward.columns["Site"] = [f"set{number // 4:02d}" for number in range(len(ward.columns["Site"]))]
    ward.edit(
        "{id: C1",
        "{id: M1, role: secondary, outcome: death_here, method: conditional-logistic, stratum: site, adjust: [age]}\n  - {id: C1",
    )
    assert ward.run().code == DONE
    row = estimates(ward)["M1.death_here.pump.odds-ratio"]
    assert (row["status"], row["estimand"]["kind"], row["clusters"]) == ("ok", "conditional", None)
    assert row["n"] < len(ward.columns["Site"])


def test_one_cluster_gives_no_interval(ward):
    ward.edit("adjust: baseline}", "adjust: baseline, clusters: {variable: site, as: robust}}").fill("Site", "site0")
    said = ward.run()
    assert said.code == HAS_FINDINGS
    row = contrasts(ward)["A1"]
    assert row["conf_low"] is None
    assert row["status"] != "ok"


def test_holm(ward):
    ward.edit(
        "  death: {label", "  bleed: {label: Bleeding, type: binary, event: bled = yes, better: lower}\n  death: {label"
    )
    ward.edit(
        "{id: C1",
        "{id: M1, role: secondary, outcome: [bleed, death_here], method: two-proportions, multiplicity: holm}\n  - {id: C1",
    )
    assert ward.run().code == DONE
    rows = [row for row in ward.results()["estimates"] if row["analysis"] == "M1"]
    small, large = sorted(row["p_value"] for row in rows)
    adjusted = [min(1.0, 2 * small), max(min(1.0, 2 * small), large)]
    assert sorted(row["p_adjusted"] for row in rows) == pytest.approx(adjusted, rel=CLOSED_FORM)


@pytest.mark.parametrize("refit", ["yes", "no"])
def test_subgroups(ward, refit):
    ward.protocol += f"subgroups: {{of: A1, by: [sex, {{variable: age, cut: [65]}}], refit: {refit}}}\n"
    assert ward.run().code == DONE
    rows = [row for row in ward.results()["estimates"] if row["subgroup"] is not None]
    assert [(row["subgroup"]["variable"], row["subgroup"]["level"]) for row in rows] == [
        ("sex", "F"), ("sex", "M"), ("age", "<65"), ("age", ">=65"),
    ]  # fmt: skip
    assert {row["p_value"] for row in rows} == {None}
    assert {row["statistic"] for row in rows} == {None}
    tests = [row for row in ward.results()["estimates"] if row["measure"] == "interaction"]
    assert all(0 < row["p_value"] <= 1 for row in tests)
    assert {row["variable"] for row in tests} == {"sex", "age"}
    if refit == "yes":
        alone = Ward(ward.directory / "alone")
        kept = [row for row, sex in enumerate(alone.columns["Sex"]) if sex == "F"]
        alone.columns = {name: [values[row] for row in kept] for name, values in alone.columns.items()}
        alone.edit("[age, sex, lactate]", "[age, lactate]")
        assert alone.run().code == DONE
        assert numbers(rows[0])[:3] == numbers(contrasts(alone)["A1"])[:3]


def test_a_randomized_trial(ward, plain):
    ward.edit("design: cohort", "design: randomized-trial").edit("assigned_by: clinician", "assigned_by: randomization")
    assert ward.run().code == DONE
    assert numbers(contrasts(ward)["A1"]) == numbers(plain["A1.death_here.pump.odds-ratio"])
    assert not [row for row in ward.results()["table_one"] if row.get("p_value") is not None]
    ward.protocol += "report: {table1: {p_values: yes}}\n"
    said = ward.check()
    assert said.code == PROTOCOL_INVALID
    assert "E265" in said.out


def test_everything_in_another_order(ward, plain):
    """Patients and columns in reverse: the same numbers, to rounding."""
    ward.columns = {name: values[::-1] for name, values in reversed(ward.columns.items())}
    assert ward.run().code == DONE
    for name, row in estimates(ward).items():
        for old, new in zip(numbers(plain[name]), numbers(row), strict=True):
            assert new == old or new == pytest.approx(old, rel=ANOTHER_ORDER)
