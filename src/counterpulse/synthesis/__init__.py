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
    "CONVENTIONS", "AsymmetryTest", "Baujat", "BayesPool", "BiasAdjusted", "Cumulative", "DesignBias", "EffectRows",
    "ExcessSignificance", "FailSafeN", "GeneralizedLinear", "Gosh", "Influence", "LeaveOneOut", "LimitMetaAnalysis",
    "MantelHaenszel", "MetaRegression", "Network", "NodeSplitting", "PermutationTest", "PetPeese", "Peto",
    "PooledBatch", "PooledEffect", "PriorSensitivity", "Problem", "RankTest", "Rankogram", "RequiredInformation",
    "RobustEffects", "SelectionModel", "Subgroups", "ThreeLevel", "TrialSequential", "TrimAndFill", "baujat",
    "bayes_pool", "begg", "bias_adjusted", "cohen_kappa", "combine_counts", "combine_means", "compare_extractions",
    "component_network", "components", "contrast_covariance", "contrasts_from_counts", "contrasts_from_means",
    "contributions", "correlation_from_fisher_z", "correlations", "cumulative", "deeks", "diversity", "egger",
    "events_from_percent", "excess_significance", "exponential", "fail_safe_n", "from_curves", "from_interval",
    "from_log_rank", "from_log_rank_p", "from_p_value", "from_standard_error", "from_survival_at", "geometry",
    "glmm", "glmm_proportion", "gosh", "half_cauchy", "half_normal", "half_t", "harbord", "hazard_to_odds_ratio",
    "hazard_to_risk_ratio", "henmi_copas", "incidence_rates", "influence", "jeffreys", "league_table",
    "leave_one_out", "limit_meta_analysis", "log_normal", "macaskill", "mantel_haenszel", "mean_differences",
    "mean_differences_from_t", "means_from_medians", "meta_regression", "mixture", "network", "network_from_arms",
    "network_from_means", "normal", "odds_ratio_to_smd", "odds_to_risk_ratio", "opposite_groups",
    "opposite_outcome", "p_scores", "permutation_test", "pet_peese", "peters", "peto", "peto_from", "pool",
    "pool_many", "prior_from", "prior_sensitivity", "proportion_from_double_arcsine", "proportions", "pustejovsky",
    "rankogram", "rate_ratios", "ratios_of_means", "required_for_means", "required_for_risks", "required_trials",
    "risk_to_odds_ratio", "robust", "rstandard", "rucker", "rucker_rank", "schwarzer", "sd_from_interval",
    "sd_from_standard_error", "sd_of_change", "selection_model", "smd_to_odds_ratio", "split_counts", "split_nodes",
    "standardized_differences_from_t", "standardized_mean_differences", "subgroups", "thompson_sharp",
    "three_level", "trial_sequential", "trim_and_fill", "two_by_two", "uniform",
]  # fmt: skip

_ROOMS = {
    "bayes.bayes_pool": ("BayesPool", "bayes_pool",),
    "bayes.borrowing": ("prior_from",),
    "bayes.effect_priors": ("mixture", "normal",),
    "bayes.heterogeneity_priors": ("exponential", "half_cauchy", "half_normal", "half_t", "jeffreys", "log_normal", "uniform",),
    "bayes.prior_sensitivity": ("PriorSensitivity", "prior_sensitivity",),
    "effects.agreement": ("cohen_kappa", "compare_extractions",),
    "effects.conversions": ("hazard_to_odds_ratio", "hazard_to_risk_ratio", "odds_ratio_to_smd", "odds_to_risk_ratio", "opposite_groups", "opposite_outcome", "risk_to_odds_ratio", "smd_to_odds_ratio",),
    "effects.correlation": ("correlation_from_fisher_z", "correlations",),
    "effects.effect_rows": ("EffectRows",),
    "effects.event_counts": ("events_from_percent",),
    "effects.means": ("mean_differences", "mean_differences_from_t", "ratios_of_means", "standardized_differences_from_t", "standardized_mean_differences",),
    "effects.medians": ("means_from_medians",),
    "effects.printed_interval": ("from_interval", "from_standard_error",),
    "effects.printed_p_value": ("from_log_rank", "from_log_rank_p", "from_p_value",),
    "effects.problem": ("Problem",),
    "effects.proportions": ("incidence_rates", "proportion_from_double_arcsine", "proportions", "rate_ratios",),
    "effects.shared_control": ("combine_counts", "combine_means", "contrast_covariance", "split_counts",),
    "effects.standard_deviations": ("sd_from_interval", "sd_from_standard_error", "sd_of_change",),
    "effects.survival_curves": ("from_curves", "from_survival_at",),
    "effects.two_by_two": ("two_by_two",),
    "exploration.baujat": ("Baujat", "baujat",),
    "exploration.bias_adjusted": ("BiasAdjusted", "DesignBias", "bias_adjusted",),
    "exploration.cumulative": ("Cumulative", "cumulative",),
    "exploration.gosh": ("Gosh", "gosh",),
    "exploration.henmi_copas": ("henmi_copas",),
    "exploration.influence": ("Influence", "influence",),
    "exploration.leave_one_out": ("LeaveOneOut", "leave_one_out",),
    "exploration.robust": ("RobustEffects", "robust",),
    "exploration.standardized_residuals": ("rstandard",),
    "exploration.subgroups": ("Subgroups", "subgroups",),
    "networks.arms": ("contrasts_from_counts", "contrasts_from_means",),
    "networks.component_network": ("component_network",),
    "networks.components": ("components",),
    "networks.contributions": ("contributions",),
    "networks.from_arms": ("network_from_arms", "network_from_means",),
    "networks.geometry": ("geometry",),
    "networks.league_table": ("league_table",),
    "networks.network_meta_analysis": ("Network", "network",),
    "networks.node_splitting": ("NodeSplitting", "split_nodes",),
    "networks.ranking": ("Rankogram", "p_scores", "rankogram",),
    "pooling.conventions": ("CONVENTIONS",),
    "pooling.generalized_linear": ("GeneralizedLinear", "glmm", "glmm_proportion",),
    "pooling.mantel_haenszel": ("MantelHaenszel", "mantel_haenszel",),
    "pooling.meta_regression": ("MetaRegression", "meta_regression",),
    "pooling.permutation_test": ("PermutationTest", "permutation_test",),
    "pooling.peto": ("Peto", "peto", "peto_from",),
    "pooling.pool": ("pool",),
    "pooling.pool_many": ("PooledBatch", "pool_many",),
    "pooling.pooled_effect": ("PooledEffect",),
    "pooling.three_level": ("ThreeLevel", "three_level",),
    "sequential.required_information": ("RequiredInformation", "diversity", "required_for_means", "required_for_risks", "required_trials",),
    "sequential.trial_sequential": ("TrialSequential", "trial_sequential",),
    "small_study.asymmetry_test": ("AsymmetryTest",),
    "small_study.begg": ("begg",),
    "small_study.deeks": ("deeks",),
    "small_study.egger": ("egger",),
    "small_study.excess_significance": ("ExcessSignificance", "excess_significance",),
    "small_study.fail_safe_n": ("FailSafeN", "fail_safe_n",),
    "small_study.harbord": ("harbord",),
    "small_study.limit_meta_analysis": ("LimitMetaAnalysis", "limit_meta_analysis",),
    "small_study.macaskill": ("macaskill",),
    "small_study.pet_peese": ("PetPeese", "pet_peese",),
    "small_study.peters": ("peters",),
    "small_study.pustejovsky": ("pustejovsky",),
    "small_study.rank_correlation": ("RankTest",),
    "small_study.rucker": ("rucker", "rucker_rank",),
    "small_study.schwarzer": ("schwarzer",),
    "small_study.selection_model": ("SelectionModel", "selection_model",),
    "small_study.thompson_sharp": ("thompson_sharp",),
    "small_study.trim_and_fill": ("TrimAndFill", "trim_and_fill",),
}  # fmt: skip
_HOME = {name: module for module, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
