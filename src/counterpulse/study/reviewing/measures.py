"""The words in which papers name effect measures, the measure a review pools, and the scale it is pooled on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import asin, atanh, log, log1p, sqrt

from counterpulse.protocol.nodes import Effects
from counterpulse.results.estimate import Scale

CODES: Mapping[str, str] = {
    "odds ratio": "OR", "risk ratio": "RR", "risk difference": "RD", "hazard ratio": "HR", "rate ratio": "IRR",
    "mean difference": "MD", "standardized mean difference": "SMD", "ratio of means": "ROM", "correlation": "ZCOR",
    "rate": "IRLN",
}  # fmt: skip
"""The key that effect sizes are made by; proportions have one for each scale."""
PROPORTIONS: Mapping[str, str] = {
    "logit": "PLO", "arcsine": "PAS", "raw": "PR", "log": "PLN",
}  # fmt: skip
RATIOS = frozenset({"odds ratio", "risk ratio", "hazard ratio", "rate ratio", "ratio of means"})
RECIPROCAL = frozenset({"odds ratio", "risk difference"})
"""Measures whose value for the complement of the event follows from that for the event."""
SCALES: Mapping[str, Scale] = {"logit": "logit", "arcsine": "arcsine", "raw": "identity", "log": "log"}
WORDS: Mapping[str, str] = {
    "or": "odds ratio", "aor": "odds ratio", "oddsratio": "odds ratio", "adjustedoddsratio": "odds ratio", "petoor": "odds ratio",
    "rr": "risk ratio", "arr": "risk ratio", "riskratio": "risk ratio", "relativerisk": "risk ratio", "adjustedriskratio": "risk ratio",
    "hr": "hazard ratio", "ahr": "hazard ratio", "hazardratio": "hazard ratio", "adjustedhazardratio": "hazard ratio",
    "rd": "risk difference", "riskdifference": "risk difference", "ard": "risk difference", "irr": "rate ratio", "rateratio": "rate ratio",
    "md": "mean difference", "meandifference": "mean difference", "smd": "standardized mean difference",
    "standardizedmeandifference": "standardized mean difference", "standardisedmeandifference": "standardized mean difference",
    "hedgesg": "standardized mean difference", "rom": "ratio of means", "ratioofmeans": "ratio of means",
    "proportion": "proportion", "rate": "rate", "correlation": "correlation",
}  # fmt: skip
IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]")


def on_scale(value: float, scale: Scale) -> float:
    """A value that a reader reads, on the scale of pooling.

    Raises
    ------
    ValueError : there is no such value on the scale
    """
    match scale:
        case "log":
            return log(value)
        case "logit":
            return log(value) - log1p(-value)
        case "arcsine":
            return asin(sqrt(value))
        case "fisher-z":
            return atanh(value)
        case _:
            return value


def one(measure: str) -> str:
    """A measure with its article."""
    return f"{'an' if measure[0] in 'aeiou' else 'a'} {measure}"


def measure_named(written: str) -> str | None:
    """The measure a paper's words name ("aOR", "HR (multivariable)"); None where no word is known."""
    plain = re.sub(r"[^a-z]", "", IN_BRACKETS.sub("", written.lower()))
    return WORDS.get(plain)


def code_of(measure: str, effects: Effects) -> str:
    """The key by which effect sizes of a measure are made."""
    return PROPORTIONS[effects.proportion] if measure == "proportion" else CODES[measure]


def scale_of(measure: str, effects: Effects) -> Scale:
    """The scale on which effects of a measure are pooled."""
    if measure == "proportion":
        return SCALES[effects.proportion]
    if measure == "correlation":
        return "fisher-z"
    return "log" if measure in RATIOS or measure == "rate" else "identity"
