"""The plan: every choice resolved, or stated as its rule, before any data are read. Types only; `study.plan` makes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from counterpulse.data.terms import Term
from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.planned_review import PlannedReview
from counterpulse.protocol.planned_subjects import (
    PlannedCriterion,
    PlannedFlowBox,
    PlannedGroup,
    PlannedOutcome,
    PlannedPopulation,
    PlannedTruncation,
    PlannedVariable,
)
from counterpulse.protocol.words import Duration
from counterpulse.results import Choice, Notice

__all__ = [
    "Plan",
    "PlannedAnalysis",
    "PlannedBalancing",
    "PlannedClause",
    "PlannedClusters",
    "PlannedConfounder",
    "PlannedCriterion",
    "PlannedFlowBox",
    "PlannedGroup",
    "PlannedImputation",
    "PlannedModel",
    "PlannedMultiverse",
    "PlannedOutcome",
    "PlannedPopulation",
    "PlannedReview",
    "PlannedRobustness",
    "PlannedSelection",
    "PlannedShift",
    "PlannedSpecification",
    "PlannedSubgroup",
    "PlannedSubgroups",
    "PlannedTableOne",
    "PlannedTruncation",
    "PlannedVariable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSelection:
    """Covariates to be selected from the data: the candidates, those that always stay, and the rule."""

    method: str
    candidates: tuple[Term, ...]
    keep: tuple[Term, ...] = ()
    by: Literal["p", "aic", "bic"] = "p"
    enter: float = 0.05
    stay: float = 0.1
    screen: float | None = None
    folds: int = 10
    rule: Literal["minimum", "one-standard-error"] = "minimum"
    repeats: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedModel:
    """One model of a ladder, by name, with what it adjusts for."""

    name: str
    terms: tuple[Term, ...] = ()
    selection: PlannedSelection | None = None

    @property
    def every_term(self) -> tuple[Term, ...]:
        """What it holds or may come to hold."""
        return self.terms if self.selection is None else (*self.terms, *self.selection.candidates)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedClusters:
    """How the patients of one cluster are taken into account: "robust", "random-intercept", "gee"."""

    variable: str
    treat_as: str = "robust"
    variance: Literal["CR1", "CR2"] | None = None
    correlation: Literal["independence", "exchangeable", "ar1"] = "exchangeable"
    quadrature: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedImputation:
    """How missing values are filled in, once for all analyses that want it.

    `columns` are imputed and imputed from, `passive` those of them that are computed from others, `outcomes` what takes
    part besides without being imputed (nothing, where `from_outcomes` is False). `datasets` is None where the number follows from the incomplete patients.
    """

    columns: tuple[str, ...]
    outcomes: tuple[str, ...] = ()
    from_outcomes: bool = True
    passive: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    datasets: int | None = None
    iterations: int = 5
    methods: Mapping[str, str] = field(default_factory=dict)
    center: str | None = None
    center_as: str = "none"

    @property
    def way(self) -> tuple[object, ...]:
        """How values are imputed, whatever the variables."""
        return (
            self.datasets,
            self.iterations,
            tuple(sorted(self.methods.items())),
            self.center,
            self.center_as,
            self.from_outcomes,
        )

    def covers(self, other: PlannedImputation) -> bool:
        """Whether tables imputed in this way serve an analysis that asked for the other."""
        return self.way == other.way and all(
            set(theirs) <= set(ours)
            for ours, theirs in (
                ((*self.columns, *self.passive), (*other.columns, *other.passive)), (self.outcomes, other.outcomes),
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShift:
    """Imputed values of a variable moved by so much, in its own unit."""

    variable: str
    by: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBalancing:
    """How the compared groups are made comparable before the method sees them.

    `use` is "matching" or "weighting", `by` how; `terms` are those of the score; `options` what the method of balancing
    takes by name. `balance_limit` is the largest standardized difference that counts as balance. `across` takes the mean
    score of all imputed tables.
    """

    use: Literal["matching", "weighting"]
    by: str
    terms: tuple[Term, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    balance_limit: float = 0.1
    across: bool = False

    @property
    def exact(self) -> tuple[str, ...]:
        """The variables that matched patients share."""
        found = self.options.get("exact")
        return found if isinstance(found, tuple) else ()

    @property
    def paired_by(self) -> tuple[str, ...]:
        """The variables that decide who may be a pair, besides the score."""
        found = [self.options.get(name) for name in ("exact", "anti_exact", "caliper_on")]
        return tuple(str(name) for names in found if isinstance(names, tuple | Mapping) for name in names)


@dataclass(frozen=True, slots=True)
class PlannedClause:
    """A clause of the methods section, in the past tense and the passive voice, and the works it rests on."""

    text: str
    works: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAnalysis:
    """One analysis, resolved.

    `composition` names what it is made of, in order ("landmark at 24 hours", "logistic regression", "cluster-robust
    variance"). `maker` turns the eligible patients into the sample ("as observed", "landmark", "time-varying",
    "clone-censor-weight", "sequential-trials"), at the times `landmarks` as written; `estimator` does the work of the method
    where such a sample needs another ("" is the method itself), and `options` are then its own. `measures` are the effect
    measures, the first the primary one; `companions` further methods on the same sample (`companion_labels`: as a reader knows them). `options` are the method's, each
    resolved; `further_terms` stand in models that options name. `choices` repeat everything with origin and reference. `terms` and `selection` are the main model's. `models` is
    a ladder, the main model first, fitted to the `same_rows`; `screen` are predictors, each in a model of its own
    (`only_screen`: and nothing else).
    `missing` is None where the protocol does not say what happens to incomplete rows; `imputation` fills them in, and `shifts`
    are further answers after moving what was imputed. `balancing` makes the groups comparable first. `clauses` say what the
    method does, the method itself first, then its options; what is said of imputation and balancing follows from those.
    """

    id: str
    role: str
    label: str
    method: str
    outcomes: tuple[str, ...]
    population: str
    measures: tuple[str, ...]
    target: str
    terms: tuple[Term, ...]
    adjusted: bool
    level: float
    maker: str = "as observed"
    landmarks: tuple[Duration, ...] = ()
    estimator: str = ""
    composition: tuple[str, ...] = ()
    clusters: PlannedClusters | None = None
    selection: PlannedSelection | None = None
    models: tuple[PlannedModel, ...] = ()
    screen: tuple[Term, ...] = ()
    only_screen: bool = False
    same_rows: bool = True
    options: Mapping[str, object] = field(default_factory=dict)
    further_terms: tuple[Term, ...] = ()
    choices: tuple[Choice, ...] = ()
    citations: tuple[str, ...] = ()
    multiplicity: str = "none"
    missing: str | None = None
    imputation: PlannedImputation | None = None
    shifts: tuple[PlannedShift, ...] = ()
    balancing: PlannedBalancing | None = None
    planned: str = "stated"
    of: str | None = None
    keep: str | None = None
    companions: tuple[str, ...] = ()
    companion_labels: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()
    clauses: tuple[PlannedClause, ...] = ()
    sentence: str = ""

    @property
    def every_term(self) -> tuple[Term, ...]:
        """What any of its models may hold, candidates and screened predictors among it."""
        models = (PlannedModel(name="", terms=self.terms, selection=self.selection), *self.models)
        terms = [term for model in models for term in model.every_term]
        score = () if self.balancing is None else (*self.balancing.terms, *self.balancing.paired_by)
        return tuple(dict.fromkeys((*terms, *score, *self.further_terms, *self.screen)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSubgroup:
    """A subgroup variable: cut points of a number, or groups of levels; `labels` are the strata as printed."""

    variable: str
    label: str
    cuts: tuple[float, ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSubgroups:
    """The subgroup analyses of one analysis."""

    of: str
    by: tuple[PlannedSubgroup, ...]
    refit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTableOne:
    """Table 1: variables in order, the named rule of tests, summaries and tests fixed for a variable."""

    variables: tuple[str, ...]
    rule: str
    p_values: bool
    smd: bool
    overall: bool
    smd_denominator: str
    quartiles: str
    summaries: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSpecification:
    """One combination of choices: the option of each, the analysis that it makes, and whether that is the planned one."""

    choices: Mapping[str, str]
    analysis: PlannedAnalysis
    main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMultiverse:
    """One effect under every combination of choices."""

    of: str
    specifications: tuple[PlannedSpecification, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedConfounder:
    """A confounder that was not measured: prevalences in the treated and the reference group, its risk ratio with the outcome.

    A value is one number, the two ends of a uniform distribution, or the four corners of a trapezoidal one.
    """

    of: str
    label: str
    treated: tuple[tuple[float, ...], ...]
    reference: tuple[tuple[float, ...], ...]
    effect: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRobustness:
    """How firmly the conclusions stand.

    `negative_controls` are the primary analysis on outcomes that the treatment cannot change; `naive` are analyses without
    their plan for immortal time, for comparison only. Neither stands among the analyses of the study.
    """

    e_values: bool = False
    negative_controls: tuple[PlannedAnalysis, ...] = ()
    naive: tuple[PlannedAnalysis, ...] = ()
    confounder: PlannedConfounder | None = None
    multiverse: PlannedMultiverse | None = None

    @property
    def every_analysis(self) -> tuple[PlannedAnalysis, ...]:
        """What is to be run besides the analyses of the study."""
        specifications = () if self.multiverse is None else self.multiverse.specifications
        return (*self.negative_controls, *self.naive, *(one.analysis for one in specifications if not one.main))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a run and a report need besides the data. `protocol` is what the researcher wrote."""

    protocol: ProtocolNode
    protocol_digest: str
    dictionary_digest: str
    group_variable: str | None
    group_label: str
    groups: tuple[PlannedGroup, ...]
    time_zero: str
    variables: Mapping[str, PlannedVariable]
    criteria: tuple[PlannedCriterion, ...]
    populations: Mapping[str, PlannedPopulation]
    outcomes: Mapping[str, PlannedOutcome]
    table_one: PlannedTableOne | None
    analyses: tuple[PlannedAnalysis, ...]
    subgroups: PlannedSubgroups | None
    robustness: PlannedRobustness = PlannedRobustness()
    flow: tuple[PlannedFlowBox, ...] = ()
    review: PlannedReview | None = None
    choices: tuple[Choice, ...] = ()
    warnings: tuple[Notice, ...] = ()

    @property
    def reference(self) -> str:
        """The level that the treated groups are compared with."""
        return next(group.level for group in self.groups if group.is_reference)

    @property
    def treated(self) -> tuple[str, ...]:
        """The other levels, in the order of the protocol."""
        return tuple(group.level for group in self.groups if not group.is_reference)

    @property
    def primary(self) -> PlannedAnalysis | None:
        """The first primary analysis."""
        return next((analysis for analysis in self.analyses if analysis.role == "primary"), None)
