"""Three-level model: effects within studies, studies within the review, by restricted maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_quantile, chi_squared_tail
from counterpulse.results.estimate import Interval
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word, choice
from counterpulse.synthesis.pooling.given_numbers import rows
from counterpulse.synthesis.pooling.homogeneity import NOT_TESTED, ChiSquared, PooledOnce
from counterpulse.synthesis.pooling.location import pooled_estimate, predicted
from counterpulse.synthesis.pooling.nested_likelihood import NestedLikelihood
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]
NestedInterval = Literal["t", "t-residual", "wald"]

BETWEEN, WITHIN = 0, 1
ROOT = 1e-10
"""Of a variance, relative: where an end of its profile interval is found."""

FARTHEST = 1e12
"""Times the variance of the effects: an interval that reaches beyond has no upper end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeLevel(PooledOnce):
    """A mean effect with variances between studies and between the effects of one study.

    Attributes
    ----------
    pooled : the mean effect
    tau2_between, tau2_within : variance between studies and between effects of a study; nan where it has no meaning
    tau2_between_interval, tau2_within_interval : profile-likelihood intervals; None where the variance is nan
    i2_between, i2_within : parts of the variance of a typical effect that are between and within studies, fractions
    typical_variance : Higgins and Thompson's typical sampling variance
    weights : of the effects in the order given, shape (k,), of sum 1
    heterogeneity : Q with the sampling covariance alone
    between_test, within_test : likelihood-ratio tests that a variance is zero (the two-level models), half a chi-squared
    log_likelihood : restricted, at the maximum
    prediction_interval : of a new effect in a new study
    k : effects
    studies : studies
    level : of the intervals
    status : OK, ONE_STUDY, or ONE_EFFECT_A_STUDY where the model is the two-level one
    """

    tau2_between: float
    tau2_within: float
    tau2_between_interval: Interval | None
    tau2_within_interval: Interval | None
    i2_between: float
    i2_within: float
    typical_variance: float
    weights: Floats
    between_test: ChiSquared
    within_test: ChiSquared
    log_likelihood: float
    prediction_interval: Interval | None
    k: int
    studies: int
    level: float
    status: Status
    provenance: Provenance

    @property
    def tau2(self) -> float:
        """Variance of an effect of a study drawn anew: the two together."""
        return float(np.nansum([self.tau2_between, self.tau2_within]))

    @property
    def i2(self) -> float:
        """I2 of both levels, a fraction."""
        return float(np.nansum([self.i2_between, self.i2_within]))


def three_level(
    yi: ArrayLike,
    vi: ArrayLike,
    study: ArrayLike,
    effect: ArrayLike | None = None,
    *,
    correlation: float = 0.0,
    interval: NestedInterval = "t",
    level: float = LEVEL,
) -> ThreeLevel:
    """Mean of effects of which several come from one study.

    Parameters
    ----------
    yi, vi : effects (ratios: logarithms) and sampling variances, shape (k,)
    study : label of the study of each effect, shape (k,)
    effect : label of the effect within its study, checked to be there once; none are needed
    correlation : of the sampling errors of two effects of one study, known
    interval : "t" on studies - 1 degrees of freedom, "t-residual" on effects - 1, or "wald"
    level : of the intervals

    Returns
    -------
    The fit. Variances between and within studies cannot be told apart where every study has one effect, or where there
    is one study: the one without meaning is nan, its part is in the other, and the estimate has a note.

    Raises
    ------
    InputError : unequal lengths, a variance that is not positive, the same effect twice, or a correlation that no
        covariance matrix has

    Notes
    -----
    ``y_ij = mu + u_i + w_ij + e_ij`` with normal, independent u and w. The restricted likelihood is looked at on a grid of
    both variances and climbed by Newton's method from the best place, so there is always a maximum.

    References
    ----------
    Konstantopoulos 2011, doi:10.1002/jrsm.35; Cheung 2014, doi:10.1037/a0032968.
    """
    y, v = read_studies(yi, vi)
    check_word(interval, "interval", get_args(NestedInterval))
    check_level(level)
    codes = _codes(study, len(y), "study")
    _check_once(codes, effect)
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    _check_correlation(correlation, int(np.bincount(codes).max()))
    likelihood = NestedLikelihood.of(y[order], v[order], starts, correlation)
    m, several = len(starts), len(starts) < len(y)
    held = (None if m > 1 else 0.0, None if several and len(y) > 1 else 0.0)
    at = likelihood.top(held)
    profile = _Profile(likelihood, at, held, level)
    value, precision = likelihood.mean(at)
    known = [nan if held[axis] is not None else float(at[axis]) for axis in (BETWEEN, WITHIN)]
    df = inf if len(y) == 1 else {"t": m - 1, "t-residual": len(y) - 1, "wald": inf}[interval]
    typical = _typical_variance(likelihood)
    whole = float(at.sum()) + typical
    return ThreeLevel(
        pooled=pooled_estimate("effect", value, precision**-0.5, level, df=df, scale="identity", notes=_notes(m, several)),
        tau2_between=known[BETWEEN], tau2_within=known[WITHIN], tau2_between_interval=profile.interval(BETWEEN),
        tau2_within_interval=profile.interval(WITHIN), i2_between=known[BETWEEN] / whole, i2_within=known[WITHIN] / whole,
        typical_variance=typical, weights=_weights(v, codes, at, correlation),
        heterogeneity=_heterogeneity(likelihood), between_test=profile.test(BETWEEN), within_test=profile.test(WITHIN),
        log_likelihood=profile.best if len(y) > 1 else nan,
        prediction_interval=predicted(
            value, precision**-0.5, float(at.sum()) if len(y) > 1 else nan, df, level, "normal" if df == inf else "k-1"
        ),
        k=len(y), studies=m, level=level, status=_status(m, several),
        provenance=Provenance(
            "three-level",
            (Choice("tau2", "REML", "default"), choice("correlation", correlation, 0.0), choice("interval", interval, "t"),
             choice("level", level, LEVEL)),
            ("konstantopoulos-2011", "cheung-2014"),
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Profile:
    """The likelihood of one variance, maximized over the other; `held` are variances without meaning, at zero."""

    likelihood: NestedLikelihood
    at: Floats
    held: tuple[float | None, float | None]
    level: float

    @property
    def best(self) -> float:
        """The log-likelihood at the maximum."""
        return self.likelihood.value(self.at)

    def fallen(self, axis: int) -> Callable[[float], float]:
        """Twice the fall from the maximum where a variance has a value."""
        best = self.best

        def fall(value: float) -> float:
            fixed = (value, self.held[WITHIN]) if axis == BETWEEN else (self.held[BETWEEN], value)
            return 2 * (best - self.likelihood.value(self.likelihood.top(fixed)))

        return fall

    def test(self, axis: int) -> ChiSquared:
        """The likelihood-ratio test that a variance is zero."""
        if self.held[axis] is not None:
            return NOT_TESTED
        statistic = max(0.0, self.fallen(axis)(0.0))
        return ChiSquared(statistic, 1, chi_squared_tail(statistic, 1) / 2 if statistic > 0 else 1.0)

    def interval(self, axis: int) -> Interval | None:
        """Where the profile has not fallen by more than the quantile of a chi-squared."""
        if self.held[axis] is not None:
            return None
        fall, allowed = self.fallen(axis), chi_squared_quantile(self.level, 1)

        def beyond(value: float) -> float:
            return fall(value) - allowed

        top, unit = float(self.at[axis]), self.likelihood.unit
        low = brentq(beyond, 0.0, top, xtol=ROOT * top, rtol=ROOT) if top > 0 and beyond(0.0) > 0 else 0.0
        inside, outside = top, max(2 * top, unit)
        while beyond(outside) <= 0:
            inside, outside = outside, 2 * outside
            if outside > FARTHEST * unit:
                return Interval(low, inf, self.level, "profile")
        return Interval(low, float(brentq(beyond, inside, outside, xtol=ROOT * outside)), self.level, "profile")


def _codes(labels: ArrayLike, k: int, name: str) -> NDArray[np.intp]:
    values = np.asarray(labels)
    if values.shape != (k,):
        raise InputError(f"{name} has the shape {values.shape} and there are {k} effects; give one label an effect")
    return np.unique(values.astype(str), return_inverse=True)[1].astype(np.intp)


def _check_once(codes: NDArray[np.intp], effect: ArrayLike | None) -> None:
    if effect is None:
        return
    pairs = codes * len(codes) + _codes(effect, len(codes), "effect")
    _, first, counts = np.unique(pairs, return_index=True, return_counts=True)
    if (counts > 1).any():
        again = np.isin(pairs, pairs[first[counts > 1]])
        raise InputError(f"the same effect of a study is in {rows(again)}; keep one of them, or label them apart")


def _check_correlation(correlation: float, largest: int) -> None:
    least = -1 / (largest - 1) if largest > 1 else -1.0
    if not least < correlation < 1:
        raise InputError(
            f"the correlation {correlation} is impossible with {largest} effects in a study; it lies between {least:.3g} and 1"
        )


def _status(m: int, several: bool) -> Status:
    if m == 1:
        return Status.ONE_STUDY
    return Status.OK if several else Status.ONE_EFFECT_A_STUDY


def _notes(m: int, several: bool) -> tuple[str, ...]:
    if m == 1:
        return ("One study says nothing of the variance between studies.",)
    if not several:
        return ("Every study has one effect, so there is no variance within studies: this is the two-level model.",)
    return ()


def _weights(v: Floats, codes: NDArray[np.intp], at: Floats, correlation: float) -> Floats:
    """What each effect counts for: row sums of the inverse covariance matrix, of sum 1."""
    weights = np.empty(len(v))
    for code in range(int(codes.max()) + 1):
        mine = np.flatnonzero(codes == code)
        size = np.sqrt(v[mine])
        covariance = np.outer(size, size) * correlation + at[BETWEEN]
        covariance += np.diag(v[mine] * (1 - correlation) + at[WITHIN])
        weights[mine] = np.linalg.solve(covariance, np.ones(len(mine)))
    shares: Floats = weights / weights.sum()
    return shares


def _typical_variance(likelihood: NestedLikelihood) -> float:
    """``(k - 1) / trace(P)`` with the sampling covariance alone; nan with one effect."""
    if likelihood.n == 1:
        return nan
    zero = np.zeros(())
    one, two = float(likelihood.sums(zero).one.sum()), float(likelihood.sums(zero, 2).one.sum())
    return (likelihood.n - 1) / (float((1 / likelihood.lengths).sum()) - two / one)


def _heterogeneity(likelihood: NestedLikelihood) -> ChiSquared:
    mean, _ = likelihood.mean(np.zeros(2))
    square = float(likelihood.sums(np.zeros(()), 1, mean).square.sum())
    return ChiSquared.of(square, likelihood.n - 1)
