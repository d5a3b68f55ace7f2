"""Items that only a review is asked: question, studies, bias, syntheses, certainty."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.protocol.nodes import Registration
from counterpulse.report.checklists.evidence import (
    TITLE_PAGE,
    Answer,
    Evidence,
    Rule,
    labeled,
    places,
    stands_in,
    there,
)

EXPLORED = ("leave_one_out", "cumulative", "influence", "gosh")
LOWERING = ("risk of bias", "inconsistency", "indirectness", "imprecision", "publication bias")


def question(evidence: Evidence) -> Answer:
    """The question of a review."""
    return there(evidence.section("objectives") if evidence.protocol.question else "")


def eligibility(evidence: Evidence) -> Answer:
    """Population, comparison, outcomes and designs are printed; how studies were grouped is not known."""
    question_ = evidence.protocol.question
    lacking = "Say which designs were eligible, and how studies were grouped for synthesis"
    grouped = "Say how studies were grouped for synthesis"
    if question_ is None:
        return Answer("to-write")
    return Answer("partly", evidence.section("eligibility"), grouped if question_.designs else lacking)


def sources(evidence: Evidence) -> Answer:
    """The search as the protocol words it; whether every source has its last day, the researcher sees."""
    question_ = evidence.protocol.question
    words = "See that every source is named with the day it was last searched"
    where = evidence.section("search") if question_ is not None and question_.search else ""
    return Answer("partly", where, words) if where else Answer("to-write")


def extraction(evidence: Evidence) -> Answer:
    """How numbers were collected; by how many, only where a second extraction is named."""
    return there(evidence.section("outcomes"), state="answered" if _twice(evidence) else "partly")


def _twice(evidence: Evidence) -> bool:
    effects = evidence.protocol.effects
    return effects is not None and effects.second_extraction is not None


def outcomes(evidence: Evidence) -> Answer:
    """Every outcome is named with its measure; which result was taken where several fitted is not known."""
    return there(places(evidence.section("objectives"), evidence.section("outcomes")), state="partly")


def variables(evidence: Evidence) -> Answer:
    """Moderators and groups are named; what else was collected, and what was assumed, is not."""
    named = evidence.plan.subgroups is not None or any(
        item.options.get("moderators") for item in evidence.plan.analyses
    )
    return there(evidence.section("statistics") if named else "", state="partly")


def bias_tool(evidence: Evidence) -> Answer:
    """The tool and its domains; how many judged is known only where a second extraction is named."""
    where = evidence.section("risk-of-bias") if evidence.protocol.risk_of_bias else ""
    if where and not _twice(evidence):
        return Answer("partly", where, "Say how many reviewers judged each study, and whether independently")
    return there(where)


def heterogeneity(evidence: Evidence) -> Answer:
    """Subgroups, moderators, and whatever else was asked of the studies one by one."""
    asked = any(
        item.options.get("moderators") or any(item.options.get(name) for name in EXPLORED)
        for item in evidence.plan.analyses
    )
    return there(evidence.section("statistics") if asked or evidence.plan.subgroups is not None else "")


def heterogeneity_found(evidence: Evidence) -> Answer:
    """Tables of groups and moderators, and the sections on single studies."""
    sections = evidence.section(*(f"influence-{item.id}" for item in evidence.plan.analyses))
    return there(places(evidence.labels("subgroups-", "regression-"), sections))


def sensitivity(evidence: Evidence) -> Answer:
    """Edits of an analysis, each study left out, further priors, combinations of choices."""
    plan = evidence.plan
    edits = any(
        item.role == "sensitivity" or item.options.get("leave_one_out") or item.options.get("other_priors")
        for item in plan.analyses
    )
    return there(evidence.section("statistics") if edits or plan.robustness.multiverse is not None else "")


def _asked_of_small_studies(evidence: Evidence) -> bool:
    return any(item.options.get("small_study_effects") for item in evidence.plan.analyses)


def missing_results(evidence: Evidence) -> Answer:
    """Tests and corrections for small-study effects; results missing inside studies are the researcher's to judge."""
    words = "Say how results missing within studies were judged"
    where = evidence.section("statistics") if _asked_of_small_studies(evidence) else ""
    return Answer("partly", where, words) if where else Answer("to-write")


def missing_results_found(evidence: Evidence) -> Answer:
    """The sections on small-study effects, and the rows without an effect."""
    sections = (
        evidence.section(*(f"small-study-{item.id}" for item in evidence.plan.analyses))
        if _asked_of_small_studies(evidence)
        else ""
    )
    return there(places(sections, evidence.labels("review-effect-sizes-unused")), state="partly")


def certainty(evidence: Evidence) -> Answer:
    """How certainty was judged."""
    return there(evidence.section("certainty") if evidence.protocol.certainty else "")


def certainty_found(evidence: Evidence) -> Answer:
    """The summary of findings; in part while a judgment is asked for."""
    node = evidence.protocol.certainty
    if node is None:
        return Answer("to-write")
    where = evidence.labels("review-summary-of-findings", "review-certainty")
    judged = all(
        set(LOWERING) <= {str(name) for name in node.judged.get(outcome, {})} for outcome in evidence.plan.outcomes
    )
    return (
        there(where)
        if judged
        else Answer("partly", where, "Judge the domains that are asked for; the key is certainty.judged")
    )


def excluded(evidence: Evidence) -> Answer:
    """Reasons are counted in the diagram; the studies themselves are the researcher's to cite."""
    screening = evidence.protocol.screening
    known = screening is not None and (screening.full_text_excluded is not None or screening.log is not None)
    return there(evidence.labels("flow") if known else "", state="partly")


def registration(evidence: Evidence) -> Answer:
    """The registration with what it lacks, or that there is none."""
    known = evidence.protocol.study.registration
    if not isinstance(known, Registration):
        return Answer(
            "partly",
            evidence.section("design"),
            "See that the review was indeed not registered; the key is study.registration",
        )
    lacking = [words for words, value in (("its address", known.link), ("its day", known.date)) if not value]
    if lacking:
        return Answer("partly", TITLE_PAGE, f"Add {' and '.join(lacking)}; the key is study.registration")
    return Answer("answered", TITLE_PAGE)


def changes(evidence: Evidence) -> Answer:
    """Every amendment, or that there was none."""
    return there(evidence.section("reviewers"), state="answered" if evidence.protocol.amendments else "partly")


REVIEW_RULES: Mapping[str, Rule] = {
    "review.question": question,
    "review.eligibility": eligibility,
    "review.sources": sources,
    "review.selection": stands_in("search", state="partly"),
    "review.extraction": extraction,
    "review.outcomes": outcomes,
    "review.variables": variables,
    "review.bias": bias_tool,
    "review.grouping": stands_in("statistics", state="partly"),
    "review.preparation": stands_in("outcomes"),
    "review.display": stands_in("statistics"),
    "review.heterogeneity": heterogeneity,
    "review.sensitivity": sensitivity,
    "review.missing-results": missing_results,
    "review.certainty": certainty,
    "review.flow": labeled("flow"),
    "review.excluded": excluded,
    "review.studies": labeled("review-effect-sizes", state="partly"),
    "review.bias.results": labeled("review-risk-of-bias"),
    "review.effects": labeled("review-effect-sizes"),
    "review.contributing": labeled("review-risk-of-bias", state="partly"),
    "review.heterogeneity.results": heterogeneity_found,
    "review.missing-results.found": missing_results_found,
    "review.certainty.results": certainty_found,
    "review.registration": registration,
    "review.amendments": changes,
}
