"""Cochran's Q of a network within and between designs; a design is the set of treatments that a study compares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.networks.contrasts import Contrasts
from counterpulse.synthesis.networks.graph_fit import fit_graph, q_test, residual_test
from counterpulse.synthesis.networks.independent_contrasts import IndependentContrasts
from counterpulse.synthesis.pooling.homogeneity import NOT_TESTED, ChiSquared


@dataclass(frozen=True, slots=True)
class DesignTest:
    """A test that belongs to one design: the treatments compared and how many studies compared them."""

    design: tuple[str, ...]
    studies: int
    test: ChiSquared


@dataclass(frozen=True, slots=True)
class DesignDecomposition:
    """Heterogeneity within designs and inconsistency between them.

    Attributes
    ----------
    total, within, between : common effect; `within` and `between` add up to `total`
    within_design : heterogeneity of the studies of one design
    detached : inconsistency that is left when a design has effects of its own; designs in no loop are left out
    between_random : inconsistency with `tau2_within`, the full design-by-treatment interaction model
    tau2_within : variance between studies of the same design (DerSimonian and Laird); nan where no design has two studies
    """

    total: ChiSquared
    within: ChiSquared
    between: ChiSquared
    within_design: tuple[DesignTest, ...]
    detached: tuple[DesignTest, ...]
    between_random: ChiSquared
    tau2_within: float


def decompose_designs(contrasts: Contrasts, independent: IndependentContrasts) -> DesignDecomposition:
    """Split Q by design, and detach each design in turn.

    References
    ----------
    Krahn, Binder and König 2013, doi:10.1186/1471-2288-13-35; Higgins et al. 2012, doi:10.1002/jrsm.1044.
    """
    designs: dict[tuple[int, ...], list[int]] = {}
    for number, arms in enumerate(independent.arms):
        designs.setdefault(arms, []).append(number)
    total = fit_graph(independent, 0.0).test
    own = {design: residual_test(independent, studies, 0.0) for design, studies in designs.items()}
    within = _sum(list(own.values()))
    between = _difference(total, within)
    tau2 = _tau2_within(independent, list(designs.values()))
    return DesignDecomposition(
        total=total,
        within=within,
        between=between,
        within_design=tuple(_named(contrasts, design, len(designs[design]), test) for design, test in own.items()),
        detached=tuple(
            _named(contrasts, design, len(studies), left)
            for design, studies in designs.items()
            if (left := _left(independent, studies, within, own[design])).df < between.df
        ),
        between_random=_between(independent, list(designs.values()), tau2),
        tau2_within=tau2,
    )


def _named(contrasts: Contrasts, design: tuple[int, ...], studies: int, test: ChiSquared) -> DesignTest:
    return DesignTest(tuple(contrasts.treatments[arm] for arm in design), studies, test)


def _sum(tests: list[ChiSquared]) -> ChiSquared:
    return q_test(sum(test.statistic for test in tests), sum(test.df for test in tests))


def _difference(total: ChiSquared, within: ChiSquared) -> ChiSquared:
    return q_test(total.statistic - within.statistic, total.df - within.df)


def _left(independent: IndependentContrasts, studies: list[int], within: ChiSquared, own: ChiSquared) -> ChiSquared:
    """Inconsistency between the other designs: a design with its own effects says nothing about theirs."""
    others = [number for number in range(len(independent.arms)) if number not in set(studies)]
    rest = residual_test(independent, others, 0.0) if others else q_test(0.0, 0)
    return _difference(_sum([rest, own]), within)


def _tau2_within(independent: IndependentContrasts, designs: list[list[int]]) -> float:
    blocks = [
        np.where(np.isin(independent.study, studies)[:, None], independent.design[:, independent.columns(studies)], 0.0)
        for studies in designs
    ]
    return float(
        between_variance(independent.effects, independent.variances, np.hstack(blocks), estimator="DL").tau2[0]
    )


def _between(independent: IndependentContrasts, designs: list[list[int]], tau2: float) -> ChiSquared:
    if np.isnan(tau2):
        return NOT_TESTED
    within = _sum([residual_test(independent, studies, tau2) for studies in designs])
    return _difference(fit_graph(independent, tau2).test, within)
