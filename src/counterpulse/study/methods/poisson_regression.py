"""Poisson regression: the rate ratio of a count, or the risk ratio of a binary outcome (modified Poisson)."""

from __future__ import annotations

from counterpulse import regression
from counterpulse.study.answers.count_answers import EXPOSURE, count_answer
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.request import Answer, Request

VARIANCE = {"robust": True, "model": False}


def estimate(request: Request) -> Answer:
    """The ratio of the exposure, and its covariates."""
    binary = request.outcome.kind == "binary"
    robust = None if request.analysis.clusters or binary else VARIANCE[str(request.option("variance"))]
    return count_answer(request, regression.poisson, "risk ratio" if binary else "rate ratio", robust=robust)


SPEC = MethodSpec(
    name="poisson-regression",
    label="Poisson regression",
    about="ratios of rates (of counts) or of risks (of yes/no outcomes) were estimated by Poisson regression",
    outcomes=frozenset({"count", "binary"}),
    measures=("rate ratio", "risk ratio"),
    kind="conditional",
    options=(
        EXPOSURE,
        Option(
            name="variance", default="robust", kind="word", allowed=("robust", "model"), about="which variance intervals use",
            phrases=(
                ("robust", "the variance was robust to outcomes that do not vary as Poisson counts do"),
                ("model", ""),
            ),
            references=(("robust", "zou-2004"),),
        ),
    ),
    rules=(
        Rule("measure", "rate ratio of a count; risk ratio of a yes/no outcome, always with the robust variance", "zou-2004"),
        Rule("separation", "a coefficient that is infinite is named, not printed", "albert-anderson-1984"),
    ),
    adjustable=True,
    clusters=("robust", "fixed"),
    cluster_variances=True,
    needs_groups=False,
    subgroups=True,
    calls="counterpulse.regression.poisson",
    citations=("mccullagh-nelder-1989",),
    estimate=estimate,
)  # fmt: skip
