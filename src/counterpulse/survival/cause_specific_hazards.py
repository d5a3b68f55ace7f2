"""Cox's model of the hazard of one of several causes."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from counterpulse.data.terms import Term
from counterpulse.survival.causes import OF_CAUSE, cause_position, read_causes
from counterpulse.survival.cox_data import Ties
from counterpulse.survival.cox_model import CoxFit, cox
from counterpulse.survival.follow_up import ColumnOrArray


def cause_specific_cox(
    table: pl.DataFrame,
    *,
    time: str,
    event: str,
    terms: Sequence[Term],
    cause: str | int | None = None,
    start: str | None = None,
    ties: Ties = "efron",
    strata: ColumnOrArray | None = None,
    weights: ColumnOrArray | None = None,
    cluster: ColumnOrArray | None = None,
    robust: bool | None = None,
    level: float = 0.95,
) -> CoxFit:
    """Fit Cox's model to the hazard of one cause; who had another cause is censored at it.

    Parameters
    ----------
    table : one row a patient, or one row an interval at risk (start, time]
    time, start : of follow-up
    event : what ended it: a category whose first level is censoring, or whole numbers of which 0 is censoring
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`
    cause : the level (or number) of the cause of interest; default the first after censoring
    ties, strata, weights, cluster, robust, level : as of `cox`

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, an unknown cause

    Notes
    -----
    The hazard ratio compares rates among those in whom nothing has happened yet. It tells nothing about the cumulative
    incidence by itself, and no independence of the causes is assumed.

    References
    ----------
    Prentice and others 1978 (doi:10.2307/2530374)
    """
    codes, named = read_causes(table, event)
    position = cause_position(named, cause)
    return cox(
        table.with_columns((codes == position).alias(OF_CAUSE)), time=time, event=OF_CAUSE, terms=terms, start=start,
        ties=ties, strata=strata, weights=weights, cluster=cluster, robust=robust, level=level,
    )  # fmt: skip
