"""Regression of one outcome on terms: logistic and linear, robust variance, standardization."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.regression.linear_regression import LinearFit, linear
    from counterpulse.regression.logistic_fit import LogisticFit
    from counterpulse.regression.logistic_regression import logistic
    from counterpulse.regression.standardization import Standardized, standardize

__all__ = ["LinearFit", "LogisticFit", "Standardized", "linear", "logistic", "standardize"]

_HOME = {
    "LinearFit": "linear_regression",
    "LogisticFit": "logistic_fit",
    "Standardized": "standardization",
    "linear": "linear_regression",
    "logistic": "logistic_regression",
    "standardize": "standardization",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"counterpulse.regression.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
