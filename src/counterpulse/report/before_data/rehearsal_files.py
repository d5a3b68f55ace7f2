"""A rehearsal as a directory: the pages, the same as JSON, and its numbers as a table."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from counterpulse.errors import UsageError
from counterpulse.report.before_data.files import SUFFIXES, to_format
from counterpulse.report.before_data.rehearsal import compose_rehearsal
from counterpulse.results.block import KINDS
from counterpulse.results.bundle import Written, to_bytes, write_bundle
from counterpulse.results.rehearsed_study import KIND, RehearsedStudy, rehearsal_json
from counterpulse.source.spreadsheet import spreadsheet_csv


def check_place(directory: Path) -> None:
    """Refuse a directory that holds the report of a run.

    Raises
    ------
    UsageError : it does
    """
    if (directory / "results.json").exists():
        raise UsageError(
            f"{directory} holds the report of a run, which a rehearsal does not replace; name another with --out"
        )


def write_rehearsal(found: RehearsedStudy, directory: Path) -> Written:
    """Write ``report.html``, ``.docx`` and ``.pdf``, ``rehearsal.json`` and ``tables/operating_characteristics.csv``.

    Raises
    ------
    UsageError : the place cannot be written, or holds the report of a run
    """
    check_place(directory)
    document = compose_rehearsal(found)
    names = ("analysis", *KINDS[KIND])
    lines = (
        tuple({"analysis": block.analysis, **row}[name] for name in names)
        for block in found.blocks
        for row in block.rows()
    )
    files = {f"report{suffix}": to_format(document, suffix) for suffix in SUFFIXES}
    files["rehearsal.json"] = to_bytes(rehearsal_json(found))
    files["tables/operating_characteristics.csv"] = spreadsheet_csv(names, lines)
    return write_bundle(directory, files, identity={"rehearsal": asdict(found.identity)})
