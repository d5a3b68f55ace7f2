"""Maximum and restricted maximum likelihood of the variance between studies, at the global mode of the profile.

The derivative of the profile log-likelihood is ``(y'PPy - tr P) / 2`` (restricted) or ``(y'PPy - tr W) / 2``. With
``r`` the least-squares residuals, ``Py = Pr``, so ``y'PPy <= r'r / (t + v_min)^2`` while the trace is at least
``(k - p) / (t + v_max)``: beyond a bound that is known in advance the derivative is negative. Every change of its sign
from + to - on a logarithmic grid from 0 to that bound brackets a mode; a Newton step that leaves its bracket is
replaced by halving it, so the search cannot fail. Where there is more than one mode the highest is taken and the
number is reported. (Derivatives: Harville 1977, doi:10.1080/01621459.1977.10480998.)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log, pi

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.engine.bracketed import root_in_bracket
from counterpulse.synthesis.engine.projection import Projection, project
from counterpulse.synthesis.engine.studies import Studies

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

SPACING = 0.35
"""Ratio of neighboring points of the grid, as a logarithm; a single study's part of the derivative changes over about 4."""

NEAR_ZERO = 0.1
"""The first point above 0, in units of the smallest sampling variance; below it all weights are nearly constant."""

FINEST = 400
"""The most points of a grid."""

CHUNK = 60_000
"""Studies times points of the grid evaluated at a time, so that they stay in the processor's cache."""

TOLERANCE = 1e-13
"""Relative change of the variance plus the smallest sampling variance at which a mode stands."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A local maximum of the profile (restricted) log-likelihood."""

    tau2: float
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class _Modes:
    """All local maxima of all sets: which set, where, shape (M,)."""

    sets: Indices
    tau2: Floats


def likelihood_variance(studies: Studies, *, restricted: bool) -> tuple[Floats, NDArray[np.int64]]:
    """Find the variance at the global mode, shape (B,), and the number of local modes, shape (B,); nan and 0 without df."""
    size = len(studies.k)
    found = _all_modes(studies, restricted)
    count = np.bincount(found.sets, minlength=size)
    tau2 = np.full(size, np.nan)
    tau2[found.sets] = found.tau2
    several = np.flatnonzero(count[found.sets] > 1)
    if len(several):
        which, where = found.sets[several], found.tau2[several]
        height = log_likelihood(studies.take(which), where, restricted=restricted)
        order = np.lexsort((where, height))
        tau2[which[order]] = where[order]
    return tau2, count


def modes_of(studies: Studies, *, restricted: bool) -> tuple[Mode, ...]:
    """Every local mode of the first set, the highest first."""
    one = studies.take(slice(0, 1))
    found = _all_modes(one, restricted)
    heights = log_likelihood(one.take(found.sets), found.tau2, restricted=restricted)
    modes = (Mode(float(where), float(height)) for where, height in zip(found.tau2, heights, strict=True))
    return tuple(sorted(modes, key=lambda mode: -mode.log_likelihood))


def log_likelihood(studies: Studies, tau2: Floats, *, restricted: bool) -> Floats:
    """Profile log-likelihood at `tau2` (B,), with all its constants; the restricted one is that of Harville."""
    total = studies.finite_v + tau2
    fit = project(studies, 1 / (studies.v + tau2))
    logs = np.log(total, out=np.zeros_like(total), where=np.isfinite(studies.v)).sum(axis=0)
    if restricted:
        logs = logs + fit.log_determinant()
    value: Floats = -0.5 * ((studies.df if restricted else studies.k) * log(2 * pi) + logs + fit.quadratic())
    return value


def _all_modes(studies: Studies, restricted: bool) -> _Modes:
    bound = _beyond(studies, restricted)
    usable = np.flatnonzero(studies.df > 0)
    zero_only, open_ = usable[bound[usable] <= 0], usable[bound[usable] > 0]
    sets, tau2 = [zero_only], [np.zeros(len(zero_only))]
    if len(open_):
        points = _points_needed(studies, bound, open_)
        step = max(1, CHUNK // (len(studies.y) * points))
        for start in range(0, len(open_), step):
            some = open_[start : start + step]
            at_zero, brackets, low, high = _brackets(studies.take(some), bound[some], points, restricted)
            inside = _newton(studies.take(some[brackets]), low, high, restricted)
            sets += [some[at_zero], some[brackets]]
            tau2 += [np.zeros(len(at_zero)), inside]
    return _Modes(np.concatenate(sets), np.concatenate(tau2))


def _beyond(studies: Studies, restricted: bool) -> Floats:
    """The variance beyond which the derivative is negative; not positive where it is so from 0 on."""
    least, most = studies.v.min(axis=0), studies.finite_v.max(axis=0)
    squares = (studies.y**2).sum(axis=0)
    share = squares / (2 * np.where(studies.df > 0, studies.df if restricted else studies.k, np.nan))
    bound: Floats = share + np.sqrt(share**2 + 2 * share * (most - least)) - least
    return bound


def _points_needed(studies: Studies, bound: Floats, sets: Indices) -> int:
    first = _first_point(studies.v.min(axis=0)[sets], bound[sets])
    return min(FINEST, 2 + ceil(float(np.log(bound[sets] / first).max()) / SPACING))


def _first_point(least: Floats, bound: Floats) -> Floats:
    return np.minimum(NEAR_ZERO * least, bound / 2)


def _brackets(
    studies: Studies, bound: Floats, points: int, restricted: bool
) -> tuple[Indices, Indices, Floats, Floats]:
    """Sets with a mode at 0, and the set and the ends of every bracket."""
    first = _first_point(studies.v.min(axis=0), bound)
    part = np.linspace(0.0, 1.0, points)[:, None]
    grid = np.concatenate((np.zeros((1, len(bound))), first * (bound / first) ** part))
    lifted = studies.on_grid()
    rising = _derivative(project(lifted, 1 / (lifted.v + grid)), restricted) > 0
    rising[-1] = False
    cell, sets = np.nonzero(rising[:-1] & ~rising[1:])
    return np.flatnonzero(~rising[0]), sets, grid[cell, sets], grid[cell + 1, sets]


def _derivative(fit: Projection, restricted: bool) -> Floats:
    """Twice the derivative of the profile log-likelihood."""
    return fit.square() - (fit.trace() if restricted else fit.weight_sum())


def _slope(fit: Projection, restricted: bool) -> Floats:
    """Twice its second derivative."""
    return (fit.trace_of_square() if restricted else fit.weight_square_sum()) - 2 * fit.cube()


def _newton(studies: Studies, low: Floats, high: Floats, restricted: bool) -> Floats:
    """The mode within every bracket; shape (M,)."""

    def step(fit: Projection, t: Floats, _: Indices) -> tuple[Flags, Floats]:
        value, slope = _derivative(fit, restricted), _slope(fit, restricted)
        return value > 0, t - value / np.where(slope < 0, slope, np.nan)

    start = np.where(low > 0, np.sqrt(low * high), high / 2)
    return root_in_bracket(studies, step, start=start, low=low, high=high, tolerance=TOLERANCE)
