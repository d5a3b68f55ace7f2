"""Fisher's exact test of a table of counts of any size.

Written from Mehta and Patel 1983 (doi:10.1080/01621459.1983.10477989): columns are filled one after the other; tables
that leave the same row margins share a node, and a node is settled at once when even its least likely completion counts,
or even its likeliest does not. Rows that carry no label in the probability are kept sorted, so nodes are few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import comb, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from counterpulse.results import Status
from counterpulse.two_groups.arrays import Counts, as_counts
from counterpulse.two_groups.chi_squared import without_empty_margins
from counterpulse.two_groups.conditional_odds_ratio import SAME_PROBABILITY, fisher_p_value
from counterpulse.two_groups.tested import TestResult, not_tested
from counterpulse.two_groups.two_by_two import TwoByTwo

Floats = NDArray[np.float64]

NAME = "fisher exact"

MOST_WORK = 5_000_000
"""Default bound on partial tables looked at, about a second; above it the status is TOO_LARGE."""

LARGEST_KEY = 2.0**62
"""Row margins are coded in one 64-bit integer; tables that need more are too large."""


def fisher_exact(table: ArrayLike, *, most_work: int = MOST_WORK) -> TestResult:
    """Test independence of rows and columns given both margins.

    Parameters
    ----------
    table : counts, shape (rows, columns); empty rows and columns are left out
    most_work : how many partial tables may be looked at before the test gives up

    Returns
    -------
    TestResult
        The statistic is the probability of the observed table; the P value sums all tables that are no likelier, with R's
        tolerance of 1e-7 for ties. Status TOO_LARGE beyond `most_work`, UNDEFINED with one row or column.

    Raises
    ------
    InputError
        Cells that are not counts.
    """
    counts = without_empty_margins(as_counts(table))
    if min(counts.shape) < 2:
        return not_tested(NAME, "probability", Status.UNDEFINED)
    statistic = float(np.exp(log_probability(counts)))
    if counts.shape == (2, 2):
        (a, b), (c, d) = counts.tolist()
        p_value = fisher_p_value(TwoByTwo(a, a + b, c, c + d))
    else:
        p_value = _p_value_of_larger(counts, most_work)
    status = Status.TOO_LARGE if np.isnan(p_value) else Status.OK
    return TestResult(name=NAME, statistic=statistic, statistic_name="probability", p_value=p_value, status=status)


def log_probability(counts: Counts) -> float:
    """Log of the probability of a table given its margins."""
    margins = gammaln(counts.sum(axis=1) + 1).sum() + gammaln(counts.sum(axis=0) + 1).sum()
    return float(margins - gammaln(counts.sum() + 1) - gammaln(counts + 1).sum())


def _p_value_of_larger(counts: Counts, most_work: int) -> float:
    """The sum over all tables no likelier than the observed one; nan beyond `most_work`."""
    counts = min(counts, counts.T, key=_breadth)
    rows, columns = np.sort(counts.sum(axis=1)), np.sort(counts.sum(axis=0))[::-1]
    margins = _reachable(rows, columns, most_work)
    if margins is None:
        return nan
    return _sum_of_unlikely(_stages(margins, columns), rows, columns, log_probability(counts), most_work)


@dataclass(frozen=True, slots=True)
class Stage:
    """The nodes before one column is filled.

    `margins` are the row margins left, sorted, shape (nodes, rows). Of the log weights ahead (minus the sum of log
    factorials of the cells still to fill) `likeliest` and `least_likely` are the extremes and `total` is the log of the
    sum of all.
    """

    keys: Counts
    margins: Counts
    likeliest: Floats
    least_likely: Floats
    total: Floats


def _breadth(counts: Counts) -> tuple[int, float]:
    """How many nodes filling by columns may need: rows, then how many values the row margins can take."""
    margins = np.sort(counts.sum(axis=1))[:-1]
    return counts.shape[0], float(np.log1p(margins).sum())


def _reachable(rows: Counts, columns: Counts, most_work: int) -> list[Counts] | None:
    """The nodes before each column, or None where they cost more than `most_work`."""
    if float(rows.sum() + 1) ** (len(rows) - 1) > LARGEST_KEY:
        return None
    margins, work = [rows[None, :]], 0
    for total in columns[:-1]:
        work += len(margins[-1]) * comb(int(total) + len(rows) - 1, len(rows) - 1)
        if work > most_work:
            return None
        ways = _allocations(int(total), len(rows))
        left = np.vstack([_onward(node, ways)[1] for node in margins[-1]])
        margins.append(left[np.unique(_keys(left, int(rows.sum())), return_index=True)[1]])
    return margins


def _stages(margins: list[Counts], columns: Counts) -> list[Stage]:
    """Bounds and totals of every node, from the last column backward."""
    n = int(margins[0].sum())
    ahead = -gammaln(margins[-1] + 1).sum(axis=1)
    stages = [Stage(_keys(margins[-1], n), margins[-1], ahead, ahead, ahead)]
    for position in range(len(margins) - 2, -1, -1):
        nodes, following = margins[position], stages[-1]
        ways = _allocations(int(columns[position]), nodes.shape[1])
        likeliest, least_likely = np.empty(len(nodes)), np.empty(len(nodes))
        for number, node in enumerate(nodes):
            chosen, left = _onward(node, ways)
            child = np.searchsorted(following.keys, _keys(left, n))
            weight = -gammaln(chosen + 1).sum(axis=1)
            likeliest[number] = (weight + following.likeliest[child]).max()
            least_likely[number] = (weight + following.least_likely[child]).min()
        total = gammaln(nodes.sum(axis=1) + 1) - gammaln(nodes + 1).sum(axis=1) - gammaln(columns[position:] + 1).sum()
        stages.append(Stage(_keys(nodes, n), nodes, likeliest, least_likely, total))
    return stages[::-1]


def _sum_of_unlikely(stages: list[Stage], rows: Counts, columns: Counts, observed: float, most_work: int) -> float:
    """Carry the distinct log weights of partial tables from node to node; settle them as soon as the bounds allow."""
    n = int(rows.sum())
    threshold = observed + SAME_PROBABILITY
    start = float(gammaln(rows + 1).sum() + gammaln(columns + 1).sum() - gammaln(n + 1))
    past = Past(np.zeros(1, dtype=np.int64), np.array([start]), np.ones(1))
    p_value, work = 0.0, 0
    for position, following in enumerate(stages[1:]):
        ways = _allocations(int(columns[position]), len(rows))
        undecided: list[Past] = []
        for node, values, paths in past.by_node():
            chosen, left = _onward(stages[position].margins[node], ways)
            work += len(chosen) * len(values)
            if work > most_work:
                return nan
            child = np.searchsorted(following.keys, _keys(left, n))
            value = values[:, None] - gammaln(chosen + 1).sum(axis=1)[None, :]
            counted = value + following.likeliest[child] <= threshold
            p_value += float(paths @ np.where(counted, np.exp(value + following.total[child]), 0.0).sum(axis=1))
            open_path, open_way = np.nonzero(~counted & (value + following.least_likely[child] <= threshold))
            undecided.append(Past(child[open_way], value[open_path, open_way], paths[open_path]))
        past = Past.merged(undecided)
    return min(1.0, p_value)


@dataclass(frozen=True, slots=True)
class Past:
    """Partial tables that are not settled: node, log weight so far, and how many paths share both."""

    node: Counts
    value: Floats
    paths: Floats

    @classmethod
    def merged(cls, parts: list[Past]) -> Past:
        """All parts, with paths of one node and one log weight (to the ninth decimal) taken together."""
        if not parts:
            return cls(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
        node = np.concatenate([part.node for part in parts])
        value = np.concatenate([part.value for part in parts])
        paths = np.concatenate([part.paths for part in parts])
        rounded = np.round(value, 9)
        order = np.lexsort((rounded, node))
        node, value, paths, rounded = node[order], value[order], paths[order], rounded[order]
        first = np.ones(len(node), dtype=bool)
        first[1:] = (node[1:] != node[:-1]) | (rounded[1:] != rounded[:-1])
        starts = np.nonzero(first)[0]
        together = np.add.reduceat(paths, starts) if len(starts) else paths
        return cls(node[starts], value[starts], together)

    def by_node(self) -> Iterator[tuple[int, Floats, Floats]]:
        """The log weights and path counts of each node."""
        if len(self.node) == 0:
            return
        starts = np.concatenate([[0], np.nonzero(np.diff(self.node))[0] + 1, [len(self.node)]])
        for low, high in pairwise(starts):
            yield int(self.node[low]), self.value[low:high], self.paths[low:high]


def _allocations(total: int, parts: int) -> Counts:
    """All ways to put `total` patients in `parts` rows, shape (ways, parts)."""
    if parts == 1:
        return np.array([[total]], dtype=np.int64)
    rest = [_allocations(total - first, parts - 1) for first in range(total + 1)]
    first = np.repeat(np.arange(total + 1), [len(part) for part in rest])
    return np.column_stack([first, np.vstack(rest)])


def _onward(node: Counts, ways: Counts) -> tuple[Counts, Counts]:
    """The allocations that a node allows, and the sorted margins that each leaves."""
    left = node - ways
    possible = (left >= 0).all(axis=1)
    return ways[possible], np.sort(left[possible], axis=1)


def _keys(margins: Counts, n: int) -> Counts:
    """One integer a row of margins; their sum is known, so the last margin is not needed."""
    return np.asarray(margins[:, :-1] @ (n + 1) ** np.arange(margins.shape[1] - 1))
