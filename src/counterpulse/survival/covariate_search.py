"""The partial likelihood of covariates that come and go: what a selection of covariates works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from counterpulse.data.design import DesignSpec
from counterpulse.data.terms import Term
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.survival.cox_data import CoxRequest, Ties, prepare
from counterpulse.survival.follow_up import ColumnOrArray, Floats, Indices
from counterpulse.survival.partial_likelihood import gradient, gradient_and_information, risk_state
from counterpulse.survival.risk_sets import RiskSets, SortedRows, make_risk_sets


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxColumns:
    """Cox's log-likelihood of centered and scaled columns; rows that count several times are weights of the likelihood."""

    rows: SortedRows
    sets: RiskSets
    X: Floats
    efron: bool
    spec: DesignSpec
    scale: Floats
    rows_used: Indices
    nuisance: int = 0

    @property
    def size(self) -> float:
        """Events."""
        return float(self.sets.death_weight.sum())

    def start(self) -> Floats:
        """No effect."""
        return np.zeros(self.X.shape[1])

    def evaluate(self, at: Floats) -> tuple[Floats, Floats]:
        """Log-likelihoods and scores, one vector after the other."""
        value, slopes = np.zeros(at.shape[1]), np.zeros(at.shape)
        if not self.sets.m:
            return value, slopes
        for position, beta in enumerate(at.T):
            present = np.flatnonzero(beta)
            state = risk_state(self.sets, self._some(present), beta[present], efron=self.efron)
            value[position] = state.log_likelihood
            slopes[:, position] = gradient(self.sets, self.X, state)
        return value, slopes

    def information(self, at: Floats, columns: Indices) -> Floats:
        """The information of some coefficients at one vector."""
        if not self.sets.m:
            return np.zeros((len(columns), len(columns)))
        present = np.flatnonzero(at)
        state = risk_state(self.sets, self._some(present), at[present], efron=self.efron)
        return gradient_and_information(self.sets, self._some(columns), state)[1]

    def tail(self, chi_squared: float, df: float, parameters: int) -> float:
        """Likelihood-ratio test."""
        return chi_squared_tail(max(0.0, chi_squared), df)

    def counts(self) -> Floats:
        """One, or the weights."""
        return np.ones(self.sets.n) if self.rows.weights is None else self.rows.weights

    def spreads(self) -> Floats:
        """Standard deviations of the columns in the rows as they count."""
        counts = self.counts()
        mean = np.average(self.X, axis=0, weights=counts)
        spread: Floats = np.sqrt(np.average((self.X - mean) ** 2, axis=0, weights=counts))
        return spread

    def saturated(self) -> float:
        """At each time those who have the event are the only ones at risk (Breslow's likelihood)."""
        deaths = self.sets.death_weight
        return -float(deaths @ np.log(deaths))

    def penalized(self) -> CoxColumns:
        """As it is."""
        return self

    def weighted(self, counts: Floats) -> CoxColumns:
        """The rows that count at all, each as a weight of the likelihood."""
        kept = np.flatnonzero(counts)
        rows = SortedRows(
            stop=self.rows.stop[kept], event=self.rows.event[kept],
            start=None if self.rows.start is None else self.rows.start[kept], weights=counts[kept],
            strata=None if self.rows.strata is None else self.rows.strata[kept],
        )  # fmt: skip
        X = np.asfortranarray(self.X[kept])
        return replace(self, rows=rows, sets=make_risk_sets(rows), X=X, rows_used=self.rows_used[kept])

    def _some(self, columns: Indices) -> Floats:
        return self.X if len(columns) == self.X.shape[1] else np.asfortranarray(self.X[:, columns])


def cox_columns(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    terms: Sequence[Term],
    start: str | None = None,
    ties: Ties = "efron",
    strata: ColumnOrArray | None = None,
) -> CoxColumns:
    """The partial likelihood of `terms`, which come and go.

    Parameters
    ----------
    table : one row a patient, or an interval at risk; rows with a missing value in any column used are left out
    time, event, start, ties, strata : as for `cox`
    terms : all that may stand in a model

    Returns
    -------
    CoxColumns : of the centered and scaled columns of all terms

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times
    """
    request = CoxRequest(
        table=table, time=time, event=event, terms=tuple(terms), start=start, ties=ties, strata=strata, weights=None,
        cluster=None,
    )  # fmt: skip
    data = prepare(request)
    return CoxColumns(
        rows=data.rows, sets=data.sets, X=data.design.X, efron=ties == "efron", spec=data.design.spec, scale=data.scale,
        rows_used=data.design.rows_used,
    )  # fmt: skip
