"""Inside the report data flow one way: chapters make a document, renderers set it, and neither knows the other."""

from __future__ import annotations

import pytest
from source_tree import all_imports

BESIDE = {"abbreviations", "chapters", "document", "figures", "measures", "number_styles", "numbers"}
"""What every chapter may import; "chapters" are the modules beside its rooms."""

EDGES = {
    "fonts": set(),
    "number_styles": set(),
    "numbers": {"number_styles"},
    "figures": {"fonts", "number_styles", "numbers", "safe_text"},
    "document": {"figures"},
    "typesetting": {"figures", "fonts"},
    "render": {"document", "figures", "fonts", "safe_text", "typesetting"},
    "checklists": {"document"},
    "chapters.blocks": BESIDE,
    "chapters.methods": BESIDE,
    "chapters.participants": BESIDE | {"chapters.blocks"},
    "chapters.results": BESIDE | {"chapters.blocks", "chapters.methods", "chapters.participants"},
    "chapters.limitations": BESIDE | {"chapters.blocks", "chapters.methods", "chapters.results"},
    "chapters.supplement": BESIDE | {"chapters.blocks", "chapters.methods", "checklists"},
    "chapters.review": BESIDE
    | {
        "chapters.blocks",
        "chapters.limitations",
        "chapters.methods",
        "chapters.participants",
        "chapters.results",
        "chapters.supplement",
    },
    "before_data": BESIDE | {"chapters.methods", "chapters.review", "chapters.supplement", "render"},
}


def room_in_report(module):
    """The room of a module of the report, a room of the chapters, or a module that stands by itself."""
    first, *rest = module.split(".")[2:]
    return f"{first}.{rest[0]}" if first == "chapters" and len(rest) > 1 else first


def inside_report():
    prefix = "counterpulse.report."
    found = (item for item in all_imports() if item.importer.startswith(prefix) and item.target.startswith(prefix))
    return [(item, room_in_report(item.importer), room_in_report(item.target)) for item in found]


@pytest.mark.parametrize("room", EDGES)
def test_a_room_of_the_report_imports_along_its_edges(room):
    wrong = [str(item) for item, own, target in inside_report() if own == room and target not in EDGES[room] | {room}]
    assert not wrong, "\n".join(wrong)


def test_every_room_of_the_chapters_has_its_edges():
    rooms = {own for _, own, _ in inside_report() if own.startswith("chapters.")}
    assert rooms <= set(EDGES)
