"""A network as independent numbers: a study of p arms gives p - 1 of them, with variances `v + tau2`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.networks.components import components
from counterpulse.synthesis.networks.contrasts import ComparedArms

Floats = NDArray[np.float64]

SINGULAR = 1e-10
"""A direction between arms whose variance is less than this part of the study's largest is taken as having none."""


@dataclass(frozen=True, slots=True)
class IndependentContrasts:
    """Contrasts between arms that are independent within and between studies.

    The differences between the arms of a study have covariance ``S + (tau2 / 2) (I - J / p)``: the between-study part has
    correlation 1/2 between contrasts that share an arm. Both terms have the same eigenvectors, so the contrasts along them,
    times the square root of 2, are independent with variances ``v + tau2``; a study of two arms gives its own contrast.

    Attributes
    ----------
    effects, variances : shape (N,)
    design : contrasts in terms of the treatments, rows sum to zero, shape (N, n)
    study : index of the study of each contrast, shape (N,)
    arms : the arms compared in each study, one entry a study
    """

    effects: Floats
    variances: Floats
    design: Floats
    study: NDArray[np.intp]
    arms: tuple[tuple[int, ...], ...]

    def columns(self, studies: Sequence[int] | None = None) -> list[int]:
        """Treatments whose columns are independent over these studies (default: all): one fewer than a joined part has."""
        chosen = range(len(self.arms)) if studies is None else studies
        pairs = [(self.arms[at][0], arm) for at in chosen for arm in self.arms[at][1:]]
        parts = components(*zip(*pairs, strict=True))
        return sorted(int(arm) for part in parts for arm in sorted(part, key=int)[1:])


def independent_contrasts(studies: Sequence[ComparedArms], n_treatments: int) -> IndependentContrasts:
    """Turn every study into independent contrasts.

    Raises
    ------
    InputError : the variances of a multi-arm study are not those of any set of contrasts
    """
    effects, variances, rows, owner = [], [], [], []
    for number, study in enumerate(studies):
        spread, directions = np.linalg.eigh(study.covariance)
        if spread[1] <= SINGULAR * spread[-1]:
            raise InputError(
                f"The variances of the contrasts of study {study.study!r} contradict each other; check them against the paper."
            )
        turned = np.sqrt(2) * directions[:, 1:].T
        row = np.zeros((len(turned), n_treatments))
        row[:, study.arms] = turned
        effects.append(turned @ study.effects)
        variances.append(2 * spread[1:])
        rows.append(row)
        owner.append(np.full(len(turned), number, dtype=np.intp))
    return IndependentContrasts(
        np.concatenate(effects), np.concatenate(variances), np.vstack(rows), np.concatenate(owner),
        tuple(study.arms for study in studies),
    )  # fmt: skip
