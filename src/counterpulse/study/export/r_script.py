"""The R script of a bundle: the study written out once more, each estimate repeated and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from counterpulse.data.dictionary import Dictionary
from counterpulse.expression import R_FUNCTIONS, parse, r_name, r_text, to_r
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.protocol.scope import study_scope
from counterpulse.protocol.words import HOURS
from counterpulse.results import Cell, EstimateRow, StudyResult
from counterpulse.study.catalog import METHODS
from counterpulse.study.export.part import Part, Shared, parts_of
from counterpulse.study.export.r_balanced import BALANCED_METHODS, balanced_lines, differences_of
from counterpulse.study.export.r_imputed import imputation_lines, in_every_table
from counterpulse.study.export.r_methods import R_METHODS, Exported
from counterpulse.study.export.r_study import FOLLOWED, compared, study_lines
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.patients.samples import FOREVER
from counterpulse.study.request import dead_column

PIECES = ("functions.R", "models.R", "methods.R", "doubly_robust.R", "rubin.R", "balanced.R", "review.R")


@dataclass(frozen=True, slots=True)
class Remade:
    """Of each analysis of imputed tables the file with what is filled in, and its splines with the knots that the tables share."""

    files: Mapping[str, str]
    shared: Shared


def r_script(plan: Plan, dictionary: Dictionary, result: StudyResult, remade: Remade) -> str:
    """The script as a text; it reads ``patients.csv`` and ``expected.csv`` and writes ``compared.csv``.

    `remade` is what the script is given of imputed tables.
    """
    lines = [*_head(plan), *study_lines(plan, dictionary), *imputation_lines(plan, dictionary, remade.files)]
    for analysis in plan.analyses:
        rows = [row for row in result.estimates if row.analysis == analysis.id]
        if rows:
            lines += _analysis(plan, dictionary, analysis, rows, (result, remade))
    return "\n".join([*lines, "", 'finish("expected.csv")', ""])


def functions() -> str:
    """The functions that the script calls."""
    folder = files("counterpulse.study.export")
    own = "\n".join((folder / name).read_text(encoding="utf-8") for name in PIECES)
    return f"{own}\n# -- spans of time in calendar months {'-' * 82}\n\n{R_FUNCTIONS}"


def _head(plan: Plan) -> Iterator[str]:
    yield f"# {' '.join(plan.protocol.study.title.split())}"
    yield f"# Repeats the estimates of the protocol {plan.protocol_digest} in R."
    yield "# Run it in this folder:  Rscript analysis.R      Every result stands in compared.csv."
    yield ""
    yield 'source("functions.R", encoding = "UTF-8")'


def _analysis(
    plan: Plan,
    dictionary: Dictionary,
    analysis: PlannedAnalysis,
    rows: Sequence[EstimateRow],
    known: tuple[StudyResult, Remade],
) -> Iterator[str]:
    """The code of an analysis; `known` are the bundle and what the script is given of imputed tables."""
    result, remade = known
    yield ""
    yield f"# -- {analysis.id}: {analysis.label} {'-' * max(1, 110 - len(analysis.id) - len(analysis.label))}"
    yield f"# {' '.join(analysis.sentence.split())}"
    if analysis.method not in _methods(analysis) or analysis.estimator:
        yield f"# {analysis.estimator or analysis.method}: not exported to R"
        return
    details = result.details.get(analysis.id, {})
    for part in parts_of(plan, analysis, rows, remade.shared):
        yield ""
        patients = [*_sample(part, dictionary, details), *balanced_lines(part, differences_of(part, result))]
        if not part.imputations:
            yield from ("patients <- observed", *patients) if remade.files else patients
        for one in (part, *_companions(part)):
            lines, packages = _method(one)
            yield f"attempt({r_text(one.name)}, {{"
            if part.imputations:
                yield from in_every_table(part, remade.files[analysis.id], [*patients, *lines])
            else:
                yield from (f"  {line}" for line in lines)
            yield f"}}{f', c({packages})' if packages else ''})"


def _methods(analysis: PlannedAnalysis) -> Mapping[str, Exported]:
    return R_METHODS if analysis.balancing is None else BALANCED_METHODS


def _method(part: Part) -> tuple[list[str], str]:
    """The code of a method, and the packages it needs."""
    method = _methods(part.analysis)[part.analysis.method]
    return list(method.lines(part)), ", ".join(map(r_text, dict.fromkeys(method.packages(part))))


def _companions(part: Part) -> Iterator[Part]:
    """Further methods on the same sample."""
    for name in part.analysis.companions:
        if name in _methods(part.analysis):
            options = {option.name: option.shared(part.analysis.options) for option in METHODS[name].options}
            other = replace(part.analysis, method=name, options=options, measures=METHODS[name].measures[:1])
            yield replace(part, analysis=other, rows=[row for row in part.rows if row.method == name])


def _sample(part: Part, dictionary: Dictionary, details: Mapping[str, Cell]) -> Iterator[str]:
    """The patients of an analysis, then what its design makes of them."""
    plan, analysis, column = part.plan, part.analysis, part.plan.group_variable
    member = ["eligible"]
    population = plan.populations.get(analysis.population)
    if population is not None and population.rule is not None:
        member.append(f"patients${r_name(population.name)}")
    if analysis.keep is not None:
        rule = to_r(parse(analysis.keep), study_scope(plan.protocol, dictionary))
        member.append(f"unknown_is(with({'observed' if part.imputations else 'patients'}, {rule}), FALSE)")
    if column is not None:
        as_treated = population.analyze_as if population is not None else None
        group = compared(plan, as_treated) if as_treated not in (None, column) else f"patients${r_name(column)}"
        yield f"group <- {group}"
        member.append("!is.na(group)")
    yield f"sample <- patients[{' & '.join(member)}, ]"
    if column is not None:
        yield f"sample${r_name(column)} <- group[{' & '.join(member)}]"
    if _has_design(part):
        yield from _design(part, details)
    truncation = part.outcome.truncation
    if truncation is not None and truncation.plan == "survivors-only":
        yield f"sample <- sample[!unknown_is(sample${r_name(dead_column(part.outcome.name))}, FALSE), ]"
    if part.needed:
        yield f"sample <- complete(sample, c({', '.join(map(r_text, part.needed))}))"


def _has_design(part: Part) -> bool:
    exposure = part.plan.protocol.exposure
    known = exposure is not None and exposure.starts is not None and bool(part.plan.groups)
    return known and part.outcome.of_group is None and part.analysis.maker in ("landmark", "time-varying")


def _design(part: Part, details: Mapping[str, Cell]) -> Iterator[str]:
    group = ", ".join(map(r_text, (str(part.plan.group_variable), part.plan.treated[0], part.plan.reference)))
    timed = part.outcome.kind == "time-to-event"
    hours = HOURS[(part.outcome.time_unit or "days").removesuffix("s")] if timed else 1.0
    names = columns_of(part.outcome.name, "time-to-event")
    mark = part.landmark
    if mark is not None:
        unit = part.outcome.time_unit or "days" if timed else "hours"
        columns = ", ".join(f"sample${r_name(name)}" for name in names)
        followed = f"pmin(sample${FOLLOWED}, {FOREVER:g}), rep(FALSE, nrow(sample))"
        yield f"sample <- at_landmark(sample, {columns if timed else followed}, {hours:g}, {mark.within(unit)!r}, {group})"
        return
    half_step = details.get(f"{part.outcome.name}.half_step")
    columns = ", ".join(map(r_text, names))
    yield f"sample <- split_at_exposure(sample, {columns}, {hours:g}, {half_step or 'NA'}, {group})"
