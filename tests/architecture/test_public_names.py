"""`__all__` says what a room offers, sorted, and every name in it is really there."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module

import pytest
from source_tree import PACKAGE, module_name, package_inits, tree_of

HEAVY = ("numpy", "scipy", "polars", "matplotlib", "pydantic", "ruamel", "pyreadstat", "typer", "rich")
FAMILIES = ("two_groups", "describe", "regression", "survival", "emulation", "propensity", "robustness", "imputation")
INITS = {module_name(path): path for path in package_inits()}


def declared(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [constant.value for constant in node.value.elts]
    return None


def is_front(tree: ast.Module) -> bool:
    """An `__init__` that only passes on what its modules hold."""
    own = assigned(tree) | {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return declared(tree) is not None and not [name for name in own if not name.startswith("_")]


def assigned(tree: ast.Module) -> set[str]:
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def is_lazy(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body)


def offered(tree: ast.Module) -> set[str]:
    """Public names of ours that an `__init__` imports, for the type checker too."""
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "counterpulse"
        for alias in node.names
    }
    return {name for name in names if not name.startswith("_")}


def order(name: str) -> tuple[int, str]:
    """CONSTANTS, then Classes, then functions, as the formatter of imports sorts them."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


@pytest.mark.parametrize("package", [name for name, path in INITS.items() if is_front(tree_of(path))])
def test_a_front_passes_on_what_it_names_and_nothing_else(package):
    if package != "counterpulse":  # its names stand in the typed stub
        tree = tree_of(INITS[package])
        assert {name for name in offered(tree) if not inspect.ismodule(getattr(import_module(package), name))} == set(
            declared(tree)
        )


@pytest.mark.parametrize("package", [name for name, path in INITS.items() if not is_front(tree_of(path))])
def test_what_a_package_defines_publicly_it_names(package):
    tree = tree_of(INITS[package])
    own = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert {name for name in own if not name.startswith("_")} <= set(declared(tree) or [])


@pytest.mark.parametrize("package", INITS)
def test_all_is_sorted_and_every_name_is_there(package):
    names = declared(tree_of(INITS[package])) or []
    assert names == sorted(names, key=order)
    module = import_module(package)
    assert [name for name in names if getattr(module, name, None) is None] == []


@pytest.mark.parametrize(
    "package", [name for name, path in INITS.items() if name != "counterpulse" and is_lazy(tree_of(path))]
)
def test_no_name_is_hidden_by_a_module_of_the_same_name(package):
    """Python binds a module on its package when it is imported: a lazy name equal to it would change what it is."""
    places = INITS[package].parent.iterdir()
    modules = {place.stem for place in places if place.suffix == ".py" or (place / "__init__.py").exists()}
    assert not modules & set(declared(tree_of(INITS[package])) or [])


@pytest.mark.parametrize("package", INITS)
def test_an_unknown_name_is_refused_as_python_does(package):
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = import_module(package).no_such_name


def test_the_typed_stub_names_what_the_front_door_names():
    stub = tree_of(PACKAGE / "__init__.pyi")
    imported = [alias for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    typed = {alias.name for alias in imported if alias.asname == alias.name} | assigned(stub)
    assert typed == set(import_module("counterpulse").__all__)


@pytest.mark.parametrize("family", FAMILIES)
def test_public_functions_say_what_they_take_and_give(family):
    module = import_module(f"counterpulse.{family}")
    functions = {name: getattr(module, name) for name in module.__all__ if inspect.isfunction(getattr(module, name))}
    assert functions
    silent = [name for name, function in functions.items() if not _is_documented(function)]
    assert not silent, f"no docstring that says what its parameters are: {silent}"


def _is_documented(function) -> bool:
    """Options need a Parameters section; one or two arguments may be said in the sentence."""
    text = inspect.getdoc(function) or ""
    kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    return bool(text) and ("Parameters\n---" in text or inspect.Parameter.KEYWORD_ONLY not in kinds)


def test_importing_the_package_loads_nothing_heavy():
    program = f"import sys, counterpulse; print([name for name in {HEAVY!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "first",
    [
        "import counterpulse as cp; report = cp.report",
        "import counterpulse.report; import counterpulse as cp; report = cp.report",
        "from counterpulse.report import render; import counterpulse as cp; report = cp.report",
        "from counterpulse import report; import counterpulse.report as cp_report; assert report is cp_report",
        "import counterpulse as cp; report = cp.report; from counterpulse.report import render; assert cp.report is report",
    ],
)
def test_report_is_a_room_and_can_be_called_whichever_is_imported_first(first):
    program = f"{first}; assert callable(report); import counterpulse.report.render"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("first", ["cp.plan", "cp.run"])
def test_plan_and_run_stay_functions_after_their_modules_are_imported(first):
    program = (
        f"import counterpulse as cp; {first}; import counterpulse.study.planning.plan, counterpulse.study.run; "
        "from types import FunctionType; assert type(cp.plan) is type(cp.run) is FunctionType"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
