"""A pooled effect as rows of the results, and the few numbers beside it."""

from __future__ import annotations

from math import isfinite

from counterpulse.results import Cell, EstimateRow, Status
from counterpulse.study.reviewing.answers.effects import Effects, beside, cell, effect_row
from counterpulse.study.reviewing.answers.models import Pooled, defined

PREDICTION, BETWEEN, SHARE = "new study", "tau2", "i2"
"""The terms of the rows beside a pooled effect."""


def pooled_rows(effects: Effects, found: Pooled) -> tuple[EstimateRow, ...]:
    """The effect, where a new study is expected, the variance between studies, and I-squared with Cochran's test."""
    rows = [effect_row(effects, found.estimate)]
    if found.prediction is not None:
        rows.append(
            beside(
                effects,
                PREDICTION,
                effects.measure,
                found.estimate.value,
                interval=found.prediction,
                scale=effects.scale,
            )
        )
    if isfinite(found.tau2):
        rows.append(beside(effects, BETWEEN, "variance between studies", found.tau2, interval=found.tau2_interval))
    if isfinite(found.i2):
        rows.append(
            beside(
                effects, SHARE, "I-squared", found.i2, interval=found.i2_interval, statistic=cell(found.q), statistic_name="Q",
                df=cell(found.q_df), p_value=cell(found.q_p_value),
            )
        )  # fmt: skip
    return tuple(rows)


def told(effects: Effects, found: Pooled) -> dict[str, Cell]:
    """Scalars of the analysis, by outcome."""
    low, high = effects.ends(found.prediction)
    name = effects.request.name
    status = Status.OK if defined(found.estimate) else found.estimate.status
    return {
        f"{name}.{key}": value
        for key, value in {
            "studies": found.k, "tau_squared": cell(found.tau2), "i_squared": cell(found.i2), "q": cell(found.q),
            "q_df": cell(found.q_df), "q_p_value": cell(found.q_p_value), "prediction_low": low, "prediction_high": high,
            "likelihood_modes": len(found.modes) or None, "variance_within_studies": cell(found.within),
            "status": None if status is Status.OK else status.code,
        }.items()
        if value is not None
    }  # fmt: skip
