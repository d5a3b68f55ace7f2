"""Error spending functions: how much of an error probability may be used up by a fraction of the information."""

from __future__ import annotations

from collections.abc import Callable
from math import e, expm1, inf, log1p, sqrt
from typing import Literal

from scipy import special

Spending = Literal["obrien-fleming", "pocock", "hwang-shih-decani", "kim-demets"]

USUAL_PARAMETER = {"hwang-shih-decani": -4.0, "kim-demets": 3.0}
"""Gamma and rho where none is given: both resemble the O'Brien-Fleming type."""


class ImpossibleTestError(ValueError):
    """A group sequential test that cannot be: what was asked for, and what there is."""


def spent(
    fraction: float, error: float, *, spending: Spending = "obrien-fleming", parameter: float | None = None
) -> float:
    """The part of a one-sided error probability that may be spent by a fraction of the information.

    Parameters
    ----------
    fraction : of the required information; at 1 and above everything may be spent
    error : one-sided error probability (half of a two-sided alpha)
    spending : the family
    parameter : gamma of Hwang, Shih and DeCani, or rho of Kim and DeMets

    Raises
    ------
    ImpossibleTestError : an unknown family, a parameter that it does not have or that is impossible

    References
    ----------
    Lan and DeMets 1983 (doi:10.1093/biomet/70.3.659); Hwang, Shih and DeCani 1990 (doi:10.1002/sim.4780091207);
    Kim and DeMets 1987 (doi:10.1093/biomet/74.1.149).
    """
    function = _function(spending, parameter)
    if fraction >= 1:
        return error
    return 0.0 if fraction <= 0 else function(fraction, error)


def _function(spending: str, parameter: float | None) -> Callable[[float, float], float]:
    if spending in USUAL_PARAMETER:
        given = USUAL_PARAMETER[spending] if parameter is None else float(parameter)
        return _hwang_shih_decani(given) if spending == "hwang-shih-decani" else _kim_demets(given)
    if spending not in ("obrien-fleming", "pocock"):
        raise ImpossibleTestError(
            f"{spending!r} is no spending function; use obrien-fleming, pocock, hwang-shih-decani or kim-demets"
        )
    if parameter is not None:
        raise ImpossibleTestError(f"the spending function {spending} has no parameter; leave it out")
    return _obrien_fleming if spending == "obrien-fleming" else _pocock


def _obrien_fleming(fraction: float, error: float) -> float:
    return 2 * float(special.ndtr(special.ndtri(error / 2) / sqrt(fraction)))


def _pocock(fraction: float, error: float) -> float:
    return error * log1p((e - 1) * fraction)


def _hwang_shih_decani(gamma: float) -> Callable[[float, float], float]:
    if not -inf < gamma < inf:
        raise ImpossibleTestError("gamma of Hwang, Shih and DeCani is a finite number")
    if gamma == 0:
        return lambda fraction, error: error * fraction
    return lambda fraction, error: error * expm1(-gamma * fraction) / expm1(-gamma)


def _kim_demets(rho: float) -> Callable[[float, float], float]:
    if not 0 < rho < inf:
        raise ImpossibleTestError("rho of Kim and DeMets is a number above zero")
    return lambda fraction, error: error * fraction**rho
