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
from counterpulse.propensity.balance import BalanceTable, Binary, balance_table, effective_size
from counterpulse.propensity.choices import chosen
from counterpulse.propensity.entropy_balancing import entropy_weights
from counterpulse.propensity.groups import Groups, read_groups
from counterpulse.propensity.matched_pairs import names_of
from counterpulse.propensity.multinomial_score import multinomial_probabilities
from counterpulse.propensity.score import PropensityScore, propensity_score
from counterpulse.propensity.weighting import (
    NAMES,
    TARGETS,
    balancing_weights,
    stabilized,
    truncated,
    within_percentiles,
    within_scores,
)
from counterpulse.regression.model_rows import read_rows, scaled_design
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Method = Literal["logistic", "entropy-balancing"]

TOO_LARGE = 1e4
"""A weight above this lets one patient stand for ten thousand."""


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
    status : OK, or what went wrong; see `Status`
    """

    weights: Floats = field(repr=False)
    probabilities: Floats = field(repr=False)
    groups: Groups = field(repr=False)
    estimand: str
    target: str
    focal: str | None
    n_trimmed: int
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
    ) -> BalanceTable:
        """Compare two groups before and after weighting.

        Parameters
        ----------
        covariates : to compare; default: those of the score
        between : the treated and the control group; default: the second and the first of two
        binary : "standardized" or "raw" differences of proportions
        prognostic : predicted outcomes without treatment, shape (rows,), compared too
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
        )  # fmt: skip

    def _denominator(self, mine: int, other: int) -> Literal["treated", "control", "pooled", "weighted"]:
        if self.focal is None:
            return TARGETS[self.target].denominator
        focal = self.groups.code_of(self.focal)
        return "treated" if focal == mine else "control" if focal == other else "pooled"

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
    name = NAMES.get(estimand, estimand)
    names = names_of(covariates)
    if treatment in names:
        raise InputError(f"the treatment '{treatment}' is among the covariates; leave it out")
    _check(name, method, trim, trim_percentile, truncate)
    groups = read_groups(table, treatment=treatment, needed=names)
    target = _focal(groups, name, focal)
    score, probabilities, status = None, np.empty((0, len(groups.names))), groups.status
    weights, trimmed = np.zeros(len(groups.rows)), 0
    if status is Status.OK and method == "entropy-balancing":
        balanced = _entropy(table, covariates, groups, target)
        status = Status.NOT_BALANCEABLE if balanced is None else Status.OK
        weights = weights if balanced is None else balanced
    elif status is Status.OK:
        score, probabilities, status = _probabilities(table, treatment, covariates, groups)
    if status is Status.OK and len(probabilities):
        kept = _kept(probabilities, groups, trim, trim_percentile)
        trimmed = int((~kept).sum())
        weights = balancing_weights(probabilities, groups.codes, TARGETS[name], 0 if target is None else target) * kept
    if status is Status.OK:
        weights, status = _finished(weights, groups, stabilize, truncate)
    spread = np.zeros(table.height)
    spread[groups.rows] = weights
    return Weighting(
        weights=spread, probabilities=probabilities, groups=groups, target=name, n_trimmed=trimmed, score=score,
        estimand=f"{name} among the trimmed" if trimmed else name, covariates=names, status=status, table=table,
        focal=None if target is None else groups.names[target],
        provenance=_provenance(name, method, stabilize, trim, trim_percentile, truncate, len(groups.names)),
    )  # fmt: skip


def _check(
    estimand: str, method: str, trim: float | None, trim_percentile: float | None, truncate: float | None
) -> None:
    if estimand not in TARGETS:
        raise InputError(f"the estimand {estimand!r} is not known; it is one of {', '.join((*TARGETS, *NAMES))}")
    if method not in ("logistic", "entropy-balancing"):
        raise InputError(f"the method {method!r} is not known; it is 'logistic' or 'entropy-balancing'")
    if method == "entropy-balancing" and (estimand in ("ATO", "ATM") or trim or trim_percentile):
        raise InputError("entropy balancing has no scores: it is for ATE, ATT and ATC, without trimming")
    if trim is not None and not 0 <= trim < 0.5:
        raise InputError("trim is a probability from 0 to below 0.5; 0.1 is usual")
    if trim_percentile is not None and not 0 <= trim_percentile < 50:
        raise InputError("trim_percentile is from 0 to below 50; 5 is usual")
    if truncate is not None and not 50 < truncate <= 100:
        raise InputError("truncate is a percentile above 50, up to 100; 99 is usual")


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
    table: pl.DataFrame, treatment: str, covariates: Sequence[Term], groups: Groups
) -> tuple[PropensityScore | None, Floats, Status]:
    if len(groups.names) == 2:
        score = propensity_score(table, treatment=treatment, covariates=covariates)
        chance = score.probability
        return score, np.column_stack((1 - chance, chance)), score.status
    rows = read_rows(table, outcome=treatment, terms=covariates, weights=None, cluster=None)
    design = scaled_design(table, rows, covariates)
    found = multinomial_probabilities(design.X, groups.codes, len(groups.names))
    if found is None:
        return None, np.empty((0, len(groups.names))), Status.TREATMENT_PREDICTED
    return None, found, Status.OK


def _entropy(table: pl.DataFrame, covariates: Sequence[Term], groups: Groups, focal: int | None) -> Floats | None:
    """Every group but the focal one gets the means of the focal one, or of everybody."""
    X = build_design(table, covariates, intercept=False, rows=groups.rows).X
    targets = X.mean(axis=0) if focal is None else X[groups.codes == focal].mean(axis=0)
    weights = np.ones(len(X))
    for code in range(len(groups.names)):
        if code == focal:
            continue
        found = entropy_weights(X[groups.codes == code], targets)
        if found is None:
            return None
        weights[groups.codes == code] = found
    return weights


def _kept(
    probabilities: Floats, groups: Groups, trim: float | None, trim_percentile: float | None
) -> NDArray[np.bool_]:
    kept = np.ones(len(probabilities), dtype=bool)
    if trim is not None:
        kept &= within_scores(probabilities, trim)
    if trim_percentile is not None:
        kept &= within_percentiles(probabilities, groups.codes, trim_percentile)
    return kept


def _finished(weights: Floats, groups: Groups, stabilize: bool, truncate: float | None) -> tuple[Floats, Status]:
    if not np.isfinite(weights).all():
        return np.zeros(len(weights)), Status.EXTREME_WEIGHTS
    if not np.bincount(groups.codes, weights=weights, minlength=len(groups.names)).all():
        return np.zeros(len(weights)), Status.NO_OVERLAP
    if truncate is not None:
        weights = truncated(weights, groups.codes, truncate)
    if stabilize:
        weights = stabilized(weights, groups.codes)
    return weights, Status.EXTREME_WEIGHTS if weights.max() > TOO_LARGE else Status.OK


def _provenance(
    estimand: str, method: Method, stabilize: bool, trim: float | None, trim_percentile: float | None,
    truncate: float | None, groups: int,
) -> Provenance:  # fmt: skip
    model = "multinomial" if method == "logistic" and groups > 2 else method
    cited = "hainmueller-2012" if method != "logistic" else "li-li-2019" if groups > 2 else "rosenbaum-rubin-1983"
    choices = (
        chosen("estimand", estimand, "ATE", TARGETS[estimand].reference), chosen("score", model, "logistic", cited),
        chosen("stabilize", stabilize, False), chosen("trim", trim, None, "crump-2009" if trim is not None else None),
        chosen("trim_percentile", trim_percentile, None, "sturmer-2010" if trim_percentile is not None else None),
        chosen("truncate", truncate, None),
    )  # fmt: skip
    return Provenance(
        method="propensity-score weighting", choices=choices,
        citations=tuple(dict.fromkeys(found.reference for found in choices if found.reference)),
    )  # fmt: skip
