"""Which test a variable of Table 1 gets: rules as values, chosen by name. None is a test of normality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.results import Status
from counterpulse.two_groups.arrays import Counts, Floats
from counterpulse.two_groups.chi_squared import expected_counts, pearson_chi_squared
from counterpulse.two_groups.fisher import fisher_exact
from counterpulse.two_groups.jonckheere import jonckheere_terpstra
from counterpulse.two_groups.kruskal import kruskal_wallis
from counterpulse.two_groups.means import t_test
from counterpulse.two_groups.monte_carlo import fisher_monte_carlo
from counterpulse.two_groups.one_way import analysis_of_variance
from counterpulse.two_groups.rank_sum import mann_whitney
from counterpulse.two_groups.tested import TestResult, not_tested
from counterpulse.two_groups.trend import cochran_armitage

NumericTest = Callable[[Sequence[Floats]], TestResult]
LevelTest = Callable[[Counts], TestResult]

FISHER_WORK = 1_000_000
"""Partial tables that Table 1 spends on an exact test; a larger table gets the Monte Carlo test, and its row says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The tests of Table 1 by kind of variable.

    `two` and `more` are the tests of a numeric variable in two or more groups, `levels` that of a categorical one;
    `sparse_levels` replaces it where an expected count is below `least_expected`.
    """

    name: str
    two: str
    more: str
    levels: str
    sparse_levels: str | None = None
    least_expected: float = 5.0

    def words(self) -> str:
        """The rule as a sentence."""
        text = f"numeric: {self.two} in two groups, {self.more} in more; categorical: {self.levels}"
        if self.sparse_levels:
            text += f", {self.sparse_levels} where an expected count is below {self.least_expected:g}"
        return text

    def numeric(self, groups: int) -> str:
        """The test of a numeric variable in so many groups."""
        return self.two if groups == 2 else self.more

    def categorical(self, table: Counts) -> str:
        """The test of a table of groups by levels."""
        used = table[:, table.sum(axis=0) > 0]
        if self.sparse_levels and used.size and expected_counts(used).min() < self.least_expected:
            return self.sparse_levels
        return self.levels


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            name="means", two="welch t", more="welch anova", levels="pearson chi-squared", sparse_levels="fisher exact"
        ),
        Rule(
            name="medians",
            two="mann-whitney",
            more="kruskal-wallis",
            levels="pearson chi-squared",
            sparse_levels="fisher exact",
        ),
        Rule(
            name="gtsummary",
            two="mann-whitney exact below 50",
            more="kruskal-wallis",
            levels="pearson chi-squared",
            sparse_levels="fisher exact",
        ),
        Rule(name="tableone", two="pooled t", more="anova", levels="yates chi-squared"),
        Rule(
            name="campbell",
            two="welch t",
            more="welch anova",
            levels="n-1 chi-squared",
            sparse_levels="fisher exact",
            least_expected=1.0,
        ),
    )
}
"""Named rules. "gtsummary" and "tableone" choose as the defaults of those R packages do."""


def _of_two(name: str, test: Callable[[Floats, Floats], TestResult], groups: Sequence[Floats]) -> TestResult:
    if len(groups) != 2:
        raise InputError(f"test {name!r} compares two groups, not {len(groups)}; give a test for more groups")
    return test(groups[1], groups[0])


def _exact_or_monte_carlo(table: Counts) -> TestResult:
    result = fisher_exact(table, most_work=FISHER_WORK)
    return fisher_monte_carlo(table) if result.status is Status.TOO_LARGE else result


def _trend_in_proportions(table: Counts) -> TestResult:
    if table.shape[1] != 2:
        raise InputError("test 'cochran-armitage' needs a variable of two levels; give a numeric or yes/no variable")
    return cochran_armitage(table[:, 1], table.sum(axis=1))


def _two(name: str, test: Callable[..., TestResult], **options: object) -> NumericTest:
    return partial(_of_two, name, partial(test, **options))


NUMERIC_TESTS: Mapping[str, NumericTest] = {
    "welch t": _two("welch t", t_test, variance="welch"),
    "pooled t": _two("pooled t", t_test, variance="pooled"),
    "mann-whitney": _two("mann-whitney", mann_whitney),
    "mann-whitney without continuity correction": _two(
        "mann-whitney without continuity correction", mann_whitney, continuity=False
    ),
    "mann-whitney exact below 50": _two("mann-whitney exact below 50", mann_whitney, method="exact below 50"),
    "welch anova": partial(analysis_of_variance, variance="welch"),
    "anova": partial(analysis_of_variance, variance="pooled"),
    "kruskal-wallis": kruskal_wallis,
    "jonckheere-terpstra": jonckheere_terpstra,
}

LEVEL_TESTS: Mapping[str, LevelTest] = {
    "pearson chi-squared": pearson_chi_squared,
    "yates chi-squared": partial(pearson_chi_squared, correction="yates"),
    "n-1 chi-squared": partial(pearson_chi_squared, correction="n-1"),
    "fisher exact": _exact_or_monte_carlo,
    "cochran-armitage": _trend_in_proportions,
}


def run_numeric_test(name: str, groups: Sequence[Floats]) -> TestResult:
    """The named test of a numeric variable.

    Raises
    ------
    InputError
        A name that is no test of a numeric variable, or a test for another number of groups.
    """
    if name not in NUMERIC_TESTS:
        raise InputError(f"{name!r} is no test of a numeric variable; give one of {', '.join(NUMERIC_TESTS)}")
    return NUMERIC_TESTS[name](groups)


def run_level_test(name: str, table: NDArray[np.int64]) -> TestResult:
    """The named test of a table of groups by levels; status EMPTY_GROUP where a group has no known level.

    Raises
    ------
    InputError
        A name that is no test of a categorical variable, or a trend in more than two levels.
    """
    if name not in LEVEL_TESTS:
        raise InputError(f"{name!r} is no test of a categorical variable; give one of {', '.join(LEVEL_TESTS)}")
    if (table.sum(axis=1) == 0).any():
        return not_tested(name, "", Status.EMPTY_GROUP)
    return LEVEL_TESTS[name](table)
