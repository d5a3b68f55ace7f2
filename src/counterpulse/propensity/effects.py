"""Means and risks compared after matching or weighting, with the variance that goes with how the sample was made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import cluster_sums
from counterpulse.propensity.compared_means import ComparedMeans, compared
from counterpulse.propensity.matched_pairs import Matching
from counterpulse.propensity.outcome_means import Groups, OutcomeModel, Population, means_of, read_outcome
from counterpulse.propensity.resampled_means import resample_patients, resample_sets
from counterpulse.propensity.stratified import Stratification
from counterpulse.propensity.weight_sources import sources
from counterpulse.propensity.weighted_sample import Weighting
from counterpulse.propensity.weighting import TARGETS
from counterpulse.results.coefficients import FEW, TOO_FEW
from counterpulse.results.provenance import Choice, Provenance

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

FEWEST = 100
"""Draws below which the percentiles of a bootstrap are its extremes."""


def matched_effect(
    matching: Matching | Stratification,
    *,
    outcome: str,
    covariates: Sequence[Term] | None = None,
    interact: bool = True,
    population: Population = "sampled",
    bootstrap: int = 0,
    seed: int = 0,
    level: float = 0.95,
) -> ComparedMeans:
    """Compare an outcome between matched patients.

    Parameters
    ----------
    matching : of the table that holds the outcome; pairs, or strata (full matching, subclasses, coarsened exact)
    outcome : a yes/no or 0/1 column (risks), text of two levels, or a number (means)
    covariates : terms of a weighted logistic (linear) model of the outcome, whose predictions are averaged over the target
        (g-computation); default: the means as they are
    interact : whether covariates have their own coefficients among the treated
    population : "sampled" counts the drawing of the target's covariates as a source of uncertainty; "fixed" does not
    bootstrap : how many times matched sets are drawn again, for percentile intervals; 0 for the robust variance
    seed : of the bootstrap
    level : of the intervals

    Raises
    ------
    InputError : the outcome is absent or cannot be used; a bootstrap of a matching with replacement

    Notes
    -----
    The variance is robust to matched sets, with the factor G / (G - 1) for G sets (Abadie and Spiess 2022); of fewer than 40
    sets Student's t with G - 1 degrees of freedom is used, and of fewer than 10 there is no standard error. After
    matching with replacement, and of strata that are no sets of partners, it is robust to single patients. The bootstrap
    draws matched sets, never patients, and keeps the score and the matching (Austin and Small 2014); it does not hold for
    matching with replacement, whose estimator is too far from smooth (Abadie and Imbens 2008).

    References
    ----------
    Abadie and Spiess 2022, doi:10.1080/01621459.2020.1840383; Austin and Small 2014, doi:10.1002/sim.6276; Abadie and
    Imbens 2008, doi:10.3982/ECTA6474
    """
    model = _model(covariates, interact, population)
    units = matching.units
    weights, sets = matching.weights[units.rows], _sets(matching)
    values, binary = read_outcome(matching.table, outcome)
    groups = Groups(
        frame=matching.table[units.rows], codes=(~units.treated).astype(np.intp), names=("treated", "control"),
        outcome=outcome, values=values[units.rows], binary=binary, target=_target_of_matching(matching, weights),
    )  # fmt: skip
    means = means_of(groups, weights, model)
    replicates = None
    if bootstrap:
        if sets is None:
            raise InputError(
                "a bootstrap draws matched sets, and matching with replacement makes none (Abadie and Imbens 2008); "
                "leave out bootstrap= for the robust variance"
            )
        replicates = resample_sets(groups, weights, sets, model, bootstrap, seed)
    choice = Choice("variance", "robust" if sets is None else "robust by matched set", "derived", "abadie-spiess-2022")
    covariance, df = _by_set(means.influence, sets, means.used)
    return compared(
        means.values, means.influence, covariance, replicates, df=df, names=("treated", "control"),
        treatment=matching.treatment, used=means.used, weighted=weights > 0, binary=binary, level=level,
        status=(matching.status, means.status), estimand=matching.estimand,
        provenance=_provenance("effect in matched patients", choice, model, _drawn(bootstrap, seed, "matched sets", "austin-small-2014")),
    )  # fmt: skip


def weighted_effect(
    weighting: Weighting,
    *,
    outcome: str,
    between: tuple[str, str] | None = None,
    covariates: Sequence[Term] | None = None,
    interact: bool = True,
    population: Population = "sampled",
    bootstrap: int = 0,
    seed: int = 0,
    level: float = 0.95,
) -> ComparedMeans:
    """Compare an outcome between two groups of weighted patients.

    Parameters
    ----------
    weighting : of the table that holds the outcome
    outcome : a yes/no or 0/1 column (risks), text of two levels, or a number (means)
    between : the treated and the control group; default: the second and the first of two
    covariates, interact, population : of a weighted model of the outcome, as for `matched_effect`
    bootstrap : how many times patients are drawn again, the score fitted and the weights made anew in each draw; 0 for
        the stacked variance
    seed : of the bootstrap
    level : of the intervals

    Raises
    ------
    InputError : the outcome is absent or cannot be used; more than two treatments without `between`

    Notes
    -----
    Means divided by the sum of weights. The variance stacks the equations of what the weights were estimated from (the
    logistic or multinomial score; the dual of entropy balancing with the means it reaches; the shares that stabilize)
    under those of the means, so it knows that the weights are estimated. The thresholds of truncation and who is trimmed
    count as given; the bootstrap finds them anew. Scores that were given count as known.

    References
    ----------
    Lunceford and Davidian 2004, doi:10.1002/sim.1903; Stefanski and Boos 2002, doi:10.1198/000313002753631330
    """
    names = weighting.groups.names
    if between is None and len(names) > 2:
        raise InputError("there are more than two treatments; say between=(treated, control)")
    pair = (1, 0) if between is None else (weighting.groups.code_of(between[0]), weighting.groups.code_of(between[1]))
    if pair[0] == pair[1]:
        raise InputError("the two groups of `between` are the same; name two")
    return _weighted(weighting, outcome, [pair], _model(covariates, interact, population), bootstrap, seed, level)[0]


def weighted_effects(
    weighting: Weighting,
    *,
    outcome: str,
    reference: str | None = None,
    covariates: Sequence[Term] | None = None,
    interact: bool = True,
    population: Population = "sampled",
    bootstrap: int = 0,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[ComparedMeans, ...]:
    """Compare every group of weighted patients with a reference; parameters as for `weighted_effect`.

    Parameters
    ----------
    reference : the group the others are compared with; default: the first
    """
    names = weighting.groups.names
    control = 0 if reference is None else weighting.groups.code_of(reference)
    pairs = [(code, control) for code in range(len(names)) if code != control]
    return _weighted(weighting, outcome, pairs, _model(covariates, interact, population), bootstrap, seed, level)


def _weighted(
    weighting: Weighting, outcome: str, pairs: Sequence[tuple[int, int]], model: OutcomeModel | None, bootstrap: int,
    seed: int, level: float,
) -> tuple[ComparedMeans, ...]:  # fmt: skip
    groups = groups_of(weighting, outcome)
    weights = weighting.weights[weighting.groups.rows]
    means = means_of(groups, weights, model)
    influence = means.influence
    if np.isfinite(means.values).any():
        influence = sum((source.carried(means.by_weight) for source in sources(weighting)), influence)
    replicates = None
    if bootstrap:
        replicates = resample_patients(weighting, groups_of, outcome, model, bootstrap, seed)
    given = {
        "thresholds of truncation": weighting.held.any(), "who is trimmed": weighting.n_trimmed, "scores": weighting.words.score is not None,
    }  # fmt: skip
    fixed = "".join(f"; {what} as given" for what, so in given.items() if so)
    choice = Choice("variance", f"stacked estimating equations{fixed}", "default", "stefanski-boos-2002")
    drawn = _drawn(bootstrap, seed, "patients, with everything estimated anew", "lunceford-davidian-2004")
    provenance = _provenance("effect in weighted patients", choice, model, drawn)
    names = ("control", "treated") if len(groups.names) == 2 else groups.names
    found = []
    for pair in map(list, pairs):
        own = influence[:, pair]
        found.append(
            compared(
                means.values[pair], own, own.T @ own, None if replicates is None else replicates[:, pair],
                names=(names[pair[0]], names[pair[1]]), treatment=weighting.words.treatment, binary=groups.binary, level=level,
                used=means.used & np.isin(groups.codes, pair), weighted=(weights > 0) & np.isin(groups.codes, pair),
                status=(weighting.status, means.status), estimand=weighting.estimand, provenance=provenance,
            )
        )  # fmt: skip
    return tuple(found)


def groups_of(weighting: Weighting, outcome: str) -> Groups:
    """The weighted patients with their outcome; standardized means are over whom the weights stand for."""
    rows, codes = weighting.groups.rows, weighting.groups.codes
    values, binary = read_outcome(weighting.table, outcome)
    target: Floats | None = (weighting.weights[rows] > 0).astype(np.float64)
    if TARGETS[weighting.target].needs_focal and weighting.focal is not None:
        target = target * (codes == weighting.groups.code_of(weighting.focal))
    elif weighting.target in ("ATO", "ATM"):
        target = None
    return Groups(
        frame=weighting.table[rows], codes=codes, names=weighting.groups.names, outcome=outcome, values=values[rows],
        binary=binary, target=target,
    )  # fmt: skip


def _model(covariates: Sequence[Term] | None, interact: bool, population: Population) -> OutcomeModel | None:
    return (
        None
        if covariates is None
        else OutcomeModel(covariates=tuple(covariates), interact=interact, population=population)
    )


def _sets(matching: Matching | Stratification) -> Codes | None:
    """The matched set of each unit, -1 for who is in none; None where patients are not matched in sets."""
    sets = matching.sets[matching.units.rows]
    return sets.astype(np.intp) if (sets >= 0).any() else None


def _target_of_matching(matching: Matching | Stratification, weights: Floats) -> Floats:
    """Whom standardized means are over: the matched treated, controls, or everybody that was matched."""
    treated = matching.units.treated
    whose = {"ATT": treated, "ATC": ~treated}.get(matching.target, np.ones(len(treated), dtype=bool))
    return np.where((weights > 0) & whose, 1.0, 0.0)


def _by_set(influence: Floats, sets: Codes | None, used: NDArray[np.bool_]) -> tuple[Floats, float | None]:
    """Sum the squares of the influence by matched set, or by patient; and degrees of freedom where sets are few."""
    if sets is None:
        return influence.T @ influence, None
    names, codes = np.unique(sets[used], return_inverse=True)
    count = len(names)
    if count < TOO_FEW:
        return np.full((2, 2), np.nan), None
    sums = cluster_sums(influence[used], codes.astype(np.intp), count)
    return count / (count - 1) * (sums.T @ sums), count - 1.0 if count < FEW else None


def _drawn(bootstrap: int, seed: int, what: str, reference: str) -> tuple[Choice, ...]:
    if not bootstrap:
        return ()
    if isinstance(bootstrap, bool) or bootstrap < FEWEST:
        raise InputError(f"a bootstrap of fewer than {FEWEST} draws has no percentiles; 1,000 are usual")
    return (
        Choice("bootstrap", bootstrap, "given", reference), Choice("drawn again", what, "derived"),
        Choice("seed", seed, "given"),
    )  # fmt: skip


def _provenance(method: str, variance: Choice, model: OutcomeModel | None, drawn: tuple[Choice, ...]) -> Provenance:
    standardized = () if model is None else (
        Choice("outcome model", "weighted regression, standardized", "given", "robins-1986"),
        Choice("covariates of the target", model.population, "default" if model.population == "sampled" else "given"),
        Choice("treatment by covariates", model.interact, "default" if model.interact else "given"),
    )  # fmt: skip
    choices = (variance, *standardized, *drawn)
    cited = [choice.reference for choice in choices if choice.reference]
    return Provenance(method=method, choices=choices, citations=tuple(dict.fromkeys(cited)))
