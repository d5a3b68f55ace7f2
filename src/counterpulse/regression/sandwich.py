"""Robust covariance: bread, meat, bread, with its small-sample factor as a named choice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import meat
from counterpulse.regression.model_rows import Rows
from counterpulse.results.provenance import Choice, Origin

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Variance:
    """Which variance is used, and the choice as provenance states it."""

    robust: bool
    choice: Choice


def choose_variance(rows: Rows, robust: bool | None, names: tuple[str, str, str]) -> Variance:
    """Decide the variance: robust when asked for, clustered, or weighted by numbers that count no patients.

    Parameters
    ----------
    names : what the model-based, the robust and the clustered variance are called
    """
    if robust is False and rows.cluster is not None:
        raise InputError("clusters need the robust variance; leave out `robust=False` or `cluster`")
    used = robust if robust is not None else rows.cluster is not None or not rows.whole_weights
    origin: Origin = "given" if robust is not None else "derived" if used else "default"
    name = names[0] if not used else names[1] if rows.cluster is None else names[2]
    return Variance(used, Choice("variance", name, origin, "zeileis-2020" if used else None))


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
