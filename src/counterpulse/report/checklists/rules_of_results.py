"""Items that results answer: the tables and figures that stand in the document, and what the discussion still needs."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.report.checklists.evidence import (
    TITLE_PAGE,
    Answer,
    Evidence,
    Rule,
    is_adjusted,
    labeled,
    places,
    stands_in,
    there,
)

ESTIMATES = ("all-analyses", "estimates-", "models-")
CURVES = ("curve-",)
ABSOLUTE = ("risk difference", "rmst difference", "mean difference", "median difference")


def flow_of_groups(evidence: Evidence) -> Answer:
    """The groups are counted to the analysis; who received the intervention is in the data only where a rule says so."""
    return there(evidence.labels("flow", "analyzed"), state="answered" if evidence.protocol.flow else "partly")


def losses(evidence: Evidence) -> Answer:
    """Who was lost or left out in each group: answered where boxes of the flow count them, each with its reasons."""
    boxes = [box for box in evidence.plan.flow if box.stage in ("follow-up", "analysis")]
    answered = bool(boxes) and all(box.reasons for box in boxes)
    return there(evidence.labels("flow", "analyzed"), state="answered" if answered else "partly")


def missing(evidence: Evidence) -> Answer:
    """Missing values by variable, those that analyses lost, and how they were filled in."""
    counted = "missing" in evidence.protocol.report.table1.show
    found = evidence.labels("table-1") if counted else "", evidence.labels("missing", "analyzed")
    return there(places(*found, evidence.section("imputation")))


def adjusted(evidence: Evidence) -> Answer:
    """Both an unadjusted and an adjusted estimate of the primary outcome; why these confounders is to be written."""
    analyses = evidence.plan.analyses
    main = {name for item in analyses if item.role == "primary" for name in item.outcomes}
    own = [item for item in analyses if main & set(item.outcomes)]
    with_covariates = any(is_adjusted(item) for item in own)
    without = any(not is_adjusted(item) or any(not model.every_term for model in item.models) for item in own)
    where = evidence.labels(*ESTIMATES)
    if not (with_covariates and without):
        lacking = "an unadjusted" if with_covariates else "an adjusted"
        words = f"Add {lacking} analysis of the primary outcome, and say why these confounders were chosen"
        return Answer("partly", where, words) if where else Answer("to-write")
    return Answer("partly", where, "Say why these confounders were chosen") if where else Answer("to-write")


def absolute(evidence: Evidence) -> Answer:
    """Risks or differences on the scale of the outcome, and curves."""
    known = [item.id for item in evidence.plan.analyses if set(item.measures) & set(ABSOLUTE)]
    return there(evidence.of_analyses(known, *CURVES))


def by_outcome(evidence: Evidence) -> Answer:
    """Each outcome by group with its effect; both an absolute and a relative one of a binary outcome."""
    binary = any(outcome.kind == "binary" for outcome in evidence.plan.outcomes.values())
    where = evidence.labels(*ESTIMATES)
    measures = {name for item in evidence.plan.analyses for name in item.measures}
    if where and binary and absolute(evidence).state != "answered":
        return Answer("partly", where, "Add an absolute effect: estimand: {also: [risk difference]}")
    if where and binary and not any(name.endswith("ratio") or name == "by type" for name in measures):
        return Answer("partly", where, "Add a relative effect: estimand: {also: [risk ratio]}")
    return there(where)


def other_analyses(evidence: Evidence) -> Answer:
    """Everything beside the primary analysis."""
    others = [item.id for item in evidence.plan.analyses if item.role != "primary"]
    return there(evidence.of_analyses(others, "subgroups-"))


def sensitivity(evidence: Evidence) -> Answer:
    """The sensitivity analyses, and what else shows how firmly the results stand."""
    found = evidence.of_analyses([item.id for item in evidence.plan.analyses if item.role == "sensitivity"])
    return there(places(found, evidence.section("immortal-time", "robustness")))


def harms(evidence: Evidence) -> Answer:
    """The safety outcomes that were analyzed; whether these are all harms is not known."""
    safety = {name for name, outcome in evidence.protocol.outcomes.items() if outcome.safety}
    names = [item.id for item in evidence.plan.analyses if safety & set(item.outcomes)]
    return there(evidence.of_analyses(names), state="partly")


def key_result(evidence: Evidence) -> Answer:
    """The primary result stands in front; the discussion is the researcher's."""
    return Answer("partly", TITLE_PAGE) if evidence.labels(*ESTIMATES) else Answer("to-write")


RESULT_RULES: Mapping[str, Rule] = {
    "flow": labeled("flow", "criteria"),
    "flow.reasons": labeled("flow", "criteria"),
    "flow.diagram": labeled("flow"),
    "flow.groups": flow_of_groups,
    "flow.losses": losses,
    "table-one": labeled("table-1"),
    "missing.results": missing,
    "follow-up.results": labeled(*CURVES, state="partly"),
    "outcomes.results": labeled(*ESTIMATES, *CURVES),
    "effects.primary": labeled(*ESTIMATES),
    "effects.adjusted": adjusted,
    "effects.absolute": absolute,
    "effects.outcomes": by_outcome,
    "effects.other": other_analyses,
    "sensitivity.results": sensitivity,
    "harms.results": harms,
    "key-result": key_result,
    "limitations": stands_in("limitations", state="partly"),
    "data-cleaning": stands_in("limitations", state="partly"),
}
