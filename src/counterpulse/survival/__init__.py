"""Time to an event: curves, tests, the proportional hazards model, restricted means."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.survival.concordant_pairs import Concordance, concordance, concordance_of
    from counterpulse.survival.cox_model import CoxFit, cox
    from counterpulse.survival.kaplan_meier_curves import KaplanMeier, kaplan_meier
    from counterpulse.survival.log_rank_statistic import LogRankTest, log_rank
    from counterpulse.survival.proportional_hazards_check import ProportionalHazards, proportional_hazards
    from counterpulse.survival.restricted_mean_time import RestrictedMean, restricted_mean
    from counterpulse.survival.survival_at_time import SurvivalDifference, risk_of, survival_difference
    from counterpulse.survival.survival_curve import SurvivalCurve

__all__ = [
    "Concordance",
    "CoxFit",
    "KaplanMeier",
    "LogRankTest",
    "ProportionalHazards",
    "RestrictedMean",
    "SurvivalCurve",
    "SurvivalDifference",
    "concordance",
    "concordance_of",
    "cox",
    "kaplan_meier",
    "log_rank",
    "proportional_hazards",
    "restricted_mean",
    "risk_of",
    "survival_difference",
]

_HOME = {
    "Concordance": "concordant_pairs",
    "CoxFit": "cox_model",
    "KaplanMeier": "kaplan_meier_curves",
    "LogRankTest": "log_rank_statistic",
    "ProportionalHazards": "proportional_hazards_check",
    "RestrictedMean": "restricted_mean_time",
    "SurvivalCurve": "survival_curve",
    "SurvivalDifference": "survival_at_time",
    "concordance": "concordant_pairs",
    "concordance_of": "concordant_pairs",
    "cox": "cox_model",
    "kaplan_meier": "kaplan_meier_curves",
    "log_rank": "log_rank_statistic",
    "proportional_hazards": "proportional_hazards_check",
    "restricted_mean": "restricted_mean_time",
    "risk_of": "survival_at_time",
    "survival_difference": "survival_at_time",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
