"""What makes the report checkable: warnings, every choice with its origin, digests, versions."""

from __future__ import annotations

from counterpulse.report.chapters.context import Context
from counterpulse.report.document import (
    Block,
    Cell,
    Column,
    Definitions,
    Listing,
    Paragraph,
    Row,
    Run,
    Section,
    Table,
    text,
)
from counterpulse.results import Choice, Notice

ORIGINS = {"given": "Given in the protocol", "default": "Default", "derived": "Derived by a rule"}


def limitations_section(context: Context) -> Section:
    """Warnings of plan, data and analyses, and changes of the protocol."""
    found: list[Block] = []
    protocol = context.plan.protocol
    if protocol.study.registration == "none":
        found.append(text("This study was not registered."))
    if protocol.study.data_seen_before_plan:
        found.append(text("The protocol does not say that the data were unseen when the plan was made."))
    warnings = context.result.warnings
    if warnings:
        items = tuple(
            Paragraph((Run(f"{notice.text} "), Run(f"[{notice.code}, {_place(notice)}]", "code")))
            for notice in warnings
        )
        found += [text("Warnings:"), Listing(items)]
    else:
        found.append(text("The run gave no warnings."))
    if protocol.amendments:
        items = tuple(
            text(
                f"{item.date}: {item.what} Reason: {item.why} Data had {'' if item.after_data_seen else 'not '}been seen."
            )
            for item in protocol.amendments
        )
        found += [text("Amendments to the protocol:"), Listing(items)]
    return Section(id="limitations", title="Limitations and warnings", blocks=tuple(found))


def _place(notice: Notice) -> str:
    """Which analysis or file, without the directory that holds it."""
    return notice.where.replace("\\", "/").rsplit("/", 1)[-1]


def choices_section(context: Context) -> Section:
    """Every choice with its origin."""
    rows = [Row((Cell("Whole study"),), strong=True)] if context.plan.choices else []
    rows += [_choice(context, choice) for choice in context.plan.choices]
    for record in context.result.analyses:
        if record.choices:
            rows.append(Row((Cell(f"{record.id}. {record.label}"),), strong=True))
            rows += [_choice(context, choice) for choice in record.choices]
    table = Table(
        id="choices",
        label=context.counter.supplement(),
        title="Every choice and where it comes from",
        columns=tuple(Column(Cell(head), "left") for head in ("Choice", "Value", "Origin", "Reference")),
        rows=tuple(rows),
    )
    return Section(id="choices-section", title="Choices", blocks=(table,))


def _choice(context: Context, choice: Choice) -> Row:
    value = "none" if choice.value is None else str(choice.value)
    cited = ", ".join(str(number) for number in context.cite(choice.reference))
    return Row((Cell(choice.name), Cell(value), Cell(ORIGINS[choice.origin]), Cell(cited)), indent=1)


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
