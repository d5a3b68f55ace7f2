"""The plan as a rehearsal carries it out: the planned estimates of one outcome, and nothing beside them."""

from __future__ import annotations

from dataclasses import replace

from counterpulse.protocol.nodes import Privacy, Rehearsal
from counterpulse.protocol.plan import (
    Plan,
    PlannedAnalysis,
    PlannedBalancing,
    PlannedImputation,
    PlannedModel,
    PlannedRobustness,
)
from counterpulse.protocol.words import Duration
from counterpulse.results.rehearsed_study import LeftOut
from counterpulse.study.rehearsing.unseen import keeps_by_outcome, why_not

MAKERS = ("as observed", "landmark", "time-varying")
"""Samples whose truth is that of people treated from its beginning."""
FROM_ZERO = Duration(0.0, "days")
COMPLETE = "complete-case"
BOOTSTRAP = "bootstrap"


def planned_for(
    plan: Plan, name: str, hidden: frozenset[str]
) -> tuple[tuple[PlannedAnalysis, ...], tuple[LeftOut, ...]]:
    """The analyses of an outcome, and those of them that cannot be rehearsed; a `keep` that reads an outcome is not applied."""
    kept, left = [], []
    for analysis in (item for item in plan.analyses if name in item.outcomes):
        reason = "it screens predictors, not the exposure" if analysis.only_screen else why_not(plan, analysis, hidden)
        if reason is None:
            kept.append(replace(analysis, keep=None) if keeps_by_outcome(plan, analysis, hidden) else analysis)
        else:
            left.append(LeftOut(analysis.id, name, reason))
    return tuple(kept), tuple(left)


def rehearsed(plan: Plan, rehearsal: Rehearsal, name: str, analyses: tuple[PlannedAnalysis, ...]) -> Plan:
    """The plan with these analyses of this outcome, as they are run in every replicate."""
    bare = tuple(_bare(replace(item, outcomes=(name,)), rehearsal, name) for item in analyses)
    nodes = plan.protocol.model_copy(update={"privacy": Privacy(small_cells=0), "describe": None})
    return replace(
        plan, protocol=nodes, analyses=bare, table_one=None, subgroups=None, robustness=PlannedRobustness(), flow=()
    )


def for_truth(plan: Plan, analysis: PlannedAnalysis) -> Plan:
    """The plan with one analysis as it asks people who differ in nothing but the treatment.

    They are those whom the effect is about, and groups that do not differ are weighted as well as matched.
    """
    landmark = analysis.maker == "landmark"
    asked = replace(
        analysis, balancing=None if analysis.balancing is None else PlannedBalancing(use="weighting", by="logistic", terms=analysis.balancing.terms),
        target="all", imputation=None, missing=COMPLETE, clusters=None,
        maker="landmark" if landmark else "as observed", landmarks=analysis.landmarks if landmark else (),
    )  # fmt: skip
    return replace(plan, analyses=(asked,))


def begins_at(analysis: PlannedAnalysis) -> tuple[Duration, ...]:
    """When treatment begins in the people behind the truth: at each landmark, else at time zero."""
    return analysis.landmarks if analysis.maker == "landmark" else (FROM_ZERO,)


def _bare(analysis: PlannedAnalysis, rehearsal: Rehearsal, name: str) -> PlannedAnalysis:
    options = dict(analysis.options)
    if isinstance(drawn := options.get(BOOTSTRAP), int | float):
        options[BOOTSTRAP] = min(drawn, rehearsal.bootstrap)
    imputed = rehearsal.datasets is not None and analysis.imputation is not None
    return replace(
        analysis, checks=(), draws=(), screen=(), options=options, shifts=(), multiplicity="none",
        selection=None if analysis.selection is None else replace(analysis.selection, repeats=0),
        models=tuple(map(_unrepeated, analysis.models)),
        missing=analysis.missing if imputed else COMPLETE,
        imputation=_imputation(analysis.imputation, rehearsal.datasets, name) if imputed else None,
    )  # fmt: skip


def _unrepeated(model: PlannedModel) -> PlannedModel:
    return model if model.selection is None else replace(model, selection=replace(model.selection, repeats=0))


def _imputation(planned: PlannedImputation | None, datasets: int | None, name: str) -> PlannedImputation:
    """As planned with fewer tables; of the outcomes only the one that is simulated takes part."""
    assert planned is not None
    own = tuple(item for item in planned.outcomes if item == name or item.startswith(f"{name}."))
    return replace(planned, datasets=datasets, outcomes=own)
