"""A measure taken for another, as the protocol says, with what that assumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from counterpulse.protocol.nodes import Conversion
from counterpulse.study.reviewing.measures import one
from counterpulse.synthesis.effects import conversions
from counterpulse.synthesis.effects.conversions import Converted
from counterpulse.synthesis.effects.problem import Problem

Floats = NDArray[np.float64]
Step = Callable[..., Converted]

WITH_RISK: Mapping[tuple[str, str], Step] = {
    ("odds ratio", "risk ratio"): conversions.odds_to_risk_ratio,
    ("risk ratio", "odds ratio"): conversions.risk_to_odds_ratio,
    ("hazard ratio", "risk ratio"): conversions.hazard_to_risk_ratio,
    ("hazard ratio", "odds ratio"): conversions.hazard_to_odds_ratio,
}
"""Conversions that need the risk of the control group."""
BY_MODEL: Mapping[tuple[str, str], Step] = {
    ("odds ratio", "standardized mean difference"): conversions.odds_ratio_to_smd,
    ("standardized mean difference", "odds ratio"): conversions.smd_to_odds_ratio,
}
RATIOS = ("odds ratio", "risk ratio", "hazard ratio", "rate ratio")


def can_convert(conversion: Conversion, to: str) -> bool:
    """Whether a conversion leads to a measure."""
    pair = (conversion.source, to)
    if conversion.as_it_is:
        return conversion.source in RATIOS and to in RATIOS
    return pair in BY_MODEL or (pair in WITH_RISK and conversion.control_risk is not None)


def converted(
    yi: Floats, vi: Floats, conversion: Conversion, *, to: str
) -> tuple[Floats, Floats, str, tuple[Problem, ...]]:
    """Effects and variances on the other measure, what was assumed in words, and what is wrong with rows."""
    pair = (conversion.source, to)
    if conversion.as_it_is:
        return yi, vi, f"{one(conversion.source)} taken as {one(to)} without conversion", ()
    known = np.isfinite(yi) & np.isfinite(vi)
    rows = np.flatnonzero(known)
    if not len(rows):
        return yi, vi, "", ()
    risk = {} if pair in BY_MODEL else {"reference_risk": conversion.control_risk}
    made = (BY_MODEL[pair] if pair in BY_MODEL else WITH_RISK[pair])(yi[rows], vi[rows], **risk)
    effects, variances = np.full_like(yi, np.nan), np.full_like(vi, np.nan)
    effects[rows], variances[rows] = made.effects.yi, made.effects.vi
    problems = tuple(
        Problem(int(rows[item.row - 1]) + 1, item.code, item.seen, item.dropped) for item in made.effects.problems
    )
    said = "; ".join(made.effects.assumptions)
    if conversion.control_risk is not None and pair not in BY_MODEL:
        said += f" (control risk {conversion.control_risk:g})"
    return effects, variances, said, problems
