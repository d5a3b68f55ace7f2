"""Size, printing, tolerances, and words that have no place in the repository."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_tree import ROOT, SRC, functions_in, modules, room_of, tree_of, without_docstring

FILE_LINES = 400
FUNCTION_LINES = 60
# "path under the repository" or "path:function" -> why it may be longer
LONGER_FOR_A_REASON: dict[str, str] = {}

RELATIVE = {"rtol", "rel", "rel_tol"}
TOLERANCES = {*RELATIVE, "atol", "abs", "abs_tol", "places", "decimal"}
LOOSE = 0.05

PROGRAM_FILES = sorted([*SRC.rglob("*.py"), *(ROOT / "bench").rglob("*.py")])
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))

# Machine paths and registry hosts, in pieces so that this file does not hold them itself.
UNWANTED = [
    "/".join(["", "work", ""]),
    "/".join(["", "root", ""]),
    "/".join(["", "tmp", "setup"]),
    "/".join(["", "opt", "pypi"]),
    ".".join(["pypi", "org"]),
    ".".join(["files", "pythonhosted"]),
    "index" + "-url",
]


def under_root(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PROGRAM_FILES, ids=under_root)
def test_files_and_functions_are_short(path):
    name = under_root(path)
    long = [
        f"{name}:{function.name} has {lines} lines"
        for function in functions_in(tree_of(path))
        if (lines := without_docstring(function)) > FUNCTION_LINES
        and f"{name}:{function.name}" not in LONGER_FOR_A_REASON
    ]
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > FILE_LINES and name not in LONGER_FOR_A_REASON:
        long.append(f"{name} has {lines} lines")
    assert not long


def test_every_exemption_is_still_needed_and_has_a_reason():
    for name, reason in LONGER_FOR_A_REASON.items():
        path, _, function = name.partition(":")
        assert reason
        assert (ROOT / path).exists(), name
        sizes = {found.name: without_docstring(found) for found in functions_in(tree_of(ROOT / path))}
        if function:
            assert sizes[function] > FUNCTION_LINES, name
        else:
            assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) > FILE_LINES, name


def test_only_the_command_line_prints():
    printing = [
        f"{name}:{node.lineno}"
        for name, path in modules().items()
        if room_of(name) != "cli"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"print", "breakpoint", "pprint"}
    ]
    assert not printing


def tolerances(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Every tolerance of a test: by keyword, by place in `approx` and `assert_allclose`, in ``abs(a - b) < x``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((word.arg, word.value) for word in node.keywords if word.arg in TOLERANCES)
            by_place = {"approx": 1, "assert_allclose": 2, "isclose": 2, "allclose": 2}.get(called_name(node))
            if by_place is not None and by_place < len(node.args):
                yield "rtol", node.args[by_place]
        elif isinstance(node, ast.Compare) and called_name(node.left) in {"abs", "fabs"}:
            yield "abs", node.comparators[0]


def called_name(node: ast.expr) -> str:
    function = getattr(node, "func", None)
    return getattr(function, "attr", getattr(function, "id", ""))


def constants(tree: ast.Module) -> dict[str, float]:
    return {
        node.targets[0].id: float(node.value.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, (int, float))
    }


@pytest.mark.parametrize("path", TEST_FILES, ids=under_root)
def test_tolerances_are_named_and_tight(path):
    tree = tree_of(path)
    known = constants(tree)
    wrong = []
    for word, value in tolerances(tree):
        if isinstance(value, ast.Constant) and value.value not in (0, None):
            wrong.append(f"{under_root(path)}:{value.lineno}: {word}={value.value} has no name and no reason")
        named = known.get(getattr(value, "id", ""), 0.0)
        if word in RELATIVE and named >= LOOSE and "simulation" not in path.parts:
            wrong.append(f"{under_root(path)}:{value.lineno}: {word}={named} is too loose to prove a number")
    assert not wrong, "\n".join(wrong)


def repository_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_machine_path_or_a_registry():
    pattern = re.compile("|".join(map(re.escape, UNWANTED)))
    found = []
    for path in repository_files():
        content = path.read_bytes()
        if b"\0" not in content and (hit := pattern.search(content.decode("utf-8", errors="replace"))):
            found.append(f"{under_root(path)}: {hit[0]}")
    assert not found


def test_the_tolerance_lint_sees_every_form():
    text = (
        "approx(1, 1e-3); assert_allclose(a, b, 1e-3); approx(1, rel=0.1); assert abs(a - b) < 1e-3; close(a, atol=0)"
    )
    assert [value.value for _, value in tolerances(ast.parse(text))].count(1e-3) == 3
