"""How firmly a conclusion stands: E-values, negative controls, an unmeasured confounder, and all combinations of choices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic_core import CoreSchema

from counterpulse.protocol.analysis_nodes import Analysis
from counterpulse.protocol.node import AnalysisId, Name, Node
from counterpulse.protocol.words import Many, Text, YesNo
from counterpulse.source.yaml_file import YamlPath

_NUMBER = r"\d+(?:\.\d+)?"
RANGE = re.compile(
    rf"\s*(?P<low>{_NUMBER})\s+to\s+(?P<high>{_NUMBER})"
    rf"(?:\s*,\s*most likely\s+(?P<mode_low>{_NUMBER})(?:\s+to\s+(?P<mode_high>{_NUMBER}))?)?\s*",
    re.ASCII,
)
NOT_OF_AN_EDIT = ("id", "role", "of", "label", "planned")
LARGEST_EFFECT = 1e6


def read_range(text: str) -> tuple[float, ...]:
    """The ends of ``0.1 to 0.4`` (uniform), with those of its most likely values where they are named.

    Raises
    ------
    ValueError : it is neither a number nor such a range, or its numbers do not increase
    """
    found = RANGE.fullmatch(text)
    if found is None:
        return (float(text),) if re.fullmatch(_NUMBER, text, re.ASCII) else _no_range()
    low, high = float(found["low"]), float(found["high"])
    inner = [float(found[name]) for name in ("mode_low", "mode_high") if found[name]]
    ends = (low, *(inner * 2)[:2], high)
    if not low < high or list(ends) != sorted(ends):
        raise ValueError("the numbers of a range increase, as in 0.1 to 0.4, most likely 0.2 to 0.3")
    return ends


def _no_range() -> tuple[float, ...]:
    raise ValueError("write a number, or a range such as 0.1 to 0.4, or 0.1 to 0.4, most likely 0.2")


def _checked(text: str) -> str:
    read_range(text)
    return text


NumberOrRange = Annotated[
    Text,
    AfterValidator(_checked),
    WithJsonSchema({"type": ["number", "string"], "title": "a number, or a range such as 0.1 to 0.4, most likely 0.2"}),
]
Values = Annotated[tuple[NumberOrRange, ...], Field(min_length=1), Many]


class ConfounderPrevalence(Node):
    """How common an unmeasured confounder is, given the measured ones."""

    treated: Values = Field(description="Its prevalence in the treated: numbers, or one range.", examples=[[0.2, 0.4]])
    reference: Values = Field(description="Its prevalence in the reference group.", examples=[[0.1]])


class UnmeasuredConfounder(Node):
    """A confounder that nobody measured: numbers make a table of all combinations, ranges a probabilistic analysis."""

    label: str | None = Field(default=None, description="What it might be; it is printed.", examples=["Frailty"])
    of: str | None = Field(
        default=None, description="The analysis whose effect is looked at; default: the primary one."
    )
    prevalence: ConfounderPrevalence = Field(
        description="How common it is in each group.", examples=[{"treated": [0.2, 0.4], "reference": [0.1]}]
    )
    effect: Values = Field(description="The risk ratio of the outcome with against without it.", examples=[[1.5, 2]])

    @property
    def probabilistic(self) -> bool:
        """Whether ranges are given."""
        return len(read_range(self.effect[0])) > 1

    @model_validator(mode="after")
    def _possible(self) -> UnmeasuredConfounder:
        parts = (self.prevalence.treated, self.prevalence.reference, self.effect)
        ranges = {len(read_range(text)) > 1 for part in parts for text in part}
        if len(ranges) > 1:
            raise ValueError("write numbers for all three of treated, reference and effect, or a range for each")
        if ranges == {True} and any(len(part) > 1 for part in parts):
            raise ValueError("a probabilistic analysis has one range for each of treated, reference and effect")
        shares = [end for part in parts[:2] for text in part for end in read_range(text)]
        effects = [end for text in self.effect for end in read_range(text)]
        if max(shares) > 1 or min(effects) <= 0 or max(effects) > LARGEST_EFFECT:
            raise ValueError("a prevalence lies between 0 and 1, and an effect is a risk ratio above 0")
        return self


class Robustness(Node):
    """How much it would take to change a conclusion."""

    e_values: YesNo | None = Field(
        default=None,
        description="E-values of the adjusted effects of primary and secondary analyses; default: yes, in a trial no.",
    )
    negative_controls: Annotated[tuple[Name, ...], Many] = Field(
        default=(), description="Outcomes that the treatment cannot change: the primary analysis is repeated on each."
    )
    unmeasured_confounder: UnmeasuredConfounder | None = Field(
        default=None, description="What an unmeasured confounder would do to the effect."
    )


class Edit(Analysis):
    """The keys of an analysis that an option changes; none, where it is the planned choice."""

    id: AnalysisId = Field(default="edit", description="None: an option has no id.")

    @classmethod
    def __get_pydantic_json_schema__(cls, source: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(source))
        kept: Mapping[str, Any] = schema["properties"]
        return schema | {"properties": {key: value for key, value in kept.items() if key not in NOT_OF_AN_EDIT}}

    @model_validator(mode="after")
    def _edits_a_choice(self) -> Edit:
        wrong = [key for key in NOT_OF_AN_EDIT if key in self.model_fields_set]
        if wrong:
            raise ValueError(f"an option changes what is done; {', '.join(wrong)} cannot stand in it")
        return self


class Multiverse(Node):
    """One effect under all combinations of defensible choices."""

    of: str = Field(description="The analysis of which every combination is an edit.", examples=["A1"])
    vary: Annotated[dict[str, Annotated[dict[str, Edit], Field(min_length=1)]], Field(min_length=1)] = Field(
        description="The choices, each with its options; an option is keys of an analysis, {} the planned one.",
        examples=[{"Adjustment": {"baseline": {}, "none": {"adjust": "none"}}}],
    )

    def edits(self) -> Iterator[tuple[YamlPath, Edit]]:
        """Every option, with its place in the protocol."""
        for choice, options in self.vary.items():
            for option, edit in options.items():
                yield ("multiverse", "vary", choice, option), edit
