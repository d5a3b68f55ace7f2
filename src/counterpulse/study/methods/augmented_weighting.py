"""Augmented inverse probability weighting: right where the model of treatment or that of the outcome is."""

from __future__ import annotations

from counterpulse import regression
from counterpulse.study.answers.doubly_robust import (
    BY_KIND,
    CENSORING,
    DIFFERENCE,
    OPTIONS,
    answer_doubly_robust,
    refuse,
)
from counterpulse.study.method_spec import MethodSpec, Rule
from counterpulse.study.planning.measures import MARGINAL
from counterpulse.study.request import Answer, Request

ARMS = Rule(
    "models", "of the outcome in each group by itself; the score and the outcome have the covariates of `adjust`"
)
EXTREME = Rule(
    "extreme scores",
    "a patient who would count more than 10,000 times is named, and there is no estimate",
    "cole-hernan-2008",
)
CENSORED = Rule(
    "censored times",
    "a Cox model of the event and one of the censoring in each group, of the follow-up until the horizon",
    "bai-2013",
)
PAIRS = Rule("several treated groups", "each with the reference, among patients of the two")
VARIANCE = Rule(
    "variance", "of the influence function, summed within clusters where there are any", "lunceford-davidian-2004",
    "standard errors were those of the influence function",
)  # fmt: skip


def estimate(request: Request) -> Answer:
    """The effect of each treated group."""
    return answer_doubly_robust(request, regression.aipw)


SPEC = MethodSpec(
    name="augmented-weighting",
    label="augmented weighting",
    about="effects were estimated by augmented inverse probability weighting",
    outcomes=frozenset(BY_KIND),
    measures=(*MARGINAL, DIFFERENCE),
    also=MARGINAL,
    by_kind=BY_KIND,
    targeted=(*MARGINAL, DIFFERENCE),
    options=(*OPTIONS, CENSORING),
    rules=(ARMS, CENSORED, EXTREME, PAIRS, VARIANCE),
    adjustable=True,
    clusters=("robust", "fixed"),
    refuse=refuse,
    calls="counterpulse.regression.aipw",
    citations=("robins-1994", "bang-robins-2005"),
    estimate=estimate,
)
