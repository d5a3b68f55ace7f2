"""The report: a neutral document composed from plan and result, rendered as HTML, with its figures and tables.

The package can be called: ``cp.report(result, directory)`` is `publish`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.report.chapters.order import compose
    from counterpulse.report.publishing import publish
    from counterpulse.report.render.html import render_html
    from counterpulse.report.write import write_report
    from counterpulse.results import StudyResult
    from counterpulse.results.bundle import Written

PLACES = {
    "compose": "chapters.order",
    "publish": "publishing",
    "render_html": "render.html",
    "write_report": "write",
}

__all__ = ["compose", "publish", "render_html", "write_report"]


def __getattr__(name: str) -> object:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)


class _Room(ModuleType):
    """A module that can be called (see "Customizing module attribute access" in the language reference)."""

    def __call__(self, result: StudyResult, directory: str | Path, *, style: str | None = None) -> Written:
        """Write the bundle of a result; see `publish`."""
        written: Written = import_module(f"{__name__}.publishing").publish(result, directory, style=style)
        return written


sys.modules[__name__].__class__ = _Room
