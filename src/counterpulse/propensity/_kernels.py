"""The one sequential loop of greedy matching, plain Python that a compiler takes as it is."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def match_greedily(  # noqa: C901  (a compiler takes one function)
    score: Floats, stratum: Integers, free: Integers, turn: Integers, wanted: Integers, width: float, near: Floats,
    limits: Floats, apart: Integers, replace: bool, by_distance: float, partner: Integers,
) -> None:  # fmt: skip
    """Give each treated unit its nearest free control, one round for each control wanted.

    Positions count from 1 in ascending order of stratum and score; 0 and the last are sentinels.

    Parameters
    ----------
    score, stratum : by position
    free : shape (2, positions); in row 0 the chain to the next free control at or left of a position, in row 1 to the right
    turn : positions of the treated units in the order they choose
    wanted : how many controls each of `turn` may have
    width : the caliper on the score, inclusive
    near, limits : as in `Rules`, by position
    apart : codes by position, shape (positions, a), that must differ within a pair
    replace : whether a control stays free
    by_distance : 0 to choose in turn; 1 and -1 to let the pair with the smallest (largest) distance be made first
    partner : shape (len(turn), rounds), -1 to begin with; filled with positions

    Notes
    -----
    Of equally near controls the one fewer positions away is chosen, then the left one.
    """
    last = len(score) - 1
    for turned in range(partner.shape[1]):
        waiting = [(0.0, 0, 0, 0)]
        waiting.pop()
        begun, again = 0, 0
        while True:
            if begun < len(turn):
                k = begun
                begun += 1
                if wanted[k] <= turned or (turned > 0 and partner[k, turned - 1] < 0):
                    continue
            elif len(waiting) > 0:
                _, _, k, best = heapq.heappop(waiting)
                if replace or free[0, best] == best:
                    partner[k, turned] = best
                    if not replace:
                        free[0, best] = best - 1
                        free[1, best] = best + 1
                    continue
                again += len(turn)
            else:
                break
            at, best, best_gap = turn[k], -1, np.inf
            for side in range(2):
                step = 2 * side - 1
                p = at + step
                while True:
                    while free[side, p] != p:
                        free[side, p] = free[side, free[side, p]]
                        p = free[side, p]
                    if p == 0 or p == last or stratum[p] != stratum[at]:
                        break
                    gap = abs(score[p] - score[at])
                    if gap > width or gap > best_gap:
                        break
                    allowed = True
                    for j in range(len(limits)):
                        allowed = allowed and (abs(near[p, j] - near[at, j]) > abs(limits[j])) == (limits[j] < 0)
                    for j in range(apart.shape[1]):
                        allowed = allowed and apart[p, j] != apart[at, j]
                    for j in range(turned if replace else 0):
                        allowed = allowed and partner[k, j] != p
                    if allowed:
                        if gap < best_gap or p - at < at - best:
                            best, best_gap = p, gap
                        break
                    p += step
            if best < 0:
                continue
            if by_distance != 0:
                heapq.heappush(waiting, (by_distance * best_gap, k - again, k, best))
                continue
            partner[k, turned] = best
            if not replace:
                free[0, best] = best - 1
                free[1, best] = best + 1
