"""From paths to values: a protocol with its dictionary and data, wherever they stand."""

from __future__ import annotations

from pathlib import Path

from counterpulse.data import PatientTable, read_dictionary, read_table
from counterpulse.data.dictionary import Dictionary
from counterpulse.errors import DATA_INVALID, DONE, PROTOCOL_INVALID, DataError, ProtocolError
from counterpulse.protocol import Protocol, read_protocol
from counterpulse.protocol.plan import Plan
from counterpulse.source import Finding
from counterpulse.study.plan import draft_plan
from counterpulse.study.run import rehearse_run


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


def check(path: Path, *, data: Path | None = None) -> tuple[tuple[Finding, ...], int]:
    """Every finding about protocol, dictionary and data, and the exit code they call for."""
    found: list[Finding] = []
    try:
        protocol, dictionary = read_both(path)
    except ProtocolError as error:
        return _findings(error), PROTOCOL_INVALID
    plan, findings = draft_plan(protocol, dictionary)
    found += [*dictionary.findings, *findings]
    try:
        table = _read_patients(protocol, dictionary, data)
        found += table.findings
        if plan is not None:
            rehearse_run(plan, table)
    except DataError as error:
        found += _findings(error)
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
        raise ProtocolError([_no_dictionary(protocol, name)])
    return protocol, read_dictionary(dictionary)


def _no_dictionary(protocol: Protocol, name: str) -> Finding:
    return Finding(
        code="E105", where=protocol.where(("data", "dictionary")), seen=f"the dictionary {name} is not there",
        allowed="a CSV or Excel file, its path as seen from the protocol's folder",
        remedy="check its spelling and the folder; `counterpulse init` drafts one from a data file",
    )  # fmt: skip


def _read_patients(protocol: Protocol, dictionary: Dictionary, data: Path | None) -> PatientTable:
    source = protocol.nodes.data
    path = data if data is not None else protocol.path.parent / source.table
    sheet = source.sheet if data is None or data.suffix.lower() in (".xlsx", ".xls") else None
    return read_table(path, dictionary, sheet=sheet, id=source.id, data_kind=source.kind)


def _findings(error: ProtocolError | DataError) -> tuple[Finding, ...]:
    return tuple(finding for finding in error.findings if isinstance(finding, Finding))


def _has_errors(findings: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)
