"""Restricted mean survival time up to the horizon."""

from __future__ import annotations

from counterpulse.study.answers.curves import curve_answer
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.request import Answer, Request


def estimate(request: Request) -> Answer:
    """The restricted mean of each group and their contrast."""
    return curve_answer(request, request.analysis.measures)


SPEC = MethodSpec(
    name="rmst",
    label="restricted mean survival time",
    about="restricted mean event-free times up to the horizon were compared",
    outcomes=frozenset({"time-to-event"}),
    measures=("rmst difference", "rmst ratio"),
    also=("rmst difference", "rmst ratio"),
    needs_groups=False,
    weighted=True,
    calls="counterpulse.survival.restricted_mean",
    citations=("royston-parmar-2013",),
    estimate=estimate,
)
