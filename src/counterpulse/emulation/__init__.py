"""Exposures that begin during follow-up: analyses that give nobody immortal time."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.emulation.augmented_risk_by_time import augmented_risk
    from counterpulse.emulation.clone_comparison import clone_censor_weight
    from counterpulse.emulation.clone_result import CloneCensorWeight
    from counterpulse.emulation.exposure_split import ExposureSplit, split_at_exposure
    from counterpulse.emulation.landmark_sample import LandmarkSample, landmark
    from counterpulse.emulation.nested_trials import sequence_of_trials
    from counterpulse.emulation.sequence_result import SequenceOfTrials

__all__ = [
    "CloneCensorWeight",
    "ExposureSplit",
    "LandmarkSample",
    "SequenceOfTrials",
    "augmented_risk",
    "clone_censor_weight",
    "landmark",
    "sequence_of_trials",
    "split_at_exposure",
]

_HOME = {
    "augmented_risk": "augmented_risk_by_time",
    "CloneCensorWeight": "clone_result",
    "clone_censor_weight": "clone_comparison",
    "ExposureSplit": "exposure_split",
    "LandmarkSample": "landmark_sample",
    "landmark": "landmark_sample",
    "SequenceOfTrials": "sequence_result",
    "sequence_of_trials": "nested_trials",
    "split_at_exposure": "exposure_split",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
