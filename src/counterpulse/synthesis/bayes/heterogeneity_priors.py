"""Prior distributions of the standard deviation between studies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeterogeneityPrior:
    """A prior of tau, the standard deviation between studies.

    Attributes
    ----------
    name : as a reader reads it
    log_density : of positive tau, given the sampling variances (k,), which only Jeffreys' prior needs
    tail : the density falls as ``tau**-tail`` for large tau; inf where it falls faster
    upper : where the density ends
    proper : whether it integrates to one
    """

    name: str
    log_density: Callable[[Floats, Floats], Floats]
    tail: float = inf
    upper: float = inf
    proper: bool = True


def half_normal(scale: float) -> HeterogeneityPrior:
    """Half-normal: the absolute value of a normal deviate of standard deviation `scale`."""
    s = _positive(scale, "scale")
    constant = 0.5 * log(2 / pi) - log(s)
    return HeterogeneityPrior(f"half-normal({s:g})", lambda tau, _: constant - 0.5 * (tau / s) ** 2)


def half_t(scale: float, *, df: float) -> HeterogeneityPrior:
    """Half-t: the absolute value of a t deviate times `scale`."""
    return _half_t(_positive(scale, "scale"), _positive(df, "df"), f"half-t({scale:g}, {df:g} df)")


def half_cauchy(scale: float) -> HeterogeneityPrior:
    """Half-Cauchy: the half-t of one degree of freedom, of median `scale`."""
    return _half_t(_positive(scale, "scale"), 1.0, f"half-Cauchy({scale:g})")


def exponential(mean: float) -> HeterogeneityPrior:
    """Exponential of the given mean."""
    m = _positive(mean, "mean")
    return HeterogeneityPrior(f"exponential(mean {m:g})", lambda tau, _: -tau / m - log(m))


def uniform(upper: float | None = None) -> HeterogeneityPrior:
    """Uniform from zero to `upper`; without an end it is improper."""
    if upper is None:
        return HeterogeneityPrior("uniform", lambda tau, _: np.zeros_like(tau), tail=0.0, proper=False)
    end = _positive(upper, "upper")
    return HeterogeneityPrior(f"uniform(0, {end:g})", lambda tau, _: np.full_like(tau, -log(end)), upper=end)


def log_normal(mean: float, sd: float, *, of: str = "tau") -> HeterogeneityPrior:
    """Log-normal by mean and standard deviation of the logarithm of tau, or of tau squared with ``of="tau2"``.

    Empirical priors are published for tau squared (Turner et al. 2015, doi:10.1002/sim.6381).
    """
    if of not in ("tau", "tau2"):
        raise InputError("'of' of a log-normal prior is 'tau' or 'tau2'")
    if not isfinite(mean):
        raise InputError("'mean' of a log-normal prior is a finite number, on the log scale")
    by = 2.0 if of == "tau2" else 1.0
    m, s = mean / by, _positive(sd, "sd") / by
    constant = -log(s) - 0.5 * log(2 * pi)

    def density(tau: Floats, _: Floats) -> Floats:
        at = np.log(tau)
        log_density: Floats = constant - at - 0.5 * ((at - m) / s) ** 2
        return log_density

    return HeterogeneityPrior(f"log-normal({mean:g}, {sd:g}) of {of}", density)


def jeffreys() -> HeterogeneityPrior:
    """Jeffreys' prior of tau given the sampling variances; improper.

    ``sqrt(sum((tau / (v + tau^2))^2))`` (Röver 2020, doi:10.18637/jss.v093.i06).
    """

    def density(tau: Floats, v: Floats) -> Floats:
        log_density: Floats = np.log(tau) + 0.5 * np.log(((v + (tau * tau)[..., None]) ** -2).sum(axis=-1))
        return log_density

    return HeterogeneityPrior("Jeffreys", density, tail=1.0, proper=False)


def _half_t(s: float, df: float, name: str) -> HeterogeneityPrior:
    constant = log(2) + lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * log(df * pi) - log(s)
    root = s * sqrt(df)

    def density(tau: Floats, _: Floats) -> Floats:
        return constant - (df + 1) / 2 * np.log1p((tau / root) ** 2)

    return HeterogeneityPrior(name, density, tail=df + 1)


def _positive(value: float, name: str) -> float:
    if not (isfinite(value) and value > 0):
        raise InputError(f"'{name}' of a prior is a finite number above zero")
    return float(value)
