"""How many participants a meta-analysis needs for a conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf, isfinite
from typing import Literal

from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import normal_quantile
from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.study_input import read_studies

Sides = Literal[1, 2]

WHOLE = 1e-9
"""A number of participants this little above a whole one is that whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredInformation:
    """The required information size, in participants of both arms together.

    Attributes
    ----------
    participants : required, with heterogeneity
    without_heterogeneity : as one trial of this power would need
    diversity : share of the variance of the random effects estimate that heterogeneity brings, a fraction
    difference, variance : sought, and of one participant's outcome
    """

    participants: int
    without_heterogeneity: int
    diversity: float
    difference: float
    variance: float
    alpha: float
    power: float
    sides: Sides


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredTrials:
    """The trials still needed when the variance between them is taken as known.

    Attributes
    ----------
    trials : the fewest that can be enough, however large; 0 where enough is known
    participants_each, participants : of each such trial, and of all
    """

    trials: int
    participants_each: int
    participants: int


def diversity(yi: ArrayLike, vi: ArrayLike, *, tau2: str = "DL") -> float:
    """D2: how much of the variance of the random effects estimate heterogeneity brings, a fraction.

    Parameters
    ----------
    yi, vi : effects and sampling variances, shape (k,)
    tau2 : estimator of the variance between studies, as in `pool`

    Notes
    -----
    ``1 - Var(common effect) / Var(random effects)``; 0 for one study.

    References
    ----------
    Wetterslev et al. 2009, doi:10.1186/1471-2288-9-86.
    """
    y, v = read_studies(yi, vi)
    if len(y) == 1:
        return 0.0
    between = between_variance(y, v, estimator=tau2).tau2
    common = weighted_fit(y, v).covariance[0, 0, 0]
    return float(1 - common / weighted_fit(y, v, tau2=between).covariance[0, 0, 0])


def required_for_risks(
    *,
    control_risk: float,
    treated_risk: float | None = None,
    relative_risk_reduction: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Sides = 2,
    diversity: float = 0.0,
) -> RequiredInformation:
    """Required information size for two risks, with arms of equal size.

    Parameters
    ----------
    control_risk : in (0, 1)
    treated_risk, relative_risk_reduction : one of them; the reduction is a fraction, negative for harm
    alpha, power, sides : type I error of all sides together, and the power sought
    diversity : D2 expected, in [0, 1)

    Raises
    ------
    InputError : numbers outside their range, both or neither of the two, equal risks

    Notes
    -----
    ``4 (z_alpha + z_beta)^2 p (1 - p) / (p_1 - p_2)^2`` with p the mean risk, divided by ``1 - D2``.

    References
    ----------
    Wetterslev et al. 2009, doi:10.1186/1471-2288-9-86.
    """
    if (treated_risk is None) == (relative_risk_reduction is None):
        raise InputError("give one of 'treated_risk' and 'relative_risk_reduction'")
    treated = treated_risk if treated_risk is not None else control_risk * (1 - (relative_risk_reduction or 0.0))
    if not (0 < control_risk < 1 and 0 < treated < 1):
        raise InputError("the risks of both arms lie between 0 and 1; check the control risk and the reduction")
    mean = (control_risk + treated) / 2
    return _required(treated - control_risk, mean * (1 - mean), alpha, power, sides, diversity)


def required_for_means(
    *, difference: float, sd: float, alpha: float = 0.05, power: float = 0.8, sides: Sides = 2, diversity: float = 0.0
) -> RequiredInformation:
    """Required information size for two means, with arms of equal size.

    Parameters
    ----------
    difference, sd : sought, and the standard deviation of the outcome, in the same unit
    alpha, power, sides, diversity : as for `required_for_risks`

    Raises
    ------
    InputError : numbers outside their range
    """
    if not (isfinite(sd) and sd > 0):
        raise InputError("'sd' is a finite number above zero")
    return _required(difference, sd**2, alpha, power, sides, diversity)


def required_trials(
    *,
    effect: float,
    tau2: float,
    unit_variance: float,
    gathered_variance: float = inf,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Sides = 2,
) -> RequiredTrials:
    """How many more trials the random effects model needs, and how large, given the variance between them.

    Parameters
    ----------
    effect : sought, on the scale of estimation (a ratio's logarithm)
    tau2 : variance between studies
    unit_variance : variance of the effect times the participants of a trial: for a log risk ratio of equal arms
        ``2 ((1 - p_1) / p_1 + (1 - p_2) / p_2)``, for a mean difference ``4 sd^2``
    gathered_variance : of the pooled effect so far; infinite where there is none

    Raises
    ------
    InputError : numbers outside their range

    Notes
    -----
    K trials of M participants bring the information ``K / (tau2 + unit_variance / M)``. The fewest trials with
    ``K > tau2 * information`` are taken.

    References
    ----------
    Kulinskaya and Wood 2014, doi:10.1002/jrsm.1104.
    """
    _check_errors(effect, alpha, power, sides)
    if not (tau2 >= 0 and isfinite(tau2) and unit_variance > 0 and isfinite(unit_variance) and gathered_variance > 0):
        raise InputError("'tau2' is not negative, and 'unit_variance' and 'gathered_variance' are above zero")
    missing = (_quantiles(alpha, power, sides) / effect) ** 2 - 1 / gathered_variance
    if missing <= 0:
        return RequiredTrials(trials=0, participants_each=0, participants=0)
    trials = floor(missing * tau2) + 1
    each = ceil(unit_variance / (trials / missing - tau2) - WHOLE)
    return RequiredTrials(trials=trials, participants_each=each, participants=trials * each)


def _required(
    difference: float, variance: float, alpha: float, power: float, sides: Sides, diversity: float
) -> RequiredInformation:
    _check_errors(difference, alpha, power, sides)
    if not 0 <= diversity < 1:
        raise InputError("'diversity' is a fraction from 0 to below 1")
    single = ceil(4 * (_quantiles(alpha, power, sides) / difference) ** 2 * variance - WHOLE)
    return RequiredInformation(
        participants=ceil(single / (1 - diversity) - WHOLE), without_heterogeneity=single, diversity=diversity,
        difference=float(difference), variance=float(variance), alpha=alpha, power=power, sides=sides,
    )  # fmt: skip


def _quantiles(alpha: float, power: float, sides: int) -> float:
    return -normal_quantile(alpha / sides) + normal_quantile(power)


def _check_errors(effect: float, alpha: float, power: float, sides: int) -> None:
    if not (isfinite(effect) and effect != 0):
        raise InputError("the effect sought is a finite number other than zero")
    if sides not in (1, 2) or not 0 < alpha / sides < 0.5:
        raise InputError("'sides' is 1 or 2, and 'alpha' lies between 0 and 1, and below one half on a side")
    if not alpha / sides < power < 1:
        raise InputError("'power' lies between alpha and 1, for example 0.8")
