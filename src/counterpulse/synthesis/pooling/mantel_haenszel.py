"""Mantel-Haenszel pooling of 2 x 2 tables, with the tests that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, log, nan, sqrt
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate, wald_estimate
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word, choice, scale_of
from counterpulse.synthesis.pooling.counts import Measure, TwoArms, read_two_arms
from counterpulse.synthesis.pooling.given_numbers import rows
from counterpulse.synthesis.pooling.homogeneity import NOT_TESTED, ChiSquared, PooledOnce, about

Floats = NDArray[np.float64]
ZeroCells = Literal["none", "half"]
DifferenceVariance = Literal["sato", "greenland-robins"]

YATES = 0.5
"""The continuity correction of the Mantel-Haenszel test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MantelHaenszel(PooledOnce):
    """A common effect over strata by Mantel and Haenszel.

    Attributes
    ----------
    measure : "odds ratio", "risk ratio" or "risk difference"
    pooled : the common effect, on the log scale for ratios, with its Wald interval
    weights : what each study counts for, shape (k,), of sum 1; 0 for a study that says nothing
    k : studies given
    k_used : studies with an event and a patient without one, which Q and the tests of homogeneity rest on
    heterogeneity : Q about the common effect with inverse-variance weights
    association : the Cochran-Mantel-Haenszel test with the continuity correction
    association_uncorrected : the same without it
    cochran : Cochran's test, with the binomial variance and the continuity correction
    cochran_uncorrected : the same without it
    breslow_day, tarone : homogeneity of the odds ratios, Tarone's with his correction; not tested for other measures
    tau2 : DerSimonian and Laird's from this Q, as RevMan 5 has it
    random_effects : the effect with that tau2 in the inverse-variance weights: RevMan 5's random effects for counts
    level : of the intervals
    status : OK, or why there is no estimate
    """

    measure: Measure
    weights: Floats
    k: int
    k_used: int
    association: ChiSquared
    association_uncorrected: ChiSquared
    cochran: ChiSquared
    cochran_uncorrected: ChiSquared
    breslow_day: ChiSquared
    tarone: ChiSquared
    tau2: float
    random_effects: Estimate
    level: float
    status: Status
    provenance: Provenance


def mantel_haenszel(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    measure: Measure = "odds ratio",
    zero_cells: ZeroCells = "none",
    variance: DifferenceVariance = "sato",
    level: float = LEVEL,
) -> MantelHaenszel:
    """Common odds ratio, risk ratio or risk difference of arm 1 against arm 2 over k studies.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms, shape (k,)
    zero_cells : "none" adds nothing to the pooled effect (Mantel-Haenszel needs nothing; R: metafor, `meta` with
        ``MH.exact``); "half" adds 0.5 to the cells of a study with an empty one (RevMan 5; the default of R's `meta`).
        Q has 0.5 in such studies either way. A study without events, or without anything else, is never corrected.
    variance : of a risk difference: Sato's, right with many small and with few large studies (R: metafor), or Greenland
        and Robins' (RevMan 5). Ratios have that of Robins, Breslow and Greenland, and of Greenland and Robins.
    level : of the interval

    Returns
    -------
    The effect, nan with `Status.ZERO_CELL` where it would be zero or infinite.

    Raises
    ------
    InputError : an argument that is no count, more events than patients, or a word that is not known

    References
    ----------
    Mantel and Haenszel 1959, doi:10.1093/jnci/22.4.719; Robins, Breslow and Greenland 1986, doi:10.2307/2531052;
    Greenland and Robins 1985, doi:10.2307/2530643; Sato, Greenland and Robins 1989; Tarone 1985,
    doi:10.1093/biomet/72.1.91.
    """
    check_word(measure, "measure", get_args(Measure))
    check_word(zero_cells, "zero_cells", get_args(ZeroCells))
    check_word(variance, "variance", get_args(DifferenceVariance))
    check_level(level)
    given = read_two_arms(events_1, n_1, events_2, n_2)
    informative = given.only(given.informative)
    ratio = measure != "risk difference"
    used = informative if ratio else given
    pooled_cells = _half_added(used) if zero_cells == "half" else used
    value, error = _EFFECTS[measure](pooled_cells, variance)
    status = Status.OK if isfinite(value) else Status.ZERO_CELL
    notes = _notes(given, ratio)
    pooled = _estimate(measure, value, error, level, status, notes)
    effects, variances = informative.corrected().effects(measure)
    heterogeneity = about(value, effects, variances) if status is Status.OK else NOT_TESTED
    tau2, random = _random_effects(effects, variances, heterogeneity, measure, level)
    association, cochran = _association(informative)
    breslow_day, tarone = (
        _homogeneity_of_odds(informative, value) if measure == "odds ratio" else (NOT_TESTED, NOT_TESTED)
    )
    weights = np.zeros(given.k)
    weights[given.informative if ratio else np.ones(given.k, bool)] = _weights(pooled_cells, measure)
    return MantelHaenszel(
        measure=measure, pooled=pooled, weights=weights, k=given.k, k_used=informative.k, heterogeneity=heterogeneity,
        association=association[0], association_uncorrected=association[1], cochran=cochran[0],
        cochran_uncorrected=cochran[1], breslow_day=breslow_day, tarone=tarone, tau2=tau2, random_effects=random,
        level=level, status=status, provenance=_provenance(measure, zero_cells, variance, level),
    )  # fmt: skip


def _half_added(tables: TwoArms) -> TwoArms:
    """With 0.5 in the cells of studies with an empty one, those that say nothing of a ratio excepted."""
    corrected, keep = tables.corrected(), tables.informative
    return TwoArms(
        *(
            np.where(keep, new, old)
            for new, old in zip(
                (corrected.a, corrected.b, corrected.c, corrected.d),
                (tables.a, tables.b, tables.c, tables.d),
                strict=True,
            )
        )
    )


def _odds_ratio(t: TwoArms, _: str) -> tuple[float, float]:
    """The logarithm and its standard error by Robins, Breslow and Greenland."""
    r, s = t.a * t.d / t.n, t.b * t.c / t.n
    p, q = (t.a + t.d) / t.n, (t.b + t.c) / t.n
    over, under = float(r.sum()), float(s.sum())
    if over == 0 or under == 0:
        return nan, nan
    variance = (p * r).sum() / over**2 + (p * s + q * r).sum() / (over * under) + (q * s).sum() / under**2
    return log(over / under), sqrt(float(variance) / 2)


def _risk_ratio(t: TwoArms, _: str) -> tuple[float, float]:
    """The logarithm and its standard error by Greenland and Robins."""
    over, under = float((t.a * t.n_2 / t.n).sum()), float((t.c * t.n_1 / t.n).sum())
    if over == 0 or under == 0:
        return nan, nan
    spread = (t.n_1 * t.n_2 * t.events - t.a * t.c * t.n) / t.n**2
    return log(over / under), sqrt(float(spread.sum()) / (over * under))


def _risk_difference(t: TwoArms, variance: str) -> tuple[float, float]:
    size = float((t.n_1 * t.n_2 / t.n).sum())
    value = float(((t.a * t.n_2 - t.c * t.n_1) / t.n).sum()) / size
    if variance == "greenland-robins":
        spread = (t.a * t.b * t.n_2**3 + t.c * t.d * t.n_1**3) / (t.n_1 * t.n_2 * t.n**2)
    else:
        share_1, share_2 = t.n_1 / t.n, t.n_2 / t.n
        lean = t.c * share_1**2 - t.a * share_2**2 + share_1 * share_2 * (t.n_2 - t.n_1) / 2
        spread = value * lean + (t.a * t.d + t.c * t.b) / (2 * t.n)
    return value, sqrt(max(0.0, float(spread.sum()))) / size


_EFFECTS = {"odds ratio": _odds_ratio, "risk ratio": _risk_ratio, "risk difference": _risk_difference}


def _weights(t: TwoArms, measure: Measure) -> Floats:
    """What each study counts for; shape (k,), of sum 1 where there is any."""
    match measure:
        case "odds ratio":
            weights = t.b * t.c / t.n
        case "risk ratio":
            weights = t.c * t.n_1 / t.n
        case "risk difference":
            weights = t.n_1 * t.n_2 / t.n
    total = weights.sum()
    shares: Floats = weights / total if total > 0 else weights
    return shares


def _notes(given: TwoArms, ratio: bool) -> tuple[str, ...]:
    silent = ~given.informative
    if not ratio or not silent.any():
        return ()
    return (f"Without events, or without anything else, a study says nothing of a ratio: {rows(silent)} not used.",)


def _estimate(
    measure: Measure, value: float, error: float, level: float, status: Status, notes: tuple[str, ...]
) -> Estimate:
    scale = scale_of(measure)
    if status is not Status.OK:
        return no_estimate(measure, status, term="pooled", scale=scale, notes=notes)
    return wald_estimate(measure, value, error, level, term="pooled", scale=scale, null=0.0, notes=notes)


def _random_effects(
    effects: Floats, variances: Floats, heterogeneity: ChiSquared, measure: Measure, level: float
) -> tuple[float, Estimate]:
    """DerSimonian and Laird's model with the Q of Mantel and Haenszel."""
    scale = scale_of(measure)
    if not heterogeneity.df > 0:
        return nan, no_estimate(measure, Status.UNDEFINED, term="pooled", scale=scale)
    weights = 1 / variances
    spread = float(weights.sum() - (weights**2).sum() / weights.sum())
    tau2 = max(0.0, (heterogeneity.statistic - heterogeneity.df) / spread)
    weights = 1 / (variances + tau2)
    value = float((weights * effects).sum() / weights.sum())
    return tau2, wald_estimate(
        measure, value, float(weights.sum()) ** -0.5, level, term="pooled", scale=scale, null=0.0
    )


def _association(t: TwoArms) -> tuple[tuple[ChiSquared, ChiSquared], tuple[ChiSquared, ChiSquared]]:
    """Mantel and Haenszel's test and Cochran's, each with and without the continuity correction."""
    return _score_tests(t, t.n - 1), _score_tests(t, t.n)


def _score_tests(t: TwoArms, divisor: Floats) -> tuple[ChiSquared, ChiSquared]:
    excess = float((t.a - t.events * t.n_1 / t.n).sum())
    variance = float((t.events / t.n * (t.n - t.events) * t.n_1 / t.n * t.n_2 / divisor).sum())
    if not variance > 0:
        return NOT_TESTED, NOT_TESTED
    corrected = max(0.0, abs(excess) - YATES)
    return ChiSquared.of(corrected**2 / variance, 1), ChiSquared.of(excess**2 / variance, 1)


def _homogeneity_of_odds(t: TwoArms, log_odds_ratio: float) -> tuple[ChiSquared, ChiSquared]:
    """Breslow and Day's test about the common odds ratio, and Tarone's correction of it."""
    if not isfinite(log_odds_ratio):
        return NOT_TESTED, NOT_TESTED
    expected = _expected_events(t, log_odds_ratio)
    variance = 1 / (
        1 / expected
        + 1 / (t.n_1 - expected)
        + 1 / (t.events - expected)
        + 1 / (t.n_2 - t.events + expected)
    )  # fmt: skip
    distances = t.a - expected
    statistic = float((distances**2 / variance).sum())
    tarone = statistic - float(distances.sum()) ** 2 / float(variance.sum())
    return ChiSquared.of(statistic, t.k - 1), ChiSquared.of(tarone, t.k - 1)


def _expected_events(t: TwoArms, log_odds_ratio: float) -> Floats:
    """Events in arm 1 with which the table has this odds ratio, given its margins: the root of a quadratic within them."""
    ratio = np.exp(log_odds_ratio)
    linear = t.n_2 - t.events + ratio * (t.n_1 + t.events)
    constant = ratio * t.n_1 * t.events
    root: Floats = 2 * constant / (linear + np.sqrt(linear**2 - 4 * (ratio - 1) * constant))
    return root


def _provenance(measure: Measure, zero_cells: str, variance: str, level: float) -> Provenance:
    citations = {
        "odds ratio": ("robins-breslow-greenland-1986", "breslow-day-1980", "tarone-1985"),
        "risk ratio": ("greenland-robins-1985",),
        "risk difference": ("sato-1989",) if variance == "sato" else ("greenland-robins-1985",),
    }[measure]
    choices = [Choice("measure", measure, "given"), choice("zero_cells", zero_cells, "none")]
    if measure == "risk difference":
        choices.append(choice("variance", variance, "sato"))
    choices.append(choice("level", level, LEVEL))
    return Provenance("mantel-haenszel", tuple(choices), ("mantel-haenszel-1959", *citations))
