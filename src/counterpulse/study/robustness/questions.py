"""Which analyses ask the same question, and an analysis asked for its effect alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.results import EstimateRow
from counterpulse.study.request import Answer

NAIVE = "as observed"
SHIFTED = re.compile(r"(?P<variable>[^\W\d]\w*) (?P<by>[+-]\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
"""What a sample is called in which imputed values of a variable are shifted: ``lactate +0.5``."""
NAMES = frozenset({"id", "role", "label", "of", "planned", "multiplicity"})
WORDS = frozenset({"composition", "choices", "citations", "clauses", "companion_labels", "sentence"})
BESIDE = frozenset({"measures", "companions", "companion_labels", "checks", "draws", "screen", "shifts"})
BESIDE_OPTIONS = frozenset({"leave_one_out", "cumulative", "influence", "gosh", "permutation", "small_study_effects"})
"""Options that ask something beside the effect of a review."""
QUESTION = ("terms", "selection", "models", "balancing")
"""What two analyses with one measure share that ask the same: a plan for immortal time may bring a method of its own, with its
way to treat missing values and clusters."""


def decides(analysis: PlannedAnalysis) -> dict[str, object]:
    """What makes the estimate of an analysis, without names, words, what is asked beside it, and variables imputed besides."""
    left_out = NAMES | WORDS | BESIDE
    parts = {field.name: getattr(analysis, field.name) for field in fields(analysis) if field.name not in left_out}
    imputation = None if analysis.imputation is None else analysis.imputation.way
    parts["options"] = {name: value for name, value in analysis.options.items() if name not in BESIDE_OPTIONS}
    return parts | {"measure": analysis.measures[0], "imputation": imputation}


def same_question(one: PlannedAnalysis, other: PlannedAnalysis) -> bool:
    """Whether two analyses have one measure and one set of covariates; they may differ in the plan for immortal time."""
    parts = [(item.measures[0], *(getattr(item, name) for name in QUESTION)) for item in (one, other)]
    return parts[0] == parts[1]


def same_plan(one: PlannedAnalysis, other: PlannedAnalysis) -> bool:
    """Whether two analyses keep immortal time out in the same way."""
    return (one.maker, one.landmarks) == (other.maker, other.landmarks)


def alone(analysis: PlannedAnalysis) -> PlannedAnalysis:
    """The same for its effect alone: nothing tested, drawn or estimated beside it."""
    return replace(
        analysis,
        measures=analysis.measures[:1],
        companions=(),
        companion_labels=(),
        checks=(),
        draws=(),
        screen=(),
        shifts=(),
    )


def effects(plan: Plan, answer: Answer, outcome: str | None = None, *, shifted: bool = False) -> Iterator[EstimateRow]:
    """The rows that compare the groups in everybody, in the order of the answer; of all outcomes, or one.

    Those whose imputed values are shifted are among them only where that is wanted (`shifted`).
    """
    for row in answer.rows:
        compared = row.estimate.variable == plan.group_variable and row.estimate.reference is not None
        moved = not shifted and any(by for _, by in shifts_of(row))
        if (
            compared
            and not moved
            and row.role != "covariate"
            and row.subgroup is None
            and outcome in (None, row.outcome)
        ):
            yield row


def shifts_of(row: EstimateRow) -> tuple[tuple[str, float], ...]:
    """The variables whose imputed values are shifted in the sample of a row, and by how much."""
    found = (SHIFTED.fullmatch(part) for part in (row.model or "").split(", "))
    return tuple((one["variable"], float(one["by"])) for one in found if one is not None)
