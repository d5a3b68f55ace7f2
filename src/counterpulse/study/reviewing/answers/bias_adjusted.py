"""Effects without the bias that the protocol states for each design."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from counterpulse.data.design import level_text
from counterpulse.errors import InputError
from counterpulse.protocol.planned_review import effects_of
from counterpulse.results import Choice
from counterpulse.study.request import Answer
from counterpulse.study.reviewing.answers.effects import Effects
from counterpulse.study.reviewing.columns import VI, YI
from counterpulse.synthesis.exploration.bias_adjusted import DesignBias, bias_adjusted


def without_design_bias(effects: Effects) -> tuple[Effects, Answer]:
    """The effects with the expected bias of their design taken off and its uncertainty added.

    Raises
    ------
    InputError : nothing is stated of a design that occurs
    """
    request = effects.request
    stated = effects_of(request.plan.protocol).bias
    if stated is None:
        raise InputError("design_bias: yes, and `effects` states no `bias`; say the expected bias of each design")
    designs = [value or "" for value in level_text(effects.frame[stated.column]).to_list()]
    labels = request.plan.variables[stated.column].levels
    bias = {
        code: DesignBias(item.bias, item.sd, item.inflate)
        for name, item in stated.of.items()
        for code in (name, next((code for code, label in labels.items() if label == name), name))
    }
    if effects.k == 0:
        return effects, Answer()
    made = bias_adjusted(effects.yi, effects.vi, designs, bias=bias, level=effects.level)
    frame = effects.frame.with_columns(pl.Series(YI, made.yi), pl.Series(VI, made.vi))
    sample = replace(request.sample, frame=frame)
    choices = tuple(
        Choice(
            f"bias of {name}",
            f"{item.bias:+g}, SD {item.sd:g}, variance times {item.inflate:g}: {item.reason}",
            "given",
            "turner-2009",
        )
        for name, item in stated.of.items()
    )
    return Effects(replace(request, sample=sample), effects.names, made.yi, made.vi), Answer(
        choices=choices, citations=made.provenance.citations
    )
