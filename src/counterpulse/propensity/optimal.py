"""Optimal matching: the pairs, or the sets that hold everybody, with the smallest sum of distances."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.propensity.nearest import Rules

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

MOST_CELLS = 50_000_000
"""Pairs of which all distances are held at once, 400 MB."""


def optimal_controls(score: Floats, treated: Mask, rules: Rules) -> Codes:
    """Match as many treated units as possible, with the smallest sum of distances.

    Parameters and returns as for `nearest_controls`; the order plays no part.

    References
    ----------
    Rosenbaum 1989, doi:10.1080/01621459.1989.10478868
    """
    from scipy.optimize import linear_sum_assignment

    units = np.flatnonzero(treated)
    matched = np.full((len(units), int(rules.wanted.max(initial=0))), -1, dtype=np.int64)
    for mine, controls in _by_stratum(treated, rules.strata):
        seats = np.repeat(mine, rules.wanted[mine])
        distance = distances_allowed(score, units[seats], controls, rules)
        allowed = np.isfinite(distance)
        forbidden = 1.0 + 2 * len(seats) * float(distance[allowed].max(initial=0.0))
        rows, columns = linear_sum_assignment(np.where(allowed, distance, forbidden))
        kept = allowed[rows, columns]
        filled = np.zeros(len(units), dtype=np.int64)
        for seat, control in zip(seats[rows[kept]], controls[columns[kept]], strict=True):
            matched[seat, filled[seat]] = control
            filled[seat] += 1
    return matched


def full_sets(score: Floats, treated: Mask, rules: Rules) -> Codes:
    """Put every unit into a set of one treated and several controls, or of one control and several treated.

    Of all such divisions the one with the smallest sum of distances: the cheapest edge cover, which is everybody's
    cheapest edge, less what an optimal matching saves.

    Returns
    -------
    NDArray : the set of each unit, shape (n,), -1 for who is allowed no partner

    References
    ----------
    Hansen 2004, doi:10.1198/016214504000000647
    """
    from scipy.optimize import linear_sum_assignment

    units, sets, begun = np.flatnonzero(treated), np.full(len(score), -1, dtype=np.int64), 0
    for mine, controls in _by_stratum(treated, rules.strata):
        distance = distances_allowed(score, units[mine], controls, rules)
        of_treated, of_control = np.isfinite(distance).any(axis=1), np.isfinite(distance).any(axis=0)
        distance = distance[of_treated][:, of_control]
        if not distance.size:
            continue
        cheapest = distance.min(axis=1)[:, None] + distance.min(axis=0)[None, :]
        saved = np.where(np.isfinite(distance), np.maximum(cheapest - distance, 0.0), 0.0)
        rows, columns = linear_sum_assignment(saved, maximize=True)
        good = saved[rows, columns] > 0
        edges = _cover(distance, rows[good], columns[good])
        members = np.concatenate((units[mine][of_treated], controls[of_control]))
        sets[members] = begun + _components(edges, *distance.shape)
        begun = int(sets.max()) + 1
    return sets


def _cover(distance: Floats, rows: Codes, columns: Codes) -> Codes:
    """The matched edges, and the cheapest edge of everybody else; shape (edges, 2)."""
    edges = [np.column_stack((rows, columns))]
    alone = np.setdiff1d(np.arange(distance.shape[0]), rows)
    edges.append(np.column_stack((alone, distance[alone].argmin(axis=1))))
    alone = np.setdiff1d(np.arange(distance.shape[1]), columns)
    edges.append(np.column_stack((distance[:, alone].argmin(axis=0), alone)))
    return np.unique(np.concatenate(edges), axis=0)


def _components(edges: Codes, treated: int, controls: int) -> Codes:
    """Number the connected sets of a bipartite graph, shape (treated + controls,).

    An edge between two units that both have other edges could be left out at no cost, and is, so that every set has one
    treated or one control.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    degree = [np.bincount(edges[:, side], minlength=size) for side, size in ((0, treated), (1, controls))]
    kept = np.ones(len(edges), dtype=bool)
    for k, (i, j) in enumerate(edges):
        if degree[0][i] > 1 and degree[1][j] > 1:
            kept[k] = False
            degree[0][i] -= 1
            degree[1][j] -= 1
    n, (rows, columns) = treated + controls, edges[kept].T
    graph = coo_array((np.ones(len(rows)), (rows, columns + treated)), shape=(n, n))
    labels: Codes = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _by_stratum(treated: Mask, strata: Codes | None) -> Iterator[tuple[Codes, Codes]]:
    """For each stratum, positions among the treated and the controls."""
    codes = np.zeros(len(treated), dtype=np.int64) if strata is None else strata
    mine, controls = codes[treated], np.flatnonzero(~treated)
    for code in np.unique(mine):
        yield np.flatnonzero(mine == code), controls[codes[controls] == code]


def distances_allowed(score: Floats, units: Codes, controls: Codes, rules: Rules) -> Floats:
    """Distances of treated units and controls, infinite where a pair may not be made; shape (units, controls)."""
    if len(units) * len(controls) > MOST_CELLS:
        raise InputError(
            f"optimal matching compares {len(units):,} x {len(controls):,} patients, too many at once; "
            "match exactly on a covariate, or use nearest-neighbor matching"
        )
    distance: Floats = np.abs(score[units][:, None] - score[controls][None, :])
    refused = distance > rules.width
    for j, limit in enumerate(rules.limits):
        far = np.abs(rules.near[units, j][:, None] - rules.near[controls, j][None, :])
        refused |= far > limit if limit >= 0 else far <= -limit
    for j in range(rules.apart.shape[1]):
        refused |= rules.apart[units, j][:, None] == rules.apart[controls, j][None, :]
    distance[refused] = np.inf
    return distance
