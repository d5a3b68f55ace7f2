"""Estimates of imputed tables become one: term by term, or all coefficients of a model with their covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isclose, isfinite, nan, sqrt
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.imputation.joint_tests import wald_d1
from counterpulse.imputation.rubin import RubinScalar, RubinVector, Rule, pool_scalar, pool_vector
from counterpulse.numerics.distributions import critical_value, t_two_sided
from counterpulse.results.coefficients import Coefficients
from counterpulse.results.estimate import At, Estimate, Interval, finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]
Key = tuple[str | None, str, str | None, str, str, At | None]

LEVEL = 0.95
SAME = 1e-6
"""Null values of tests that differ by less than this part of the standard error are one."""


@dataclass(frozen=True, slots=True)
class PooledTerm:
    """One pooled estimate with what Rubin's rules say of it; `rubin` is None where it could not be pooled."""

    estimate: Estimate
    rubin: RubinScalar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEstimates:
    """Estimates pooled over m imputed tables, on the scale they were estimated on.

    Attributes
    ----------
    m : imputed tables
    terms : in the order of the first table
    provenance : the rule of the degrees of freedom and the works it rests on
    """

    m: int
    terms: tuple[PooledTerm, ...]
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Give the pooled estimates, on the scale of estimation."""
        return tuple(term.estimate for term in self.terms)

    def tidy(self) -> pl.DataFrame:
        """One row a term, on the natural scale."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row a term: what missing values cost it, on the scale of estimation."""
        return pl.DataFrame([_glance_row(self.m, term) for term in self.terms], schema=GLANCE, orient="row")


def pool(
    list_of_estimates: Sequence[Estimate] | Sequence[Sequence[Estimate]],
    *,
    df_complete: float | None = None,
    rule: Rule = "barnard-rubin",
) -> PooledEstimates:
    """Pool the estimates of m imputed tables by Rubin's rules.

    Estimates are pooled on the scale they were estimated on (log odds ratio, log hazard ratio, log-log of survival) and
    read on the natural scale afterwards. What failed in one table is not pooled over the others.

    Parameters
    ----------
    list_of_estimates : for each imputed table one `Estimate`, or the tuple that a fit's ``.estimates()`` gives
    df_complete : degrees of freedom without missing values (for a regression rows less coefficients); by default those
        of the estimates themselves where they are of t, else infinite
    rule : "barnard-rubin", or "rubin" for the degrees of freedom of 1987

    Raises
    ------
    InputError : fewer than two tables, or an element that is neither

    References
    ----------
    Rubin 1987, doi:10.1002/9780470316696; Barnard and Rubin 1999, doi:10.1093/biomet/86.4.948.
    """
    tables = [_as_tuple(element) for element in list_of_estimates]
    if len(tables) < 2:
        raise InputError("pooling needs the results of two imputed tables or more; impute with m = 20 or more")
    by_key = [{_key(estimate): estimate for estimate in table} for table in tables]
    if any(len(known) < len(table) for known, table in zip(by_key, tables, strict=True)):
        raise InputError("two estimates of one table have the same variable, term, measure and time; pool them apart")
    keys = list(dict.fromkeys(key for known in by_key for key in known))
    terms = tuple(_pooled([known.get(key) for known in by_key], df_complete, rule) for key in keys)
    choice = Choice("df_complete", df_complete, "default" if df_complete is None else "given")
    cited = ("rubin-1987", "barnard-rubin-1999") if rule == "barnard-rubin" else ("rubin-1987",)
    return PooledEstimates(
        m=len(tables),
        terms=terms,
        provenance=Provenance("Rubin's rules", (Choice("df", rule, "default"), choice), cited),
    )


def _as_tuple(element: Estimate | Sequence[Estimate]) -> tuple[Estimate, ...]:
    if isinstance(element, Estimate):
        return (element,)
    estimates = tuple(element)
    if not all(isinstance(estimate, Estimate) for estimate in estimates):
        raise InputError("pool takes for each imputed table an Estimate, or the tuple of a fit's .estimates()")
    return estimates


def _key(estimate: Estimate) -> Key:
    return (
        estimate.variable, estimate.term, estimate.reference, estimate.measure, estimate.scale, estimate.at,
    )  # fmt: skip


def _pooled(found: Sequence[Estimate | None], df_complete: float | None, rule: Rule) -> PooledTerm:
    m, present = len(found), [estimate for estimate in found if estimate is not None]
    if len(present) < m:
        return _failed(present[0], Status.IMPUTATIONS_DIFFER, f"In {len(present)} of {m} imputed tables.")
    failed = [estimate for estimate in present if estimate.status is not Status.OK or not isfinite(estimate.value)]
    if failed:
        status = failed[0].status if failed[0].status is not Status.OK else Status.UNDEFINED
        return _failed(present[0], status, f"In {len(failed)} of {m} imputed tables.")
    errors = [estimate.std_error for estimate in present]
    if not all(error is not None and isfinite(error) and error > 0 for error in errors):
        return _without_error(present)
    variances = [cast(float, error) ** 2 for error in errors]
    dfs = [inf if estimate.df is None else estimate.df for estimate in present]
    rubin = pool_scalar(
        [estimate.value for estimate in present], variances,
        df_complete=sum(dfs) / m if df_complete is None else df_complete, rule=rule,
    )  # fmt: skip
    return PooledTerm(_estimate(present, rubin), rubin)


def _estimate(present: Sequence[Estimate], rubin: RubinScalar) -> Estimate:
    error, first = sqrt(rubin.total), present[0]
    level = first.interval.level if first.interval else LEVEL
    reach, null = critical_value(level, rubin.df) * error, _null(present)
    t = None if null is None else (rubin.value - null) / error
    return replace(
        first, value=rubin.value, std_error=error, df=rubin.df,
        interval=Interval(rubin.value - reach, rubin.value + reach, level, "wald") if first.interval else None,
        statistic=t, statistic_name=None if t is None else "t", p_value=None if t is None else t_two_sided(t, rubin.df),
        notes=tuple(dict.fromkeys(note for estimate in present for note in estimate.notes)),
    )  # fmt: skip


def _null(present: Sequence[Estimate]) -> float | None:
    """Find the value that every table's own test compares with; None where they do not test, or not one value."""
    if any(estimate.p_value is None for estimate in present):
        return None
    nulls = [
        estimate.value - estimate.statistic * cast(float, estimate.std_error)
        for estimate in present
        if estimate.statistic_name in ("t", "z") and estimate.statistic is not None
    ]
    if len(nulls) < len(present):
        return 0.0
    error = cast(float, present[0].std_error)
    if not all(isclose(null, nulls[0], rel_tol=0, abs_tol=SAME * error) for null in nulls):
        return None
    return 0.0 if abs(nulls[0]) <= SAME * error else sum(nulls) / len(nulls)


def _without_error(present: Sequence[Estimate]) -> PooledTerm:
    value = sum(estimate.value for estimate in present) / len(present)
    note = "The mean of the imputed tables; without standard errors there is no interval."
    notes = dict.fromkeys(own for estimate in present for own in estimate.notes)
    blank = replace(_bare(present[0]), value=value, notes=(*notes, note))
    return PooledTerm(blank, None)


def _failed(first: Estimate, status: Status, note: str) -> PooledTerm:
    return PooledTerm(replace(_bare(first), value=nan, status=status, notes=(note,)), None)


def _bare(estimate: Estimate) -> Estimate:
    return replace(estimate, std_error=None, interval=None, statistic=None, statistic_name=None, df=None, p_value=None)


def _glance_row(m: int, term: PooledTerm) -> tuple[object, ...]:
    estimate, rubin = term.estimate, term.rubin
    head = (estimate.variable, estimate.term, estimate.measure, m, finite_or_none(estimate.value))
    if rubin is None:
        return (*head, None, None, None, None, None, None, None, estimate.status.code)
    return (
        *head, rubin.within, rubin.between, rubin.total, rubin.df, rubin.relative_increase, rubin.missing_share,
        rubin.fraction_missing, estimate.status.code,
    )  # fmt: skip


GLANCE = {
    "variable": pl.String, "term": pl.String, "measure": pl.String, "m": pl.Int64, "estimate": pl.Float64,
    "within": pl.Float64, "between": pl.Float64, "total": pl.Float64, "df": pl.Float64,
    "relative_increase": pl.Float64, "missing_share": pl.Float64, "fraction_missing": pl.Float64, "status": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RubinDegrees:
    """Degrees of freedom by contrast of pooled coefficients: Barnard and Rubin for one, D1 for several."""

    vector: RubinVector

    def df(self, contrast: Floats) -> float:
        """Degrees of freedom of t for a linear combination, shape (p,)."""
        return self.vector.df(contrast)

    def joint(self, contrasts: Floats) -> tuple[float, float]:
        """What turns Wald's chi-squared over q into D1, and its denominator; contrasts of shape (q, p)."""
        pooled, used = self.vector, np.flatnonzero(contrasts.any(axis=0))
        C, at = contrasts[:, used], np.ix_(used, used)
        values, within, between = C @ pooled.values[used], C @ pooled.within[at] @ C.T, C @ pooled.between[at] @ C.T
        test = wald_d1(values, within, between, m=pooled.m, df_complete=pooled.df_complete)
        try:
            wald = float(values @ np.linalg.solve(C @ pooled.total[at] @ C.T, values)) / len(values)
        except np.linalg.LinAlgError:
            return nan, test.df_denominator
        return (test.statistic / wald if wald > 0 else 1.0), test.df_denominator


def pool_coefficients(
    list_of_coefficients: Sequence[Coefficients], *, df_complete: float | None = None, rule: Rule = "barnard-rubin"
) -> Coefficients:
    """Pool the coefficients of one model over m imputed tables, with their covariance.

    What comes back is what a fit holds: its estimates and contrasts have Barnard and Rubin's degrees of freedom, and its
    joint tests are D1.

    Parameters
    ----------
    list_of_coefficients : the `.parameters` of each fit
    df_complete : degrees of freedom without missing values; by default those of the fits, else infinite

    Raises
    ------
    InputError : fewer than two tables, or models with different coefficients
    """
    fits = list(list_of_coefficients)
    if len(fits) < 2:
        raise InputError("pooling needs the results of two imputed tables or more; impute with m = 20 or more")
    first = fits[0]
    if any(fit.columns != first.columns for fit in fits):
        raise InputError(
            "the models of the imputed tables have different coefficients; give every table the same levels"
        )
    dfs = [inf if fit.df is None else float(fit.df) for fit in fits]
    vector = pool_vector(
        [fit.values for fit in fits], [fit.covariance for fit in fits],
        df_complete=sum(dfs) / len(dfs) if df_complete is None else df_complete, rule=rule,
    )  # fmt: skip
    statuses = tuple(
        next((status for status in column if status is not Status.OK), Status.OK)
        for column in zip(*(fit.statuses for fit in fits), strict=True)
    )
    uncertainty = next((fit.uncertainty for fit in fits if fit.uncertainty is not Status.OK), Status.OK)
    notes = tuple(dict.fromkeys(note for fit in fits for note in fit.notes))
    return replace(
        first, values=vector.values, covariance=vector.total, statuses=statuses, df=None,
        small_sample=RubinDegrees(vector), uncertainty=uncertainty, notes=notes,
    )  # fmt: skip
