"""Comparisons within strata of many patients: subclasses of the score, and coarsened exact matching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log2

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import complete_rows
from counterpulse.data.sample import Sample
from counterpulse.describe.columns import NumericColumn, read_column
from counterpulse.errors import InputError
from counterpulse.propensity.balance import UNADJUSTED, BalanceTable, Binary, balance_table, effective_size
from counterpulse.propensity.choices import chosen
from counterpulse.propensity.covariate_balance import Denominator
from counterpulse.propensity.matching_rules import (
    Caliper,
    CaliperSd,
    MatchingWords,
    as_names,
    combined_codes,
    rules_of,
)
from counterpulse.propensity.optimal import full_sets
from counterpulse.propensity.score import PropensityScore
from counterpulse.propensity.score_overlap import Overlap, two_histograms
from counterpulse.propensity.treatment import Units, read_units
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

DENOMINATORS: Mapping[str, Denominator] = {"ATT": "treated", "ATC": "control", "ATE": "pooled"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stratification:
    """Patients in strata in which treated and controls are compared.

    Attributes
    ----------
    strata : one a row of the table, from 0; -1 for who is in a stratum without the other treatment
    partners : whether a stratum is a set of partners, so that a variance goes by stratum; otherwise by patient
    weights : one a row of the table; in each group they have mean 1 over the patients kept
    estimand : "ATT", "ATC" or "ATE"; "matched treated" (or controls, patients) where some of them were left out
    status : OK, or what went wrong; see `Status`
    """

    strata: Codes = field(repr=False)
    partners: bool
    weights: Floats = field(repr=False)
    treatment: str
    estimand: str
    target: str
    covariates: tuple[str, ...]
    units: Units = field(repr=False)
    score: PropensityScore | None = field(repr=False)
    status: Status
    provenance: Provenance
    table: pl.DataFrame = field(repr=False)

    @property
    def sets(self) -> Codes:
        """The set of partners of each row of the table, -1 for who is in none."""
        return self.strata if self.partners else np.full_like(self.strata, -1)

    def balance(
        self, *, binary: Binary = "standardized", prognostic: ArrayLike | None = None, products: bool = False
    ) -> BalanceTable:
        """Compare the groups before and after stratification.

        Parameters
        ----------
        binary : "standardized" or "raw" differences of proportions
        prognostic : predicted outcomes without treatment, shape (rows,), compared too
        products : compare squares and products of the numeric covariates too
        """
        return balance_table(
            self.table, units=self.units, covariates=self.covariates, weights=self.weights, sample="stratified",
            denominator=DENOMINATORS[self.target], binary=binary, prognostic=prognostic, products=products,
        )  # fmt: skip

    def overlap(self) -> Overlap:
        """Show the scores of the treated and the controls before and after; without rows where there was no score."""
        chance = np.empty(0) if self.score is None else self.score.probability
        samples = [(UNADJUSTED, np.ones(len(self.units.rows))), ("stratified", self.weights[self.units.rows])]
        return two_histograms(chance, self.units, samples, of=self.treatment, status=self.status)

    def sample(self) -> Sample:
        """The patients kept with their weights, clustered by set of partners."""
        kept = np.flatnonzero(self.weights)
        return Sample(
            frame=self.table[kept], row_of_origin=kept, weights=self.weights[kept],
            cluster=self.strata[kept].astype(np.intp) if self.partners else None, stage=("stratified",),
        )  # fmt: skip

    def tidy(self) -> pl.DataFrame:
        """Count treated and controls by stratum."""
        mine = self.strata[self.units.rows]
        counts = [
            np.bincount(mine[side & (mine >= 0)], minlength=int(mine.max(initial=-1)) + 1)
            for side in (self.units.treated, ~self.units.treated)
        ]
        return pl.DataFrame({"stratum": np.arange(len(counts[0])), "treated": counts[0], "control": counts[1]})

    def glance(self) -> pl.DataFrame:
        """Describe the stratification in one row."""
        mine, treated = self.weights[self.units.rows], self.units.treated
        return pl.DataFrame(
            {
                "n": len(self.units.rows), "n_missing": self.units.n_missing,
                "kept_treated": int(np.count_nonzero(mine[treated])), "kept_control": int(np.count_nonzero(mine[~treated])),
                "effective_treated": effective_size(mine[treated]), "effective_control": effective_size(mine[~treated]),
                "estimand": self.estimand, "status": self.status.code,
            }
        )  # fmt: skip


def coarsened_exact(
    table: pl.DataFrame, *, treatment: str, covariates: Sequence[str], estimand: str = "ATT",
    bins: Mapping[str, int | Sequence[float]] | None = None,
) -> Stratification:  # fmt: skip
    """Match patients exactly on covariates cut into intervals.

    Parameters
    ----------
    covariates : columns; numbers of more than two values are cut, all else is matched as it is
    estimand : "ATT", "ATC" or "ATE"
    bins : by covariate, how many intervals of equal width, or the inner cut points; default: Sturges' number

    Raises
    ------
    InputError : a column is absent or cannot be used

    References
    ----------
    Iacus, King and Porro 2012, doi:10.1093/pan/mpr013
    """
    _check_estimand(estimand)
    unknown = set(bins or ()) - set(covariates)
    if unknown:
        raise InputError(f"bins are given for {', '.join(sorted(unknown))}, which is no covariate")
    units = read_units(table, treatment=treatment, needed=covariates)
    codes = np.zeros(len(units.rows), dtype=np.int64)
    if units.status is Status.OK:
        coarse = [_coarse(table, name, units, (bins or {}).get(name)) for name in covariates]
        combined = combined_codes(coarse)
        codes = codes if combined is None else combined
    provenance = Provenance(
        method="coarsened exact matching", citations=("iacus-2012",),
        choices=(Choice("bins", "Sturges" if bins is None else "given", "default" if bins is None else "given", "iacus-2012"), Choice("estimand", estimand, "given")),
    )  # fmt: skip
    return _stratification(table, units, codes, (treatment, estimand), tuple(covariates), units.status, provenance)


def subclasses(
    score: PropensityScore, table: pl.DataFrame, *, covariates: Sequence[str], count: int = 6, estimand: str = "ATT"
) -> Stratification:
    """Cut the propensity score at its quantiles in the target group.

    Parameters
    ----------
    score : of the same table
    covariates : to compare for balance
    count : of subclasses
    estimand : "ATT" cuts at quantiles of the treated, "ATC" of the controls, "ATE" of everybody

    References
    ----------
    Rosenbaum and Rubin 1983, doi:10.1093/biomet/70.1.41
    """
    _check_estimand(estimand)
    if count < 2:
        raise InputError("there are two subclasses or more; five or six are usual")
    units = score.units
    codes = np.zeros(len(units.rows), dtype=np.int64)
    if score.usable:
        whose = {"ATT": units.treated, "ATC": ~units.treated, "ATE": np.ones(len(units.rows), dtype=bool)}[estimand]
        cuts = np.quantile(score.probability[whose], np.arange(1, count) / count)
        codes = np.searchsorted(cuts, score.probability, side="right")
    provenance = Provenance(
        method="subclassification", citations=("rosenbaum-rubin-1983",),
        choices=(Choice("subclasses", count, "default" if count == 6 else "given"), Choice("estimand", estimand, "given")),
    )  # fmt: skip
    return _stratification(
        table, units, codes, (score.treatment, estimand), tuple(covariates), score.status, provenance
    )


def full_match(
    score: PropensityScore, table: pl.DataFrame, *, covariates: Sequence[str], on: str = "logit",
    caliper: float | None = None, caliper_sd: CaliperSd = "pooled", caliper_on: Mapping[str, float | Caliper] | None = None,
    exact: str | Sequence[str] = (), anti_exact: str | Sequence[str] = (), estimand: str = "ATT",
) -> Stratification:  # fmt: skip
    """Divide everybody into sets of one treated and several controls, or of one control and several treated.

    Parameters
    ----------
    score : of the same table; the columns that sets are compared by were `needed` for it
    covariates : to compare for balance
    on : the scale distances are measured on, "logit" or "probability"
    caliper, caliper_sd, caliper_on, exact, anti_exact : which partners may be in one set, as for `match`
    estimand : "ATT", "ATC" or "ATE"

    Raises
    ------
    InputError : a column is absent, has missing values in the rows of the score, or cannot be used

    Notes
    -----
    The sum of the distances within sets is the smallest that is possible. Who is allowed no partner is left out.

    References
    ----------
    Hansen 2004, doi:10.1198/016214504000000647
    """
    _check_estimand(estimand)
    if on not in ("logit", "probability"):
        raise InputError(f"on={on!r} is not known; it is 'logit' or 'probability'")
    words = MatchingWords(
        estimand="ATT", caliper=caliper, caliper_sd=caliper_sd, caliper_on=dict(caliper_on or {}), order="data", seed=0, ratio=1,
        min_controls=None, max_controls=None, replace=False, exact=as_names(exact), anti_exact=as_names(anti_exact),
        discard="none",
    )  # fmt: skip
    units, distance = score.units, score.logit if on == "logit" else score.probability
    codes = np.full(len(units.rows), -1, dtype=np.int64)
    if score.usable:
        _check_complete(table, units, words.columns)
        rules = rules_of(words, table, units, distance, np.ones(len(distance), dtype=bool))
        codes = full_sets(distance, units.treated, rules)
    provenance = Provenance(
        method="full matching", citations=("hansen-2004",),
        choices=(
            chosen("distance", on, "logit"), chosen("caliper", caliper, None), chosen("caliper_sd", caliper_sd, "pooled"),
            chosen("caliper_on", ", ".join(words.caliper_on) or None, None), chosen("exact", ", ".join(words.exact) or None, None),
            chosen("anti_exact", ", ".join(words.anti_exact) or None, None), Choice("estimand", estimand, "given"),
        ),
    )  # fmt: skip
    return _stratification(
        table, units, codes, (score.treatment, estimand), tuple(covariates), score.status, provenance,
        score=score, partners=True,
    )  # fmt: skip


def _check_complete(table: pl.DataFrame, units: Units, names: Sequence[str]) -> None:
    """Refuse columns to compare partners by that have no value for somebody who has a score."""
    holes = ~complete_rows(table, names)[units.rows]
    if holes.any():
        raise InputError(
            f"{', '.join(names)}: {int(holes.sum())} rows of the score have no value; say needed= where the score is estimated"
        )


def _check_estimand(estimand: str) -> None:
    if estimand not in DENOMINATORS:
        raise InputError(f"the estimand {estimand!r} is not known; it is one of {', '.join(DENOMINATORS)}")


def _coarse(table: pl.DataFrame, name: str, units: Units, bins: int | Sequence[float] | None) -> Codes:
    column = read_column(table, name)
    if not isinstance(column, NumericColumn):
        return column.codes[units.rows]
    values = column.values[units.rows]
    if isinstance(bins, Sequence):
        return np.searchsorted(np.sort(np.asarray(bins, dtype=np.float64)), values, side="right").astype(np.int64)
    distinct = np.unique(values)
    if len(distinct) <= 2:
        return np.searchsorted(distinct, values).astype(np.int64)
    count = ceil(log2(len(values)) + 1) if bins is None else int(bins)
    inner = np.linspace(distinct[0], distinct[-1], count + 1)[1:-1]
    return np.searchsorted(inner, values, side="right").astype(np.int64)


def stratum_weights(codes: Codes, treated: NDArray[np.bool_], target: str) -> Floats:
    """Weights that give every stratum the same share in both groups; mean 1 over the kept of each group.

    Strata without patients of both groups, and the stratum -1, get 0.
    """
    codes = codes + 1
    mine, other = (
        np.bincount(codes[side], minlength=int(codes.max(initial=0)) + 1).astype(np.float64)
        for side in (treated, ~treated)
    )
    mine[0] = other[0] = 0
    both = (mine > 0) & (other > 0)
    share = both * {"ATT": mine, "ATC": other, "ATE": mine + other}[target]
    weights = np.zeros(len(codes))
    for side, count in ((treated, mine), (~treated, other)):
        by_stratum = np.divide(share, count, out=np.zeros(len(share)), where=both)
        raw = by_stratum[codes[side]]
        weights[side] = raw * (np.count_nonzero(raw) / raw.sum()) if raw.any() else 0.0
    return weights


def _stratification(
    table: pl.DataFrame, units: Units, codes: Codes, asked: tuple[str, str], covariates: tuple[str, ...], status: Status,
    provenance: Provenance, *, score: PropensityScore | None = None, partners: bool = False,
) -> Stratification:  # fmt: skip
    treatment, target = asked
    strata = np.full(table.height, -1, dtype=np.int64)
    weights, estimand = np.zeros(table.height), target
    if status is Status.OK:
        mine = stratum_weights(codes, units.treated, target)
        weights[units.rows] = mine
        kept = mine > 0
        strata[units.rows[kept]] = np.unique(codes[kept], return_inverse=True)[1]
        whose, name = {
            "ATT": (units.treated, "treated"),
            "ATC": (~units.treated, "controls"),
            "ATE": (np.ones_like(kept), "patients"),
        }[target]
        estimand = target if kept[whose].all() else f"matched {name}"
        status = Status.OK if kept.any() else Status.NOTHING_MATCHED
    return Stratification(
        strata=strata, partners=partners, weights=weights, treatment=treatment, estimand=estimand, target=target,
        covariates=covariates, units=units, score=score, status=status, provenance=provenance, table=table,
    )  # fmt: skip
