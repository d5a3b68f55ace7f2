"""The report: a neutral document composed from plan and result, rendered as HTML, Word and PDF.

The package can be called: ``cp.report(result, directory)`` is `publish`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from counterpulse.report.callable_room import make_callable as _make_callable

if TYPE_CHECKING:
    from counterpulse.report.chapters.order import compose
    from counterpulse.report.publishing import publish
    from counterpulse.report.render.html import render_html
    from counterpulse.report.write import write_report

__all__ = ["compose", "publish", "render_html", "write_report"]

_HOME = {
    "compose": "chapters.order",
    "publish": "publishing",
    "render_html": "render.html",
    "write_report": "write",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


_make_callable(__name__)
