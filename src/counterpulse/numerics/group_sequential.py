"""Group sequential tests of a normal statistic: boundaries by error spending, and what happens under a drift.

The statistic Z_k after the fraction t_k of the information has mean ``drift * sqrt(t_k)``, variance one and independent
increments of ``Z_k * sqrt(t_k)``. The density of those who go on is carried from look to look by Gauss-Legendre
quadrature (Armitage, McPherson and Rowe 1969; Jennison and Turnbull 2000, chapter 19).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, inf, isfinite, log, nan, pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from counterpulse.numerics.root import root
from counterpulse.numerics.spending_functions import ImpossibleTestError, Spending, spent

Floats = NDArray[np.float64]
Region = tuple[tuple[float, float], ...]
"""Where the test goes on at a look: disjoint intervals of Z."""

Futility = Literal["non-binding", "binding"]

FAR = 12.0
"""How far from its mean, in standard deviations, a statistic is followed."""

PANEL = 5.0
"""The widest panel of 16 points, in standard deviations of the narrowest normal density under the integral."""

FARTHEST = 45.0
"""How far from its mean a boundary is sought; a tail beyond it is below the smallest number."""

CLOSE = 1e-13
"""Width at which a root stands."""

SMALLEST = 1e-300
"""A tail below this is nothing."""

ROOT_TWO_PI = sqrt(2 * pi)


@dataclass(frozen=True, slots=True)
class _Density:
    """The part of the statistic's distribution that goes on after a look: mass at each node, and the information."""

    nodes: Floats
    mass: Floats
    information: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """Boundaries of a group sequential test.

    Attributes
    ----------
    timing : fraction of the information at each look, (K,)
    efficacy : the test rejects where Z is at or above it (two-sided: or at or below its negative); inf where nothing may
        be spent
    futility : the test stops for futility where Z is at or below it (two-sided: within plus and minus); nan where
        nothing may be spent, None without futility
    alpha_spent : cumulative one-sided type I error; of each side when two-sided
    beta_spent : cumulative type II error under `drift`, None without futility
    drift : expected Z at full information that gives the power; nan where no `beta` was asked for
    inflation : information of this test over that of a test with a single look
    """

    timing: tuple[float, ...]
    efficacy: tuple[float, ...]
    futility: tuple[float, ...] | None
    alpha_spent: tuple[float, ...]
    beta_spent: tuple[float, ...] | None
    drift: float
    inflation: float
    sides: int

    def continuation(self) -> tuple[Region, ...]:
        """Where the test goes on at each look if futility is obeyed; nowhere at the last look of a full test."""
        inner = self.futility or (nan,) * len(self.timing)
        return tuple(_going_on(c, b, self.sides) for c, b in zip(self.efficacy, inner, strict=True))


def boundaries(
    timing: Sequence[float],
    *,
    alpha: float = 0.05,
    sides: Literal[1, 2] = 2,
    spending: Spending = "obrien-fleming",
    parameter: float | None = None,
    beta: float | None = None,
    futility: Futility | None = None,
    beta_spending: Spending = "obrien-fleming",
    beta_parameter: float | None = None,
) -> Boundaries:
    """Boundaries at which the errors are spent as planned.

    Parameters
    ----------
    timing : increasing fractions of the information, above zero; from 1 on all error is spent
    alpha : type I error, of both sides together
    sides : two-sided tests are symmetric
    spending, parameter : how alpha is spent
    beta : type II error at the drift sought; needed for `futility`
    futility : None; "non-binding" (efficacy boundaries as if there were none); "binding" (they come lower)
    beta_spending, beta_parameter : how beta is spent

    Raises
    ------
    ImpossibleTestError : impossible timing or errors; futility without beta or without a look at full information

    Notes
    -----
    A two-sided test has an inner wedge: beta is spent on Z at or below the futility boundary under a drift upwards (Z
    below the lower arm of the wedge counts as missed too, so the power is never overstated). A negative futility boundary
    of a two-sided test is left out, and its beta kept for the next look.

    References
    ----------
    Jennison and Turnbull 2000, chapters 7 and 19; Lan and DeMets 1983 (doi:10.1093/biomet/70.3.659).
    """
    looks = _checked(timing, alpha, sides, beta, futility)
    side_alpha = alpha / sides
    allowed = [spent(t, side_alpha, spending=spending, parameter=parameter) for t in looks]
    if futility is None or beta is None:
        efficacy, _ = _by_look(_Plan(looks, sides, allowed), 0.0)
        drift = nan if beta is None else root(lambda x: _power(looks, efficacy, x) - (1 - beta), 0.0, 20.0, width=CLOSE)
        inner, kept = None, None
    else:
        kept = [spent(t, beta, spending=beta_spending, parameter=beta_parameter) for t in looks]
        alone = None if futility == "binding" else _by_look(_Plan(looks, sides, allowed), 0.0)[0]
        plan = _Plan(looks, sides, allowed, kept, alone)
        drift = root(lambda x: _gap(plan, x), *_bracket(side_alpha, beta, looks[-1]), width=CLOSE)
        efficacy, found = _by_look(plan, drift)
        inner = (*found[:-1], efficacy[-1])
    fixed = nan if beta is None else float(-special.ndtri(side_alpha) - special.ndtri(beta))
    return Boundaries(
        timing=tuple(looks), efficacy=tuple(efficacy), futility=inner, alpha_spent=tuple(allowed),
        beta_spent=None if kept is None else tuple(kept), drift=drift, inflation=(drift / fixed) ** 2, sides=sides,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Plan:
    """What may be spent by each look; the efficacy boundaries where they do not depend on those of futility."""

    timing: list[float]
    sides: int
    alpha: list[float]
    beta: list[float] | None = None
    efficacy: list[float] | None = None


def _bracket(alpha: float, beta: float, last: float) -> tuple[float, float]:
    """No test needs less drift than one look at the last information."""
    fixed = float(-special.ndtri(alpha) - special.ndtri(beta))
    return fixed / sqrt(last) * (1 - 1e-9), 4 * fixed + 4


def _gap(plan: _Plan, drift: float) -> float:
    """How far the last futility boundary lies above the last efficacy boundary."""
    efficacy, futility = _by_look(plan, drift)
    return min(futility[-1] - efficacy[-1], FAR)


def _by_look(plan: _Plan, drift: float) -> tuple[list[float], list[float]]:
    """Boundaries of efficacy and futility; the latter depend on the drift."""
    null: _Density | None = None
    under: _Density | None = None
    used_alpha = used_beta = 0.0
    efficacy: list[float] = []
    futility: list[float] = []
    for look, (t, following) in enumerate(zip(plan.timing, [*plan.timing[1:], inf], strict=True)):
        known = plan.efficacy
        c = _upper_quantile(null, t, plan.alpha[look] - used_alpha) if known is None else known[look]
        used_alpha = plan.alpha[look] if isfinite(c) else used_alpha
        b = nan
        if plan.beta is not None:
            b = -_upper_quantile(_mirrored(under), t, plan.beta[look] - used_beta, drift=-drift)
            b = b if following == inf else _possible(b, c, plan.sides)
            used_beta = plan.beta[look] if isfinite(b) else used_beta
            under = _carried(under, t, drift, _above(b, c), following)
        if known is None:
            null = _carried(null, t, 0.0, _going_on(c, b, plan.sides), following)
        efficacy.append(c)
        futility.append(b)
    return efficacy, futility


def _possible(b: float, c: float, sides: int) -> float:
    """The futility boundary of an interim look: none below zero when two-sided, and never above efficacy."""
    if not isfinite(b) or (sides == 2 and b <= 0):
        return nan
    return min(b, c)


def _mirrored(density: _Density | None) -> _Density | None:
    return None if density is None else _Density(-density.nodes, density.mass, density.information)


def _above(b: float, c: float) -> Region:
    return ((-inf if np.isnan(b) else b, c),)


def _going_on(c: float, b: float, sides: int) -> Region:
    if sides == 1:
        return _above(b, c)
    return ((-c, c),) if np.isnan(b) else ((-c, -b), (b, c))


def _power(timing: Sequence[float], efficacy: Sequence[float], drift: float) -> float:
    """P(the upper boundary is crossed at some look), where nothing else stops the test."""
    return float(sum(exit_probabilities(timing, [((-inf, c),) for c in efficacy], drift=drift)[1]))


def exit_probabilities(
    timing: Sequence[float], continuation: Sequence[Region], *, drift: float = 0.0
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """The probability of leaving at each look below, above and in the middle of where the test goes on.

    Parameters
    ----------
    timing : information at each look, increasing; any unit
    continuation : where the test goes on at each look, ordered disjoint intervals of Z
    drift : expected Z at information 1

    Returns
    -------
    Below all intervals, above all intervals, between two of them; each of shape (K,).
    """
    density: _Density | None = None
    below, above, between = [], [], []
    for t, region, following in zip(timing, continuation, [*timing[1:], inf], strict=True):
        below.append(_lower_tail(density, t, drift, region[0][0]))
        above.append(_upper_tail(density, t, drift, region[-1][1]))
        between.append(sum(
            _lower_tail(density, t, drift, right[0]) - _lower_tail(density, t, drift, left[1])
            for left, right in pairwise(region)
        ))  # fmt: skip
        density = _carried(density, t, drift, region, following)
    return tuple(below), tuple(above), tuple(between)


def tail_at_look(timing: Sequence[float], continuation: Sequence[Region], z: float, *, drift: float = 0.0) -> float:
    """P(leaving above at an earlier look, or Z at or above `z` at the last of these looks): the stage-wise ordering.

    Parameters
    ----------
    timing : information of the looks taken, (K,)
    continuation : where the test went on at the looks before the last, (K - 1,)
    z : the statistic at the last look

    References
    ----------
    Jennison and Turnbull 2000, section 8.4.
    """
    density: _Density | None = None
    above = 0.0
    for t, following, region in zip(timing[:-1], timing[1:], continuation, strict=True):
        above += _upper_tail(density, t, drift, region[-1][1])
        density = _carried(density, t, drift, region, following)
    return above + _upper_tail(density, timing[-1], drift, z)


def _carried(density: _Density | None, t: float, drift: float, region: Region, following: float) -> _Density:
    """The density of those who go on after the look at information `t`; `following` is the information of the next."""
    if following == inf:
        return _Density(np.zeros(0), np.zeros(0), t)
    mean = drift * sqrt(t)
    before = 0.0 if density is None else density.information
    spread = min(1.0, sqrt((t - before) / t), sqrt((following - t) / t))
    nodes, weights = _nodes(region, mean, spread)
    if density is None:
        heights = np.exp(-0.5 * (nodes - mean) ** 2) / ROOT_TWO_PI
    else:
        step = sqrt(t - before)
        apart = (nodes[:, None] * sqrt(t) - _expected(density, t, drift)) / step
        heights = np.exp(-0.5 * apart**2) @ density.mass * (sqrt(t) / (step * ROOT_TWO_PI))
    return _Density(nodes, weights * heights, t)


def _expected(density: _Density, t: float, drift: float) -> Floats:
    """The mean of ``Z * sqrt(t)`` given each node of the look before."""
    mean: Floats = density.nodes * sqrt(density.information) + drift * (t - density.information)
    return mean


def _nodes(region: Region, mean: float, spread: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre panels over the intervals as far as there is any mass."""
    points, weights = _legendre()
    nodes, masses = [np.zeros(0)], [np.zeros(0)]
    for low, high in region:
        start, end = max(low, mean - FAR), min(high, mean + FAR)
        if end > start:
            edges = np.linspace(start, end, ceil((end - start) / (PANEL * spread)) + 1)
            half = np.diff(edges)[:, None] / 2
            nodes.append((edges[:-1, None] + half + half * points).ravel())
            masses.append((half * weights).ravel())
    return np.concatenate(nodes), np.concatenate(masses)


@lru_cache(maxsize=1)
def _legendre() -> tuple[Floats, Floats]:
    points, weights = np.polynomial.legendre.leggauss(16)
    return points, weights


def _upper_tail(density: _Density | None, t: float, drift: float, z: float) -> float:
    """P(gone on so far, and Z at or above `z` at information `t`)."""
    if density is None:
        return float(special.ndtr(drift * sqrt(t) - z))
    if z == inf:
        return 0.0
    step = sqrt(t - density.information)
    return float(density.mass @ special.ndtr((_expected(density, t, drift) - z * sqrt(t)) / step))


def _lower_tail(density: _Density | None, t: float, drift: float, z: float) -> float:
    """P(gone on so far, and Z at or below `z` at information `t`)."""
    return _upper_tail(_mirrored(density), t, -drift, -z)


def _upper_quantile(density: _Density | None, t: float, tail: float, *, drift: float = 0.0) -> float:
    """Find the z above which the tail lies; inf where there is nothing to spend."""
    if tail <= SMALLEST:
        return inf
    if density is None:
        return drift * sqrt(t) - float(special.ndtri(tail))
    if float(density.mass.sum()) <= tail:
        return -inf
    mean = drift * sqrt(t)

    def excess(z: float) -> float:
        found = _upper_tail(density, t, drift, z)
        return log(found / tail) if found > 0 else -(FARTHEST**2)

    return root(excess, mean - FARTHEST, mean + FARTHEST, width=CLOSE)


def _checked(
    timing: Sequence[float], alpha: float, sides: int, beta: float | None, futility: str | None
) -> list[float]:
    looks = [float(t) for t in timing]
    if not looks or not all(isfinite(t) and t > 0 for t in looks):
        raise ImpossibleTestError("'timing' holds one or more fractions of the information, each above zero")
    if any(later <= earlier for earlier, later in pairwise(looks)):
        raise ImpossibleTestError("'timing' increases from look to look; leave out looks without new information")
    if sides not in (1, 2):
        raise ImpossibleTestError("'sides' is 1 or 2")
    if not 0 < alpha < 1 or alpha / sides >= 0.5:
        raise ImpossibleTestError("'alpha' lies between 0 and 1, and below one half on a side")
    if beta is not None and not 0 < beta < 1 - alpha / sides:
        raise ImpossibleTestError("'beta' lies between 0 and 1 less the type I error of one side")
    _check_futility(looks, beta, futility)
    return looks


def _check_futility(looks: Sequence[float], beta: float | None, futility: str | None) -> None:
    if futility not in (None, "non-binding", "binding"):
        raise ImpossibleTestError("'futility' is None, 'non-binding' or 'binding'")
    if futility is not None and beta is None:
        raise ImpossibleTestError("futility spends beta; give 'beta', the type II error")
    if futility is not None and looks[-1] < 1:
        raise ImpossibleTestError("futility needs a last look at full information; add 1 to 'timing'")
