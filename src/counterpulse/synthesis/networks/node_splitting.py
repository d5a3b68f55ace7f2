"""Node splitting: whether the direct evidence of a comparison agrees with the rest of the network."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, isfinite, nan

import polars as pl

from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import wald_estimate
from counterpulse.synthesis.networks.effect_matrix import EffectMatrix
from counterpulse.synthesis.networks.network_meta_analysis import Model, Network

ALL_DIRECT = "All evidence of this comparison is direct, so there is nothing to compare it with."


@dataclass(frozen=True, slots=True)
class NodeSplit:
    """Evidence of one comparison that studies made.

    Attributes
    ----------
    studies : studies that made it
    direct_share : what part of the network's information on it is theirs
    network, direct, indirect : `treatment` against `against`
    difference : direct less indirect, on the same scale
    """

    treatment: str
    against: str
    studies: int
    direct_share: float
    network: Estimate
    direct: Estimate
    indirect: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True)
class NodeSplitting:
    """Every comparison that studies made, split."""

    splits: tuple[NodeSplit, ...]
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Differences between direct and indirect evidence."""
        return tuple(split.difference for split in self.splits)

    def tidy(self) -> pl.DataFrame:
        """Differences, one row a comparison."""
        return tidy(self.estimates())


def split_nodes(network: Network, *, model: Model = "random") -> NodeSplitting:
    """Compare direct with indirect evidence, one comparison at a time.

    Both are independent by construction (back-calculation), so the difference has the sum of their variances; for a contrast of
    a multi-arm study the rest of the network keeps that study's other contrasts. Assumes the network's tau2 for all.

    References
    ----------
    Dias et al. 2010, doi:10.1002/sim.3767; König, Krahn and Binder 2013, doi:10.1002/sim.6001.
    """
    evidence = network.model(model).evidence
    n = len(network.treatments)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if evidence.studies[i, j]]
    return NodeSplitting(
        tuple(_split(network, model, i, j) for i, j in pairs),
        Provenance("node splitting", (Choice("model", model, "given"), Choice("indirect evidence", "back-calculation", "default")),
                   ("dias-2010", "konig-2013")),
    )  # fmt: skip


def _split(network: Network, model: Model, i: int, j: int) -> NodeSplit:
    fitted = network.model(model)
    evidence = fitted.evidence
    direct, indirect = (_estimate(network, source, i, j) for source in (evidence.direct, evidence.indirect))
    return NodeSplit(
        treatment=network.treatments[i],
        against=network.treatments[j],
        studies=int(evidence.studies[i, j]),
        direct_share=float(evidence.share[i, j]),
        network=_estimate(network, fitted.effects, i, j),
        direct=direct,
        indirect=indirect,
        difference=_difference(network, direct, indirect),
    )


def _estimate(network: Network, source: EffectMatrix, i: int, j: int) -> Estimate:
    scale, value = network.scale, float(source.estimate[i, j])
    if not isfinite(value):
        return _undefined(network, network.treatments[i], network.treatments[j])
    return wald_estimate(
        network.measure, value, float(source.std_error[i, j]), network.level, scale=scale, null=0.0,
        term=network.treatments[i], reference=network.treatments[j],
    )  # fmt: skip


def _difference(network: Network, direct: Estimate, indirect: Estimate) -> Estimate:
    term, reference = direct.term, direct.reference or ""
    if direct.std_error is None or indirect.std_error is None:
        return _undefined(network, term, reference)
    return wald_estimate(
        network.measure, direct.value - indirect.value, hypot(direct.std_error, indirect.std_error), network.level,
        scale=network.scale, null=0.0, term=term, reference=reference,
    )  # fmt: skip


def _undefined(network: Network, term: str, reference: str) -> Estimate:
    return Estimate(
        term=term, reference=reference, measure=network.measure, value=nan, scale=network.scale,
        status=Status.UNDEFINED, notes=(ALL_DIRECT,),
    )  # fmt: skip
