"""What makes the report checkable: every choice with its origin, digests, versions."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.speech import Cite
from counterpulse.report.document import (
    Block,
    Cell,
    Definitions,
    Footnote,
    Paragraph,
    Row,
    Run,
    Section,
    Table,
    columns_of,
    text,
)
from counterpulse.results import Choice

ORIGINS = {"given": "Protocol", "default": "Default", "derived": "Rule"}
ORIGINATE = "Protocol: given there. Default: the program's own, where the protocol says nothing. Rule: it follows from other choices, or from the data by a rule."

MOST_EXCEPTIONS = 3
"""A choice of all analyses but so many says which do not make it."""


def choices_section(context: Context) -> Section:
    """Every choice with its origin."""
    analyses = [(record.id, record.choices) for record in context.result.analyses]
    table = choices_table(context.plan.choices, analyses, context.cite, context.counter.supplement())
    return Section(id="choices-section", title="Choices", blocks=(table,))


def choices_table(
    whole: Sequence[Choice], analyses: Sequence[tuple[str, Sequence[Choice]]], cite: Cite, label: str
) -> Table:
    """The choices of the whole study, then those of analyses by their ids; what several chose alike stands once."""
    rows: list[Row] = []
    for heading, parts in (("Whole study", [("", whole)]), ("Analyses", analyses)):
        chosen = _chosen(parts)
        rows += [Row((Cell(heading),), strong=True)] if chosen else []
        rows += [_row(choice, _those(ids, parts), cite) for choice, ids in chosen]
    heads = ("Choice", "Value", "Analyses", "Origin", "Reference")
    return Table(
        id="choices",
        label=label,
        title="Every choice and where it comes from",
        columns=columns_of(heads),
        rows=tuple(rows),
        footnotes=(Footnote("", ORIGINATE),),
    )


def _chosen(parts: Sequence[tuple[str, Sequence[Choice]]]) -> list[tuple[Choice, list[str]]]:
    """Each choice with those who made it, choices of one name together; one that a part names twice is the first of them."""
    names: dict[str, dict[tuple[str, str], tuple[Choice, list[str]]]] = {}
    for id_, choices in parts:
        own: dict[tuple[str, str], Choice] = {}
        for choice in choices:
            own.setdefault((choice.name, _value(choice.value)), choice)
        for choice in own.values():
            key = (_value(choice.value), choice.origin)
            names.setdefault(choice.name, {}).setdefault(key, (choice, []))[1].append(id_)
    return [chosen for values in names.values() for chosen in values.values()]


def _those(ids: Sequence[str], parts: Sequence[tuple[str, object]]) -> str:
    """The analyses of a choice, in short where it is of all or nearly all."""
    others = [id_ for id_, _ in parts if id_ not in ids]
    if len(parts) > 1 and len(others) < min(len(ids) / 2, MOST_EXCEPTIONS + 1):
        return f"All but {', '.join(others)}" if others else "All"
    return ", ".join(ids)


def _row(choice: Choice, analyses: str, cite: Cite) -> Row:
    cited = ", ".join(str(number) for number in cite(choice.reference))
    return Row(
        (Cell(choice.name), Cell(_value(choice.value)), Cell(analyses), Cell(ORIGINS[choice.origin]), Cell(cited)),
        indent=1,
    )


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
