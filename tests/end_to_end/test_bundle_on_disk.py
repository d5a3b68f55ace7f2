"""A bundle is replaced whole or not at all; what a person did is never lost; what cannot be written is said."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import docx
import pytest
from ward import Ward, call

from counterpulse.errors import DONE, USAGE

INTERRUPTED = 130


def contents(directory):
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def beside(ward):
    return sorted(path.name for path in ward.directory.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    ward = Ward(tmp_path_factory.mktemp("first"))
    assert ward.run().code == DONE
    return ward


@pytest.fixture
def ward(first_run, tmp_path):
    """A study with a bundle that a second run would change."""
    shutil.copytree(first_run.directory, tmp_path / "study")
    return Ward(tmp_path / "study").set("Age", 0, "44").write()


def test_the_same_study_gives_the_same_bytes(first_run, tmp_path):
    before = contents(first_run.bundle)
    assert first_run.run().code == DONE
    assert contents(first_run.bundle) == before
    elsewhere = Ward(tmp_path / "another folder")
    assert elsewhere.run().code == DONE
    assert contents(elsewhere.bundle) == before
    assert call("run", first_run.path, "--out", tmp_path / "jobs", "--jobs", 2).code == DONE
    assert contents(tmp_path / "jobs") == before


LOOKS = """\
report:
  outputs: [html, docx, pdf, json]
  style: lancet
  figures: {format: [tiff, eps, pdf], width: one-column}
  line_numbers: yes
  separate_tables: yes
"""
EVERY_FORMAT = {".html", ".docx", ".pdf", ".svg", ".png", ".tiff", ".eps", ".csv", ".json"}


def test_every_format_has_the_same_bytes_in_another_process(tmp_path):
    """Another order of sets, another clock, place, language and number of processes; a second rendering from the results."""
    here = Ward(tmp_path / "here")
    here.protocol += LOOKS
    assert here.run().code == DONE
    before = contents(here.bundle)
    assert {Path(name).suffix for name in before} >= EVERY_FORMAT
    there = Ward(tmp_path / "there, far away")
    there.protocol = here.protocol
    there.write()
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "4711",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C.UTF-8",
        "SOURCE_DATE_EPOCH": "1",
    }
    command = ["-m", "counterpulse", "run", str(there.path), "--out", str(there.bundle), "--jobs", "2"]
    subprocess.run([sys.executable, *command], check=True, capture_output=True, env=environment, cwd=tmp_path)
    assert contents(there.bundle) == before
    assert call("report", here.bundle).code == DONE
    assert contents(here.bundle) == before


def test_no_output_knows_the_folder_it_came_from(tmp_path):
    ward = Ward(tmp_path / "whereabouts")
    ward.edit(
        "{id: C1", "{id: S1, role: sensitivity, of: A1, keep: lactate < 5}\n  - {id: C1"
    )  # a warning that names the file
    ward.edit("table: ward.csv", f"table: {ward.data.as_posix()}")
    assert ward.run().code == DONE
    assert "W262" in (ward.bundle / "results.json").read_text(encoding="utf-8")
    knowing = [path.name for path in ward.bundle.rglob("*") if path.is_file() and b"whereabouts" in path.read_bytes()]
    assert knowing == []


def test_a_new_run_replaces_the_old(ward):
    before = contents(ward.bundle)
    assert ward.run().code == DONE
    assert contents(ward.bundle) != before
    assert beside(ward) == ["ward-report"]


@pytest.mark.parametrize("name", ["report.html", "results.json", "tables/estimates.csv"])
def test_what_a_person_edited_stays(ward, name):
    with (ward.bundle / name).open("a", encoding="utf-8") as file:
        file.write("a remark")
    before = contents(ward.bundle)
    for _ in range(2):
        said = ward.run()
        assert said.code == DONE
        assert f"{name} in ward-report was edited by a person" in said.err
        assert contents(ward.bundle) == before
        assert beside(ward) == ["ward-report", "ward-report-2"]


def written_into(report, words):
    """Somebody opens the report in Word, adds a paragraph and saves it."""
    document = docx.Document(str(report))
    document.add_paragraph(words)
    document.save(str(report))


@pytest.mark.parametrize("verb", ["run", "report"])
def test_a_word_report_that_a_person_edited_stays(ward, verb):
    report = ward.bundle / "report.docx"
    written_into(report, "Our discussion, three evenings of work.")
    before = contents(ward.bundle)
    said = ward.run() if verb == "run" else ward.checked(call("report", ward.bundle, "--style", "jama"))
    assert said.code == DONE
    assert "report.docx in ward-report was edited by a person" in said.err
    assert "ward-report-2" in said.out
    assert contents(ward.bundle) == before
    assert "three evenings" in docx.Document(str(report)).paragraphs[-1].text
    assert (
        "three evenings" not in docx.Document(str(ward.directory / "ward-report-2" / "report.docx")).paragraphs[-1].text
    )


def test_what_a_person_added_stays(ward):
    (ward.bundle / "my notes.txt").write_text("x", encoding="utf-8")
    assert ward.run().code == DONE
    assert (ward.bundle / "my notes.txt").exists()
    assert beside(ward) == ["ward-report", "ward-report-2"]


def test_a_neighbor_that_is_not_ours_is_passed_by(ward):
    (ward.bundle / "report.html").write_text("x", encoding="utf-8")
    (ward.directory / "ward-report-2").mkdir()
    (ward.directory / "ward-report-2" / "thesis.txt").write_text("x", encoding="utf-8")
    assert ward.run().code == DONE
    assert beside(ward) == ["ward-report", "ward-report-2", "ward-report-3"]


def test_a_folder_of_somebody_else_is_never_replaced(ward):
    shutil.rmtree(ward.bundle)
    ward.bundle.mkdir()
    (ward.bundle / "thesis.txt").write_text("x", encoding="utf-8")
    said = ward.run()
    assert said.code == USAGE
    assert "did not write" in said.err
    assert contents(ward.bundle).keys() == {"thesis.txt"}


@pytest.mark.parametrize("manifest", ["", "{}", "[]", '{"format": "counterpulse/manifest/1"}', "\x00"])
def test_a_manifest_that_is_not_ours(ward, manifest):
    (ward.bundle / "manifest.json").write_text(manifest, encoding="utf-8")
    before = contents(ward.bundle)
    assert ward.run().code == USAGE
    assert call("explain", ward.bundle, "A1").code == USAGE
    assert contents(ward.bundle) == before


def test_an_empty_folder_is_filled(ward):
    shutil.rmtree(ward.bundle)
    ward.bundle.mkdir()
    assert ward.run().code == DONE


# -- places that cannot be written


def test_a_file_in_the_way(ward):
    shutil.rmtree(ward.bundle)
    ward.bundle.write_text("x", encoding="utf-8")
    assert ward.run().code == USAGE
    assert call("run", ward.path, "--out", ward.bundle / "below").code == USAGE


def test_no_permission(ward, monkeypatch):
    def deny(*_):
        raise PermissionError(13, "Permission denied")

    before = contents(ward.bundle)
    monkeypatch.setattr(os, "replace", deny)
    said = ward.run()
    assert said.code == USAGE
    assert "no permission" in said.err
    assert contents(ward.bundle) == before
    assert beside(ward) == ["ward-report"]


def test_a_full_disk(ward, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = contents(ward.bundle)
    monkeypatch.setattr(Path, "write_bytes", full)
    said = ward.checked(call("run", ward.path, "--out", ward.bundle))
    assert said.code == USAGE
    assert "No space left" in said.err
    assert contents(ward.bundle) == before
    assert beside(ward) == ["ward-report"]


# -- a bundle that is open in another program


def test_a_lock_file_of_word(ward):
    (ward.bundle / "~$report.docx").write_bytes(b"somebody")
    said = ward.run()
    assert said.code == DONE
    assert "open in another program" in said.err
    assert (ward.bundle / "~$report.docx").exists()
    assert beside(ward) == ["ward-report", "ward-report-2"]


@pytest.mark.parametrize("denied", ["the old away", "the new in"])
def test_a_rename_that_windows_refuses(ward, monkeypatch, denied):
    rename, before = os.replace, contents(ward.bundle)

    def refuse(source, target):
        away, into = Path(source).name == "ward-report", Path(target).name == "ward-report"
        if (denied == "the old away" and away) or (denied == "the new in" and into and ".partial" in Path(source).name):
            raise PermissionError(13, "Access is denied")
        rename(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    for _ in range(2):  # the neighbor of the first run is replaced by the second
        said = ward.run()
        assert said.code == DONE
        assert "a file in ward-report is open in another program" in said.err
        assert contents(ward.bundle) == before
        assert beside(ward) == ["ward-report", "ward-report-2"]


# -- Ctrl-C


@pytest.mark.parametrize(
    "moment",
    [
        "counterpulse.study.run.make_cohort", "counterpulse.study.run.analyze", "counterpulse.report.publishing.compose",
        "counterpulse.results.bundle._fill",
    ],
)  # fmt: skip
def test_interrupted_while_working(ward, monkeypatch, moment):
    def stop(*_, **__):
        raise KeyboardInterrupt

    before = contents(ward.bundle)
    monkeypatch.setattr(moment, stop)
    said = ward.run()
    assert said.code == INTERRUPTED
    assert "still whole" in said.err
    assert contents(ward.bundle) == before
    assert beside(ward) == ["ward-report"]


def test_interrupted_while_writing(ward, monkeypatch):
    write, written, before = Path.write_bytes, [], contents(ward.bundle)

    def stop_at_the_third(path, data):
        written.append(path)
        if len(written) == 3:
            raise KeyboardInterrupt
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", stop_at_the_third)
    assert call("run", ward.path, "--out", ward.bundle).code == INTERRUPTED
    assert contents(ward.bundle) == before
    assert beside(ward) == ["ward-report"]


def test_interrupted_between_the_two_renames(ward, monkeypatch):
    rename, before = os.replace, contents(ward.bundle)

    def stop(source, target):
        if ".partial" in Path(source).name:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", stop)
    assert ward.run().code == INTERRUPTED
    assert contents(ward.bundle) == before
    assert beside(ward) == ["ward-report"]


def test_interrupted_while_sweeping_up(ward, monkeypatch):
    sweep, calls = shutil.rmtree, []

    def stop_once(path, **options):
        calls.append(path)
        if len(calls) == 1:
            raise KeyboardInterrupt
        sweep(path, **options)

    before = contents(ward.bundle)
    monkeypatch.setattr(shutil, "rmtree", stop_once)
    assert ward.run().code == DONE
    assert contents(ward.bundle) != before
    assert beside(ward) == ["ward-report"]


# -- what reads a bundle


def test_an_edited_result_is_not_rendered_again(ward):
    results = ward.bundle / "results.json"
    tree = json.loads(results.read_text(encoding="utf-8"))
    tree["estimates"][0]["estimate"] = 0.01
    results.write_text(json.dumps(tree), encoding="utf-8")
    for said in (call("report", ward.bundle), call("explain", ward.bundle, "A1")):
        assert said.code == USAGE
        assert "results.json" in said.err
        assert "edited" in said.err


def test_a_bundle_that_lacks_a_file(ward):
    (ward.bundle / "plan.json").unlink()
    assert call("report", ward.bundle).code == USAGE
    (ward.bundle / "manifest.json").unlink()
    assert call("report", ward.bundle).code == USAGE
    assert call("report", ward.directory / "nowhere").code == USAGE
