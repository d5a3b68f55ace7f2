"""The domains of GRADE: what the data say of each, and what that suggests. The judgment stays with people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite, log
from typing import TYPE_CHECKING

import polars as pl

from counterpulse.errors import InputError
from counterpulse.protocol.plan import Plan
from counterpulse.results import Block
from counterpulse.study.reviewing.absolute_risks import control_risk
from counterpulse.study.reviewing.answers.effects import SINGLE_ARM
from counterpulse.study.reviewing.bias import OVERALL
from counterpulse.study.reviewing.columns import STUDY, patients_of
from counterpulse.study.reviewing.measures import RATIOS
from counterpulse.synthesis.sequential.required_information import required_for_risks

if TYPE_CHECKING:
    from counterpulse.study.reviewing.certainty import Main

UPGRADES = ("large effect", "dose response", "confounding against the effect")
HIGH = ("high", "critical")
RANDOMIZED, NO_TRIAL = ("random", "rct", "trial"), re.compile(r"\b(non|not|un|quasi)[ -]?(random|rct)|single[ -]arm")
"""Words of designs that were randomized, and what takes it back."""
UNKNOWN = "unclear"
HALF, QUARTER = 0.5, 0.25
"""Shares of the weight at high risk of bias from which bias is suggested as very serious, and serious."""
SUBSTANTIAL, CONSIDERABLE = 0.5, 0.75
"""I-squared from which heterogeneity is called substantial, and considerable (Cochrane Handbook, 10.10.2)."""
USUAL_REDUCTION = 0.25
"""The relative risk reduction of the optimal information size, where the protocol names no important effect (Guyatt 2011)."""
ENOUGH = 10
LARGE, VERY_LARGE = 2.0, 5.0
SUSPECT = 0.1
"""P values of asymmetry below which publication bias is suggested."""


@dataclass(frozen=True, slots=True)
class Computed:
    """What the data say of a domain, and what that suggests; None where only people can tell."""

    text: str
    suggested: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one outcome: its rows, the judgments of bias, and the analysis that answers it."""

    plan: Plan
    outcome: str
    frame: pl.DataFrame
    bias: tuple[Block, ...]
    main: Main

    @property
    def begins_low(self) -> bool:
        """Whether the rating begins low: studies without randomization, unless ROBINS-I judged them or the protocol says otherwise."""
        certainty, tool = self.plan.protocol.certainty, self.plan.protocol.risk_of_bias
        if certainty is not None and certainty.start is not None:
            return certainty.start == "low"
        if tool is not None and tool.tool in ("rob-2", "robins-i"):
            return False
        if "design" not in self.frame.columns:
            return True
        labels = self.plan.variables["design"].levels
        texts = [labels.get(str(value), str(value)).lower() for value in self.frame["design"].drop_nulls().to_list()]
        return not texts or not all(
            any(word in text for word in RANDOMIZED) and not NO_TRIAL.search(text) for text in texts
        )

    def weights(self) -> dict[str, float]:
        """The share of each study in the pooled effect."""
        forest = next(
            (
                block
                for block in self.main.answer.blocks
                if block.kind == "study-forest" and f".{self.outcome}." in f".{block.id}."
            ),
            None,
        )
        if forest is None:
            return {}
        found: dict[str, float] = {}
        for row in forest.rows():
            if row["role"] == "study" and isinstance(row["weight"], float):
                name = str(row["study"]).split(" (row ")[0]
                found[name] = found.get(name, 0.0) + row["weight"]
        return found


def computed(domain: str, evidence: Evidence) -> Computed:
    """What the data say of a domain."""
    if evidence.frame.is_empty():
        return Computed("No study printed an effect.")
    return DOMAINS[domain](evidence)


def _bias(evidence: Evidence) -> Computed:
    levels: dict[str, str] = {}
    for block in evidence.bias:
        for row in block.rows():
            if row["domain"] == OVERALL and row["outcome"] == evidence.outcome and row["level"]:
                levels[str(row["study"])] = str(row["level"])
    studies = list(dict.fromkeys(evidence.frame[STUDY].to_list()))
    if not levels:
        return Computed("No judgment of bias stands in the table.")
    unclear = [name for name in studies if levels.get(name, UNKNOWN) == UNKNOWN]
    if len(unclear) == len(studies):
        return Computed(f"Where bias may be is not known of any of {len(studies)} studies.")
    weights = evidence.weights()
    high = [name for name in studies if levels.get(name) in HIGH]
    share = sum(weights.get(name, 0.0) for name in high)
    text = (
        f"{len(high)} of {len(studies)} studies at high risk, with {share:.0%} of the weight."
        if weights
        else f"{len(high)} of {len(studies)} studies at high risk."
    )
    if not weights:
        share = len(high) / len(studies)
    if unclear:
        text = f"{text[:-1]}; of {len(unclear)} it is not known."
    return Computed(text, "very serious" if share > HALF else "serious" if share > QUARTER else "not serious")


def _inconsistency(evidence: Evidence) -> Computed:
    main = evidence.main
    studies, share = main.detail("studies"), main.detail("i_squared")
    if not isinstance(studies, int) or studies < 2 or not isinstance(share, float):
        return Computed("One study: nothing to compare.", "not serious")
    low, high = main.detail("prediction_low"), main.detail("prediction_high")
    text = f"I-squared {share:.0%}"
    reader = main.row.estimate.natural()
    null = 1.0 if main.row.estimate.measure in RATIOS else 0.0
    wider, compares = False, main.row.estimate.reference is not None
    if isinstance(low, float) and isinstance(high, float) and reader.interval is not None:
        text += f"; a new study is expected between {low:.2f} and {high:.2f}"
        wider = compares and low < null < high and not reader.interval.low < null < reader.interval.high
    suggested = (
        "very serious"
        if share >= CONSIDERABLE and wider
        else "serious"
        if share >= SUBSTANTIAL or wider
        else "not serious"
    )
    return Computed(f"{text}.", suggested)


def _indirectness(evidence: Evidence) -> Computed:
    question = evidence.plan.protocol.question
    asked = f"{question.population}; {question.exposure} against {question.comparator}" if question is not None else ""
    return Computed(f"Compare the studies with the question: {asked}.")


def _imprecision(evidence: Evidence) -> Computed:
    """Whether the interval leaves the answer open, and whether the patients are as many as one good trial would need."""
    main = evidence.main
    reader, measure = main.row.estimate.natural(), main.row.estimate.measure
    if reader.interval is None or not isfinite(reader.value):
        return Computed("No interval could be estimated.", "very serious")
    if measure in SINGLE_ARM:
        return Computed(f"A {measure} has no value of no effect; judge how wide its interval is.")
    null = 1.0 if measure in RATIOS else 0.0
    crosses = reader.interval.low <= null <= reader.interval.high
    important = _important(evidence)
    text = f"The interval {'includes' if crosses else 'excludes'} no effect"
    both = False
    if important is not None:
        benefit, harm = (
            (min(important, 1 / important), max(important, 1 / important))
            if measure in RATIOS
            else (-abs(important), abs(important))
        )
        both = reader.interval.low <= benefit and reader.interval.high >= harm
        text += f" and {'both' if both else 'not both'} important benefit and important harm"
    needed, patients = _information(evidence), patients_of(evidence.frame)
    if needed is not None and patients is not None:
        text += f"; {patients:,} patients, and one trial would need {needed:,}"
    short = needed is not None and patients is not None and patients < needed
    suggested = "very serious" if both or (crosses and short) else "serious" if crosses or short else "not serious"
    return Computed(f"{text}.", suggested)


def _important(evidence: Evidence) -> float | None:
    question = evidence.plan.protocol.question
    return question.every_outcome[evidence.outcome].important if question is not None else None


def _information(evidence: Evidence) -> int | None:
    """The patients that one trial would need for the important effect (of a ratio, with 80% power)."""
    measure, risk = evidence.main.row.estimate.measure, control_risk(evidence.plan, evidence.outcome, evidence.frame)
    if risk is None or measure not in ("odds ratio", "risk ratio", "hazard ratio"):
        return None
    important = _important(evidence)
    reduction = USUAL_REDUCTION if important is None or important == 1 else 1 - min(important, 1 / important)
    try:
        return required_for_risks(control_risk=risk, relative_risk_reduction=reduction).participants
    except InputError:
        return None


def _publication(evidence: Evidence) -> Computed:
    studies = evidence.main.detail("studies")
    tests = [
        row for block in evidence.main.answer.blocks if block.kind == "small-study-test" and f".{evidence.outcome}." in f".{block.id}."
        for row in block.rows() if isinstance(row["p_value"], float) and row["statistic_name"] is not None
    ]  # fmt: skip
    if isinstance(studies, int) and studies < ENOUGH:
        return Computed(
            f"{studies} {'study' if studies == 1 else 'studies'}: too few for any test of asymmetry; look at registers of trials for unpublished ones."
        )
    if not tests:
        return Computed("No test of asymmetry was planned.")
    text = "; ".join(f"{row['test']} P = {row['p_value']:.2f}" for row in tests)
    suspected = min(float(row["p_value"]) for row in tests if isinstance(row["p_value"], float)) < SUSPECT
    return Computed(f"{text}.", "strongly suspected" if suspected else "undetected")


def _large(evidence: Evidence) -> Computed:
    value, measure = evidence.main.row.estimate.natural().value, evidence.main.row.estimate.measure
    if measure not in RATIOS or not isfinite(value) or value <= 0:
        return Computed("The measure is no ratio.")
    factor = max(value, 1 / value)
    text = f"The effect is a factor of {factor:.2f}."
    return Computed(text, "very large" if factor >= VERY_LARGE else "yes" if log(factor) >= log(LARGE) else "no")


def _people(evidence: Evidence) -> Computed:
    return Computed("Nothing that could be computed.")


DOMAINS: Mapping[str, Callable[[Evidence], Computed]] = {
    "risk of bias": _bias, "inconsistency": _inconsistency, "indirectness": _indirectness, "imprecision": _imprecision,
    "publication bias": _publication, "large effect": _large, "dose response": _people, "confounding against the effect": _people,
}  # fmt: skip
