"""Two means of comparable patients, and what is read off them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import nan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.distributions import normal_two_sided
from counterpulse.propensity.statuses import WARNINGS
from counterpulse.regression.marginal_effect import TwoMeans
from counterpulse.results.estimate import Estimate, Interval
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEW_REPLICATES = 0.9
"""Part of the bootstrap draws that must have an estimate for its percentiles to mean something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMeans:
    """The means (risks) of an outcome in the treated and the controls that are comparable.

    Attributes
    ----------
    two : the two means with their covariance
    estimand : whom the effect is among
    binary : whether the outcome is, so that the means are risks
    n, n_missing : patients with a weight whose outcome (and covariates) are known; with a weight and not known
    influence : of the patients compared on the two means, shape (n, 2)
    replicates : the two means in each bootstrap draw, shape (draws, 2), nan where there are none; None without bootstrap
    """

    two: TwoMeans
    estimand: str
    binary: bool
    n: int
    n_missing: int
    status: Status
    provenance: Provenance
    influence: Floats = field(repr=False)
    replicates: Floats | None = field(repr=False, default=None)

    def estimates(self) -> tuple[Estimate, ...]:
        """Risks, risk ratio, risk difference and marginal odds ratio, or means and their difference."""
        found = _read(self.two, binary=self.binary)
        if self.replicates is None or self.two.status is not Status.OK:
            return found
        drawn = np.array(
            [[one.value for one in _read(replace(self.two, means=row), binary=self.binary)] for row in self.replicates]
        )
        return tuple(_bootstrapped(one, column, self.two.level) for one, column in zip(found, drawn.T, strict=True))

    def tidy(self) -> pl.DataFrame:
        """Lay out the estimates on the natural scale."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the comparison in one row."""
        return pl.DataFrame(
            {"n": self.n, "n_missing": self.n_missing, "estimand": self.estimand, "status": self.status.code}
        )


def _read(two: TwoMeans, *, binary: bool) -> tuple[Estimate, ...]:
    return (*two.risks(), two.odds_ratio()) if binary else two.numbers()


def _bootstrapped(estimate: Estimate, drawn: Floats, level: float) -> Estimate:
    """Put the standard deviation and the percentiles of the draws in place of the standard error and the interval."""
    if estimate.status is not Status.OK:
        return estimate
    plain = replace(estimate, std_error=None, interval=None, statistic=None, statistic_name=None, df=None, p_value=None)
    known = drawn[np.isfinite(drawn)]
    if len(known) < FEW_REPLICATES * len(drawn):
        return replace(plain, status=Status.FEW_REPLICATES)
    error = float(known.std(ddof=1))
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2]).tolist()
    left_out = len(drawn) - len(known)
    notes = (f"{left_out} of {len(drawn)} bootstrap draws have no estimate and are left out.",) if left_out else ()
    tested = estimate.reference is not None and error > 0
    return replace(
        plain, std_error=error, interval=Interval(low, high, level, "percentile"), notes=(*estimate.notes, *notes),
        statistic=estimate.value / error if tested else None, statistic_name="z" if tested else None,
        p_value=normal_two_sided(estimate.value / error) if tested else None,
    )  # fmt: skip


def compared(
    means: Floats, influence: Floats, covariance: Floats, replicates: Floats | None, *, names: tuple[str, str],
    treatment: str, used: Mask, weighted: Mask, binary: bool, level: float, status: tuple[Status, Status], estimand: str,
    provenance: Provenance, df: float | None = None,
) -> ComparedMeans:  # fmt: skip
    """Lay out two means, the treated first; `status` is that of the sample and that of the model of the outcome."""
    made, modeled = status
    known = bool(np.isfinite(means).all())
    failed = Status.OK if made in WARNINGS and known else made
    if failed is Status.OK and not known:
        failed = modeled if modeled is not Status.OK else Status.EMPTY_GROUP
    two = TwoMeans(
        variable=treatment, treated=names[0], reference=names[1], means=means if known else np.full(2, nan),
        covariance=covariance, level=level, df=df, status=failed,
    )  # fmt: skip
    return ComparedMeans(
        two=two, estimand=estimand, binary=binary, n=int(used.sum()), n_missing=int((weighted & ~used).sum()),
        status=made if made is not Status.OK else failed, provenance=provenance, influence=influence, replicates=replicates,
    )  # fmt: skip
