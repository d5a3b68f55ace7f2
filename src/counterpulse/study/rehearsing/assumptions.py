"""What is assumed of one outcome, resolved: times in one unit, the strength of every covariate, the effects to try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import level_text
from counterpulse.data.terms import variables_of
from counterpulse.errors import ProtocolError
from counterpulse.protocol.lint_rehearsal import simulated_kind
from counterpulse.protocol.nodes import AssumedOutcome, Rehearsal, Unmeasured
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.protocol.words import Duration
from counterpulse.source import Finding, Location

Vector = NDArray[np.float64]
MODERATE = 0.8
"""The standard deviation, in log odds or log hazard, of what the covariates of the moderate set predict together, at most."""
MOST = log(2)
"""The most that yes, or one level against another, adds in the moderate set."""
RATIOS = {"binary": "odds ratio", "time-to-event": "hazard ratio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What is assumed of one outcome. Times are in `unit`; `effects` begin with none; `strengths` are per SD, of yes, or by level.

    `within` is None where nothing needs a time; `spoken` are `by` and `within` as they were written.
    """

    name: str
    label: str
    kind: str
    unit: str
    risk: float | None
    by: float | None
    within: float | None
    spoken: tuple[Duration | None, Duration | None]
    shape: float
    effects: tuple[float, ...]
    strengths: Mapping[str, float | Mapping[str, float]]
    moderate: bool
    lost: float
    competing: float
    fatal: bool
    mean: float
    sd: float
    unmeasured: Unmeasured | None

    @property
    def ratio(self) -> bool:
        """Whether effects are ratios."""
        return self.kind in RATIOS

    @property
    def measure(self) -> str:
        """What the effects are."""
        return RATIOS.get(self.kind, "difference of means")

    def on_scale(self, effect: float) -> float:
        """An effect on the scale of the simulation: the logarithm of a ratio, standard deviations of a mean."""
        return float(np.log(effect)) if self.ratio else effect / self.sd


def rehearsal_of(plan: Plan) -> Rehearsal:
    """The assumptions of a protocol.

    Raises
    ------
    ProtocolError : there are none, or no groups are compared
    """
    if plan.review is not None:
        finding = Finding(
            code="E655", where=Location("protocol"), seen="a review has no patients whose outcomes could be simulated",
            allowed="a study of patients", remedy="look at its output beforehand with `counterpulse mock` and `counterpulse run --data`",
        )  # fmt: skip
        raise ProtocolError([finding])
    if plan.group_variable is None:
        finding = Finding(
            code="E655", where=Location("protocol"), seen="no groups are compared: there is no effect to rehearse",
            allowed="a protocol with `groups`", remedy="rehearse studies that compare groups",
        )  # fmt: skip
        raise ProtocolError([finding])
    if plan.protocol.rehearsal is None:
        names = ", ".join(sorted({name for analysis in plan.analyses for name in analysis.outcomes}))
        finding = Finding(
            code="E655", where=Location("protocol"), seen="nothing is assumed of any outcome: `rehearsal` is missing",
            allowed=f"assumptions about one or more of {names}",
            remedy="add a line such as `rehearsal: {outcomes: {NAME: {risk: 0.4, effects: [0.7]}}}`",
        )  # fmt: skip
        raise ProtocolError([finding])
    return plan.protocol.rehearsal


def assumed_outcome(
    plan: Plan, rehearsal: Rehearsal, name: str, analyses: tuple[PlannedAnalysis, ...], patients: pl.DataFrame
) -> Assumed:
    """The assumptions about one outcome, resolved against the compared patients and the analyses that are rehearsed."""
    node, written, outcome = plan.protocol.outcomes[name], rehearsal.outcomes[name], plan.outcomes[name]
    kind = simulated_kind(node)
    assert kind is not None
    unit = outcome.time_unit or _unit(written, node.horizon) or "days"
    end = written.within or node.horizon
    within = None if end is None else end.within(unit)
    by = written.median or written.by or end
    null = 1.0 if kind in RATIOS else 0.0
    moderate = rehearsal.prognosis == "moderate"
    return Assumed(
        name=name, label=outcome.label, kind=kind, unit=unit,
        risk=0.5 if written.median is not None else written.risk, by=None if by is None else by.within(unit), within=within,
        spoken=(by, end),
        shape=written.shape, effects=(null, *(effect for effect in written.effects if effect != null)),
        strengths=_moderate(plan, analyses, patients) if moderate else _given(rehearsal), moderate=moderate,
        lost=written.lost, competing=written.competing, fatal=written.fatal,
        mean=written.mean or 0.0, sd=written.sd or 1.0, unmeasured=rehearsal.unmeasured,
    )  # fmt: skip


def predicted(assumed: Assumed, patients: pl.DataFrame) -> Vector:
    """The prognosis of each patient by the measured covariates: log odds, log hazards, or standard deviations.

    Numbers count from their mean in standard deviations; a blank value adds nothing.
    """
    total = np.zeros(patients.height)
    for name, strength in assumed.strengths.items():
        if isinstance(strength, Mapping):
            text = level_text(patients[name])
            for level, value in strength.items():
                total += value * (text == level).fill_null(value=False).to_numpy()
        else:
            total += strength * _standardized(patients[name])
    return total


def assumption_lines(assumed: Assumed) -> Iterator[str]:
    """The assumptions in words."""
    effects = ", ".join(f"{effect:g}" for effect in assumed.effects)
    if assumed.kind == "continuous":
        yield f"{assumed.label}: mean {assumed.mean:g} and standard deviation {assumed.sd:g} in the reference group"
    else:
        when = "" if assumed.spoken[0] is None else f" by {assumed.spoken[0]}"
        yield f"{assumed.label}: risk {assumed.risk:g}{when} in the reference group, left untreated"
    yield f"{assumed.label}: true {assumed.measure}s {effects}, the first being no effect"
    if assumed.within is not None:
        yield from _course(assumed)
    how = (
        f"moderate: equal shares of {len(assumed.strengths)} covariates, together of a standard deviation of {MODERATE:g} at most, "
        "each worse in the treated"
        if assumed.moderate
        else "as given"
    )
    strengths = "; ".join(f"{name} {_strength(value)}" for name, value in assumed.strengths.items())
    yield f"{assumed.label}: prognosis {how} ({strengths or 'no covariate'})"
    if assumed.unmeasured is not None:
        yield (
            f"{assumed.label}: an unmeasured confounder of strength {assumed.unmeasured.outcome:g} per SD, "
            f"{assumed.unmeasured.exposure:g} SD higher in the treated"
        )


def _course(assumed: Assumed) -> Iterator[str]:
    parts = [f"watched for {assumed.spoken[1]}", f"Weibull shape {assumed.shape:g}"]
    parts += [f"{assumed.lost:.0%} lost to follow-up"] if assumed.lost else []
    parts += [f"{assumed.competing:.0%} with the competing event"] if assumed.competing else []
    late = "is never treated" if assumed.fatal else "may still be treated"
    yield f"{assumed.label}: {', '.join(parts)}; who has the event before the treatment begins {late}"


def _strength(value: float | Mapping[str, float]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{level} {number:+.2f}" for level, number in value.items())
    return f"{value:+.2f}"


def _unit(written: AssumedOutcome, horizon: Duration | None) -> str | None:
    length = written.within or horizon or written.by
    return None if length is None else length.unit


def _given(rehearsal: Rehearsal) -> dict[str, float | Mapping[str, float]]:
    assert isinstance(rehearsal.prognosis, Mapping)
    return dict(rehearsal.prognosis)


def _moderate(
    plan: Plan, analyses: tuple[PlannedAnalysis, ...], patients: pl.DataFrame
) -> dict[str, float | Mapping[str, float]]:
    """Equal shares of every covariate of the analyses; the sign is that of its difference between the groups of the data."""
    names = dict.fromkeys(name for analysis in analyses for term in analysis.every_term for name in variables_of(term))
    treated = (patients[str(plan.group_variable)] != plan.reference).to_numpy()
    found: dict[str, float | Mapping[str, float]] = {}
    share = MODERATE / sqrt(max(len(names), 1))
    for name in names:
        column = patients[name]
        if column.dtype.is_numeric():
            found[name] = _signed(share, _standardized(column), treated)
        elif column.dtype == pl.Boolean:
            spread = float(column.cast(pl.Float64).std() or 0.0)  # type: ignore[arg-type]
            values = column.cast(pl.Float64).fill_null(column.cast(pl.Float64).mean()).to_numpy()
            found[name] = _signed(min(share / spread, MOST) if spread else 0.0, values, treated)
        elif levels := _levels(column):
            found[name] = _by_level(level_text(column), levels, share, treated)
    return found


def _levels(column: pl.Series) -> list[str]:
    """The levels of a category that occur; of a text or a date none."""
    text = level_text(column) if isinstance(column.dtype, pl.Enum | pl.Categorical) else None
    return [] if text is None else sorted(text.drop_nulls().unique().to_list())


def _by_level(text: pl.Series, levels: list[str], share: float, treated: NDArray[np.bool_]) -> dict[str, float]:
    """Levels in the order of how often they are treated, equally spaced and of the spread of one share."""
    if len(levels) == 1:
        return {levels[0]: 0.0}
    often = {level: float(treated[(text == level).fill_null(value=False).to_numpy()].mean()) for level in levels}
    ordered = sorted(levels, key=lambda level: (often[level], level))
    ranks = text.replace_strict({level: float(rank) for rank, level in enumerate(ordered)}, return_dtype=pl.Float64)
    spread = float(ranks.std() or 1.0)  # type: ignore[arg-type]
    step = min(share / spread, MOST / (len(levels) - 1))
    return {level: step * rank for rank, level in enumerate(ordered)}


def _signed(share: float, values: Vector, treated: NDArray[np.bool_]) -> float:
    if not treated.any() or treated.all():
        return share
    return share if values[treated].mean() >= values[~treated].mean() else -share


def _standardized(column: pl.Series) -> Vector:
    """A number in standard deviations from its mean, yes as 1 and no as 0; blanks are 0."""
    values = column.cast(pl.Float64)
    if column.dtype != pl.Boolean:
        mean, spread = values.mean(), values.std()
        values = (values - mean) / spread if spread else values * 0.0
    return values.fill_null(0.0).to_numpy()
