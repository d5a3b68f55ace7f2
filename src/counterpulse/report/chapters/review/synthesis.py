"""What each synthesis of a review found, put together from the rows of its analysis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.blocks.block_tables import known
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import inside
from counterpulse.results import AnalysisRecord, Block, EstimateRow

POOLED, BAYESIAN, SEQUENTIAL, NETWORK = (
    "meta-analysis", "bayesian-meta-analysis", "sequential-meta-analysis", "network-meta-analysis",
)  # fmt: skip
BESIDE = "heterogeneity"
"""The variable of rows that stand beside a pooled effect; their terms tell them apart."""
CHANGE = "change in "
"""What the measure of a coefficient of a meta-regression begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesis:
    """One pooled effect with what stands beside it; `between` is the variance or, in a Bayesian analysis, the standard deviation."""

    record: AnalysisRecord
    effect: EstimateRow
    studies: int | None = None
    prediction: EstimateRow | None = None
    between: EstimateRow | None = None
    share: EstimateRow | None = None
    permuted: EstimateRow | None = None
    stage_wise: EstimateRow | None = None

    @property
    def outcome(self) -> str:
        """The outcome that was pooled."""
        return self.effect.outcome

    @property
    def bayesian(self) -> bool:
        """Whether its intervals are credible intervals."""
        return self.record.method == BAYESIAN


def detail(context: Context, analysis: str, outcome: str, name: str) -> float | None:
    """A number that stands beside an analysis of an outcome."""
    return known(context.result.details.get(analysis, {}).get(f"{outcome}.{name}"))


def studies_of(context: Context, analysis: str, outcome: str) -> int | None:
    """How many studies an analysis of an outcome pooled."""
    found = detail(context, analysis, outcome, "studies")
    return None if found is None else round(found)


def is_regression(context: Context, analysis: str) -> bool:
    """Whether an analysis is a meta-regression."""
    planned = context.planned(analysis)
    return planned is not None and bool(planned.options.get("moderators"))


def syntheses(context: Context, analysis: str | None = None) -> list[Synthesis]:
    """Every pooled effect, or those of one analysis; networks and meta-regressions have their own tables."""
    records = [record for record in context.result.analyses if analysis in (None, record.id)]
    return [
        _of(context, record, row)
        for record in records
        if record.method != NETWORK and not is_regression(context, record.id)
        for row in main_rows(context, record.id)
    ]


def main_rows(context: Context, analysis: str) -> list[EstimateRow]:
    """The effects of an analysis itself: of no subgroup, no variant, and not beside another."""
    return [
        row
        for row in context.rows(analysis)
        if row.role != "covariate"
        and row.subgroup is None
        and row.model is None
        and row.estimate.measure != "interaction"
        and not row.estimate.measure.startswith(CHANGE)
    ]


def _of(context: Context, record: AnalysisRecord, row: EstimateRow) -> Synthesis:
    beside = {
        other.estimate.term: other
        for other in context.rows(record.id)
        if other.outcome == row.outcome and other.estimate.variable == BESIDE and other.model is None
    }
    return Synthesis(
        record=record, effect=row, studies=studies_of(context, record.id, row.outcome), prediction=beside.get("new study"),
        between=beside.get("tau2") or beside.get("tau"), share=beside.get("i2"), permuted=beside.get("permutation"),
        stage_wise=beside.get("stage-wise"),
    )  # fmt: skip


def corrected(context: Context, analysis: str, outcome: str) -> list[EstimateRow]:
    """The effects of an analysis corrected for small-study effects, each under the name of its method."""
    return [
        row
        for row in context.rows(analysis)
        if row.outcome == outcome and row.model is not None and row.role == "covariate"
    ]


def label_of(context: Context, record: AnalysisRecord, outcome: str | None) -> str:
    """The label of an analysis, with its outcome where neither it nor the protocol names it."""
    written = next((node.label for node in context.plan.protocol.analyses if node.id == record.id), None)
    label = context.outcome_label(outcome) if outcome is not None else ""
    if not label or written is not None or label.casefold() in record.label.casefold():
        return record.label
    return f"{record.label}: {inside(label)}"


def blocks_of_analysis(context: Context, analysis: str, *kinds: str) -> list[Block]:
    """The blocks of some kinds of an analysis."""
    return [block for block in context.result.blocks if block.analysis == analysis and block.kind in kinds]


def review_block(context: Context, kind: str) -> Block | None:
    """A block of the review as a whole."""
    return next((block for block in context.result.blocks if block.kind == kind and block.analysis == "review"), None)


def of_method(items: Sequence[PlannedAnalysis], *methods: str) -> list[PlannedAnalysis]:
    """The analyses of some methods."""
    return [item for item in items if item.method in methods]
