"""A dictionary as the CSV that `read_dictionary` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from counterpulse.data.dictionary import Variable
from counterpulse.data.dictionary_reader import COLUMNS


def dictionary_csv(variables: Iterable[Variable]) -> str:
    """CSV text, one line a variable, in the order given; `source` and `label` are blank where they equal the name."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for variable in variables:
        row = _row(variable)
        writer.writerow([row[column] for column in COLUMNS])
    return buffer.getvalue()


def _row(variable: Variable) -> dict[str, str]:
    own_source, own_label = variable.source == variable.name, variable.label == variable.name
    return {
        "name": variable.name,
        "source": "" if own_source else variable.source,
        "label": "" if own_label else variable.label,
        "type": variable.type,
        "unit": variable.unit or "",
        "levels": "|".join(f"{code}={label}" for code, label in (variable.levels or {}).items()),
        "minimum": variable.minimum or "",
        "maximum": variable.maximum or "",
        "missing_codes": "|".join(variable.missing_codes),
        "applies_if": variable.applies_if or "",
        "integer": "yes" if variable.integer and variable.type != "integer" else "",
        "section": variable.section or "",
    }
