"""The contrasts of a network as they are read and checked: each study a set of arms with its own covariance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.networks.components import components
from counterpulse.synthesis.pooling.given_numbers import rows
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Names = tuple[str, ...]

SHOWN = 8
"""Pairs of arms that a message lists at most."""


@dataclass(frozen=True, slots=True)
class ComparedArms:
    """What one study says about the differences between its p arms.

    Attributes
    ----------
    study : its name
    arms : treatments, as indices, ascending; shape (p,)
    effects : effect of each arm against the mean of the arms, shape (p,)
    covariance : of `effects`; rows sum to zero and the rank is p - 1; shape (p, p)
    """

    study: str
    arms: tuple[int, ...]
    effects: Floats
    covariance: Floats


@dataclass(frozen=True, slots=True)
class Contrasts:
    """All pairwise contrasts of a connected network.

    Attributes
    ----------
    treatments : names in alphabetical order, n of them
    effects, variances : of treatment `first` against `second`, shape (m,)
    first, second : indices of treatments, shape (m,)
    studies : one entry a study, in the order of the input
    """

    treatments: tuple[str, ...]
    effects: Floats
    variances: Floats
    first: Indices
    second: Indices
    studies: tuple[ComparedArms, ...]

    def index(self, treatment: str) -> int:
        """Position of a treatment.

        Raises
        ------
        InputError : no study has it
        """
        if treatment not in self.treatments:
            raise InputError(
                f"{treatment!r} is not a treatment of this network; it has {', '.join(self.treatments)}. Use one of these."
            )
        return self.treatments.index(treatment)


def read_contrasts(
    yi: ArrayLike,
    vi: ArrayLike,
    treatment_1: Iterable[object],
    treatment_2: Iterable[object],
    study: Iterable[object],
    *,
    tolerance: float,
) -> Contrasts:
    """Read contrasts, check that they can stand together, and gather them by study.

    Parameters
    ----------
    yi, vi : effect of `treatment_1` against `treatment_2` and its variance, shape (m,)
    study : label of each row's study; a study of p arms has all p (p - 1) / 2 rows
    tolerance : how far the contrasts of a multi-arm study may be from adding up, in its largest standard error (effects) or
        variance (variances)

    Raises
    ------
    InputError : rows are unusable, a multi-arm study lacks contrasts or contradicts itself, or the network falls apart
    """
    effects, variances = read_studies(yi, vi)
    names_1, names_2 = read_names(treatment_1, "treatment_1"), read_names(treatment_2, "treatment_2")
    labels = read_names(study, "study")
    check_lengths({"yi": effects, "vi": variances, "treatment_1": names_1, "treatment_2": names_2, "study": labels})
    _check_different(names_1, names_2)
    _check_connected(names_1, names_2)
    treatments = tuple(sorted({*names_1, *names_2}))
    position = {name: at for at, name in enumerate(treatments)}
    first = np.array([position[name] for name in names_1], dtype=np.intp)
    second = np.array([position[name] for name in names_2], dtype=np.intp)
    studies = tuple(
        _compared_arms(label, treatments, (effects[at], variances[at], first[at], second[at]), tolerance)
        for label, at in rows_by_study(labels).items()
    )
    return Contrasts(treatments, effects, variances, first, second, studies)


def read_names(values: Iterable[object], name: str) -> Names:
    """Labels as text.

    Raises
    ------
    InputError : a row has none
    """
    names = tuple(values)
    empty = [value is None or str(value).strip() == "" for value in names]
    if any(empty):
        raise InputError(f"{name} is empty in {rows(empty)}; fill it in or leave the row out.")
    return tuple(str(value) for value in names)


def rows_by_study(labels: Names) -> dict[str, list[int]]:
    """Rows of each study, in the order of the first ones."""
    by_study: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        by_study.setdefault(label, []).append(row)
    return by_study


def check_lengths(columns: dict[str, Floats | Names]) -> None:
    """Refuse columns that differ in length.

    Raises
    ------
    InputError : names the lengths
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"The columns differ in length ({said}); give one entry a row in each.")


def _check_different(names_1: Names, names_2: Names) -> None:
    same = [first == second for first, second in zip(names_1, names_2, strict=True)]
    if any(same):
        raise InputError(f"A treatment is compared with itself in {rows(same)}; correct or leave out these contrasts.")


def _check_connected(names_1: Names, names_2: Names) -> None:
    parts = components(names_1, names_2)
    if len(parts) > 1:
        said = "; ".join(f"({number}) {', '.join(part)}" for number, part in enumerate(parts, start=1))
        raise InputError(
            f"The network falls into {len(parts)} parts that no study joins: {said}. Analyze each part alone, or add a study that "
            "joins them."
        )


def _compared_arms(
    study: str, treatments: Names, given: tuple[Floats, Floats, Indices, Indices], tolerance: float
) -> ComparedArms:
    arms = tuple(sorted({int(arm) for column in given[2:] for arm in column}))
    p, place = len(arms), {arm: at for at, arm in enumerate(arms)}
    differences, spread, times = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p), dtype=int)
    for effect, variance, first, second in zip(*given, strict=True):
        i, j = place[int(first)], place[int(second)]
        differences[i, j], differences[j, i] = effect, -effect
        spread[i, j] = spread[j, i] = variance
        times[i, j] += 1
        times[j, i] += 1
    names = tuple(treatments[arm] for arm in arms)
    _check_complete(study, names, times)
    _check_adds_up(study, differences, spread, tolerance)
    middle = np.eye(p) - 1 / p
    return ComparedArms(study, arms, differences.mean(axis=1), -middle @ spread @ middle / 2)


def _check_complete(study: str, names: Names, times: NDArray[np.int_]) -> None:
    pairs = list(combinations(range(len(names)), 2))
    for wrong, said, remedy in (
        ([pair for pair in pairs if times[pair] > 1], "more than one contrast of", "keep one row a pair of arms"),
        (
            [pair for pair in pairs if times[pair] == 0],
            "no contrast of",
            "give every pair of its arms, since their covariance needs it",
        ),
    ):
        if wrong:
            listed = "; ".join(f"{names[i]} and {names[j]}" for i, j in wrong[:SHOWN])
            raise InputError(f"Study {study!r} has {said} {listed}; {remedy}.")


def _check_adds_up(study: str, differences: Floats, spread: Floats, tolerance: float) -> None:
    """Independent arms have effects that add up around a triangle, and variances that are sums of one term an arm."""
    p = len(differences)
    effects = differences.mean(axis=1)
    if np.abs(differences - (effects[:, None] - effects)).max() > tolerance * np.sqrt(spread.max()):
        raise InputError(
            f"The contrasts of study {study!r} do not add up around its arms; check their signs and values, or raise "
            "`multi_arm_tolerance` where they were rounded."
        )
    if p == 2:
        return
    arm = (spread.sum(axis=1) - spread.sum() / (2 * (p - 1))) / (p - 2)
    additive = np.where(np.eye(p, dtype=bool), 0.0, arm[:, None] + arm)
    slack = tolerance * spread.max()
    if np.abs(additive - spread).max() > slack or arm.min() < -slack:
        raise InputError(
            f"The variances of the contrasts of study {study!r} cannot be those of independent arms; check them, or raise "
            "`multi_arm_tolerance` where they were rounded."
        )
