"""From paths to values: a protocol with its dictionary and data, wherever they stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath

from counterpulse.data import PatientTable, RelatedRows, read_dictionary, read_related, read_table, with_related
from counterpulse.data.dictionary import Dictionary
from counterpulse.data.queries import no_queries, together
from counterpulse.errors import (
    DATA_INVALID,
    DONE,
    PROTOCOL_INVALID,
    DataError,
    FindingsError,
    ProtocolError,
    UsageError,
)
from counterpulse.protocol import Protocol, read_protocol
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.planned_review import is_review
from counterpulse.source import Finding
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.patients.measurement_rules import with_table_dictionaries
from counterpulse.study.patients.queries import write_queries
from counterpulse.study.planning.plan import draft_plan
from counterpulse.study.reviewing.files import with_review_files
from counterpulse.study.run import rehearse_run

PROTOCOLS = "*.y*ml"


def study_name(protocol: Path) -> str:
    """The name of a study by its file: ``a.protocol.yaml`` is ``a``."""
    return protocol.stem.removesuffix(".protocol")


def read_plan(path: Path) -> tuple[Plan, tuple[Finding, ...]]:
    """The plan of a protocol file and the warnings about it.

    Raises
    ------
    UsageError : the protocol file is missing
    ProtocolError : with every error of protocol and dictionary
    """
    protocol, dictionary = read_both(path)
    plan, findings = draft_plan(protocol, dictionary)
    if plan is None:
        raise ProtocolError(findings)
    return plan, (*dictionary.findings, *findings)


def read_study(path: Path, *, data: Path | None = None) -> tuple[Plan, PatientTable]:
    """The plan and the patients of a protocol file.

    Raises
    ------
    UsageError, ProtocolError, DataError : what could not be read, with every finding
    """
    protocol, dictionary = read_both(path)
    plan, findings = draft_plan(protocol, dictionary)
    if plan is None:
        raise ProtocolError(findings)
    return plan, _read_patients(protocol, dictionary, data)


def check(path: Path, *, data: Path | None = None, queries: Path | None = None) -> tuple[tuple[Finding, ...], int]:
    """Every finding about protocol, dictionary and data, and the exit code they call for.

    With `queries`, the questions for the data manager are written to that file (they hold values of patients).
    """
    found: list[Finding] = []
    try:
        protocol, dictionary = read_both(path)
    except ProtocolError as error:
        return _findings(error), PROTOCOL_INVALID
    plan, findings = draft_plan(protocol, dictionary)
    found += [*dictionary.findings, *(item for own in dictionary.tables.values() for item in own.findings), *findings]
    asked = no_queries()
    try:
        table = _read_patients(protocol, dictionary, data)
        found += table.findings
        asked = table.queries
        if plan is not None:
            cohort = rehearse_run(plan, table)
            found += cohort.findings
            asked = together([asked, cohort.queries])
    except DataError as error:
        found += _findings(error)
        asked = asked if error.queries is None else error.queries
    if queries is not None:
        write_queries(asked, queries)
    codes = {PROTOCOL_INVALID} if plan is None else {DATA_INVALID} if _has_errors(found) else {DONE}
    return tuple(dict.fromkeys(found)), codes.pop()


def read_both(path: Path) -> tuple[Protocol, Dictionary]:
    """A protocol and the dictionary beside it.

    Raises
    ------
    UsageError : the protocol file is missing
    ProtocolError : protocol or dictionary is invalid, or the dictionary is missing
    """
    protocol = read_protocol(path)
    name = protocol.nodes.data.dictionary
    dictionary = protocol.path.parent / name
    if not dictionary.is_file():
        raise ProtocolError([_no_dictionary(protocol, name, ("data", "dictionary"))])
    read = read_dictionary(dictionary)
    return protocol, with_table_dictionaries(protocol.nodes, replace(read, tables=_table_dictionaries(protocol)))


def _table_dictionaries(protocol: Protocol) -> dict[str, Dictionary]:
    """The dictionaries that tables with several rows a patient have of their own."""
    found = {}
    for name, table in protocol.nodes.tables.items():
        if table.dictionary is not None:
            path = protocol.path.parent / table.dictionary
            if not path.is_file():
                raise ProtocolError([_no_dictionary(protocol, table.dictionary, ("tables", name, "dictionary"))])
            found[name] = read_dictionary(path)
    return found


def find_protocol(digest: str, directory: Path, data: Path | None) -> Path:
    """The protocol of a bundle: the file with its digest beside the bundle, beside the data or in this folder.

    Raises
    ------
    UsageError : there is none
    """
    folders = [directory.resolve().parent, *([data.resolve().parent] if data else []), Path.cwd()]
    for path in (path for folder in dict.fromkeys(folders) for path in sorted(folder.glob(PROTOCOLS))):
        if _digest(path) == digest:
            return path
    raise UsageError(
        f"No protocol with the digest of {directory} stands beside it{' or beside the data' if data else ''} or in this folder. "
        "Name it with --protocol; if it was changed since, `run` it again and `diff` the two bundles."
    )


def _digest(path: Path) -> str | None:
    try:
        return read_protocol(path).digest
    except (FindingsError, UsageError):
        return None


def _no_dictionary(protocol: Protocol, name: str, place: YamlPath) -> Finding:
    return Finding(
        code="E105", where=protocol.where(place), seen=f"the dictionary {name} is not there",
        allowed="a CSV or Excel file, its path as seen from the protocol's folder",
        remedy="check its spelling and the folder; `counterpulse init` drafts one from a data file",
    )  # fmt: skip


def _read_patients(protocol: Protocol, dictionary: Dictionary, data: Path | None) -> PatientTable:
    """The patients and their related tables; what is wrong with any of the files is told at once.

    The related files lie where the protocol says; with `--data`, beside that file: as ``FILE.TABLE.csv``, else under their
    own names.
    """
    source = protocol.nodes.data
    path = data if data is not None else protocol.path.parent / source.table
    sheet = source.sheet if data is None or data.suffix.lower() in (".xlsx", ".xls") else None
    errors, table, related = list[DataError](), None, dict[str, RelatedRows]()
    try:
        table = read_table(path, dictionary, sheet=sheet, id=source.id, data_kind=source.kind)
    except DataError as error:
        errors.append(error)
    for name, node in protocol.nodes.tables.items():
        file = protocol.path.parent / node.file if data is None else related_file(data, name, node.file)
        try:
            related[name] = read_related(
                file, dictionary.tables[name], id=node.id, time=node.time, patients=table, patients_id=source.id,
                sheet=node.sheet if file.name == PurePath(node.file).name else None,
            )  # fmt: skip
        except DataError as error:
            errors.append(error)
    if table is None or errors:
        raise _joined(errors)
    table = with_related(table, related, declared=source.kind)
    return with_review_files(table, protocol, dictionary) if is_review(protocol.nodes) else table


def related_file(data: Path, table: str, file: str) -> Path:
    """Where a related table lies beside a data file: ``patients.gas.csv`` beside ``patients.csv``, else its own name."""
    own = data.with_name(f"{data.stem}.{table}.csv")
    return own if own.is_file() else data.with_name(PurePath(file).name)


def _joined(errors: list[DataError]) -> DataError:
    """Several refusals as one."""
    queries = [error.queries for error in errors if error.queries is not None]
    return DataError([finding for error in errors for finding in error.findings], queries=together(queries))


def _findings(error: ProtocolError | DataError) -> tuple[Finding, ...]:
    return tuple(finding for finding in error.findings if isinstance(finding, Finding))


def _has_errors(findings: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)
