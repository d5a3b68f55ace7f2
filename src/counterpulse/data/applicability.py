"""Whether a question arises for a patient: not applicable is not missing."""

from __future__ import annotations

import polars as pl

from counterpulse.data.patient_table import PatientTable
from counterpulse.data.scope import scope_of
from counterpulse.expression.parse import parse
from counterpulse.expression.polars_form import to_polars


def applicable(table: PatientTable, variable: str) -> pl.Series:
    """Whether `variable` applies, by the `applies_if` of its dictionary.

    Returns
    -------
    Boolean, shape (n,), without nulls: a patient whose condition is unknown counts as one it applies to, so that a
    blank there is missing. A blank where this is false is *not applicable*.
    """
    rule = table.dictionary[variable].applies_if
    if rule is None:
        return pl.repeat(True, table.frame.height, dtype=pl.Boolean, eager=True).alias(variable)
    condition = to_polars(parse(rule), scope_of(table.dictionary))
    return table.frame.select(condition.fill_null(True).alias(variable)).to_series()
