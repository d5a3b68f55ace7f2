"""Effects of two arms from means and standard deviations: difference, standardized difference, ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from counterpulse.results import Provenance
from counterpulse.synthesis.effects.effect_rows import EffectRows, chosen, effect_rows
from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows
from counterpulse.synthesis.pooling.asked import check_word

MEANS = ("mean_treated", "mean_reference")
DEVIATIONS = ("sd_treated", "sd_reference")
SIZES = ("n_treated", "n_reference")


def mean_differences(
    mean_treated: ArrayLike,
    sd_treated: ArrayLike,
    n_treated: ArrayLike,
    mean_reference: ArrayLike,
    sd_reference: ArrayLike,
    n_reference: ArrayLike,
    *,
    variance: str = "welch",
) -> EffectRows:
    """Differences of means, treated minus reference.

    Parameters
    ----------
    mean_treated, sd_treated, n_treated, mean_reference, sd_reference, n_reference : shape (k,)
    variance : "welch" (each arm its own) or "pooled"

    Raises
    ------
    InputError
        Unequal lengths or another word for `variance`.
    """
    check_word(variance, "variance", ("welch", "pooled"))
    rows = _two_arms(mean_treated, sd_treated, n_treated, mean_reference, sd_reference, n_reference)
    n_1, n_2, s_1, s_2 = _sizes_and_deviations(rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        vi = s_1**2 / n_1 + s_2**2 / n_2
        if variance == "pooled":
            vi = _pooled_sd(n_1, n_2, s_1, s_2) ** 2 * (1 / n_1 + 1 / n_2)
    yi = rows["mean_treated"] - rows["mean_reference"]
    provenance = Provenance("difference of means", (chosen("variance", variance, "welch"),))
    return effect_rows(rows, yi, vi, measure="MD", provenance=provenance)


def standardized_mean_differences(
    mean_treated: ArrayLike,
    sd_treated: ArrayLike,
    n_treated: ArrayLike,
    mean_reference: ArrayLike,
    sd_reference: ArrayLike,
    n_reference: ArrayLike,
    *,
    standardizer: str = "pooled",
    correction: str = "exact",
) -> EffectRows:
    """Differences of means in standard deviations.

    Parameters
    ----------
    mean_treated, sd_treated, n_treated, mean_reference, sd_reference, n_reference : shape (k,)
    standardizer : "pooled" (Hedges' g) or "reference" (Glass' delta: the reference arm's standard deviation)
    correction : of the small-sample bias: "exact" (gamma functions), "approximate" (1 - 3 / (4 m - 1)) or "none"

    Notes
    -----
    The variance is the large-sample one, 1/n1 + 1/n2 + g^2 / (2 (n1 + n2)), or g^2 / (2 n2) as the last term for Glass'
    delta, at the corrected value (Hedges 1981, doi:10.3102/10769986006002107).

    Raises
    ------
    InputError
        Unequal lengths, or a word that is not a choice.
    """
    check_word(standardizer, "standardizer", ("pooled", "reference"))
    rows = _two_arms(mean_treated, sd_treated, n_treated, mean_reference, sd_reference, n_reference)
    n_1, n_2, s_1, s_2 = _sizes_and_deviations(rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = standardizer == "pooled"
        sd, df = (_pooled_sd(n_1, n_2, s_1, s_2), n_1 + n_2 - 2) if pooled else (s_2, n_2 - 1)
        yi = small_sample_factor(df, correction) * (rows["mean_treated"] - rows["mean_reference"]) / sd
        vi = 1 / n_1 + 1 / n_2 + yi**2 / (2 * (n_1 + n_2 if pooled else n_2))
    return effect_rows(rows, yi, vi, measure="SMD", provenance=_smd_provenance(standardizer, correction))


def ratios_of_means(
    mean_treated: ArrayLike,
    sd_treated: ArrayLike,
    n_treated: ArrayLike,
    mean_reference: ArrayLike,
    sd_reference: ArrayLike,
    n_reference: ArrayLike,
) -> EffectRows:
    """Log ratios of means; both means must have the same sign (Hedges, Gurevitch and Curtis 1999, doi:10.2307/177062)."""
    rows = _two_arms(mean_treated, sd_treated, n_treated, mean_reference, sd_reference, n_reference)
    m_1, m_2 = rows["mean_treated"], rows["mean_reference"]
    rows.flag(m_1 * m_2 <= 0, "opposite-signs", "the means are of opposite signs, or one is zero")
    n_1, n_2, s_1, s_2 = _sizes_and_deviations(rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        yi = np.log(m_1 / m_2)
        vi = (s_1 / m_1) ** 2 / n_1 + (s_2 / m_2) ** 2 / n_2
    return effect_rows(rows, yi, vi, measure="ROM", provenance=Provenance("ratio of means"))


def mean_differences_from_t(difference: ArrayLike, t_statistic: ArrayLike) -> EffectRows:
    """Differences of means whose standard error is the difference over its t statistic; only the size of t counts."""
    rows = PrintedRows(difference=difference, t_statistic=t_statistic)
    zero = (rows["difference"] == 0) | (rows["t_statistic"] == 0)
    rows.flag(zero, "no-information", "the difference or its t statistic is zero")
    with np.errstate(divide="ignore", invalid="ignore"):
        vi = (rows["difference"] / rows["t_statistic"]) ** 2
    return effect_rows(rows, rows["difference"], vi, measure="MD", provenance=Provenance("difference and t statistic"))


def standardized_differences_from_t(
    t_statistic: ArrayLike, n_treated: ArrayLike, n_reference: ArrayLike, *, correction: str = "exact"
) -> EffectRows:
    """Hedges' g from the t statistic of two independent arms (pooled variance); its sign is the effect's."""
    rows = PrintedRows(t_statistic=t_statistic, n_treated=n_treated, n_reference=n_reference)
    rows.need_patients(*SIZES, least=2)
    n_1, n_2 = rows["n_treated"], rows["n_reference"]
    with np.errstate(divide="ignore", invalid="ignore"):
        yi = small_sample_factor(n_1 + n_2 - 2, correction) * rows["t_statistic"] * np.sqrt(1 / n_1 + 1 / n_2)
        vi = 1 / n_1 + 1 / n_2 + yi**2 / (2 * (n_1 + n_2))
    assumed = ("the t statistic is that of the unpaired test with the pooled variance",)
    provenance = _smd_provenance("pooled", correction)
    return effect_rows(rows, yi, vi, measure="SMD", provenance=provenance, assumptions=assumed)


def small_sample_factor(df: Floats, correction: str) -> Floats:
    """What a standardized difference is multiplied by: Gamma(m/2) / (sqrt(m/2) Gamma((m-1)/2)), or 1 - 3 / (4 m - 1)."""
    check_word(correction, "correction", ("exact", "approximate", "none"))
    m = np.where(df > 1, df, np.nan)
    if correction == "none":
        return np.ones_like(m)
    if correction == "approximate":
        return 1 - 3 / (4 * m - 1)
    factor: Floats = np.exp(gammaln(m / 2) - gammaln((m - 1) / 2)) / np.sqrt(m / 2)
    return factor


def _two_arms(
    mean_treated: ArrayLike,
    sd_treated: ArrayLike,
    n_treated: ArrayLike,
    mean_reference: ArrayLike,
    sd_reference: ArrayLike,
    n_reference: ArrayLike,
) -> PrintedRows:
    rows = PrintedRows(
        mean_treated=mean_treated, sd_treated=sd_treated, n_treated=n_treated,
        mean_reference=mean_reference, sd_reference=sd_reference, n_reference=n_reference,
    )  # fmt: skip
    rows.need_patients(*SIZES, least=2)
    rows.need_positive(*DEVIATIONS)
    return rows


def _sizes_and_deviations(rows: PrintedRows) -> tuple[Floats, Floats, Floats, Floats]:
    return rows["n_treated"], rows["n_reference"], rows["sd_treated"], rows["sd_reference"]


def _pooled_sd(n_1: Floats, n_2: Floats, s_1: Floats, s_2: Floats) -> Floats:
    pooled: Floats = np.sqrt(((n_1 - 1) * s_1**2 + (n_2 - 1) * s_2**2) / (n_1 + n_2 - 2))
    return pooled


def _smd_provenance(standardizer: str, correction: str) -> Provenance:
    choices = (
        chosen("standardizer", standardizer, "pooled"),
        chosen("correction", correction, "exact", reference="hedges-1981"),
    )
    return Provenance("standardized mean difference", choices, ("hedges-1981",))
