"""R evaluates the R form to what polars makes of the compiled form, unknown for unknown."""

import math
import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_expressions import SCOPE, conditions, tables

from counterpulse.expression import R_FUNCTIONS, names, parse, to_polars, to_r

pytestmark = pytest.mark.skipif(shutil.which("Rscript") is None, reason="Rscript is not here")

WRITTEN = [
    "age / count > 1",
    "age / 0 is known",
    "months from born to died between 0 and 18",
    "years from 2000-02-29 to start >= 18",
    "weeks from start to stop < 2",
    "days from born to start < 3",
    "hours from start to stop < 0 and not iabp",
    'sex in ("Female", "3") or itt',
    'sex not in ("F", "M")',
    'stage >= "A" and stage < stage_2',
    "start between 2019-12-31 and 2020-02-28",
    "start > 08:30 or stop = 23:59:59",
    'note = "both \' and """ or note != pid',
    "(age > 1) = iabp",
    "not (größe between -1 and 2)",
    "-age * -2 - 3 < größe",
]


def in_r(value):
    if value is None:
        return "NA"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else "Inf" if math.isinf(value) else repr(value)
    if isinstance(value, int):
        return f"{value}L"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def column_in_r(symbol, values):
    listed = f"c({', '.join(in_r(value) for value in values)})"
    if symbol.kind == "date":
        return f"as.Date({listed})"
    if symbol.kind == "datetime":
        return f'as.POSIXct({listed}, tz = "UTC", format = "%Y-%m-%d %H:%M:%OS")'
    if symbol.levels:
        return f"factor({listed}, levels = c({', '.join(in_r(level) for level in symbol.levels)}))"
    return f"as.{'character' if symbol.kind in ('text', 'id', 'category') else 'vector'}({listed})"


def evaluated_in_r(expressions, table, folder):
    columns = ", ".join(f"`{name}` = {column_in_r(SCOPE[name], table[name].to_list())}" for name in table.columns)
    lines = [R_FUNCTIONS, f"table <- data.frame({columns}, stringsAsFactors = FALSE)"]
    lines += [f"cat(with(table, {to_r(expression, SCOPE)}), '\\n')" for expression in expressions]
    script = folder / "rules.R"
    script.write_text("\n".join(lines), encoding="utf-8")
    ran = subprocess.run(
        ["Rscript", "--vanilla", str(script)], capture_output=True, text=True, check=False, encoding="utf-8",
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    words = {"TRUE": True, "FALSE": False, "NA": None}
    return [[words[word] for word in line.split()] for line in ran.stdout.splitlines()]


def evaluated_here(expression, table):
    values = table.select(value=to_polars(expression, SCOPE)).to_series().to_list()
    return values if names(expression) else values[:1]


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(expressions=st.lists(conditions(), min_size=4, max_size=10), table=tables(rows=40))
def test_r_agrees(tmp_path_factory, expressions, table):
    everything = [*map(parse, WRITTEN), *expressions]
    in_r_form = evaluated_in_r(everything, table, tmp_path_factory.mktemp("r"))
    for expression, seen in zip(everything, in_r_form, strict=True):
        here = evaluated_here(expression, table)
        assert seen in (here, here * table.height), to_r(expression, SCOPE)
