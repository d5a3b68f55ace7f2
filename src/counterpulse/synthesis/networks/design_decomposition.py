"""Cochran's Q of a network within and between designs; a design is the set of treatments that a study compares."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.heterogeneity import heterogeneity
from counterpulse.synthesis.engine.weighted_fit import WeightedFit, weighted_fit
from counterpulse.synthesis.networks.contrasts import Contrasts
from counterpulse.synthesis.networks.graph_fit import GraphFit, fit_graph, q_test
from counterpulse.synthesis.networks.independent_contrasts import IndependentContrasts
from counterpulse.synthesis.pooling.homogeneity import NOT_TESTED, ChiSquared

Floats = NDArray[np.float64]


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
    numbers: dict[tuple[int, ...], list[int]] = {}
    for number, arms in enumerate(independent.arms):
        numbers.setdefault(arms, []).append(number)
    designs = [_Design(arms, studies, _of(independent, studies)) for arms, studies in numbers.items()]
    network = fit_graph(independent, 0.0)
    within = q_test(*_sums(designs, 0.0))
    between = _difference(network.test, within)
    tau2 = _tau2_within(designs, within)
    random = (
        NOT_TESTED if np.isnan(tau2) else _difference(fit_graph(independent, tau2).test, q_test(*_sums(designs, tau2)))
    )

    def named(design: _Design, test: ChiSquared) -> DesignTest:
        return DesignTest(tuple(contrasts.treatments[arm] for arm in design.arms), len(design.studies), test)

    return DesignDecomposition(
        total=network.test,
        within=within,
        between=between,
        within_design=tuple(named(design, q_test(*_sums([design], 0.0))) for design in designs),
        detached=tuple(
            named(design, test)
            for design in designs
            if (test := _detached(independent, network, design, between)).df < between.df
        ),
        between_random=random,
        tau2_within=tau2,
    )


@dataclass(frozen=True, slots=True)
class _Design:
    """The studies of one design alone: effects of its arms against the first of them."""

    arms: tuple[int, ...]
    studies: list[int]
    rows: tuple[Floats, Floats, Floats]

    def fit(self, tau2: float) -> WeightedFit:
        effects, variances, design = self.rows
        return weighted_fit(effects, variances, design, tau2=tau2)


def _of(independent: IndependentContrasts, studies: list[int]) -> tuple[Floats, Floats, Floats]:
    rows = np.isin(independent.study, studies)
    design = independent.design[rows][:, list(independent.arms[studies[0]][1:])]
    return independent.effects[rows], independent.variances[rows], design


def _sums(designs: list[_Design], tau2: float) -> tuple[float, float]:
    """Q within these designs and its degrees of freedom."""
    fits = [design.fit(tau2) for design in designs]
    return sum(float(fit.q[0]) for fit in fits), sum(float(fit.df[0]) for fit in fits)


def _difference(total: ChiSquared, within: ChiSquared) -> ChiSquared:
    return q_test(total.statistic - within.statistic, total.df - within.df)


def _tau2_within(designs: list[_Design], within: ChiSquared) -> float:
    """Where the expectation of Q within designs is what was seen (DerSimonian and Laird)."""
    if within.df == 0:
        return nan
    parts = [heterogeneity(*design.rows, tau2=0.0, estimator="DL") for design in designs]
    trace = sum(float(part.df[0] / part.typical_variance[0]) for part in parts if part.df[0] > 0)
    return max(0.0, (within.statistic - within.df) / trace)


def _detached(independent: IndependentContrasts, network: GraphFit, design: _Design, between: ChiSquared) -> ChiSquared:
    """Inconsistency that is left when the design has effects of its own.

    What goes is the squared distance of the design's own effects from the network's, in the metric of the variance of that
    distance. Its rank is how many joints of the network the design alone does not make.
    """
    others = [number for number in range(len(independent.arms)) if number not in set(design.studies)]
    freed = len(independent.columns(others)) + len(design.arms) - 1 - (len(network.potentials) - 1) if others else 0
    if freed == 0:
        return between
    own, first, rest = design.fit(0.0), design.arms[0], list(design.arms[1:])
    fitted = network.potentials[rest] - network.potentials[first]
    turn = np.eye(len(network.potentials))[rest] - np.eye(len(network.potentials))[first]
    root = np.linalg.cholesky(own.covariance[0])
    distance = np.linalg.solve(root, own.coefficients[0] - fitted)
    explained = np.linalg.solve(root, np.linalg.solve(root, turn @ network.covariance @ turn.T).T)
    shares, directions = np.linalg.eigh(np.eye(len(rest)) - explained)
    along = directions.T @ distance
    gone = float((along[-freed:] ** 2 / shares[-freed:]).sum())
    return q_test(between.statistic - gone, between.df - freed)
