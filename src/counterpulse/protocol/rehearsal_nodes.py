"""What a rehearsal assumes: how the outcomes, which nobody has looked at, are to be simulated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from counterpulse.protocol.node import Name, Node
from counterpulse.protocol.words import Length, Level, Many, YesNo

Fraction = Annotated[float, Field(gt=0, lt=1)]


class AssumedOutcome(Node):
    """What is assumed of one outcome: how often it happens without the treatment, and the effects to try."""

    risk: Fraction | None = Field(
        default=None, description="The risk in the reference group, left untreated.", examples=[0.4]
    )
    by: Length | None = Field(
        default=None, description="The time by which that is the risk; default: `within`.", examples=["30 days"]
    )
    median: Length | None = Field(
        default=None, description="Instead of `risk`: the time by which half of the reference group have the event."
    )
    mean: float | None = Field(default=None, description="The mean of a continuous outcome in the reference group.")
    sd: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="The standard deviation of a continuous outcome around what covariates predict."
    )
    within: Length | None = Field(
        default=None, description="How long patients are watched; default: the horizon of the outcome."
    )
    shape: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="The Weibull shape of the time: below 1 most events come early."
    )
    effects: Annotated[tuple[float, ...], Many] = Field(
        default=(),
        description="True effects to try besides none: odds ratios, hazard ratios, or differences of means.",
        examples=[0.7],
    )
    lost: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="The fraction lost to follow-up by the end, of a time to an event."
    )
    competing: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="The fraction with the competing event (discharge, say) by the end, were nothing before it.",
    )
    fatal: YesNo = Field(
        default=True, description="yes: who has the event before the treatment begins is never treated."
    )


class Unmeasured(Node):
    """A confounder that no column holds: a standard normal number of each patient."""

    outcome: float = Field(
        description="Its log odds ratio or log hazard ratio (of means: the difference in standard deviations) per SD.",
        examples=[0.5],
    )
    exposure: float = Field(
        description="How many SD higher it is in the treated than in the reference group.", examples=[0.5]
    )


class Rehearsal(Node):
    """The assumptions of `counterpulse rehearse`, which tries the planned analyses before the outcome is looked at."""

    replicates: Annotated[int, Field(ge=2)] = Field(default=200, description="How many studies are simulated.")
    patients: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="Patients in each; default: as many as are compared in the data."
    )
    outcomes: Annotated[dict[Name, AssumedOutcome], Field(min_length=1)] = Field(
        description="What is assumed of each outcome.", examples=[{"death_30d": {"risk": 0.4, "effects": 0.7}}]
    )
    prognosis: Literal["moderate"] | dict[Name, float | dict[Level, float]] = Field(
        default="moderate",
        description=(
            "Log odds ratios or log hazard ratios (of means: differences in standard deviations) per SD of a number, of yes, "
            "or of each level. moderate: equal shares of all covariates of the outcome's analyses, each worse in the treated."
        ),
    )
    unmeasured: Unmeasured | None = Field(default=None, description="A confounder that no analysis can adjust for.")
    bootstrap: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="Bootstrap samples in each replicate; by default none: intervals are those of the model, or there are none.",
    )
    datasets: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        description="Imputed tables in each replicate; default: none, incomplete rows are left out instead, and the page says so.",
    )
