"""Additive component network meta-analysis: a combination of treatments has the sum of the effects of its components."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import wald_estimate
from counterpulse.synthesis.engine.between_variance import between_variance
from counterpulse.synthesis.engine.weighted_fit import weighted_fit
from counterpulse.synthesis.networks.effect_matrix import EffectMatrix, effect_matrix
from counterpulse.synthesis.networks.graph_fit import q_test
from counterpulse.synthesis.networks.network_meta_analysis import Network, estimator_named
from counterpulse.synthesis.pooling.homogeneity import ChiSquared

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentNetwork:
    """A fitted additive model.

    Attributes
    ----------
    components : names, c of them, without the inactive one
    effects, covariance : what each adds, random effects, shapes (c,) and (c, c)
    treatments : effects of every treatment of the network against every other under the model
    tau2 : variance between studies under the model
    test : Q of the model; `additivity` is what the model adds to the network's own Q
    """

    components: tuple[str, ...]
    effects: Floats
    covariance: Floats
    treatments: EffectMatrix
    tau2: float
    test: ChiSquared
    additivity: ChiSquared
    measure: str
    scale: Scale
    level: float
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """What each component adds."""
        errors = np.sqrt(np.diag(self.covariance))
        return tuple(
            wald_estimate(self.measure, float(value), float(error), self.level, term=name, scale=self.scale, null=0.0)
            for name, value, error in zip(self.components, self.effects, errors, strict=True)
        )

    def tidy(self) -> pl.DataFrame:
        """One row a component."""
        return tidy(self.estimates())


def component_network(
    network: Network, *, separator: str = "+", inactive: str | None = None, tau2: str = "REML"
) -> ComponentNetwork:
    """Fit the additive model to a network whose treatments are named by their components.

    Parameters
    ----------
    separator : what stands between components in the name of a treatment ("drug + exercise")
    inactive : a component without effect, such as "placebo"
    tau2 : estimator of the variance between studies, as in `network`

    Raises
    ------
    InputError : the studies cannot tell the components apart, or there is no such component

    References
    ----------
    Welton et al. 2009, doi:10.1093/aje/kwp014; Rücker, Petropoulou and Schwarzer 2020, doi:10.1002/bimj.201800167.
    """
    components, parts = _parts(network.treatments, separator, inactive)
    given = network.independent
    design = given.design @ parts
    if np.linalg.matrix_rank(design) < len(components):
        raise InputError(
            f"The studies cannot tell the components {', '.join(components)} apart; name the inactive one, or write as one "
            "component those that are never given apart."
        )
    estimator = estimator_named(tau2)
    between = float(between_variance(given.effects, given.variances, design, estimator=estimator).tau2[0])
    used = between if isfinite(between) else 0.0
    fit = weighted_fit(given.effects, given.variances, design, tau2=used)
    common = weighted_fit(given.effects, given.variances, design)
    test = q_test(float(common.q[0]), float(common.df[0]))
    covariance = fit.covariance[0]
    spread = parts @ covariance @ parts.T
    total, own = parts @ fit.coefficients[0], np.diag(spread)
    errors = np.sqrt(np.maximum(own[:, None] + own - 2 * spread, 0.0))
    return ComponentNetwork(
        components=components,
        effects=fit.coefficients[0],
        covariance=covariance,
        treatments=effect_matrix(network.treatments, total[:, None] - total, errors, network.level),
        tau2=between,
        test=test,
        additivity=q_test(test.statistic - network.q, test.df - network.q_df),
        measure=network.measure,
        scale=network.scale,
        level=network.level,
        provenance=Provenance(
            "additive component network meta-analysis",
            (Choice("tau2", estimator, "given"), Choice("inactive", inactive, "given")),
            ("welton-2009-components", "rucker-2020"),
        ),
    )


def _parts(treatments: tuple[str, ...], separator: str, inactive: str | None) -> tuple[tuple[str, ...], Floats]:
    """Names of the components, and which treatment has which, shape (n, c)."""
    made_of = [{part.strip() for part in name.split(separator)} for name in treatments]
    known = sorted({part for parts in made_of for part in parts})
    if inactive is not None and inactive not in known:
        raise InputError(f"{inactive!r} is not a component; there are {', '.join(known)}. Name one of these, or none.")
    components = tuple(name for name in known if name != inactive)
    return components, np.array([[float(name in parts) for name in components] for parts in made_of])
