"""Kinds of blocks that stand elsewhere than among the results of their analysis."""

from __future__ import annotations

COMPARABILITY = ("balance", "effective-size", "overlap", "weights")
"""Before the effects of their analysis."""
IMMORTAL_TIME = "immortal-time"
"""After the primary analysis."""
CONFOUNDING = ("e-value", "bias-analysis", "negative-control")
TIPPING, SPECIFICATIONS, REHEARSAL = "tipping-point", "specification-curve", "operating-characteristics"
ROBUSTNESS = (*CONFOUNDING, TIPPING, SPECIFICATIONS, REHEARSAL)
"""In a section of their own before the limitations."""
IMPUTATION = ("imputation", "predictor-matrix", "imputation-trace", "imputation-density")
"""In the supplement."""
STUDIES = ("risk-of-bias", "effect-sizes", "agreement", "discrepancy")
"""Of a review, after the participants: its studies and what was taken from them."""
FINDINGS, CERTAINTY = "summary-of-findings", "certainty"
"""Of a review, before and after the results."""
ELSEWHERE = (*COMPARABILITY, IMMORTAL_TIME, *ROBUSTNESS, *IMPUTATION, *STUDIES, FINDINGS, CERTAINTY)
