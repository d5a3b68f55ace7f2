import csv
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from counterpulse.errors import ProtocolError
from counterpulse.examples import __path__ as examples
from counterpulse.protocol.nodes import Rehearsal
from counterpulse.results.rehearsed_study import rehearsal_json
from counterpulse.study import read_study, rehearse_analyses
from counterpulse.study.rehearsing import simulated_patients

ASSUMED = {
    "replicates": 6,
    "prognosis": {"age": 0.4, "prior_surgery": -0.6},
    "outcomes": {
        "death": {"risk": 0.7, "by": "1 year", "shape": 0.6, "effects": 0.5},
        "death_1y": {"median": "100 days", "lost": 0.05},
    },
}
OUTCOMES = ("Date of death", "Last contact")
EXAMPLES = Path(next(iter(examples)))
ITERATED = 1e-6  # Newton's method ends there
ROUNDING = 1e-9  # sums of thousands of equal terms
RATIO_TRUTH = 0.01  # relative: what the people behind a truth leave open


def study(folder, table=None):
    shutil.copytree(EXAMPLES / "stanford_heart", folder, dirs_exist_ok=True)
    if table is not None:
        table.write_csv(folder / "stanford-heart.csv")
    return read_study(folder / "stanford-heart.protocol.yaml")


def assuming(plan, **changes):
    node = Rehearsal.model_validate(ASSUMED | changes)
    return replace(plan, protocol=plan.protocol.model_copy(update={"rehearsal": node}))


def rehearsed(plan, table, **changes):
    return rehearse_analyses(assuming(plan, **changes), table)


def lines(found):
    return {(row["scenario"], row["of"]): row for block in found.blocks for row in block.rows()}


@pytest.fixture(scope="module", autouse=True)
def few_twins():
    """Truths from fewer people: fast, and their even chances still hold them to a percent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated_patients, "TWINS", 5_000)
        patch.setattr(simulated_patients, "FEWER_TWINS", 500)
        yield


@pytest.fixture(scope="module")
def stanford(tmp_path_factory):
    return study(tmp_path_factory.mktemp("heart"))


@pytest.fixture(scope="module")
def found(stanford):
    return rehearsed(*stanford)


def raw():
    with (EXAMPLES / "stanford_heart" / "stanford-heart.csv").open(encoding="utf-8-sig") as file:
        return pl.DataFrame(list(csv.DictReader(file)))


@pytest.mark.parametrize("how", ["blanked", "scrambled"])
def test_no_outcome_is_read(tmp_path, found, how):
    table = raw()
    if how == "blanked":
        table = table.with_columns(pl.lit("").alias(name) for name in OUTCOMES)
    else:  # deaths before admission and after the last contact: nobody looks
        table = table.with_columns(table[name].shuffle(seed) for seed, name in enumerate(OUTCOMES))
    assert rehearsal_json(rehearsed(*study(tmp_path / how, table))) == rehearsal_json(found)
    assert found.hidden == ("death_date", "last_contact")


def test_the_result_does_not_depend_on_who_takes_the_replicates(stanford, found):
    plan, table = stanford
    again = rehearse_analyses(assuming(plan), table, jobs=3)
    assert rehearsal_json(again) == rehearsal_json(found)


def test_more_replicates_keep_the_first(stanford, found):
    few = lines(rehearsed(*stanford, replicates=2))
    assert few != lines(found)
    assert {row["truth"] for row in few.values()} == {row["truth"] for row in lines(found).values()}


def test_another_outcome_shifts_no_draw(stanford, found):
    alone = lines(rehearsed(*stanford, outcomes={"death": ASSUMED["outcomes"]["death"]}))
    assert alone == {key: row for key, row in lines(found).items() if row["outcome"] == "death"}


def test_truths_are_those_that_were_assumed(found):
    known = lines(found)
    for (scenario, _), row in known.items():
        if row["measure"] == "hazard ratio":
            expected = 1.0 if scenario == "no effect" else 0.5
            assert row["truth"] == pytest.approx(expected, rel=RATIO_TRUTH)
        elif row["measure"] != "test of curves":
            assert abs(row["truth"]) < ROUNDING  # the same people with the same chances in both groups
        else:
            assert row["truth"] is None
            assert row["power"] is not None


def test_what_is_not_rehearsed_is_named(stanford):
    found = rehearsed(*stanford, outcomes={"death": ASSUMED["outcomes"]["death"]})
    assert {item.reason for item in found.left_out} == {"nothing is assumed of its outcome"}
    assert {"K1", "R1"} <= {item.analysis for item in found.left_out}


def test_a_protocol_without_assumptions_is_refused(stanford):
    with pytest.raises(ProtocolError) as error:
        rehearse_analyses(*stanford)
    assert [finding.code for finding in error.value.findings] == ["E655"]


def test_a_strength_of_what_an_outcome_is_made_of_is_refused(stanford):
    with pytest.raises(ProtocolError) as error:
        rehearsed(*stanford, prognosis={"last_contact": {"x": 1.0}})
    assert [finding.code for finding in error.value.findings] == ["E657"]


def test_groups_made_of_an_outcome_are_refused(stanford):
    plan, table = stanford
    groups = plan.protocol.groups.model_copy(update={"variable": "death_date"})
    plan = replace(plan, protocol=plan.protocol.model_copy(update={"groups": groups}))
    with pytest.raises(ProtocolError) as error:
        rehearsed(plan, table)
    assert [finding.code for finding in error.value.findings] == ["E659"]


def test_a_study_without_groups_is_refused(stanford):
    plan, table = stanford
    with pytest.raises(ProtocolError) as error:
        rehearsed(replace(plan, group_variable=None), table)
    assert [finding.code for finding in error.value.findings] == ["E655"]


def test_given_strengths_are_used_and_an_unmeasured_confounder_misleads_everybody(stanford):
    found = rehearsed(
        *stanford, replicates=30, prognosis={"age": 0.2, "prior_surgery": {"yes": -0.5}},
        unmeasured={"outcome": 1.5, "exposure": 1.5}, outcomes={"death": {"risk": 0.7, "by": "1 year"}},
    )  # fmt: skip
    row = lines(found)["no effect", "A1.death.yes.hazard-ratio"]
    assert row["truth"] == pytest.approx(1.0, rel=ITERATED)
    assert row["bias"] > 5 * row["bias_error"]
    reasons = {item.estimate: item.reasons for item in found.biased}
    assert reasons["A1.death.yes.hazard-ratio"] == ("nothing adjusts for the unmeasured confounder",)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ecls") / "study"
    shutil.copytree(EXAMPLES / "ecls_registry", folder)
    return folder


def rehearsed_registry(folder):
    plan, table = read_study(folder / "ecls-registry.protocol.yaml")
    outcomes = {"death_30d": {"risk": 0.4}, "bleeding": {"risk": 0.3, "fatal": "no"}}
    return rehearsed(plan, table, replicates=2, patients=200, prognosis="moderate", outcomes=outcomes)


def test_the_registry_example_is_rehearsed_in_all_roles(registry):
    found = rehearsed_registry(registry)
    assert {"A4", "A6"} <= {block.analysis for block in found.blocks}
    assert "died_in_hospital" in found.hidden
    assert "age" not in found.hidden
    assert any("reads an outcome and was not applied" in note for note in found.notes)
    assert {item.analysis: item.reason for item in found.left_out}["W1"] == "the exposure itself is its outcome"
    assert found.data_kind == "mock"


def test_no_column_of_an_outcome_of_the_registry_is_read(registry):
    before = rehearsed_registry(registry)
    table = pl.read_csv(registry / "registry.csv", infer_schema=False)
    outcomes = [name for name in before.hidden if name in table.columns]
    assert len(outcomes) > 8
    shuffled = table.with_columns(table[name].shuffle(seed) for seed, name in enumerate(outcomes))
    shuffled.write_csv(registry / "registry.csv")
    assert rehearsal_json(rehearsed_registry(registry)) == rehearsal_json(before)


def test_matched_weighted_and_cloned_patients_are_rehearsed_as_planned(registry, tmp_path):
    shutil.copytree(registry, tmp_path / "study")
    file = tmp_path / "study" / "ecls-registry.protocol.yaml"
    before, _, _ = file.read_text(encoding="utf-8").partition("\nanalyses:")
    file.write_text(
        f"""{before}
analyses:
  - {{id: M1, role: primary, outcome: death_hospital, method: propensity-matching, adjust: short}}
  - {{id: W1, role: secondary, outcome: death_hospital, method: propensity-weighting, adjust: short}}
  - {{id: C1, role: secondary, outcome: death_30d, method: cox, adjust: short,
     immortal_time: {{plan: clone-censor-weight, grace: 48 hours}}}}
""",
        encoding="utf-8",
    )
    outcomes = {
        "death_30d": {"risk": 0.4, "effects": 0.7},
        "death_hospital": {"risk": 0.4, "within": "60 days", "effects": 0.7},
    }
    found = rehearsed(
        *read_study(file), replicates=2, patients=300, prognosis="moderate", outcomes=outcomes, datasets=2
    )
    known = {(row["of"].split(".")[0], row["scenario"]): row for row in lines(found).values()}
    for name in ("M1", "W1", "C1"):
        assert known[name, "no effect"]["truth"] == pytest.approx(1.0, rel=ITERATED)
        assert known[name, "no effect"]["failed"] == 0
    for name in ("M1", "W1"):
        assert 0.7 < known[name, "odds ratio 0.7"]["truth"] < 0.78  # of everybody, so nearer to 1
    assert known["C1", "hazard ratio 0.7"]["truth"] is None  # a strategy with a grace period
    assert known["C1", "hazard ratio 0.7"]["mean"] is not None
    assert any("2 imputed tables" in note for note in found.notes)
    assert any("Bootstrap samples" in note for note in found.notes)
