"""A dictionary as the CSV that `read_dictionary` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from counterpulse.data.dictionary import Variable
from counterpulse.data.dictionary_reader import AND_MORE, COLUMNS


def dictionary_csv(variables: Iterable[Variable]) -> str:
    """CSV text, one line a variable, in the order given.

    `source` and `label` are blank where they equal the name; the column `format` stands there where a date needs it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    rows = [_row(variable) for variable in variables]
    columns = COLUMNS if any(row["format"] for row in rows) else COLUMNS[:-1]
    writer.writerow(columns)
    writer.writerows([row[column] for column in columns] for row in rows)
    return buffer.getvalue()


def _row(variable: Variable) -> dict[str, str]:
    own_source, own_label = variable.source == variable.name, variable.label == variable.name
    return {
        "name": variable.name,
        "source": "" if own_source else variable.source,
        "label": "" if own_label else variable.label,
        "type": variable.type,
        "unit": variable.unit or "",
        "levels": "|".join(_levels(variable)),
        "minimum": variable.minimum or "",
        "maximum": variable.maximum or "",
        "missing_codes": "|".join(variable.missing_codes),
        "applies_if": variable.applies_if or "",
        "integer": "yes" if variable.integer and variable.type != "integer" else "",
        "section": variable.section or "",
        "format": variable.format or "",
    }


def _levels(variable: Variable) -> Iterator[str]:
    for code, label in (variable.levels or {}).items():
        yield f"{code}={label}"
    if variable.more_levels:
        yield AND_MORE[0]
