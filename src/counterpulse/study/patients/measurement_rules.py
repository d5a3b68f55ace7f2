"""What the protocol says of tables with several rows a patient: whose dictionary, which windows, in words."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.data.dictionary_reader import digest_of
from counterpulse.protocol.nodes import CountedTime, DerivedVariable, Outcome, ProtocolNode, RelatedTable
from counterpulse.protocol.window import TimeWindow
from counterpulse.protocol.words import UNITS
from counterpulse.source import did_you_mean
from counterpulse.source.yaml_file import YamlPath
from counterpulse.study.planning.drafts import Desk

NUMBERS = ("number", "integer")
MOMENTS = ("date", "datetime")
FITTING = {
    "mean": NUMBERS, "max": (*NUMBERS, "ordinal"), "min": (*NUMBERS, "ordinal"), "any": ("yesno",),
    "first": (*NUMBERS, "yesno", "category", "ordinal"), "last": (*NUMBERS, "yesno", "category", "ordinal"),
    "count": None,
}  # fmt: skip
IN_TIME = ("first", "last")
Measured = DerivedVariable | Outcome


def with_table_dictionaries(nodes: ProtocolNode, dictionary: Dictionary) -> Dictionary:
    """The dictionary in which every related table has its own.

    What a table's own dictionary lacks is taken from the main one: its id is in both, any other column of the table that the
    protocol names is then a column of that table only. Doing it twice changes nothing.
    """
    if not nodes.tables:
        return dictionary
    tables, moved = {}, set[str]()
    for name, table in nodes.tables.items():
        own = dictionary.tables.get(name)
        variables = dict(own.variables) if own is not None else {}
        for column in _named(nodes, name, table):
            if column not in variables and column in dictionary:
                variables[column] = dictionary[column]
                moved |= {column} - {table.id, nodes.data.id}
        tables[name] = Dictionary(variables, own.file if own else dictionary.file, digest_of(variables.values()),
                                  own.findings if own else ())  # fmt: skip
    variables = {name: variable for name, variable in dictionary.variables.items() if name not in moved}
    parts = [digest_of(variables.values()), *(part for name, own in tables.items() for part in (name, own.digest))]
    digest = f"sha256:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"
    return replace(dictionary, variables=variables, digest=digest, tables=tables)


def measured_nodes(nodes: ProtocolNode) -> Iterator[tuple[YamlPath, Measured]]:
    """Everything that is taken from a related table, and where it stands."""
    for name, variable in nodes.variables.items():
        if variable.table is not None:
            yield ("variables", name), variable
    for name, outcome in nodes.outcomes.items():
        if outcome.table is not None:
            yield ("outcomes", name), outcome


def measurement_words(node: Measured, dictionary: Dictionary) -> str:
    """``last Lactate within 0 to 4 hours of time zero``."""
    column = dictionary.tables[node.table or ""].variables.get(node.column or "")
    label = column.label if column is not None else node.column or ""
    when = f"within {TimeWindow.read(node.window)} of time zero" if node.window is not None else "at any time"
    if isinstance(node, Outcome):
        return f"every {label} {when}"
    what = {
        "any": f"any {label}", "count": f"number of {f'measurements of {label}' if label else f'rows of {node.table}'}",
        "max": f"highest {label}", "min": f"lowest {label}",
    }.get(node.take or "", f"{node.take} {label}")  # fmt: skip
    tied = f" (of several at one time the {node.if_tied.replace('-', ' ')})" if node.if_tied is not None else ""
    return f"{what} {when}{tied}"


def check_measurements(desk: Desk, dictionary: Dictionary) -> None:
    """Every column is known and fits what is taken of it; every window can be told from the times."""
    for name, table in desk.nodes.tables.items():
        _table(desk, dictionary, name, table)
    for path, node in measured_nodes(desk.nodes):
        if (node.table or "") in desk.nodes.tables:
            _measured(desk, dictionary, path, node)
    _touching(desk)


def _named(nodes: ProtocolNode, name: str, table: RelatedTable) -> list[str]:
    columns = [node.column for _, node in measured_nodes(nodes) if node.table == name]
    return [column for column in dict.fromkeys([table.id, table.time, *columns]) if column is not None]


def _table(desk: Desk, dictionary: Dictionary, name: str, table: RelatedTable) -> None:
    path = ("tables", name)
    _known(desk, dictionary, (*path, "id"), name, table.id)
    if table.time is None or (column := _known(desk, dictionary, (*path, "time"), name, table.time)) is None:
        return
    counted = isinstance(desk.nodes.time_zero, CountedTime)
    wanted = "a number with its unit, counted from time zero" if counted else "a date or datetime"
    if column.type not in (NUMBERS if counted else MOMENTS):
        desk.refuse(
            (*path, "time"), "E661", f"the time '{table.time}' of the table '{name}' is a variable of type {column.type}",
            wanted, "name another column, or correct its type in the dictionary",
        )  # fmt: skip
    elif counted and (column.unit or "").lower() not in UNITS:
        desk.refuse(
            (*path, "time"), "E661", f"the time '{table.time}' of the table '{name}' has no unit of time", wanted,
            "write the unit, such as h or days, in the dictionary",
        )  # fmt: skip


def _known(desk: Desk, dictionary: Dictionary, path: YamlPath, table: str, column: str) -> Variable | None:
    known = dictionary.tables[table].variables
    if column in known:
        return known[column]
    desk.refuse(
        path, "E660", f"the dictionary does not know the column '{column}' of the table '{table}'", ", ".join(known),
        did_you_mean(column, list(known)) or f"add {column} to the dictionary of the table, or to that of the patients",
    )  # fmt: skip
    return None


def _measured(desk: Desk, dictionary: Dictionary, path: YamlPath, node: Measured) -> None:
    name = str(path[-1])
    table = str(node.table)
    column = _known(desk, dictionary, (*path, "column"), table, node.column) if node.column is not None else None
    if column is not None:
        _fits(desk, path, node, column)
    if isinstance(node, DerivedVariable):
        _ties(desk, path, node, column)
    in_time = isinstance(node, Outcome) or node.take in IN_TIME
    if desk.nodes.tables[table].time is None and (in_time or node.window is not None):
        desk.refuse(
            path, "E663", f"'{name}' needs the time of each row, and the table '{table}' names none", "",
            f"add time: with its column to the table '{table}'",
        )  # fmt: skip
    if node.window is not None:
        _window(desk, dictionary, (*path, "window"), table, TimeWindow.read(node.window))


def _fits(desk: Desk, path: YamlPath, node: Measured, column: Variable) -> None:
    take = None if isinstance(node, Outcome) else node.take
    fitting = NUMBERS if take is None else FITTING[take]
    if fitting is not None and column.type not in fitting:
        what = f"take: {take}" if take is not None else "a repeated outcome"
        desk.refuse(
            (*path, "column"), "E662", f"{what} of '{column.name}', a variable of type {column.type}",
            "a column of type " + ", ".join(fitting), "take something else, or name another column",
        )  # fmt: skip


def _ties(desk: Desk, path: YamlPath, node: DerivedVariable, column: Variable | None) -> None:
    if node.if_tied is None:
        return
    of_numbers = column is None or column.type in NUMBERS
    ordered = of_numbers or (column is not None and column.type == "ordinal")
    unfit = (node.if_tied == "mean" and not of_numbers) or (node.if_tied in ("max", "min") and not ordered)
    if node.take not in IN_TIME or unfit:
        seen = f"if_tied: {node.if_tied} with take: {node.take}"
        desk.refuse(
            (*path, "if_tied"), "E664", seen + (f" of a {column.type} column" if unfit and column is not None else ""),
            "with first and last: first-row, last-row; of numbers also mean, max, min", "take it out, or write another rule",
        )  # fmt: skip


def _window(desk: Desk, dictionary: Dictionary, path: YamlPath, table: str, window: TimeWindow) -> None:
    if window.low > window.high:
        desk.refuse(path, "E665", f"the window {window} ends before it begins", "", "exchange its ends")
    zero, time = desk.nodes.time_zero, desk.nodes.tables[table].time
    kinds = {str(zero): desk.variables[zero].kind} if isinstance(zero, str) and zero in desk.variables else {}
    if time is not None and time in dictionary.tables[table]:
        kinds[time] = dictionary.tables[table][time].type
    days = [name for name, kind in kinds.items() if kind == "date"]
    if days and not window.whole_days:
        desk.refuse(
            path, "E666", f"the window {window}, and '{days[0]}' is known only to the day", "a window in days",
            "write the window in days, or supply the time of day",
        )  # fmt: skip


def _touching(desk: Desk) -> None:
    """A measurement at a boundary that two windows share counts in both."""
    windows: dict[tuple[str | None, str | None], list[tuple[YamlPath, TimeWindow]]] = defaultdict(list)
    for path, node in measured_nodes(desk.nodes):
        if node.window is not None:
            windows[node.table, node.column].append((path, TimeWindow.read(node.window)))
    for (_, column), placed in windows.items():
        for path, window in placed:
            before = next((other for other, earlier in placed if _meet(earlier, window)), None)
            if before is not None:
                desk.refuse(
                    (*path, "window"), "W660",
                    f"the windows of '{before[-1]}' and '{path[-1]}' touch: a {column or 'row'} at just that time counts in both",
                    "", "begin the later window a minute later, or leave it if both are meant",
                )  # fmt: skip


def _meet(earlier: TimeWindow, later: TimeWindow) -> bool:
    return earlier.within("hours")[1] == later.within("hours")[0] and earlier.low < earlier.high
