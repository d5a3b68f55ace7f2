"""What studies say of a comparison they made themselves, and what the rest of the network says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.synthesis.networks.contrasts import Contrasts
from counterpulse.synthesis.networks.effect_matrix import EffectMatrix, effect_matrix
from counterpulse.synthesis.networks.graph_fit import GraphFit

Floats = NDArray[np.float64]

ALL_DIRECT = 1e-10
"""A comparison whose share of indirect evidence is below this has none."""


@dataclass(frozen=True, slots=True)
class DirectEvidence:
    """Direct and indirect evidence of every comparison.

    Attributes
    ----------
    direct : inverse-variance mean of the contrasts made within studies; nan where no study made it
    indirect : what the network says without them; the network's own effect where no study made the comparison, nan where
        all evidence is direct
    share : variance of the network's effect as a part of the direct one's, 0 where no study made it, shape (n, n); the
        diagonal is nan
    studies : studies that made the comparison, shape (n, n)
    """

    direct: EffectMatrix
    indirect: EffectMatrix
    share: Floats
    studies: NDArray[np.int64]


def direct_evidence(contrasts: Contrasts, fit: GraphFit, tau2: float, level: float) -> DirectEvidence:
    """Separate direct from indirect evidence by back-calculation.

    The network's effect is the mean of both, weighted by their inverse variances (Dias et al. 2010,
    doi:10.1002/sim.3767; König, Krahn and Binder 2013, doi:10.1002/sim.6001). A contrast of a multi-arm study is direct
    evidence by itself, with its own variance.
    """
    mean, variance, studies = _direct_means(contrasts, tau2)
    n = len(contrasts.treatments)
    network, network_variance = fit.differences(), fit.variances()
    share = np.where(studies > 0, network_variance / variance, 0.0)
    share[np.diag_indices(n)] = np.nan
    rest = np.where(1 - share > ALL_DIRECT, 1 - share, np.nan)
    indirect = (network - np.where(studies > 0, share * mean, 0.0)) / rest
    return DirectEvidence(
        direct=effect_matrix(contrasts.treatments, mean, np.sqrt(variance), level),
        indirect=effect_matrix(contrasts.treatments, indirect, np.sqrt(network_variance / rest), level),
        share=share,
        studies=studies,
    )


def _direct_means(contrasts: Contrasts, tau2: float) -> tuple[Floats, Floats, NDArray[np.int64]]:
    n = len(contrasts.treatments)
    weight, moment, studies = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n), dtype=np.int64)
    own = 1 / (contrasts.variances + tau2)
    for rows, columns, sign in ((contrasts.first, contrasts.second, 1.0), (contrasts.second, contrasts.first, -1.0)):
        np.add.at(weight, (rows, columns), own)
        np.add.at(moment, (rows, columns), sign * own * contrasts.effects)
        np.add.at(studies, (rows, columns), 1)
    made = np.where(studies > 0, weight, np.nan)
    return moment / made, 1 / made, studies
