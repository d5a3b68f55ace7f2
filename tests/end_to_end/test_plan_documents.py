"""The plan and its empty tables as files, from the command line, for the studies that ship."""

import re
import shutil

import pytest
from ward import call

from counterpulse.errors import DONE, PROTOCOL_INVALID, USAGE

STUDIES = {"ecls-registry": 17, "stanford-heart": 5, "vsr-iabp": 8}
"""How many analyses each one plans."""
LONGEST = "ecls-registry"
"""Its shells are those of twenty imputed tables; the other studies show the same in a fraction of the time."""
STARTS = {".html": b"<!doctype html>", ".docx": b"PK", ".pdf": b"%PDF"}


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.slow) if name == LONGEST else name for name in STUDIES]
)
def study(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    assert call("example", request.param, folder).code == DONE
    for data in folder.glob("*.csv"):
        if "dictionary" not in data.name:
            data.unlink()
    return request.param, folder / f"{request.param}.protocol.yaml"


@pytest.mark.parametrize("suffix", STARTS)
def test_plan_and_shells_without_any_data(study, suffix, tmp_path):
    name, protocol = study
    files = tmp_path / f"plan{suffix}", tmp_path / f"shells{suffix}"
    said = call("plan", protocol, "--sap", files[0], "--shells", files[1])
    assert said.code == DONE
    for file in files:
        assert file.read_bytes().startswith(STARTS[suffix])
        assert str(file) in said.out
    if suffix == ".html":
        sap, shells = (file.read_text(encoding="utf-8") for file in files)
        assert len(re.findall(r'id="planned-', sap)) >= STUDIES[name]
        assert "SHELL: no data" in shells
        assert "MOCK" not in shells
        assert "xx" in shells
        assert not re.search(r"<td[^>]*>\d+\.\d+ \(", shells)


def test_a_file_that_a_person_edited_is_kept(study, tmp_path):
    _, protocol = study
    file = tmp_path / "plan.docx"
    assert call("plan", protocol, "--sap", file).code == DONE
    before = file.read_bytes()
    assert call("plan", protocol, "--sap", file).code == DONE
    assert file.read_bytes() == before
    shutil.copy(protocol, file)
    said = call("plan", protocol, "--sap", file)
    assert said.code == USAGE
    assert "choose another name" in said.err
    assert file.read_bytes() == protocol.read_bytes()


def test_another_ending_is_refused_before_anything_is_written(study, tmp_path):
    _, protocol = study
    said = call("plan", protocol, "--sap", tmp_path / "plan.docx", "--shells", tmp_path / "shells.rtf")
    assert said.code == USAGE
    assert not list(tmp_path.iterdir())


def test_a_protocol_with_errors_gives_no_plan(study, tmp_path):
    _, protocol = study
    broken = protocol.with_name("broken.protocol.yaml")
    broken.write_text(protocol.read_text(encoding="utf-8").replace("outcomes:", "outcome:", 1), encoding="utf-8")
    assert call("plan", broken, "--sap", tmp_path / "plan.pdf").code == PROTOCOL_INVALID
    broken.unlink()
    assert not list(tmp_path.iterdir())


def test_json_stays_json_beside_a_file(study, tmp_path):
    import json

    _, protocol = study
    said = call("plan", protocol, "--json", "--sap", tmp_path / "plan.html")
    assert said.code == DONE
    assert json.loads(said.out)["format"] == "counterpulse/plan/1"
