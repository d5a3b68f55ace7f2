"""Kaplan-Meier curves, the log-rank test, and risks at a time."""

from __future__ import annotations

from counterpulse.study.answers.curves import curve_answer, log_rank_answer
from counterpulse.study.method_spec import MethodSpec, Option
from counterpulse.study.request import Answer, Request


def estimate(request: Request) -> Answer:
    """Risks at the horizon and their contrast, medians, the test, and the curves."""
    answer = curve_answer(request, request.analysis.measures, draw=True)
    if request.group is None or request.option("compare_with") == "none":
        return answer
    return answer.joined(log_rank_answer(request))


SPEC = MethodSpec(
    name="kaplan-meier",
    label="Kaplan-Meier",
    about="event-free survival was estimated by the Kaplan-Meier method",
    outcomes=frozenset({"time-to-event"}),
    measures=("risk difference", "risk ratio"),
    also=("rmst difference", "rmst ratio"),
    options=(
        Option(
            name="interval", default="log", kind="word", allowed=("log", "log-log", "plain", "logit", "arcsine"),
            about="the scale on which intervals of a curve are made", words="confidence intervals of the curves were computed on the {value} scale",
            references=(("log", "therneau-grambsch-2000"), ("log-log", "borgan-liestol-1990"), ("arcsine", "borgan-liestol-1990")),
        ),
        Option(
            name="compare_with", default="log-rank", kind="word", allowed=("log-rank", "peto-peto", "none"),
            about="the test that compares the curves",
            phrases=(("log-rank", "curves were compared by the log-rank test"), ("none", ""),
                     ("peto-peto", "curves were compared by the Peto-Peto test (G-rho, rho = 1)")),
            references=(("log-rank", "mantel-1966"), ("peto-peto", "harrington-fleming-1982")),
        ),
        Option(
            name="strata", default=(), kind="names", about="variables that stratify the test",
            words="the test was stratified by {value}",
        ),
        Option(
            name="at", default=(), kind="lengths", about="times at which risks are given besides the horizon",
            words="risks were also estimated at {value}",
        ),
    ),
    needs_groups=False,
    weighted=True,
    draws=("kaplan-meier",),
    calls="counterpulse.survival.kaplan_meier",
    citations=("kaplan-meier-1958", "greenwood-1926"),
    estimate=estimate,
)  # fmt: skip
