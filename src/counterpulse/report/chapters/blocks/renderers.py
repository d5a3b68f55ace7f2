"""One renderer for each kind of block. A kind that has none is a plain table, so that nothing a run found is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from counterpulse.report.chapters.blocks import (
    adjustment,
    certainty,
    confounding,
    description,
    exploration,
    extraction,
    imputations,
    networks,
    planes,
    prediction_planes,
    robustness,
    selection,
)
from counterpulse.report.chapters.blocks.assumptions import proportional_hazards, proportional_odds
from counterpulse.report.chapters.blocks.balance import balance
from counterpulse.report.chapters.blocks.bias import risk_of_bias
from counterpulse.report.chapters.blocks.block_tables import plain_table
from counterpulse.report.chapters.blocks.curves import curve_figures
from counterpulse.report.chapters.blocks.e_values import e_values
from counterpulse.report.chapters.blocks.immortal_time import immortal_times
from counterpulse.report.chapters.blocks.posteriors import posterior_summaries, posteriors
from counterpulse.report.chapters.blocks.sequential import sequential
from counterpulse.report.chapters.blocks.small_study import small_study_tests
from counterpulse.report.chapters.blocks.synthesis import funnel_figures, study_forests
from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.results import Block

Renderer = Callable[[Context, Block], Sequence[DocumentBlock]]


def elsewhere(context: Context, block: Block) -> Sequence[DocumentBlock]:
    """Printed with something else: numbers at risk under their curve, forests from the estimates."""
    return ()


def unprinted(context: Context, block: Block) -> Sequence[DocumentBlock]:
    """For programs only; it stands in results.json."""
    return ()


RENDERERS: Mapping[str, Renderer] = {
    "balance": balance,
    "effective-size": adjustment.effective_sizes,
    "overlap": adjustment.overlaps,
    "weights": adjustment.weights,
    "immortal-time": immortal_times,
    "summary-of-findings": certainty.summaries_of_findings,
    "study-forest": study_forests,
    "cumulative": exploration.cumulative,
    "leave-one-out": exploration.leave_one_out,
    "influence": exploration.influence,
    "gosh": exploration.gosh,
    "bubble": exploration.bubbles,
    "funnel": funnel_figures,
    "small-study-test": small_study_tests,
    "posterior": posteriors,
    "posterior-summary": posterior_summaries,
    "sequential": sequential,
    "network": networks.networks,
    "league-table": networks.league_tables,
    "network-treatment": networks.rankings,
    "node-splitting": networks.node_splitting,
    "design-decomposition": networks.design_decomposition,
    "risk-of-bias": risk_of_bias,
    "effect-sizes": extraction.effect_sizes,
    "agreement": extraction.agreements,
    "discrepancy": extraction.discrepancies,
    "certainty": certainty.certainties,
    "survival-curve": curve_figures,
    "cumulative-incidence": curve_figures,
    "numbers-at-risk": elsewhere,
    "forest": elsewhere,
    "proportional-hazards": proportional_hazards,
    "proportional-odds": proportional_odds,
    "effect-curve": planes.effect_curves,
    "selection-path": selection.selection_path,
    "selection-frequency": selection.selection_frequency,
    "lasso-path": planes.lasso_paths,
    "calibration-curve": prediction_planes.calibration_curves,
    "roc": prediction_planes.roc_curves,
    "decision-curve": prediction_planes.decision_curves,
    "time-dependent-auc": prediction_planes.time_dependent_aucs,
    "distribution": description.distributions,
    "crosstab": description.crosstabs,
    "missingness": description.missingness,
    "missing-pattern": description.missing_patterns,
    "rows-lost": description.rows_lost,
    "correlation": description.associations,
    "variance-inflation": description.variance_inflation,
    "center-funnel": description.centers,
    "events-per-parameter": description.per_parameter,
    "e-value": e_values,
    "negative-control": confounding.negative_controls,
    "bias-analysis": confounding.bias_analysis,
    "tipping-point": robustness.tipping_points,
    "specification-curve": robustness.specification_curves,
    "operating-characteristics": robustness.operating_characteristics,
    "imputation": imputations.imputed_variables,
    "predictor-matrix": imputations.predictor_matrix,
    "imputation-trace": imputations.traces,
    "imputation-density": imputations.densities,
    "covariance": unprinted,
    "group-test": unprinted,
}

ORDER = tuple(RENDERERS)
"""Kinds in the order in which an analysis shows them; others follow."""


def rendered(
    context: Context, analysis: str, *, only: Sequence[str] = (), but: Sequence[str] = ()
) -> list[DocumentBlock]:
    """Every block of an analysis, kind by kind, those of one kind as they stand; `only` some kinds, or all `but` some."""
    blocks = [block for block in context.result.blocks if block.analysis == analysis and block.kind not in but]
    blocks = [block for block in blocks if not only or block.kind in only]
    blocks.sort(key=lambda block: ORDER.index(block.kind) if block.kind in ORDER else len(ORDER))
    return [part for block in blocks for part in RENDERERS.get(block.kind, plain_table)(context, block)]


def rendered_kinds(context: Context, kinds: Sequence[str]) -> list[DocumentBlock]:
    """Every block of some kinds, kind by kind, whatever analysis it is of."""
    return [
        part
        for kind in kinds
        for block in context.result.blocks
        if block.kind == kind
        for part in RENDERERS[kind](context, block)
    ]
