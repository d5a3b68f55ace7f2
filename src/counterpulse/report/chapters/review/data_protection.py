"""What a review stores, and that it holds no patient."""

from __future__ import annotations

from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.supplement.data_protection import REPORTS
from counterpulse.report.chapters.wording import without_folder
from counterpulse.report.document import Cell, Definitions, Paragraph, Row, Run, Section, Table, columns_of, text


def review_data_protection_section(context: Context) -> Section:
    """Published results only: what was read, what is stored, what leaves the machine."""
    protocol, identity = context.plan.protocol, context.result.identity
    tables = (protocol.data.table, *(table.file for table in protocol.tables.values()))
    entries = [
        ("Patients", text("None. The table holds published results of studies; no row is a patient.")),
        (
            "Tables read",
            text(f"{', '.join(map(without_folder, tables))}; read where they lie, not copied, not changed."),
        ),
        ("Small counts", text("Counts are printed as the reports print them.")),
        (
            "Transfer",
            text("The program opens no connection to a network; it sends neither data nor reports of its use."),
        ),
        *([("Digest of the table", Paragraph((Run(identity.data_digest, "code"),)))] if identity.data_digest else []),
    ]
    return Section(
        id="data-protection",
        title="Data-protection sheet",
        blocks=(Definitions(tuple(entries)), _files(context)),
        new_page=True,
    )


def _files(context: Context) -> Table:
    reports = ", ".join(f"report.{kind}" for kind in REPORTS if kind in context.plan.protocol.report.outputs)
    rows = [
        (reports, "The report of the review"),
        ("results.json, tables/", "Every number with full precision, the extraction table with its sources and quotes"),
        ("figures/", "The figures"),
        ("plan.json", "The protocol with every choice resolved"),
        ("manifest.json", "Digests of these files, versions of the programs"),
    ]
    return Table(
        id="files-of-the-bundle", label=context.counter.supplement(), title="What the bundle holds", columns=columns_of(("In the bundle", "Holds")),
        rows=tuple(Row(tuple(map(Cell, row))) for row in rows if row[0]), alternative="Each file or folder of the bundle, and what it holds.",
    )  # fmt: skip
