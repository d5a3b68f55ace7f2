"""Blocks of several imputed tables as one: curves pooled point by point, counts and balance as means, forests from pooled rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import exp, isfinite, log, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.imputation import chi_squared_d2
from counterpulse.numerics.distributions import critical_value
from counterpulse.results import Block, Cell, EstimateRow, finite_or_none
from counterpulse.results.block import KINDS

Floats = NDArray[np.float64]
Fold = Callable[[Sequence[Block], Sequence[EstimateRow]], Block | None]
USUAL_LEVEL = 0.95
START = {"survival-curve": 1.0, "cumulative-incidence": 0.0}
"""What a curve is before its first time."""


def folded_blocks(
    found: Sequence[tuple[Block, ...]], rows: Sequence[EstimateRow]
) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """The blocks of all tables as one each, and the kinds of those that are the first table's."""
    by_id = [{block.id: block for block in blocks} for blocks in found]
    folded, as_first = [], []
    for block in found[0]:
        versions = [known[block.id] for known in by_id if block.id in known]
        if len(versions) < len(found):
            continue
        if all(version == block for version in versions):
            folded.append(block)
            continue
        made = FOLDS.get(block.kind, _means)(versions, rows)
        folded.append(block if made is None else made)
        as_first += [block.kind] if made is None else []
    return tuple(folded), tuple(dict.fromkeys(as_first))


def _level(rows: Sequence[EstimateRow]) -> float:
    """Of the intervals of the analysis."""
    return next((row.estimate.interval.level for row in rows if row.estimate.interval is not None), USUAL_LEVEL)


def _means(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """Numbers as means where everything else agrees row by row; else nothing."""
    first = blocks[0]
    texts = [name for name, cells in first.columns.items() if any(isinstance(cell, str | bool) for cell in cells)]
    if any([block.columns[name] for name in texts] != [first.columns[name] for name in texts] for block in blocks):
        return None
    if len({len(next(iter(block.columns.values()), ())) for block in blocks}) > 1:
        return None
    columns = {
        name: cells
        if name in texts
        else tuple(_mean(row) for row in zip(*(block.columns[name] for block in blocks), strict=True))
        for name, cells in first.columns.items()
    }
    counts = [name for name, cell in KINDS[first.kind].items() if "integer" in str(cell.get("type"))]
    return replace(first, columns={name: _whole(cells) if name in counts else cells for name, cells in columns.items()})


def _numbers(values: Sequence[Cell]) -> list[float]:
    return [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def _mean(values: Sequence[Cell]) -> Cell:
    numbers = _numbers(values)
    return sum(numbers) / len(numbers) if len(numbers) == len(values) else None


def _whole(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    return tuple(round(cell) if isinstance(cell, float) else cell for cell in cells)


def _balance(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """Mean differences, and the largest of any table beside them."""
    made = _means(blocks, rows)
    if made is None:
        return None
    stacked = zip(*(block.columns["smd"] for block in blocks), strict=True)
    largest = tuple(
        max((abs(float(value)) for value in values if isinstance(value, int | float)), default=None)
        if all(value is not None for value in values)
        else None
        for values in stacked
    )
    return replace(made, columns={**made.columns, "smd_max": largest})


def _weights(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """Mean quantiles; the lowest and the highest weight are those of any table."""
    made = _means(blocks, rows)
    if made is None:
        return None
    columns = dict(made.columns)
    for name, extreme in (("low", min), ("high", max)):
        stacked = zip(*(block.columns[name] for block in blocks), strict=True)
        columns[name] = tuple(
            None if len(numbers := _numbers(values)) < len(blocks) else extreme(numbers) for values in stacked
        )
    return replace(made, columns=columns)


def _frequency(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """How often each candidate was selected, a mean; selected is what was selected in more than half of the tables."""
    chosen = [[cell == "yes" for cell in block.columns["selected"]] for block in blocks]
    blank = (None,) * len(chosen[0])
    made = _means([replace(block, columns={**block.columns, "selected": blank}) for block in blocks], rows)
    if made is None:
        return None
    often = np.mean(chosen, axis=0)
    return replace(made, columns={**made.columns, "selected": tuple("yes" if part > 0.5 else "no" for part in often)})


def _curve(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block:
    """Survival, or incidence, at every time of any table, pooled on the log(-log) scale; counts are means.

    It ends where the follow-up of the first table ends: beyond, the curve of that table is not known.
    """
    keys = [name for name in ("group", "cause") if name in blocks[0].columns]
    frames = [pl.DataFrame(dict(block.columns)) for block in blocks]
    parts = []
    for key in dict.fromkeys(row for frame in frames for row in frame.select(keys).iter_rows()):
        own = [
            frame.filter(
                pl.all_horizontal(*(pl.col(name).eq_missing(value) for name, value in zip(keys, key, strict=True)))
            )
            for frame in frames
        ]
        if all(frame.height for frame in own):
            parts.append(_pooled_curve(own, dict(zip(keys, key, strict=True)), blocks[0], _level(rows)))
    columns = {name: tuple(cell for part in parts for cell in part[name]) for name in blocks[0].columns}
    return replace(blocks[0], columns=columns)


def _pooled_curve(
    frames: Sequence[pl.DataFrame], key: Mapping[str, str], block: Block, level: float
) -> dict[str, list[Cell]]:
    ends = [float(frame["time"].to_numpy()[-1]) for frame in frames]
    times = np.unique(np.concatenate([frame["time"].to_numpy() for frame in frames]))
    times = times[times <= min(ends)]
    values = np.array([_stepped(frame, "estimate", times, START[block.kind]) for frame in frames])
    errors = np.array([_stepped(frame, "std_error", times, 0.0) for frame in frames])
    estimate, error, low, high = _rubin_on_log_log(values, errors, level)
    found: dict[str, list[Cell]] = {name: list(np.repeat(value, len(times)).tolist()) for name, value in key.items()}
    found |= {"time": times.tolist(), "estimate": _cells(estimate), "std_error": _cells(error)}
    found |= {"conf_low": _cells(low), "conf_high": _cells(high)}
    for name in ("at_risk", "events", "censored"):
        if name in block.columns:
            found[name] = _cells(np.mean([_counted(frame, name, times) for frame in frames], axis=0))
    return found


def _stepped(frame: pl.DataFrame, name: str, times: Floats, start: float) -> Floats:
    """A step function at other times, its last value before or at each."""
    own = frame["time"].to_numpy()
    at = np.searchsorted(own, times, side="right") - 1
    column = frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    stepped: Floats = np.where(at >= 0, column[np.maximum(at, 0)], start)
    return stepped


def _counted(frame: pl.DataFrame, name: str, times: Floats) -> Floats:
    """At risk just before each time; events and censorings at it."""
    own, column = frame["time"].to_numpy(), frame[name].cast(pl.Float64).fill_null(0.0).to_numpy()
    if name == "at_risk":
        at = np.searchsorted(own, times, side="left")
        risk: Floats = np.where(at < len(own), column[np.minimum(at, len(own) - 1)], 0.0)
        return risk
    exact = np.searchsorted(own, times)
    hit = (exact < len(own)) & (own[np.minimum(exact, len(own) - 1)] == times)
    counted: Floats = np.where(hit, column[np.minimum(exact, len(own) - 1)], 0.0)
    return counted


def _rubin_on_log_log(values: Floats, errors: Floats, level: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Pooled proportions with their standard errors and limits; a proportion of 0 or 1 in a table has none."""
    m = len(values)
    inside = np.all((values > 0) & (values < 1) & (errors > 0) & np.isfinite(errors), axis=0)
    plain = values.mean(axis=0)
    safe, safe_error = np.where(inside, values, 0.5), np.where(inside, errors, 0.1)
    slope = safe * np.log(safe)
    q, within = np.log(-np.log(safe)), (safe_error / slope) ** 2
    center, total = q.mean(axis=0), within.mean(axis=0) + (1 + 1 / m) * q.var(axis=0, ddof=1)
    reach = critical_value(level, None) * np.sqrt(total)
    estimate = np.where(inside, np.exp(-np.exp(center)), plain)
    back = np.abs(np.exp(-np.exp(center)) * np.exp(center))
    error = np.where(inside, np.sqrt(total) * back, np.nan)
    low, high = np.exp(-np.exp(center + reach)), np.exp(-np.exp(center - reach))
    return estimate, error, np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def _cells(values: Floats) -> list[Cell]:
    return [finite_or_none(float(value)) for value in values]


def _at_risk(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """Whole patients, the mean over the tables rounded."""
    made = _means(blocks, rows)
    if made is None:
        return None
    counts = {name: _whole(cells) for name, cells in made.columns.items() if name not in ("group", "time")}
    return replace(made, columns={**made.columns, **counts})


def _effect_curve(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """Effects at the values of the first table where all tables have them, pooled with their errors."""
    first = blocks[0]
    fixed = ("variable", "measure", "reference", "value")
    if any([block.columns[name] for name in fixed] != [first.columns[name] for name in fixed] for block in blocks):
        return None
    return _with_points(blocks, [str(measure) for measure in first.columns["measure"]], rows)


def _areas(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """Areas under the curve by time, pooled with their errors."""
    first = blocks[0]
    fixed = ("model", "time")
    if any([block.columns[name] for name in fixed] != [first.columns[name] for name in fixed] for block in blocks):
        return None
    return _with_points(blocks, ["area"] * len(first.columns["time"]), rows)


def _with_points(blocks: Sequence[Block], measures: Sequence[str], rows: Sequence[EstimateRow]) -> Block:
    names, level = ("estimate", "conf_low", "conf_high"), _level(rows)
    pooled = [
        _pooled_point(measure, [tuple(block.columns[name][at] for name in names) for block in blocks], level)
        for at, measure in enumerate(measures)
    ]
    columns = {name: tuple(point[k] for point in pooled) for k, name in enumerate(names)}
    return replace(blocks[0], columns={**blocks[0].columns, **columns})


def _pooled_point(measure: str, points: Sequence[tuple[Cell, ...]], level: float) -> tuple[Cell, Cell, Cell]:
    """One point of a curve by Rubin's rules with a normal limit, on the log scale for a ratio."""
    ratio = measure.endswith("ratio")
    forward, back = (log, exp) if ratio else (float, float)
    known = [tuple(numbers) for point in points if len(numbers := _numbers(point)) == len(point)]
    if len(known) < len(points) or any(
        not isfinite(part) or (ratio and part <= 0) for point in known for part in point
    ):
        return None, None, None
    z, m = critical_value(level, None), len(known)
    centers = np.array([forward(value) for value, _, _ in known])
    errors = np.array([(forward(high) - forward(low)) / (2 * z) for _, low, high in known])
    center = float(centers.mean())
    reach = z * sqrt(float((errors**2).mean() + (1 + 1 / m) * centers.var(ddof=1)))
    return back(center), back(center - reach), back(center + reach)


def _forest(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """The lines of a forest from the pooled rows; patients are means over the tables."""
    made = _means([_only_counts(block) for block in blocks], rows)
    if made is None:
        return None
    prefix = made.id.removesuffix(".forest")
    own = [row for row in rows if row.id.startswith(f"{prefix}.")]
    lines = [_forest_line(line, own) for line in made.rows()]
    return replace(made, columns={name: tuple(line[name] for line in lines) for name in made.columns})


def _only_counts(block: Block) -> Block:
    blank = (None,) * len(block.columns["group"])
    return replace(block, columns={name: cells if name in ("variable", "level", "group", "n", "events") else blank
                                   for name, cells in block.columns.items()})  # fmt: skip


def _forest_line(line: dict[str, Cell], rows: Sequence[EstimateRow]) -> dict[str, Cell]:
    """A line with the estimate of its stratum; several compared groups have their own, in every line of the stratum one."""
    variable, level = line["variable"], line["level"]
    strata = [
        row for row in rows
        if (row.subgroup is None and variable is None and row.role != "covariate")
        or (row.subgroup is not None and (row.subgroup.variable, row.subgroup.level) == (variable, level))
    ]  # fmt: skip
    row = next((row for row in strata if row.estimate.term == line["group"]), next(iter(strata), None))
    test = next(
        (row for row in rows if row.estimate.measure == "interaction" and row.estimate.variable == variable), None
    )
    if row is None:
        return line
    natural = row.estimate.natural()
    ends = natural.interval
    return {
        **line, "estimate": finite_or_none(natural.value), "conf_low": finite_or_none(ends.low) if ends else None,
        "conf_high": finite_or_none(ends.high) if ends else None,
        "p_interaction": finite_or_none(test.estimate.p_value) if test is not None else None,
    }  # fmt: skip


def _chi_squareds(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> Block | None:
    """The test of each variable from the chi-squareds of all tables, by D2; its statistic is the F times its degrees of freedom."""
    first = blocks[0]
    if any(
        (block.columns["variable"], block.columns["df"]) != (first.columns["variable"], first.columns["df"])
        for block in blocks
    ):
        return None
    columns: dict[str, list[Cell]] = {"chi_squared": [], "p_value": []}
    for at, df in enumerate(first.columns["df"]):
        statistics = [block.columns["chi_squared"][at] for block in blocks]
        numbers = [float(value) for value in statistics if isinstance(value, int | float)]
        test = (
            chi_squared_d2(numbers, df=int(df))
            if isinstance(df, int | float) and df and len(numbers) == len(blocks)
            else None
        )
        columns["chi_squared"].append(None if test is None else finite_or_none(test.statistic * test.df))
        columns["p_value"].append(None if test is None else finite_or_none(test.p_value))
    return replace(first, columns={**first.columns, **{name: tuple(cells) for name, cells in columns.items()}})


def _first(blocks: Sequence[Block], rows: Sequence[EstimateRow]) -> None:
    """What has no mean: the first table's is shown, and said to be."""
    return


FOLDS: Mapping[str, Fold] = {
    "numbers-at-risk": _at_risk, "survival-curve": _curve, "cumulative-incidence": _curve, "balance": _balance, "effect-curve": _effect_curve,
    "forest": _forest, "weights": _weights, "time-dependent-auc": _areas, "selection-path": _first, "selection-frequency": _frequency, "lasso-path": _first, "roc": _first,
    "calibration-curve": _first, "proportional-hazards": _chi_squareds, "proportional-odds": _chi_squareds,
}  # fmt: skip
"""How each kind of block is folded; others are means where all but their numbers agree."""
