"""Regression of one outcome on terms: logistic and linear, robust variance, standardization."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.regression.augmented_weighting import aipw
    from counterpulse.regression.brier_score import BrierScore, brier_of
    from counterpulse.regression.calibration import Calibration, calibration_of, recalibrated
    from counterpulse.regression.column_likelihood import (
        BinomialColumns,
        ColumnLikelihood,
        GaussianColumns,
        binomial_columns,
        gaussian_columns,
        term_columns,
    )
    from counterpulse.regression.conditional_logistic_regression import ConditionalLogisticFit, conditional_logistic
    from counterpulse.regression.count_fit import CountFit
    from counterpulse.regression.count_regression import negative_binomial, poisson
    from counterpulse.regression.decision_curve import DecisionCurve, net_benefit
    from counterpulse.regression.discrimination import (
        CStatistic,
        RocCurve,
        c_statistic,
        compare_c_statistics,
        roc_curve,
    )
    from counterpulse.regression.effect_curves import EffectCurve, effect_curve
    from counterpulse.regression.exact_logistic_regression import ExactLogisticFit, exact_logistic
    from counterpulse.regression.generalized_estimating_equations import GeeFit, gee
    from counterpulse.regression.lasso_path import LassoFit, lasso
    from counterpulse.regression.learned_lasso import lasso_learner
    from counterpulse.regression.linear_regression import LinearFit, linear
    from counterpulse.regression.logistic_fit import LogisticFit
    from counterpulse.regression.logistic_regression import logistic
    from counterpulse.regression.marginal_effect import AverageEffect, TwoMeans
    from counterpulse.regression.optimism import LogisticRefit, bootstrap_optimism
    from counterpulse.regression.ordinal_fit import OrdinalFit
    from counterpulse.regression.proportional_odds import ordinal
    from counterpulse.regression.proportional_odds_check import ProportionalOddsTest, proportional_odds_test
    from counterpulse.regression.quantile_regression import QuantileFit, quantile
    from counterpulse.regression.random_intercept_fit import RandomInterceptFit
    from counterpulse.regression.random_intercept_linear import mixed_linear
    from counterpulse.regression.random_intercept_logistic import mixed_logistic
    from counterpulse.regression.standardization import Standardized, standardize
    from counterpulse.regression.standardization_bootstrap import BootstrappedRisks, bootstrap_standardized
    from counterpulse.regression.stepwise_selection import Candidate, Selected, Step, stepwise, univariable
    from counterpulse.regression.targeted_learning import tmle

__all__ = [
    "AverageEffect",
    "BinomialColumns",
    "BootstrappedRisks",
    "BrierScore",
    "CStatistic",
    "Calibration",
    "Candidate",
    "ColumnLikelihood",
    "ConditionalLogisticFit",
    "CountFit",
    "DecisionCurve",
    "EffectCurve",
    "ExactLogisticFit",
    "GaussianColumns",
    "GeeFit",
    "LassoFit",
    "LinearFit",
    "LogisticFit",
    "LogisticRefit",
    "OrdinalFit",
    "ProportionalOddsTest",
    "QuantileFit",
    "RandomInterceptFit",
    "RocCurve",
    "Selected",
    "Standardized",
    "Step",
    "TwoMeans",
    "aipw",
    "binomial_columns",
    "bootstrap_optimism",
    "bootstrap_standardized",
    "brier_of",
    "c_statistic",
    "calibration_of",
    "compare_c_statistics",
    "conditional_logistic",
    "effect_curve",
    "exact_logistic",
    "gaussian_columns",
    "gee",
    "lasso",
    "lasso_learner",
    "linear",
    "logistic",
    "mixed_linear",
    "mixed_logistic",
    "negative_binomial",
    "net_benefit",
    "ordinal",
    "poisson",
    "proportional_odds_test",
    "quantile",
    "recalibrated",
    "roc_curve",
    "standardize",
    "stepwise",
    "term_columns",
    "tmle",
    "univariable",
]

_HOME = {
    "BootstrappedRisks": "standardization_bootstrap",
    "bootstrap_standardized": "standardization_bootstrap",
    "AverageEffect": "marginal_effect",
    "BinomialColumns": "column_likelihood",
    "BrierScore": "brier_score",
    "CStatistic": "discrimination",
    "Calibration": "calibration",
    "Candidate": "stepwise_selection",
    "ColumnLikelihood": "column_likelihood",
    "ConditionalLogisticFit": "conditional_logistic_regression",
    "CountFit": "count_fit",
    "DecisionCurve": "decision_curve",
    "EffectCurve": "effect_curves",
    "ExactLogisticFit": "exact_logistic_regression",
    "GaussianColumns": "column_likelihood",
    "GeeFit": "generalized_estimating_equations",
    "LassoFit": "lasso_path",
    "LinearFit": "linear_regression",
    "LogisticFit": "logistic_fit",
    "LogisticRefit": "optimism",
    "OrdinalFit": "ordinal_fit",
    "ProportionalOddsTest": "proportional_odds_check",
    "QuantileFit": "quantile_regression",
    "RandomInterceptFit": "random_intercept_fit",
    "RocCurve": "discrimination",
    "Selected": "stepwise_selection",
    "Standardized": "standardization",
    "Step": "stepwise_selection",
    "TwoMeans": "marginal_effect",
    "aipw": "augmented_weighting",
    "binomial_columns": "column_likelihood",
    "bootstrap_optimism": "optimism",
    "brier_of": "brier_score",
    "c_statistic": "discrimination",
    "calibration_of": "calibration",
    "compare_c_statistics": "discrimination",
    "conditional_logistic": "conditional_logistic_regression",
    "effect_curve": "effect_curves",
    "exact_logistic": "exact_logistic_regression",
    "gaussian_columns": "column_likelihood",
    "gee": "generalized_estimating_equations",
    "lasso": "lasso_path",
    "lasso_learner": "learned_lasso",
    "linear": "linear_regression",
    "logistic": "logistic_regression",
    "mixed_linear": "random_intercept_linear",
    "mixed_logistic": "random_intercept_logistic",
    "negative_binomial": "count_regression",
    "net_benefit": "decision_curve",
    "ordinal": "proportional_odds",
    "poisson": "count_regression",
    "proportional_odds_test": "proportional_odds_check",
    "quantile": "quantile_regression",
    "recalibrated": "calibration",
    "roc_curve": "discrimination",
    "standardize": "standardization",
    "stepwise": "stepwise_selection",
    "term_columns": "column_likelihood",
    "tmle": "targeted_learning",
    "univariable": "stepwise_selection",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"counterpulse.regression.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
