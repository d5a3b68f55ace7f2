"""Correlations and Fisher's z."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.results import Provenance
from counterpulse.synthesis.effects.effect_rows import EffectRows, check_measure, chosen, effect_rows
from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows


def correlations(correlation: ArrayLike, n: ArrayLike, *, measure: str = "ZCOR") -> EffectRows:
    """Correlations of `n` pairs as Fisher's z ("ZCOR", variance 1/(n-3)) or raw ("COR", variance (1-r^2)^2/(n-1)).

    Raises
    ------
    InputError
        Unequal lengths or another measure.
    """
    name = check_measure(measure, ("ZCOR", "COR"))
    rows = PrintedRows(correlation=correlation, n=n)
    rows.need_patients("n", least=4)
    rows.need_within("correlation", -1, 1)
    r = np.where(rows.dropped, np.nan, rows["correlation"])
    fisher = name == "ZCOR"
    with np.errstate(divide="ignore", invalid="ignore"):
        yi, vi = (np.arctanh(r), 1 / (rows["n"] - 3)) if fisher else (r, (1 - r**2) ** 2 / (rows["n"] - 1))
    provenance = Provenance("correlation", (chosen("measure", name, "ZCOR"),))
    return effect_rows(rows, yi, vi, measure=name, provenance=provenance)


def correlation_from_fisher_z(z: ArrayLike) -> Floats:
    """Correlations from Fisher's z."""
    return np.tanh(np.asarray(z, dtype=np.float64))
