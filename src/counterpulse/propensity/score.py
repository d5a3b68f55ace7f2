"""The propensity score: the probability of treatment given the covariates, by logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.terms import Term, variables_of
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.propensity.treatment import Units, read_units
from counterpulse.regression.fit import ScaledFit
from counterpulse.regression.logistic_fit import LogisticFit
from counterpulse.regression.logistic_regression import logistic
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]

COEFFICIENT_DIGITS = 14
"""Significant digits kept of a coefficient. Chosen among 6 to 15 as the one with which the distances in the Lalonde data
that are equal but for rounding (two decisions) fall as they fell in R."""

FAR = 100.0
"""Standard deviations from zero beyond which a column in its own units would cost digits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PropensityScore:
    """The probability of treatment of each patient.

    Attributes
    ----------
    units : the rows used, and who is treated
    probability, logit : of the rows used, shape (n,); empty where `status` leaves no score
    model : the logistic model, or None for a score that was given
    status : whether the score can be used; see `Status`
    """

    treatment: str
    units: Units = field(repr=False)
    probability: Floats = field(repr=False)
    logit: Floats = field(repr=False)
    model: LogisticFit | None = field(repr=False)
    status: Status
    provenance: Provenance

    @property
    def usable(self) -> bool:
        """Whether there is a score, and both groups."""
        return self.status is Status.OK

    def estimates(self) -> tuple[Estimate, ...]:
        """Odds ratios of treatment; none for a score that was given."""
        return () if self.model is None else self.model.estimates()

    def tidy(self) -> pl.DataFrame:
        """Odds ratios of treatment, one row a coefficient."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the score in one row."""
        return pl.DataFrame(
            {
                "n": len(self.units.rows), "n_treated": self.units.n_treated, "n_control": self.units.n_control,
                "n_missing": self.units.n_missing, "status": self.status.code,
            }
        )  # fmt: skip


def propensity_score(
    table: pl.DataFrame, *, treatment: str, covariates: Sequence[Term], needed: Sequence[str] = ()
) -> PropensityScore:
    """Estimate the propensity score by logistic regression.

    Parameters
    ----------
    table : one row a patient; rows with a missing value are left out and counted
    treatment : a yes/no or 0/1 column, or text of two levels of which the second is the treated one
    covariates : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`; measured before treatment
    needed : columns that a row used must have too

    Returns
    -------
    PropensityScore : its status is not OK where a group is empty or covariates predict treatment perfectly

    Raises
    ------
    InputError : a column is absent or cannot be used

    References
    ----------
    Rosenbaum and Rubin 1983, doi:10.1093/biomet/70.1.41
    """
    if not covariates:
        raise InputError("a propensity score needs covariates; name the columns that were measured before treatment")
    names = [name for term in covariates for name in variables_of(term)]
    if treatment in names:
        raise InputError(f"the treatment '{treatment}' is among the covariates; leave it out")
    units = read_units(table, treatment=treatment, needed=[*names, *needed])
    nothing = np.empty(0)
    if units.status is not Status.OK:
        return PropensityScore(
            treatment=treatment, units=units, probability=nothing, logit=nothing, model=None, status=units.status,
            provenance=_provenance("logistic regression"),
        )  # fmt: skip
    rows = table if len(units.rows) == table.height else table[units.rows]
    rows = rows.with_columns(pl.Series(treatment, units.treated))
    fit = logistic(rows, outcome=treatment, terms=covariates)
    status: Status = Status.TREATMENT_PREDICTED if fit.status is Status.SEPARATION else fit.status
    logit = linear_predictor(fit.scaled, rows) if status is Status.OK and fit.scaled else nothing
    if status is Status.OK:
        status = overlap_status(logit, units)
    return PropensityScore(
        treatment=treatment, units=units, probability=expit(logit), logit=logit, model=fit, status=status,
        provenance=_provenance("logistic regression"),
    )  # fmt: skip


def linear_predictor(fit: ScaledFit, table: pl.DataFrame) -> Floats:
    """Sum the linear predictor column by column in the table's units, shape (n,).

    Patients whose covariates are whole numbers often lie at distances that are equal but for rounding, and the last bit
    decides who is matched. Rounded coefficients and one order of summation keep that bit from depending on the last
    digits of a fit. A column far from zero is counted from its mean.
    """
    scaling = fit.scaling
    center = np.where(np.abs(scaling.center) > FAR * scaling.scale, scaling.center, 0.0)
    slopes = fit.coefficients / scaling.scale
    slopes[0] += (center - scaling.center)[1:] @ slopes[1:]
    X = scaling.spec.matrix(table)
    total, part = np.zeros(table.height), np.empty(table.height)
    for slope, middle, j in zip(slopes, center, scaling.active, strict=True):
        np.subtract(X[:, j], middle, out=part)
        part *= float(f"{slope:.{COEFFICIENT_DIGITS}g}")
        total += part
    return total


def given_score(
    table: pl.DataFrame, score: str | ArrayLike, *, treatment: str, needed: Sequence[str] = ()
) -> PropensityScore:
    """Read a score that was made elsewhere: probabilities from 0 to 1, a column or an array of shape (rows,).

    Rows without a score, a treatment or one of the columns `needed` are left out and counted.
    """
    if isinstance(score, str):
        if score not in table.columns:
            raise InputError(f"the table has no column '{score}'")
        if not table[score].dtype.is_numeric():
            raise InputError(f"the score '{score}' is {table[score].dtype}; it is a probability")
        values = table[score].cast(pl.Float64).fill_null(np.nan).to_numpy()
    else:
        values = np.asarray(score, dtype=np.float64)
    if values.shape != (table.height,):
        raise InputError(f"there are {values.size} scores for {table.height} rows; give one a row")
    units = read_units(table, treatment=treatment, needed=needed)
    known = ~np.isnan(values[units.rows])
    units = Units(height=units.height, rows=units.rows[known], treated=units.treated[known])
    probability = values[units.rows]
    if ((probability < 0) | (probability > 1)).any():
        raise InputError("a score is below 0 or above 1; give the probability of treatment, not its logit")
    with np.errstate(divide="ignore"):
        logit = np.log(probability) - np.log1p(-probability)
    status = units.status if units.status is not Status.OK else overlap_status(probability, units)
    return PropensityScore(
        treatment=treatment, units=units, probability=probability, logit=logit, model=None, status=status,
        provenance=_provenance("given"),
    )  # fmt: skip


def overlap_status(score: Floats, units: Units) -> Status:
    """Whether the scores of the two groups overlap at all."""
    treated, control = score[units.treated], score[~units.treated]
    apart = treated.min() > control.max() or treated.max() < control.min()
    return Status.NO_OVERLAP if apart else Status.OK


def _provenance(model: str) -> Provenance:
    return Provenance(
        method="propensity score", choices=(Choice("score", model, "given" if model == "given" else "default"),),
        citations=("rosenbaum-rubin-1983",),
    )  # fmt: skip
