"""How well a model, a score or a stated risk predicts an outcome: discrimination, calibration, accuracy, net benefit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from counterpulse.data.terms import Term
from counterpulse.study.answers import prediction_of_outcome, prediction_of_time
from counterpulse.study.answers.predictor import predictors
from counterpulse.study.method_spec import MethodSpec, Option, Rule
from counterpulse.study.request import Answer, Request

if TYPE_CHECKING:
    from counterpulse.study.planning.drafts import Desk, Draft

NUMERIC = ("number", "integer")


def estimate(request: Request) -> Answer:
    """Everything on each predictor that the plan names, the model first; the compared groups play no part."""
    timed = request.outcome.kind == "time-to-event"
    answer_predictor = prediction_of_time.answer_predictor if timed else prediction_of_outcome.answer_predictor
    answer = Answer()
    for predictor in predictors(request):
        answer = answer.joined(answer_predictor(request, predictor))
    return answer


def refuse(
    desk: Desk, draft: Draft, options: Mapping[str, object], terms: tuple[Term, ...], outcomes: tuple[str, ...]
) -> None:
    """What has no answer: nothing that predicts, no time, thresholds out of range, a score that is no number."""
    name = draft.node.id
    if not terms and options["score"] is None and options["risk"] is None and draft.node.adjust in (None, "none"):
        desk.refuse(
            draft.path, "E650", f"analysis {name} names nothing that predicts",
            "adjust: the predictors of a model, score: a variable with points, risk: a variable with a predicted risk",
            "add one of them",
        )  # fmt: skip
    for outcome in (desk.outcomes[item] for item in outcomes if desk.outcomes[item].kind == "time-to-event"):
        if outcome.horizon is None and not options["at"]:
            desk.refuse(
                draft.path, "E651", f"analysis {name}: the risk of '{outcome.name}' by which time is not said",
                "at: 30 days, or a horizon of the outcome", "add `at`",
            )  # fmt: skip
    thresholds = options["thresholds"]
    if isinstance(thresholds, tuple) and not all(0 < float(item) < 1 for item in thresholds):
        desk.refuse(
            draft.where("thresholds"), "E652", f"analysis {name}: a threshold of risk lies outside 0 to 1",
            "thresholds such as [0.1, 0.2]", "write 0.2 for 20 percent",
        )  # fmt: skip
    replicates = options["bootstrap"]
    if not isinstance(replicates, float | int) or replicates != int(replicates) or replicates < 0 or replicates == 1:
        desk.refuse(
            draft.where("bootstrap"), "E653", f"analysis {name}: so many bootstrap replicates cannot be drawn",
            "a whole number such as 1000, or 0 for none", "write bootstrap: 1000",
        )  # fmt: skip
    _refuse_words(desk, draft, options)


def _refuse_words(desk: Desk, draft: Draft, options: Mapping[str, object]) -> None:
    """Scores and risks are numbers."""
    compared = options["compare"]
    named = [("score", options["score"]), ("risk", options["risk"])]
    named += [("compare", item) for item in (compared if isinstance(compared, tuple) else ())]
    for key, variable in named:
        kind = desk.variables[str(variable)].kind if variable is not None and variable in desk.variables else None
        if kind is not None and kind not in NUMERIC:
            desk.refuse(
                draft.where(key), "E654", f"analysis {draft.node.id}: '{variable}' is a {kind}, and a {key} is a number",
                ", ".join(other for other, found in desk.variables.items() if found.kind in NUMERIC),
                "name a number, or derive one under `variables`",
            )  # fmt: skip


SPEC = MethodSpec(
    name="prediction-quality",
    label="prediction quality",
    about="discrimination was measured by the c-statistic, calibration by intercept, slope and a smooth curve, accuracy by the Brier score, and clinical usefulness by net benefit",
    outcomes=frozenset({"binary", "time-to-event"}),
    measures=("c-statistic",),
    options=(
        Option(name="score", default=None, kind="name", about="a variable with points, of which more means a higher risk",
               words="the score {value} was assessed"),
        Option(name="risk", default=None, kind="name", about="a variable with a predicted risk between 0 and 1",
               words="the predicted risk {value} was assessed"),
        Option(name="compare", default=(), kind="names", about="further scores, whose c-statistic is compared",
               words="its c-statistic was compared with that of {value}", reference="delong-1988"),
        Option(name="at", default=(), kind="lengths", about="the times of a time-to-event outcome; risks are of the first",
               words="predictions were assessed at {value}"),
        Option(name="thresholds", default=(), kind="numbers", about="risks from which on one would treat, for net benefit",
               words="net benefit was computed at risk thresholds of {value}", reference="vickers-elkin-2006"),
        Option(name="bootstrap", default=1000, kind="number", about="replicates that correct a model for optimism; 0 for none",
               words="optimism was estimated in {value} bootstrap samples", phrases=(("0", "optimism was not corrected"),), reference="harrell-1996"),
        Option(name="interval", default="plain", kind="word", allowed=("plain", "logit"),
               about="the scale of the interval of the c-statistic",
               phrases=(("plain", "the confidence interval of the c-statistic was computed by DeLong's method"), ("logit", "the confidence interval of the c-statistic was computed by DeLong's method on the logit scale"))),
    ),
    rules=(
        Rule("score of points", "calibration, accuracy and net benefit of points are of a regression on them in these patients", None),
        Rule("smooth calibration curve", "loess of degree 2, span 0.75; by a time: Cox regression on a natural cubic spline with 3 knots",
             "austin-steyerberg-2019"),
        Rule("censoring", "inverse of the marginal Kaplan-Meier probability of being uncensored", "blanche-2013"),
    ),
    adjustable=True,
    needs_groups=False,
    refuse=refuse,
    calls="counterpulse.regression.c_statistic",
    citations=(),
    estimate=estimate,
)  # fmt: skip
