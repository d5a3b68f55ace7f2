"""Items that the methods answer: who, compared how, with which outcomes, analyzed how."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.checklists.evidence import Answer, Evidence, Rule, is_adjusted, places, stands_in, there

DEFINED = ("exposure", "outcomes", "variables")
"""The sections that define groups, outcomes and derived variables."""


def eligibility(evidence: Evidence) -> Answer:
    """Every criterion, in words and as its rule."""
    return there(places(_eligibility(evidence), evidence.labels("criteria")) if evidence.plan.criteria else "")


def _eligibility(evidence: Evidence) -> str:
    return evidence.section("eligibility") or evidence.section("design")


def eligibility_and_follow_up(evidence: Evidence) -> Answer:
    """Criteria, source and follow-up; what the protocol leaves out remains."""
    if not evidence.plan.criteria:
        return Answer("to-write")
    missing = [
        words
        for words, known in (
            ("from which source the patients came", evidence.protocol.study.setting),
            ("how they were followed", evidence.plan.time_zero and evidence.protocol.follow_up),
        )
        if not known
    ]
    where = _eligibility(evidence)
    if missing:
        return Answer("partly", where, f"Say {' and '.join(missing)}")
    return Answer("partly", where, "Say how the patients were found in the source")


def eligibility_in_part(evidence: Evidence) -> Answer:
    """Criteria are printed; how cases and controls were found is not known."""
    return there(_eligibility(evidence) if evidence.plan.criteria else "", state="partly")


def matching(evidence: Evidence) -> Answer:
    """Sets that the data hold, and pairs that an analysis makes; the latter are no matter of a case-control study's design."""
    if any(item.method == "conditional-logistic" for item in evidence.plan.analyses):
        return there(evidence.section("statistics"), state="partly")
    pairs = [item for item in evidence.plan.analyses if item.balancing is not None and item.balancing.use == "matching"]
    if pairs and evidence.protocol.study.design != "case-control":
        sizes = [f"{item.id}-{outcome}-effective-size" for item in pairs for outcome in item.outcomes]
        return there(places(evidence.section("statistics"), evidence.labels(*sizes)))
    return Answer("not-applicable", remains="no analysis is of matched patients")


def variables(evidence: Evidence) -> Answer:
    """Groups, outcomes and derived variables with their definitions."""
    return there(evidence.section(*DEFINED) if evidence.plan.outcomes else "")


def outcomes(evidence: Evidence) -> Answer:
    """Every outcome with its definition."""
    return there(evidence.section("outcomes") if evidence.plan.outcomes else "")


def outcomes_timing(evidence: Evidence) -> Answer:
    """Horizons and windows are printed with the outcomes."""
    timed = any(item.horizon is not None or item.kind == "repeated" for item in evidence.plan.outcomes.values())
    return there(evidence.section("outcomes") if timed else "", state="partly")


def measurement(evidence: Evidence) -> Answer:
    """Derivations are printed; how a column was measured is not known."""
    derived = any(item.definition for item in evidence.plan.variables.values())
    return there(evidence.section("outcomes", "variables") if derived or evidence.plan.outcomes else "", state="partly")


def interventions(evidence: Evidence) -> Answer:
    """Groups and the start of treatment are named; what was given is not described."""
    return there(evidence.section("exposure") if evidence.plan.groups else "", state="partly")


def bias(evidence: Evidence) -> Answer:
    """Adjustment and the plan for immortal time answer bias in part."""
    against = any(is_adjusted(item) or item.maker != "as observed" for item in evidence.plan.analyses)
    return there(evidence.section("statistics") if against else "", state="partly")


def quantitative(evidence: Evidence) -> Answer:
    """Numbers enter as the terms say; a reason is asked for where they are cut."""
    return there(evidence.section("statistics"), state="partly" if _cut(evidence) else "answered")


def _cut(evidence: Evidence) -> bool:
    plan = evidence.plan
    cut = plan.subgroups is not None and any(item.cuts for item in plan.subgroups.by)
    derived = any(node.cases is not None or node.rule is not None for node in evidence.protocol.variables.values())
    return cut or derived


def categories(evidence: Evidence) -> Answer:
    """The cut points stand with the definitions and the subgroups."""
    if not _cut(evidence):
        return Answer("not-applicable", remains="no number is cut into categories")
    return there(places(evidence.section("variables", "subgroups"), evidence.labels("subgroups", figures=False)))


def statistics(evidence: Evidence) -> Answer:
    """Every analysis in words."""
    return there(evidence.section("statistics") if evidence.plan.analyses else "")


def measures(evidence: Evidence) -> Answer:
    """The effect measure of each analysis."""
    return there(evidence.section("statistics") if any(item.measures for item in evidence.plan.analyses) else "")


def subgroups(evidence: Evidence) -> Answer:
    """Subgroups, or that none are planned."""
    if evidence.plan.subgroups is None:
        return Answer("not-applicable", remains="no subgroup analysis is planned")
    return there(evidence.section("subgroups") or evidence.section("statistics"))


def missing(evidence: Evidence) -> Answer:
    """Answered where every analysis says what happens to missing values."""
    unsaid = [item.id for item in evidence.plan.analyses if item.missing is None]
    if not unsaid:
        return there(evidence.section("missing-open") or evidence.section("statistics"))
    if len(unsaid) == len(evidence.plan.analyses):
        return Answer("to-write")
    where = evidence.section("missing-open") or evidence.section("statistics")
    return Answer("partly", where, f"Say what is done about missing values in {', '.join(unsaid)}")


def follow_up(evidence: Evidence) -> Answer:
    """Censoring answers loss to follow-up in analyses of time; other outcomes are taken as known."""
    if any(
        evidence.plan.outcomes[name].kind == "time-to-event"
        for item in evidence.plan.analyses
        for name in item.outcomes
    ):
        return there(evidence.section("statistics"), state="partly")
    return Answer("to-write")


def _role(evidence: Evidence, *roles: str) -> list[PlannedAnalysis]:
    return [item for item in evidence.plan.analyses if item.role in roles]


def sensitivity(evidence: Evidence) -> Answer:
    """The sensitivity analyses of the plan."""
    return there(evidence.section("statistics") if _role(evidence, "sensitivity") else "")


def additional(evidence: Evidence) -> Answer:
    """Secondary, sensitivity and exploratory analyses and subgroups, each with when it was planned."""
    others = _role(evidence, "secondary", "sensitivity", "exploratory") or evidence.plan.subgroups is not None
    return there(evidence.section("statistics") if others else "")


def populations(evidence: Evidence) -> Answer:
    """Who is in each analysis."""
    return there(evidence.section("populations") or places(evidence.section("statistics"), evidence.labels("analyzed")))


def harms(evidence: Evidence) -> Answer:
    """Safety outcomes are defined; how harms were looked for is not known."""
    safety = any(outcome.safety for outcome in evidence.protocol.outcomes.values())
    return there(evidence.section("outcomes") if safety else "", state="partly")


def assignment(evidence: Evidence) -> Answer:
    """How people were classified at the start of follow-up, and what was done where treatment came later."""
    plan = evidence.plan
    if not plan.groups:
        return Answer("to-write")
    handled = plan.protocol.exposure is None or any(item.maker != "as observed" for item in plan.analyses)
    return there(evidence.section("exposure", "statistics"), state="answered" if handled else "partly")


def time_zero(evidence: Evidence) -> Answer:
    """When follow-up began, and when it ended."""
    if not evidence.plan.time_zero:
        return Answer("to-write")
    ended = evidence.protocol.follow_up is not None or any(
        o.horizon is not None for o in evidence.plan.outcomes.values()
    )
    return there(evidence.section("exposure") or evidence.section("design"), state="answered" if ended else "partly")


def estimands(evidence: Evidence) -> Answer:
    """Measure, kind and target of each effect are given; whether it is the effect of assignment or of adherence is not."""
    return there(places(evidence.section("statistics"), evidence.section("choices-section")), state="partly")


def confounders(evidence: Evidence) -> Answer:
    """The confounders are named; why these, the researcher says."""
    adjusted = any(is_adjusted(item) for item in evidence.plan.analyses)
    return there(evidence.section("statistics") if adjusted else "", state="partly")


def adherence(evidence: Evidence) -> Answer:
    """Intercurrent events with their strategies, where the protocol has them."""
    return there(evidence.section("adherence") if evidence.protocol.intercurrent_events else "", state="partly")


def screening(evidence: Evidence) -> Answer:
    """The screening log, where the protocol names one."""
    known = evidence.protocol.eligibility.screened is not None or evidence.protocol.eligibility.not_in_table is not None
    return there(evidence.section("flow-plan") if known else "", state="partly")


METHOD_RULES: Mapping[str, Rule] = {
    "design": stands_in("design"),
    "eligibility": eligibility,
    "eligibility.follow-up": eligibility_and_follow_up,
    "eligibility.cases": eligibility_in_part,
    "matching": matching,
    "variables": variables,
    "outcomes": outcomes,
    "outcomes.timing": outcomes_timing,
    "codes": stands_in(*DEFINED, state="partly"),
    "measurement": measurement,
    "interventions": interventions,
    "bias": bias,
    "quantitative": quantitative,
    "categories": categories,
    "statistics": statistics,
    "measures": measures,
    "subgroups.methods": subgroups,
    "missing.methods": missing,
    "follow-up.methods": follow_up,
    "sensitivity.methods": sensitivity,
    "additional.methods": additional,
    "populations": populations,
    "harms.methods": harms,
    "assignment": assignment,
    "time-zero": time_zero,
    "estimands": estimands,
    "confounders": confounders,
    "target-trial": stands_in("target-trial"),
    "adherence": adherence,
    "screening": screening,
}
