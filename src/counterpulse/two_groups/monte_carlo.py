"""Fisher's exact test of a large table by Monte Carlo: tables with the same margins are drawn at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.results import Status
from counterpulse.two_groups.arrays import Counts, as_counts
from counterpulse.two_groups.chi_squared import without_empty_margins
from counterpulse.two_groups.conditional_odds_ratio import SAME_PROBABILITY
from counterpulse.two_groups.fisher import log_probability
from counterpulse.two_groups.tested import TestResult, not_tested

NAME = "fisher exact (monte carlo)"


def fisher_monte_carlo(
    table: ArrayLike, *, draws: int = 10_000, seed: int = 1, analysis: str = "fisher exact"
) -> TestResult:
    """Estimate the P value of Fisher's exact test from `draws` random tables with the observed margins.

    Parameters
    ----------
    table : counts, shape (rows, columns); empty rows and columns are left out
    draws : random tables; the P value is (1 + tables no likelier than the observed) / (1 + draws)
    seed, analysis : name the random stream, so the answer can be repeated

    Raises
    ------
    InputError
        Cells that are not counts, or fewer than one draw.
    """
    if draws < 1:
        raise InputError(f"draws is {draws}; give 1 or more")
    counts = without_empty_margins(as_counts(table))
    if min(counts.shape) < 2:
        return not_tested(NAME, "probability", Status.UNDEFINED)
    observed = log_probability(counts)
    drawn = _log_probabilities(counts, draws, stream(seed, analysis))
    p_value = (1 + int((drawn <= observed + SAME_PROBABILITY).sum())) / (1 + draws)
    return TestResult(name=NAME, statistic=float(np.exp(observed)), statistic_name="probability", p_value=p_value)


def _log_probabilities(
    counts: Counts, draws: int, random: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Log probabilities of random tables with the margins of `counts`: each cell is hypergeometric given those before."""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    left = np.repeat(rows[None, :], draws, axis=0)
    log_cells = np.zeros(draws)
    for total in columns:
        to_place = np.full(draws, total)
        for row in range(len(rows)):
            others = left[:, row + 1 :].sum(axis=1)
            cell = random.hypergeometric(left[:, row], others, to_place) if row < len(rows) - 1 else to_place
            log_cells += gammaln(cell + 1)
            left[:, row] -= cell
            to_place = to_place - cell
    margins = gammaln(rows + 1).sum() + gammaln(columns + 1).sum() - gammaln(counts.sum() + 1)
    return np.asarray(margins - log_cells)
