"""Network meta-analysis of contrasts by the graph-theoretical method."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, nan
from numbers import Real
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import t_quantile
from counterpulse.results.estimate import Estimate, Interval, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import wald_estimate
from counterpulse.synthesis.engine.between_variance import COMMON, between_variance
from counterpulse.synthesis.engine.heterogeneity import i2_interval
from counterpulse.synthesis.engine.paule_mandel import profile_ends
from counterpulse.synthesis.engine.studies import studies_of
from counterpulse.synthesis.networks.contrasts import Contrasts, read_contrasts
from counterpulse.synthesis.networks.design_decomposition import DesignDecomposition, decompose_designs
from counterpulse.synthesis.networks.direct_evidence import DirectEvidence, direct_evidence
from counterpulse.synthesis.networks.effect_matrix import EffectMatrix, effect_matrix
from counterpulse.synthesis.networks.graph_fit import GraphFit, fit_graph
from counterpulse.synthesis.networks.independent_contrasts import IndependentContrasts, independent_contrasts
from counterpulse.synthesis.networks.ranking import SmallValues, p_scores
from counterpulse.synthesis.pooling.asked import LEVEL, check_level, choice

Floats = NDArray[np.float64]
Model = Literal["common", "random"]

ESTIMATORS = (COMMON, "DL", "PM", "EB", "ML", "REML")
"""Those that do not depend on which way round a contrast is written."""

USUAL = "REML"
GIVEN = "given"

TOLERANCE = 0.01
"""How far contrasts of a multi-arm study may be from adding up, in its largest standard error."""

NO_HETEROGENEITY = (
    "No comparison was made twice, directly or through others, so the variance between studies cannot be estimated: it was taken "
    "as zero, and the intervals may be too narrow."
)


@dataclass(frozen=True, slots=True)
class NetworkModel:
    """What one model (common or random effects) says of a network.

    Attributes
    ----------
    tau2 : variance between studies that was used
    fit : effects against the first treatment with their covariance
    effects : every treatment against every other
    evidence : direct and indirect parts of them
    p_scores : in the order of the treatments, shape (n,)
    """

    tau2: float
    fit: GraphFit
    effects: EffectMatrix
    evidence: DirectEvidence
    p_scores: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A fitted network meta-analysis; row treatments stand against column treatments in every matrix.

    Attributes
    ----------
    contrasts, independent : what was analyzed, as given and as independent numbers
    common, random : both models; the same where tau2 is zero
    prediction_low, prediction_high : where the effect in a new study lies, shape (n, n); nan without two degrees of freedom
    prediction_df : of Student's t, Q's less 1
    tau2 : variance between studies of every contrast; nan where it cannot be estimated
    tau2_interval : Q-profile
    q, q_df, q_p_value : Cochran's Q of the whole network, heterogeneity and inconsistency together
    i2, i2_interval, h2 : of that Q; I2 is a fraction
    decomposition : Q within and between designs
    reference : treatment that `estimates` compares with
    small_values : whether a small effect is "good" or "bad"
    """

    contrasts: Contrasts
    independent: IndependentContrasts
    common: NetworkModel
    random: NetworkModel
    prediction_low: Floats
    prediction_high: Floats
    prediction_df: float
    tau2: float
    tau2_interval: Interval
    i2_interval: Interval
    decomposition: DesignDecomposition
    reference: str
    small_values: SmallValues
    measure: str
    scale: Scale
    level: float
    status: Status
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def treatments(self) -> tuple[str, ...]:
        """Names in the order of every matrix."""
        return self.contrasts.treatments

    @property
    def k(self) -> int:
        """Studies."""
        return len(self.contrasts.studies)

    @property
    def q(self) -> float:
        """Cochran's Q."""
        return self.decomposition.total.statistic

    @property
    def q_df(self) -> float:
        """Degrees of freedom of Q: independent contrasts less treatments plus 1."""
        return self.decomposition.total.df

    @property
    def q_p_value(self) -> float:
        """P(chi-squared >= Q)."""
        return self.decomposition.total.p_value

    @property
    def i2(self) -> float:
        """Part of the spread that chance does not explain."""
        return self.decomposition.total.i2

    @property
    def h2(self) -> float:
        """Q over its degrees of freedom."""
        return self.decomposition.total.h2

    def model(self, name: Model) -> NetworkModel:
        """The common or the random effects.

        Raises
        ------
        InputError : there is no such model
        """
        if name not in ("common", "random"):
            raise InputError(f"model is {name!r}; it can be common or random.")
        return self.common if name == "common" else self.random

    def estimates(self, model: Model = "random") -> tuple[Estimate, ...]:
        """Effect of every other treatment against the reference, in the order of the treatments."""
        others = [name for name in self.treatments if name != self.reference]
        return tuple(self.effect(name, self.reference, model=model) for name in others)

    def effect(self, treatment: str, against: str, *, model: Model = "random") -> Estimate:
        """One effect of the network."""
        effects = self.model(model).effects
        i, j = effects.at(treatment, against)
        return wald_estimate(
            self.measure, float(effects.estimate[i, j]), float(effects.std_error[i, j]), self.level,
            term=treatment, reference=against, scale=self.scale, null=0.0,
            notes=self.notes if model == "random" else (),
        )  # fmt: skip

    def prediction_interval(self, treatment: str, against: str) -> Interval:
        """Where the effect in a new study lies."""
        i, j = self.random.effects.at(treatment, against)
        return Interval(
            float(self.prediction_low[i, j]), float(self.prediction_high[i, j]), self.level, "t, Q's df - 1"
        )

    def tidy(self) -> pl.DataFrame:
        """Random effects against the reference, one row a treatment."""
        return tidy(self.estimates())


def network(
    yi: ArrayLike,
    vi: ArrayLike,
    treatment_1: Iterable[object],
    treatment_2: Iterable[object],
    study: Iterable[object],
    *,
    tau2: str | float = USUAL,
    reference: str | None = None,
    small_values: SmallValues = "good",
    measure: str = "effect",
    scale: Scale = "identity",
    level: float = LEVEL,
    multi_arm_tolerance: float = TOLERANCE,
) -> Network:
    """Compare many treatments at once from contrasts within studies.

    Parameters
    ----------
    yi, vi : effect of `treatment_1` against `treatment_2` (a logarithm for ratios) and its variance, shape (m,)
    treatment_1, treatment_2, study : names, one a contrast; a study of p arms gives all its p (p - 1) / 2 contrasts
    tau2 : estimator of the variance between studies ("REML", "ML", "DL", "PM", "EB", or "common" for zero), or the variance
    reference : treatment that `estimates` compares with; default: `treatment_2` of the first row
    small_values : whether a small effect is "good" or "bad", for ranking
    measure, scale : what the effect is called, and its scale ("log" for ratios), in `estimates`
    multi_arm_tolerance : how far the contrasts of a multi-arm study may be from adding up, in its largest standard error

    Raises
    ------
    InputError : rows are unusable, a multi-arm study lacks contrasts or contradicts itself, or the network falls into parts

    Notes
    -----
    The variance between studies is the same for all contrasts, so contrasts of one study that share an arm have
    between-study covariance tau2 / 2. "DL" is the moment estimator under that covariance (R: netmeta); "REML" and "ML"
    maximize the likelihood of all contrasts under it together with their sampling covariance (R: metafor's ``rma.mv``
    with ``rho = 0.5``), by a search that cannot stay at a local mode. The likelihood estimates of netmeta 2.7 are other ones
    where studies have more than two arms: they are those without the sampling covariance within such studies.
    Assumes that effects are transitive: the indirect comparisons hold for the same patients as the direct ones.

    References
    ----------
    Rücker 2012, doi:10.1002/jrsm.1058; Rücker and Schwarzer 2014, doi:10.1002/sim.6236.
    """
    check_level(level)
    treatment_2 = tuple(treatment_2)
    contrasts = read_contrasts(yi, vi, treatment_1, treatment_2, study, tolerance=multi_arm_tolerance)
    against = str(treatment_2[0]) if reference is None else reference
    contrasts.index(against)
    independent = independent_contrasts(contrasts.studies, len(contrasts.treatments))
    estimator, estimated, modes = _between(independent, tau2)
    used = estimated if isfinite(estimated) else 0.0
    common, random = (_model(contrasts, independent, variance, small_values, level) for variance in (0.0, used))
    decomposition = decompose_designs(contrasts, independent)
    df = decomposition.total.df - 1
    reach = t_quantile(1 - (1 - level) / 2, df) if df > 0 and isfinite(estimated) and estimator != COMMON else nan
    spread = reach * np.sqrt(random.fit.variances() + used)
    np.fill_diagonal(spread, 0.0)
    return Network(
        contrasts=contrasts,
        independent=independent,
        common=common,
        random=random,
        prediction_low=random.effects.estimate - spread,
        prediction_high=random.effects.estimate + spread,
        prediction_df=df,
        tau2=estimated,
        tau2_interval=_tau2_interval(independent, level),
        i2_interval=_i2_interval(decomposition, level),
        decomposition=decomposition,
        reference=against,
        small_values=small_values,
        measure=measure,
        scale=scale,
        level=level,
        status=Status.OK if isfinite(estimated) else Status.UNDEFINED,
        notes=_notes(estimated, modes),
        provenance=_provenance(tau2, estimator, reference, against, multi_arm_tolerance),
    )


def _between(independent: IndependentContrasts, tau2: str | float) -> tuple[str, float, int]:
    """The estimator's own name, the variance (nan without degrees of freedom), and the modes of the likelihood."""
    if not isinstance(tau2, str):
        if not (isinstance(tau2, Real) and isfinite(tau2) and tau2 >= 0):
            raise InputError(f"tau2 is {tau2!r}; a variance is zero or more. Give one, or name an estimator.")
        return GIVEN, float(tau2), 1
    estimator = estimator_named(tau2)
    design = independent.design[:, independent.columns()]
    found = between_variance(independent.effects, independent.variances, design, estimator=estimator)
    return estimator, float(found.tau2[0]), int(found.modes[0])


def estimator_named(tau2: str) -> str:
    """The estimator's own name, whatever the case.

    Raises
    ------
    InputError : a network has no such estimator
    """
    names = {name.lower(): name for name in ESTIMATORS}
    if tau2.lower() not in names:
        raise InputError(
            f"tau2 is {tau2!r}; in a network it can be one of {', '.join(ESTIMATORS)}, or a number. Write one."
        )
    return names[tau2.lower()]


def _model(
    contrasts: Contrasts, independent: IndependentContrasts, tau2: float, small_values: SmallValues, level: float
) -> NetworkModel:
    fit = fit_graph(independent, tau2)
    effects = effect_matrix(contrasts.treatments, fit.differences(), np.sqrt(fit.variances()), level)
    evidence = direct_evidence(contrasts, fit, tau2, level)
    return NetworkModel(tau2, fit, effects, evidence, p_scores(effects, small_values=small_values))


def _notes(tau2: float, modes: int) -> tuple[str, ...]:
    if not isfinite(tau2):
        return (NO_HETEROGENEITY,)
    return (
        (f"The likelihood of the variance between studies has {modes} modes; the highest is used.",)
        if modes > 1
        else ()
    )


def _tau2_interval(independent: IndependentContrasts, level: float) -> Interval:
    design = independent.design[:, independent.columns()]
    low, high = profile_ends(studies_of(independent.effects, independent.variances, design), level)
    return Interval(float(low[0]), float(high[0]), level, "Q-profile")


def _i2_interval(decomposition: DesignDecomposition, level: float) -> Interval:
    test = decomposition.total
    low, high = i2_interval(np.array([test.statistic]), np.array([test.df]), level) if test.df > 1 else ([nan], [nan])
    return Interval(float(low[0]), float(high[0]), level, "test-based")


def _provenance(tau2: str | float, estimator: str, asked: str | None, reference: str, tolerance: float) -> Provenance:
    between = "zero" if estimator == COMMON else "correlation 1/2 between contrasts of a study that share an arm"
    cited = {"DL": ("der-simonian-laird-1986",), "REML": ("viechtbauer-2005",)}
    return Provenance(
        "network meta-analysis, graph-theoretical",
        (
            choice("tau2", tau2 if estimator == GIVEN else estimator, USUAL),
            Choice("between-study covariance", between, "derived", "rucker-schwarzer-2014"),
            Choice("reference", reference, "default" if asked is None else "given"),
            Choice("interval", "wald", "default"),
            Choice("prediction interval", "t, degrees of freedom of Q less 1", "default"),
            Choice("indirect evidence", "back-calculation", "default", "konig-2013"),
            choice("multi_arm_tolerance", tolerance, TOLERANCE),
        ),
        ("rucker-2012", "rucker-schwarzer-2014", *cited.get(estimator, ()), "krahn-2013", "rucker-schwarzer-2015"),
    )
