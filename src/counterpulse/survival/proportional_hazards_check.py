"""The score test of proportional hazards: whether a coefficient changes with time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np
import polars as pl

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail
from counterpulse.numerics.linear_algebra import solve_symmetric
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.survival.cox_data import prepare
from counterpulse.survival.cox_model import CoxFit
from counterpulse.survival.follow_up import Floats
from counterpulse.survival.maximize import varying_independent
from counterpulse.survival.partial_likelihood import gradient_and_information, risk_state
from counterpulse.survival.risk_sets import RiskSets

TimeScale = Literal["km", "identity", "rank", "log"]
GLOBAL = "GLOBAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionalHazards:
    """Tests of every term, and of all together in the last row; shape (terms + 1,)."""

    variables: tuple[str, ...]
    chi_squared: Floats
    df: Floats
    p_value: Floats
    transform: TimeScale
    status: Status
    provenance: Provenance

    def tidy(self) -> pl.DataFrame:
        """One row a test: the columns of a "proportional-hazards" block."""
        return pl.DataFrame(
            {"variable": self.variables, "chi_squared": self.chi_squared, "df": self.df, "p_value": self.p_value}
        ).with_columns(pl.col(pl.Float64).fill_nan(None))


def proportional_hazards(fit: CoxFit, *, transform: TimeScale = "km") -> ProportionalHazards:
    """Test proportional hazards of every term of a Cox model and of all together.

    Parameters
    ----------
    fit : a fitted model; its table is read again
    transform : of time: 1 - the Kaplan-Meier curve before it, time itself, its rank among all ends of follow-up, its
        logarithm

    Returns
    -------
    ProportionalHazards : score tests that the coefficient of x times the transformed time is zero; the columns of a
        categorical term are tested together. Model-based, whatever variance the fit uses.

    Raises
    ------
    InputError : an unknown transform, or the logarithm of an event time of zero

    References
    ----------
    Grambsch and Therneau 1994 (doi:10.1093/biomet/81.3.515)
    """
    if transform not in ("km", "identity", "rank", "log"):
        raise InputError(f"transform={transform!r} is not known; use 'km', 'identity', 'rank' or 'log'")
    terms = _terms(fit)
    usable = fit.status in (Status.OK, Status.RANK_DEFICIENT)
    tests = _score_tests(fit, terms, transform) if usable else [(nan, float(len(at))) for at in terms.values()]
    chi_squared, df = (np.array(values) for values in zip(*tests, strict=True))
    return ProportionalHazards(
        variables=tuple(terms), chi_squared=chi_squared, df=df,
        p_value=np.array([chi_squared_tail(x, f) for x, f in tests]), transform=transform, status=fit.status,
        provenance=Provenance(
            method="score test of proportional hazards",
            choices=(
                Choice("transform", transform, "default" if transform == "km" else "given", "grambsch-therneau-1994"),
            ),
            citations=("grambsch-therneau-1994",),
        ),
    )  # fmt: skip


def _terms(fit: CoxFit) -> dict[str, list[int]]:
    """Positions of the fitted coefficients of every term, and of all."""
    known = [status is Status.OK for status in fit.parameters.statuses]
    positions: dict[str, list[int]] = {}
    begin = 0
    for coding in fit.spec.codings:
        columns = coding.columns()
        at = [begin + j for j in range(len(columns)) if known[begin + j]]
        begin += len(columns)
        if at:
            positions.setdefault(columns[0].variable, []).extend(at)
    return {**positions, GLOBAL: [j for j, one in enumerate(known) if one]}


def _score_tests(fit: CoxFit, terms: Mapping[str, Sequence[int]], transform: TimeScale) -> list[tuple[float, float]]:
    data = prepare(fit.request)
    sets, X = data.sets, data.design.X
    beta = np.nan_to_num(fit.coefficients) * data.scale
    state = risk_state(sets, X, beta, efron=fit.request.ties == "efron")
    scale = _transformed(sets, data.rows.stop, data.rows.start, transform)
    scale = scale - float(sets.deaths @ scale) / float(sets.deaths.sum())
    _, information, spread = gradient_and_information(sets, X, state)
    score, crossed, _ = gradient_and_information(sets, X, state, multiplier=scale)
    _, squared, _ = gradient_and_information(sets, X, state, multiplier=scale**2)
    kept = np.flatnonzero(varying_independent(information, spread))
    adjusted = squared - crossed[:, kept] @ solve_symmetric(information[np.ix_(kept, kept)], crossed[kept])
    tests = []
    for at in terms.values():
        part = adjusted[np.ix_(at, at)]
        try:
            statistic = float(score[at] @ solve_symmetric(part, score[at]))
        except np.linalg.LinAlgError:
            statistic = nan
        tests.append((statistic, float(len(at))))
    return tests


def _transformed(sets: RiskSets, stop: Floats, start: Floats | None, transform: TimeScale) -> Floats:
    """The time scale at every event time, shape (m,)."""
    times = sets.time
    if transform == "identity":
        return times
    if transform == "log":
        if np.any(times <= 0):
            raise InputError("an event time is zero; choose another transform than 'log'")
        return np.log(times)
    ends = np.sort(stop)
    before, upto = (np.searchsorted(ends, times, side=side).astype(np.float64) for side in ("left", "right"))
    if transform == "rank":
        ranks: Floats = (before + 1 + upto) / 2
        return ranks
    distinct, of_time = np.unique(times, return_inverse=True)
    deaths = np.bincount(of_time, weights=sets.deaths)
    at_risk = len(stop) - np.searchsorted(ends, distinct, side="left").astype(np.float64)
    if start is not None:
        at_risk -= len(start) - np.searchsorted(np.sort(start), distinct, side="left")
    survival = np.cumprod(1 - deaths / at_risk)
    return np.asarray((1 - np.concatenate(([1.0], survival[:-1])))[of_time], dtype=np.float64)
