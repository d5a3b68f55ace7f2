"""What the house knows of a method: the plan, the schema, the English and the report derive from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from counterpulse.data.terms import Term
from counterpulse.results import Choice
from counterpulse.study.request import Answer, Request

if TYPE_CHECKING:
    from counterpulse.regression.column_likelihood import ColumnLikelihood
    from counterpulse.study.planning.drafts import Desk, Draft

OptionKind = Literal["word", "words", "number", "numbers", "yes-no", "length", "lengths", "name", "names", "terms"]
SampleKind = Literal["plain", "landmark", "start-stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice the researcher may make, with its default, the words the methods section uses, and its source.

    `words` may hold ``{value}``; `phrases` gives the words of each allowed value instead.
    """

    name: str
    default: Any
    kind: OptionKind
    about: str
    allowed: tuple[str, ...] = ()
    required: bool = False
    words: str = ""
    phrases: tuple[tuple[str, str], ...] = ()
    reference: str | None = None
    references: tuple[tuple[str, str], ...] = ()

    def shared(self, options: Mapping[str, object]) -> object:
        """The value of another method's option of this name, where it is a word that this one knows; else the default."""
        value = self.default if self.kind == "terms" else options.get(self.name, self.default)
        return value if not self.allowed or value in self.allowed else self.default

    def sentence(self, value: object) -> str:
        """The words of the methods section for this value."""
        values = value if isinstance(value, list | tuple) else (value,)
        shown = ", ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in values)
        return dict(self.phrases).get(str(value), self.words.format(value=shown))

    def cited(self, value: object) -> str | None:
        """The key of the work this value rests on."""
        return dict(self.references).get(str(value), self.reference)


def loaded(place: str) -> Callable[..., Any]:
    """The function at ``module:name``, imported when it is first called: a study of patients does not wait for that of reviews."""

    def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401  (as the function it stands for)
        module, _, name = place.partition(":")
        return getattr(import_module(module), name)(*args, **named)

    return call


@dataclass(frozen=True, slots=True)
class Rule:
    """A choice that needs data: stated in the plan, answered in the provenance; `words` are those of the methods section."""

    name: str
    text: str
    reference: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """One method of the protocol language.

    `measures` are the contrasts it estimates, the first by default; `also` those it can add, some at a time
    ("risk difference at 60 days"); `by_kind` says which belong to a kind of outcome, where not all do, and `targeted` those that
    may be of the treated or the untreated alone. `balances` is "matching" or "weighting" of a word that makes groups comparable first; `weighted`
    says that the method takes weights and matched sets. `told` says what is done for a kind of outcome and measures, where `about` has to leave that open. `likelihood` makes the log-likelihood in which covariates come and go, for a selection
    of them. `refuse` finds what the method cannot do with these options, terms and outcomes; `resolve` fills in options
    that follow from others (a named convention). `calls` names the function that computes, for the reader of the docs.
    """

    name: str
    label: str
    about: str
    outcomes: frozenset[str]
    measures: tuple[str, ...]
    also: tuple[str, ...] = ()
    by_kind: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targeted: tuple[str, ...] = ()
    kind: Literal["conditional", "marginal"] = "marginal"
    options: tuple[Option, ...] = ()
    rules: tuple[Rule, ...] = ()
    accepts: frozenset[str] = frozenset({"plain", "landmark"})
    adjustable: bool = False
    clusters: tuple[str, ...] = ()
    cluster_reference: str = "liang-zeger-1986"
    cluster_variances: bool = False
    needs_groups: bool = True
    two_groups_only: bool = False
    balances: Literal["matching", "weighting"] | None = None
    weighted: bool = False
    told: Callable[[str, Sequence[str]], str] | None = None
    checks: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()
    subgroups: bool = False
    likelihood: Callable[[Request, Sequence[Term]], ColumnLikelihood] | None = None
    refuse: Callable[[Desk, Draft, Mapping[str, object], tuple[Term, ...], tuple[str, ...]], None] | None = None
    resolve: Callable[[dict[str, object], list[Choice]], tuple[dict[str, object], list[Choice]]] | None = None
    calls: str
    citations: tuple[str, ...] = ()
    estimate: Callable[[Request], Answer]

    def option(self, name: str) -> Option | None:
        """The option of that name."""
        return next((option for option in self.options if option.name == name), None)
