"""Robust covariance: bread, meat, bread, with its small-sample factor as a named choice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import meat
from counterpulse.regression.cluster_variance import ClusterVariance, cr2, variance_for
from counterpulse.regression.model_rows import Rows
from counterpulse.results.coefficients import TOO_FEW, SmallSample
from counterpulse.results.provenance import Choice, Origin
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


CR2 = "sandwich by cluster, CR2, Satterthwaite degrees of freedom"
NONE = f"none: fewer than {TOO_FEW} clusters"


@dataclass(frozen=True, slots=True)
class Variance:
    """Which variance is used, and the choice as provenance states it; `cluster` is None where no variance by cluster serves."""

    robust: bool
    choice: Choice
    cluster: ClusterVariance | None = None


def choose_variance(
    rows: Rows, robust: bool | None, names: tuple[str, str, str], cluster_variance: ClusterVariance | None = None
) -> Variance:
    """Decide the variance: robust when asked for, clustered, or weighted by numbers that count no patients.

    Parameters
    ----------
    names : what the model-based, the robust and the clustered (CR1) variance are called
    cluster_variance : as asked for; by default CR2 below 40 clusters, CR1 from there on, and none below 10
    """
    if cluster_variance is not None and rows.clusters is None:
        raise InputError("a cluster variance needs clusters; name the column with `cluster`")
    if robust is False and rows.cluster is not None:
        raise InputError("clusters need the robust variance; leave out `robust=False` or `cluster`")
    used = robust if robust is not None else rows.cluster is not None or not rows.whole_weights
    origin: Origin = "given" if robust is not None or cluster_variance is not None else "derived" if used else "default"
    if rows.clusters is None:
        return Variance(used, Choice("variance", names[1 if used else 0], origin, "zeileis-2020" if used else None))
    kind = variance_for(rows.clusters, cluster_variance)
    name, reference = {
        "CR1": (names[2], "zeileis-2020"), "CR2": (CR2, "pustejovsky-tipton-2018"), None: (NONE, None),
    }[kind]  # fmt: skip
    return Variance(used, Choice("variance", name, origin, reference), kind)


@dataclass(frozen=True, slots=True)
class Clustered:
    """A covariance by cluster, the degrees of freedom that go with it, and why there is none."""

    covariance: Floats
    small_sample: SmallSample | None = None
    uncertainty: Status = Status.OK


def clustered(
    kind: ClusterVariance | None, X: Floats, weights: Floats | None, residuals: Floats, bread: Floats, cluster: Codes,
    clusters: int, *, factor: float,
) -> Clustered:  # fmt: skip
    """Compute the variance that was decided; parameters as for `cr2`, and the factor of CR1."""
    if kind is None:
        return Clustered(np.full_like(bread, np.nan), None, Status.FEW_CLUSTERS)
    if kind == "CR1":
        return Clustered(factor * sandwich(X, bread, residuals, cluster, clusters))
    return Clustered(*cr2(X, weights, residuals, bread, cluster, clusters))


def sandwich(X: Floats, bread: Floats, residuals: Floats, cluster: Codes | None, clusters: int | None) -> Floats:
    """``bread (sum_g s_g s_g') bread`` with ``s_g`` the sum of ``x_i * residual_i`` over a cluster; no factor.

    Parameters
    ----------
    X : shape (n, k)
    bread : inverse information, shape (k, k)
    residuals : weight times residual, shape (n,)
    cluster : codes, shape (n,), or None where every row stands alone
    """
    covariance = bread @ meat(X, residuals, cluster, clusters or 0) @ bread
    symmetric: Floats = (covariance + covariance.T) / 2
    return symmetric


def cluster_factor(clusters: int | None) -> float:
    """``G / (G - 1)`` for G clusters; 1 where rows are not clustered, nan for a single cluster."""
    if clusters is None:
        return 1.0
    return clusters / (clusters - 1) if clusters > 1 else np.nan
