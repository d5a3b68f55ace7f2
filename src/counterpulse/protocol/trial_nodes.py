"""What a trial states before it begins."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from counterpulse.protocol.node import Name, Node
from counterpulse.protocol.words import Many, Text, YesNo


class Hypothesis(Node):
    """The hypothesis that the primary analysis tests."""

    type: Literal["superiority", "non-inferiority", "equivalence"] = Field(
        description="What is to be shown.", examples=["superiority"]
    )
    margin: float | None = Field(default=None, description="The margin of non-inferiority or equivalence.")
    on: str | None = Field(default=None, description="The effect measure the hypothesis is about.")
    alpha: Annotated[float, Field(gt=0, lt=1)] | None = Field(default=None, description="The type I error, in total.")
    sides: Literal[1, 2] | None = Field(default=None, description="One-sided or two-sided.")
    populations: tuple[Name, ...] = Field(default=(), description="The populations in which it must hold.")
    then: Any = Field(default=None, description="What is tested next when it holds.")


class Randomization(Node):
    """How participants are allocated. The secret is drawn from the operating system and kept apart."""

    method: str | None = Field(default=None, description="The method in words.")
    blocks: tuple[int, ...] = Field(default=(), description="Block sizes.")
    concealment: str | None = Field(default=None, description="How the next allocation is hidden.")
    stratified_by: tuple[Name, ...] = Field(default=(), description="Stratification factors; analyses adjust for them.")
    seed: Any = Field(default=None, description="Refused: a list that can be drawn again can be foreseen.")


class Trial(Node):
    """The design of a randomized trial."""

    layout: Literal["parallel", "crossover", "factorial", "cluster"] = Field(
        default="parallel", description="The layout."
    )
    allocation: Text | None = Field(default=None, description="The allocation ratio, such as 1:1.")
    randomization: Randomization | None = Field(default=None, description="How participants are allocated.")
    blinding: dict[str, YesNo] = Field(default={}, description="Who does not know the allocation.")
    sample_size: dict[str, Any] | None = Field(default=None, description="The planned number and its assumptions.")
    interim: dict[str, Any] | None = Field(default=None, description="The looks at the data while the trial runs.")


class IntercurrentEvent(Node):
    """An event after time zero that changes what the outcome means (ICH E9(R1))."""

    event: str = Field(description="The event in words.", examples=["crossover to IABP"])
    strategy: Literal["treatment-policy", "composite", "hypothetical", "while-on-treatment", "principal-stratum"] = (
        Field(description="How it is handled.", examples=["treatment-policy"])
    )
    rule: Text | None = Field(default=None, description="Who had it.")
    populations: Annotated[tuple[Name, ...], Many] = Field(default=(), description="The populations it concerns.")
