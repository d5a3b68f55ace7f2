"""The effects of one analysis as arrays, and the rows and blocks in which a pooled effect is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.numerics.distributions import critical_value
from counterpulse.protocol.planned_review import CONTROL, TREATED, effects_of
from counterpulse.results import Block, Cell, Estimate, EstimateRow, GroupCount, Status
from counterpulse.results.estimate import Interval, Scale, to_natural
from counterpulse.study.request import Request, block_id, place
from counterpulse.study.reviewing.blocks import columns_of
from counterpulse.study.reviewing.columns import EVENTS, PATIENTS, VI, YI, numbers, studies
from counterpulse.study.reviewing.measures import scale_of

Floats = NDArray[np.float64]
SINGLE_ARM = ("proportion", "rate", "correlation")
"""Measures of one group: no effect of a treatment."""


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of one outcome: names, values and variances of k studies, and their rows."""

    request: Request
    names: tuple[str, ...]
    yi: Floats
    vi: Floats

    @property
    def frame(self) -> pl.DataFrame:
        """The rows of the effects."""
        return self.request.frame

    @property
    def k(self) -> int:
        """How many there are."""
        return len(self.names)

    @property
    def measure(self) -> str:
        """The measure of the outcome."""
        review = self.request.plan.review
        return review.measures[self.request.outcome.name] if review is not None else "effect"

    @property
    def scale(self) -> Scale:
        """The scale on which they are pooled."""
        return scale_of(self.measure, effects_of(self.request.plan.protocol))

    @property
    def level(self) -> float:
        """The level of intervals."""
        return self.request.analysis.level

    def counts(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Events and patients of both arms; nan where they are not known."""
        events, n = ([numbers(self.frame, name) for name in pair] for pair in (EVENTS, PATIENTS))
        return events[0], n[0], events[1], n[1]

    def of(self, rows: Sequence[int] | NDArray[np.intp]) -> Effects:
        """Some of them."""
        index = np.asarray(rows, dtype=int)
        request = self.request
        sample = replace(request.sample, frame=self.frame[index], row_of_origin=request.sample.row_of_origin[index])
        return Effects(
            replace(request, sample=sample), tuple(self.names[i] for i in index), self.yi[index], self.vi[index]
        )

    def natural(self, value: float | None) -> float | None:
        """A value as a reader reads it; None where there is none."""
        if value is None or not isfinite(value):
            return None
        return to_natural(float(value), self.scale)

    def ends(self, interval: Interval | None) -> tuple[float | None, float | None]:
        """The limits of an interval as a reader reads them."""
        return (None, None) if interval is None else (self.natural(interval.low), self.natural(interval.high))


def effects_in(request: Request) -> Effects:
    """The effects of a request."""
    frame = request.frame
    return Effects(request, tuple(studies(request)), numbers(frame, YI), numbers(frame, VI))


def named(effects: Effects, estimate: Estimate, term: str | None = None) -> Estimate:
    """An estimate under the names of a review: the exposure against the comparator, unless of one group or of something else."""
    single = effects.measure in SINGLE_ARM
    return replace(
        estimate, term=term or (effects.request.outcome.name if single else TREATED), measure=effects.measure,
        reference=None if single or term else CONTROL,
    )  # fmt: skip


def effect_row(
    effects: Effects, estimate: Estimate, *, method: str | None = None, notes: tuple[str, ...] = ()
) -> EstimateRow:
    """The pooled effect in its place, with the patients and events behind it where every study prints them."""
    events_1, n_1, events_2, n_2 = effects.counts()
    groups = tuple(
        GroupCount(level, _whole(n), _whole(events), None, _risk(events, n))
        for level, events, n in ((TREATED, events_1, n_1), (CONTROL, events_2, n_2))
        if _whole(n) is not None
    )
    known = [count.n for count in groups]
    return place(
        effects.request, named(effects, estimate), method=method, n=sum(n or 0 for n in known) if len(groups) == 2 else None,
        events=_whole(np.concatenate([events_1, events_2])), groups=groups if effects.measure not in SINGLE_ARM else (),
        notes=notes,
    )  # fmt: skip


def _whole(values: Floats) -> int | None:
    total = float(values.sum())
    return round(total) if len(values) and isfinite(total) else None


def _risk(events: Floats, n: Floats) -> float | None:
    whole = _whole(events)
    return None if whole is None or not _whole(n) else whole / float(n.sum())


def beside(effects: Effects, term: str, measure: str, value: float, *, interval: Interval | None = None, scale: Scale = "identity",
           status: Status = Status.OK, statistic: float | None = None, statistic_name: str | None = None, df: float | None = None,
           p_value: float | None = None, std_error: float | None = None, model: str | None = None) -> EstimateRow:  # fmt: skip
    """A row that stands beside the effect: heterogeneity, a prediction interval, a coefficient."""
    estimate = Estimate(
        term=term, variable="heterogeneity" if model is None else model, measure=measure, value=value, interval=interval, scale=scale,
        status=status, statistic=statistic, statistic_name=statistic_name, df=df, p_value=p_value, std_error=std_error,
    )  # fmt: skip
    return place(effects.request, estimate, role="covariate")


def block(effects: Effects, kind: str, rows: Sequence[dict[str, Cell]], *parts: str) -> Block:
    """A block of an analysis from its rows."""
    return Block(
        id=block_id(effects.request, *(parts or (kind,))),
        analysis=effects.request.analysis.id,
        kind=kind,
        columns=columns_of(kind, rows),
    )


def cell(value: float | None) -> float | None:
    """A number of a block; None where it is not finite."""
    return None if value is None or not isfinite(value) else float(value)


def study_limits(effects: Effects) -> tuple[Floats, Floats]:
    """The normal confidence limits of each study, on the scale of pooling."""
    reach = critical_value(effects.level) * np.sqrt(effects.vi)
    return effects.yi - reach, effects.yi + reach
