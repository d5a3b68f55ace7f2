"""The exposure itself as the outcome of a model: who was given the treatment."""

from __future__ import annotations

import polars as pl

from counterpulse.protocol.nodes import GroupOutcome, ProtocolNode
from counterpulse.protocol.plan import Plan, PlannedOutcome


def exposure_outcome_name(variable: str, level: str) -> str:
    """The name of the outcome, which no name of the language can be."""
    return f"{variable}={level}"


def exposure_outcomes(nodes: ProtocolNode) -> dict[str, PlannedOutcome]:
    """The outcomes that analyses of the exposure have, by name."""
    if nodes.groups is None:
        return {}
    found = {}
    for analysis in nodes.analyses:
        if isinstance(analysis.outcome, GroupOutcome) and analysis.outcome.group in nodes.groups.levels:
            level = analysis.outcome.group
            name, label = exposure_outcome_name(nodes.groups.variable, level), nodes.groups.labels[level]
            found[name] = PlannedOutcome(
                name=name, label=label, kind="binary", definition=f"belongs to the group {label}", of_group=level
            )
    return found


def with_exposure_outcomes(frame: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The frame with a true/false column for each modeled group; null in nobody's group."""
    return frame.with_columns(
        (pl.col(str(plan.group_variable)).cast(pl.String) == outcome.of_group).alias(outcome.name)
        for outcome in plan.outcomes.values()
        if outcome.of_group is not None
    )
