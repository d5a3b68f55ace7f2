"""Quantitative bias analysis: what an unmeasured confounder would do to a risk ratio."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, log, nan

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.results.estimate import Estimate, Interval
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.robustness.prior_distributions import Floats, Prior
from counterpulse.robustness.ratio_interval import (
    Bounded,
    check_above,
    check_probability,
    check_ratio,
    log_and_error,
    read_bounded,
)

MEASURE = "risk ratio"
SYSTEMATIC = "confounding alone"
TOTAL = "confounding and chance"
SMALLEST = float(np.nextafter(0.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasAnalysis:
    """An effect as it would be without an unmeasured confounder.

    Attributes
    ----------
    adjusted : estimates on the log scale, the main one last
    bias_factor : what the observed ratio is divided by (of a probabilistic analysis, the median of the draws)
    """

    adjusted: tuple[Estimate, ...]
    bias_factor: float
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The adjusted effect; of a probabilistic analysis without and with chance."""
        return self.adjusted

    def tidy(self) -> pl.DataFrame:
        """One row an adjusted effect."""
        return tidy(self.adjusted)

    def glance(self) -> pl.DataFrame:
        """One row: the bias."""
        return pl.DataFrame({"bias_factor": [self.bias_factor], "status": [self.status.code]})


def bounding_factor(
    estimate: float | Estimate,
    *,
    conf_low: float | None = None,
    conf_high: float | None = None,
    confounder_exposure: float,
    confounder_outcome: float,
    level: float = 0.95,
) -> BiasAnalysis:
    """Move a risk ratio as far toward no effect as a confounder of a given strength could.

    Parameters
    ----------
    estimate : risk ratio as a reader reads it, or an `Estimate`
    conf_low, conf_high : its confidence limits
    confounder_exposure : the largest ratio of the prevalences of a confounder's level between the arms, at least 1
    confounder_outcome : the largest risk ratio of the outcome between levels of the confounder within an arm, at least 1
    level : of the interval given; an `Estimate` brings its own

    Raises
    ------
    InputError : ratios that are not above zero, strengths below 1, limits in the wrong order

    Notes
    -----
    The bound holds for a confounder of any kind. Under it a confounder as strong as the E-value moves the estimate to 1.

    References
    ----------
    Ding and VanderWeele 2016 (doi:10.1097/EDE.0000000000000457)
    """
    check_above("confounder_exposure", confounder_exposure, 1)
    check_above("confounder_outcome", confounder_outcome, 1)
    bounded = _ratio(estimate, conf_low, conf_high)
    size = confounder_exposure * confounder_outcome / (confounder_exposure + confounder_outcome - 1)
    factor = size if bounded.value >= 1 else 1 / size
    return _divided(bounded, factor, level, "bounding factor of a confounder", "ding-vanderweele-2016", (
        Choice("confounder and exposure", confounder_exposure, "given"),
        Choice("confounder and outcome", confounder_outcome, "given"),
    ))  # fmt: skip


def binary_confounder(
    estimate: float | Estimate,
    *,
    conf_low: float | None = None,
    conf_high: float | None = None,
    prevalence_exposed: float,
    prevalence_unexposed: float,
    confounder_outcome: float,
    level: float = 0.95,
) -> BiasAnalysis:
    """Adjust a risk ratio for a binary confounder that was not measured.

    Parameters
    ----------
    estimate : risk ratio as a reader reads it, or an `Estimate`
    conf_low, conf_high : its confidence limits
    prevalence_exposed, prevalence_unexposed : of the confounder in the two arms, given the measured covariates
    confounder_outcome : risk ratio of the outcome with against without the confounder, the same in both arms
    level : of the interval given; an `Estimate` brings its own

    Raises
    ------
    InputError : ratios that are not above zero, prevalences outside 0 to 1, limits in the wrong order

    Notes
    -----
    The ratio and its limits are divided by (1 + p1 (RR - 1)) / (1 + p0 (RR - 1)). Odds and hazard ratios of rare outcomes
    may stand for risk ratios.

    References
    ----------
    Schlesselman 1978 (doi:10.1093/oxfordjournals.aje.a112581)
    """
    check_probability("prevalence_exposed", prevalence_exposed)
    check_probability("prevalence_unexposed", prevalence_unexposed)
    bounded = _ratio(estimate, conf_low, conf_high)
    check_ratio(Bounded(confounder_outcome, None, None), "confounder_outcome")
    factor = _schlesselman(prevalence_exposed, prevalence_unexposed, confounder_outcome)
    return _divided(bounded, float(factor), level, "bias analysis of a binary confounder", "schlesselman-1978", (
        Choice("prevalence in the exposed", prevalence_exposed, "given"),
        Choice("prevalence in the unexposed", prevalence_unexposed, "given"),
        Choice("confounder and outcome", confounder_outcome, "given"),
    ))  # fmt: skip


def probabilistic_confounder(
    estimate: float | Estimate,
    *,
    conf_low: float | None = None,
    conf_high: float | None = None,
    prevalence_exposed: Prior,
    prevalence_unexposed: Prior,
    confounder_outcome: Prior,
    seed: int,
    analysis: str = "probabilistic bias analysis",
    draws: int = 100_000,
    level: float = 0.95,
) -> BiasAnalysis:
    """Adjust a risk ratio for an unmeasured binary confounder of which only distributions are known.

    Parameters
    ----------
    estimate : risk ratio as a reader reads it, or an `Estimate`
    conf_low, conf_high : its confidence limits, of the same `level`; without them chance is not added. An `Estimate` brings its
        own level
    prevalence_exposed, prevalence_unexposed : distributions of the prevalence of the confounder in the two arms
    confounder_outcome : distribution of the risk ratio of the outcome with against without the confounder
    seed, analysis : name the stream of random numbers
    draws : how many
    level : of the intervals, from percentiles of the draws

    Returns
    -------
    BiasAnalysis : the median with percentiles of the bias alone, then (with limits) of bias and chance

    Raises
    ------
    InputError : as of `binary_confounder`; distributions of impossible values; fewer than 1,000 draws

    References
    ----------
    Lash, Fox and Fink 2009 (doi:10.1007/978-0-387-87959-8), chapter 8; Greenland 2005 (doi:10.1111/j.1467-985X.2004.00349.x)
    """
    if draws < 1000:
        raise InputError("draws is at least 1000, or the percentiles are noise")
    bounded = _ratio(estimate, conf_low, conf_high)
    _check_support("prevalence_exposed", prevalence_exposed, 0, 1)
    _check_support("prevalence_unexposed", prevalence_unexposed, 0, 1)
    _check_support("confounder_outcome", confounder_outcome, SMALLEST, inf)
    random = stream(seed, analysis)
    priors = (prevalence_exposed, prevalence_unexposed, confounder_outcome)
    factors = _schlesselman(*(prior.draw(random, draws) for prior in priors))
    value, error = log_and_error(bounded, bounded.level or level) if isfinite(bounded.value) else (nan, None)
    shifted = value - np.log(factors)
    rows = [_percentiles(shifted, SYSTEMATIC, level)]
    if error is not None:
        rows.append(_percentiles(shifted - error * random.standard_normal(draws), TOTAL, level))
    return BiasAnalysis(
        adjusted=tuple(rows), bias_factor=float(np.median(factors)), status=rows[-1].status,
        provenance=Provenance(
            method="probabilistic bias analysis of a binary confounder",
            choices=(
                Choice("prevalence in the exposed", str(prevalence_exposed), "given"),
                Choice("prevalence in the unexposed", str(prevalence_unexposed), "given"),
                Choice("confounder and outcome", str(confounder_outcome), "given"),
                Choice("draws", draws, "default" if draws == 100_000 else "given"), Choice("seed", seed, "given"),
            ),
            citations=("schlesselman-1978", "lash-2009"),
        ),
    )  # fmt: skip


def _ratio(estimate: float | Estimate, conf_low: float | None, conf_high: float | None) -> Bounded:
    bounded = read_bounded(estimate, conf_low, conf_high)
    check_ratio(bounded, MEASURE)
    return bounded


def _schlesselman(p1: Floats | float, p0: Floats | float, outcome: Floats | float) -> Floats:
    """How many times too large the observed risk ratio is, element by element."""
    excess = np.asarray(outcome) - 1.0
    factor: Floats = (1 + p1 * excess) / (1 + p0 * excess)
    return factor


def _check_support(name: str, prior: Prior, least: float, most: float) -> None:
    low, high = prior.support
    if low < least or high > most:
        raise InputError(
            f"{name} can be from {low:g} to {high:g}; a distribution of values from {least:g} to {most:g} is allowed"
        )


def _percentiles(shifted: Floats, term: str, level: float) -> Estimate:
    """The median of draws on the log scale, between percentiles."""
    if not np.isfinite(shifted).all():
        return Estimate(term=term, measure=MEASURE, scale="log", value=nan, status=Status.UNDEFINED)
    low, middle, high = np.quantile(shifted, [(1 - level) / 2, 0.5, (1 + level) / 2]).tolist()
    return Estimate(
        term=term, measure=MEASURE, scale="log", value=middle, interval=Interval(low, high, level, "percentile")
    )


def _divided(
    bounded: Bounded, factor: float, level: float, method: str, reference: str, choices: tuple[Choice, ...]
) -> BiasAnalysis:
    known = isfinite(bounded.value) and 0 < factor < inf
    status = Status.OK if known else Status.UNDEFINED
    adjusted = bounded.each(lambda value: log(value / factor)) if known else Bounded(nan, None, None)
    interval = None
    if adjusted.low is not None and adjusted.high is not None:
        interval = Interval(adjusted.low, adjusted.high, bounded.level or level, "wald")
    row = Estimate(term="adjusted for the confounder", measure=MEASURE, scale="log", value=adjusted.value,
                   interval=interval, status=status)  # fmt: skip
    return BiasAnalysis(
        adjusted=(row,), bias_factor=factor, status=status,
        provenance=Provenance(method=method, choices=choices, citations=(reference,)),
    )  # fmt: skip
