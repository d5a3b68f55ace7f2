"""Items that only a statistical analysis plan answers, by the sections it has."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.report.checklists.evidence import TITLE_PAGE, Answer, Evidence, Rule, stands_in, there


def title(evidence: Evidence) -> Answer:
    """The title is the study's own."""
    return Answer("answered", "Title")


def version(evidence: Evidence) -> Answer:
    """Version and date."""
    study = evidence.protocol.study
    lacking = [words for words, value in (("the version", study.version), ("the date", study.date)) if not value]
    if len(lacking) == 2:
        return Answer("to-write")
    return (
        Answer("partly", TITLE_PAGE, f"Add {lacking[0]}; the keys are study.version and study.date")
        if lacking
        else Answer("answered", TITLE_PAGE)
    )


def checks(evidence: Evidence) -> Answer:
    """Checks that the plan names."""
    return there(
        evidence.section("assumptions") if any(item.checks for item in evidence.plan.analyses) else "", state="partly"
    )


ANALYSIS_PLAN_RULES: Mapping[str, Rule] = {
    "sap.title": title,
    "sap.version": version,
    "sap.revisions": stands_in("amendments"),
    "sap.signature": stands_in("signatures", state="partly"),
    "sap.flow": stands_in("flow-plan"),
    "sap.baseline": stands_in("baseline"),
    "principles": stands_in("principles"),
    "checks": checks,
    "checks.otherwise": stands_in("assumptions"),
    "software": stands_in("software"),
    "references": stands_in("statistics"),
}
