"""Who is in the study, who is compared with whom, and what is known about them when."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from counterpulse.protocol.node import IfUnknown, ImmortalPlan, Name, Node, Window
from counterpulse.protocol.words import Length, Level, Many, Text, YesNo

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


class CountedTime(Node):
    """Time zero when the table already holds durations counted from it."""

    text: str = Field(description="The moment in words.", examples=["ICU admission"])
    counted: YesNo = Field(description="yes: the table holds durations.", examples=["yes"])


class Earlier(Node):
    """The wording of a criterion before it was changed."""

    text: str = Field(description="The earlier clinical wording.", examples=["Hypotension and hypoperfusion"])
    rule: Text = Field(description="The earlier rule.", examples=["hypoperfusion = yes"])


class Criterion(Node):
    """One box of the flow diagram."""

    id: Name = Field(description="A short id of the criterion.", examples=["adult"])
    text: str = Field(
        description="The criterion as a clinician says it; it is printed.", examples=["Aged 18 years or older"]
    )
    rule: Text = Field(description="The criterion as an expression over the columns.", examples=["age >= 18"])
    if_unknown: IfUnknown | None = Field(
        default=None,
        description="What happens to patients in whom blank values leave it open; needed where that occurs.",
    )
    since: Text | None = Field(default=None, description="The day from which this wording is in force.")
    earlier: Earlier | None = Field(default=None, description="The wording before that day.")


class Screened(Node):
    """People screened for the study."""

    count: Annotated[int, Field(ge=0)] = Field(description="How many were screened.", examples=[787])
    source: str | None = Field(default=None, alias="from", description="The log the count comes from.")


class Eligibility(Node):
    """Who is in. The order of criteria is the order of the boxes."""

    screened: Screened | None = Field(default=None, description="How many were screened.")
    not_in_table: Annotated[int, Field(ge=0)] | dict[str, Annotated[int, Field(ge=0)]] | None = Field(
        default=None, description="People who have no row in the table: how many, or how many for each reason."
    )
    include: tuple[Criterion, ...] = Field(default=(), description="A patient must fulfil all of these.")
    exclude: tuple[Criterion, ...] = Field(default=(), description="Any one of these removes the patient.")


class FlowBox(Node):
    """A further box of the flow diagram, counted in each group."""

    rule: Text = Field(description="Who is counted.", examples=["lost = yes"])
    label: str | None = Field(default=None, description="The words of the box.")
    stage: Literal["allocation", "follow-up", "analysis"] | None = Field(
        default=None, description="Where the box stands; default: by its name, else where the box before it stands."
    )
    reasons: Name | None = Field(
        default=None, description="A column of categories; the box counts each of them as a reason."
    )


class Groups(Node):
    """Who is compared with whom."""

    variable: Name = Field(description="The column, or the derived variable, that holds the group.", examples=["arm"])
    treated: Annotated[dict[Level, str], Field(min_length=1)] = Field(
        description="The treated levels with their labels.", examples=[{"iabp": "Balloon pump"}]
    )
    reference: Annotated[dict[Level, str], Field(min_length=1, max_length=1)] = Field(
        description="The one level the others are compared with.", examples=[{"control": "No balloon pump"}]
    )
    assigned_by: Literal["clinician", "randomization"] = Field(
        default="clinician", description="Who decided which group a patient is in."
    )

    @property
    def levels(self) -> tuple[str, ...]:
        """Treated levels, then the reference."""
        return (*self.treated, *self.reference)

    @property
    def labels(self) -> dict[str, str]:
        """The label of each level."""
        return {**self.treated, **self.reference}

    @property
    def reference_level(self) -> str:
        """The level the others are compared with."""
        return next(iter(self.reference))


class Exposure(Node):
    """When treatment begins: data, not a label."""

    given: Text = Field(description="A yes/no column or a rule that says who was ever treated.", examples=["iabp"])
    starts: Name | None = Field(
        default=None,
        description="The column with the start of treatment; needed unless timing is unknown.",
        examples=["iabp_time"],
    )
    stops: Name | None = Field(default=None, description="The column with its end.")
    timing: Literal["known", "unknown"] = Field(
        default="known", description="unknown runs with a printed warning and bounds of the bias."
    )

    @model_validator(mode="after")
    def _known_start(self) -> Exposure:
        if self.starts is None and self.timing == "known":
            raise ValueError("an exposure says when it 'starts', or that its timing is unknown")
        return self


class ImmortalTime(Node):
    """How the time that the treated had to survive to be treated is handled."""

    plan: ImmortalPlan = Field(description="The method.", examples=["landmark"])
    at: Annotated[tuple[Length, ...], Many] = Field(
        default=(), description="The landmark, counted from time zero.", examples=["24 hours"]
    )
    grace: Length | None = Field(
        default=None, description="The grace period of clone-censor-weight.", examples=["24 hours"]
    )
    censoring_model: Literal["cox", "pooled-logistic"] | None = Field(
        default=None, description="The model of who leaves a strategy, for clone-censor-weight."
    )
    stabilized: YesNo | None = Field(
        default=None, description="yes: weights are multiplied by the probability of following the strategy as such."
    )
    every: Length | None = Field(
        default=None, description="A trial of sequential-trials begins so often.", examples=["1 day"]
    )
    periods: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="How many trials of sequential-trials begin."
    )
    compare: Literal["intention-to-treat", "per-protocol"] | None = Field(
        default=None, description="What sequential-trials compare: beginning treatment, or keeping to it."
    )
    truncate: Annotated[tuple[float, ...], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Two quantiles of the weights at which they are held.", examples=[[0.01, 0.99]]
    )
    bootstrap: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How often patients are drawn anew for the intervals; 0 for none."
    )


class FollowUp(Node):
    """The columns that say how long each patient was watched."""

    death: Name | None = Field(default=None, description="The date of death.")
    discharge: Name | None = Field(default=None, description="The date of discharge.")
    last_seen: Name | None = Field(default=None, description="The date the patient was last seen alive.")
    after_discharge: Literal["alive", "censored", "competing"] | None = Field(
        default=None, description="What is taken to be known of a patient after discharge."
    )


class Case(Node):
    """One case of a derived variable."""

    when: Text | None = Field(default=None, description="The rule of this case.")
    value: Level | None = Field(default=None, description="The value where the rule is true.")
    otherwise: Level | None = Field(
        default=None, description="The value where every rule is false; never where unknown."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Case:
        if (self.when is None) == (self.otherwise is None):
            raise ValueError("a case is {when: rule, value: …} or {otherwise: …}")
        if (self.when is None) != (self.value is None):
            raise ValueError("a case with 'when' also says its 'value'; one with 'otherwise' says only that")
        return self


class DerivedVariable(Node):
    """A column derived once and used everywhere."""

    label: str | None = Field(default=None, description="The label that is printed.")
    unit: str | None = Field(default=None, description="The unit that is printed.")
    rule: Text | None = Field(default=None, description="A yes/no variable: an expression that is true or false.")
    value: Text | None = Field(default=None, description="A numeric variable: an expression that gives a number.")
    cases: Annotated[tuple[Case, ...], Field(min_length=1)] | None = Field(
        default=None, description="A categorical variable: the first case whose rule is true."
    )
    levels: dict[Level, str] | None = Field(default=None, description="The labels of the values of the cases.")
    type: Literal["category", "number"] | None = Field(
        default=None, description="number: the values of the cases are numbers, such as the points of a score."
    )
    table: str | None = Field(default=None, alias="from", description="A related table to take a value from.")
    column: Name | None = Field(default=None, description="The column of the related table.")
    take: Literal["last", "first", "max", "min", "mean", "any", "count"] | None = Field(
        default=None, description="Which of several values."
    )
    window: Window | None = Field(
        default=None,
        description="The time around time zero, such as -6 to 0 hours, both ends included; any time without it.",
    )
    if_tied: Literal["mean", "max", "min", "first-row", "last-row"] | None = Field(
        default=None, description="The value where several that differ stand at the first or last time."
    )
    if_unknown: IfUnknown | None = Field(default=None, description="What happens where blank values leave it open.")

    @model_validator(mode="after")
    def _one_way(self) -> DerivedVariable:
        ways = [way for way in ("rule", "value", "cases", "table") if getattr(self, way) is not None]
        if len(ways) != 1:
            raise ValueError("a derived variable has exactly one of rule, value, cases, from")
        if self.type == "number" and (wrong := _not_numbers(self.cases or ())):
            raise ValueError(f"a variable of type number has cases of numbers; {', '.join(wrong)} is none")
        if self.type is not None and self.cases is None:
            raise ValueError("`type` is of a variable with cases; a rule is yes/no and a value is a number")
        if self.table is not None and (self.take is None or (self.column is None and self.take != "count")):
            raise ValueError("a variable 'from' a related table says its 'column' and what to 'take'")
        foreign = [key for key in ("column", "take", "window", "if_tied") if getattr(self, key) is not None]
        if self.table is None and foreign:
            raise ValueError(f"{', '.join(foreign)} go with 'from', the name of a related table")
        return self


def _not_numbers(cases: tuple[Case, ...]) -> list[str]:
    written = [case.otherwise if case.when is None else case.value for case in cases]
    return [f"`{text}`" for text in written if text is not None and not NUMBER.fullmatch(text)]


class Population(Node):
    """An analysis population."""

    label: str | None = Field(default=None, description="The label that is printed.")
    rule: Text = Field(
        description="Who is in it; names of other populations may be used.", examples=["itt and not violation = yes"]
    )
    analyze_as: Name | None = Field(default=None, description="The column that holds the group in this population.")
    default: YesNo = Field(default=False, description="yes: analyses that name no population use this one.")
    if_unknown: IfUnknown | None = Field(default=None, description="What happens where blank values leave it open.")
