"""The order in which studies came: by a number or a date of theirs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from counterpulse.results import Notice
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.reviewing.answers.effects import Effects
from counterpulse.study.reviewing.columns import numbers

ORDERED = ("number", "integer", "date", "datetime")


def refuse_order(desk: Desk, draft: Draft, key: str, name: object) -> None:
    """A variable that orders nothing."""
    variable = desk.variables.get(str(name))
    if variable is not None and variable.kind not in ORDERED:
        desk.refuse(
            draft.where(key), "E815", f"analysis {draft.node.id}: studies cannot be ordered by {name}, which is of type {variable.kind}",
            "a number or a date, such as the year", "name another variable",
        )  # fmt: skip


def order_of(effects: Effects, key: str) -> NDArray[np.float64]:
    """The number by which studies come in; those without one come last."""
    values = numbers(effects.frame, str(effects.request.option(key)))
    return np.where(np.isnan(values), np.nanmax(values, initial=0.0) + 1, values)


def without_order(effects: Effects, key: str) -> Iterator[Notice]:
    """Studies whose place in the order is not known."""
    unknown = np.flatnonzero(np.isnan(numbers(effects.frame, str(effects.request.option(key)))))
    if len(unknown):
        listed = ", ".join(effects.names[index] for index in unknown)
        name = effects.request.option(key)
        text = f"{effects.request.outcome.label}: {name} is blank for {listed}; in the order of {name} they come last."
        yield Notice("W884", effects.request.analysis.id, text)
