"""Propensity weighting: a short word for weights, the usual comparison of its outcome, and the variance of estimated weights."""

from __future__ import annotations

from counterpulse.study.answers.comparable_patients import told_of, word

SPEC = word(
    "propensity-weighting",
    "comparison of weighted patients",
    "weighted patients were compared by risks, means, or Cox regression as the outcome asks, with variances that know the weights "
    "are estimated (of risks and means) or robust (of hazards)",
    told_of(
        "weighted",
        of_means="with variances that allow for the estimation of the weights",
        of_times="with robust variances",
    ),
    "weighting",
    ("rosenbaum-rubin-1983", "lunceford-davidian-2004"),
    "counterpulse.propensity.weight, counterpulse.propensity.weighted_effects",
)
