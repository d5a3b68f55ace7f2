"""Two groups (and a few more) compared without a model: proportions, means, ranks, tables of counts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterpulse.two_groups.chi_squared import expected_counts, pearson_chi_squared
    from counterpulse.two_groups.fisher import fisher_exact
    from counterpulse.two_groups.jonckheere import jonckheere_terpstra
    from counterpulse.two_groups.kruskal import kruskal_wallis
    from counterpulse.two_groups.means import MeanDifference, mean_difference, t_test
    from counterpulse.two_groups.monte_carlo import fisher_monte_carlo
    from counterpulse.two_groups.one_proportion import Proportion, single_proportion
    from counterpulse.two_groups.one_way import analysis_of_variance
    from counterpulse.two_groups.probabilistic_index import WinOdds, win_odds
    from counterpulse.two_groups.proportions import TwoProportions, two_proportions
    from counterpulse.two_groups.rank_sum import mann_whitney
    from counterpulse.two_groups.tested import TestResult
    from counterpulse.two_groups.trend import cochran_armitage

__all__ = [
    "MeanDifference",
    "Proportion",
    "TestResult",
    "TwoProportions",
    "WinOdds",
    "analysis_of_variance",
    "cochran_armitage",
    "expected_counts",
    "fisher_exact",
    "fisher_monte_carlo",
    "jonckheere_terpstra",
    "kruskal_wallis",
    "mann_whitney",
    "mean_difference",
    "pearson_chi_squared",
    "single_proportion",
    "t_test",
    "two_proportions",
    "win_odds",
]

_HOME = {
    "MeanDifference": "means",
    "Proportion": "one_proportion",
    "TestResult": "tested",
    "TwoProportions": "proportions",
    "WinOdds": "probabilistic_index",
    "analysis_of_variance": "one_way",
    "cochran_armitage": "trend",
    "expected_counts": "chi_squared",
    "fisher_exact": "fisher",
    "fisher_monte_carlo": "monte_carlo",
    "jonckheere_terpstra": "jonckheere",
    "kruskal_wallis": "kruskal",
    "mann_whitney": "rank_sum",
    "mean_difference": "means",
    "pearson_chi_squared": "chi_squared",
    "single_proportion": "one_proportion",
    "t_test": "means",
    "two_proportions": "proportions",
    "win_odds": "probabilistic_index",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
