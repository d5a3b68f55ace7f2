"""The data-protection sheet: what a run stores and where, what it shows of single patients, and what only the researcher can say."""

from __future__ import annotations

from counterpulse.protocol.plan import Plan
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import without_folder
from counterpulse.report.document import (
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

BLANK = "To be stated by the researcher"
BLANKS = {
    "Controller": "who decides why and how these data are used",
    "Legal basis": "the law, consent or approval under which they are used",
    "Origin": "where the table came from, and who took out names and hospital numbers",
    "Access": "who may open the table and the private folder, and where both are kept",
    "Retention": "how long they are kept, and who deletes them",
    "Recipients": "to whom this report and its tables go",
}
KINDS = {
    "real": "Real patients, as the protocol says.",
    "mock": "Made up from the dictionary; no patient is behind a row.",
    "synthetic": "Generated; no patient is behind a row, as the protocol says.",
    "simulated": "Simulated; no patient is behind a row, as the protocol says.",
}
REPORTS = ("html", "docx", "pdf")


def data_protection_section(context: Context) -> Section:
    """What is stored where in this study, how small counts are treated, and the blanks that the researcher fills."""
    digest = context.result.identity.data_digest
    known = [("Digest of the data", Paragraph((Run(digest, "code"),)))] if digest else []
    facts = Definitions((*((term, text(words)) for term, words in _facts(context)), *known))
    blanks = Definitions(tuple((term, text(f"{BLANK}: {words}.")) for term, words in BLANKS.items()))
    return Section(
        id="data-protection",
        title="Data-protection sheet",
        blocks=(facts, _files(context), text("What the protocol does not hold:"), blanks),
        new_page=True,
    )


def _facts(context: Context) -> list[tuple[str, str]]:
    protocol, identity = context.plan.protocol, context.result.identity
    tables = (protocol.data.table, *(table.file for table in protocol.tables.values()))
    return [
        ("Patients", KINDS[context.result.data_kind]),
        (
            "Tables read",
            f"{', '.join(map(without_folder, tables))}; read where they lie, not copied, not changed.",
        ),
        ("Study numbers", _study_numbers(context.plan)),
        ("Centers", _centers(context)),
        ("Small counts", _small_counts(protocol.privacy.small_cells)),
        ("Transfer", "The program opens no connection to a network; it sends neither data nor reports of its use."),
        ("Seed", "None." if identity.seed is None else f"{identity.seed}; it repeats random draws and tells nothing of patients."),
    ]  # fmt: skip


def _study_numbers(plan: Plan) -> str:
    column = plan.protocol.data.id
    if column is None:
        return "The protocol names no column of study numbers."
    return f"Column {column}; its values stand in no file of the bundle but the private ones."


def _centers(context: Context) -> str:
    column = context.plan.protocol.data.site
    if column is None:
        return "The protocol names no column of centers."
    shown = any(block.kind == "center-funnel" for block in context.result.blocks)
    numbered = "shown one by one, under the dictionary's names for them or, where it has none, numbered by size"
    return f"Column {column}; centers are {numbered if shown else 'not shown one by one'}."


def _small_counts(smallest: int) -> str:
    if smallest <= 1:
        return (
            "No threshold is set (privacy: small_cells): counts down to 1 are shown, each step of a curve is one event, and "
            "tables hold smallest and largest values, each of which belongs to one patient."
        )
    return (
        f"Counts from 1 to {smallest - 1} are replaced by a dash in every file (privacy: small_cells: {smallest}), and so is what "
        "they could be worked out from. Smallest and largest values are left out. Curves keep only the times by which "
        f"{smallest} further events have happened."
    )


def _files(context: Context) -> Table:
    small = context.plan.protocol.privacy.small_cells > 1
    looks = context.plan.protocol.report
    reports = ", ".join(f"report.{kind}" for kind in REPORTS if kind in looks.outputs)
    counts = "Counts and statistics of groups" + ("" if small else "; single events and extremes, as above")
    rows = [
        (reports, counts, "As the study decides"),
        ("results.json, tables/", f"{counts}, with full precision", "As the study decides"),
        ("figures/", "Pictures of the same counts and statistics", "As the study decides"),
        ("plan.json", "The protocol, names of columns, labels of levels", "No patient's value in it"),
        ("manifest.json", "Digests of these files, versions of the programs", "No patient's value in it"),
        ("private/", "Study numbers and values that raised questions; absent where none did", "Not to be shared"),
    ]
    heads = ("In the bundle", "Holds", "To share")
    return Table(
        id="files-of-the-bundle",
        label=context.counter.supplement(),
        title="What the bundle holds",
        columns=columns_of(heads),
        rows=tuple(Row(tuple(map(Cell, row))) for row in rows if row[0]),
        footnotes=(Footnote("", "The table of patients is not part of the bundle."),),
        alternative="Each file or folder of the bundle, what it holds, and whether it names patients.",
    )
