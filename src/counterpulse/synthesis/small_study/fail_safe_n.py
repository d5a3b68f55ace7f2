"""How many unseen studies without an effect would undo the result (the file drawer)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import normal_cdf, normal_quantile, normal_two_sided
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Provenance
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.pooling.asked import check_word, choice
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]
Method = Literal["rosenthal", "orwin", "rosenberg"]

ALPHA = 0.05

REFERENCE = {"rosenthal": "rosenthal-1979", "orwin": "orwin-1983", "rosenberg": "rosenberg-2005"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailSafeN:
    """A number of unseen studies.

    Attributes
    ----------
    n : studies with no effect on average that would bring the result to its target; 0 where it is there already
    method : "rosenthal", "orwin" or "rosenberg"
    p_value : of the combined test before any study is added (one-sided for Rosenthal); None for Orwin
    target : what the studies bring the result to: a P value, for Orwin an effect
    k : studies seen
    """

    n: int
    method: str
    p_value: float | None
    target: float
    k: int
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The number of studies."""
        return (Estimate(term="fail-safe N", measure="studies", value=float(self.n), p_value=self.p_value),)

    def tidy(self) -> pl.DataFrame:
        """One row: the number of studies."""
        return tidy(self.estimates())


def fail_safe_n(
    yi: ArrayLike, vi: ArrayLike, *, method: Method = "rosenthal", alpha: float = ALPHA, target: float | None = None
) -> FailSafeN:
    """Count the unseen studies without an effect that would undo the result.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    method : "rosenthal" brings the sum of z values, "rosenberg" the common-effect estimate (with added studies of mean
        weight) above `alpha`; "orwin" brings the unweighted mean effect down to `target`
    alpha : one-sided for Rosenthal, two-sided for Rosenberg
    target : of Orwin's method, half the mean effect by default

    Raises
    ------
    InputError : of effects or variances that cannot be pooled, an unknown method, or a target that does not belong

    Notes
    -----
    The number is no test of reporting bias and assumes that unseen studies have no effect on average; the Cochrane Handbook
    (chapter 13) advises against relying on it. It is here so that published numbers can be repeated.

    References
    ----------
    Rosenthal 1979, doi:10.1037/0033-2909.86.3.638; Orwin 1983, doi:10.3102/10769986008002157;
    Rosenberg 2005, doi:10.1111/j.0014-3820.2005.tb01004.x.
    """
    y, v = read_studies(yi, vi)
    check_word(method, "method", get_args(Method))
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}; it lies between 0 and 1")
    if method == "orwin":
        return _orwin(y, target)
    if target is not None:
        raise InputError("a target effect belongs to method 'orwin'; the other methods take `alpha`")
    unseen, p_value = _rosenthal(y, v, alpha) if method == "rosenthal" else _rosenberg(y, v, alpha)
    return _result(method, unseen, p_value, alpha, len(y))


def _rosenthal(y: Floats, v: Floats, alpha: float) -> tuple[float, float]:
    total = abs(float((y / np.sqrt(v)).sum()))
    return (total / normal_quantile(alpha)) ** 2 - len(y), normal_cdf(-total / sqrt(len(y)))


def _rosenberg(y: Floats, v: Floats, alpha: float) -> tuple[float, float]:
    w = 1 / v
    z = float(w @ y) / sqrt(float(w.sum()))
    return len(y) * ((z / normal_quantile(alpha / 2)) ** 2 - 1), normal_two_sided(z)


def _orwin(y: Floats, target: float | None) -> FailSafeN:
    mean = float(y.mean())
    goal = mean / 2 if target is None else target
    if goal == 0:
        raise InputError("no number of studies brings a mean effect to 0; give a target other than 0")
    return _result("orwin", len(y) * (abs(mean) / abs(goal) - 1), None, goal, len(y))


def _result(method: Method, unseen: float, p_value: float | None, target: float, k: int) -> FailSafeN:
    name = "target effect" if method == "orwin" else "alpha"
    choices = (choice("method", method, "rosenthal"), choice(name, target, ALPHA))
    return FailSafeN(
        n=max(0, ceil(unseen)), method=method, p_value=p_value, target=target, k=k,
        provenance=Provenance("fail-safe N", choices, (REFERENCE[method],)),
    )  # fmt: skip
