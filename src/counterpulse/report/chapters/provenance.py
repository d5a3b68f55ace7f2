"""What makes the report checkable: every choice with its origin, digests, versions."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.speech import Cite
from counterpulse.report.document import (
    Block,
    Cell,
    Column,
    Definitions,
    Paragraph,
    Row,
    Run,
    Section,
    Table,
    text,
)
from counterpulse.results import Choice

ORIGINS = {"given": "Given in the protocol", "default": "Default", "derived": "Derived by a rule"}


def choices_section(context: Context) -> Section:
    """Every choice with its origin."""
    parts = [("Whole study", context.plan.choices)]
    parts += [(f"{record.id}. {record.label}", record.choices) for record in context.result.analyses]
    table = choices_table(parts, context.cite, context.counter.supplement())
    return Section(id="choices-section", title="Choices", blocks=(table,))


def choices_table(parts: Sequence[tuple[str, Sequence[Choice]]], cite: Cite, label: str) -> Table:
    """The choices of each part under its heading; a part without any has none."""
    rows: list[Row] = []
    for heading, choices in parts:
        rows += [Row((Cell(heading),), strong=True)] if choices else []
        rows += [_choice(choice, cite) for choice in choices]
    return Table(
        id="choices",
        label=label,
        title="Every choice and where it comes from",
        columns=tuple(Column(Cell(head), "left") for head in ("Choice", "Value", "Origin", "Reference")),
        rows=tuple(rows),
    )


def _choice(choice: Choice, cite: Cite) -> Row:
    cited = ", ".join(str(number) for number in cite(choice.reference))
    return Row((Cell(choice.name), Cell(_value(choice.value)), Cell(ORIGINS[choice.origin]), Cell(cited)), indent=1)


def _value(value: object) -> str:
    """A choice as a protocol would write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def provenance_section(context: Context) -> Section:
    """Digests, versions, seed."""
    identity = context.result.identity
    entries = [
        ("Protocol", identity.protocol_digest),
        ("Dictionary", identity.dictionary_digest),
        ("Data", identity.data_digest or "no data were read"),
        ("Seed", "none" if identity.seed is None else str(identity.seed)),
        *identity.software.items(),
    ]
    blocks: tuple[Block, ...] = (
        text(
            "These digests identify the inputs: the same protocol, dictionary and data with the same versions give these "
            "numbers again. A digest proves identity, not a date."
        ),
        Definitions(tuple((term, Paragraph((Run(value, "code"),))) for term, value in entries)),
    )
    return Section(id="reproducibility", title="Reproducibility", blocks=blocks)
