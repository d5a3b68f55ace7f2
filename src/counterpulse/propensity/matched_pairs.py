"""Matching on the propensity score: who is compared with whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.sample import Sample
from counterpulse.data.terms import Term, variables_of
from counterpulse.errors import InputError
from counterpulse.propensity.balance import UNADJUSTED, BalanceTable, Binary, balance_table, effective_size
from counterpulse.propensity.choices import chosen
from counterpulse.propensity.matching_rules import (
    Caliper,
    CaliperSd,
    Discard,
    Estimand,
    MatchingWords,
    as_names,
    common_support,
    rules_of,
)
from counterpulse.propensity.nearest import Order, Rules, nearest_controls
from counterpulse.propensity.optimal import optimal_controls
from counterpulse.propensity.score import PropensityScore, given_score, propensity_score
from counterpulse.propensity.score_overlap import Overlap, two_histograms
from counterpulse.propensity.treatment import Units
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
On = Literal["logit", "probability"]
Method = Literal["nearest", "optimal"]

FIRST: Mapping[str, Order] = {"ATT": "largest", "ATC": "smallest"}
"""Who chooses first: those that are hardest to find a partner for."""

FINDERS = {"nearest": nearest_controls, "optimal": optimal_controls}
METHODS = {"nearest": "nearest-neighbor matching", "optimal": "optimal pair matching"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matching:
    """Treated patients and their controls, or controls and their treated patients.

    Attributes
    ----------
    pairs : columns `treated` and `control`, row numbers of the table from 0, in the order of those that partners were
        sought for: the treated, or (ATC) the controls
    weights : one a row of the table; 0 for who is not matched, 1 for those that partners were found for; those of the
        partners have mean 1
    sets : one a row of the table: the matched set, numbered by the row that partners were found for, -1 for who is in
        none. With replacement a partner belongs to no one set, and all are -1
    distances : of each pair on the score, shape (pairs,)
    width : the caliper on the score, infinite where there is none
    estimand : "ATT", or "matched treated" where treated patients were left out; "ATC", or "matched controls"
    target : "ATT" or "ATC", as asked for
    discarded : treated and controls outside common support
    status : OK, or what went wrong; see `Status`
    """

    pairs: pl.DataFrame
    weights: Floats = field(repr=False)
    sets: Codes = field(repr=False)
    distances: Floats = field(repr=False)
    width: float
    estimand: str
    target: Estimand
    discarded: tuple[int, int]
    score: PropensityScore = field(repr=False)
    covariates: tuple[str, ...]
    status: Status
    provenance: Provenance
    table: pl.DataFrame = field(repr=False)

    @property
    def units(self) -> Units:
        """Who could be matched."""
        return self.score.units

    @property
    def treatment(self) -> str:
        """The column of the treatment."""
        return self.score.treatment

    @property
    def n_matched(self) -> tuple[int, int]:
        """Treated patients and controls that are matched, each counted once."""
        return self.pairs["treated"].n_unique(), self.pairs["control"].n_unique()

    def balance(
        self,
        *,
        covariates: Sequence[Term] | None = None,
        binary: Binary = "standardized",
        prognostic: ArrayLike | None = None,
        products: bool = False,
    ) -> BalanceTable:
        """Compare the groups before and after matching.

        Parameters
        ----------
        covariates : to compare; default: those of the score
        binary : "standardized" or "raw" differences of proportions
        prognostic : predicted outcomes without treatment, shape (rows,), compared too
        products : compare squares and products of the numeric covariates too
        """
        names = self.covariates if covariates is None else names_of(covariates)
        chance = self.score.probability
        return balance_table(
            self.table, units=self.score.units, covariates=names, weights=self.weights, sample="matched",
            denominator="treated" if self.target == "ATT" else "control", binary=binary, score=self.score.units.spread(chance, np.nan) if len(chance) else None,
            prognostic=prognostic, products=products,
        )  # fmt: skip

    def overlap(self) -> Overlap:
        """Show the scores of the treated and the controls before and after matching."""
        units = self.score.units
        samples = [(UNADJUSTED, np.ones(len(units.rows))), ("matched", self.weights[units.rows])]
        return two_histograms(self.score.probability, units, samples, of=self.treatment, status=self.status)

    def sample(self) -> Sample:
        """The matched patients with their weights, clustered by matched set (not after matching with replacement)."""
        kept = np.flatnonzero(self.weights)
        sets = self.sets[kept]
        cluster = sets.astype(np.intp) if len(sets) and (sets >= 0).all() else None
        return Sample(
            frame=self.table[kept], row_of_origin=kept, weights=self.weights[kept], cluster=cluster, stage=("matched",)
        )

    def estimates(self) -> tuple[Estimate, ...]:
        """Odds ratios of treatment in the model of the score."""
        return self.score.estimates()

    def tidy(self) -> pl.DataFrame:
        """The pairs with their distances."""
        return self.pairs.with_columns(pl.Series("distance", self.distances, dtype=pl.Float64))

    def glance(self) -> pl.DataFrame:
        """Describe the matching in one row."""
        treated, control = self.n_matched
        mine = self.weights[self.units.rows]
        return self.score.glance().with_columns(
            matched_treated=pl.lit(treated), matched_control=pl.lit(control),
            effective_treated=pl.lit(effective_size(mine[self.units.treated])),
            effective_control=pl.lit(effective_size(mine[~self.units.treated])),
            discarded_treated=pl.lit(self.discarded[0]), discarded_control=pl.lit(self.discarded[1]),
            estimand=pl.lit(self.estimand), status=pl.lit(self.status.code),
        )  # fmt: skip


def match(
    table: pl.DataFrame,
    *,
    treatment: str,
    covariates: Sequence[Term] | None = None,
    score: str | ArrayLike | None = None,
    on: On = "logit",
    estimand: Estimand = "ATT",
    caliper: float | None = None,
    order: Order | None = None,
    ratio: int = 1,
    replace: bool = False,
    exact: str | Sequence[str] = (),
    anti_exact: str | Sequence[str] = (),
    caliper_sd: CaliperSd = "pooled",
    caliper_on: Mapping[str, float | Caliper] | None = None,
    min_controls: int | None = None,
    max_controls: int | None = None,
    discard: Discard = "none",
    seed: int = 0,
    method: Method = "nearest",
) -> Matching:
    """Match every treated patient with the nearest controls by propensity score.

    Parameters
    ----------
    table : one row a patient; rows with a missing value in a column used are left out and counted
    treatment : a yes/no or 0/1 column, or text of two levels of which the second is the treated one
    covariates : terms of the score, measured before treatment
    score : probabilities of treatment made elsewhere, a column or shape (rows,); then `covariates` are for balance
    on : the scale distances are measured on
    estimand : "ATT", every treated patient gets controls; "ATC", every control gets treated patients, and all that is said
        here of the treated is of the controls
    caliper : farthest distance of a pair, inclusive, in standard deviations of the scale; below zero, pairs lie farther
        apart than that
    order : who chooses first: treated patients with the largest (smallest) score, the pair that is closest (farthest
        apart), the order of the table, or a random one from `seed`; default: "largest", for ATC "smallest"
    ratio : controls for each treated patient; everybody gets a first before anybody a second
    min_controls, max_controls : a number that varies with the score, `ratio` on average: the more, the lower the score
        (for ATC the higher)
    replace : whether a control may be used again
    exact, anti_exact : columns in which a pair agrees, or differs
    caliper_sd : standard deviation of everybody ("pooled", as MatchIt), or root of the mean variance of the groups
        ("within", as Austin 2011)
    caliper_on : farthest distances in covariates, a number in their own units or a `Caliper`
    discard : leave out the treated, the controls or both outside the range of the other group's scores
    method : "nearest", greedy; or "optimal", the pairs with the smallest sum of distances, whatever the order

    Returns
    -------
    Matching : the effect among the treated; among the *matched treated* where some have no control; so of controls. Its status is not
        OK, and there are no pairs, where there is nobody to compare

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    Greedy: a pair once made is kept. Of equally near controls the one fewer ranks away is taken, then the one with the
    smaller score. The pairs are those of MatchIt 4.7.2.

    References
    ----------
    Rosenbaum and Rubin 1985, doi:10.1080/00031305.1985.10479383; Austin 2011, doi:10.1002/pst.433; Ming and Rosenbaum
    2000, doi:10.1111/j.0006-341X.2000.00118.x
    """
    words = MatchingWords(
        estimand=estimand, caliper=caliper, caliper_sd=caliper_sd, caliper_on=dict(caliper_on or {}),
        order=order or FIRST.get(estimand, "largest"), seed=seed, ratio=ratio,
        min_controls=min_controls, max_controls=max_controls, replace=replace, exact=as_names(exact),
        anti_exact=as_names(anti_exact), discard=discard,
    )  # fmt: skip
    if on not in ("logit", "probability"):
        raise InputError(f"on={on!r} is not known; it is 'logit' or 'probability'")
    if method not in FINDERS or (method == "optimal" and replace):
        raise InputError(f"method={method!r} is 'nearest', or 'optimal' without replacement")
    found = _score(table, treatment, covariates, score, words)
    names = () if covariates is None else names_of(covariates)
    distance = found.logit if on == "logit" else found.probability
    if not np.isfinite(distance).all():
        raise InputError("a score is 0 or 1, which has no logit; match with on='probability' or discard those rows")
    provenance = _provenance(words, on, method)
    if not found.usable:
        return _matching(table, found, names, np.empty((0, 2), dtype=np.int64), np.empty(0), words, None, provenance)
    kept = common_support(distance, found.units.treated, words.discard)
    rules = rules_of(words, table, found.units, distance[kept], kept)
    places = np.flatnonzero(kept)
    focal = found.units.treated if estimand == "ATT" else ~found.units.treated
    partner = FINDERS[method](distance[kept], focal[kept], rules)
    who, turn = np.nonzero(partner >= 0)
    pairs = np.column_stack((places[focal[kept]][who], places[partner[who, turn]]))
    apart = np.abs(distance[pairs[:, 0]] - distance[pairs[:, 1]])
    return _matching(table, found, names, pairs, apart, words, (rules, kept), provenance)


def _score(
    table: pl.DataFrame, treatment: str, covariates: Sequence[Term] | None, score: str | ArrayLike | None,
    words: MatchingWords,
) -> PropensityScore:  # fmt: skip
    if score is not None:
        return given_score(table, score, treatment=treatment, needed=words.columns)
    if covariates is None:
        raise InputError("matching needs covariates for the score, or a score; name one of them")
    return propensity_score(table, treatment=treatment, covariates=covariates, needed=words.columns)


def _matching(
    table: pl.DataFrame, found: PropensityScore, names: tuple[str, ...], pairs: Codes, distances: Floats,
    words: MatchingWords, made: tuple[Rules, NDArray[np.bool_]] | None, provenance: Provenance,
) -> Matching:  # fmt: skip
    """Lay out pairs of units, those that partners were sought for first."""
    units, treated_first = found.units, words.estimand == "ATT"
    complete = len(np.unique(pairs[:, 0])) == (units.n_treated if treated_first else units.n_control)
    rows = units.rows[pairs]
    discarded, width, status = (0, 0), np.inf, found.status
    if made is not None:
        rules, kept = made
        width = rules.width
        discarded = int((~kept & units.treated).sum()), int((~kept & ~units.treated).sum())
        partners = units.n_control if treated_first else units.n_treated
        short = not words.replace and partners < int(rules.wanted.sum())
        fewer: Status = Status.FEWER_CONTROLS if treated_first else Status.FEWER_TREATED
        status = Status.NOTHING_MATCHED if not len(pairs) else fewer if short else Status.OK
    sets = np.full(table.height, -1, dtype=np.int64)
    if not words.replace:
        sets[rows[:, 0]] = rows[:, 0]
        sets[rows[:, 1]] = rows[:, 0]
    sides = rows.astype(np.int64) if treated_first else rows.astype(np.int64)[:, ::-1]
    return Matching(
        pairs=pl.DataFrame({"treated": sides[:, 0], "control": sides[:, 1]}),
        weights=pair_weights(rows, table.height), sets=sets, distances=distances, width=float(width),
        estimand=words.estimand if complete else "matched treated" if treated_first else "matched controls",
        target=words.estimand, discarded=discarded, score=found, covariates=names, status=status, provenance=provenance,
        table=table,
    )  # fmt: skip


def pair_weights(pairs: Codes, height: int) -> Floats:
    """Weights of pairs, shape (height,): 1 for the first; a second gets 1 / k of each set of k seconds, mean 1."""
    weights = np.zeros(height)
    if len(pairs):
        share = 1 / np.bincount(pairs[:, 0], minlength=height)[pairs[:, 0]]
        second = np.bincount(pairs[:, 1], weights=share, minlength=height)
        weights += second * (np.count_nonzero(second) / second.sum())
        weights[pairs[:, 0]] = 1.0
    return weights


def names_of(covariates: Sequence[Term]) -> tuple[str, ...]:
    """The columns that terms read, each once."""
    return tuple(dict.fromkeys(name for term in covariates for name in variables_of(term)))


def _provenance(words: MatchingWords, on: On, method: Method) -> Provenance:
    choices = (
        chosen("estimand", words.estimand, "ATT"), chosen("distance", on, "logit", "rosenbaum-rubin-1985"),
        chosen("caliper", words.caliper, None, "austin-2011" if words.caliper is not None else None),
        chosen("caliper_sd", words.caliper_sd, "pooled"), chosen("order", words.order if method == "nearest" else None, FIRST[words.estimand]),
        chosen("ratio", words.ratio, 1), chosen("min_controls", words.min_controls, None),
        chosen("max_controls", words.max_controls, None, "ming-rosenbaum-2000" if words.max_controls else None),
        chosen("replace", words.replace, False), chosen("exact", ", ".join(words.exact) or None, None),
        chosen("anti_exact", ", ".join(words.anti_exact) or None, None),
        chosen("caliper_on", ", ".join(words.caliper_on) or None, None), chosen("discard", words.discard, "none"),
        chosen("seed", words.seed if words.order == "random" else None, None),
    )  # fmt: skip
    cited = ["rosenbaum-rubin-1983", "ho-2011", *(found.reference for found in choices if found.reference)]
    return Provenance(method=METHODS[method], choices=choices, citations=tuple(dict.fromkeys(cited)))
