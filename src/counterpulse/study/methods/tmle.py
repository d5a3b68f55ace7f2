"""Targeted maximum likelihood: outcome models moved until they agree with the weighted outcomes."""

from __future__ import annotations

from counterpulse import regression
from counterpulse.study.answers.doubly_robust import BY_KIND, DIFFERENCE, OPTIONS, TIMED, answer_doubly_robust, refuse
from counterpulse.study.method_spec import MethodSpec, Rule
from counterpulse.study.methods.augmented_weighting import ARMS, EXTREME, PAIRS, VARIANCE
from counterpulse.study.planning.measures import MARGINAL
from counterpulse.study.request import Answer, Request

FLUCTUATION = Rule(
    "fluctuation", "an intercept of each group's outcome model on the logit scale; a number is brought to the unit interval by its "
    "smallest and largest value", "gruber-van-der-laan-2010",
)  # fmt: skip


def estimate(request: Request) -> Answer:
    """The effect of each treated group."""
    return answer_doubly_robust(request, regression.tmle)


SPEC = MethodSpec(
    name="tmle",
    label="targeted maximum likelihood",
    about="effects were estimated by targeted maximum likelihood with a logistic fluctuation",
    outcomes=frozenset(BY_KIND) - {TIMED},
    measures=(*MARGINAL, DIFFERENCE),
    also=MARGINAL,
    by_kind=BY_KIND,
    targeted=(*MARGINAL, DIFFERENCE),
    options=OPTIONS,
    rules=(ARMS, FLUCTUATION, EXTREME, PAIRS, VARIANCE),
    adjustable=True,
    clusters=("robust", "fixed"),
    refuse=refuse,
    calls="counterpulse.regression.tmle",
    citations=("van-der-laan-rubin-2006", "gruber-van-der-laan-2010"),
    estimate=estimate,
)
