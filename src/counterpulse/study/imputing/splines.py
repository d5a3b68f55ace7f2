"""One spline in all imputed tables: coefficients at other knots are other quantities, and have no mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from counterpulse.data.design import complete_rows, spline_coding
from counterpulse.data.terms import Interaction, Spline, Term
from counterpulse.protocol.plan import PlannedAnalysis, PlannedModel, PlannedOutcome, PlannedSelection
from counterpulse.study.patients.made_sample import MadeSample
from counterpulse.study.patients.outcomes import columns_of


def with_shared_splines(
    analysis: PlannedAnalysis, outcome: PlannedOutcome, versions: Sequence[MadeSample]
) -> PlannedAnalysis:
    """The analysis whose splines have the same knots in every table: each at the mean of where the tables have it."""
    if len(versions) == 1 or not any(_bends(term) for term in analysis.every_term):
        return analysis
    needed = columns_of(outcome.name, outcome.kind)
    frames = [_known(made.sample.frame, needed) for made in versions]

    def shared(terms: Sequence[Term]) -> tuple[Term, ...]:
        return tuple(_shared(term, frames) for term in terms)

    def chosen(selection: PlannedSelection | None) -> PlannedSelection | None:
        if selection is None:
            return None
        return replace(selection, candidates=shared(selection.candidates), keep=shared(selection.keep))

    models = [
        PlannedModel(name=one.name, terms=shared(one.terms), selection=chosen(one.selection)) for one in analysis.models
    ]
    return replace(
        analysis, terms=shared(analysis.terms), selection=chosen(analysis.selection), models=tuple(models),
        screen=shared(analysis.screen),
    )  # fmt: skip


def _bends(term: Term) -> bool:
    sides = (term.left, term.right) if isinstance(term, Interaction) else (term,)
    return any(isinstance(side, Spline) for side in sides)


def _known(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The rows whose outcome is known."""
    return frame[complete_rows(frame, [name for name in names if name in frame.columns]).nonzero()[0]]


def _shared(term: Term, frames: Sequence[pl.DataFrame]) -> Term:
    if isinstance(term, Interaction):
        left, right = (_shared(side, frames) for side in (term.left, term.right))
        assert not isinstance(left, Interaction)
        assert not isinstance(right, Interaction)
        return Interaction(left, right)
    return _shared_spline(term, frames) if isinstance(term, Spline) else term


def _shared_spline(term: Spline, frames: Sequence[pl.DataFrame]) -> Spline:
    """The spline with its mean knots, reference and span; as it stands where a table has too few values for it."""
    codings = [spline_coding(frame[term.variable], term) for frame in frames]
    if not all(coding.knots for coding in codings):
        return term
    low, high = _mean([coding.span for coding in codings])
    (reference,) = _mean([(coding.reference,) for coding in codings])
    return replace(term, knots=_mean([coding.knots for coding in codings]), reference=reference, span=(low, high))


def _mean(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """Column by column; equal rows to the bit."""
    return rows[0] if len(set(rows)) == 1 else tuple(np.mean(rows, axis=0).tolist())
