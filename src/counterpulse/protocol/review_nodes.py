"""What a review asks, how its studies were found, and how a row of its table becomes an effect."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from counterpulse.protocol.node import Name, Node
from counterpulse.protocol.words import Many, Text, YesNo

Count = Annotated[int, Field(ge=0)]
Counts = Count | dict[str, Count]
EffectMeasure = Literal[
    "odds ratio", "risk ratio", "risk difference", "hazard ratio", "rate ratio", "mean difference",
    "standardized mean difference", "ratio of means", "proportion", "rate", "correlation",
]  # fmt: skip


class ReviewOutcome(Node):
    """One outcome of a review."""

    label: str | None = Field(default=None, description="The label that is printed.")
    measure: EffectMeasure | None = Field(default=None, description="Its effect measure, where not that of `effects`.")
    better: Literal["lower", "higher"] | None = Field(
        default=None, description="Which direction is good for the patient."
    )
    unit: str | None = Field(default=None, description="The unit of a mean.")
    control_risk: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None,
        description="The risk without the exposure from which absolute effects are computed; by default the median of the studies.",
        examples=[0.5],
    )
    important: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="The smallest effect that matters, on the scale of the measure; imprecision is judged against it.",
        examples=[0.9],
    )


class Question(Node):
    """The question of a review."""

    population: str = Field(description="Who was studied.", examples=["adults with cardiogenic shock"])
    exposure: str = Field(description="What was given.", examples=["intra-aortic balloon pump"])
    comparator: str = Field(description="Instead of what.", examples=["no balloon pump"])
    outcomes: dict[Name, ReviewOutcome] | Annotated[tuple[Name, ...], Many] = Field(
        description="The outcomes, as the column `outcome` of the table names them; each may have a label and more.",
        examples=[{"death": {"label": "Death in hospital or by day 30", "better": "lower"}}],
    )
    designs: str | None = Field(default=None, description="Which designs of studies were eligible.")
    search: str | None = Field(default=None, description="Where and until when was searched; it is printed.")

    @property
    def every_outcome(self) -> dict[str, ReviewOutcome]:
        """Each outcome by name."""
        if isinstance(self.outcomes, tuple):
            return {name: ReviewOutcome() for name in self.outcomes}
        return dict(self.outcomes)


class Included(Node):
    """Studies and their reports."""

    studies: Count = Field(description="Studies.", examples=[9])
    reports: Count | None = Field(default=None, description="Reports of these studies.")


class OtherSearch(Node):
    """Records found elsewhere than in databases and registers."""

    identified: Counts = Field(description="Records identified.", examples=[{"citations": 12}])
    sought: Count | None = Field(default=None, description="Reports sought for retrieval.")
    not_retrieved: Count | None = Field(default=None, description="Reports not retrieved.")
    full_text: Count | None = Field(default=None, description="Reports assessed for eligibility.")
    full_text_excluded: Counts | None = Field(default=None, description="Reports excluded, by reason.")


class Screening(Node):
    """The boxes of the PRISMA 2020 diagram, or the log from which they are counted."""

    log: str | None = Field(
        default=None,
        description="A file with a row a record: record, source, duplicate, screen, retrieved, full_text, reason, study.",
        examples=["screening.csv"],
    )
    identified: Counts | None = Field(
        default=None, description="Records identified, by source.", examples=[{"databases": 860}]
    )
    removed: Counts | None = Field(default=None, description="Records removed before screening, by reason.")
    screened: Count | None = Field(default=None, description="Records screened by title and abstract.")
    excluded: Counts | None = Field(default=None, description="Records excluded then.")
    sought: Count | None = Field(default=None, description="Reports sought for retrieval.")
    not_retrieved: Count | None = Field(default=None, description="Reports not retrieved.")
    full_text: Count | None = Field(default=None, description="Reports assessed for eligibility.")
    full_text_excluded: Counts | None = Field(default=None, description="Reports excluded, by reason.")
    included: Count | Included | None = Field(default=None, description="Studies included.")
    other_methods: OtherSearch | None = Field(default=None, description="Records found by other methods.")
    previous: Count | Included | None = Field(default=None, description="Studies of an earlier version of the review.")

    @model_validator(mode="after")
    def _once(self) -> Screening:
        typed = {
            "identified",
            "removed",
            "screened",
            "excluded",
            "sought",
            "not_retrieved",
            "full_text",
            "full_text_excluded",
        }
        if self.log is not None and typed & self.model_fields_set:
            raise ValueError("with a log the boxes are counted from it; remove the counts, or the log")
        return self


class Overlap(Node):
    """Studies that share patients because they come from one registry."""

    registry: Name = Field(
        description="The column with the registry of a study; several are parted by a semicolon.", examples=["registry"]
    )
    keep: Literal["largest", "first", "all"] = Field(
        default="largest", description="Which effect of a registry counts for an outcome; all: each, and it is told."
    )


class ZeroCells(Node):
    """What is added where nobody, or everybody, of an arm had the event."""

    add: Annotated[float, Field(ge=0)] = Field(default=0.5, description="The amount added to each cell.")
    when: Literal["a cell is zero", "any study has a zero", "never"] = Field(
        default="a cell is zero", description="To which studies."
    )


class Conversion(Node):
    """A measure that is taken for another; what it assumes is printed."""

    source: EffectMeasure = Field(alias="from", description="The measure of the paper.", examples=["hazard ratio"])
    control_risk: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="The risk of the control group that the conversion needs."
    )
    as_it_is: YesNo = Field(
        default=False, description="yes: the number is taken unchanged, as if the measures were the same."
    )


class BundleRow(Node):
    """An effect of another study of this program, taken from its results.json."""

    study: str = Field(description="The name of the study in this review.", examples=["Our registry 2026"])
    bundle: str = Field(description="The folder of its report.", examples=["ecls-registry-report"])
    estimate: str = Field(description="The id of the estimate.", examples=["A1.death.iabp.odds-ratio"])
    outcome: Name = Field(description="The outcome of this review.", examples=["death"])
    columns: dict[Name, str | float | bool] = Field(
        default={}, description="What further columns of the table say of it.", examples=[{"design": "matched cohort"}]
    )


class DesignBias(Node):
    """The bias expected of a design, on the scale on which effects are pooled, and how much it inflates variances."""

    bias: float = Field(default=0, description="The expected bias, added by the design; logarithms for ratios.")
    sd: Annotated[float, Field(ge=0)] = Field(default=0, description="The standard deviation of that bias.")
    inflate: Annotated[float, Field(ge=1)] = Field(default=1, description="The factor by which variances grow.")
    reason: Text = Field(description="Where these numbers come from; it is printed.", examples=["Welton 2009"])

    @field_validator("reason")
    @classmethod
    def _said(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("say where the numbers come from")
        return reason


class BiasByDesign(Node):
    """What bias is expected of each design."""

    column: Name = Field(description="The column with the design of a study.", examples=["design"])
    of: dict[str, DesignBias] = Field(
        description="Each design that is pooled, by its level.",
        examples=[{"unmatched cohort": {"bias": -0.1, "sd": 0.2, "reason": "…"}}],
    )


class Effects(Node):
    """How a row of the table becomes an effect and its variance."""

    measure: EffectMeasure = Field(
        default="odds ratio", description="The effect measure; rows may differ in format, never in measure."
    )
    treated: str | None = Field(default=None, description="A short label of the exposed.", examples=["Balloon pump"])
    control: str | None = Field(default=None, description="A short label of the others.", examples=["Control"])
    zero_cells: ZeroCells = Field(default=ZeroCells(), description="What is done about zero cells.")
    peto: YesNo = Field(default=False, description="yes: odds ratios of counts are Peto's.")
    smd: Literal["hedges", "cohen", "glass"] = Field(
        default="hedges", description="The standardization of a standardized mean difference."
    )
    proportion: Literal["logit", "arcsine", "raw", "log"] = Field(
        default="logit", description="The scale on which proportions are pooled."
    )
    convert: Annotated[tuple[Conversion, ...], Many] = Field(
        default=(), description="Measures that are converted to that of the outcome, each said here."
    )
    other_measures: Literal["refuse", "leave-out"] = Field(
        default="refuse", description="What is done with a row of another measure that is not converted."
    )
    shared_control: Literal["split", "combine", "keep"] = Field(
        default="split",
        description="Several treated arms with one control: the control is split, or the arms are combined.",
    )
    curves: str | None = Field(
        default=None,
        description="A file with readings of survival curves, from which hazard ratios are made: study, outcome, time, "
        "survival_treated, survival_control, at_risk_treated, at_risk_control.",
        examples=["curves.csv"],
    )
    second_extraction: str | None = Field(
        default=None, description="The same table as the second extractor filled it in.", examples=["extraction-2.csv"]
    )
    bias: BiasByDesign | None = Field(
        default=None, description="The bias of each design, for analyses with design_bias: yes."
    )
    bundles: tuple[BundleRow, ...] = Field(default=(), description="Studies whose effect is taken from their report.")


class RiskOfBias(Node):
    """How bias was judged."""

    tool: Literal["newcastle-ottawa", "rob-2", "robins-i", "other"] = Field(
        description="The tool.", examples=["newcastle-ottawa"]
    )
    columns: Annotated[tuple[Name, ...], Many] = Field(
        default=(),
        description="The columns with its domains.", examples=[["selection", "comparability", "outcome_assessment"]],
    )  # fmt: skip
    overall: Name | None = Field(default=None, description="The column with the judgment of the whole.")

    @model_validator(mode="after")
    def _says_something(self) -> RiskOfBias:
        if not self.columns and self.overall is None:
            raise ValueError("name the columns with its domains, or the one with the judgment of the whole")
        return self


GradeDomain = Literal[
    "risk of bias", "inconsistency", "indirectness", "imprecision", "publication bias", "large effect", "dose response",
    "confounding against the effect",
]  # fmt: skip


class Judgment(Node):
    """What the reviewers judged of a domain."""

    rating: Literal[
        "not serious", "serious", "very serious", "extremely serious", "undetected", "strongly suspected", "no", "yes", "very large",
    ] = Field(description="The judgment.", examples=["serious"])  # fmt: skip
    reason: str = Field(description="Why; it is printed.", examples=["four of nine cohorts were unmatched"])


class Certainty(Node):
    """How certain the evidence is."""

    tool: Literal["grade"] = Field(default="grade", description="The system.", examples=["grade"])
    start: Literal["high", "low"] | None = Field(
        default=None,
        description="Where the rating begins: high for randomized trials, low for cohorts; ROBINS-I begins high.",
    )
    judged: dict[Name, dict[GradeDomain, Judgment]] = Field(
        default={}, description="The judgments of each outcome; a domain without one is asked for in the report.",
        examples=[{"death": {"indirectness": {"rating": "not serious", "reason": "all in shock"}}}],
    )  # fmt: skip
