"""What was asked of a weighting, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from numpy.typing import ArrayLike

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.propensity.weighting import NAMES, TARGETS

Method = Literal["logistic", "entropy-balancing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightingWords:
    """What was asked for, as given to `weight`."""

    treatment: str
    covariates: tuple[Term, ...]
    score: str | ArrayLike | None = field(repr=False)
    estimand: str
    method: Method
    focal: str | None
    stabilize: bool
    trim: float | None
    trim_percentile: float | None
    truncate: float | None

    def __post_init__(self) -> None:
        if self.estimand not in TARGETS:
            raise InputError(
                f"the estimand {self.estimand!r} is not known; it is one of {', '.join((*TARGETS, *NAMES))}"
            )
        if self.method not in ("logistic", "entropy-balancing"):
            raise InputError(f"the method {self.method!r} is not known; it is 'logistic' or 'entropy-balancing'")
        trims = self.trim or self.trim_percentile or self.score is not None
        if self.method == "entropy-balancing" and (self.estimand in ("ATO", "ATM") or trims):
            raise InputError("entropy balancing has no scores: it is for ATE, ATT and ATC, without trimming")
        if self.trim is not None and not 0 <= self.trim < 0.5:
            raise InputError("trim is a probability from 0 to below 0.5; 0.1 is usual")
        if self.trim_percentile is not None and not 0 <= self.trim_percentile < 50:
            raise InputError("trim_percentile is from 0 to below 50; 5 is usual")
        if self.truncate is not None and not 50 < self.truncate <= 100:
            raise InputError("truncate is a percentile above 50, up to 100; 99 is usual")
