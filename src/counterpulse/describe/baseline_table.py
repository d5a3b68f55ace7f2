"""Table 1: every variable summarized in each group and in all, with standardized differences and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import isnan
from statistics import fmean

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.describe.balance import DENOMINATORS, StandardizedDifference, smd_levels, smd_numeric
from counterpulse.describe.columns import LevelColumn, NumericColumn, read_column, read_levels
from counterpulse.describe.quartiles import DEFINITIONS, quartiles_of
from counterpulse.describe.rules import RULES, Rule, run_level_test, run_numeric_test
from counterpulse.errors import InputError
from counterpulse.results import Choice, Provenance, Status, TableOneRow
from counterpulse.two_groups.means import sum_of_squares
from counterpulse.two_groups.tested import TestResult

Column = NumericColumn | LevelColumn
Mask = NDArray[np.bool_]

SUMMARIES = ("both", "mean", "median")
SMD_OF_PAIRS = ("largest", "mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableChoice:
    """What one variable gets instead of what the rule says: its summary ("both", "mean", "median") and its test."""

    summary: str = "both"
    test: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Why a standardized difference ("smd") or a P value ("p value") of a variable is missing."""

    variable: str
    of: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOne:
    """Table 1. `rows` are in the order of the variables; of each, groups, then everybody, then the contrast.

    `ungrouped` counts the rows of the frame that belong to no group; they are left out everywhere.
    """

    rows: tuple[TableOneRow, ...]
    groups: tuple[str, ...]
    labels: Mapping[str, str]
    ungrouped: int
    remarks: tuple[Remark, ...]
    provenance: Provenance

    def tidy(self) -> pl.DataFrame:
        """One row a summary or contrast, with fixed snake_case columns."""
        return pl.DataFrame([self._tidy_row(row) for row in self.rows], schema=TIDY_SCHEMA, orient="row")

    def _tidy_row(self, row: TableOneRow) -> tuple[object, ...]:
        contrast = None if row.contrast is None else " vs ".join(row.contrast)
        return (
            row.variable, self.labels.get(row.variable, row.variable), row.level, row.group, contrast, row.n, row.missing,
            row.mean, row.sd, row.median, row.q1, row.q3, row.minimum, row.maximum, row.count, row.percent,
            row.smd, row.smd_denominator, row.p_value, row.test,
        )  # fmt: skip


TIDY_SCHEMA = {
    "variable": pl.String, "label": pl.String, "level": pl.String, "group": pl.String, "contrast": pl.String,
    "n": pl.Int64, "missing": pl.Int64, "mean": pl.Float64, "sd": pl.Float64, "median": pl.Float64, "q1": pl.Float64,
    "q3": pl.Float64, "minimum": pl.Float64, "maximum": pl.Float64, "count": pl.Int64, "percent": pl.Float64,
    "smd": pl.Float64, "smd_denominator": pl.String, "p_value": pl.Float64, "test": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """What a Table 1 compares and how, checked once; nothing behind it compares words again."""

    groups: tuple[str, ...] = ()
    members: tuple[Mask, ...] = ()
    everybody: Mask
    overall: bool
    rule: Rule
    p_values: bool
    smd: bool
    smd_denominator: str
    smd_of_pairs: str
    quartiles: str
    trend: frozenset[str] = frozenset()
    choices: Mapping[str, VariableChoice] = field(default_factory=dict)

    def choice(self, variable: str) -> VariableChoice:
        """What was chosen for this variable alone."""
        return self.choices.get(variable, VariableChoice())

    def contrast(self) -> tuple[str, ...]:
        """The groups compared: of two the second against the first, which is the reference."""
        return self.groups[::-1] if len(self.groups) == 2 else self.groups


def table_one(
    table: pl.DataFrame,
    *,
    variables: Sequence[str],
    by: str | None = None,
    rule: str = "means",
    labels: Mapping[str, str] | None = None,
    overall: bool = True,
    p_values: bool = False,
    smd: bool = True,
    smd_denominator: str = "pooled",
    smd_of_pairs: str = "largest",
    quartiles: str = "linear (type 7)",
    trend: Sequence[str] = (),
    choices: Mapping[str, VariableChoice] | None = None,
) -> TableOne:
    """Summarize variables by group.

    Parameters
    ----------
    table : one row a patient
    variables : columns to summarize; numbers get mean to maximum, Booleans one row "yes", other columns one row a level
    by : column of the groups (None: everybody only); an Enum keeps its order, anything else is sorted, and the first
        group is the reference. Rows without a group are left out and counted
    rule : which tests: a key of `counterpulse.describe.RULES`; used only with `p_values`
    labels : what a reader calls the variables; columns not named keep their name
    overall : add everybody together
    p_values : add a test of each variable. In a randomized trial it tests nothing (CONSORT)
    smd : add standardized differences. With three or more groups `smd_of_pairs` ("largest" or "mean") of the absolute
        differences of all pairs, and `smd_denominator` says so
    smd_denominator : "pooled", "treated" or "reference" (the second or first group), or "all"
        (everybody; of three or more groups, the pair)
    quartiles : "linear (type 7)" (R), "sas (type 2)" or "spss (type 6)"
    trend : variables tested for a trend over the ordered groups: Jonckheere-Terpstra, or Cochran-Armitage for yes/no
    choices : for single variables, the summary shown and the test, fixed instead of the rule's

    Returns
    -------
    TableOne
        `n` of a row is the patients of the group, `missing` those without a value; percentages are of the others. A value
        that these data do not define is None, and `remarks` say why.

    Raises
    ------
    InputError
        A column that is not there or of a type that is not summarized (dates, lists), a group column with one group, or
        an unknown word.

    References
    ----------
    Austin 2009, doi:10.1002/sim.3697; Yang and Dalton 2012, SAS Global Forum 335; Hyndman and Fan 1996,
    doi:10.1080/00031305.1996.10473566.
    """
    _check_word("rule", rule, tuple(RULES))
    _check_word("smd_denominator", smd_denominator, DENOMINATORS)
    _check_word("smd_of_pairs", smd_of_pairs, SMD_OF_PAIRS)
    _check_word("quartiles", quartiles, tuple(DEFINITIONS))
    for name, choice in (choices or {}).items():
        _check_word(f"the summary of {name!r}", choice.summary, SUMMARIES)
    groups, members = _groups(table, by)
    layout = Layout(
        groups=groups,
        members=members,
        everybody=np.logical_or.reduce(members) if members else np.ones(table.height, dtype=bool),
        overall=overall or by is None,
        rule=RULES[rule],
        p_values=p_values and by is not None,
        smd=smd and by is not None,
        smd_denominator=smd_denominator,
        smd_of_pairs=smd_of_pairs,
        quartiles=quartiles,
        trend=frozenset(trend),
        choices=choices or {},
    )
    rows: list[TableOneRow] = []
    remarks: list[Remark] = []
    for variable in variables:
        column = read_column(table, variable)
        rows.extend(_summaries(variable, column, layout))
        if layout.smd or layout.p_values:
            row, told = _contrast(variable, column, layout)
            rows.append(row)
            remarks.extend(told)
    return TableOne(
        rows=tuple(rows),
        groups=groups,
        labels=labels or {},
        ungrouped=table.height - int(layout.everybody.sum()),
        remarks=tuple(remarks),
        provenance=_provenance(layout),
    )


def _check_word(what: str, word: str, allowed: Sequence[str]) -> None:
    if word not in allowed:
        raise InputError(f"{what} {word!r} is unknown; give one of {', '.join(allowed)}")


def _groups(table: pl.DataFrame, by: str | None) -> tuple[tuple[str, ...], tuple[Mask, ...]]:
    if by is None:
        return (), ()
    column = read_levels(table, by)
    if len(column.levels) < 2:
        raise InputError(
            f"column {by!r} has {len(column.levels)} group(s); Table 1 compares 2 or more, or give by=None"
        )
    return column.levels, tuple(column.codes == code for code in range(len(column.levels)))


def _provenance(layout: Layout) -> Provenance:
    choices = [Choice("quartiles", layout.quartiles, "given", "hyndman-fan-1996")]
    citations = ["hyndman-fan-1996"]
    if layout.smd:
        choices.append(Choice("smd denominator", layout.smd_denominator, "given", "austin-2009"))
        citations += ["austin-2009", "yang-dalton-2012"]
    if layout.p_values:
        choices.append(Choice("tests", f"{layout.rule.name} ({layout.rule.words()})", "given"))
    return Provenance("table one", tuple(choices), tuple(citations))


def _summaries(variable: str, column: Column, layout: Layout) -> list[TableOneRow]:
    """The rows of each group, then of everybody."""
    parts: list[tuple[str | None, Mask]] = list(zip(layout.groups, layout.members, strict=True))
    if layout.overall:
        parts.append((None, layout.everybody))
    if isinstance(column, NumericColumn):
        summary = layout.choice(variable).summary
        return [_numeric_row(variable, group, column, mask, summary, layout.quartiles) for group, mask in parts]
    return [row for group, mask in parts for row in _level_rows(variable, group, column, mask)]


def _numeric_row(
    variable: str, group: str | None, column: NumericColumn, mask: Mask, summary: str, definition: str
) -> TableOneRow:
    values = column.values[mask & column.known]
    n = int(mask.sum())
    mean = sd = None
    if summary != "median" and len(values):
        mean = float(values.mean())
        sd = (sum_of_squares(values) / (len(values) - 1)) ** 0.5 if len(values) > 1 else None
    q1, median, q3 = (quartiles_of(values, definition=definition) if summary != "mean" else None) or (None,) * 3
    return TableOneRow(
        variable=variable,
        group=group,
        n=n,
        missing=n - len(values),
        mean=mean,
        sd=sd,
        median=median,
        q1=q1,
        q3=q3,
        minimum=float(values.min()) if len(values) else None,
        maximum=float(values.max()) if len(values) else None,
    )


def _level_rows(variable: str, group: str | None, column: LevelColumn, mask: Mask) -> list[TableOneRow]:
    codes = column.codes[mask]
    counts = np.bincount(codes[codes >= 0], minlength=len(column.levels))
    known = int(counts.sum())
    if not column.shown:
        return [TableOneRow(variable=variable, group=group, n=len(codes), missing=len(codes))]
    return [
        TableOneRow(
            variable=variable,
            level=column.levels[code],
            group=group,
            n=len(codes),
            missing=len(codes) - known,
            count=int(counts[code]),
            percent=100 * int(counts[code]) / known if known else None,
        )
        for code in column.shown
    ]


def _contrast(variable: str, column: Column, layout: Layout) -> tuple[TableOneRow, list[Remark]]:
    """The row that compares the groups, and why a number of it is missing."""
    remarks: list[Remark] = []
    difference = result = None
    if layout.smd:
        difference = _difference(column, layout)
        if difference.status is not Status.OK:
            remarks.append(Remark(variable=variable, of="smd", status=difference.status))
    if layout.p_values:
        result = _test(variable, column, layout)
        if result.status is not Status.OK:
            remarks.append(Remark(variable=variable, of="p value", status=result.status))
    row = TableOneRow(
        variable=variable,
        contrast=layout.contrast(),
        smd=difference.value if difference else None,
        smd_denominator=difference.denominator if difference else None,
        p_value=None if result is None or isnan(result.p_value) else result.p_value,
        test=result.name if result else None,
    )
    return row, remarks


def _difference(column: Column, layout: Layout) -> StandardizedDifference:
    """Of two groups the signed difference, of more the largest or mean absolute difference of pairs."""
    pairs = [_pair(column, later, earlier, layout) for earlier, later in combinations(layout.members, 2)]
    if len(pairs) == 1:
        return pairs[0]
    words = f"{layout.smd_denominator}, {layout.smd_of_pairs} of pairs"
    for pair in pairs:
        if pair.value is None:
            return StandardizedDifference(value=None, denominator=words, status=pair.status)
    sizes = [abs(pair.value) for pair in pairs if pair.value is not None]
    value = max(sizes) if layout.smd_of_pairs == "largest" else fmean(sizes)
    return StandardizedDifference(value=value, denominator=words)


def _pair(column: Column, treated: Mask, reference: Mask, layout: Layout) -> StandardizedDifference:
    both = treated | reference
    if isinstance(column, NumericColumn):
        return smd_numeric(column.values[both], treated[both], denominator=layout.smd_denominator)
    return smd_levels(column.codes[both], treated[both], levels=len(column.levels), denominator=layout.smd_denominator)


def _test(variable: str, column: Column, layout: Layout) -> TestResult:
    fixed = layout.choice(variable).test
    trend = variable in layout.trend
    if isinstance(column, NumericColumn):
        values = [column.values[mask & column.known] for mask in layout.members]
        by_rule = "jonckheere-terpstra" if trend else layout.rule.numeric(len(layout.groups))
        return run_numeric_test(fixed or by_rule, values)
    width = max(len(column.levels), 1)
    known = [column.codes[mask & column.known] for mask in layout.members]
    counts = np.array([np.bincount(codes, minlength=width) for codes in known], dtype=np.int64)
    by_rule = "cochran-armitage" if trend else layout.rule.categorical(counts)
    return run_level_test(fixed or by_rule, counts)
