"""Covariates selected from the data: chosen, refitted without a penalty, and the choice repeated in bootstrap samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import nan

import numpy as np
from numpy.typing import NDArray

from counterpulse import regression
from counterpulse.data.design import complete_rows
from counterpulse.data.terms import Interaction, Term, variables_of
from counterpulse.numerics.random_streams import stream
from counterpulse.protocol.plan import PlannedSelection
from counterpulse.regression import Candidate, ColumnLikelihood
from counterpulse.results import Block, Cell, Choice, Estimate, EstimateRow, Interval, Notice, Status
from counterpulse.study.answers.choosing import Chosen, choose
from counterpulse.study.answers.fitted_model import patients, total_events
from counterpulse.study.catalog import METHODS
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.patients.samples import picked
from counterpulse.study.planning.wording import term_text
from counterpulse.study.request import USUAL_SEED, Answer, Request, block_id, place

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

REPEATED = "selection repeated"
INTERVAL = "percentile, selection repeated in each bootstrap sample"
TOO_NARROW = "The covariates were selected from the data: the interval is too narrow and the P value too small."
SAME = 1e-5
"""The selection's own fit of the chosen model and the method's agree to this part of a coefficient."""


@dataclass(frozen=True, slots=True)
class Search:
    """The likelihood of all terms, and which of its coefficients belong to what."""

    request: Request
    selection: PlannedSelection
    likelihood: ColumnLikelihood
    candidates: tuple[Candidate, ...]
    keep: tuple[int, ...]
    exposure: tuple[int, ...]
    units: Indices

    def chosen(self, random: np.random.Generator, likelihood: ColumnLikelihood, units: Indices) -> Chosen:
        """Select once."""
        return choose(self.selection, self.candidates, self.keep, likelihood, units, random)

    def random(self, draw: int) -> np.random.Generator:
        """The random numbers of one draw."""
        seed = self.request.seed_used
        return stream(seed, f"{self.request.analysis.id}.{self.request.name}", draw)


def selected(request: Request, fit: Callable[[Request], Answer]) -> Answer:
    """Select covariates, and answer with the model of those chosen."""
    selection = request.analysis.selection
    assert selection is not None
    request, lost = _complete(request, selection)
    if not request.frame.height:
        analysis = replace(request.analysis, terms=(*request.analysis.terms, *selection.candidates), selection=None)
        return fit(replace(request, analysis=analysis))
    search = _search(request, selection)
    found = search.chosen(search.random(0), search.likelihood, search.units)
    terms = tuple(selection.candidates[index] for index in found.terms)
    analysis = replace(request.analysis, terms=(*request.analysis.terms, *terms), selection=None)
    asked = replace(request, analysis=analysis)
    nothing = request.group is None and not analysis.terms
    answer = Answer(rows=(_nothing(request),)) if nothing else fit(asked)
    rows = tuple(_with_note(row, lost) for row in answer.rows)
    names = ", ".join(map(term_text, terms)) or "none"
    answer = replace(
        answer, rows=rows, n_missing=answer.n_missing + lost, blocks=(*answer.blocks, *_path_blocks(request, found)),
        choices=(*answer.choices, *_choices(search, names)), notices=(*answer.notices, _notice(request, selection, names)),
        details={**answer.details, f"{request.name}: selected": names},
        citations=(*answer.citations, *_citations(selection)),
    )  # fmt: skip
    return answer.joined(_repeated(search, found, rows)) if selection.repeats else answer


def _complete(request: Request, selection: PlannedSelection) -> tuple[Request, int]:
    """The rows complete for every candidate, and how many are not."""
    analysis = request.analysis
    group = () if request.group is None else (request.group,)
    terms: tuple[Term, ...] = (*group, *analysis.terms, *selection.candidates)
    names = [name for term in terms for name in variables_of(term)]
    names += [] if request.cluster is None else [request.cluster]
    rows = np.flatnonzero(complete_rows(request.frame, names))
    return replace(request, sample=picked(request.sample, rows)), request.frame.height - len(rows)


def _search(request: Request, selection: PlannedSelection) -> Search:
    analysis = request.analysis
    spec = METHODS[analysis.method]
    assert spec.likelihood is not None
    group = () if request.group is None else (request.group,)
    fixed: tuple[Term, ...] = (*group, *analysis.terms)
    known = np.flatnonzero(complete_rows(request.frame, columns_of(request.outcome.name, request.outcome.kind)))
    request = replace(request, sample=picked(request.sample, known))
    likelihood = spec.likelihood(request, (*fixed, *selection.candidates))
    if selection.method == "lasso":
        likelihood = likelihood.penalized()
    columns = regression.term_columns(likelihood)
    first = len(fixed)
    candidates = tuple(
        Candidate(term_text(term), columns[first + index], _needs(term, selection.candidates))
        for index, term in enumerate(selection.candidates)
    )
    rows = likelihood.rows_used
    units = (
        request.sample.row_of_origin[rows]
        if request.cluster is None
        else request.frame[request.cluster].rank("dense").to_numpy()[rows]
    )
    _, codes = np.unique(units, return_inverse=True)
    keep = tuple(column for term in columns[:first] for column in term)
    return Search(
        request, selection, likelihood, candidates, keep, tuple(keep[: len(columns[0])] if group else ()), codes
    )


def _needs(term: Term, candidates: Sequence[Term]) -> tuple[int, ...]:
    """The main effects of a product, where they are candidates too."""
    if not isinstance(term, Interaction):
        return ()
    names = set(variables_of(term))
    return tuple(
        index
        for index, other in enumerate(candidates)
        if not isinstance(other, Interaction) and variables_of(other)[0] in names
    )


def _with_note(row: EstimateRow, lost: int) -> EstimateRow:
    notes = (*row.estimate.notes, TOO_NARROW) if row.estimate.interval is not None else row.estimate.notes
    n_missing = None if row.n_missing is None else row.n_missing + lost
    return replace(row, estimate=replace(row.estimate, notes=notes), n_missing=n_missing)


def _nothing(request: Request) -> EstimateRow:
    measure = METHODS[request.analysis.method].measures[0]
    estimate = Estimate(term="covariates", measure=measure, value=nan, status=Status.NOTHING_SELECTED)
    rows = np.arange(request.frame.height)
    return place(request, estimate, n=patients(request, rows), events=total_events(request, rows))


def _choices(search: Search, names: str) -> tuple[Choice, ...]:
    selection, seed = search.selection, search.request.seed
    choices = [Choice(f"selected covariates, {search.request.name}", names, "derived")]
    if seed is None and (selection.repeats or selection.method == "lasso"):
        choices.append(Choice("seed of the selection", USUAL_SEED, "default"))
    return tuple(choices)


def _citations(selection: PlannedSelection) -> tuple[str, ...]:
    methods = ("tibshirani-1996", "friedman-2010") if selection.method == "lasso" else ("heinze-2018",)
    return (*methods, "sauerbrei-schumacher-1992") if selection.repeats else methods


def _notice(request: Request, selection: PlannedSelection, names: str) -> Notice:
    text = (
        f"{request.name}: the covariates were selected from {len(selection.candidates)} candidates by looking at the outcome "
        f"(selected: {names}). Intervals of this model are too narrow and P values too small."
    )
    return Notice("W640", request.analysis.id, text)


def _path_blocks(request: Request, found: Chosen) -> tuple[Block, ...]:
    """The steps of the selection, and the path of a lasso."""
    blocks = []
    if found.path:
        names = ("step", "action", "term", "statistic", "df", "p_value", "criterion")
        columns = {name: tuple(getattr(step, name) for step in found.path) for name in names}
        columns["step"] = tuple(range(1, len(found.path) + 1))
        blocks.append(_block(request, "selection-path", columns))
    if found.lasso is not None and found.lasso.penalties[0] > 0:
        fit = found.lasso
        marks = {fit.minimum: ["minimum"]}
        marks.setdefault(fit.one_standard_error, []).append("one-standard-error")
        columns = {
            "penalty": tuple(map(float, fit.penalties)),
            "nonzero": tuple(int(count) for count in found.nonzero),
            "deviance": tuple(map(float, fit.deviance)),
            "std_error": tuple(map(float, fit.std_error)),
            "chosen": tuple(", ".join(marks.get(index, [])) or None for index in range(len(fit.penalties))),
        }
        blocks.append(_block(request, "lasso-path", columns))
    return tuple(blocks)


def _block(request: Request, kind: str, columns: Mapping[str, Sequence[Cell]]) -> Block:
    return Block(id=block_id(request, kind), analysis=request.analysis.id, kind=kind, columns=columns)


@dataclass(frozen=True, slots=True)
class Repeat:
    """One bootstrap sample: which candidates were selected, the coefficients of the exposure (nan where there is none)."""

    selected: NDArray[np.bool_]
    exposure: Floats


def _repeated(search: Search, found: Chosen, rows: Sequence[EstimateRow]) -> Answer:
    """How often each candidate is selected, and intervals that know of the selection."""
    repeats = search.selection.repeats
    samples = search.request.workers.map(partial(_one_repeat, search), range(1, repeats + 1))
    often = np.mean([sample.selected for sample in samples], axis=0)
    columns = {
        "term": tuple(candidate.name for candidate in search.candidates),
        "selected": tuple("yes" if index in found.terms else "no" for index in range(len(search.candidates))),
        "frequency": tuple(map(float, often)),
    }
    drawn = np.array([sample.exposure for sample in samples]).reshape(repeats, -1)
    extra = tuple(
        _widened(search, row, drawn[:, index])
        for index, value in enumerate(found.coefficients(search.exposure, search.likelihood.scale))
        for row in rows
        if _is_coefficient(search, row, float(value))
    )
    return Answer(rows=extra, blocks=(_block(search.request, "selection-frequency", columns),))


def _one_repeat(search: Search, draw: int) -> Repeat:
    """Patients (or clusters) drawn with replacement count so many times on the same matrix."""
    random = search.random(draw)
    size = int(search.units.max(initial=-1)) + 1
    times = np.bincount(random.integers(0, max(size, 1), size), minlength=size)
    counts = times[search.units].astype(np.float64)
    found = search.chosen(random, search.likelihood.weighted(counts), search.units[counts > 0])
    chosen = np.zeros(len(search.candidates), dtype=bool)
    chosen[list(found.terms)] = True
    return Repeat(chosen, found.coefficients(search.exposure, search.likelihood.scale))


def _is_coefficient(search: Search, row: EstimateRow, value: float) -> bool:
    """Whether a row is the coefficient of the exposure that the selection fitted too."""
    estimate = row.estimate
    mine = estimate.variable == search.request.group and row.subgroup is None and estimate.at is None
    return mine and bool(np.isclose(estimate.value, value, rtol=SAME, atol=SAME))


def _widened(search: Search, row: EstimateRow, drawn: Floats) -> EstimateRow:
    """The estimate with an interval from repeated selections."""
    level, finite = search.request.analysis.level, drawn[np.isfinite(drawn)]
    estimate = replace(
        row.estimate, std_error=None, interval=None, statistic=None, statistic_name=None, df=None, p_value=None,
        notes=(f"{len(finite)} of {len(drawn)} bootstrap samples gave an estimate.",),
    )  # fmt: skip
    if len(finite) > 1:
        low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
        interval = Interval(float(low), float(high), level, INTERVAL)
        estimate = replace(estimate, std_error=float(finite.std(ddof=1)), interval=interval)
    named = search.request.named(REPEATED)
    return replace(
        place(named, estimate, kind="conditional", groups=row.groups, n=row.n, events=row.events, clusters=row.clusters),
        n_missing=row.n_missing,
    )  # fmt: skip
