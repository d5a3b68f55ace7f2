"""How certain the evidence of each outcome is."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from counterpulse.protocol.plan import Plan
from counterpulse.results import Block
from counterpulse.study.request import Answer


def certainty_blocks(plan: Plan, frame: pl.DataFrame, bias: tuple[Block, ...], answers: Mapping[str, Answer]) -> tuple[Block, ...]:
    """The summary of findings, and what of GRADE can be computed."""
    return ()
