"""How well a model, a score or a stated risk predicts, in R."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.data.terms import variables_of
from counterpulse.expression import r_name, r_text
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_kinds import CONTROL
from counterpulse.study.export.r_models import has_number, listed
from counterpulse.study.export.r_terms import formula, prepared

C, DIFFERENCE, BENEFIT = "c-statistic", "difference in c-statistic", "net benefit"
ACCURACY = (
    "Brier score", "scaled Brier score", "expected/observed ratio", "calibration intercept", "calibration slope",
    "integrated calibration index", "E50", "E90",
)  # fmt: skip


def prediction_lines(part: Part) -> Iterator[str]:
    """Discrimination, calibration, accuracy and net benefit for a yes/no outcome; those by a time are not repeated."""
    if part.outcome.kind != "binary":
        return
    rows = [row for row in part.rows if has_number(row)]
    if part.terms:
        yield from _predictor(part, "model", rows, [name for term in part.terms for name in variables_of(term)])
    for kind in ("score", "risk"):
        name = part.analysis.options.get(kind)
        if name is not None:
            yield from _predictor(part, str(name), rows, [str(name)], kind=kind)
    for name in part.names("compare"):
        yield from _compared(part, name, rows)


def _predictor(
    part: Part, name: str, rows: Sequence[EstimateRow], columns: Sequence[str], kind: str = "model"
) -> Iterator[str]:
    outcome = r_name(part.outcome.name)
    yield f"d <- complete(sample, c({', '.join(map(r_text, (part.outcome.name, *columns)))}))"
    yield f"event <- d${outcome}"
    if kind == "model":
        yield from prepared(part.terms, dict(part.kinds))
        yield f"fit <- glm({outcome} ~ {formula(part.terms)}, family = binomial, data = d, {CONTROL})"
        yield "score <- predict(fit); risk <- fitted(fit)"
    else:
        yield f"score <- d${r_name(name)}"
        yield "risk <- score" if kind == "risk" else "risk <- recalibrated(event, score)"
    own = [row for row in rows if row.estimate.term.split(", ")[0] == name]
    level = f"level = {part.analysis.level!r}"
    logit = "TRUE" if part.option("interval") == "logit" else "FALSE"
    for row in own:
        if row.estimate.measure == C:
            yield f"discrimination({r_text(row.id)}, event, score, {level}, logit = {logit})"
        elif row.estimate.measure == BENEFIT:
            threshold = float(row.estimate.term.rpartition(" ")[2].removesuffix("%")) / 100
            yield f"net_benefit({r_text(row.id)}, event, risk, {threshold!r}, {level})"
    ids: dict[str, str | None] = {row.estimate.measure: row.id for row in own if row.estimate.measure in ACCURACY}
    if ids:
        yield f"accuracy({listed(ids)}, event, risk, {level})"
    for row in (
        row for row in rows if row.estimate.measure == DIFFERENCE and row.estimate.term.startswith(f"{name} less ")
    ):
        other = f"d${r_name(str(row.estimate.reference))}"
        known = f"!is.na({other})"
        yield f"discrimination_difference({r_text(row.id)}, event[{known}], score[{known}], {other}[{known}], {level})"


def _compared(part: Part, name: str, rows: Sequence[EstimateRow]) -> Iterator[str]:
    """A further score, among those who have the first predictor too."""
    first = [name for term in part.terms for name in variables_of(term)] or [
        str(part.analysis.options[kind]) for kind in ("score", "risk") if part.analysis.options.get(kind) is not None
    ][:1]
    found = next((row for row in rows if (row.estimate.measure, row.estimate.term) == (C, name)), None)
    if found is not None:
        columns = ", ".join(map(r_text, (part.outcome.name, *first, name)))
        yield f"d <- complete(sample, c({columns}))"
        outcome, score = f"d${r_name(part.outcome.name)}", f"d${r_name(name)}"
        yield f"discrimination({r_text(found.id)}, {outcome}, {score}, level = {part.analysis.level!r})"
