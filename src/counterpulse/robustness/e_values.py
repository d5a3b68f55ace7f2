"""The E-value: how strong an unmeasured confounder would have to be to explain an effect away."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite, nan, sqrt

import polars as pl

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate, finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.robustness.ratio_interval import Bounded, check_probability, check_ratio, read_bounded

COMMON = 0.15
"""From this risk on an outcome is common, and an odds or hazard ratio is no approximation of a risk ratio."""

MEASURES = ("risk ratio", "rate ratio", "odds ratio", "hazard ratio", "risk difference", "standardized mean difference")
SHORT = {"RR": "risk ratio", "OR": "odds ratio", "HR": "hazard ratio", "RD": "risk difference",
         "SMD": "standardized mean difference"}  # fmt: skip
WITH_RISK = {
    "odds ratio": "the risk of the outcome in the patients studied",
    "hazard ratio": "the risk of the outcome by the end of follow-up",
    "risk difference": "the risk in the reference group",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EValue:
    """An E-value with that of the confidence limit nearer to no effect.

    Attributes
    ----------
    value : least risk ratio with which a confounder must go with both treatment and outcome, beyond the measured
        covariates, to explain the estimate away
    limit : the same for the confidence limit; 1 where the interval holds no effect, None where there is none
    risk_ratio, conf_low, conf_high : the (approximate) risk ratio that the E-value is of
    measure : of the estimate given
    conversion : how it became a risk ratio: "none", "rare", "common", "risk in the reference group", "0.91 d"
    """

    value: float
    limit: float | None
    risk_ratio: float
    conf_low: float | None
    conf_high: float | None
    measure: str
    conversion: str
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The E-value of the estimate, and that of its confidence limit."""
        point = Estimate(term="estimate", measure="E-value", value=self.value, status=self.status)
        if self.limit is None:
            return (point,)
        return (point, Estimate(term="confidence limit", measure="E-value", value=self.limit, status=self.status))

    def tidy(self) -> pl.DataFrame:
        """One row an E-value."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row: the risk ratio and how it was found."""
        return pl.DataFrame(
            {
                "measure": [self.measure], "conversion": [self.conversion], "risk_ratio": [finite_or_none(self.risk_ratio)],
                "conf_low": [finite_or_none(self.conf_low)], "conf_high": [finite_or_none(self.conf_high)], "status": [self.status.code],
            }
        )  # fmt: skip


def e_value(
    estimate: float | Estimate,
    *,
    conf_low: float | None = None,
    conf_high: float | None = None,
    measure: str,
    risk: float | None = None,
) -> EValue:
    """Find the strength of confounding that would explain an effect away.

    Parameters
    ----------
    estimate : the effect on the scale a reader reads, or an `Estimate`, which brings its interval
    conf_low, conf_high : its confidence limits
    measure : "risk ratio", "rate ratio", "odds ratio", "hazard ratio", "risk difference" or "standardized mean difference"
        (RR, OR, HR, RD, SMD for short)
    risk : of an odds or hazard ratio, the observed risk of the outcome (at the end of follow-up): below 0.15 the ratio stands
        for the risk ratio, from there on it is converted. Of a risk difference, the observed risk in the reference group

    Returns
    -------
    EValue : with a status where the estimate is undefined

    Raises
    ------
    InputError : an unknown measure, a ratio that is not above zero, limits in the wrong order, no `risk` where it is needed

    Notes
    -----
    RR + sqrt(RR (RR - 1)) for a risk ratio above 1, and of 1/RR below. Common outcomes: sqrt(OR), and
    (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1/HR)). A standardized mean difference d: exp(0.91 d). A risk difference becomes
    (risk + difference) / risk with that risk taken as known, so its limits are approximate.

    References
    ----------
    VanderWeele and Ding 2017 (doi:10.7326/M16-2607)
    """
    name = SHORT.get(measure, measure)
    if name not in MEASURES:
        raise InputError(f"measure={measure!r} is not known; use {', '.join(MEASURES)}")
    given = read_bounded(estimate, conf_low, conf_high)
    if name.endswith("ratio"):
        check_ratio(given, name)
    conversion = _conversion(name, risk)
    ratio = given.each(lambda value: _risk_ratio(value, name, conversion, risk))
    known = isfinite(ratio.value) and ratio.value > 0
    return EValue(
        value=_strength(ratio.value) if known else nan, limit=_limit(ratio) if known else None, risk_ratio=ratio.value,
        conf_low=ratio.low, conf_high=ratio.high, measure=name, conversion=conversion,
        status=Status.OK if known else Status.UNDEFINED,
        provenance=Provenance(
            method="E-value",
            choices=(
                Choice("conversion to a risk ratio", conversion, "derived", "vanderweele-ding-2017"),
                *((Choice("observed risk", risk, "given"),) if risk is not None else ()),
            ),
            citations=("vanderweele-ding-2017",),
        ),
    )  # fmt: skip


def _conversion(measure: str, risk: float | None) -> str:
    if measure not in WITH_RISK:
        return "0.91 d" if measure == "standardized mean difference" else "none"
    if risk is None:
        raise InputError(
            f"the E-value of a {measure} needs risk=, {WITH_RISK[measure]}: whether the outcome is common is never assumed"
        )
    check_probability("risk", risk)
    if measure != "risk difference":
        return "rare" if risk < COMMON else "common"
    if risk == 0:
        raise InputError("nobody in the reference group has the outcome (risk=0), so there is no risk ratio")
    return "risk in the reference group"


def _risk_ratio(value: float, measure: str, conversion: str, risk: float | None) -> float:
    if conversion == "0.91 d":
        return exp(min(0.91 * value, 700.0))
    if measure == "risk difference" and risk is not None:
        return min(max(risk + value, 0.0), 1.0) / risk
    if conversion != "common":
        return value
    root = sqrt(value)
    return root if measure == "odds ratio" else (1 - 0.5**root) / (1 - 0.5 ** (1 / root))


def _strength(ratio: float) -> float:
    """The E-value of a risk ratio."""
    ratio = max(ratio, 1 / ratio)
    return ratio + sqrt(ratio * (ratio - 1))


def _limit(ratio: Bounded) -> float | None:
    """The E-value of the limit nearer to 1; 1 where the interval reaches it."""
    end = ratio.low if ratio.value >= 1 else ratio.high
    if end is None:
        return None
    return 1.0 if (end - 1) * (1 if ratio.value >= 1 else -1) <= 0 else _strength(end)
