"""The plan in words: labels, tense and citations, before a result exists as well as after."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from counterpulse.data.terms import Categorical, Interaction, Numeric, Spline, Term, variables_of
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedModel, PlannedSelection
from counterpulse.protocol.selection_words import selection_text
from counterpulse.report import numbers
from counterpulse.report.chapters.wording import inside
from counterpulse.report.document import Paragraph, Run
from counterpulse.report.number_styles import PLAIN, NumberStyle
from counterpulse.results import StudyResult

Tense = Literal["past", "future"]
Cite = Callable[..., tuple[int, ...]]
PASSIVE = re.compile(r"\b(was|were)\b")


def uncited(*keys: str | None) -> tuple[int, ...]:
    """No numbers: for words that stand without a list of references."""
    return ()


@dataclass(frozen=True, slots=True)
class Speech:
    """How the plan is told.

    `tense` is "future" in an analysis plan and "past" in a report; `cite` numbers works; `result` is what a run found, None
    before there are data; `style` sets the numbers of the protocol.
    """

    plan: Plan
    tense: Tense = "past"
    cite: Cite = uncited
    result: StudyResult | None = None
    style: NumberStyle = PLAIN

    @property
    def was(self) -> str:
        """The auxiliary of one."""
        return "was" if self.tense == "past" else "will be"

    @property
    def were(self) -> str:
        """The auxiliary of several."""
        return "were" if self.tense == "past" else "will be"

    @property
    def is_(self) -> str:
        """The verb of what is so already when the plan is written."""
        return self.either("was", "is")

    @property
    def are(self) -> str:
        """The same of several."""
        return self.either("were", "are")

    def either(self, past: str, present: str) -> str:
        """Words in a report, or in a plan."""
        return past if self.tense == "past" else present

    def told(self, words: str) -> str:
        """A clause of the program in this tense; never one with a researcher's words in it."""
        return words if self.tense == "past" else PASSIVE.sub("will be", words)

    def run(self, words: str, *keys: str | None) -> Run:
        """Words with the works they rest on."""
        return Run(words, cites=self.cite(*keys))

    def group(self, level: str | None) -> str:
        """The label of a compared group."""
        return next((group.label for group in self.plan.groups if group.level == level), level or "all patients")

    def outcome(self, name: str) -> str:
        """The label of an outcome inside a sentence."""
        outcome = self.plan.outcomes.get(name)
        if outcome is None:
            return name
        return f"membership of the group {self.group(outcome.of_group)}" if outcome.of_group else inside(outcome.label)

    def outcomes(self, analysis: PlannedAnalysis) -> str:
        """The outcomes of an analysis inside a sentence."""
        return listed([self.outcome(name) for name in analysis.outcomes])

    def variable(self, name: str) -> str:
        """The label of a variable inside a sentence."""
        if name == self.plan.group_variable and self.plan.group_label:
            return inside(self.plan.group_label)
        variable = self.plan.variables.get(name)
        return inside(variable.label) if variable else name

    def term(self, term: Term) -> str:
        """A term of a model with its functional form."""
        if isinstance(term, Spline):
            return f"{self.variable(term.variable)} {self._spline(term)}"
        if isinstance(term, Numeric):
            per = "" if term.per == 1 else f" per {self.number(term.per)} {self._unit(term.variable)}".rstrip()
            return f"{'the logarithm of ' if term.log else ''}{self.variable(term.variable)}{per}"
        if isinstance(term, Interaction):
            return f"the interaction of {listed([self.variable(name) for name in variables_of(term)])}"
        return self.variable(term.variable if isinstance(term, Categorical) else term)

    def terms(self, terms: Sequence[Term]) -> str:
        """The terms of a model, each once; labels with a comma make it a row with semicolons."""
        words = list(dict.fromkeys(map(self.term, terms)))
        return listed(words, ";" if any("," in word for word in words) else ",")

    def number(self, value: float) -> str:
        """A number of the protocol in the style of the report."""
        return numbers.as_written(value, self.style)

    def _spline(self, term: Spline) -> str:
        kind = "as a natural cubic spline with"
        if isinstance(term.knots, int):
            return f"{kind} {term.knots} knots"
        return f"{kind} knots at {listed([self.number(knot) for knot in term.knots])}"

    def selected(self, selection: PlannedSelection) -> str:
        """How covariates are selected, from what, and how often that is repeated."""
        again = f", repeated in {selection.repeats} bootstrap samples" if selection.repeats else ""
        return f"{selection_text(selection, self.term)}{again}"

    def _unit(self, name: str) -> str:
        variable = self.plan.variables.get(name)
        return variable.unit or "" if variable else ""


def in_written_order(plan: Plan, item: PlannedAnalysis) -> tuple[PlannedModel, ...]:
    """The models of an analysis as the protocol lists them; the plan has the main one first."""
    written = next((node for node in plan.protocol.analyses if node.id == item.id), None)
    order = list(written.models or {}) if written is not None else []
    return tuple(sorted(item.models, key=lambda model: order.index(model.name) if model.name in order else len(order)))


def listed(words: Sequence[str], comma: str = ",") -> str:
    """Words in a row: "a", "a and b", "a, b, and c"; `comma` may be a semicolon."""
    if len(words) < 2:
        return "".join(words)
    if len(words) == 2:
        return f"{words[0]} and {words[1]}"
    return f"{f'{comma} '.join(words[:-1])}{comma} and {words[-1]}"


NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def spelled(count: int) -> str:
    """A count in words below ten, in figures from there."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def paragraph(*runs: Run | str | None) -> Paragraph:
    """A paragraph of sentences, a space between them; what is None or empty is left out."""
    found: list[Run] = []
    for item in runs:
        run = Run(item) if isinstance(item, str) else item
        if run is None or not run.text:
            continue
        found += [Run(" "), run] if found and not run.text.startswith((" ", ",", ".", ";")) else [run]
    return Paragraph(tuple(found))
