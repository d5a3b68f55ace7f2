"""The question of a review: population, exposure, comparator, outcomes, and designs."""

from __future__ import annotations

from counterpulse.protocol.plan import Plan
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import Cell, Row, Section, Table, columns_of, text

TITLE = "The question of the review"


def objectives_section(plan: Plan, *, label: str) -> Section:
    """The question as a sentence and as a table; `label` is that of the table."""
    question = plan.protocol.question
    if question is None:
        return Section(id="objectives", title="Objectives")
    names = [inside(item.label) for item in plan.outcomes.values()]
    labels = listed(names, ";" if any("," in name for name in names) else ",")
    words = (
        f"The objective of this review is to compare {inside(question.exposure)} with {inside(question.comparator)} "
        f"in {inside(question.population)} with respect to {labels}."
    )
    return Section(id="objectives", title="Objectives", blocks=(text(words), _table(plan, label)))


def _table(plan: Plan, label: str) -> Table:
    question = plan.protocol.question
    assert question is not None
    rows = [
        ("Population", sentence(question.population)),
        ("Exposure", sentence(question.exposure)),
        ("Comparator", sentence(question.comparator)),
        *(
            ("Primary outcome" if item.primary else "Outcome", _outcome(plan, name))
            for name, item in plan.outcomes.items()
        ),
        ("Designs", sentence(question.designs) if question.designs else "Not restricted in the protocol"),
    ]
    return Table(
        id="question",
        label=label,
        title=TITLE,
        columns=columns_of(("Element", "In this review")),
        rows=tuple(Row((Cell(element), Cell(words))) for element, words in rows),
        alternative="Population, exposure, comparator, outcomes and designs of the studies that the review asks for.",
    )


def _outcome(plan: Plan, name: str) -> str:
    """An outcome with its measure and which direction is good."""
    outcome, review = plan.outcomes[name], plan.review
    measure = review.measures[name] if review is not None else ""
    better = f"; {outcome.better} is better" if outcome.better else ""
    unit = f", {outcome.unit}" if outcome.unit else ""
    return f"{sentence(outcome.label)}{unit} ({measure}{better})"
