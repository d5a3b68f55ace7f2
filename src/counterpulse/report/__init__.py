"""The report: a neutral document composed from plan and result, rendered as HTML, with its figures and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.report.chapters.order import compose
    from counterpulse.report.render.html import render_html
    from counterpulse.report.write import write_report

PLACES = {
    "compose": "counterpulse.report.chapters.order",
    "render_html": "counterpulse.report.render.html",
    "write_report": "counterpulse.report.write",
}

__all__ = ["compose", "render_html", "write_report"]


def __getattr__(name: str) -> object:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(PLACES[name]), name)
