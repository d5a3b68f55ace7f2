"""Propensity matching: a short word for matching, the usual comparison of its outcome, and the variance of matched sets."""

from __future__ import annotations

from counterpulse.study.answers.comparable_patients import told_of, word

SETS = "with variances robust to matched sets"

SPEC = word(
    "propensity-matching",
    "comparison of matched patients",
    f"matched patients were compared by risks, means, or Cox regression as the outcome asks, {SETS}",
    told_of("matched", of_means=SETS, of_times=SETS),
    "matching",
    ("rosenbaum-rubin-1983", "abadie-spiess-2022"),
    "counterpulse.propensity.match, counterpulse.propensity.matched_effect",
)
