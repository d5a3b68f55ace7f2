"""Makes the package itself callable: ``cp.report(result, directory)`` is `publish`, and ``cp.report.publish`` is too."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.results import StudyResult
    from counterpulse.results.bundle import Written


class CallableRoom(ModuleType):
    """A module that can be called (see "Customizing module attribute access" in the language reference)."""

    def __call__(
        self,
        result: StudyResult,
        directory: str | Path,
        *,
        style: str | None = None,
        private: Mapping[str, bytes] | None = None,
    ) -> Written:
        """Write the bundle of a result; see `publish`."""
        publish = import_module("counterpulse.report.publishing").publish
        written: Written = publish(result, directory, style=style, private=private)
        return written


def make_callable(name: str) -> None:
    """Let the module of this name be called."""
    sys.modules[name].__class__ = CallableRoom
