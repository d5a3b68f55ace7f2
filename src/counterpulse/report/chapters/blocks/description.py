"""Patients described beyond Table 1: distributions, crosstabs, missing values, associations, centers, events a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import (
    block_anchor,
    count_text,
    groups_in_order,
    known,
    make_table,
    number_text,
    share_text,
    text_row,
    titled,
)
from counterpulse.report.chapters.blocks.planes import center_funnels, center_rows
from counterpulse.report.chapters.context import SCREEN, Context
from counterpulse.report.chapters.picture import figure
from counterpulse.report.chapters.speech import listed
from counterpulse.report.document import Block as DocumentBlock
from counterpulse.report.document import Cell, Row, Spanner
from counterpulse.report.figures.histograms import Bar, Histograms, Panel, draw_histograms
from counterpulse.report.figures.matrix import Matrix, draw_matrix
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block
from counterpulse.results import Cell as Value

MISSING = "(missing)"
MOST_PATTERNS = 12
MEASURES = {
    "pearson": "Pearson's correlation of two numbers", "spearman": "Spearman's rank correlation of two numbers",
    "point-biserial": "point-biserial correlation of a number and yes/no",
    "correlation ratio": "correlation ratio of a number and several levels", "Cramér's V": "Cramér's V of two categories",
}  # fmt: skip


def distributions(context: Context, block: Block) -> list[DocumentBlock]:
    """Histograms by group, one figure a variable."""
    found: list[DocumentBlock] = []
    names = list(dict.fromkeys(str(name) for name in block.columns["variable"]))
    for variable in names:
        rows = [row for row in block.rows() if row["variable"] == variable]
        groups = groups_in_order(context, [row["group"] for row in rows])
        panels = [_panel(context, group, [row for row in rows if row["group"] == group]) for group in groups]
        drawing = Histograms(
            title=f"Distribution of {context.variable(variable)}", panels=panels, x_label=context.variable(variable, unit=True),
            y_label="Patients of the group, %", style=context.style, width=context.figure_width,
        )  # fmt: skip
        hidden = any(bar.n is None for panel in panels for bar in panel.bars)
        caption = (
            "Bins by the rule of Freedman and Diaconis, rounded. Pale bars at the ends hold all values beyond; a wider bar shows "
            "its patients for each width of the others."
        ) + (" A dash: a count that is not shown." if hidden else "")
        found.append(
            figure(
                context,
                draw_histograms(drawing),
                id=block_anchor(block, *([variable] if len(names) > 1 else [])),
                caption=caption,
            )
        )
    return found


def _panel(context: Context, group: str | None, rows: Sequence[dict[str, Value]]) -> Panel:
    bars = [Bar(known(row["low"]), known(row["high"]), _count(context, row["n"])) for row in rows]
    shown = [bar.n for bar in bars if bar.n is not None]
    note = f"n = {numbers.count(sum(shown), context.style)}" if len(shown) == len(bars) and bars else ""
    return Panel(label=context.group(group), bars=bars, note=note)


def _count(context: Context, value: Value) -> int | None:
    found = known(value)
    return None if found is None or context.count(round(found)) == EM_DASH else round(found)


def crosstabs(context: Context, block: Block) -> list[DocumentBlock]:
    """Two categories against each other, with percentages of the row."""
    lines = block.rows()
    if not lines:
        return []
    rows, columns = str(lines[0]["row_variable"]), str(lines[0]["column_variable"])
    across = [str(level) for level in groups_in_order(context, [line["column"] for line in lines])]
    body = []
    for level in dict.fromkeys(str(line["row"]) for line in lines):
        cells = {str(line["column"]): line for line in lines if str(line["row"]) == level}
        texts = [_crosstab_cell(context, cells.get(column)) for column in across]
        body.append(text_row([_level(context, rows, level), *texts], result=block.id))
    heads = [context.variable(rows), *(_level(context, columns, column) for column in across)]
    title = f"{context.variable(rows)} by {context.variable(columns)}"
    over = [Spanner(context.variable(columns), 1, len(heads) - 1)]
    note = f"{context.style.counted}: percentages of the row. Missing values are counted. Percentages of the columns stand in the bundle."
    return [make_table(context, id=block_anchor(block), title=title, heads=heads, rows=body, notes=[note], over=over)]


def _level(context: Context, variable: str, level: str) -> str:
    return "Missing" if level == MISSING else context.level(variable, level)


def _crosstab_cell(context: Context, line: dict[str, Value] | None) -> str:
    if line is None:
        return EM_DASH
    n, percent = count_text(context, line["n"]), known(line["row_percent"])
    if n == EM_DASH or percent is None:
        return n
    sign = "%" if context.style.percent_sign else ""
    return f"{n} ({numbers.number(percent, 1, context.style)}{sign})"


def missingness(context: Context, block: Block) -> list[DocumentBlock]:
    """Missing values of each variable, by group."""
    lines = block.rows()
    groups = groups_in_order(context, [line["group"] for line in lines if line["group"] is not None])
    columns = [*groups, None] if groups else [None]
    body = []
    for variable in dict.fromkeys(str(line["variable"]) for line in lines):
        cells = {line["group"]: line for line in lines if line["variable"] == variable}
        texts = [_share(context, cells.get(group)) for group in columns]
        body.append(text_row([context.variable(variable), *texts], result=block.id))
    heads = ["Variable", *(context.group(group) for group in groups), "All"]
    title = "Missing values: patients (%)"
    return [make_table(context, id=block_anchor(block), title=title, heads=heads, rows=body)] if body else []


def _share(context: Context, line: dict[str, Value] | None) -> str:
    return EM_DASH if line is None else share_text(context, line["missing"], line["n"])


def missing_patterns(context: Context, block: Block) -> list[DocumentBlock]:
    """Which variables are missing together, the most frequent first."""
    lines = block.rows()
    patterns = list(dict.fromkeys(line["pattern"] for line in lines))
    body = []
    for pattern in patterns[:MOST_PATTERNS]:
        own = [line for line in lines if line["pattern"] == pattern]
        names = [context.variable(str(line["variable"])) for line in own if line["missing"] == "yes"]
        texts = [
            ", ".join(names) or "None: complete",
            str(len(names)),
            count_text(context, own[0]["n"]),
            number_text(context, own[0]["percent"], 1),
        ]
        body.append(text_row(texts, result=block.id))
    notes = [f"The {MOST_PATTERNS} most frequent of {len(patterns)} patterns."] if len(patterns) > MOST_PATTERNS else []
    heads = ("Missing together", "Variables", "Patients", "%")
    title = "Which values are missing together"
    return (
        [make_table(context, id=block_anchor(block), title=title, heads=heads, rows=body, notes=notes)] if body else []
    )


def rows_lost(context: Context, block: Block) -> list[DocumentBlock]:
    """The patients each analysis loses, and which variables they miss; analyses that lose the same share a row."""
    alike: dict[tuple[str, ...], dict[str, list[str]]] = {}
    lines = block.rows()
    for key in dict.fromkeys((line["analysis"], line["outcome"]) for line in lines):
        own = [line for line in lines if (line["analysis"], line["outcome"]) == key]
        whole = next((line for line in own if line["variable"] is None), None)
        if whole is None:
            continue
        why = [
            f"{_said(context, str(line['variable']))} {count_text(context, line['missing'])}"
            for line in own
            if line["variable"] is not None
        ]
        lost = share_text(context, whole["missing"], whole["n"])
        texts = ("; ".join(why) or "nothing", count_text(context, whole["n"]), lost)
        alike.setdefault(texts, {}).setdefault(context.outcome_label(str(key[1])), []).append(str(key[0]))
    body = [text_row([_each(analyses), *texts], result=block.id) for texts, analyses in alike.items()]
    heads = ("Analysis", "Missing", "Patients", "Incomplete (%)")
    notes = ["A patient who misses several variables is counted at each, and once as incomplete."]
    imputed = list(dict.fromkeys(str(line["analysis"]) for line in lines if _imputes(context, str(line["analysis"]))))
    if imputed:
        notes.append(f"Missing values were imputed in {listed(imputed)}, so that no patient was lost for these.")
    table = make_table(
        context,
        id=block_anchor(block),
        title=f"Patients {'with' if imputed else 'lost to'} missing values, by analysis",
        heads=heads,
        rows=body,
        notes=notes,
        left=2,
    )
    return [table] if body else []


def _imputes(context: Context, analysis: str) -> bool:
    planned = context.planned(analysis)
    return planned is not None and planned.imputation is not None


def _each(analyses: Mapping[str, Sequence[str]]) -> str:
    """Outcomes with the analyses of each: "A1, S2: In-hospital death"."""
    return "\n".join(f"{', '.join(ids)}: {outcome}" for outcome, ids in analyses.items())


def _said(context: Context, name: str) -> str:
    return context.outcome_label(name) if name in context.plan.outcomes else context.variable(name)


def associations(context: Context, block: Block) -> list[DocumentBlock]:
    """The triangle of associations."""
    lines = block.rows()
    names = list(dict.fromkeys([*(str(line["row"]) for line in lines), *(str(line["column"]) for line in lines)]))
    if len(names) < 2:
        return []
    at = {name: k for k, name in enumerate(names)}
    cells = {}
    for line in lines:
        i, j = sorted((at[str(line["row"])], at[str(line["column"])]), reverse=True)
        value = known(line["value"])
        cells[i, j] = (number_text(context, line["value"], 2), None if value is None else abs(value))
    matrix = Matrix(
        title="How strongly the variables hang together", labels=[context.variable(name) for name in names], cells=cells
    )
    used = [MEASURES.get(str(name), str(name)) for name in dict.fromkeys(line["measure"] for line in lines)]
    n = count_text(context, lines[0]["n"])
    caption = f"Columns go by the numbers of the rows; the darker, the stronger. {'; '.join(used)}. Of the {n} patients without a missing value."
    if n == EM_DASH:
        caption = caption.replace(f"the {n} patients", "the patients")
    return [figure(context, draw_matrix(matrix), id=block_anchor(block), caption=caption)]


def variance_inflation(context: Context, block: Block) -> list[DocumentBlock]:
    """How much the variables of a set inflate one another's variances."""
    body = [
        text_row(
            [
                context.variable(str(row["variable"])), number_text(context, row["df"], 0),
                number_text(context, row["gvif"], 2), number_text(context, row["per_column"], 2),
            ],
            result=block.id,
        )
        for row in block.rows()
    ]  # fmt: skip
    note = (
        "GVIF: the generalized factor of Fox and Monette for all columns of a variable; GVIF^(1/(2 df)): how many times larger "
        "the standard error of a coefficient is because of the other variables. A dash: variables of the set determine one "
        "another, or one does not vary."
    )
    heads = ("Variable", "df", "GVIF", "GVIF^(1/(2 df))")
    table = make_table(
        context, id=block_anchor(block), title="Variance inflation", heads=heads, rows=body, notes=[note]
    )
    return [table] if body else []


def centers(context: Context, block: Block) -> list[DocumentBlock]:
    """The funnel plot, and its numbers."""
    body = [text_row(texts, result=block.id) for texts in center_rows(context, block)]
    outer = "99.8% limits, %".replace(".", context.style.decimal_mark)
    heads = ("Center", "Patients", "Events", "Risk, %", "95% limits, %", outer)
    title = titled(context, "Centers", block)
    table = make_table(context, id=block_anchor(block, "table"), title=title, heads=heads, rows=body)
    return [*center_funnels(context, block), *([table] if body else [])]


def per_parameter(context: Context, block: Block) -> list[DocumentBlock]:
    """Events for each parameter of every model."""
    body = []
    for row in block.rows():
        if str(row["model"]).startswith(SCREEN):
            continue
        model = f" ({row['model']})" if row["model"] else ""
        head = f"{row['analysis']}, {context.outcome_label(str(row['outcome']))}{model}"
        texts = [
            count_text(context, row["n"]),
            count_text(context, row["events"]),
            number_text(context, row["parameters"], 0),
        ]
        body.append(
            Row(
                (
                    Cell(head),
                    *(Cell(words, block.id) for words in texts),
                    Cell(number_text(context, row["ratio"], 1), block.id),
                )
            )
        )
    note = (
        "Events: of a binary outcome the events or the others, whichever are fewer; of a number all patients. Parameters: "
        "coefficients besides the intercept; where covariates are selected, those of all candidates. Below ten (Peduzzi 1996) "
        "a model deserves a second look, though the number ten itself has no proof (van Smeden 2016; Riley 2019)."
    )
    heads = ("Model", "Patients", "Events", "Parameters", "Events a parameter")
    table = make_table(
        context,
        id=block_anchor(block),
        title="Events for each parameter of the models",
        heads=heads,
        rows=body,
        notes=[note],
    )
    return [table] if body else []
