"""Standardized risks with intervals by the bootstrap of patients, or of clusters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.blocks import map_jobs
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.random_streams import stream
from counterpulse.numerics.workers import Jobs
from counterpulse.regression.fit import ScaledFit
from counterpulse.regression.logistic_fit import LogisticFit
from counterpulse.regression.marginal_effect import TwoMeans
from counterpulse.regression.optimism import LogisticRefit
from counterpulse.regression.outcome import event_sign
from counterpulse.regression.standardization import Value, averaged_over, constant, standardize, value_of
from counterpulse.results.estimate import Estimate
from counterpulse.results.percentile_bootstrap import by_percentiles, usable
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappedRisks:
    """Standardized risks under two levels, and what they were in each bootstrap sample.

    Attributes
    ----------
    two : the two risks of the patients, with their covariance over the replicates
    replicates : of the two risks, shape (r, 2), nan where the model could not be fitted
    failed : how many those are
    """

    two: TwoMeans
    replicates: Floats = field(repr=False)
    failed: int
    n: int
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Risks, risk ratio and risk difference, with percentile intervals."""
        return tuple(map(self._with_interval, self.two.risks()))

    def odds_ratio(self) -> Estimate:
        """The ratio of the marginal odds."""
        return self._with_interval(self.two.odds_ratio())

    def tidy(self) -> pl.DataFrame:
        """Lay out the estimates on the natural scale."""
        return tidy((*self.estimates(), self.odds_ratio()))

    def glance(self) -> pl.DataFrame:
        """Describe the bootstrap in one row."""
        return pl.DataFrame(
            {"n": self.n, "replicates": len(self.replicates), "failed": self.failed, "status": self.status.code}
        )

    def _with_interval(self, estimate: Estimate) -> Estimate:
        if estimate.status is not Status.OK or self.status is not Status.OK:
            return replace(estimate, std_error=None, interval=None, statistic=None, statistic_name=None, p_value=None)
        good, failed, _ = usable(self.replicates, len(self.replicates))
        drawn = _on_scale(self.replicates[good], estimate, self.two)
        found = by_percentiles(
            estimate.measure,
            estimate.scale,
            estimate.value,
            drawn,
            self.two.level,
            tested=estimate.reference is not None,
        )
        lost = (f"{failed} of {len(self.replicates)} bootstrap samples gave no estimate.",) if failed else ()
        return replace(
            found, term=estimate.term, variable=estimate.variable, reference=estimate.reference, notes=(*found.notes, *lost)
        )  # fmt: skip


def bootstrap_standardized(
    fit: LogisticFit,
    table: pl.DataFrame,
    *,
    variable: str,
    treated: Value,
    reference: Value,
    among: ArrayLike | None = None,
    replicates: int = 1000,
    seed: int,
    analysis: str,
    jobs: Jobs = 1,
    level: float = 0.95,
) -> BootstrappedRisks:
    """Standardize over the patients, and over bootstrap samples of them in each of which the model is fitted again.

    Parameters
    ----------
    fit, table, variable, treated, reference, among : as at `standardize`; patients are resampled, or the clusters of the fit
    replicates : bootstrap samples
    seed, analysis : of the random streams; replicate k is the same whatever else is drawn
    jobs : threads, or workers; the result does not depend on it

    Returns
    -------
    BootstrappedRisks : percentile intervals; tests are of the value over its standard deviation over the replicates. Where
        fewer than 90% of the samples can be fitted there is none

    Raises
    ------
    InputError : as `standardize`; a penalized fit; fewer than 2 replicates

    References
    ----------
    Efron and Tibshirani 1993, doi:10.1201/9780429246593
    """
    if fit.penalty is not None:
        raise InputError("a penalized model is not fitted again in bootstrap samples; fit it without the penalty")
    if replicates < 2:
        raise InputError(f"{replicates} replicates are too few; 1,000 are usual")
    whole = standardize(fit, table, variable=variable, treated=treated, reference=reference, among=among, level=level)
    two = replace(whole.two(), df=None)
    drawn = np.full((replicates, 2), np.nan)
    status = whole.status
    if status is Status.OK and fit.scaled is not None:
        sampler = _sampler(fit, fit.scaled, table, variable, (treated, reference), averaged_over(fit.rows, among))

        drawn = np.array(map_jobs(partial(sampler.risks, seed, f"{analysis}.bootstrap"), range(replicates), jobs=jobs))
        good, _, enough = usable(drawn, replicates)
        status = Status.OK if enough else Status.NOT_CONVERGED
        two = replace(two, covariance=np.cov(drawn[good].T) if enough else np.full((2, 2), np.nan), uncertainty=status)
    return BootstrappedRisks(
        two=two, replicates=drawn, failed=int(np.isnan(drawn).any(axis=1).sum()), n=fit.n, status=status,
        provenance=_provenance(fit, replicates),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sampler:
    """Draws patients or clusters, fits again and averages.

    Attributes
    ----------
    refit : the model, warm-started
    arms : the columns with everybody at each level, two of shape (n, k)
    unit : how often each row counts once drawn, shape (n,)
    target : who is averaged over, shape (n,)
    cluster : codes of what is drawn, shape (n,); `clusters` of them
    """

    refit: LogisticRefit
    arms: tuple[Floats, Floats]
    unit: Floats
    target: Floats
    cluster: NDArray[np.intp] | None
    clusters: int

    def risks(self, seed: int, analysis: str, draw: int) -> Floats:
        """The two risks of one draw, shape (2,); nan where the model has no fit."""
        random = stream(seed, analysis, draw)
        drawn = np.bincount(random.integers(0, self.clusters, self.clusters), minlength=self.clusters).astype(
            np.float64
        )
        weights = self.unit * (drawn if self.cluster is None else drawn[self.cluster])
        share = weights * self.target
        at = self.refit.coefficients(weights) if share.any() else None
        if at is None:
            return np.full(2, np.nan)
        share /= share.sum()
        found: Floats = np.array([share @ expit(X @ at) for X in self.arms])
        return np.where((found > 0) & (found < 1), found, np.nan)


def _sampler(
    fit: LogisticFit, scaled: ScaledFit, table: pl.DataFrame, variable: str, levels: tuple[Value, Value], target: Floats
) -> _Sampler:
    rows = fit.rows
    sign = event_sign(rows.column(table, fit.outcome), table[fit.outcome])
    one, other = (
        scaled.scaling.matrix(table.with_columns(constant(value_of(fit, table, variable, level)[1])), rows.used)
        for level in levels
    )
    return _Sampler(
        refit=LogisticRefit(scaled.scaling.matrix(table, rows.used), sign, scaled.coefficients), arms=(one, other),
        unit=np.ones(rows.n) if rows.weights is None else rows.weights, target=target, cluster=rows.cluster,
        clusters=rows.n if rows.cluster is None else rows.clusters or 0,
    )  # fmt: skip


def _on_scale(means: Floats, estimate: Estimate, two: TwoMeans) -> Floats:
    """The replicates of an estimate on its own scale, shape (r,)."""
    if estimate.measure == "risk difference":
        values = means
    else:
        values = np.log(means) - (0.0 if estimate.measure == "risk ratio" else np.log1p(-means))
    if estimate.reference is not None:
        return np.asarray(values[:, 0] - values[:, 1])
    return np.asarray(values[:, 0 if estimate.term == two.treated else 1])


def _provenance(fit: LogisticFit, replicates: int) -> Provenance:
    of = "patients" if fit.rows.cluster is None else "clusters"
    choices = (
        Choice("intervals of standardized risks", f"percentiles of {replicates} bootstrap samples of {of}", "given", "efron-tibshirani-1993"),
        *fit.provenance.choices,
    )  # fmt: skip
    return Provenance("standardization", choices, ("robins-1986", "efron-tibshirani-1993", *fit.provenance.citations))
