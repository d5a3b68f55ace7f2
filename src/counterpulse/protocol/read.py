"""A protocol file becomes nodes; what does not fit is said with its line, all at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from counterpulse.data.readers import READERS
from counterpulse.errors import ProtocolError
from counterpulse.protocol.canonical import protocol_digest
from counterpulse.protocol.comma_trap import explain_cut_brackets, mend_cut_values
from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.place import in_order, where
from counterpulse.protocol.unfit import findings_of
from counterpulse.protocol.words import americanize
from counterpulse.source import Finding, Location
from counterpulse.source.yaml_file import YamlFile, YamlPath, load_yaml


@dataclass(frozen=True, slots=True)
class Protocol:
    """What the researcher wrote, with the file it stands in.

    `digest` is of the canonical protocol: neither data binding nor looks are part of it.
    """

    nodes: ProtocolNode
    file: YamlFile
    path: Path
    digest: str

    def where(self, path: YamlPath, *, key: bool = False) -> Location:
        """Find where a value stands (or its key), by its American path."""
        return where(self.file, path, key=key)


def read_protocol(path: str | Path) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    path : a YAML file

    Raises
    ------
    UsageError : the file is missing
    ProtocolError : the file is not a protocol; with every finding
    """
    path = Path(path)
    if path.suffix.lower() in READERS and path.is_file():
        raise ProtocolError([_data_file(path)])
    try:
        file = load_yaml(path)
    except ProtocolError as error:
        raise ProtocolError(explain_cut_brackets(error.findings, path)) from None
    nodes = parse_protocol(file)
    return Protocol(nodes, file, path, protocol_digest(nodes))


def _data_file(path: Path) -> Finding:
    """A finding without an excerpt: the lines of a data file are patients."""
    return Finding(
        code="E106", where=Location(path.name), seen="a data file stands where the protocol should",
        allowed="a protocol, such as study.protocol.yaml",
        remedy="name the protocol; `counterpulse init` drafts one from a data file",
    )  # fmt: skip


def parse_protocol(file: YamlFile) -> ProtocolNode:
    """Check that a tree is a protocol.

    Raises
    ------
    ProtocolError : with every finding
    """
    tree, cut = mend_cut_values(americanize(file.data), file)
    if not isinstance(tree, dict):
        raise ProtocolError([_wrong_root(file)])
    try:
        nodes = ProtocolNode.model_validate(tree, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ProtocolError(in_order([*cut, *findings_of(error, tree, file)])) from None
    if cut:
        raise ProtocolError(in_order(cut))
    return nodes


def _wrong_root(file: YamlFile) -> Finding:
    return Finding(
        code="E228", where=file.position(()), seen="the file is not a block of lines `key: value`",
        allowed="a protocol begins with protocol: 1, then study:, data:, …",
        remedy="begin every part of the protocol with its key at the left margin, followed by a colon",
    )  # fmt: skip
