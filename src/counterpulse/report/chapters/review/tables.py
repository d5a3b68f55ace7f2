"""Tables of syntheses: all of them side by side, subgroups, corrected effects, a meta-regression, a network against its reference."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.block_tables import make_table, without_columns
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.results.effects import ROLES
from counterpulse.report.chapters.review.numerals import (
    I2,
    TAU,
    TAU2,
    interval_name,
    limits,
    patients_words,
    q_words,
    share,
    tested,
    variance,
)
from counterpulse.report.chapters.review.results_words import coefficient_name, moderator
from counterpulse.report.chapters.review.synthesis import (
    BAYESIAN,
    CHANGE,
    NETWORK,
    SEQUENTIAL,
    Synthesis,
    corrected,
    detail,
    label_of,
    main_rows,
    studies_of,
    syntheses,
)
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Cell, Column, Footnote, Row, Table
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import AnalysisRecord, EstimateRow

PREDICTION = "Prediction interval"
OPTIONAL = ("Patients", PREDICTION, TAU2, f"{I2}, %")
UNPRINTED = "A dash: not defined for the model, or not printed by every study."


def all_syntheses(context: Context) -> Table | None:
    """Every pooled effect in one table, under its role."""
    found = syntheses(context)
    if not found:
        return None
    rows: list[Row] = []
    for role, title in ROLES.items():
        own = [item for item in found if item.record.role == role]
        rows += [Row((Cell(title),), strong=True)] if own else []
        rows += [_row(context, item) for item in own]
    measures = list(dict.fromkeys(item.effect.estimate.measure for item in found))
    one = measure_of(measures[0]) if len(measures) == 1 else None
    levels = list(dict.fromkeys(context.level_name(item.effect) for item in found))
    effect = f"{one.title if one else 'Effect'}\n({levels[0] if len(levels) == 1 else 'CI'})"
    heads = ("Analysis", "Studies", "Patients", effect, PREDICTION, TAU2, f"{I2}, %", context.style.p_head)
    table = Table(
        id="all-analyses", label=context.counter.table(), title="Every synthesis: the pooled effect and how far studies differ",
        columns=tuple(Column(Cell(head), "center" if k else "left") for k, head in enumerate(heads)), rows=tuple(rows),
        footnotes=tuple(Footnote("", words) for words in _notes(context, found)), wide=False,
    )  # fmt: skip
    return without_columns(table, of=(*OPTIONAL, context.style.p_head))


def _row(context: Context, item: Synthesis) -> Row:
    row = item.effect
    measures = {other.effect.estimate.measure for other in syntheses(context)}
    named = f" ({measure_of(row.estimate.measure).words})" if len(measures) > 1 else ""
    label = label_of(context, item.record, item.outcome)
    between = item.between.estimate.value if item.between is not None else None
    squared = None if between is None or between != between else between**2 if item.bayesian else between
    return Row(
        (
            Cell(f"{item.record.id}. {label}{named}"),
            Cell(EM_DASH if item.studies is None else numbers.count(item.studies, context.style)),
            Cell(patients_words(context, item)), Cell(context.effect(row), row.id),
            Cell(limits(context, item.prediction, like=item.effect), item.prediction.id if item.prediction else None),
            Cell(EM_DASH if squared is None else numbers.number(squared, 3, context.style), item.between.id if item.between else None),
            Cell(share(context, item.share).partition(" ")[0], item.share.id if item.share else None),
            context.p(tested(context, row), f"{row.id}.p"),
        ),
        indent=1,
    )  # fmt: skip


def _notes(context: Context, found: Sequence[Synthesis]) -> list[str]:
    groups = [group.label for group in context.plan.groups]
    compared = any(item.effect.estimate.reference is not None for item in found)
    notes = [f"Effects compare {groups[0]} with {groups[1]}."] if compared and len(groups) > 1 else []
    notes.append(
        f"{TAU2}: variance between studies, on the scale on which effects are pooled; {I2}: share of the variability that it brings. "
        f"{PREDICTION}: where the true effect of a new study is expected. {UNPRINTED}"
    )
    methods = {item.record.method for item in found}
    if BAYESIAN in methods:
        ids = ", ".join(dict.fromkeys(item.record.id for item in found if item.bayesian))
        notes.append(
            f"{ids}: posterior median with credible interval; {TAU2} is the square of the posterior median of {TAU}."
        )
    if SEQUENTIAL in methods:
        ids = ", ".join(dict.fromkeys(item.record.id for item in found if item.record.method == SEQUENTIAL))
        notes.append(f"{ids}: the interval allows for every look at the growing evidence.")
    if any(context.withheld(item.effect) for item in found):
        notes.append(f"No {context.style.p_head} of secondary analyses: no adjustment for multiplicity was planned.")
    kept = dict.fromkeys(item.effect.estimate.status.text for item in found if not context.printed(item.effect))
    return [*notes, *kept]


# -- subgroups ---------------------------------------------------------------------------------------------------------


def subgroup_table(context: Context, record: AnalysisRecord) -> list[Table]:
    """The groups of studies by each variable, with one test between them."""
    rows = [row for row in context.rows(record.id) if row.subgroup is not None and row.role != "covariate"]
    if not rows:
        return []
    body: list[Row] = []
    tests = {
        (row.outcome, str(row.estimate.variable)): row
        for row in context.rows(record.id)
        if row.estimate.measure == "interaction"
    }
    for outcome, name in dict.fromkeys((row.outcome, row.subgroup.variable) for row in rows if row.subgroup):
        test = tests.get((outcome, name))
        several = f": {inside(context.outcome_label(outcome))}" if len({row.outcome for row in rows}) > 1 else ""
        p = context.p(context.tested(test), f"{test.id}.p") if test is not None else Cell(context.style.blank)
        body.append(
            Row((Cell(f"{context.variable(name, unit=True)}{several}"), Cell(), Cell(), Cell(), p), strong=True)
        )
        for row in rows:
            if row.outcome == outcome and row.subgroup is not None and row.subgroup.variable == name:
                k = detail(context, record.id, outcome, f"{name}={row.subgroup.level}.studies")
                body.append(
                    Row(
                        (
                            Cell(row.subgroup.level.replace(">=", "≥").replace("<=", "≤")), Cell(EM_DASH if k is None else numbers.count(round(k), context.style)),
                            Cell(EM_DASH if row.n is None else numbers.count(row.n, context.style)), Cell(context.effect(row), row.id), Cell(""),
                        ),
                        indent=1,
                    )
                )  # fmt: skip
    measure = measure_of(rows[0].estimate.measure)
    heads = (
        "Group of studies",
        "Studies",
        "Patients",
        f"{measure.title}\n({context.level_name(rows[0])})",
        f"{context.style.p_head} between groups",
    )
    table = Table(
        id=f"subgroups-{record.id}", label=context.counter.table(), title=f"Groups of studies in {record.id}",
        columns=tuple(Column(Cell(head), "center" if k else "left") for k, head in enumerate(heads)), rows=tuple(body),
        footnotes=(Footnote("", "Groups are compared across studies, not by randomization."),),
    )  # fmt: skip
    return [without_columns(table, of=("Studies", "Patients"))]


# -- corrected effects -------------------------------------------------------------------------------------------------


def corrected_tables(context: Context, record: AnalysisRecord) -> list[Table]:
    """The main effect, and under it what it would be if small-study effects came from selective publication."""
    tables = []
    for main in main_rows(context, record.id):
        rows = corrected(context, record.id, main.outcome)
        if not rows:
            continue
        measure = measure_of(main.estimate.measure)
        body = [_corrected(context, main, f"As planned ({record.id})", strong=True)]
        body += [_corrected(context, row, sentence(str(row.model))) for row in rows]
        several = f", {inside(context.outcome_label(main.outcome))}" if len(context.plan.outcomes) > 1 else ""
        tables.append(
            make_table(
                context, id=f"corrected-{record.id}-{main.outcome}", title=f"The effect of {record.id} corrected for small-study effects{several}",
                heads=["Method", f"{measure.title} ({context.level_name(main)})", context.style.p_head], rows=body, of_patients=False,
                notes=[
                    "Each correction rests on an assumption about why small studies differ that cannot be tested; together they show how far the "
                    "result depends on it."
                ],
            )
        )  # fmt: skip
    return [without_columns(table, of=(context.style.p_head,)) for table in tables]


def _corrected(context: Context, row: EstimateRow, label: str, *, strong: bool = False) -> Row:
    return Row(
        (Cell(label), Cell(context.effect(row), row.id), context.p(tested(context, row), f"{row.id}.p")), strong=strong
    )


# -- meta-regression ---------------------------------------------------------------------------------------------------


def regression_tables(context: Context, record: AnalysisRecord) -> list[Table]:
    """Coefficients with what the moderators explain and leave."""
    tables = []
    for outcome in dict.fromkeys(row.outcome for row in context.rows(record.id)):
        rows = [
            row for row in context.rows(record.id) if row.outcome == outcome and row.estimate.variable != "permutation"
        ]
        slopes = [row for row in rows if row.estimate.measure.startswith(CHANGE)]
        if not slopes:
            continue
        name = sentence(coefficient_name(context, slopes[0]))
        body = [
            Row(
                (
                    Cell(sentence(moderator(context, row))),
                    Cell(context.effect(row), row.id),
                    context.p(context.tested(row), f"{row.id}.p"),
                )
            )
            for row in slopes
        ]
        tables.append(
            Table(
                id=f"regression-{record.id}-{outcome}", label=context.counter.table(), title=f"Meta-regression {record.id}: {inside(context.outcome_label(outcome))}",
                columns=(Column(Cell("Moderator"), "left"), Column(Cell(f"{name}\n({context.level_name(slopes[0])})")), Column(Cell(context.style.p_head))),
                rows=tuple(body), footnotes=tuple(Footnote("", words) for words in _of_the_model(context, record, outcome, rows)),
            )
        )  # fmt: skip
    return [without_columns(table, of=(context.style.p_head,)) for table in tables]


def _of_the_model(context: Context, record: AnalysisRecord, outcome: str, rows: Sequence[EstimateRow]) -> list[str]:
    """Studies, the test of all moderators, R², and the variance that is left."""
    style = context.style
    notes = []
    if (k := studies_of(context, record.id, outcome)) is not None:
        without = detail(context, record.id, outcome, "studies_without_moderators")
        left = (
            f"; {round(without)} without a value of a moderator {'is' if round(without) == 1 else 'are'} left out"
            if without
            else ""
        )
        notes.append(f"Studies: {numbers.count(k, style)}{left}.")
    by_term = {row.estimate.term: row for row in rows if row.role == "covariate"}
    test = by_term.get("moderators")
    if test is not None and test.estimate.statistic is not None and test.estimate.p_value is not None:
        item = test.estimate
        notes.append(
            f"Test of moderators: {item.statistic_name} = {numbers.number(item.statistic or 0.0, 2, style)}, {numbers.p_phrase(item.p_value or 0.0, style)}."
        )
    explained = detail(context, record.id, outcome, "r_squared")
    alone = detail(context, record.id, outcome, "tau_squared_without_moderators")
    if (left_over := by_term.get("tau2")) is not None:
        before = f" (without moderators {numbers.number(alone, 3, style)})" if alone is not None else ""
        share_ = (
            f"; R\N{SUPERSCRIPT TWO} = {numbers.number(100 * explained, 0, style)}%" if explained is not None else ""
        )
        notes.append(
            f"Variance left between studies: {TAU2} = {variance(context, left_over)}{before}{share_}; test of what is left: {q_words(context, left_over)}."
        )
    permuted = [
        row
        for row in context.rows(record.id)
        if row.outcome == outcome and row.estimate.variable == "permutation" and row.estimate.p_value is not None
    ]
    if permuted:
        said = "; ".join(
            f"{inside(context.variable(row.estimate.term.partition('=')[0]))}, {numbers.p_phrase(row.estimate.p_value or 0.0, style)}"
            for row in permuted
        )
        notes.append(f"By permutation: {said}.")
    notes.append(
        "A ratio of ratios below 1: the effect is lower in studies with more of the moderator. Studies, not patients, are compared."
        if any(row.estimate.scale == "log" for row in rows)
        else "Studies, not patients, are compared."
    )
    return notes


# -- networks ----------------------------------------------------------------------------------------------------------


def network_tables(context: Context, record: AnalysisRecord) -> list[Table]:
    """Every treatment against the reference."""
    if record.method != NETWORK:
        return []
    tables = []
    rows = [row for row in context.rows(record.id) if row.role != "covariate" and row.estimate.reference is not None]
    for outcome in dict.fromkeys(row.outcome for row in rows):
        own = [row for row in rows if row.outcome == outcome]
        measure, reference = measure_of(own[0].estimate.measure), context.group(own[0].estimate.reference)
        several = f": {inside(context.outcome_label(outcome))}" if len(context.plan.outcomes) > 1 else ""
        tables.append(
            Table(
                id=f"estimates-{record.id}-{outcome}", label=context.counter.table(), title=f"Every treatment against {reference} ({record.id}){several}",
                columns=(Column(Cell("Treatment"), "left"), Column(Cell(f"{measure.title}\n({interval_name(context, own[0])})")), Column(Cell(context.style.p_head))),
                rows=tuple(
                    Row((Cell(context.group(row.estimate.term)), Cell(context.effect(row), row.id), context.p(context.tested(row), f"{row.id}.p"))) for row in own
                ),
                footnotes=(Footnote("", "Network estimates: direct and indirect evidence together."),),
            )
        )  # fmt: skip
    return [without_columns(table, of=(context.style.p_head,)) for table in tables]
