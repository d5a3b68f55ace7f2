"""What a rule may look at: the plan, and the document as far as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.report.document import Figure, Section, Table, blocks_of, opened, paragraphs_of, sections_of

State = Literal["answered", "partly", "to-write", "not-applicable"]
TITLE_PAGE = "Title page"
EN_DASH = "\N{EN DASH}"
NUMBERED = re.compile(r"(\w+) (\D*)(\d+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether and where an item is answered; `remains` is what must still be written, None for what the item itself says."""

    state: State
    where: str = ""
    remains: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The plan and the sections of a document."""

    plan: Plan
    sections: Sequence[Section]

    @property
    def protocol(self) -> ProtocolNode:
        """What the researcher wrote."""
        return self.plan.protocol

    def section(self, *ids: str) -> str:
        """The titles of those of these sections that stand in the document and hold something."""
        found = {
            section.id: section.title for section in sections_of(self.sections) if section.blocks or section.sections
        }
        return ", ".join(dict.fromkeys(found[id_] for id_ in ids if id_ in found))

    def labels(self, *prefixes: str, figures: bool = True) -> str:
        """The labels of the tables and figures whose ids begin like this, those that follow each other as a range."""
        kinds = (Table, Figure) if figures else (Table,)
        found = [
            block.label
            for block in blocks_of(self.sections)
            if isinstance(block, kinds) and block.id.startswith(prefixes)
        ]
        return "; ".join(runs_of(found))

    def of_analyses(self, analyses: Collection[str], *prefixes: str) -> str:
        """The labels of the tables that print a number of these analyses, and of what begins with a prefix."""
        found = [
            block.label
            for block in blocks_of(self.sections)
            if isinstance(block, Table | Figure) and (block.id.startswith(prefixes) or _analyses(block) & set(analyses))
        ]
        return "; ".join(runs_of(found))

    def saying(self, words: str) -> str:
        """The title of the innermost section that says these words of the protocol, else the title page, where they all stand."""
        said = (
            section.title for section in sections_of(self.sections) if any(words in text for text in _texts(section))
        )
        return next(said, TITLE_PAGE)


Rule = Callable[[Evidence], Answer]


def is_adjusted(item: PlannedAnalysis) -> bool:
    """Whether covariates are taken into account: in a model, or by matching or weighting."""
    return item.adjusted or item.balancing is not None


def there(where: str, *, state: State = "answered") -> Answer:
    """What is answered where it stands, and is to be written where it stands nowhere."""
    return Answer(state, where) if where else Answer("to-write")


def stands_in(*sections: str, state: State = "answered") -> Rule:
    """What is answered wherever one of these sections stands."""

    def rule(evidence: Evidence) -> Answer:
        return there(evidence.section(*sections), state=state)

    return rule


def labeled(*prefixes: str, state: State = "answered") -> Rule:
    """What is answered by the tables and figures whose ids begin like this."""

    def rule(evidence: Evidence) -> Answer:
        return there(evidence.labels(*prefixes), state=state)

    return rule


def places(*found: str) -> str:
    """Several places as one."""
    return "; ".join(dict.fromkeys(filter(None, found)))


def runs_of(labels: Sequence[str]) -> list[str]:
    """Labels of a kind together, those that follow each other as a range: "Tables 2–4, 7", "Figure 1"."""
    kinds: dict[str, list[tuple[str, int]]] = {}
    for label in dict.fromkeys(labels):
        found = NUMBERED.fullmatch(label)
        if found is not None:
            kinds.setdefault(found[1], []).append((found[2], int(found[3])))
    return [f"{kind}{'s' if len(numbers) > 1 else ''} {', '.join(_ranges(numbers))}" for kind, numbers in kinds.items()]


def _ranges(numbers: Sequence[tuple[str, int]]) -> list[str]:
    runs: list[list[tuple[str, int]]] = []
    for series, number in numbers:
        if runs and runs[-1][-1] == (series, number - 1):
            runs[-1].append((series, number))
        else:
            runs.append([(series, number)])
    return ["".join(map(str, run[0])) + (f"{EN_DASH}{run[-1][0]}{run[-1][1]}" if len(run) > 1 else "") for run in runs]


def _analyses(block: Table | Figure) -> set[str]:
    """The analyses whose numbers a table prints: the id of a result begins with that of its analysis."""
    rows = block.rows if isinstance(block, Table) else ()
    return {cell.result.partition(".")[0] for row in rows for cell in row.cells if cell.result}


def _texts(section: Section) -> Iterator[str]:
    return (words.text for block in opened(section.blocks) for words in paragraphs_of(block))
