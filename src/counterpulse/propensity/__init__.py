"""The propensity score, and comparisons by it: matching, weighting, and the balance they reach."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.propensity.balance import BalanceRow, BalanceTable, SampleSize, balance_table, effective_size
    from counterpulse.propensity.compared_means import ComparedMeans
    from counterpulse.propensity.effects import matched_effect, weighted_effect, weighted_effects
    from counterpulse.propensity.matched_pairs import Matching, match
    from counterpulse.propensity.matching_rules import Caliper
    from counterpulse.propensity.pooled_balance import PooledBalance, balance_over
    from counterpulse.propensity.prognosis import prognostic_score
    from counterpulse.propensity.score import PropensityScore, propensity_score
    from counterpulse.propensity.score_overlap import Overlap, overlap
    from counterpulse.propensity.stratified import Stratification, coarsened_exact, full_match, subclasses
    from counterpulse.propensity.weighted_sample import Weighting, weight

__all__ = [
    "BalanceRow",
    "BalanceTable",
    "Caliper",
    "ComparedMeans",
    "Matching",
    "Overlap",
    "PooledBalance",
    "PropensityScore",
    "SampleSize",
    "Stratification",
    "Weighting",
    "balance_over",
    "balance_table",
    "coarsened_exact",
    "effective_size",
    "full_match",
    "match",
    "matched_effect",
    "overlap",
    "prognostic_score",
    "propensity_score",
    "subclasses",
    "weight",
    "weighted_effect",
    "weighted_effects",
]

_HOME = {
    "BalanceRow": "balance",
    "BalanceTable": "balance",
    "Caliper": "matching_rules",
    "ComparedMeans": "compared_means",
    "Matching": "matched_pairs",
    "Overlap": "score_overlap",
    "PooledBalance": "pooled_balance",
    "PropensityScore": "score",
    "SampleSize": "balance",
    "Stratification": "stratified",
    "Weighting": "weighted_sample",
    "balance_over": "pooled_balance",
    "balance_table": "balance",
    "coarsened_exact": "stratified",
    "effective_size": "balance",
    "full_match": "stratified",
    "match": "matched_pairs",
    "matched_effect": "effects",
    "overlap": "score_overlap",
    "prognostic_score": "prognosis",
    "propensity_score": "score",
    "subclasses": "stratified",
    "weight": "weighted_sample",
    "weighted_effect": "effects",
    "weighted_effects": "effects",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
