"""Exposures that begin during follow-up: analyses that give nobody immortal time."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.emulation.exposure_split import ExposureSplit, split_at_exposure
    from counterpulse.emulation.landmark_sample import LandmarkSample, landmark

__all__ = ["ExposureSplit", "LandmarkSample", "landmark", "split_at_exposure"]

_HOME = {
    "ExposureSplit": "exposure_split",
    "LandmarkSample": "landmark_sample",
    "landmark": "landmark_sample",
    "split_at_exposure": "exposure_split",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
