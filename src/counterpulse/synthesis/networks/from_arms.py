"""Network meta-analysis from what each arm printed."""

from __future__ import annotations

from collections.abc import Iterable

from numpy.typing import ArrayLike

from counterpulse.synthesis.networks.arms import ArmContrasts, MeanMeasure, contrasts_from_counts, contrasts_from_means
from counterpulse.synthesis.networks.network_meta_analysis import USUAL, Network, network
from counterpulse.synthesis.networks.ranking import SmallValues
from counterpulse.synthesis.pooling.asked import LEVEL, scale_of
from counterpulse.synthesis.pooling.counts import Measure


def network_from_arms(
    events: ArrayLike,
    n: ArrayLike,
    treatment: Iterable[object],
    study: Iterable[object],
    *,
    measure: Measure = "odds ratio",
    tau2: str | float = USUAL,
    reference: str | None = None,
    small_values: SmallValues = "good",
    level: float = LEVEL,
) -> Network:
    """Compare many treatments from events and patients, one row an arm; see `contrasts_from_counts` and `network`.

    `reference` is by default the treatment of the second row.
    """
    contrasts = contrasts_from_counts(events, n, treatment, study, measure=measure)
    return _network(contrasts, tau2=tau2, reference=reference, small_values=small_values, measure=measure, level=level)


def network_from_means(
    mean: ArrayLike,
    sd: ArrayLike,
    n: ArrayLike,
    treatment: Iterable[object],
    study: Iterable[object],
    *,
    measure: MeanMeasure = "mean difference",
    tau2: str | float = USUAL,
    reference: str | None = None,
    small_values: SmallValues = "good",
    level: float = LEVEL,
) -> Network:
    """Compare many treatments from means and standard deviations, one row an arm; see `contrasts_from_means`, `network`.

    `reference` is by default the treatment of the second row.
    """
    contrasts = contrasts_from_means(mean, sd, n, treatment, study, measure=measure)
    return _network(contrasts, tau2=tau2, reference=reference, small_values=small_values, measure=measure, level=level)


def _network(
    contrasts: ArmContrasts,
    *,
    tau2: str | float,
    reference: str | None,
    small_values: SmallValues,
    measure: str,
    level: float,
) -> Network:
    return network(
        contrasts.yi, contrasts.vi, contrasts.treatment_1, contrasts.treatment_2, contrasts.study,
        tau2=tau2, reference=reference, small_values=small_values, measure=measure, level=level, scale=scale_of(measure),
    )  # fmt: skip
