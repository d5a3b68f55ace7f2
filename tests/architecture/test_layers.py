"""A module imports only from lower layers; inside a layer only along the edges that are drawn."""

from __future__ import annotations

import ast

import pytest
from source_tree import PACKAGE, SRC, all_imports, imports_in, modules, room_of

LAYERS = (
    {"errors", "numerics"},
    {"source", "expression", "data", "protocol", "results", "examples"},
    {
        "two_groups", "describe", "regression", "survival", "imputation", "propensity", "emulation", "robustness",
        "synthesis", "trial", "audit", "pathways", "circulation",
    },
    {"study"},
    {"report"},
    {"capture"},
    {"cli"},
)  # fmt: skip

EDGES = {
    "expression": {"source"},
    "data": {"source", "expression"},
    "protocol": {"source", "expression", "data", "results"},
    "describe": {"two_groups"},
    "imputation": {"regression"},
    "propensity": {"regression", "describe"},
    "emulation": {"regression", "survival"},
    "trial": {"two_groups", "survival"},
    "audit": {"two_groups", "describe", "trial", "synthesis"},
}

FAMILIES = LAYERS[2]
RANK = {room: rank for rank, layer in enumerate(LAYERS) for room in layer}


def allowed(importer: str, target: str) -> bool:
    if importer == target or not target:
        return True
    if RANK[importer] == RANK[target]:
        return target in EDGES.get(importer, set())
    return RANK[importer] > RANK[target]


def offenders(importers: set[str], targets: set[str]) -> list[str]:
    return [
        str(found)
        for found in all_imports()
        if found.rooms[0] in importers and found.rooms[1] in targets and found.rooms[0] != found.rooms[1]
    ]


def test_every_room_is_known():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    unknown = rooms - set(RANK) - {"__init__", "__main__", "__pycache__"}
    assert not unknown, f"name the layer of {sorted(unknown)} here and in docs/adr/0001-layers.md"


def test_imports_go_down_or_along_a_drawn_edge():
    wrong = [str(found) for found in all_imports() if found.rooms[0] in RANK and not allowed(*found.rooms)]
    assert not wrong, "\n".join(wrong)


def test_the_front_door_loads_nothing_by_itself():
    assert not [str(found) for found in all_imports() if not room_of(found.importer) and found.at_top]


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_report_never_imports_a_method_family(family):
    assert not offenders({"report"}, {family})


@pytest.mark.parametrize("room", ["protocol", "study", "report"])
def test_no_method_family_imports(room):
    assert not offenders(FAMILIES, {room})


def test_circulation_imports_only_numerics_and_results():
    assert not offenders({"circulation"}, set(RANK) - {"numerics", "results"})


def test_results_never_import_a_plotting_library():
    importing = [
        name
        for name, path in modules().items()
        if room_of(name) == "results" and "matplotlib" in path.read_text(encoding="utf-8")
    ]
    assert not importing


@pytest.mark.parametrize("room", ["cli", "capture"])
def test_nothing_but_cli_imports(room):
    assert not offenders(set(RANK) - {"cli"}, {room})


def test_no_cycle_between_modules():
    graph = {name: set() for name in modules()}
    for found in all_imports():
        if found.at_runtime and found.target in graph and found.target != found.importer:
            graph[found.importer].add(found.target)
    assert (cycle := _first_cycle(graph)) is None, " -> ".join(cycle)


def test_the_check_sees_every_way_to_import():
    text = """
from counterpulse.cli import main
def later():
    import counterpulse.study.run
    from ..report import html
    return "counterpulse.survival.cox:cox"
"""
    found = imports_in("counterpulse.data.here", SRC / "counterpulse" / "data" / "here.py", ast.parse(text))
    assert {found.rooms[1] for found in found} == {"cli", "study", "report", "survival"}


def _first_cycle(graph: dict[str, set[str]]) -> list[str] | None:
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str] | None:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return None
        for target in sorted(graph[name]):
            if cycle := visit(target, [*path, name]):
                return cycle
        done.add(name)
        return None

    return next((cycle for name in sorted(graph) if (cycle := visit(name, []))), None)
