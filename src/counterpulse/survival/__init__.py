"""Time to an event: curves, tests, the proportional hazards model, restricted means."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.survival.aalen_johansen import CumulativeIncidence, cumulative_incidence
    from counterpulse.survival.cause_specific_hazards import cause_specific_cox
    from counterpulse.survival.censored_brier_score import BrierAtTime, brier_at_time
    from counterpulse.survival.concordant_pairs import (
        Concordance,
        compare_concordances,
        concordance,
        concordance_of,
    )
    from counterpulse.survival.covariate_search import CoxColumns, cox_columns
    from counterpulse.survival.cox_model import CoxFit, cox
    from counterpulse.survival.cox_optimism import bootstrap_cox_optimism
    from counterpulse.survival.fine_gray_model import FineGrayFit, fine_gray
    from counterpulse.survival.gray_statistic import GrayTest, gray_test
    from counterpulse.survival.horizon_calibration import CalibrationAtTime, calibration_at_time
    from counterpulse.survival.horizon_decision_curve import DecisionCurveAtTime, net_benefit_at_time
    from counterpulse.survival.incidence_curve import IncidenceCurve
    from counterpulse.survival.kaplan_meier_curves import KaplanMeier, kaplan_meier
    from counterpulse.survival.log_rank_statistic import LogRankTest, log_rank
    from counterpulse.survival.predicted_risk import linear_predictor, risk_at_time
    from counterpulse.survival.proportional_hazards_check import ProportionalHazards, proportional_hazards
    from counterpulse.survival.restricted_mean_time import RestrictedMean, restricted_mean
    from counterpulse.survival.survival_at_time import SurvivalDifference, risk_of, survival_difference
    from counterpulse.survival.survival_curve import SurvivalCurve
    from counterpulse.survival.time_dependent_auc import TimeDependentAuc, auc_at_time
    from counterpulse.survival.uncensored_probability import CensoringWeights, inverse_censoring_weights

__all__ = [
    "BrierAtTime",
    "CalibrationAtTime",
    "CensoringWeights",
    "Concordance",
    "CoxColumns",
    "CoxFit",
    "CumulativeIncidence",
    "DecisionCurveAtTime",
    "FineGrayFit",
    "GrayTest",
    "IncidenceCurve",
    "KaplanMeier",
    "LogRankTest",
    "ProportionalHazards",
    "RestrictedMean",
    "SurvivalCurve",
    "SurvivalDifference",
    "TimeDependentAuc",
    "auc_at_time",
    "bootstrap_cox_optimism",
    "brier_at_time",
    "calibration_at_time",
    "cause_specific_cox",
    "compare_concordances",
    "concordance",
    "concordance_of",
    "cox",
    "cox_columns",
    "cumulative_incidence",
    "fine_gray",
    "gray_test",
    "inverse_censoring_weights",
    "kaplan_meier",
    "linear_predictor",
    "log_rank",
    "net_benefit_at_time",
    "proportional_hazards",
    "restricted_mean",
    "risk_at_time",
    "risk_of",
    "survival_difference",
]

_HOME = {
    "BrierAtTime": "censored_brier_score",
    "CalibrationAtTime": "horizon_calibration",
    "CensoringWeights": "uncensored_probability",
    "Concordance": "concordant_pairs",
    "CoxColumns": "covariate_search",
    "CoxFit": "cox_model",
    "CumulativeIncidence": "aalen_johansen",
    "DecisionCurveAtTime": "horizon_decision_curve",
    "FineGrayFit": "fine_gray_model",
    "GrayTest": "gray_statistic",
    "IncidenceCurve": "incidence_curve",
    "KaplanMeier": "kaplan_meier_curves",
    "LogRankTest": "log_rank_statistic",
    "ProportionalHazards": "proportional_hazards_check",
    "RestrictedMean": "restricted_mean_time",
    "SurvivalCurve": "survival_curve",
    "SurvivalDifference": "survival_at_time",
    "TimeDependentAuc": "time_dependent_auc",
    "auc_at_time": "time_dependent_auc",
    "bootstrap_cox_optimism": "cox_optimism",
    "brier_at_time": "censored_brier_score",
    "calibration_at_time": "horizon_calibration",
    "cause_specific_cox": "cause_specific_hazards",
    "compare_concordances": "concordant_pairs",
    "concordance": "concordant_pairs",
    "concordance_of": "concordant_pairs",
    "cox": "cox_model",
    "cox_columns": "covariate_search",
    "cumulative_incidence": "aalen_johansen",
    "fine_gray": "fine_gray_model",
    "gray_test": "gray_statistic",
    "inverse_censoring_weights": "uncensored_probability",
    "kaplan_meier": "kaplan_meier_curves",
    "linear_predictor": "predicted_risk",
    "log_rank": "log_rank_statistic",
    "net_benefit_at_time": "horizon_decision_curve",
    "proportional_hazards": "proportional_hazards_check",
    "restricted_mean": "restricted_mean_time",
    "risk_at_time": "predicted_risk",
    "risk_of": "survival_at_time",
    "survival_difference": "survival_at_time",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
