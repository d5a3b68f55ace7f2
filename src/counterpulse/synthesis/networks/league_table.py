"""Every treatment against every other, from the network and from direct evidence, as a table to lay out."""

from __future__ import annotations

import numpy as np
import polars as pl

from counterpulse.results.estimate import finite_or_none, to_natural
from counterpulse.synthesis.networks.network_meta_analysis import Model, Network

SCHEMA = {
    "row": pl.String, "column": pl.String, "measure": pl.String, "evidence": pl.String, "estimate": pl.Float64,
    "conf_low": pl.Float64, "conf_high": pl.Float64, "prediction_low": pl.Float64, "prediction_high": pl.Float64,
    "p_value": pl.Float64, "studies": pl.Int64,
}  # fmt: skip


def league_table(network: Network, *, model: Model = "random") -> pl.DataFrame:
    """Effect of `row` against `column` on the natural scale, best treatment first in both.

    Returns
    -------
    A row for each ordered pair with evidence "network", and one with evidence "direct" for those that studies compared;
    prediction intervals belong to the random effects of the network.
    """
    fitted, scale = network.model(model), network.scale
    order = np.argsort(-fitted.p_scores, kind="stable")
    rows: list[dict[str, str | float | int | None]] = []
    for i in order:
        for j in order:
            if i == j:
                continue
            studies = int(fitted.evidence.studies[i, j])
            for evidence, effects in (("network", fitted.effects), ("direct", fitted.evidence.direct)):
                if evidence == "direct" and not studies:
                    continue
                predicted = evidence == "network" and model == "random"
                shown = {
                    "estimate": effects.estimate[i, j],
                    "conf_low": effects.lower[i, j],
                    "conf_high": effects.upper[i, j],
                    "prediction_low": network.prediction_low[i, j] if predicted else np.nan,
                    "prediction_high": network.prediction_high[i, j] if predicted else np.nan,
                }
                rows.append(
                    {
                        "row": network.treatments[i],
                        "column": network.treatments[j],
                        "measure": network.measure,
                        "evidence": evidence,
                    }
                    | {name: finite_or_none(to_natural(float(value), scale)) for name, value in shown.items()}
                    | {"p_value": finite_or_none(float(effects.p_value[i, j])), "studies": studies}
                )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
