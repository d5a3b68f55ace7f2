"""A bundle is run again, and two bundles are compared."""

import json
import shutil

import pytest
from ward import Ward, call

from counterpulse.errors import DONE, HAS_FINDINGS, USAGE

EFFECT = "A1.death_here.pump.odds-ratio"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    ward = Ward(tmp_path_factory.mktemp("verify")).write()
    assert call("run", ward.path, "--out", ward.bundle).code == DONE
    return ward


@pytest.fixture
def copy(ran, tmp_path):
    shutil.copytree(ran.directory, tmp_path / "study")
    again = Ward(tmp_path / "study")
    again.columns = {name: list(column) for name, column in ran.columns.items()}
    return again


def test_the_same_inputs_give_the_same_numbers(copy):
    said = call("verify", copy.bundle)
    assert (said.code, said.out.splitlines()[-1]) == (DONE, "Every number came out again.")
    assert json.loads(call("verify", copy.bundle, "--json").out)["holds"] is True


def test_other_patients_are_named_as_the_cause(copy):
    copy.set("Died", 0, "no" if copy.columns["Died"][0] == "yes" else "yes").write()
    said = call("verify", copy.bundle, "--json")
    found = json.loads(said.out)
    assert said.code == HAS_FINDINGS
    assert [change["path"] for change in found["inputs"]] == [["study", "data_digest"]]
    assert any(change["path"][1] == EFFECT for change in found["numbers"])
    assert copy.columns["Study number"][0] not in said.out


def test_an_edited_report_does_not_verify(copy):
    (copy.bundle / "report.html").write_text("0.001", encoding="utf-8")
    said = call("verify", copy.bundle)
    assert said.code == HAS_FINDINGS
    assert "report.html is not what the run wrote" in said.out


def test_a_number_changed_by_hand_is_refused(copy):
    results = copy.bundle / "results.json"
    results.write_text(results.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    assert call("verify", copy.bundle).code == USAGE


def test_a_protocol_that_was_changed_is_not_found_unless_named(copy):
    copy.edit("adjust: baseline", "adjust: [age]").write()
    said = call("verify", copy.bundle)
    assert said.code == USAGE
    assert "--protocol" in said.err
    named = call("verify", copy.bundle, "--protocol", copy.path)
    assert named.code == HAS_FINDINGS
    assert "protocol_digest" in named.out


def test_a_run_of_some_analyses_with_a_seed_verifies(copy):
    assert call("run", copy.path, "--out", copy.directory / "part", "--only", "K1", "--seed", 7).code == DONE
    assert call("verify", copy.directory / "part").code == DONE


def test_two_bundles_of_one_study_say_the_same(copy):
    assert call("run", copy.path, "--out", copy.directory / "again").code == DONE
    said = call("diff", copy.bundle, copy.directory / "again")
    assert (said.code, said.out) == (DONE, "The two bundles say the same.\n")


def test_what_changed_and_what_it_moved(copy):
    copy.edit("adjust: baseline", "adjust: [age]").write()
    other = copy.directory / "other"
    assert call("run", copy.path, "--out", other).code == DONE
    said = call("diff", copy.bundle, other)
    assert said.code == HAS_FINDINGS
    assert 'analyses · A1 · adjust: baseline -> ["age"]' in said.out
    found = json.loads(call("diff", copy.bundle, other, "--json").out)
    moved = {item["id"]: item for item in found["estimates"]}
    assert moved[EFFECT]["before"]["estimate"] != moved[EFFECT]["after"]["estimate"]
    assert moved["A1.death_here.lactate.odds-ratio"]["after"] is None
    assert {item["path"][1] for item in found["inputs"]} == {"protocol_digest"}
    assert not found["flow"]


def test_a_directory_without_a_bundle_is_refused(copy, tmp_path):
    assert call("diff", copy.bundle, tmp_path).code == USAGE
    assert call("verify", tmp_path).code == USAGE
