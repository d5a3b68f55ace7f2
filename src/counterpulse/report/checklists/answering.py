"""A guideline answered item by item: state, place, and what the researcher must still write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from counterpulse.report.checklists.evidence import Evidence, Rule, State
from counterpulse.report.checklists.guideline import Item, read_guideline
from counterpulse.report.checklists.rules_of_analysis_plan import ANALYSIS_PLAN_RULES
from counterpulse.report.checklists.rules_of_methods import METHOD_RULES
from counterpulse.report.checklists.rules_of_protocol import PROTOCOL_RULES
from counterpulse.report.checklists.rules_of_results import RESULT_RULES
from counterpulse.report.checklists.rules_of_reviews import REVIEW_RULES

RULES: Mapping[str, Rule] = {**PROTOCOL_RULES, **METHOD_RULES, **RESULT_RULES, **ANALYSIS_PLAN_RULES, **REVIEW_RULES}
"""Every rule by the name that the files of the guidelines use."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An item with its answer; `remains` is empty where nothing is left to write."""

    item: Item
    state: State
    where: str
    remains: str


def answer_items(name: str, evidence: Evidence) -> tuple[Answered, ...]:
    """Answer every item of a guideline that the design of the study is asked; what stands nowhere is to be written."""
    items = read_guideline(name).for_design(evidence.protocol.study.design)
    return tuple(_answered(item, evidence) for item in items)


def _answered(item: Item, evidence: Evidence) -> Answered:
    answer = RULES[item.rule](evidence)
    if not answer.where and answer.state != "not-applicable":
        return Answered(item, "to-write", "", item.remains)
    done = answer.state == "answered"
    remains = "" if done else item.remains if answer.remains is None else answer.remains
    return Answered(item, answer.state, answer.where, remains)
