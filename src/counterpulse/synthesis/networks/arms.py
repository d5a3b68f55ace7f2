"""All pairwise contrasts of studies from what each arm printed: counts, or means with their standard deviations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.synthesis.networks.contrasts import Names, check_lengths, read_names, rows_by_study
from counterpulse.synthesis.pooling.asked import check_word
from counterpulse.synthesis.pooling.counts import HALF, Measure, check_sizes, read_counts
from counterpulse.synthesis.pooling.given_numbers import numbers, rows

Floats = NDArray[np.float64]
MeanMeasure = Literal["mean difference", "ratio of means"]


@dataclass(frozen=True, slots=True)
class ArmContrasts:
    """Contrasts for `network`: of `treatment_1` against `treatment_2`, a logarithm for ratios.

    Attributes
    ----------
    yi, vi : shape (m,)
    corrected : studies in which half a patient was added to every cell of every arm
    left_out : studies in which nobody or everybody had the event, which say nothing of a ratio
    patients : patients by treatment, over the studies used
    """

    yi: Floats
    vi: Floats
    treatment_1: tuple[str, ...]
    treatment_2: tuple[str, ...]
    study: tuple[str, ...]
    corrected: tuple[str, ...]
    left_out: tuple[str, ...]
    patients: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Arms:
    """One value with its variance an arm, and the study of each."""

    value: Floats
    variance: Floats
    n: Floats
    treatment: Names
    study: Names


def contrasts_from_counts(
    events: ArrayLike,
    n: ArrayLike,
    treatment: Iterable[object],
    study: Iterable[object],
    *,
    measure: Measure = "odds ratio",
) -> ArmContrasts:
    """Pairwise contrasts from events and patients, one row an arm.

    A study with an empty cell (no event, or no patient without one, in an arm) gets half a patient in every cell of every arm;
    one where that holds for all arms alike is left out for ratios and kept for differences.

    Raises
    ------
    InputError : rows are unusable, a study has one arm or the same treatment twice, or no study is left
    """
    check_word(measure, "measure", get_args(Measure))
    cases, sizes = read_counts(events, "events"), read_counts(n, "n")
    names, labels = read_names(treatment, "treatment"), read_names(study, "study")
    check_lengths({"events": cases, "n": sizes, "treatment": names, "study": labels})
    check_sizes(cases, sizes, "")
    by_study = _arms_by_study(names, labels)
    left_out = {
        label for label, at in by_study.items()
        if measure != "risk difference" and (not cases[at].any() or (cases[at] == sizes[at]).all())
    }  # fmt: skip
    corrected = {
        label for label, at in by_study.items()
        if label not in left_out and ((cases[at] == 0) | (cases[at] == sizes[at])).any()
    }  # fmt: skip
    added = np.where([label in corrected for label in labels], HALF, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, variance = _count_values(cases + added, sizes + 2 * added, measure)
    arms = _Arms(value, variance, sizes, names, labels)
    return _pairs(arms, {label: at for label, at in by_study.items() if label not in left_out}, corrected, left_out)


def contrasts_from_means(
    mean: ArrayLike,
    sd: ArrayLike,
    n: ArrayLike,
    treatment: Iterable[object],
    study: Iterable[object],
    *,
    measure: MeanMeasure = "mean difference",
) -> ArmContrasts:
    """Pairwise contrasts from means, standard deviations and patients, one row an arm; each arm keeps its own variance.

    Raises
    ------
    InputError : rows are unusable, or a study has one arm or the same treatment twice
    """
    check_word(measure, "measure", get_args(MeanMeasure))
    means, spreads, sizes = numbers(mean, "mean"), numbers(sd, "sd"), numbers(n, "n")
    names, labels = read_names(treatment, "treatment"), read_names(study, "study")
    check_lengths({"mean": means, "sd": spreads, "n": sizes, "treatment": names, "study": labels})
    _refuse(~np.isfinite(means), "mean is missing")
    _refuse(~(np.isfinite(spreads) & (spreads > 0)), "sd is not above 0")
    _refuse(~(np.isfinite(sizes) & (sizes > 0)), "n is not above 0")
    value, variance = means, spreads**2 / sizes
    if measure == "ratio of means":
        _refuse(means <= 0, "mean is not above 0, so it has no ratio,")
        value, variance = np.log(means), variance / means**2
    return _pairs(_Arms(value, variance, sizes, names, labels), _arms_by_study(names, labels), set(), set())


def _count_values(cases: Floats, sizes: Floats, measure: Measure) -> tuple[Floats, Floats]:
    others, risk = sizes - cases, cases / sizes
    if measure == "odds ratio":
        return np.log(cases / others), 1 / cases + 1 / others
    if measure == "risk ratio":
        return np.log(risk), others / (cases * sizes)
    return risk, risk * others / sizes**2


def _refuse(wrong: NDArray[np.bool_], said: str) -> None:
    if wrong.any():
        raise InputError(f"{said} in {rows(wrong)}; correct or leave out these arms.")


def _arms_by_study(names: Names, labels: Names) -> dict[str, list[int]]:
    by_study = rows_by_study(labels)
    for label, at in by_study.items():
        if len(at) < 2:
            raise InputError(
                f"Study {label!r} has one arm, which compares nothing; add its other arms or leave it out."
            )
        twice = sorted({names[row] for row in at if [names[other] for other in at].count(names[row]) > 1})
        if twice:
            raise InputError(
                f"Study {label!r} has more than one arm of {', '.join(twice)}; add them up to one arm each."
            )
    return by_study


def _pairs(arms: _Arms, by_study: dict[str, list[int]], corrected: set[str], left_out: set[str]) -> ArmContrasts:
    if not by_study:
        raise InputError("No study is left: in each nobody, or everybody, had the event. Use the risk difference.")
    pairs = [pair for at in by_study.values() for pair in combinations(at, 2)]
    first, second = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    used = [row for at in by_study.values() for row in at]
    patients = dict.fromkeys(sorted({arms.treatment[row] for row in used}), 0.0)
    for row in used:
        patients[arms.treatment[row]] += float(arms.n[row])
    return ArmContrasts(
        yi=arms.value[first] - arms.value[second],
        vi=arms.variance[first] + arms.variance[second],
        treatment_1=tuple(arms.treatment[row] for row in first),
        treatment_2=tuple(arms.treatment[row] for row in second),
        study=tuple(arms.study[row] for row in first),
        corrected=tuple(label for label in by_study if label in corrected),
        left_out=tuple(dict.fromkeys(label for label in arms.study if label in left_out)),
        patients=patients,
    )
