"""How much the direct evidence of each comparison contributes to each effect of the network."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from counterpulse.results.status import Status
from counterpulse.synthesis.networks.independent_contrasts import IndependentContrasts
from counterpulse.synthesis.networks.network_meta_analysis import Model, Network

Floats = NDArray[np.float64]

NO_FLOW = 1e-12
"""A flow or a weight below this part of the largest is rounding."""


@dataclass(frozen=True, slots=True)
class Contributions:
    """Effects of the network as flows of direct evidence.

    Attributes
    ----------
    comparisons : pairs of treatments (rows): every effect of the network
    evidence : pairs of treatments (columns): those that studies compared
    hat : how the effect of a row changes when the direct effect of a column changes by one, shape (rows, columns)
    share : part of the row that rests on the column; every row sums to 1, shape (rows, columns); nan with the status
        UNDEFINED where a pair of arms of multi-arm studies has a negative weight, so that there is no flow
    """

    comparisons: tuple[tuple[str, str], ...]
    evidence: tuple[tuple[str, str], ...]
    hat: Floats
    share: Floats
    status: Status


def contributions(network: Network, *, model: Model = "random") -> Contributions:
    """Hat matrix of the aggregated network, and the shares of a walk along its flows.

    The flow from one treatment to another along direct comparisons is the row of the hat matrix; each path of it gives its
    flow to its comparisons in equal parts (Papakonstantinou et al. 2018, doi:10.12688/f1000research.14770.3), and all paths
    are taken with the probability that a walker along the flow takes them (Davies et al. 2022, doi:10.1002/sim.9346).
    """
    fitted = network.model(model)
    weights = _pair_weights(network.independent, fitted.tau2)
    n = len(weights)
    used = [pair for pair in combinations(range(n), 2) if network.common.evidence.studies[pair]]
    pairs = list(combinations(range(n), 2))
    ends = np.zeros((len(pairs), n))
    for row, (i, j) in enumerate(pairs):
        ends[row, i], ends[row, j] = 1.0, -1.0
    at = [pairs.index(pair) for pair in used]
    hat = ends @ fitted.fit.covariance @ ends[at].T * np.array([weights[pair] for pair in used])
    flows = min(weights[pair] for pair in used) > -NO_FLOW * np.abs(weights).max()
    share = (
        np.stack([_walk(row, used, pair, n) for row, pair in zip(hat, pairs, strict=True)]) if flows else hat * np.nan
    )
    names = network.treatments
    return Contributions(
        tuple((names[i], names[j]) for i, j in pairs), tuple((names[i], names[j]) for i, j in used), hat, share,
        Status.OK if flows else Status.UNDEFINED,
    )  # fmt: skip


def _pair_weights(independent: IndependentContrasts, tau2: float) -> Floats:
    """Weights of the edges of the graph: the off-diagonal elements of its Laplacian with the sign turned, shape (n, n)."""
    weights = 1 / (independent.variances + tau2)
    return -independent.design.T @ (weights[:, None] * independent.design)


def _walk(row: Floats, used: list[tuple[int, int]], ends: tuple[int, int], n: int) -> Floats:
    """Share of each comparison in the walks from one end to the other along the flow; shape (columns,).

    `arriving[l, t]` is the probability of standing at treatment t after l steps, and `finishing[l, t]` that of reaching the
    end from t in just l steps.
    """
    flow = np.zeros((n, n))
    for value, (i, j) in zip(row, used, strict=True):
        flow[i, j], flow[j, i] = max(value, 0.0), max(-value, 0.0)
    flow[flow < NO_FLOW * np.abs(row).max()] = 0.0
    out = flow.sum(axis=1, keepdims=True)
    step = np.divide(flow, out, out=np.zeros_like(flow), where=out > 0)
    step[ends[1]] = 0.0
    arriving, finishing = np.zeros((n, n)), np.zeros((n, n))
    arriving[0, ends[0]] = finishing[0, ends[1]] = 1.0
    for length in range(1, n):
        arriving[length] = arriving[length - 1] @ step
        finishing[length] = step @ finishing[length - 1]
    lengths = np.add.outer(np.arange(n), np.arange(n)) + 1.0
    through = (arriving.T @ (1 / lengths) @ finishing) * step
    return np.array([through[i, j] + through[j, i] for i, j in used])
