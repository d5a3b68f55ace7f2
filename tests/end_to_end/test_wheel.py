"""What a user installs is the wheel, not this checkout: it must hold the examples, fonts and styles, and work from any folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "src")
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def call(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment that holds the wheel, and sees the dependencies of this one but not its editable install."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, source, cwd=place)
    (wheel,) = place.glob("*.whl")
    venv.create(place / "venv", with_pip=False)
    python = place / "venv" / SCRIPTS / Path(sys.executable).name
    if not python.exists():
        python = place / "venv" / SCRIPTS / "python"
    call(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=place,
    )
    site = call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip()
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def test_every_data_file_of_the_package_ships(installed):
    def data_files(package):
        found = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {path.relative_to(package).as_posix() for path in found}

    site = call(installed, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=installed.parent).strip()
    assert data_files(Path(site, "counterpulse")) == data_files(ROOT / "src" / "counterpulse")


def test_the_demo_runs_from_an_empty_folder_with_blanks_and_umlauts(installed, tmp_path):
    here = tmp_path / "Größe und Würde"
    here.mkdir()
    where = call(installed, "-c", "import counterpulse; print(counterpulse.__file__)", cwd=here)
    assert Path(where.strip()).is_relative_to(installed.parents[1])
    program = installed.parent / "counterpulse"
    call(program, "example", "stanford-heart", "mein Herz", cwd=here)
    call(program, "run", Path("mein Herz") / "stanford-heart.protocol.yaml", "--out", "mein Bericht", cwd=here)
    results = json.loads((here / "mein Bericht" / "results.json").read_text(encoding="utf-8"))
    assert results["data_kind"] == "real"
    assert (here / "mein Bericht" / "report.html").stat().st_size > 10_000
    assert sorted(item.name for item in here.iterdir()) == ["mein Bericht", "mein Herz"]
