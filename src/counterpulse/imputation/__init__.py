"""Multiple imputation by chained equations, and Rubin's rules for what is estimated on the imputed tables."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.imputation.hazard import nelson_aalen_at
    from counterpulse.imputation.impute import chained_equations
    from counterpulse.imputation.imputed_tables import ImputedTables
    from counterpulse.imputation.joint_tests import (
        JointTest,
        chi_squared_d2,
        likelihood_ratio_d3,
        likelihood_ratio_d4,
        wald_d1,
    )
    from counterpulse.imputation.number_of_imputations import imputations_needed
    from counterpulse.imputation.pooling import PooledEstimates, PooledTerm, pool, pool_coefficients
    from counterpulse.imputation.rubin import RubinScalar, RubinVector, pool_scalar, pool_vector

__all__ = [
    "ImputedTables",
    "JointTest",
    "PooledEstimates",
    "PooledTerm",
    "RubinScalar",
    "RubinVector",
    "chained_equations",
    "chi_squared_d2",
    "imputations_needed",
    "likelihood_ratio_d3",
    "likelihood_ratio_d4",
    "nelson_aalen_at",
    "pool",
    "pool_coefficients",
    "pool_scalar",
    "pool_vector",
    "wald_d1",
]

_HOME = {
    "ImputedTables": "imputed_tables",
    "JointTest": "joint_tests",
    "PooledEstimates": "pooling",
    "PooledTerm": "pooling",
    "RubinScalar": "rubin",
    "RubinVector": "rubin",
    "chained_equations": "impute",
    "chi_squared_d2": "joint_tests",
    "imputations_needed": "number_of_imputations",
    "likelihood_ratio_d3": "joint_tests",
    "likelihood_ratio_d4": "joint_tests",
    "nelson_aalen_at": "hazard",
    "pool": "pooling",
    "pool_coefficients": "pooling",
    "pool_scalar": "rubin",
    "pool_vector": "rubin",
    "wald_d1": "joint_tests",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"counterpulse.imputation.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
