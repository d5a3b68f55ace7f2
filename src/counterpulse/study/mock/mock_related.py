"""Dummy rows of the tables with several rows a patient: measurements around time zero, drawn from the dictionary's ranges."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.numerics.random_streams import stream
from counterpulse.protocol.nodes import CountedTime, ProtocolNode
from counterpulse.protocol.window import TimeWindow
from counterpulse.protocol.words import HOURS, UNITS
from counterpulse.study.mock.mock_values import after, draw_values
from counterpulse.study.patients.measurement_rules import measured_nodes

WITHOUT_ROWS = 0.04
ROWS_A_WINDOW = 3
USUAL_WINDOW = (-24.0, 72.0)
BLANK = 0.02
DAY = 24.0


def draw_related(
    nodes: ProtocolNode, dictionary: Dictionary, patients: pl.DataFrame, seed: int
) -> dict[str, pl.DataFrame]:
    """Rows of every related table, in column types of the dictionary, by patient and time.

    A patient has up to three rows in each window that the protocol takes values from, never two at one time; a few have none.
    The values are independent of each other and of everything else.
    """
    return {name: _table(nodes, dictionary, patients, seed, name) for name in nodes.tables}


def _table(nodes: ProtocolNode, dictionary: Dictionary, patients: pl.DataFrame, seed: int, name: str) -> pl.DataFrame:
    node, own = nodes.tables[name], dictionary.tables[name]
    time = own.variables.get(node.time or "")
    random = stream(seed, f"mock rows of {name}")
    owners, hours = _moments(random, patients.height, _windows(nodes, name), _step(nodes, dictionary, time))
    columns = []
    for variable in own:
        if variable.name == node.id:
            columns.append(patients[str(nodes.data.id)].gather(owners).alias(node.id))
        elif time is not None and variable.name == time.name:
            columns.append(_times(nodes, patients, time, owners, hours))
        else:
            shape, values = (stream(seed, f"mock {what} {name} {variable.name}") for what in ("shape", "value"))
            drawn = draw_values(variable, shape, values, len(owners))
            columns.append(drawn.set(pl.Series(random.random(len(owners)) < BLANK), None))
    return pl.DataFrame(columns)


def _windows(nodes: ProtocolNode, name: str) -> list[tuple[float, float]]:
    """The stretches of time that values are taken from, in hours."""
    written = [node.window for _, node in measured_nodes(nodes) if node.table == name and node.window is not None]
    return [TimeWindow.read(window).within("hours") for window in dict.fromkeys(written)] or [USUAL_WINDOW]


def _step(nodes: ProtocolNode, dictionary: Dictionary, time: Variable | None) -> float:
    """The hours between two times that the table can tell apart: a minute, a day, or one of its whole units."""
    if time is not None and isinstance(nodes.time_zero, CountedTime):
        unit = UNITS.get((time.unit or "").lower(), "hours").removesuffix("s")
        return HOURS[unit] if time.integer else HOURS[unit] / 60
    zero = dictionary.variables.get(str(nodes.time_zero))
    is_day = any(variable is not None and variable.type == "date" for variable in (time, zero))
    return DAY if is_day else 1 / 60


def _moments(
    random: np.random.Generator, n: int, windows: list[tuple[float, float]], step: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Whose each row is, and its hours from time zero, no two the same; sorted."""
    owners, steps = [], []
    for low, high in windows:
        first, last = round(low / step), max(round(high / step), round(low / step))
        owners.append(np.repeat(np.arange(n), ROWS_A_WINDOW))
        steps.append(random.integers(first, last + 1, n * ROWS_A_WINDOW))
    rows = np.unique(np.column_stack([np.concatenate(owners), np.concatenate(steps)]), axis=0)
    rows = rows[~(random.random(n) < WITHOUT_ROWS)[rows[:, 0]]]
    return rows[:, 0].astype(np.intp), rows[:, 1] * step


def _times(
    nodes: ProtocolNode, patients: pl.DataFrame, time: Variable, owners: NDArray[np.intp], hours: NDArray[np.float64]
) -> pl.Series:
    if isinstance(nodes.time_zero, CountedTime):
        unit = UNITS.get((time.unit or "").lower(), "hours").removesuffix("s")
        counted = pl.Series(time.name, np.round(hours / HOURS[unit], 6))
        return counted.cast(pl.Int64) if time.type == "integer" else counted
    zero = patients[str(nodes.time_zero)].gather(owners)
    moments = after(zero, hours + 0.5 / 60).alias(time.name)
    return moments.cast(pl.Date) if time.type == "date" else moments
