"""What a method is asked, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.sample import Sample
from counterpulse.numerics.workers import LocalWorkers, Workers
from counterpulse.propensity import Matching, Stratification, Weighting
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.results import (
    At,
    Block,
    Cell,
    Choice,
    Estimand,
    Estimate,
    EstimateRow,
    GroupCount,
    Notice,
    Subgroup,
)

CLUSTER = "cluster."
ROW = "row."


def event_column(outcome: str) -> str:
    """The column that holds the event of a time-to-event outcome (no name of the language holds a dot)."""
    return f"{outcome}.event"


def level_column(outcome: str) -> str:
    """The column that holds the levels of an ordinal outcome in their order, where it has named levels."""
    return f"{outcome}.level"


def time_column(outcome: str) -> str:
    """The column that holds the time of a time-to-event outcome, from time zero."""
    return f"{outcome}.time"


def cause_column(outcome: str) -> str:
    """The column that says what ended the time of a time-to-event outcome: "censored", "event" or "competing"."""
    return f"{outcome}.cause"


def dead_column(outcome: str) -> str:
    """The column that says who died, of an outcome that death cuts short."""
    return f"{outcome}.dead"


def died_at_column(outcome: str) -> str:
    """The column with the time of that death, where it is known."""
    return f"{outcome}.died_at"


def observed_risk_name(name: str) -> str:
    """The detail with the risk of a time to an event at the end of follow-up, of a request of that name."""
    return f"{name}: risk by the end of follow-up"


START = "start."
USUAL_SEED = 1
"""Of the random numbers where the protocol names no seed."""
WEIGHT, UNIT = "weight.", "unit."
"""The columns of a balanced sample: the weight of each row, and the matched set it belongs to."""
BETWEEN = re.compile(r"[\s,;\"]+")
"""What an id does not hold, because it separates values in files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One outcome of one analysis on one sample.

    `sample.frame` holds the group column (an enum whose first level is the reference), the outcome's columns and
    every variable of the model. `variant` names the sample where an analysis has several (three landmarks, say), and
    the model where it has several. `overall` asks for a test of each term of several columns; `seed` is the study's;
    `workers` carry out what is repeated (resampling). `scores` are propensity scores given beforehand, `balanced` is how the
    sample was matched or weighted.
    """

    plan: Plan
    analysis: PlannedAnalysis
    outcome: PlannedOutcome
    sample: Sample
    variant: str | None = None
    overall: bool = False
    seed: int | None = None
    workers: Workers = field(default=LocalWorkers(1), compare=False)
    scores: NDArray[np.float64] | None = field(default=None, compare=False)
    balanced: Matching | Weighting | Stratification | None = field(default=None, compare=False)

    @property
    def seed_used(self) -> int:
        """The study's seed, or the usual one where it names none."""
        return USUAL_SEED if self.seed is None else self.seed

    @property
    def frame(self) -> pl.DataFrame:
        """The rows."""
        return self.sample.frame

    @property
    def group(self) -> str | None:
        """The column of the compared groups; none where the exposure itself is the outcome."""
        return None if self.outcome.of_group is not None else self.plan.group_variable

    @property
    def reference(self) -> str:
        """The level the others are compared with."""
        return self.plan.reference

    @property
    def treated(self) -> tuple[str, ...]:
        """The other levels."""
        return self.plan.treated

    @property
    def weights(self) -> str | None:
        """The column of the weights of a balanced sample."""
        return WEIGHT if WEIGHT in self.frame.columns else None

    @property
    def together(self) -> str | None:
        """The column of those whose outcomes are not independent: the clusters of the plan, else matched sets."""
        return self.cluster or (UNIT if UNIT in self.frame.columns else None)

    @property
    def cluster(self) -> str | None:
        """The column of the clusters, if patients of one resemble each other."""
        return None if self.analysis.clusters is None else self.analysis.clusters.variable

    @property
    def cluster_variance(self) -> Literal["CR1", "CR2"] | None:
        """The robust variance by cluster that the protocol names, if it names one."""
        clusters = self.analysis.clusters
        return None if clusters is None else clusters.variance

    @property
    def time_unit(self) -> str | None:
        """The unit of a time-to-event outcome."""
        return self.outcome.time_unit

    @property
    def name(self) -> str:
        """The outcome, after the sample and the model where there are several."""
        return self.outcome.name if self.variant is None else f"{self.variant}, {self.outcome.name}"

    def named(self, name: str) -> Request:
        """The same of a model with a name."""
        parts = [part for part in (self.variant, name) if part]
        return replace(self, variant=", ".join(parts) or None)

    def without_besides(self) -> Request:
        """The first effect measure alone: no figure, check, subgroup or method beside it."""
        analysis = replace(self.analysis, measures=self.analysis.measures[:1], companions=(), checks=(), draws=())
        return replace(self, plan=replace(self.plan, subgroups=None), analysis=analysis)

    def option(self, name: str) -> Any:  # noqa: ANN401  (a value of the kind that the option declares)
        """What the plan resolved for an option of the method."""
        return self.analysis.options[name]

    def at(self, time: float | None = None) -> At | None:
        """A time, by default the horizon, as estimates carry it."""
        time = self.outcome.horizon if time is None else time
        return None if time is None else At(float(time), self.time_unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What pooling needs of a row beyond its numbers.

    `df_complete` are the degrees of freedom of the analysis without missing values; of a test of several coefficients their
    `names`, their `values`, shape (q,), and their `covariance`, shape (q, q).
    """

    df_complete: float | None = None
    names: tuple[str, ...] = ()
    values: tuple[float, ...] | None = None
    covariance: tuple[tuple[float, ...], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a method found. `choices` say what the plan's rules gave; `evidence` is by the id of a row."""

    rows: tuple[EstimateRow, ...] = ()
    blocks: tuple[Block, ...] = ()
    details: Mapping[str, Cell] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    notices: tuple[Notice, ...] = ()
    citations: tuple[str, ...] = ()
    n_missing: int = 0
    evidence: Mapping[str, Evidence] = field(default_factory=dict)

    def joined(self, other: Answer) -> Answer:
        """One answer followed by another."""
        return Answer(
            rows=self.rows + other.rows,
            blocks=self.blocks + other.blocks,
            details={**self.details, **other.details},
            choices=tuple(dict.fromkeys(self.choices + other.choices)),
            notices=tuple(dict.fromkeys(self.notices + other.notices)),
            citations=tuple(dict.fromkeys(self.citations + other.citations)),
            n_missing=max(self.n_missing, other.n_missing),
            evidence={**self.evidence, **other.evidence},
        )


def place(
    request: Request,
    estimate: Estimate,
    *,
    method: str | None = None,
    role: str | None = None,
    subgroup: Subgroup | None = None,
    kind: str = "marginal",
    n: int | None = None,
    events: int | None = None,
    n_missing: int | None = None,
    groups: tuple[GroupCount, ...] = (),
    clusters: int | None = None,
    effective_n: float | None = None,
    notes: tuple[str, ...] = (),
) -> EstimateRow:
    """An estimate in its place in the study, with a readable, unique id."""
    analysis = request.analysis
    return EstimateRow(
        id=estimate_id(request, estimate, subgroup),
        analysis=analysis.id,
        model=request.variant,
        role=role or analysis.role,
        outcome=request.outcome.name,
        population=analysis.population,
        method=method or analysis.method,
        estimate=replace(estimate, notes=estimate.notes + notes) if notes else estimate,
        subgroup=subgroup,
        estimand=Estimand(kind, analysis.target) if estimate.reference is not None else None,
        better=request.outcome.better,
        n=n,
        events=events,
        n_missing=n_missing,
        groups=groups,
        clusters=clusters,
        effective_n=effective_n,
        planned=analysis.planned,
    )


def estimate_id(request: Request, estimate: Estimate, subgroup: Subgroup | None) -> str:
    """``analysis[.model].outcome[.subgroup][.variable].term.measure[.at]``; the variable only where it is not the exposure."""
    parts = [request.analysis.id]
    if request.variant:
        parts.append(slug(request.variant))
    parts.append(request.outcome.name)
    if subgroup is not None:
        parts.append(f"{subgroup.variable}={slug(subgroup.level)}")
    if estimate.variable not in (None, request.group, estimate.term):
        parts.append(str(estimate.variable))
    parts += [slug(estimate.term)] if estimate.term else []
    parts.append(slug(estimate.measure))
    if estimate.at is not None:
        parts.append(slug(f"{estimate.at.time:g} {estimate.at.unit or ''}".strip()))
    return ".".join(parts)


def block_id(request: Request, *parts: str) -> str:
    """``analysis[.model].outcome.part…`` of a block."""
    variant = (slug(request.variant),) if request.variant else ()
    return ".".join((request.analysis.id, *variant, request.outcome.name, *parts))


def slug(text: str) -> str:
    """A text as a part of an id: blanks, commas, semicolons and double quotes become hyphens, dots are kept out."""
    return "-".join(part for part in BETWEEN.split(text.replace(".", "_")) if part)
