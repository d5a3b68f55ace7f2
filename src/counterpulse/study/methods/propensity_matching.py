"""Propensity matching: a short word for matching, the usual comparison of its outcome, and the variance of matched sets."""

from __future__ import annotations

from counterpulse.study.answers.comparable_patients import word

SPEC = word(
    "propensity-matching",
    "comparison of matched patients",
    "matched patients were compared by risks, means, or Cox regression as the outcome asks, with variances robust to matched sets",
    "matching",
    ("rosenbaum-rubin-1983", "abadie-spiess-2022"),
    "counterpulse.propensity.match, counterpulse.propensity.matched_effect",
)
