"""Where each analysis ended up: the tables and figures of a composed report that show it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from counterpulse.report.document import Figure, Section, Table, blocks_of, opened, sections_of

ANALYSIS = "analysis-"


def shown(sections: Sequence[Section], analyses: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """The labels of tables and figures by analysis, in reading order, once each."""
    found: dict[str, dict[str, None]] = {analysis: {} for analysis in analyses}
    for owner, block in _placed(sections, None):
        for analysis in _analyses(block, owner, analyses):
            found[analysis][block.label] = None
    return {analysis: tuple(labels) for analysis, labels in found.items()}


def labels_of(sections: Sequence[Section], section: str) -> tuple[str, ...]:
    """The labels of the tables and figures of one section and those inside it."""
    found = [item for item in sections_of(sections) if item.id == section]
    return tuple(block.label for block in _displays(found))


def labels_starting(sections: Sequence[Section], start: str) -> tuple[str, ...]:
    """The labels of the tables and figures whose ids begin so."""
    return tuple(block.label for block in _displays(sections) if block.id.startswith(start))


def in_short(labels: Sequence[str]) -> str:
    """Labels with each kind named once: "Tables 2, 3, S10; Figure 6"."""
    kinds: dict[str, list[str]] = {}
    for label in labels:
        kind, _, number = label.partition(" ")
        kinds.setdefault(kind, []).append(number)
    return "; ".join(f"{kind}{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}" for kind, numbers in kinds.items())


def _displays(sections: Sequence[Section]) -> Iterator[Table | Figure]:
    return (block for block in blocks_of(sections) if isinstance(block, Table | Figure))


def _placed(sections: Sequence[Section], owner: str | None) -> Iterator[tuple[str | None, Table | Figure]]:
    """Each table and figure with the analysis in whose section it stands."""
    for section in sections:
        inside = section.id.removeprefix(ANALYSIS) if section.id.startswith(ANALYSIS) else owner
        for block in opened(section.blocks):
            if isinstance(block, Table | Figure):
                yield inside, block
        yield from _placed(section.sections, inside)


def _analyses(block: Table | Figure, owner: str | None, analyses: Collection[str]) -> list[str]:
    """The analysis of the section, and those whose numbers a table prints."""
    cells = [cell for row in block.rows for cell in row.cells] if isinstance(block, Table) else []
    printed = {analysis for cell in cells if (analysis := _analysis(cell.result, analyses)) is not None}
    return [analysis for analysis in analyses if analysis in printed or analysis == owner]


def _analysis(result: str | None, analyses: Collection[str]) -> str | None:
    """The analysis that a result's id begins with."""
    head = (result or "").partition(".")[0]
    return head if head in analyses else None
