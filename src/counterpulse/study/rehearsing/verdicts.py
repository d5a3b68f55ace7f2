"""Which planned analyses miss the truth, and what of the assumptions they leave standing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from counterpulse.data.terms import variables_of
from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.results import Block
from counterpulse.results.rehearsed_study import NO_EFFECT, Biased
from counterpulse.study.rehearsing.simulated_patients import Patients

BEYOND_ERROR = 3.0
"""Monte Carlo errors from which on a bias is told."""


def biased_estimates(
    blocks: Iterable[Block], analyses: dict[str, PlannedAnalysis], patients: dict[str, Patients]
) -> Iterator[Biased]:
    """The estimates whose bias is beyond the error of the simulation."""
    for block in blocks:
        for row in block.rows():
            bias, error = row["bias"], row["bias_error"]
            if not isinstance(bias, float) or not isinstance(error, float) or abs(bias) <= BEYOND_ERROR * error:
                continue
            analysis, null = analyses[block.analysis], row["scenario"] == NO_EFFECT
            reasons = tuple(_reasons(analysis, patients[str(row["outcome"])], str(row["of"]), null=null))
            yield Biased(block.analysis, str(row["of"]), str(row["scenario"]), bias, error, reasons)


def _reasons(analysis: PlannedAnalysis, patients: Patients, estimate: str, *, null: bool) -> Iterator[str]:
    assumed = patients.assumed
    waited = patients.starts[np.isfinite(patients.starts)] > 0
    late = bool(waited.any()) and assumed.kind != "continuous" and assumed.fatal
    if late and analysis.maker == "as observed":
        yield "immortal time is not removed"
    if late and analysis.maker == "landmark" and not null:
        yield "who is treated after the landmark counts as untreated"
    absent = [name for name in assumed.strengths if name not in _adjusted(analysis, estimate)]
    if absent:
        yield f"it does not adjust for {', '.join(absent)}"
    if assumed.unmeasured is not None and assumed.unmeasured.outcome and assumed.unmeasured.exposure:
        yield "nothing adjusts for the unmeasured confounder"


def _adjusted(analysis: PlannedAnalysis, estimate: str) -> set[str]:
    """What the model behind an estimate adjusts for, or what balances its groups."""
    model = next(
        (item for item in analysis.models if estimate.startswith(f"{analysis.id}.{'-'.join(item.name.split())}.")), None
    )
    terms = analysis.terms if model is None else model.every_term
    balanced = () if analysis.balancing is None else analysis.balancing.terms
    return {name for term in (*terms, *balanced) for name in variables_of(term)}
