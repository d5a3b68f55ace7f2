"""The gallery shows what its protocols make now, and every protocol in it passes `check`."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from importlib.resources import as_file
from pathlib import Path

import pytest

from counterpulse import study
from counterpulse.errors import DONE

DOCS = Path(__file__).resolve().parents[2] / "docs"
ALL_BYTES = 1_700_000
"""What the gallery may weigh: every clone of the repository carries it."""


@pytest.fixture(scope="module")
def make_gallery():
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_picture_is_what_its_lines_make(make_gallery):
    made = make_gallery.gallery()
    different = [name for name, text in made.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert not different, "run  python docs/make_gallery.py"
    pictures = {f"gallery/{path.name}" for path in (DOCS / "gallery").glob("*.svg")}
    assert pictures == {name for name in made if name.endswith(".svg")}


def test_every_protocol_passes_check(make_gallery, tmp_path):
    for entry in make_gallery.entries():
        with as_file(make_gallery.EXAMPLE) as example:
            directory = Path(shutil.copytree(example, tmp_path / entry.name))
        findings, code = study.check(make_gallery.written(entry, directory))
        assert code == DONE, (entry.name, findings)


def test_the_page_shows_every_picture_with_its_lines(make_gallery):
    page = make_gallery.PAGE.read_text(encoding="utf-8")
    entries = list(make_gallery.entries())
    assert [Path(name).stem for name in re.findall(r'<img src="([^"]+)"', page)] == [entry.name for entry in entries]
    assert all(f"```yaml\n{entry.yaml}```" in page for entry in entries)
    assert all((DOCS / link).exists() for link in re.findall(r"\]\(([^)#]+)\)", page))


def test_the_gallery_is_light():
    assert sum(path.stat().st_size for path in (DOCS / "gallery").iterdir()) <= ALL_BYTES
