"""Boxes of the flow after allocation: no small count is shown, and none follows from what is shown by adding and subtracting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpulse.results import FlowStep, StudyIdentity, StudyResult
from counterpulse.results.privacy import suppress
from counterpulse.results.study_result import FLOW_BOX, FLOW_REASON, FLOW_UNKNOWN

SMALLEST = 5
EMPTY = StudyResult(
    identity=StudyIdentity(
        id="s", title="S", design="randomized-trial", protocol_digest="sha256:a", dictionary_digest="sha256:b", data_digest=None,
        seed=None,
    ),
    data_kind="real",
)  # fmt: skip
counts = st.one_of(st.integers(0, 12), st.integers(5, 60))


@st.composite
def arms(draw):
    """For each arm: received, not received, unknown whether, and the lost by two reasons."""
    return [
        (draw(counts) + 30, draw(counts), draw(st.integers(0, 8)), (draw(st.integers(0, 15)), draw(st.integers(0, 15))))
        for _ in range(draw(st.integers(1, 4)))
    ]


def step(id_, kind, values):
    by_group = {f"arm {number}": value for number, value in enumerate(values)}
    return FlowStep(id=id_, label=id_, kind=kind, n=sum(values), by_group=by_group)


def flow_of(table):
    received, other, unknown, lost = (list(column) for column in zip(*table, strict=True))
    first, second = (list(column) for column in zip(*lost, strict=True))
    return (
        step("eligible", "eligible", [sum(row[:3]) for row in table]),
        step("flow.received", FLOW_BOX, received),
        *([step("flow.received.unknown", FLOW_UNKNOWN, unknown)] if any(unknown) else []),
        step("flow.not_received", FLOW_BOX, other),
        *([step("flow.not_received.unknown", FLOW_UNKNOWN, unknown)] if any(unknown) else []),
        step("flow.lost", FLOW_BOX, [sum(pair) for pair in lost]),
        step("flow.lost.reason.a", FLOW_REASON, first),
        step("flow.lost.reason.b", FLOW_REASON, second),
        step("flow.excluded", FLOW_BOX, [sum(pair) for pair in lost]),
    )


def equations(flow):
    """What a reader knows, each a set of signed cells that add up to zero."""
    ids = {item.id: item for item in flow}
    groups = (None, *ids["eligible"].by_group)
    for item in flow:
        yield {(item.id, None): -1, **{(item.id, group): 1 for group in item.by_group}}
    for group in groups:
        parts = [name for name in ("flow.received", "flow.not_received", "flow.received.unknown") if name in ids]
        yield {("eligible", group): -1, **{(name, group): 1 for name in parts}}
        yield {("flow.lost", group): -1, ("flow.lost.reason.a", group): 1, ("flow.lost.reason.b", group): 1}
        yield {("flow.lost", group): -1, ("flow.excluded", group): 1}
        if "flow.received.unknown" in ids:
            yield {("flow.received.unknown", group): -1, ("flow.not_received.unknown", group): 1}


@given(arms())
@settings(max_examples=150, deadline=None)
def test_no_small_box_is_shown_or_follows_from_what_is_shown(table):
    flow = flow_of(table)
    shown = suppress(replace(EMPTY, flow=flow), SMALLEST).flow
    cells = {(item.id, group): n for item in shown for group, n in ((None, item.n), *item.by_group.items())}
    assert not any(0 < n < SMALLEST for n in cells.values() if n is not None)
    hidden = [cell for cell, n in cells.items() if n is None]
    matrix = np.array([[equation.get(cell, 0) for cell in hidden] for equation in equations(flow)], dtype=float)
    for index in range(len(hidden)):
        alone = np.eye(len(hidden))[index]
        assert np.linalg.matrix_rank(np.vstack([matrix, alone])) > np.linalg.matrix_rank(matrix), hidden[index]


def test_large_boxes_are_shown():
    flow = flow_of([(60, 20, 6, (9, 8)), (58, 25, 7, (10, 11))])
    assert suppress(replace(EMPTY, flow=flow), SMALLEST).flow == flow
