"""The counts of description blocks as cells of the census, and the sums that tie them to Table 1 and to the groups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from counterpulse.results.block import Block, Cell
from counterpulse.results.census import Census, blanks, events_of, people
from counterpulse.results.small_bins import Row, number

MISSING = "(missing)"
"""The level of a crosstab that holds missing values."""


def bin_of(row: Row) -> Hashable:
    """A bin of a histogram."""
    return ("bin", row["variable"], row["group"], row["low"], row["high"], row["n"])


def pattern_of(block: str, row: Row) -> Hashable:
    """A pattern of missing values."""
    return ("pattern", block, row["pattern"], row["n"])


def center_of(block: str, row: Row, what: str) -> Hashable:
    """Patients ("n") or events of a center."""
    return ("center", what, block, row["center"], row[what])


def complete_of(n: Cell) -> Hashable:
    """Patients with a value of every variable of a set."""
    return ("complete", n)


def pair_of(row: Row, group_variable: str | None) -> Hashable:
    """A cell of a crosstab; one that stands in Table 1, by group, is that cell."""
    n = int(number(row["n"]))
    sides = [(str(row["row_variable"]), str(row["row"])), (str(row["column_variable"]), str(row["column"]))]
    for (variable, level), (other, group) in (sides, sides[::-1]):
        if other == group_variable and group != MISSING:
            return level_of(n, variable, level, group)
    return ("pair", *sides, n)


def level_of(n: int, variable: str, level: str, group: str | None = None) -> Hashable:
    """Patients with a level of a variable, in a group or in all."""
    return blanks(n, variable, group) if level == MISSING else people(n, group, variable, level)


def sample_of(analysis: str, row: Row) -> Hashable:
    """A group in a sample of an analysis."""
    return ("sample", analysis, row["sample"], row["group"])


def imputed_of(analysis: str, variable: str) -> Hashable:
    """Imputed values of a variable."""
    return ("imputed", analysis, variable)


def observed_of(analysis: str, variable: str) -> Hashable:
    """Values of an imputed variable that were known."""
    return ("observed", analysis, variable)


def sizes_of_blocks(blocks: Iterable[Block]) -> dict[Hashable, float]:
    """The patients behind blocks that hold shares only: of the groups of each sample, and of imputed variables."""
    sizes: dict[Hashable, float] = {}
    for block in blocks:
        for row in block.rows() if block.kind in ("effective-size", "imputation") else ():
            if block.kind == "effective-size":
                found = {sample_of(block.analysis, row): number(row["n"])}
            else:
                missing, percent = number(row["missing"]), number(row["percent"])
                whole = 100 * missing / percent if percent else 0.0
                variable = str(row["variable"])
                found = {
                    imputed_of(block.analysis, variable): missing,
                    observed_of(block.analysis, variable): whole - missing,
                }
            for key, n in found.items():
                sizes[key] = min(n, sizes.get(key, n))
    return sizes


def margin_of(n: int, variable: str, level: str, group_variable: str | None) -> Hashable:
    """The total of a row or a column of a crosstab."""
    return people(n, level) if variable == group_variable else level_of(n, variable, level)


def census_of_blocks(
    census: Census, blocks: Iterable[Block], *, sizes: Mapping[str | None, int], group_variable: str | None
) -> None:
    """Note the counts of blocks; `sizes` are the patients in each compared group, and (None) in all."""
    for block in blocks:
        match block.kind:
            case "distribution":
                _distributions(census, block, sizes)
            case "crosstab":
                _crosstab(census, block, group_variable)
            case "missingness":
                _missingness(census, block)
            case "missing-pattern":
                _patterns(census, block)
            case "center-funnel":
                _centers(census, block, sizes)
            case "correlation":
                _complete(census, block, sizes)
            case "imputation":
                for row in block.rows():
                    missing = int(number(row["missing"]))
                    census.count(blanks(missing, str(row["variable"]), None), missing)


def _distributions(census: Census, block: Block, sizes: Mapping[str | None, int]) -> None:
    """The bins of a group and those without a value are the group."""
    parts: dict[tuple[Cell, Cell], list[Row]] = {}
    for row in block.rows():
        parts.setdefault((row["variable"], row["group"]), []).append(row)
    for (variable, group), rows in parts.items():
        name = None if group is None else str(group)
        cells = [census.count(bin_of(row), int(number(row["n"]))) for row in rows if row["n"] is not None]
        if name not in sizes or len(cells) < len(rows):
            continue
        missing = sizes[name] - sum(int(number(row["n"])) for row in rows)
        cells.append(census.count(blanks(missing, str(variable), name), missing))
        census.sum(census.count(people(sizes[name], name), sizes[name]), cells)


def _crosstab(census: Census, block: Block, group_variable: str | None) -> None:
    rows = block.rows()
    whole = sum(int(number(row["n"])) for row in rows)
    for side in ("row", "column"):
        margins = []
        for level in dict.fromkeys(str(row[side]) for row in rows):
            own = [row for row in rows if str(row[side]) == level]
            total = sum(int(number(row["n"])) for row in own)
            margin = census.count(margin_of(total, str(own[0][f"{side}_variable"]), level, group_variable), total)
            census.sum(margin, [census.count(pair_of(row, group_variable), int(number(row["n"]))) for row in own])
            margins.append(margin)
        census.sum(census.count(people(whole), whole), margins)


def _missingness(census: Census, block: Block) -> None:
    across: dict[str, dict[str | None, Hashable]] = {}
    for row in block.rows():
        variable, group = str(row["variable"]), None if row["group"] is None else str(row["group"])
        n, missing = int(number(row["n"])), int(number(row["missing"]))
        cell = census.count(blanks(missing, variable, group), missing)
        census.sum(census.count(people(n, group), n), [cell])
        across.setdefault(variable, {})[group] = cell
    for cells in across.values():
        census.sum(cells.get(None), [cell for group, cell in cells.items() if group is not None])


def _patterns(census: Census, block: Block) -> None:
    rows = block.rows()
    patterns = {row["pattern"]: row for row in rows}
    whole = sum(int(number(row["n"])) for row in patterns.values())
    cells = {key: census.count(pattern_of(block.id, row), int(number(row["n"]))) for key, row in patterns.items()}
    census.sum(census.count(people(whole), whole), cells.values())
    for variable in dict.fromkeys(str(row["variable"]) for row in rows):
        gone = [row for row in rows if row["variable"] == variable and row["missing"] == "yes"]
        missing = sum(int(number(row["n"])) for row in gone)
        total = census.count(blanks(missing, variable, None), missing)
        census.sum(total, [cells[row["pattern"]] for row in gone])


def _centers(census: Census, block: Block, sizes: Mapping[str | None, int]) -> None:
    outcome = outcome_of(block)
    rows = block.rows()
    totals = {what: sum(int(number(row[what])) for row in rows) for what in ("n", "events")}
    cells = {
        what: [census.count(center_of(block.id, row, what), int(number(row[what]))) for row in rows] for what in totals
    }
    census.sum(census.count(people(totals["n"]), totals["n"]), cells["n"])
    census.sum(census.count(events_of(totals["events"], outcome), totals["events"]), cells["events"])
    for n, events in zip(cells["n"], cells["events"], strict=True):
        census.sum(n, [events])
    if None in sizes and totals["n"] < sizes[None]:
        census.sum(census.count(people(sizes[None]), sizes[None]), [people(totals["n"])])


def outcome_of(block: Block) -> str:
    """The outcome in the id of a block: the part before its kind."""
    return block.id.split(".")[-2]


def _complete(census: Census, block: Block, sizes: Mapping[str | None, int]) -> None:
    n = next((int(number(cell)) for cell in block.columns["n"]), None)
    if n is not None and None in sizes:
        census.sum(census.count(people(sizes[None]), sizes[None]), [census.count(complete_of(n), n)])
