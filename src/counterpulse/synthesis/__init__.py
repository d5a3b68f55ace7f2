"""Meta-analysis: effect sizes, pooling, heterogeneity, small-study effects, Bayes, sequential, network."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterpulse.synthesis.bayes.bayes_pool import BayesPool, bayes_pool
    from counterpulse.synthesis.bayes.borrowing import prior_from
    from counterpulse.synthesis.bayes.effect_priors import mixture, normal
    from counterpulse.synthesis.bayes.heterogeneity_priors import (
        exponential,
        half_cauchy,
        half_normal,
        half_t,
        jeffreys,
        log_normal,
        uniform,
    )
    from counterpulse.synthesis.bayes.prior_sensitivity import PriorSensitivity, prior_sensitivity
    from counterpulse.synthesis.effects.agreement import cohen_kappa, compare_extractions
    from counterpulse.synthesis.effects.conversions import (
        hazard_to_odds_ratio,
        hazard_to_risk_ratio,
        odds_ratio_to_smd,
        odds_to_risk_ratio,
        opposite_groups,
        opposite_outcome,
        risk_to_odds_ratio,
        smd_to_odds_ratio,
    )
    from counterpulse.synthesis.effects.correlation import correlation_from_fisher_z, correlations
    from counterpulse.synthesis.effects.effect_rows import EffectRows
    from counterpulse.synthesis.effects.event_counts import events_from_percent
    from counterpulse.synthesis.effects.means import (
        mean_differences,
        mean_differences_from_t,
        ratios_of_means,
        standardized_differences_from_t,
        standardized_mean_differences,
    )
    from counterpulse.synthesis.effects.medians import means_from_medians
    from counterpulse.synthesis.effects.printed_interval import from_interval, from_standard_error
    from counterpulse.synthesis.effects.printed_p_value import from_log_rank, from_log_rank_p, from_p_value
    from counterpulse.synthesis.effects.problem import Problem
    from counterpulse.synthesis.effects.proportions import (
        incidence_rates,
        proportion_from_double_arcsine,
        proportions,
        rate_ratios,
    )
    from counterpulse.synthesis.effects.shared_control import (
        combine_counts,
        combine_means,
        contrast_covariance,
        split_counts,
    )
    from counterpulse.synthesis.effects.standard_deviations import (
        sd_from_interval,
        sd_from_standard_error,
        sd_of_change,
    )
    from counterpulse.synthesis.effects.survival_curves import from_curves, from_survival_at
    from counterpulse.synthesis.effects.two_by_two import two_by_two
    from counterpulse.synthesis.exploration.baujat import Baujat, baujat
    from counterpulse.synthesis.exploration.bias_adjusted import BiasAdjusted, DesignBias, bias_adjusted
    from counterpulse.synthesis.exploration.cumulative import Cumulative, cumulative
    from counterpulse.synthesis.exploration.gosh import Gosh, gosh
    from counterpulse.synthesis.exploration.henmi_copas import henmi_copas
    from counterpulse.synthesis.exploration.influence import Influence, influence
    from counterpulse.synthesis.exploration.leave_one_out import LeaveOneOut, leave_one_out
    from counterpulse.synthesis.exploration.robust import RobustEffects, robust
    from counterpulse.synthesis.exploration.standardized_residuals import rstandard
    from counterpulse.synthesis.exploration.subgroups import Subgroups, subgroups
    from counterpulse.synthesis.networks.arms import contrasts_from_counts, contrasts_from_means
    from counterpulse.synthesis.networks.component_network import component_network
    from counterpulse.synthesis.networks.components import components
    from counterpulse.synthesis.networks.contributions import contributions
    from counterpulse.synthesis.networks.from_arms import network_from_arms, network_from_means
    from counterpulse.synthesis.networks.geometry import geometry
    from counterpulse.synthesis.networks.league_table import league_table
    from counterpulse.synthesis.networks.network_meta_analysis import Network, network
    from counterpulse.synthesis.networks.node_splitting import NodeSplitting, split_nodes
    from counterpulse.synthesis.networks.ranking import Rankogram, p_scores, rankogram
    from counterpulse.synthesis.pooling.conventions import CONVENTIONS
    from counterpulse.synthesis.pooling.generalized_linear import GeneralizedLinear, glmm, glmm_proportion
    from counterpulse.synthesis.pooling.mantel_haenszel import MantelHaenszel, mantel_haenszel
    from counterpulse.synthesis.pooling.meta_regression import MetaRegression, meta_regression
    from counterpulse.synthesis.pooling.permutation_test import PermutationTest, permutation_test
    from counterpulse.synthesis.pooling.peto import Peto, peto, peto_from
    from counterpulse.synthesis.pooling.pool import pool
    from counterpulse.synthesis.pooling.pool_many import PooledBatch, pool_many
    from counterpulse.synthesis.pooling.pooled_effect import PooledEffect
    from counterpulse.synthesis.pooling.three_level import ThreeLevel, three_level
    from counterpulse.synthesis.sequential.required_information import (
        RequiredInformation,
        diversity,
        required_for_means,
        required_for_risks,
        required_trials,
    )
    from counterpulse.synthesis.sequential.trial_sequential import TrialSequential, trial_sequential
    from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
    from counterpulse.synthesis.small_study.begg import begg
    from counterpulse.synthesis.small_study.deeks import deeks
    from counterpulse.synthesis.small_study.egger import egger
    from counterpulse.synthesis.small_study.excess_significance import ExcessSignificance, excess_significance
    from counterpulse.synthesis.small_study.fail_safe_n import FailSafeN, fail_safe_n
    from counterpulse.synthesis.small_study.harbord import harbord
    from counterpulse.synthesis.small_study.limit_meta_analysis import LimitMetaAnalysis, limit_meta_analysis
    from counterpulse.synthesis.small_study.macaskill import macaskill
    from counterpulse.synthesis.small_study.pet_peese import PetPeese, pet_peese
    from counterpulse.synthesis.small_study.peters import peters
    from counterpulse.synthesis.small_study.pustejovsky import pustejovsky
    from counterpulse.synthesis.small_study.rank_correlation import RankTest
    from counterpulse.synthesis.small_study.rucker import rucker, rucker_rank
    from counterpulse.synthesis.small_study.schwarzer import schwarzer
    from counterpulse.synthesis.small_study.selection_model import SelectionModel, selection_model
    from counterpulse.synthesis.small_study.thompson_sharp import thompson_sharp
    from counterpulse.synthesis.small_study.trim_and_fill import TrimAndFill, trim_and_fill

__all__ = [
    "CONVENTIONS",
    "AsymmetryTest",
    "Baujat",
    "BayesPool",
    "BiasAdjusted",
    "Cumulative",
    "DesignBias",
    "EffectRows",
    "ExcessSignificance",
    "FailSafeN",
    "GeneralizedLinear",
    "Gosh",
    "Influence",
    "LeaveOneOut",
    "LimitMetaAnalysis",
    "MantelHaenszel",
    "MetaRegression",
    "Network",
    "NodeSplitting",
    "PermutationTest",
    "PetPeese",
    "Peto",
    "PooledBatch",
    "PooledEffect",
    "PriorSensitivity",
    "Problem",
    "RankTest",
    "Rankogram",
    "RequiredInformation",
    "RobustEffects",
    "SelectionModel",
    "Subgroups",
    "ThreeLevel",
    "TrialSequential",
    "TrimAndFill",
    "baujat",
    "bayes_pool",
    "begg",
    "bias_adjusted",
    "cohen_kappa",
    "combine_counts",
    "combine_means",
    "compare_extractions",
    "component_network",
    "components",
    "contrast_covariance",
    "contrasts_from_counts",
    "contrasts_from_means",
    "contributions",
    "correlation_from_fisher_z",
    "correlations",
    "cumulative",
    "deeks",
    "diversity",
    "egger",
    "events_from_percent",
    "excess_significance",
    "exponential",
    "fail_safe_n",
    "from_curves",
    "from_interval",
    "from_log_rank",
    "from_log_rank_p",
    "from_p_value",
    "from_standard_error",
    "from_survival_at",
    "geometry",
    "glmm",
    "glmm_proportion",
    "gosh",
    "half_cauchy",
    "half_normal",
    "half_t",
    "harbord",
    "hazard_to_odds_ratio",
    "hazard_to_risk_ratio",
    "henmi_copas",
    "incidence_rates",
    "influence",
    "jeffreys",
    "league_table",
    "leave_one_out",
    "limit_meta_analysis",
    "log_normal",
    "macaskill",
    "mantel_haenszel",
    "mean_differences",
    "mean_differences_from_t",
    "means_from_medians",
    "meta_regression",
    "mixture",
    "network",
    "network_from_arms",
    "network_from_means",
    "normal",
    "odds_ratio_to_smd",
    "odds_to_risk_ratio",
    "opposite_groups",
    "opposite_outcome",
    "p_scores",
    "permutation_test",
    "pet_peese",
    "peters",
    "peto",
    "peto_from",
    "pool",
    "pool_many",
    "prior_from",
    "prior_sensitivity",
    "proportion_from_double_arcsine",
    "proportions",
    "pustejovsky",
    "rankogram",
    "rate_ratios",
    "ratios_of_means",
    "required_for_means",
    "required_for_risks",
    "required_trials",
    "risk_to_odds_ratio",
    "robust",
    "rstandard",
    "rucker",
    "rucker_rank",
    "schwarzer",
    "sd_from_interval",
    "sd_from_standard_error",
    "sd_of_change",
    "selection_model",
    "smd_to_odds_ratio",
    "split_counts",
    "split_nodes",
    "standardized_differences_from_t",
    "standardized_mean_differences",
    "subgroups",
    "thompson_sharp",
    "three_level",
    "trial_sequential",
    "trim_and_fill",
    "two_by_two",
    "uniform",
]

_HOME = {
    "AsymmetryTest": "small_study.asymmetry_test",
    "Baujat": "exploration.baujat",
    "BayesPool": "bayes.bayes_pool",
    "BiasAdjusted": "exploration.bias_adjusted",
    "CONVENTIONS": "pooling.conventions",
    "Cumulative": "exploration.cumulative",
    "DesignBias": "exploration.bias_adjusted",
    "EffectRows": "effects.effect_rows",
    "ExcessSignificance": "small_study.excess_significance",
    "FailSafeN": "small_study.fail_safe_n",
    "GeneralizedLinear": "pooling.generalized_linear",
    "Gosh": "exploration.gosh",
    "Influence": "exploration.influence",
    "LeaveOneOut": "exploration.leave_one_out",
    "LimitMetaAnalysis": "small_study.limit_meta_analysis",
    "MantelHaenszel": "pooling.mantel_haenszel",
    "MetaRegression": "pooling.meta_regression",
    "Network": "networks.network_meta_analysis",
    "NodeSplitting": "networks.node_splitting",
    "PermutationTest": "pooling.permutation_test",
    "PetPeese": "small_study.pet_peese",
    "Peto": "pooling.peto",
    "PooledBatch": "pooling.pool_many",
    "PooledEffect": "pooling.pooled_effect",
    "PriorSensitivity": "bayes.prior_sensitivity",
    "Problem": "effects.problem",
    "RankTest": "small_study.rank_correlation",
    "Rankogram": "networks.ranking",
    "RequiredInformation": "sequential.required_information",
    "RobustEffects": "exploration.robust",
    "SelectionModel": "small_study.selection_model",
    "Subgroups": "exploration.subgroups",
    "ThreeLevel": "pooling.three_level",
    "TrialSequential": "sequential.trial_sequential",
    "TrimAndFill": "small_study.trim_and_fill",
    "baujat": "exploration.baujat",
    "bayes_pool": "bayes.bayes_pool",
    "begg": "small_study.begg",
    "bias_adjusted": "exploration.bias_adjusted",
    "cohen_kappa": "effects.agreement",
    "combine_counts": "effects.shared_control",
    "combine_means": "effects.shared_control",
    "compare_extractions": "effects.agreement",
    "component_network": "networks.component_network",
    "components": "networks.components",
    "contrast_covariance": "effects.shared_control",
    "contrasts_from_counts": "networks.arms",
    "contrasts_from_means": "networks.arms",
    "contributions": "networks.contributions",
    "correlation_from_fisher_z": "effects.correlation",
    "correlations": "effects.correlation",
    "cumulative": "exploration.cumulative",
    "deeks": "small_study.deeks",
    "diversity": "sequential.required_information",
    "egger": "small_study.egger",
    "events_from_percent": "effects.event_counts",
    "excess_significance": "small_study.excess_significance",
    "exponential": "bayes.heterogeneity_priors",
    "fail_safe_n": "small_study.fail_safe_n",
    "from_curves": "effects.survival_curves",
    "from_interval": "effects.printed_interval",
    "from_log_rank": "effects.printed_p_value",
    "from_log_rank_p": "effects.printed_p_value",
    "from_p_value": "effects.printed_p_value",
    "from_standard_error": "effects.printed_interval",
    "from_survival_at": "effects.survival_curves",
    "geometry": "networks.geometry",
    "glmm": "pooling.generalized_linear",
    "glmm_proportion": "pooling.generalized_linear",
    "gosh": "exploration.gosh",
    "half_cauchy": "bayes.heterogeneity_priors",
    "half_normal": "bayes.heterogeneity_priors",
    "half_t": "bayes.heterogeneity_priors",
    "harbord": "small_study.harbord",
    "hazard_to_odds_ratio": "effects.conversions",
    "hazard_to_risk_ratio": "effects.conversions",
    "henmi_copas": "exploration.henmi_copas",
    "incidence_rates": "effects.proportions",
    "influence": "exploration.influence",
    "jeffreys": "bayes.heterogeneity_priors",
    "league_table": "networks.league_table",
    "leave_one_out": "exploration.leave_one_out",
    "limit_meta_analysis": "small_study.limit_meta_analysis",
    "log_normal": "bayes.heterogeneity_priors",
    "macaskill": "small_study.macaskill",
    "mantel_haenszel": "pooling.mantel_haenszel",
    "mean_differences": "effects.means",
    "mean_differences_from_t": "effects.means",
    "means_from_medians": "effects.medians",
    "meta_regression": "pooling.meta_regression",
    "mixture": "bayes.effect_priors",
    "network": "networks.network_meta_analysis",
    "network_from_arms": "networks.from_arms",
    "network_from_means": "networks.from_arms",
    "normal": "bayes.effect_priors",
    "odds_ratio_to_smd": "effects.conversions",
    "odds_to_risk_ratio": "effects.conversions",
    "opposite_groups": "effects.conversions",
    "opposite_outcome": "effects.conversions",
    "p_scores": "networks.ranking",
    "permutation_test": "pooling.permutation_test",
    "pet_peese": "small_study.pet_peese",
    "peters": "small_study.peters",
    "peto": "pooling.peto",
    "peto_from": "pooling.peto",
    "pool": "pooling.pool",
    "pool_many": "pooling.pool_many",
    "prior_from": "bayes.borrowing",
    "prior_sensitivity": "bayes.prior_sensitivity",
    "proportion_from_double_arcsine": "effects.proportions",
    "proportions": "effects.proportions",
    "pustejovsky": "small_study.pustejovsky",
    "rankogram": "networks.ranking",
    "rate_ratios": "effects.proportions",
    "ratios_of_means": "effects.means",
    "required_for_means": "sequential.required_information",
    "required_for_risks": "sequential.required_information",
    "required_trials": "sequential.required_information",
    "risk_to_odds_ratio": "effects.conversions",
    "robust": "exploration.robust",
    "rstandard": "exploration.standardized_residuals",
    "rucker": "small_study.rucker",
    "rucker_rank": "small_study.rucker",
    "schwarzer": "small_study.schwarzer",
    "sd_from_interval": "effects.standard_deviations",
    "sd_from_standard_error": "effects.standard_deviations",
    "sd_of_change": "effects.standard_deviations",
    "selection_model": "small_study.selection_model",
    "smd_to_odds_ratio": "effects.conversions",
    "split_counts": "effects.shared_control",
    "split_nodes": "networks.node_splitting",
    "standardized_differences_from_t": "effects.means",
    "standardized_mean_differences": "effects.means",
    "subgroups": "exploration.subgroups",
    "thompson_sharp": "small_study.thompson_sharp",
    "three_level": "pooling.three_level",
    "trial_sequential": "sequential.trial_sequential",
    "trim_and_fill": "small_study.trim_and_fill",
    "two_by_two": "effects.two_by_two",
    "uniform": "bayes.heterogeneity_priors",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
