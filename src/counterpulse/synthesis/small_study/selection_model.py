"""Selection models: the effect, had studies been seen whatever their P value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, isfinite, nan, sqrt
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results import Estimate, Provenance, Status
from counterpulse.results.provenance import Choice
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import no_estimate, wald_estimate
from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word, choice
from counterpulse.synthesis.pooling.study_input import read_studies
from counterpulse.synthesis.small_study.box_newton import Peak, climb_in_box
from counterpulse.synthesis.small_study.reading import FEW, FEW_NOTE, FEWEST, TOO_FEW_NOTE
from counterpulse.synthesis.small_study.selection_likelihood import SelectionLikelihood, unselected_log_likelihood
from counterpulse.synthesis.small_study.selection_weights import (
    FixedWeights,
    Form,
    StepWeights,
    WeightFunction,
    weight_function,
)

Floats = NDArray[np.float64]
Alternative = Literal["greater", "less"]

STEPS = (0.025,)
"""One-sided P values at which the weight steps by default: significance at two-sided 0.05."""

SPREADS = (0.05, 1.0, 4.0)
"""Variances between studies, in typical sampling variances, that searches begin with, besides the unselected one."""

SAME_MODE = 1e-6
"""Log-likelihoods of one maximum, reached from two starts, differ by less than this."""

IN_QUESTION = 3.0
"""A maximum that is lower by less than this is told of: the data do not tell the two apart."""

CITATIONS: dict[Form, tuple[str, ...]] = {
    "step": ("vevea-hedges-1995",),
    "beta": ("citkowicz-vevea-2017",),
    "half-normal": ("preston-2004",),
    "negative-exponential": ("preston-2004",),
    "logistic": ("preston-2004",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionModel:
    """A random-effects model with a weight function of the one-sided P value, by maximum likelihood.

    Attributes
    ----------
    form : of the weight function
    alternative : direction in which studies are significant
    adjusted : the effect corrected for selection; `unadjusted` the one of the model without (maximum likelihood)
    tau2, tau2_std_error : variance between studies; the error is nan where it is estimated as zero
    weights : parameters of the weight function: the weight of an interval of P relative to the first ("step"), the
        powers of P and of 1 - P plus one ("beta"), the speed of the decline with P (the others)
    counts : studies in each interval of P ("step"), else empty
    likelihood_ratio, df, p_value : test of the weight function against equal weights, chi-squared; conservative for a
        decline, whose parameter cannot be negative
    log_likelihood : at the maximum
    modes : different maxima that the searches ended in; the highest is reported
    status : UNDEFINED with fewer than 3 studies or an interval without a study, NOT_CONVERGED
    """

    form: Form
    alternative: Alternative
    k: int
    adjusted: Estimate
    unadjusted: Estimate
    tau2: float = nan
    tau2_std_error: float = nan
    weights: tuple[Estimate, ...] = ()
    counts: tuple[int, ...] = ()
    likelihood_ratio: float = nan
    df: int = 0
    p_value: float = nan
    log_likelihood: float = nan
    modes: int = 0
    level: float
    status: Status = Status.OK
    notes: tuple[str, ...] = ()
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The adjusted effect, the parameters of the weight function, and the unadjusted effect."""
        return (self.adjusted, *self.weights, self.unadjusted)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate."""
        return tidy(self.estimates())


@dataclass(frozen=True, slots=True)
class _Unselected:
    """The maximum-likelihood random-effects model without selection."""

    mean: float
    error: float
    tau2: float
    log_likelihood: float


def selection_model(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    form: Form = "step",
    steps: Sequence[float] = STEPS,
    weights: Sequence[float] | None = None,
    alternative: Alternative | None = None,
    level: float = LEVEL,
) -> SelectionModel:
    """Estimate the mean effect, had the chance of a study to be seen not depended on its one-sided P value.

    The likelihood is climbed from several starts and the highest maximum is taken.

    Parameters
    ----------
    yi, vi : effects (ratios as logarithms) and sampling variances, shape (k,)
    form : "step": a constant weight between `steps`; "beta": ``P^(a - 1) (1 - P)^(b - 1)``, P held within 1e-5 of 0 and
        1; "half-normal" ``exp(-d P^2)``, "negative-exponential" ``exp(-d P)``, "logistic" ``2 / (1 + exp(d P))``
    steps : one-sided P values, ascending, at which the weight of "step" changes
    weights : fix the parameters instead of estimating them, as a sensitivity analysis: for "step" the weight of each
        interval after the first relative to it, for "beta" a and b, for the others d
    alternative : the direction of significance, "greater" or "less"; by default that of the unadjusted effect
    level : of the intervals

    Returns
    -------
    SelectionModel

    Raises
    ------
    InputError : unequal lengths, variances that are not positive, steps outside (0, 1) or not ascending, weights of the
        wrong number or sign, a word that is not offered

    References
    ----------
    Vevea and Hedges 1995, doi:10.1007/BF02294384; Citkowicz and Vevea 2017, doi:10.1037/met0000119; Preston, Ashby and
    Smyth 2004, doi:10.1111/j.1365-2753.2003.00457.x; fixed weights: Vevea and Woods 2005,
    doi:10.1037/1082-989X.10.4.428.
    """
    check_level(level)
    check_word(form, "form", get_args(Form))
    if alternative is not None:
        check_word(alternative, "alternative", get_args(Alternative))
    y, v = read_studies(yi, vi)
    plain = _unselected(y, v)
    direction: Alternative = alternative or ("less" if plain.mean < 0 else "greater")
    sign = 1.0 if direction == "greater" else -1.0
    function = weight_function(form, _checked_steps(steps))
    if weights is not None:
        function = FixedWeights(function, _checked_weights(weights, function))
    provenance = _provenance(form, steps, weights, alternative, direction)
    unadjusted = wald_estimate("pooled effect", plain.mean, plain.error, level, term="as given", null=0.0)
    counts = _counts(sign * y, v, function)
    refused = _refusal(len(y), counts, function)
    if refused:
        return SelectionModel(
            form=form, alternative=direction, k=len(y), unadjusted=unadjusted, counts=counts, level=level, notes=refused,
            adjusted=no_estimate("pooled effect", Status.UNDEFINED, term="adjusted for selection", notes=refused),
            status=Status.UNDEFINED, provenance=provenance,
        )  # fmt: skip
    peaks = _peaks(SelectionLikelihood(sign * y, v, function), sign * plain.mean, plain.tau2)
    return _result(form, direction, sign, function, peaks, plain, unadjusted, counts, len(y), level, provenance)


def _result(
    form: Form,
    direction: Alternative,
    sign: float,
    function: WeightFunction,
    peaks: list[Peak],
    plain: _Unselected,
    unadjusted: Estimate,
    counts: tuple[int, ...],
    k: int,
    level: float,
    provenance: Provenance,
) -> SelectionModel:
    peak = peaks[0]
    status = Status.OK if peak.converged else Status.NOT_CONVERGED
    notes = _notes(k, peaks, sign)
    if status is not Status.OK:
        return SelectionModel(
            form=form, alternative=direction, k=k, unadjusted=unadjusted, counts=counts, level=level, notes=notes,
            adjusted=no_estimate("pooled effect", status, term="adjusted for selection", notes=notes), status=status,
            provenance=provenance,
        )  # fmt: skip
    errors = _standard_errors(peak)
    df = len(function.names)
    ratio = max(0.0, 2 * (peak.curve.value - plain.log_likelihood)) if df else nan
    adjusted = wald_estimate(
        "pooled effect", sign * float(peak.at[0]), float(errors[0]), level, term="adjusted for selection", null=0.0,
        notes=notes,
    )  # fmt: skip
    weights = tuple(
        _weight(name, float(value), float(error), level)
        for name, value, error in zip(function.names, peak.at[2:], errors[2:], strict=True)
    )
    return SelectionModel(
        form=form, alternative=direction, k=k, adjusted=adjusted, unadjusted=unadjusted, tau2=float(peak.at[1]),
        tau2_std_error=float(errors[1]), weights=weights, counts=counts, likelihood_ratio=ratio, df=df,
        p_value=chi_squared_tail(ratio, df) if df else nan, log_likelihood=peak.curve.value, modes=len(peaks),
        level=level, status=status, notes=notes, provenance=provenance,
    )  # fmt: skip


def _weight(name: str, value: float, error: float, level: float) -> Estimate:
    """A parameter of the weight function; its interval ends at zero, which no parameter is below."""
    estimate = wald_estimate("selection weight", value, error, level, term=name)
    if estimate.interval is None:
        return estimate
    return replace(estimate, interval=replace(estimate.interval, low=max(0.0, estimate.interval.low)))


def _peaks(likelihood: SelectionLikelihood, mean: float, tau2: float) -> list[Peak]:
    """The different maxima reached, the highest first; the highest end of a search where none converged."""
    typical = 1 / float((1 / likelihood.v).mean())
    low = np.concatenate([[-inf, 0.0], likelihood.weights.low])
    ends = []
    for start in likelihood.weights.starts:
        for spread in (tau2, *(factor * typical for factor in SPREADS)):
            ends.append(climb_in_box(likelihood.curve, np.array([mean, spread, *start]), low))
    ends.sort(key=lambda peak: -peak.curve.value)
    best = ends[0]
    if not best.converged:
        near = [peak for peak in ends if peak.converged and peak.curve.value > best.curve.value - SAME_MODE]
        return near[:1] or [best]
    distinct: list[Peak] = []
    for peak in ends:
        if peak.converged and all(abs(peak.curve.value - other.curve.value) > SAME_MODE for other in distinct):
            distinct.append(peak)
    return distinct


def _unselected(y: Floats, v: Floats) -> _Unselected:
    tau2 = float(np.nan_to_num(between_variance(y, v, estimator="ML").tau2[0]))
    fit = weighted_fit(y, v, tau2=tau2)
    mean = float(fit.coefficients[0, 0])
    return _Unselected(mean, sqrt(float(fit.covariance[0, 0, 0])), tau2, unselected_log_likelihood(y, v, mean, tau2))


def _standard_errors(peak: Peak) -> Floats:
    """From the observed information of the parameters that are not held at a bound; nan for those that are."""
    errors = np.full(len(peak.at), nan)
    covariance = np.linalg.inv(-peak.curve.hessian[np.ix_(peak.free, peak.free)])
    errors[peak.free] = np.sqrt(np.diag(covariance))
    return errors


def _counts(y: Floats, v: Floats, function: WeightFunction) -> tuple[int, ...]:
    """Studies in each interval of P of a step function."""
    stepped = function.inner if isinstance(function, FixedWeights) else function
    if not isinstance(stepped, StepWeights):
        return ()
    return tuple(np.bincount(stepped.interval(y / np.sqrt(v)), minlength=len(stepped.steps) + 1).tolist())


def _refusal(k: int, counts: tuple[int, ...], function: WeightFunction) -> tuple[str, ...]:
    if k < FEWEST:
        return (TOO_FEW_NOTE,)
    parameters = 2 + len(function.names)
    if k <= parameters:
        return (f"{k} studies cannot tell {parameters} parameters; use fewer steps, or fixed weights",)
    if function.names and 0 in counts:
        return (
            f"no study has its P value in interval {counts.index(0) + 1} of {len(counts)}, so its weight has no estimate; "
            "use other steps, the other alternative, or fixed weights",
        )
    return ()


def _notes(k: int, peaks: list[Peak], sign: float) -> tuple[str, ...]:
    notes = [FEW_NOTE] if k < FEW else []
    if not peaks[0].free[1]:
        notes.append("the variance between studies is estimated as zero, and the standard error takes it as zero")
    fall = peaks[0].curve.value - peaks[1].curve.value if len(peaks) > 1 else inf
    if fall < IN_QUESTION:
        effect = sign * float(peaks[1].at[0])
        notes.append(
            f"the likelihood has {len(peaks)} maxima, and this is the highest; at the next, {fall:.2g} lower, the adjusted "
            f"effect is {effect:.3g}"
        )
    return tuple(notes)


def _checked_steps(steps: Sequence[float]) -> tuple[float, ...]:
    values = tuple(float(step) for step in steps)
    inside = all(0 < step < 1 for step in values)
    if not (values and inside and all(a < b for a, b in pairwise(values))):
        raise InputError("steps are not ascending P values between 0 and 1; give for example steps=(0.025, 0.5)")
    return values


def _checked_weights(weights: Sequence[float], function: WeightFunction) -> Floats:
    values = np.atleast_1d(np.asarray(weights, dtype=np.float64))
    if values.shape != function.low.shape:
        raise InputError(
            f"{values.size} weights are given; this form has {len(function.low)}: {', '.join(function.names)}"
        )
    if not all(isfinite(value) for value in values) or (values < function.low).any():
        raise InputError(
            "a weight is too small or not finite; weights of steps and powers are above 0, a decline at least 0"
        )
    return values


def _provenance(
    form: Form,
    steps: Sequence[float],
    weights: Sequence[float] | None,
    given: Alternative | None,
    direction: Alternative,
) -> Provenance:
    choices = [choice("form", form, "step"), Choice("alternative", direction, "derived" if given is None else "given")]
    if form == "step":
        choices.append(choice("steps", ", ".join(f"{s:g}" for s in steps), ", ".join(f"{s:g}" for s in STEPS)))
    if weights is not None:
        choices.append(Choice("weights", ", ".join(f"{w:g}" for w in weights), "given", "vevea-woods-2005"))
    return Provenance("selection model", tuple(choices), CITATIONS[form])
