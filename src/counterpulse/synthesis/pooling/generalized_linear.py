"""Generalized linear mixed models of counts: odds ratios of two arms, and proportions of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.results.estimate import Estimate, Interval
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.wald import no_estimate
from counterpulse.synthesis.pooling import count_models
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, check_word, choice, scale_of
from counterpulse.synthesis.pooling.count_models import Posed
from counterpulse.synthesis.pooling.counts import TwoArms, check_sizes, read_counts, read_two_arms
from counterpulse.synthesis.pooling.given_numbers import rows
from counterpulse.synthesis.pooling.homogeneity import NOT_TESTED, ChiSquared, PooledOnce
from counterpulse.synthesis.pooling.location import IntervalKind, pooled_estimate, predicted
from counterpulse.synthesis.pooling.random_effects_fit import LogOddsFit, error_at, fit_common, fit_random

Model = Literal[
    "unconditional-fixed", "unconditional-random", "conditional-approximate", "conditional-exact",
    "UM.FS", "UM.RS", "CM.AL", "CM.EL",
]  # fmt: skip
Tests = Callable[[LogOddsFit], tuple[ChiSquared, ChiSquared]]

MODELS = {
    "UM.FS": "unconditional-fixed", "UM.RS": "unconditional-random", "CM.AL": "conditional-approximate",
    "CM.EL": "conditional-exact",
}  # fmt: skip
"""The short names of R's metafor, and ours."""

POINTS = {"unconditional-fixed": 7, "unconditional-random": 1, "conditional-approximate": 7, "conditional-exact": 25}
"""Nodes of the quadrature unless others are asked for: as many as metafor has, and enough for its numerical integral."""

POSE: dict[str, Callable[[TwoArms, int], Posed]] = {
    "unconditional-fixed": count_models.unconditional_fixed,
    "unconditional-random": count_models.unconditional_random,
    "conditional-approximate": count_models.conditional_approximate,
    "conditional-exact": count_models.conditional_exact,
}
TESTS: dict[str, Callable[[TwoArms, LogOddsFit], tuple[ChiSquared, ChiSquared]]] = {
    "unconditional-fixed": count_models.homogeneity_unconditional_fixed,
    "conditional-approximate": count_models.homogeneity_conditional_approximate,
    "conditional-exact": count_models.homogeneity_conditional_exact,
}
MOST_POINTS = 101


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralizedLinear(PooledOnce):
    """A pooled log odds ratio, or log odds, by maximum likelihood of the counts.

    Attributes
    ----------
    model : "unconditional-fixed", "unconditional-random", "conditional-approximate", "conditional-exact", or "logistic"
    pooled : the mean effect on the log (a proportion: logit) scale
    tau2 : variance of the effect between studies; 0 for a common effect, nan where it cannot be estimated
    log_likelihood : at the maximum, with all constants
    k, k_used : studies given, and those that say something
    heterogeneity : Q, Wald's test of homogeneity; effects of studies with an empty cell are infinite and weigh nothing
    likelihood_ratio_test : of homogeneity, against an effect of each study
    tau2_test : likelihood-ratio test of no variance between studies, half a chi-squared as 0 is at the border
    prediction_interval : of the effect in a new study, t on k - 2 degrees of freedom; None for a common effect
    quadrature : nodes a random effect
    level : of the intervals
    status : OK, or why there is no estimate
    """

    model: str
    tau2: float
    log_likelihood: float
    k: int
    k_used: int
    likelihood_ratio_test: ChiSquared
    tau2_test: ChiSquared
    prediction_interval: Interval | None
    quadrature: int
    level: float
    status: Status
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is to be fitted and how it is to be told."""

    model: str
    measure: str
    common: bool
    interval: IntervalKind
    points: int
    level: float
    k: int
    k_used: int
    notes: tuple[str, ...]
    provenance: Provenance

    def without(self, status: Status) -> GeneralizedLinear:
        """What there is where nothing can be estimated."""
        return self._told(
            no_estimate(self.measure, status, term="pooled", scale=scale_of(self.measure), notes=self.notes), nan, nan,
            (NOT_TESTED, NOT_TESTED), NOT_TESTED, None, status,
        )  # fmt: skip

    def fit(self, posed: Posed, tests: Tests) -> GeneralizedLinear:
        """The common fit, the tests of homogeneity about it, and the random-effects fit where it is asked for."""
        common = fit_common(posed.model.without_last_effect(), posed.start)
        if not common.converged:
            return self.without(Status.NOT_CONVERGED)
        homogeneity = tests(common)
        single = self.k_used == 1 and not self.common
        if self.common or single:
            return self._of(common, posed, nan if single else 0.0, homogeneity, NOT_TESTED)
        fit = fit_random(posed.model, common)
        if not fit.converged:
            return self.without(Status.NOT_CONVERGED)
        gain = max(0.0, 2 * (fit.log_likelihood - common.log_likelihood))
        chance = chi_squared_tail(gain, 1) / 2 if gain > 0 else 1.0
        return self._of(fit, posed, fit.spread**2, homogeneity, ChiSquared(gain, 1, chance))

    def _of(
        self,
        fit: LogOddsFit,
        posed: Posed,
        tau2: float,
        homogeneity: tuple[ChiSquared, ChiSquared],
        tau2_test: ChiSquared,
    ) -> GeneralizedLinear:
        value, error = float(fit.at[posed.effect]), error_at(fit, posed.effect)
        one = ("One study says nothing of the variance between studies; this is its own effect.",)
        pooled = pooled_estimate(
            self.measure, value, error, self.level,
            df=inf if self.interval == "wald" or self.k_used == 1 else self.k_used - 1,
            scale=scale_of(self.measure), tested=self.measure != "proportion",
            notes=self.notes + (one if self.k_used == 1 else ()),
        )  # fmt: skip
        prediction = None if self.common else predicted(value, error, tau2, self.k_used - 2, self.level, "HTS")
        status = Status.ONE_STUDY if self.k_used == 1 else Status.OK
        return self._told(pooled, tau2, fit.log_likelihood, homogeneity, tau2_test, prediction, status)

    def _told(
        self,
        pooled: Estimate,
        tau2: float,
        log_likelihood: float,
        homogeneity: tuple[ChiSquared, ChiSquared],
        tau2_test: ChiSquared,
        prediction: Interval | None,
        status: Status,
    ) -> GeneralizedLinear:
        return GeneralizedLinear(
            model=self.model, pooled=pooled, tau2=tau2, log_likelihood=log_likelihood, k=self.k, k_used=self.k_used,
            heterogeneity=homogeneity[0], likelihood_ratio_test=homogeneity[1], tau2_test=tau2_test,
            prediction_interval=prediction, quadrature=self.points, level=self.level, status=status,
            provenance=self.provenance,
        )  # fmt: skip


def glmm(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    model: Model = "unconditional-fixed",
    tau2: Literal["ML", "common"] = "ML",
    interval: IntervalKind = "wald",
    quadrature: int | None = None,
    level: float = LEVEL,
) -> GeneralizedLinear:
    """Pooled odds ratio of arm 1 against arm 2 from the counts themselves; empty cells need no correction.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : events and patients of both arms, shape (k,); a study without events, or without
        anything else, says nothing of the ratio and is not used
    model : "unconditional-fixed" (binomial arms, a fixed log odds for each study), "unconditional-random" (a random one,
        independent of the effect), "conditional-approximate" (events in arm 1 given those of both, binomial: for rare
        events), "conditional-exact" (noncentral hypergeometric); or the short names of R: UM.FS, UM.RS, CM.AL, CM.EL
    tau2 : "ML", or "common" for no variance between studies
    interval : "wald", or "t" on k - 1 degrees of freedom
    quadrature : nodes a random effect, about its mode; by default 7, 25 for the exact conditional model, and 1 (Laplace's
        approximation) for "unconditional-random", which has two random effects
    level : of the intervals

    Returns
    -------
    The fit; without an estimate and with its status where the effect is infinite, where the maximum is not found, or
    where the exact conditional likelihood has too many tables (`Status.TOO_LARGE`).

    Raises
    ------
    InputError : an argument that is no count, more events than patients, or a word that is not known

    Notes
    -----
    The likelihood is maximized from the best place of a grid of its profile in tau, so one of several tops is the highest.
    Standard errors are from the observed information with the variances. R's glmer stops some 1e-4 short of the maximum,
    and its log-likelihood with more than one node lacks the constants.

    References
    ----------
    Turner and others 2000; Stijnen, Hamza and Ozdemir 2010, doi:10.1002/sim.4040.
    """
    name = MODELS.get(str(model).upper(), str(model))
    check_word(name, "model", tuple(POSE))
    given = read_two_arms(events_1, n_1, events_2, n_2)
    used = given.only(given.informative)
    silent = f"Without events, or without anything else, a study says nothing of a ratio: {rows(~given.informative)} not used."
    asked = _asked(
        name, "odds ratio", tau2, interval, quadrature, level, given.k, used.k,
        () if used.k == given.k else (silent,),
    )  # fmt: skip
    if used.k == 0 or _infinite(used, name):
        return asked.without(Status.ZERO_CELL)
    if name == "conditional-exact" and count_models.tables_laid_out(used) > count_models.LARGEST:
        return asked.without(Status.TOO_LARGE)
    if name == "unconditional-random":
        return asked.fit(
            POSE[name](used, asked.points),
            lambda common: count_models.homogeneity_unconditional_random(used, common, asked.points),
        )
    return asked.fit(POSE[name](used, asked.points), lambda common: TESTS[name](used, common))


def glmm_proportion(
    events: ArrayLike,
    n: ArrayLike,
    *,
    tau2: Literal["ML", "common"] = "ML",
    interval: IntervalKind = "wald",
    quadrature: int = 7,
    level: float = LEVEL,
) -> GeneralizedLinear:
    """Pooled proportion of one arm: a logistic model with a random intercept for each study.

    Parameters
    ----------
    events, n : shape (k,); studies with no event, or with nothing else, are used as they are
    tau2, interval, quadrature, level : as for `glmm`

    Returns
    -------
    The fit on the logit scale: ``natural()`` of its estimate is the proportion in the median study.

    Raises
    ------
    InputError : an argument that is no count, more events than patients, or a word that is not known

    References
    ----------
    Stijnen, Hamza and Ozdemir 2010, doi:10.1002/sim.4040.
    """
    x, size = read_counts(events, "events"), read_counts(n, "n")
    if len(x) != len(size):
        raise InputError("events and n differ in length; give one of each a study")
    check_sizes(x, size, "")
    asked = _asked("logistic", "proportion", tau2, interval, quadrature, level, len(x), len(x), ())
    if x.sum() == 0 or x.sum() == size.sum():
        return asked.without(Status.NO_EVENTS if x.sum() == 0 else Status.ALL_EVENTS)
    return asked.fit(
        count_models.logistic(x, size, asked.points),
        lambda common: (count_models.binomial_wald(x, size), count_models.binomial_ratio(x, size, common)),
    )


def _asked(
    model: str, measure: str, tau2: str, interval: IntervalKind, quadrature: int | None, level: float, k: int,
    k_used: int, notes: tuple[str, ...],
) -> _Asked:  # fmt: skip
    check_word(tau2, "tau2", ("ML", "common"))
    check_word(interval, "interval", ("wald", "t"))
    check_level(level)
    usual = POINTS.get(model, 7)
    points = usual if quadrature is None else quadrature
    if not (isinstance(points, int | np.integer) and 1 <= points <= MOST_POINTS):
        raise InputError(f"quadrature is {quadrature!r}; give a whole number of nodes from 1 to {MOST_POINTS}")
    choices = (
        Choice("model", model, "given"), choice("tau2", tau2, "ML"), choice("interval", interval, "wald"),
        choice("quadrature", int(points), usual), choice("level", level, LEVEL),
    )  # fmt: skip
    citations = ("turner-2000", "stijnen-2010") if measure == "odds ratio" else ("stijnen-2010",)
    return _Asked(
        model=model, measure=measure, common=tau2 == "common", interval=interval, points=int(points), level=level, k=k,
        k_used=k_used, notes=notes,
        provenance=Provenance("generalized-linear-mixed-model", choices, (*citations, "pinheiro-bates-1995")),
    )  # fmt: skip


def _infinite(t: TwoArms, model: str) -> bool:
    """Whether the likelihood has no maximum: every study leaves the effect free to grow without end."""
    if model in ("unconditional-fixed", "conditional-exact"):
        return bool(((t.a == 0) | (t.d == 0)).all() or ((t.b == 0) | (t.c == 0)).all())
    cells = (t.a, t.c) if model == "conditional-approximate" else (t.a, t.b, t.c, t.d)
    return any(not cell.any() for cell in cells)
