"""Items that results answer: the tables and figures that stand in the document, and what the discussion still needs."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.report.checklists.evidence import TITLE_PAGE, Answer, Evidence, Rule, places, there

ESTIMATES = ("all-analyses", "estimates-", "models-")
CURVES = ("curve-",)
ABSOLUTE = ("risk difference", "rmst difference", "mean difference", "median difference")


def flow(evidence: Evidence) -> Answer:
    """The numbers at each stage."""
    return there(evidence.labels("flow", "criteria"))


def reasons(evidence: Evidence) -> Answer:
    """Each criterion with how many it removed."""
    return there(evidence.labels("flow", "criteria"))


def diagram(evidence: Evidence) -> Answer:
    """The flow diagram."""
    return there(evidence.labels("flow"))


def flow_of_groups(evidence: Evidence) -> Answer:
    """The groups are counted to the analysis; who received the intervention is in the data only where a rule says so."""
    return there(evidence.labels("flow", "analyzed"), state="answered" if evidence.protocol.flow else "partly")


def losses(evidence: Evidence) -> Answer:
    """What keeps assigned patients out of the analysis."""
    return there(evidence.labels("flow", "analyzed"), state="partly")


def table_one(evidence: Evidence) -> Answer:
    """Table 1."""
    return there(evidence.labels("table-1"))


def missing(evidence: Evidence) -> Answer:
    """Missing values by variable, and those that analyses lost."""
    counted = "missing" in evidence.protocol.report.table1.show
    return there(places(evidence.labels("table-1") if counted else "", evidence.labels("missing", "analyzed")))


def follow_up(evidence: Evidence) -> Answer:
    """Numbers at risk show how long patients were watched; the summary is to be written."""
    return there(evidence.labels(*CURVES), state="partly")


def outcomes(evidence: Evidence) -> Answer:
    """Events and numbers in each group."""
    return there(evidence.labels(*ESTIMATES, *CURVES))


def primary(evidence: Evidence) -> Answer:
    """The effects."""
    return there(evidence.labels(*ESTIMATES))


def adjusted(evidence: Evidence) -> Answer:
    """Both an unadjusted and an adjusted estimate of the primary outcome; why these confounders is to be written."""
    analyses = evidence.plan.analyses
    main = {name for item in analyses if item.role == "primary" for name in item.outcomes}
    own = [item for item in analyses if main & set(item.outcomes)]
    with_covariates = any(item.adjusted for item in own)
    without = any(not item.adjusted or any(not model.every_term for model in item.models) for item in own)
    where = evidence.labels(*ESTIMATES)
    if not (with_covariates and without):
        lacking = "an unadjusted" if with_covariates else "an adjusted"
        words = f"Add {lacking} analysis of the primary outcome, and say why these confounders were chosen"
        return Answer("partly", where, words) if where else Answer("to-write")
    return Answer("partly", where, "Say why these confounders were chosen") if where else Answer("to-write")


def absolute(evidence: Evidence) -> Answer:
    """Risks or differences on the scale of the outcome, and curves."""
    known = [item.id for item in evidence.plan.analyses if set(item.measures) & set(ABSOLUTE)]
    return there(evidence.labels(*(f"estimates-{name}" for name in known), *CURVES))


def by_outcome(evidence: Evidence) -> Answer:
    """Each outcome by group with its effect; both an absolute and a relative one of a binary outcome."""
    binary = any(outcome.kind == "binary" for outcome in evidence.plan.outcomes.values())
    where = evidence.labels(*ESTIMATES)
    if where and binary and absolute(evidence).state != "answered":
        return Answer("partly", where, "Add an absolute effect: estimand: {also: [risk difference]}")
    return there(where)


def other_analyses(evidence: Evidence) -> Answer:
    """Everything beside the primary analysis."""
    others = [item.id for item in evidence.plan.analyses if item.role != "primary"]
    return there(
        evidence.labels(*(f"estimates-{name}" for name in others), "subgroups-")
        if others or evidence.plan.subgroups
        else ""
    )


def sensitivity(evidence: Evidence) -> Answer:
    """The sensitivity analyses."""
    names = tuple(f"estimates-{item.id}" for item in evidence.plan.analyses if item.role == "sensitivity")
    return there(evidence.labels(*names) if names else "")


def harms(evidence: Evidence) -> Answer:
    """The safety outcomes that were analyzed; whether these are all harms is not known."""
    safety = {name for name, outcome in evidence.protocol.outcomes.items() if outcome.safety}
    names = tuple(f"estimates-{item.id}" for item in evidence.plan.analyses if safety & set(item.outcomes))
    return there(evidence.labels(*names) if names else "", state="partly")


def key_result(evidence: Evidence) -> Answer:
    """The primary result stands in front; the discussion is the researcher's."""
    return Answer("partly", TITLE_PAGE) if evidence.labels(*ESTIMATES) else Answer("to-write")


def limitations(evidence: Evidence) -> Answer:
    """What the program could notice; the judgment is the researcher's."""
    return there(evidence.section("limitations"), state="partly")


def cleaning(evidence: Evidence) -> Answer:
    """What was found when the data were read; cleaning before that is not known."""
    return there(evidence.section("limitations"), state="partly")


RESULT_RULES: Mapping[str, Rule] = {
    "flow": flow,
    "flow.reasons": reasons,
    "flow.diagram": diagram,
    "flow.groups": flow_of_groups,
    "flow.losses": losses,
    "table-one": table_one,
    "missing.results": missing,
    "follow-up.results": follow_up,
    "outcomes.results": outcomes,
    "effects.primary": primary,
    "effects.adjusted": adjusted,
    "effects.absolute": absolute,
    "effects.outcomes": by_outcome,
    "effects.other": other_analyses,
    "sensitivity.results": sensitivity,
    "harms.results": harms,
    "key-result": key_result,
    "limitations": limitations,
    "data-cleaning": cleaning,
}
