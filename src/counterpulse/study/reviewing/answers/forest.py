"""The blocks that a forest plot and a funnel plot are drawn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from counterpulse.results import Block, Cell, EstimateRow
from counterpulse.results.block import KINDS
from counterpulse.results.estimate import Interval
from counterpulse.study.reviewing.answers.effects import SINGLE_ARM, Effects, block, cell, study_limits
from counterpulse.study.reviewing.answers.models import Pooled

Row = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Group:
    """A subgroup as the forest shows it: its label, the positions of its studies, what they pool to (None: one shows no subtotal)."""

    label: str
    members: tuple[int, ...]
    found: Pooled | None


def forest_block(
    effects: Effects, found: Pooled, groups: Sequence[Group] = (), difference: EstimateRow | None = None
) -> Block:
    """Studies, subtotals, the total, where a new study is expected, and the test of a difference between the groups."""
    rows = [*_grouped(effects, found, groups)] if groups else [*_studies(effects, found, range(effects.k), None)]
    return block(
        effects,
        "study-forest",
        [*rows, *_totals(effects, found, "total", None), *_difference(effects, difference)],
        "forest",
    )


def _grouped(effects: Effects, found: Pooled, groups: Sequence[Group]) -> Iterator[Row]:
    for group in groups:
        yield from _studies(effects, found, group.members, group.label)
        if group.found is not None:
            share = float(found.weights[list(group.members)].sum())
            yield from _totals(effects.of(group.members), group.found, "subtotal", group.label, share)


def _studies(effects: Effects, found: Pooled, members: Sequence[int], subgroup: str | None) -> Iterator[Row]:
    events_1, n_1, events_2, n_2 = effects.counts()
    low, high = study_limits(effects)
    for index in members:
        yield {
            "study": effects.names[index], "subgroup": subgroup, "role": "study", "measure": effects.measure,
            "events_1": _count(events_1[index]), "n_1": _count(n_1[index]), "events_2": _count(events_2[index]), "n_2": _count(n_2[index]),
            "estimate": effects.natural(effects.yi[index]), "conf_low": effects.natural(low[index]), "conf_high": effects.natural(high[index]),
            "weight": cell(found.weights[index]), "tau_squared": None, "i_squared": None, "q": None, "df": None, "p_value": None,
        }  # fmt: skip


def _count(value: float) -> int | None:
    return round(value) if np.isfinite(value) else None


def _difference(effects: Effects, test: EstimateRow | None) -> Iterator[Row]:
    """The test of a difference between the groups; an F statistic is no Q, and its P value stands alone."""
    if test is not None:
        blank: Row = dict.fromkeys(KINDS["study-forest"])
        known = test.estimate if "chi" in (test.estimate.statistic_name or "").lower() else None
        yield blank | {
            "role": "difference", "measure": effects.measure, "q": known.statistic if known else None, "df": known.df if known else None,
            "p_value": test.estimate.p_value,
        }  # fmt: skip


def _totals(
    effects: Effects, found: Pooled, role: str, subgroup: str | None, share: float | None = None
) -> Iterator[Row]:
    counts = [_count(float(part.sum())) for part in effects.counts()]
    single = effects.measure in SINGLE_ARM
    low, high = effects.ends(found.estimate.interval)
    yield {
        "study": None, "subgroup": subgroup, "role": role, "measure": effects.measure, "events_1": counts[0], "n_1": counts[1],
        "events_2": None if single else counts[2], "n_2": None if single else counts[3], "estimate": effects.natural(found.estimate.value),
        "conf_low": low, "conf_high": high, "weight": cell(share) if share is not None else 1.0 if np.isfinite(found.weights).all() else None,
        "tau_squared": cell(found.tau2), "i_squared": cell(found.i2), "q": cell(found.q), "df": cell(found.q_df),
        "p_value": cell(found.q_p_value),
    }  # fmt: skip
    if found.prediction is not None:
        yield _prediction(effects, found.prediction, found, subgroup)


def _prediction(effects: Effects, interval: Interval, found: Pooled, subgroup: str | None) -> Row:
    """Where the effect of a new study is expected; everything else is blank."""
    low, high = effects.ends(interval)
    blank: Row = dict.fromkeys(KINDS["study-forest"])
    return blank | {
        "subgroup": subgroup, "role": "prediction", "measure": effects.measure, "estimate": effects.natural(found.estimate.value),
        "conf_low": low, "conf_high": high,
    }  # fmt: skip


def funnel_block(effects: Effects, found: Pooled) -> tuple[Block, ...]:
    """Each study against its standard error; nothing of fewer than three studies."""
    if effects.k < 3:
        return ()
    rows: list[Row] = [
        {
            "study": name, "measure": effects.measure, "estimate": effects.natural(y), "std_error": float(np.sqrt(v)), "imputed": "no",
            "pooled": effects.natural(found.estimate.value),
        }
        for name, y, v in zip(effects.names, effects.yi, effects.vi, strict=True)
    ]  # fmt: skip
    return (block(effects, "funnel", rows),)
