"""A network of treatments: who was compared with whom, the ranking, the league table, and whether direct and indirect evidence agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import (
    beside,
    block_anchor,
    known,
    number_text,
    published,
    published_table,
    text_row,
    titled,
    without_columns,
)
from counterpulse.report.chapters.blocks.plane_parts import measure_in
from counterpulse.report.chapters.blocks.printed_estimate import printed
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Figure, Table
from counterpulse.report.figures.network_graph import Comparison, NetworkGraph, Treatment, draw_network
from counterpulse.report.measures import Measure
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

Row = dict[str, Value]
MOST_SQUARE, MOST_UPRIGHT = 9, 4
"""The most treatments of a league table that is square, and of one that stands on an upright page."""


def _ranked(context: Context, block: Block) -> list[Row]:
    """The treatments of the same network, the best rank first."""
    found = beside(context, block, "network-treatment")
    rows = found.rows() if found else []
    return sorted(rows, key=lambda row: -(known(row["p_score"]) if known(row["p_score"]) is not None else -1.0))  # type: ignore[operator]


# -- the graph ---------------------------------------------------------------------------------------------------------


def networks(context: Context, block: Block) -> list[Figure]:
    """The graph of the network."""
    rows = [row for row in block.rows() if row["treatment_1"] is not None and row["treatment_2"] is not None]
    if not rows:
        return []
    patients = {str(row["treatment"]): known(row["patients"]) for row in _ranked(context, block)}
    names = list(dict.fromkeys(str(row[name]) for row in rows for name in ("treatment_1", "treatment_2")))
    names.sort(key=lambda name: (name not in patients, name))
    scene = draw_network(
        NetworkGraph(
            title=titled(context, "Network of comparisons", block),
            treatments=[Treatment(name, None if (n := patients.get(name)) is None else round(n)) for name in names],
            comparisons=[
                Comparison(names.index(str(row["treatment_1"])), names.index(str(row["treatment_2"])), round(known(row["studies"]) or 0))
                for row in rows if row["treatment_1"] != row["treatment_2"]
            ],
            width=context.figure_width,
        )
    )  # fmt: skip
    sized = "Disks: treatments, their area by patients. " if any(patients.values()) else "Disks: treatments. "
    caption = (
        f"{sized}Lines: comparisons that studies made, their width by the number of studies, which stands on them."
    )
    return [figure(context, scene, id=block_anchor(block), caption=caption)]


def rankings(context: Context, block: Block) -> list[Table]:
    """The treatments by their P-score."""
    rows = sorted(block.rows(), key=lambda row: known(row["rank"]) or 0.0)
    body = [
        text_row(
            [
                str(row["treatment"] or ""), published(context, row["studies"]), published(context, row["patients"]),
                number_text(context, row["p_score"], 2), number_text(context, row["rank"], 0 if _whole(row["rank"]) else 1),
            ],
            result=block.id,
        )
        for row in rows
    ]  # fmt: skip
    if not body:
        return []
    table = published_table(
        context, id=block_anchor(block), title=titled(context, "Ranking of the treatments", block),
        heads=["Treatment", "Studies", "Patients", "P-score", "Rank"], rows=body,
        notes=[
            "P-score: the mean certainty, from 0 to 1, that a treatment is better than another of the network. A rank says nothing of how "
            "large or how certain a difference is: read it with the league table."
        ],
    )  # fmt: skip
    return [without_columns(table, of=("Studies", "Patients", "P-score", "Rank"))]


def _whole(value: Value) -> bool:
    found = known(value)
    return found is None or found.is_integer()


# -- the league table --------------------------------------------------------------------------------------------------


def league_tables(context: Context, block: Block) -> list[Table]:
    """All comparisons: network below the diagonal and direct evidence above it, or a list where there are many treatments."""
    rows = block.rows()
    names = list(dict.fromkeys(str(row[name]) for row in rows for name in ("row", "column")))
    if not rows:
        return []
    order = [str(row["treatment"]) for row in _ranked(context, block)]
    names.sort(key=lambda name: order.index(name) if name in order else len(order))
    measure = measure_in(block)
    title = titled(context, f"League table, {measure.words} ({context.level_name(None)})", block)
    if len(names) > MOST_SQUARE:
        return [_listed(context, block, rows, measure, title)]
    cells = {(str(row["row"]), str(row["column"]), str(row["evidence"])): row for row in rows}
    body = []
    for i, first in enumerate(names):
        texts = [
            first if i == j else _compared(context, cells, (first, second), "network" if i > j else "direct", measure)
            for j, second in enumerate(names)
        ]
        body.append(text_row([first, *texts], result=block.id))
    sorted_ = " Treatments stand by their P-score, the best first." if order else ""
    return [
        published_table(
            context, id=block_anchor(block), title=title, heads=["", *names], rows=body, wide=len(names) > MOST_UPRIGHT,
            notes=[
                "Each cell: the treatment of its row compared with that of its column. Below the diagonal: the network, direct and indirect "
                f"evidence together. Above it: direct evidence alone; a dash where no study made the comparison.{sorted_}"
            ],
        )
    ]  # fmt: skip


def _compared(
    context: Context, cells: Mapping[tuple[str, str, str], Row], pair: tuple[str, str], evidence: str, measure: Measure
) -> str:
    """The row's treatment compared with the column's, turned around where the other way is what is known."""
    found = cells.get((*pair, evidence))
    if found is None:
        turned = cells.get((pair[1], pair[0], evidence))
        found = None if turned is None else turned | _turned(turned, measure)
    return EM_DASH if found is None else printed(context, found, measure)


def _turned(row: Row, measure: Measure) -> Row:
    """An estimate of the opposite comparison."""

    def other(value: Value) -> float | None:
        found = known(value)
        if found is None or (measure.kind == "ratio" and found <= 0):
            return None
        return 1 / found if measure.kind == "ratio" else -found

    return {
        "estimate": other(row["estimate"]), "conf_low": other(row["conf_high"]), "conf_high": other(row["conf_low"]),
    }  # fmt: skip


def _listed(context: Context, block: Block, rows: Sequence[Row], measure: Measure, title: str) -> Table:
    body = [
        text_row(
            [
                f"{row['row']} vs {row['column']}", sentence(str(row["evidence"] or "")), published(context, row["studies"]),
                printed(context, row, measure), _p(context, row["p_value"]),
            ],
            result=block.id,
        )
        for row in rows
    ]  # fmt: skip
    heads = [
        "Comparison",
        "Evidence",
        "Studies",
        f"{measure.title} ({context.level_name(None)})",
        context.style.p.letter,
    ]
    return published_table(context, id=block_anchor(block), title=title, heads=heads, rows=body, left=2)


def _p(context: Context, value: Value) -> str:
    found = known(value)
    return EM_DASH if found is None else numbers.p_value(found, context.style)


# -- agreement ---------------------------------------------------------------------------------------------------------


def node_splitting(context: Context, block: Block) -> list[Table]:
    """Direct and indirect evidence of each comparison, and how far they differ."""
    rows = block.rows()
    if not rows:
        return []
    measure = measure_in(block)
    body = []
    for row in rows:
        share = known(row["direct_share"])
        values = [_alone(context, row[name], measure) for name in ("network", "direct", "indirect")]
        differs = row | {"estimate": row["difference"]}
        body.append(
            text_row(
                [
                    f"{row['treatment_1']} vs {row['treatment_2']}", published(context, row["studies"]),
                    EM_DASH if share is None else f"{number_text(context, 100 * share, 0)}%", *values,
                    printed(context, differs, measure), _p(context, row["p_value"]),
                ],
                result=block.id,
            )
        )  # fmt: skip
    difference = f"Ratio of {measure.words}s" if measure.kind == "ratio" else "Difference"
    return [
        published_table(
            context, id=block_anchor(block), title=titled(context, f"Direct and indirect evidence, {measure.words}", block),
            heads=[
                "Comparison", "Studies", "Direct share", "Network", "Direct", "Indirect",
                f"{difference} ({context.level_name(None)})", context.style.p.letter,
            ],
            rows=body,
            notes=[
                f"{difference}: direct against indirect evidence, with the P value of their disagreement. Direct share: the share of the "
                "network estimate that studies of this comparison gave."
            ],
        )
    ]  # fmt: skip


def _alone(context: Context, value: Value, measure: Measure) -> str:
    return printed(context, {"estimate": value}, measure)


def design_decomposition(context: Context, block: Block) -> list[Table]:
    """Cochran's Q of a network, in parts."""
    body, source = [], ""
    for row in block.rows():
        nested = row["design"] is not None
        if nested and not known(row["df"]):
            continue
        if nested and row["source"] != source:
            source = str(row["source"])
            body.append(text_row([sentence(source)]))
        head = str(row["design"]) if nested else sentence(str(row["source"] or ""))
        df = number_text(context, row["df"], 0)
        cells = [head, number_text(context, row["q"], 2), df, _p(context, row["p_value"])]
        body.append(text_row(cells, result=block.id, indent=int(nested), strong=not nested))
    if not body:
        return []
    return [
        published_table(
            context, id=block_anchor(block), title=titled(context, "Heterogeneity and inconsistency of the network", block),
            heads=["Source", "Q", "Degrees of freedom", context.style.p.letter], rows=body,
            notes=[
                "Design: the set of treatments that a study compared. Within designs: heterogeneity between studies of one design. Between "
                "designs: inconsistency, direct and indirect evidence disagree."
            ],
        )
    ]  # fmt: skip
