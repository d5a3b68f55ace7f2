"""How much it would take to change a conclusion: confounders, assumptions, negative controls, other choices."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.robustness.confounder_bias import (
        BiasAnalysis,
        binary_confounder,
        bounding_factor,
        probabilistic_confounder,
    )
    from counterpulse.robustness.e_values import EValue, e_value
    from counterpulse.robustness.negative_controls import NegativeControl, negative_control
    from counterpulse.robustness.prior_distributions import Beta, LogNormal, Trapezoidal, Uniform
    from counterpulse.robustness.specifications import Specification, SpecificationCurve, specification_curve
    from counterpulse.robustness.tipping import TippingPoint, TriedDelta, tipping_point

__all__ = [
    "Beta",
    "BiasAnalysis",
    "EValue",
    "LogNormal",
    "NegativeControl",
    "Specification",
    "SpecificationCurve",
    "TippingPoint",
    "Trapezoidal",
    "TriedDelta",
    "Uniform",
    "binary_confounder",
    "bounding_factor",
    "e_value",
    "negative_control",
    "probabilistic_confounder",
    "specification_curve",
    "tipping_point",
]

_HOME = {
    "Beta": "prior_distributions",
    "BiasAnalysis": "confounder_bias",
    "EValue": "e_values",
    "LogNormal": "prior_distributions",
    "NegativeControl": "negative_controls",
    "Specification": "specifications",
    "SpecificationCurve": "specifications",
    "TippingPoint": "tipping",
    "Trapezoidal": "prior_distributions",
    "TriedDelta": "tipping",
    "Uniform": "prior_distributions",
    "binary_confounder": "confounder_bias",
    "bounding_factor": "confounder_bias",
    "e_value": "e_values",
    "negative_control": "negative_controls",
    "probabilistic_confounder": "confounder_bias",
    "specification_curve": "specifications",
    "tipping_point": "tipping",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
