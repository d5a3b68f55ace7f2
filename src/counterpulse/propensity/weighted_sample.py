"""Weighting by the propensity score: groups that stand for the same patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import build_design
from counterpulse.data.sample import Sample
from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.propensity.balance import UNADJUSTED, BalanceTable, Binary, balance_table, effective_size
from counterpulse.propensity.choices import chosen
from counterpulse.propensity.entropy_balancing import entropy_weights_by_group
from counterpulse.propensity.groups import Groups, read_groups
from counterpulse.propensity.matched_pairs import names_of
from counterpulse.propensity.multinomial_score import multinomial_probabilities
from counterpulse.propensity.score import PropensityScore, given_score, propensity_score
from counterpulse.propensity.score_overlap import Overlap, histograms
from counterpulse.propensity.weighting import (
    NAMES,
    TARGETS,
    balancing_weights,
    stabilized,
    truncated,
    within_percentiles,
    within_scores,
)
from counterpulse.propensity.weighting_words import Method, WeightingWords
from counterpulse.regression.model_rows import read_rows, scaled_design
from counterpulse.results.block import Block, Cell
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]

TOO_LARGE = 1e4
"""A weight above this lets one patient stand for ten thousand."""


PERCENTILES = {"p1": 1, "p25": 25, "p50": 50, "p75": 75, "p99": 99}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighting:
    """Weights that make the groups comparable.

    Attributes
    ----------
    weights : one a row of the table; 0 for rows left out, and for all where `status` leaves no weights
    probabilities : of every treatment in the rows used, shape (n, k); empty for entropy balancing
    groups : the treatments and who received them
    estimand : "ATE", "ATT", "ATC", "ATO" or "ATM"; "… among the trimmed" where patients were trimmed
    focal : the treatment whose patients are the target of ATT and ATC, or None
    n_trimmed : patients left out by trimming
    held : whose weight was held at a percentile, shape (n,)
    words : what was asked for
    status : OK, or what went wrong; see `Status`
    """

    weights: Floats = field(repr=False)
    probabilities: Floats = field(repr=False)
    groups: Groups = field(repr=False)
    estimand: str
    target: str
    focal: str | None
    n_trimmed: int
    held: NDArray[np.bool_] = field(repr=False)
    words: WeightingWords = field(repr=False)
    score: PropensityScore | None = field(repr=False)
    covariates: tuple[str, ...]
    status: Status
    provenance: Provenance
    table: pl.DataFrame = field(repr=False)

    def balance(
        self,
        *,
        covariates: Sequence[Term] | None = None,
        between: tuple[str, str] | None = None,
        binary: Binary = "standardized",
        prognostic: ArrayLike | None = None,
        products: bool = False,
    ) -> BalanceTable:
        """Compare two groups before and after weighting.

        Parameters
        ----------
        covariates : to compare; default: those of the score
        between : the treated and the control group; default: the second and the first of two
        binary : "standardized" or "raw" differences of proportions
        prognostic : predicted outcomes without treatment, shape (rows,), compared too
        products : compare squares and products of the numeric covariates too
        """
        if between is None and len(self.groups.names) > 2:
            raise InputError("there are more than two treatments; say between=(treated, control)")
        mine, other = (1, 0) if between is None else map(self.groups.code_of, between)
        score = None
        if len(self.groups.names) == 2 and len(self.probabilities):
            score = np.full(self.groups.height, np.nan)
            score[self.groups.rows] = self.probabilities[:, 1]
        return balance_table(
            self.table, units=self.groups.pair(mine, other), weights=self.weights, sample="weighted",
            covariates=self.covariates if covariates is None else names_of(covariates),
            denominator=self._denominator(mine, other), binary=binary, score=score, prognostic=prognostic,
            products=products,
        )  # fmt: skip

    def _denominator(self, mine: int, other: int) -> Literal["treated", "control", "pooled", "weighted"]:
        if self.focal is None:
            return TARGETS[self.target].denominator
        focal = self.groups.code_of(self.focal)
        return "treated" if focal == mine else "control" if focal == other else "pooled"

    def overlap(self, *, of: str | None = None) -> Overlap:
        """Show the scores of each group before and after weighting.

        Parameters
        ----------
        of : the treatment whose probability is shown; default: the second of two
        """
        names, two = self.groups.names, len(self.groups.names) == 2
        if of is None and not two:
            raise InputError("there are more than two treatments; say of= which one's probability is shown")
        code = 1 if of is None else self.groups.code_of(of)
        labels = dict(enumerate(names)) if not two else {1: "treated", 0: "control"}
        samples = [(UNADJUSTED, np.ones(len(self.groups.rows))), ("weighted", self.weights[self.groups.rows])]
        return histograms(
            self.probabilities[:, code], [(label, self.groups.codes == k) for k, label in labels.items()], samples,
            of=names[code], status=self.status,
        )  # fmt: skip

    def weights_block(self, *, id: str, analysis: str) -> Block:
        """The distribution of the weights above zero by group, as a block of kind "weights"."""
        mine = self.weights[self.groups.rows]
        columns: dict[str, list[Cell]] = {
            name: [] for name in ("group", "n", "effective", "mean", "low", *PERCENTILES, "high")
        }
        for code, name in enumerate(self.groups.names):
            part = mine[(self.groups.codes == code) & (mine > 0)]
            cells: list[Cell] = [name, len(part), effective_size(part), *([None] * 8)]
            if len(part):
                cells[3:] = [float(one) for one in (part.mean(), *np.percentile(part, [0, *PERCENTILES.values(), 100]))]
            for column, cell in zip(columns.values(), cells, strict=True):
                column.append(cell)
        return Block(id=id, analysis=analysis, kind="weights", columns=columns)

    def sample(self) -> Sample:
        """The patients with a weight."""
        kept = np.flatnonzero(self.weights)
        return Sample(frame=self.table[kept], row_of_origin=kept, weights=self.weights[kept], stage=("weighted",))

    def estimates(self) -> tuple[Estimate, ...]:
        """Odds ratios of treatment in the model of the score; none for other models."""
        return () if self.score is None else self.score.estimates()

    def tidy(self) -> pl.DataFrame:
        """Weights by group: how many, the effective number, sum, mean and extremes."""
        mine = self.weights[self.groups.rows]
        rows = []
        for code, name in enumerate(self.groups.names):
            part = mine[(self.groups.codes == code) & (mine > 0)]
            low, mean, high = (part.min(), part.mean(), part.max()) if len(part) else (None, None, None)
            rows.append((name, len(part), effective_size(part), float(part.sum()), low, mean, high))
        columns = {
            "n": pl.Int64,
            "effective": pl.Float64,
            "sum": pl.Float64,
            "smallest": pl.Float64,
            "mean": pl.Float64,
        }
        return pl.DataFrame(rows, schema={"group": pl.String, **columns, "largest": pl.Float64}, orient="row")

    def glance(self) -> pl.DataFrame:
        """Describe the weighting in one row."""
        return pl.DataFrame(
            {
                "n": len(self.groups.rows), "n_missing": self.groups.height - len(self.groups.rows),
                "n_trimmed": self.n_trimmed, "largest_weight": float(self.weights.max(initial=0.0)),
                "estimand": self.estimand, "status": self.status.code,
            }
        )  # fmt: skip


def weight(
    table: pl.DataFrame,
    *,
    treatment: str,
    covariates: Sequence[Term],
    score: str | ArrayLike | None = None,
    estimand: str = "ATE",
    method: Method = "logistic",
    focal: str | None = None,
    stabilize: bool = False,
    trim: float | None = None,
    trim_percentile: float | None = None,
    truncate: float | None = None,
) -> Weighting:
    """Weigh patients so that the groups have the same covariates.

    Parameters
    ----------
    table : one row a patient; rows with a missing value are left out and counted
    treatment : a yes/no or 0/1 column, or text; of two levels the second is the treated one, more are weighted by a
        multinomial score
    covariates : terms of the score, measured before treatment
    score : probabilities of treatment made elsewhere, a column or shape (rows,), of two treatments; then `covariates` are
        for balance
    estimand : the effect in everybody ("ATE"), the treated ("ATT"), the controls ("ATC"), those who could receive
        either ("ATO" or "overlap"), or as in matched pairs ("ATM" or "matching")
    method : "logistic", or "entropy-balancing" (ATE, ATT, ATC), which reaches equal means exactly
    focal : with more than two treatments, the one whose patients are the target of ATT
    stabilize : multiply by the share of each group
    trim : leave out patients with a probability of a treatment below this (0.1: Crump 2009)
    trim_percentile : leave out patients outside this and 100 minus this percentile of the scores of the groups (Stürmer
        2010)
    truncate : hold weights above this percentile of their group at it

    Returns
    -------
    Weighting : its status is not OK where there is nobody to compare, covariates decide treatment, or a weight exceeds
        10,000

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    References
    ----------
    Lunceford and Davidian 2004, doi:10.1002/sim.1903; Li, Morgan and Zaslavsky 2018,
    doi:10.1080/01621459.2016.1260466; Li and Greene 2013, doi:10.1515/ijb-2012-0030; Li and Li 2019,
    doi:10.1214/19-AOAS1282; Hainmueller 2012, doi:10.1093/pan/mpr025
    """
    words = WeightingWords(
        treatment=treatment, covariates=tuple(covariates), score=score, estimand=NAMES.get(estimand, estimand), method=method,
        focal=focal, stabilize=stabilize, trim=trim, trim_percentile=trim_percentile, truncate=truncate,
    )  # fmt: skip
    names = names_of(covariates)
    if treatment in names:
        raise InputError(f"the treatment '{treatment}' is among the covariates; leave it out")
    groups = read_groups(table, treatment=treatment, needed=() if score is not None else names)
    target = _focal(groups, words.estimand, focal)
    found, probabilities, status = None, np.empty((0, len(groups.names))), groups.status
    weights, trimmed = np.zeros(len(groups.rows)), 0
    if status is Status.OK and method == "entropy-balancing":
        X = balanced_columns(table, words, groups)
        balanced = entropy_weights_by_group(X, groups.codes, len(groups.names), target)
        status = Status.NOT_BALANCEABLE if balanced is None else Status.OK
        weights = weights if balanced is None else balanced
    elif status is Status.OK:
        found, groups, probabilities, status = _probabilities(table, words, groups)
        weights = np.zeros(len(groups.rows))
    if status is Status.OK and len(probabilities):
        kept = _kept(probabilities, groups, trim, trim_percentile)
        trimmed = int((~kept).sum())
        tilted = balancing_weights(
            probabilities, groups.codes, TARGETS[words.estimand], 0 if target is None else target
        )
        weights = np.where(kept, tilted, 0.0)
    held = np.zeros(len(weights), dtype=bool)
    if status is Status.OK:
        weights, held, status = _finished(weights, groups, stabilize, truncate)
    spread = np.zeros(table.height)
    spread[groups.rows] = weights
    return Weighting(
        weights=spread, probabilities=probabilities, groups=groups, target=words.estimand, n_trimmed=trimmed, held=held,
        estimand=f"{words.estimand} among the trimmed" if trimmed else words.estimand, covariates=names, status=status,
        focal=None if target is None else groups.names[target], score=found, words=words, table=table,
        provenance=_provenance(words, len(groups.names)),
    )  # fmt: skip


def _focal(groups: Groups, estimand: str, focal: str | None) -> int | None:
    """The position of the treatment whose patients are the target."""
    if not TARGETS[estimand].needs_focal:
        if focal is not None:
            raise InputError(f"the estimand {estimand} has no focal treatment; leave out focal=")
        return None
    if focal is not None:
        return groups.code_of(focal)
    if len(groups.names) > 2:
        raise InputError("of more than two treatments, name the one whose patients are the target: focal=")
    return 1 if estimand == "ATT" else 0


def _probabilities(
    table: pl.DataFrame, words: WeightingWords, groups: Groups
) -> tuple[PropensityScore | None, Groups, Floats, Status]:
    """The score where there are two treatments, who has one, the probability of every treatment, and the status."""
    if words.score is not None and len(groups.names) != 2:
        raise InputError("a score that is given is the probability of one of two treatments; leave out score=")
    if len(groups.names) == 2:
        score = (
            propensity_score(table, treatment=words.treatment, covariates=words.covariates)
            if words.score is None
            else given_score(table, words.score, treatment=words.treatment)
        )
        chance, units = score.probability, score.units
        groups = Groups(height=groups.height, rows=units.rows, codes=units.treated.astype(np.intp), names=groups.names)
        return score, groups, np.column_stack((1 - chance, chance)), score.status
    rows = read_rows(table, outcome=words.treatment, terms=words.covariates, weights=None, cluster=None)
    design = scaled_design(table, rows, words.covariates)
    found = multinomial_probabilities(design.X, groups.codes, len(groups.names))
    if found is None:
        return None, groups, np.empty((0, len(groups.names))), Status.TREATMENT_PREDICTED
    return None, groups, found, Status.OK


def balanced_columns(table: pl.DataFrame, words: WeightingWords, groups: Groups) -> Floats:
    """The columns whose means entropy balancing equates, shape (n, p)."""
    return build_design(table, words.covariates, intercept=False, rows=groups.rows).X


def _kept(
    probabilities: Floats, groups: Groups, trim: float | None, trim_percentile: float | None
) -> NDArray[np.bool_]:
    kept = np.ones(len(probabilities), dtype=bool)
    if trim is not None:
        kept &= within_scores(probabilities, trim)
    if trim_percentile is not None:
        kept &= within_percentiles(probabilities, groups.codes, trim_percentile)
    return kept


def _finished(
    weights: Floats, groups: Groups, stabilize: bool, truncate: float | None
) -> tuple[Floats, NDArray[np.bool_], Status]:
    """Truncate and stabilize; the weights, whose were held at a percentile, and the status."""
    held = np.zeros(len(weights), dtype=bool)
    if not np.isfinite(weights).all():
        return np.zeros(len(weights)), held, Status.EXTREME_WEIGHTS
    if not np.bincount(groups.codes, weights=weights, minlength=len(groups.names)).all():
        return np.zeros(len(weights)), held, Status.NO_OVERLAP
    if truncate is not None:
        highest = truncated(weights, groups.codes, truncate)
        weights, held = highest, highest < weights
    if stabilize:
        weights = stabilized(weights, groups.codes)
    return weights, held, Status.EXTREME_WEIGHTS if weights.max() > TOO_LARGE else Status.OK


def _provenance(words: WeightingWords, groups: int) -> Provenance:
    logistic = words.method == "logistic"
    model = "given" if words.score is not None else "multinomial" if logistic and groups > 2 else words.method
    cited = "hainmueller-2012" if not logistic else "li-li-2019" if groups > 2 else "rosenbaum-rubin-1983"
    percentile = words.trim_percentile
    choices = (
        chosen("estimand", words.estimand, "ATE", TARGETS[words.estimand].reference),
        chosen("score", model, "logistic", cited), chosen("stabilize", words.stabilize, False),
        chosen("trim", words.trim, None, "crump-2009" if words.trim is not None else None),
        chosen("trim_percentile", percentile, None, "sturmer-2010" if percentile is not None else None),
        chosen("truncate", words.truncate, None),
    )  # fmt: skip
    return Provenance(
        method="propensity-score weighting", choices=choices,
        citations=tuple(dict.fromkeys(found.reference for found in choices if found.reference)),
    )  # fmt: skip
