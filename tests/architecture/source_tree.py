"""The package as text: its modules, and every import in them wherever it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PACKAGE = SRC / "counterpulse"
DOTTED_NAME = re.compile(r"counterpulse(\.\w+)+(:\w+)?")


@dataclass(frozen=True)
class Import:
    """`importer` imports `target` (both dotted) at `line`; `at_runtime` unless it stands under TYPE_CHECKING."""

    importer: str
    target: str
    line: int
    at_runtime: bool
    at_top: bool

    @property
    def rooms(self) -> tuple[str, str]:
        return room_of(self.importer), room_of(self.target)

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def room_of(module: str) -> str:
    """The room of a dotted module; the package's own `__init__` is no room."""
    return module.split(".")[1] if "." in module else ""


def module_name(path: Path, source: Path = SRC) -> str:
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def modules() -> dict[str, Path]:
    return {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def package_inits() -> list[Path]:
    return sorted(PACKAGE.rglob("__init__.py"))


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(found for name, path in modules().items() for found in imports_in(name, path, tree_of(path)))


def imports_in(name: str, path: Path, tree: ast.Module) -> Iterator[Import]:
    """Every import of our own package in a module: plain, relative, in a function, and by name in a string."""
    for_types = {id(node) for block in ast.walk(tree) if _is_type_checking(block) for node in ast.walk(block)}
    at_top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        for target in _targets(node, name, path):
            if target.split(".")[0] == "counterpulse":
                yield Import(name, target, node.lineno, id(node) not in for_types, id(node) in at_top)


def _targets(node: ast.AST, name: str, path: Path) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            parts = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
            base = parts[: len(parts) - level + 1] if level else []
            stem = ".".join([*base, *([module] if module else [])])
            return [f"{stem}.{alias.name}" if _is_module(f"{stem}.{alias.name}") else stem for alias in names]
        case ast.Constant(value=str(text)) if DOTTED_NAME.fullmatch(text):
            return [text.partition(":")[0]]
    return []


def _is_module(dotted: str) -> bool:
    place = SRC.joinpath(*dotted.split("."))
    return place.with_suffix(".py").exists() or place.is_dir()


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring not counted."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if documented else 0)


def functions_in(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
