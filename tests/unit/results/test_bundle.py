import json

import pytest

from counterpulse.errors import UsageError
from counterpulse.results.bundle import MANIFEST, digest, read_outputs, write_bundle

FILES = {"results.json": b"{}\n", "tables/one.csv": b"a,b\r\n"}
IDENTITY = {"study": {"id": "s"}}


def files_of(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "out", FILES, identity=IDENTITY).directory


def test_a_bundle_holds_its_files_and_what_they_hash_to(bundle):
    found = files_of(bundle)
    assert found.keys() == {*FILES, MANIFEST}
    manifest = json.loads(found[MANIFEST])
    assert manifest["study"] == {"id": "s"}
    assert manifest["outputs"] == {name: digest(content) for name, content in FILES.items()}


def test_the_same_files_make_the_same_bytes(bundle, tmp_path):
    again = write_bundle(tmp_path / "again", FILES, identity=IDENTITY).directory
    assert files_of(again) == files_of(bundle)


def test_a_bundle_is_replaced_whole(bundle):
    written = write_bundle(bundle, {"other.txt": b"x"}, identity=IDENTITY)
    assert (written.directory, written.moved_because) == (bundle, None)
    assert files_of(bundle).keys() == {"other.txt", MANIFEST}
    assert [path.name for path in bundle.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["results.json", "notes.txt", "tables/mine.xlsx"])
def test_what_a_person_changed_or_added_stays(bundle, name):
    (bundle / name).write_bytes(b"mine")
    written = write_bundle(bundle, FILES, identity=IDENTITY)
    assert written.directory.name == "out-2"
    assert "by a person" in written.moved_because
    assert (bundle / name).read_bytes() == b"mine"
    assert write_bundle(bundle, FILES, identity=IDENTITY).directory.name == "out-2"  # not edited, so it is replaced


def test_files_of_the_system_are_no_edits(bundle):
    (bundle / ".DS_Store").write_bytes(b"")
    assert write_bundle(bundle, FILES, identity=IDENTITY).moved_because is None


def test_a_file_that_a_person_deleted_is_restored(bundle):
    (bundle / "results.json").unlink()
    assert write_bundle(bundle, FILES, identity=IDENTITY).directory == bundle
    assert (bundle / "results.json").read_bytes() == FILES["results.json"]


@pytest.mark.parametrize("manifest", [None, b"{}", b"not json", b"[]"])
def test_a_directory_that_is_no_bundle_is_left_as_it_is(tmp_path, manifest):
    directory = tmp_path / "thesis"
    directory.mkdir()
    (directory / "chapter.docx").write_bytes(b"years of work")
    if manifest is not None:
        (directory / MANIFEST).write_bytes(manifest)
    before = files_of(directory)
    with pytest.raises(UsageError, match="did not write"):
        write_bundle(directory, FILES, identity=IDENTITY)
    assert files_of(directory) == before
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]


def test_an_empty_directory_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    assert write_bundle(tmp_path / "out", FILES, identity=IDENTITY).directory == tmp_path / "out"


def test_a_file_is_no_place_for_a_bundle(tmp_path):
    (tmp_path / "out").write_bytes(b"x")
    with pytest.raises(UsageError, match="is a file"):
        write_bundle(tmp_path / "out", FILES, identity=IDENTITY)


def test_an_interrupted_run_leaves_the_bundle_as_it_was(bundle, monkeypatch):
    before = files_of(bundle)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("counterpulse.results.bundle._put", stop)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(bundle, {"results.json": b"new"}, identity=IDENTITY)
    assert files_of(bundle) == before
    assert [path.name for path in bundle.parent.iterdir()] == ["out"]


def test_outputs_are_read_back(bundle, tmp_path):
    assert read_outputs(bundle, ("results.json",)) == (FILES["results.json"],)
    with pytest.raises(UsageError, match=r"lacks plan\.json"):
        read_outputs(bundle, ("results.json", "plan.json"))
    with pytest.raises(UsageError, match="not a bundle"):
        read_outputs(tmp_path, ("results.json",))
