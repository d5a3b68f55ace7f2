"""What is measured and how it is analyzed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterpulse.protocol.cohort_nodes import ImmortalTime
from counterpulse.protocol.node import AnalysisId, IfUnknown, Name, Node, OutcomeType, Planned, Role, Window
from counterpulse.protocol.words import Length, Level, Many, Text, YesNo


class FreeDays(Node):
    """Days alive and free of an organ support within a horizon."""

    support: Text = Field(description="The days on support: a column or an expression.", examples=["ventilator_days"])
    within: Length = Field(description="The horizon, counted from time zero.", examples=["28 days"])
    dead: float = Field(
        default=0, description="The value of who died by then: 0 as usual, or -1 to rank death below no free day."
    )


class Outcome(Node):
    """One outcome."""

    label: str | None = Field(default=None, description="The label that is printed.")
    shown_as: str | None = Field(default=None, description="Other words for the complement, where readers expect them.")
    unit: str | None = Field(default=None, description="The unit that is printed.")
    type: OutcomeType = Field(description="What kind of outcome it is.", examples=["binary"])
    event: Text | None = Field(
        default=None,
        description="The event: an expression; for time-to-event a key of follow_up, a date column, or an expression with `time`.",
    )
    time: Name | None = Field(default=None, description="The column with the duration to the event or to censoring.")
    time_unit: Literal["minutes", "hours", "days", "weeks", "months", "years"] | None = Field(
        default=None, description="The unit of the durations."
    )
    value: Text | None = Field(default=None, description="The value of a continuous, ordinal or count outcome.")
    horizon: Length | None = Field(
        default=None, description="Events after this time do not count.", examples=["30 days"]
    )
    competing: Text | None = Field(default=None, description="The event that makes this one impossible.")
    any_of: dict[Name, str] | tuple[Name, ...] | None = Field(
        default=None, description="A composite: yes when any of these yes/no columns is yes."
    )
    first_of: dict[Name, str] | tuple[Name, ...] | None = Field(
        default=None, description="A composite: the first of these dates."
    )
    primary: YesNo = Field(default=False, description="The primary outcome.")
    better: Literal["lower", "higher"] | None = Field(
        default=None, description="Which direction is good for the patient."
    )
    safety: YesNo = Field(default=False, description="A safety outcome.")
    negative_control: YesNo = Field(
        default=False, description="An outcome that the treatment cannot change: an effect on it is bias."
    )
    summary: Literal["mean", "median"] | None = Field(default=None, description="How values are summarized.")
    truncated_by: dict[str, Literal["worst-rank", "survivors-only", "competing"]] | None = Field(
        default=None, description="Values cut short by death name their plan."
    )
    free_days: FreeDays | None = Field(
        default=None, description="Instead of `value`: days alive and free of an organ support."
    )
    table: str | None = Field(
        default=None, alias="from", description="The related table with the measurements of a repeated outcome."
    )
    column: Name | None = Field(default=None, description="The column of that table.")
    window: Window | None = Field(default=None, description="The time around time zero, such as 0 to 24 hours.")
    if_unknown: IfUnknown | None = Field(default=None, description="What happens where blank values leave it open.")


class GroupOutcome(Node):
    """The exposure itself as the outcome of a model."""

    group: Level = Field(description="The level of the group variable whose probability is modeled.", examples=["iabp"])


class TermNode(Node):
    """A model term that is more than a name."""

    variable: Name | None = Field(default=None, description="The variable.")
    spline: Annotated[int, Field(ge=3)] | None = Field(
        default=None, description="A natural (restricted) cubic spline with so many knots."
    )
    knots: Annotated[tuple[float, ...], Field(min_length=3)] | None = Field(
        default=None, description="Where the knots of a spline are, instead of at quantiles."
    )
    log: YesNo = Field(default=False, description="The natural logarithm of the variable.")
    per: Annotated[float, Field(gt=0)] | None = Field(default=None, description="The effect of so many units.")
    reference: Level | None = Field(
        default=None, description="The reference level of a categorical variable; the reference value of a spline."
    )
    interaction: tuple[Name, Name] | None = Field(default=None, description="The product of two variables.")

    @model_validator(mode="after")
    def _names_something(self) -> TermNode:
        if (self.variable is None) == (self.interaction is None):
            raise ValueError("a term names a variable or an interaction of two")
        return self


TermSpec = Name | TermNode


class Selection(Node):
    """A model whose covariates are selected from the data; its intervals are too narrow and the report says so."""

    select: Literal["stepwise", "forward", "backward", "lasso", "screen"] = Field(
        description="How covariates are selected.", examples=["stepwise"]
    )
    source: str | tuple[TermSpec, ...] | None = Field(
        default=None, alias="from", description="The candidates: a set of confounders or a list."
    )
    keep: tuple[Name, ...] = Field(default=(), description="Covariates that always stay.")
    enter: Annotated[float, Field(gt=0, lt=1)] | None = Field(default=None, description="P value to enter.")
    stay: Annotated[float, Field(gt=0, lt=1)] | None = Field(default=None, description="P value to stay.")
    by: Literal["p", "aic", "bic"] = Field(default="p", description="The criterion of a stepwise selection.")
    screen: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="Only candidates with a P value below this in a model of their own."
    )
    folds: Annotated[int, Field(ge=3)] = Field(default=10, description="The folds of the cross-validation of a lasso.")
    rule: Literal["minimum", "one-standard-error"] = Field(
        default="minimum", description="Which penalty of a lasso is taken."
    )
    repeats: Annotated[int, Field(ge=0)] = Field(
        default=200, description="Bootstrap samples in which the selection is repeated."
    )


class Clusters(Node):
    """Patients of one center resemble each other."""

    variable: Name = Field(description="The column with the center.", examples=["center_id"])
    treat_as: Literal["robust", "random-intercept", "fixed", "strata", "gee"] = Field(
        default="robust", alias="as", description="How that is taken into account."
    )
    variance: Literal["CR1", "CR2"] | None = Field(
        default=None,
        description="The robust variance; by default CR2 with Satterthwaite degrees of freedom below 40 clusters.",
    )
    correlation: Literal["independence", "exchangeable", "ar1"] = Field(
        default="exchangeable", description="The working correlation of gee."
    )
    quadrature: Annotated[int, Field(ge=1, le=101)] | None = Field(
        default=None, description="Points of the adaptive Gauss-Hermite quadrature of a random intercept."
    )


class EstimandNode(Node):
    """What is estimated: the contrast and the people it is about."""

    contrast: str | None = Field(default=None, description="The effect measure, such as odds ratio.")
    kind: Literal["conditional", "marginal"] | None = Field(
        default=None, description="conditional on covariates, or marginal: averaged over people."
    )
    target: Literal["all", "treated", "untreated", "overlap", "matched"] | None = Field(
        default=None, description="The people the effect is about."
    )
    also: Annotated[tuple[str, ...], Many] = Field(default=(), description="Further measures of the same effect.")


class MissingData(Node):
    """What is done about missing values."""

    method: Literal["complete-case", "multiple-imputation"] = Field(
        description="Rows with a missing value are dropped, or values are imputed.", examples=["complete-case"]
    )
    datasets: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        description="How many imputed tables; by default the percentage of incomplete patients, at least 20.",
    )
    variables: Literal["all-in-models"] | tuple[Name, ...] | None = Field(
        default=None, description="Which variables are imputed: those of all models (the default), or a list."
    )
    auxiliary: tuple[Name, ...] = Field(
        default=(), description="Variables of no model from which missing values are imputed besides."
    )
    outcomes: YesNo = Field(
        default=True, description="no: outcomes take no part in the imputation, which biases effects."
    )
    methods: dict[Name, Literal["pmm", "normal", "logistic", "polytomous", "ordered", "random-intercept"]] = Field(
        default={}, description="How a variable is imputed, where not as usual for its type."
    )
    center: Literal["none", "fixed", "random-intercept"] = Field(
        default="none", description="Whether the center of data.site takes part in the imputation, and how."
    )
    iterations: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Iterations of the chained equations."
    )
    shift: dict[Name, Annotated[tuple[float, ...], Many]] = Field(
        default={},
        description="Imputed values of a variable are shifted by so much, in its unit: an analysis for each shift.",
        examples=[{"lactate": [0, 0.5, 1]}],
    )


class Propensity(Node):
    """How patients are made comparable by the probability of being treated."""

    use: Literal["matching", "weighting"] | None = Field(
        default=None,
        description="With a method of its own (cox, kaplan-meier): matching or weighting.",
        examples=["matching"],
    )
    model: str | tuple[TermSpec, ...] | None = Field(
        default=None, description="The covariates of the score: a set of confounders or a list; by default `adjust`."
    )
    by: (
        Literal["nearest", "optimal", "full", "subclasses", "coarsened-exact", "logistic", "entropy-balancing"] | None
    ) = Field(
        default=None, description="How patients are matched (nearest by default) or weighted (logistic by default)."
    )
    ratio: str | int | None = Field(
        default=None,
        description="References for each treated patient: 1:1, 1:3, or 1:1-4 for a number that varies.",
        examples=["1:1"],
    )
    caliper: str | float | None = Field(
        default=None,
        description="The farthest distance of a pair: 0.2 SD of logit, 0.05 of probability, or none.",
        examples=["0.2 SD of logit"],
    )
    caliper_sd: Literal["pooled", "within"] | None = Field(
        default=None,
        description="The standard deviation of everybody (pooled), or the mean one of the groups (within).",
    )
    calipers: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        default={},
        description="The farthest difference of a pair in covariates, in their own units.",
        examples=[{"age": 5}],
    )
    exact: Annotated[tuple[Name, ...], Many] = Field(default=(), description="Variables in which a pair agrees.")
    anti_exact: Annotated[tuple[Name, ...], Many] = Field(default=(), description="Variables in which a pair differs.")
    replacement: YesNo = Field(default=False, description="yes: a reference patient may serve several treated ones.")
    order: Literal["largest", "smallest", "closest", "farthest", "data", "random"] | None = Field(
        default=None, description="Which treated patients choose first."
    )
    discard: Literal["none", "treated", "control", "both"] | None = Field(
        default=None, description="Whether patients outside the scores of the other group are left out first."
    )
    classes: Annotated[int, Field(ge=2)] | None = Field(default=None, description="How many subclasses of the score.")
    stabilize: YesNo = Field(default=False, description="yes: weights are multiplied by the share of the group.")
    trim: Annotated[float, Field(gt=0, lt=0.5)] | None = Field(
        default=None, description="Leave out patients whose probability of a treatment is below this.", examples=[0.1]
    )
    trim_percentile: Annotated[float, Field(gt=0, lt=50)] | None = Field(
        default=None, description="Leave out patients outside this percentile of the scores of the groups."
    )
    truncate: Annotated[float, Field(gt=50, lt=100)] | None = Field(
        default=None, description="Hold weights above this percentile of their group at it.", examples=[99]
    )
    balance_limit: Annotated[float, Field(gt=0)] = Field(
        default=0.1, description="The largest standardized difference that counts as balance."
    )
    imputations: Literal["within", "across"] = Field(
        default="within",
        description="within: scores and pairs of each imputed table; across: the mean score of all tables.",
    )


class Analysis(BaseModel):
    """One analysis. Keys beyond these are options of its method and are checked when the plan is made."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    id: AnalysisId = Field(description="A short id, printed in the report.", examples=["A1"])
    role: Role | None = Field(default=None, description="Its place in the study.")
    of: str | None = Field(
        default=None, description="The analysis this one differs from; only the keys that differ follow."
    )
    label: str | None = Field(default=None, description="The label that is printed.")
    outcome: Annotated[tuple[Name, ...], Many] | GroupOutcome | None = Field(
        default=None, description="The outcome, or several; {group: level} models the exposure."
    )
    method: str | None = Field(default=None, description="The method.")
    adjust: str | tuple[TermSpec, ...] | Selection | None = Field(
        default=None, description="A set of confounders, a list of terms, none, or a selection."
    )
    models: dict[str, str | tuple[TermSpec, ...] | Selection] | None = Field(
        default=None, description="A ladder of models by name, each with its adjustment."
    )
    main_model: str | None = Field(
        default=None, description="The model of the ladder whose estimate counts; by default the last."
    )
    same_rows: YesNo | None = Field(
        default=None,
        description="yes (the default): the models of a ladder use the rows complete for all; no: each uses its own.",
    )
    screen: str | tuple[TermSpec, ...] | None = Field(
        default=None, description="Predictors, each in a model of its own: a set of confounders or a list."
    )
    population: str | None = Field(default=None, description="The analysis population.")
    keep: Text | None = Field(default=None, description="Only rows for which this expression is true.")
    clusters: Clusters | None = Field(default=None, description="Centers and how they are taken into account.")
    propensity: Propensity | None = Field(
        default=None, description="Matching or weighting by the probability of being treated, before the method."
    )
    estimand: EstimandNode | None = Field(default=None, description="What is estimated.")
    also: Annotated[tuple[str, ...], Many] = Field(
        default=(), description="Further measures, or further methods, for the same outcome."
    )
    multiplicity: Literal["none", "holm", "hochberg", "bonferroni"] | None = Field(
        default=None, description="The adjustment for several outcomes."
    )
    missing_data: MissingData | Literal["complete-case", "multiple-imputation"] | None = Field(
        default=None, description="What is done about missing values here."
    )
    immortal_time: ImmortalTime | None = Field(default=None, description="The plan for immortal time here.")
    check: Annotated[tuple[str, ...], Many] = Field(default=(), description="Assumptions to check.")
    draw: Annotated[tuple[str, ...], Many] = Field(default=(), description="Figures to draw.")
    planned: Planned | None = Field(default=None, description="When this analysis was planned.")

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The names of its outcomes; none where the exposure itself is modelled."""
        return self.outcome if isinstance(self.outcome, tuple) else ()

    @property
    def options(self) -> Mapping[str, Any]:
        """The keys that belong to the method."""
        return dict(self.__pydantic_extra__ or {})


class SubgroupVariable(Node):
    """A subgroup variable that is cut or whose levels are grouped."""

    variable: Name = Field(description="The variable.", examples=["age"])
    cut: Annotated[tuple[float, ...], Many] = Field(default=(), description="Cut points; 65 makes <65 and >=65.")
    levels: tuple[Annotated[tuple[Level, ...], Many], ...] | None = Field(default=None, description="Groups of levels.")
    label: str | None = Field(default=None, description="The label that is printed.")


class Subgroups(Node):
    """Estimates and one interaction test a subgroup variable; never a P value a stratum."""

    of: str = Field(description="The analysis to repeat.", examples=["A1"])
    by: Annotated[tuple[Name | SubgroupVariable, ...], Field(min_length=1)] = Field(
        description="The subgroup variables.", examples=[["sex", {"variable": "age", "cut": [65]}]]
    )
    refit: YesNo = Field(default=False, description="yes: a model of its own in each subgroup.")
    p_values: YesNo | Literal["refused"] = Field(
        default=False, description="Refused: a P value a stratum answers no question; the interaction test does."
    )


class CrosstabNode(Node):
    """Two categorical variables against each other."""

    rows: Name = Field(description="The variable of the rows.", examples=["scai"])
    columns: Name = Field(description="The variable of the columns.", examples=["sex"])


class DescriptionNode(Node):
    """What is described beyond Table 1; nothing here tests a hypothesis."""

    distributions: tuple[Name, ...] = Field(default=(), description="Numbers drawn as histograms, by group.")
    crosstabs: tuple[CrosstabNode, ...] = Field(default=(), description="Pairs of categorical variables.")
    missingness: YesNo = Field(default=False, description="Which variables are missing together.")
    correlation: str | tuple[Name, ...] | None = Field(
        default=None, description="How strongly variables hang together: a set of confounders or a list."
    )
    centers: Name | None = Field(
        default=None, description="A binary outcome compared between the centers of data.site, as a funnel plot."
    )


class TableOneNode(Node):
    """Table 1, where the study wants another one than its adjustment set."""

    variables: tuple[Name, ...] = Field(description="The variables in order.", examples=[["age", "sex"]])
    rule: str | None = Field(default=None, description="The named rule that chooses tests.")
    summaries: dict[Name, Literal["mean", "median", "both"]] = Field(
        default={}, description="The summary of a variable."
    )
    tests: dict[Name, str] = Field(default={}, description="The test of a variable.")
    smd_denominator: Literal["pooled", "treated", "reference", "all"] = Field(
        default="pooled", description="The standard deviation in the standardized difference."
    )
    quartiles: str | None = Field(default=None, description="The definition of quartiles.")
