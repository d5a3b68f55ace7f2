"""What a study has before its data: the statistical analysis plan, and the empty tables and figures."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.report.before_data.analysis_plan import compose_analysis_plan
    from counterpulse.report.before_data.files import check_name, to_format, write_planned
    from counterpulse.report.before_data.rehearsal import biased_words, compose_rehearsal, estimate_words, shown
    from counterpulse.report.before_data.rehearsal_files import check_place, write_rehearsal
    from counterpulse.report.before_data.shells import compose_shells

__all__ = [
    "biased_words",
    "check_name",
    "check_place",
    "compose_analysis_plan",
    "compose_rehearsal",
    "compose_shells",
    "estimate_words",
    "shown",
    "to_format",
    "write_planned",
    "write_rehearsal",
]

_HOME = {
    "check_name": "files",
    "compose_analysis_plan": "analysis_plan",
    "compose_rehearsal": "rehearsal",
    "compose_shells": "shells",
    "biased_words": "rehearsal",
    "estimate_words": "rehearsal",
    "shown": "rehearsal",
    "check_place": "rehearsal_files",
    "write_rehearsal": "rehearsal_files",
    "to_format": "files",
    "write_planned": "files",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
