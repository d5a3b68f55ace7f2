"""YAML 1.2 as a plain tree that remembers where each key and value stands.

`yes`, `no`, dates, `1:1` and numbers with leading zeros are text; keys are always text as written; a key may stand
once; anchors, aliases and merge keys work up to a bound. The parser of ruamel.yaml gives the events; the tree and its
types are made here, so that nothing is converted that a reader would not expect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from counterpulse.errors import ProtocolError
from counterpulse.source.finding import Finding, Location
from counterpulse.source.text_file import decode, read_bytes

YamlPath = tuple[str | int, ...]

MAXIMUM_NODES = 100_000
"""Values in a file with aliases written out: a protocol has some hundreds."""
MAXIMUM_DEPTH = 60

_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")
_TAB_INDENT = re.compile(r" *\t")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_STRING_TAG = "tag:yaml.org,2002:str"

_SYNTAX = (
    ("mapping values are not allowed", "E203", "a second colon on this line, or a line indented too far",
     "put quotes around a text that holds a colon followed by a blank; align the keys of a block"),
    ("could not find expected ':'", "E204", "a line without `key: value`",
     "write `key: value`, or indent the line when it continues the text above"),
    ("while scanning a quoted scalar", "E205", "a quote that is opened and never closed", "close the quote"),
    ("found unknown escape character", "E206", "a backslash inside double quotes", "use single quotes: 'C:\\data'"),
    ("did not find expected ',' or", "E207", "a list or group in brackets that is not closed or lacks a comma",
     "separate the entries with commas and close the bracket"),
    ("expected ',' or", "E207", "a list or group in brackets that is not closed or lacks a comma",
     "separate the entries with commas and close the bracket"),
    ("expected the node content", "E207", "a bracket, a comma or a sign where a value should stand",
     "complete or remove the brackets, or put quotes around the value"),
    ("sequence entries are not allowed", "E217", "a list that begins on the line of its key",
     "begin the list on the next line, each entry after `- `, or write [a, b]"),
    ("<block end>", "E208", "a line whose indentation fits no block above it",
     "align it with the keys, or the dashes, of its block"),
    ("block mapping", "E208", "a line whose indentation fits no block above it", "align it with the keys of its block"),
    ("cannot start any token", "E209", "a character that cannot begin a value", "put quotes around the value"),
    ("found undefined alias", "E210", "an alias (*name) whose anchor (&name) is nowhere above",
     "define the anchor first, or put quotes around a text that starts with *"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Span:
    line: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A tree of dict, list, str, int, float, bool and None, and where each of its parts stands."""

    data: Any
    name: str
    lines: tuple[str, ...]
    text: str
    _values: dict[YamlPath, _Span]
    _keys: dict[YamlPath, _Span]

    def position(self, path: YamlPath, key: bool = False) -> Location:
        """Where a value stands (or its key); for a path that is not in the file, the key of its nearest parent."""
        known = path
        while known not in self._values and known:
            known = known[:-1]
        wants_key = key or known != path
        span = self._keys.get(known) if wants_key else None
        return self._location(span or self._values.get(known) or _Span(1, 1, 1))

    def _location(self, span: _Span) -> Location:
        excerpt = self.lines[span.line - 1] if span.line <= len(self.lines) else ""
        return Location(self.name, span.line, span.column, excerpt, span.width)


def load_yaml(source: Path | str, name: str | None = None, *, what: str = "protocol") -> YamlFile:
    """Read YAML from a file (a `Path`; `what` names it in an error) or from text (a `str`).

    Raises
    ------
    UsageError : the file is missing, or is a folder
    ProtocolError : the text is empty, in another encoding, or not valid; with every finding that can be told at once
    """
    if isinstance(source, Path):
        name = name or str(source)
        text = _decoded(read_bytes(source, what=what), name)
    else:
        name, text = name or "<text>", source.removeprefix("\ufeff")
    lines = tuple(_LINE_BREAK.split(text))
    _refuse_control_characters(lines, name)
    return _Builder(name, lines, text).build()


def _decoded(data: bytes, name: str) -> str:
    decoded = decode(data)
    if decoded is not None and decoded.encoding == "UTF-8":
        return decoded.text
    seen = f"the file is not UTF-8 but {decoded.encoding}" if decoded else "the file is not a text file"
    if decoded and decoded.guessed:
        seen = f"the file is not UTF-8; it looks like {decoded.encoding}"
    finding = Finding(
        code="E101", where=Location(name), seen=seen, allowed="UTF-8, with or without byte order mark",
        remedy="open it in a text editor and save it again with encoding UTF-8",
    )  # fmt: skip
    raise ProtocolError([finding])


def _refuse_control_characters(lines: tuple[str, ...], name: str) -> None:
    findings = [
        Finding(
            code="E102",
            where=Location(name, number, match.start() + 1, _CONTROL.sub("?", line)),
            seen=f"an invisible control character (U+{ord(match.group()):04X})",
            remedy="delete it; it usually comes from copying out of a PDF or a word processor",
        )
        for number, line in enumerate(lines, 1)
        if (match := _CONTROL.search(line))
    ]
    if findings:
        raise ProtocolError(findings)


@dataclass(slots=True)
class _Node:
    """A value as it was written: `children` are (key, value) pairs of a mapping or (None, item) pairs of a list."""

    start: StreamMark
    end: StreamMark
    kind: str
    value: str = ""
    plain: bool = False
    children: list[tuple[_Node | None, _Node]] = field(default_factory=list)


class _Builder:
    """Events become nodes, nodes become the tree."""

    def __init__(self, name: str, lines: tuple[str, ...], text: str) -> None:
        self.name, self.lines, self.text = name, lines, text
        self.findings: list[Finding] = []
        self.anchors: dict[str, _Node] = {}
        self.values: dict[YamlPath, _Span] = {}
        self.keys: dict[YamlPath, _Span] = {}
        self.count = 0

    def build(self) -> YamlFile:
        root = self._root()
        data = self._construct(root, ())
        if self.findings:
            raise ProtocolError(self.findings)
        return YamlFile(data, self.name, self.lines, self.text, self.values, self.keys)

    # -- events to nodes ---------------------------------------------------------------------------------------

    def _root(self) -> _Node:
        root: _Node | None = None
        try:
            events: Iterator[Event] = YAML(typ="safe", pure=True).parse("\n".join(self.lines))
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    if root is not None:
                        self._stop(
                            event.start_mark, "E211", "a second document (a line `---`)", "keep one document a file"
                        )
                    root = self._node(next(events), events, 0)
                elif isinstance(event, DocumentEndEvent):
                    continue
        except MarkedYAMLError as error:
            raise ProtocolError([self._syntax_finding(error)]) from None
        except YAMLError as error:
            raise ProtocolError([Finding(code="E201", where=Location(self.name), seen=str(error))]) from None
        if root is None or (root.kind == "scalar" and root.plain and root.value in _NULL):
            finding = Finding(
                code="E103", where=Location(self.name), seen="the file is empty", remedy="see `counterpulse example`"
            )
            raise ProtocolError([finding])
        return root

    def _node(self, event: Event, events: Iterator[Event], depth: int) -> _Node:
        if depth > MAXIMUM_DEPTH:
            self._stop(
                event.start_mark, "E212", f"more than {MAXIMUM_DEPTH} levels inside each other", "close the brackets"
            )
        if isinstance(event, AliasEvent):
            if event.anchor not in self.anchors:
                _, code, seen, remedy = _SYNTAX[-1]
                self._stop(event.start_mark, code, seen, remedy)
            return self.anchors[event.anchor]
        assert isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent)
        self._check_tag(event)
        if isinstance(event, ScalarEvent):
            plain = event.style is None and event.implicit[0]
            node = _Node(event.start_mark, event.end_mark, "scalar", self._whole(event), plain)
        else:
            is_mapping = isinstance(event, MappingStartEvent)
            node = _Node(event.start_mark, event.end_mark, "mapping" if is_mapping else "list")
            for child in events:
                if isinstance(child, MappingEndEvent | SequenceEndEvent):
                    break
                first = self._node(child, events, depth + 1)
                pair = (first, self._node(next(events), events, depth + 1)) if is_mapping else (None, first)
                node.children.append(pair)
        if event.anchor is not None:  # only now: a value cannot contain itself
            self.anchors[event.anchor] = node
        return node

    def _whole(self, event: ScalarEvent) -> str:
        """The text of a scalar; two escapes that are halves of one character, as JSON writes it, become that character."""
        text = str(event.value)
        if not _HALF.search(text):
            return text
        units = text.encode("utf-16", "surrogatepass")
        whole = units.decode("utf-16", "replace")
        if whole.encode("utf-16") != units:
            self._report(
                event.start_mark, "E102", "an escape that is half of a character", "write the character itself"
            )
        return whole

    def _check_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        if event.tag is not None and str(event.tag) not in (_STRING_TAG, "!"):
            self._stop(
                event.start_mark, "E213", "a tag (a word that starts with !)", "put quotes around it, or leave it out"
            )

    # -- nodes to the tree -------------------------------------------------------------------------------------

    def _construct(self, node: _Node, path: YamlPath) -> object:
        self.count += 1
        if self.count > MAXIMUM_NODES or len(path) > MAXIMUM_DEPTH:
            self._stop(
                node.start,
                "E212",
                f"more than {MAXIMUM_NODES} values once aliases are written out",
                "use fewer aliases",
            )
        self.values.setdefault(path, self._span(node))
        if node.kind == "scalar":
            return _scalar(node)
        if node.kind == "list":
            return [self._construct(item, (*path, index)) for index, (_, item) in enumerate(node.children)]
        return self._mapping(node, path)

    def _mapping(self, node: _Node, path: YamlPath) -> dict[str, object]:
        result: dict[str, object] = {}
        merged: list[_Node] = []
        for key, value in node.children:
            assert key is not None
            if key.kind != "scalar" or (key.plain and key.value == ""):
                self._report(key.start, "E214", "a key that is not a word", "write `key: value` with a word as the key")
            elif key.plain and key.value == "<<":
                merged += [item for _, item in value.children] if value.kind == "list" else [value]
            elif key.value in result:
                first = self.keys[(*path, key.value)].line
                self._report(
                    key.start, "E202", f"the key `{key.value}` stands twice; the first is on line {first}",
                    "keep one of the two", width=len(key.value),
                )  # fmt: skip
            else:
                self.keys[(*path, key.value)] = self._span(key)
                result[key.value] = self._construct(value, (*path, key.value))
        for source in merged:
            self._merge(source, path, result)
        return result

    def _merge(self, source: _Node, path: YamlPath, result: dict[str, object]) -> None:
        if source.kind != "mapping":
            self._report(
                source.start, "E215", "`<<` with something that has no keys", "give `<<` an alias of a block with keys"
            )
            return
        for name, value in self._mapping(source, (*path, "<<")).items():
            if name not in result:
                result[name] = value
                self._move(("<<", name), name, path)

    def _move(self, tail: YamlPath, name: str, path: YamlPath) -> None:
        """Positions recorded under the merge key stand also where the merged value is read."""
        old, new = (*path, *tail), (*path, name)
        for table in (self.values, self.keys):
            found = {p: span for p, span in table.items() if p[: len(old)] == old}
            table.update({new + p[len(old) :]: span for p, span in found.items()})

    # -- places and findings -----------------------------------------------------------------------------------

    def _span(self, node: _Node) -> _Span:
        one_line = node.start.line == node.end.line and node.kind == "scalar"
        width = node.end.column - node.start.column if one_line else 1
        return _Span(node.start.line + 1, node.start.column + 1, max(1, width))

    def _where(self, mark: StreamMark, width: int = 1) -> Location:
        line = min(mark.line, len(self.lines) - 1)
        excerpt = self.lines[line]
        column = min(mark.column, len(excerpt)) if line == mark.line else len(excerpt)
        return Location(self.name, line + 1, column + 1, excerpt, width)

    def _report(self, mark: StreamMark, code: str, seen: str, remedy: str, *, width: int = 1) -> None:
        self.findings.append(Finding(code=code, where=self._where(mark, width), seen=seen, remedy=remedy))

    def _stop(self, mark: StreamMark, code: str, seen: str, remedy: str) -> None:
        self._report(mark, code, seen, remedy)
        raise ProtocolError(self.findings)

    def _syntax_finding(self, error: MarkedYAMLError) -> Finding:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            return Finding(code="E201", where=Location(self.name), seen=str(error.problem))
        if tab := self._tab_near(mark.line):
            return tab
        story = f"{error.context or ''} {error.problem or ''}"
        for phrase, code, seen, remedy in _SYNTAX:
            if phrase in story:
                at = error.context_mark if code in ("E205", "E207") and error.context_mark else mark
                return Finding(code=code, where=self._where(at), seen=seen, remedy=remedy)
        return Finding(
            code="E201", where=self._where(mark), seen=f"this is not valid YAML: {error.problem or error.context}",
            remedy="compare the line with its neighbors: indentation, colons, quotes, brackets",
        )  # fmt: skip

    def _tab_near(self, line: int) -> Finding | None:
        for number in (line, line - 1, line + 1):
            if 0 <= number < len(self.lines) and (match := _TAB_INDENT.match(self.lines[number])):
                where = Location(self.name, number + 1, match.end(), self.lines[number].replace("\t", " "))
                return Finding(
                    code="E216", where=where, seen="a tab in the indentation", allowed="spaces, not tabs",
                    remedy="replace the tab with two spaces",
                )  # fmt: skip
        return None


def _scalar(node: _Node) -> str | int | float | bool | None:
    """A plain scalar by the core schema of YAML 1.2, except that numbers with leading zeros stay text."""
    text = node.value
    if not node.plain:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 19 else text
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text
