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
ELSEWHERE = (*COMPARABILITY, IMMORTAL_TIME, *ROBUSTNESS, *IMPUTATION)
