"""A review in R: the effects that each analysis pools, and the calls of metafor and netmeta that pool them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

import polars as pl

from counterpulse.data.design import level_text
from counterpulse.data.patient_table import PatientTable
from counterpulse.data.terms import Numeric, Term, variables_of
from counterpulse.expression import r_name, r_text
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.protocol.scope import study_scope
from counterpulse.results import EstimateRow, StudyResult
from counterpulse.study.export.part import Part, parts_of
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.patients.samples import keep_rule, make_samples
from counterpulse.study.patients.strata import stratum_column
from counterpulse.study.reviewing.columns import EVENTS, PATIENTS, ROW, STUDY, VI, YI

POOLED, NETWORK = "meta-analysis", "network-meta-analysis"
TESTS: Mapping[str, str] = {
    "hartung-knapp": "knha", "hartung-knapp-truncated": "adhoc", "wald": "z", "t": "t",
}  # fmt: skip
PREDICTED: Mapping[str, tuple[str, str]] = {
    "normal": ("z", "Inf"), "HTS": ("z", "fit$k - 2"), "k-1": ("z", "fit$k - 1"), "HK": ("knha", "fit$k - 1"), "HK-trunc": ("adhoc", "fit$k - 1"),
    "HK-PR": ("knha", "fit$k - 2"),
}  # fmt: skip
"""The standard error and the degrees of freedom of each prediction interval."""
MODELS: Mapping[str, str] = {
    "unconditional-fixed": "UM.FS", "unconditional-random": "UM.RS", "conditional-approximate": "CM.AL", "conditional-exact": "CM.EL",
}  # fmt: skip
SHORT: Mapping[str, str] = {"odds ratio": "OR", "risk ratio": "RR", "risk difference": "RD"}
NATURAL: Mapping[str, str] = {
    "log": "exp", "logit": "plogis", "fisher-z": "tanh", "arcsine": "function(x) sin(x)^2", "identity": "identity",
}  # fmt: skip
COUNTS = "ai = events_1, n1i = n_1, ci = events_2, n2i = n_2, data = d"
SAME_TAU2 = ("DL",)
"""Estimators that netmeta has in the same form where studies have several arms."""
FILLED = "trim and fill"


def review_script(plan: Plan, result: StudyResult) -> str:
    """The script as a text; it reads ``effects.csv`` and ``expected.csv`` and writes ``compared.csv``."""
    return "\n".join([*_head(plan), *_analyses(plan, result), "", 'finish("expected.csv")', ""])


def _head(plan: Plan) -> Iterator[str]:
    yield f"# {' '.join(plan.protocol.study.title.split())}"
    yield f"# Repeats the pooled effects of the protocol {plan.protocol_digest} with the R packages metafor and netmeta."
    yield "# Run it in this folder:  Rscript analysis.R      Every result stands in compared.csv."
    yield "# effects.csv holds the effects that each analysis pools, on the scale of pooling, with the counts behind them."
    yield ""
    yield 'source("functions.R", encoding = "UTF-8")'
    yield 'effects <- read.csv("effects.csv", check.names = FALSE, na.strings = "", encoding = "UTF-8")'


def _analyses(plan: Plan, result: StudyResult) -> Iterator[str]:
    for analysis in plan.analyses:
        rows = [row for row in result.estimates if row.analysis == analysis.id]
        yield ""
        yield f"# -- {analysis.id}: {analysis.label} {'-' * max(1, 110 - len(analysis.id) - len(analysis.label))}"
        yield f"# {' '.join(analysis.sentence.split())}"
        if not _can(analysis):
            yield f"# {analysis.method} with these options: not exported to R"
            continue
        for part in parts_of(plan, analysis, rows):
            yield from _part(part)


def _can(analysis: PlannedAnalysis) -> bool:
    """Whether a package has the method with its options."""
    option = analysis.options.get
    if analysis.method == NETWORK:
        return option("model") == "common" or option("tau2") in SAME_TAU2
    plain = option("dependence") != "robust" and not option("design_bias")
    return analysis.method == POOLED and plain and option("interval") in TESTS


def _part(part: Part) -> Iterator[str]:
    if part.model not in (None, FILLED):
        return
    whole = [row for row in part.rows if row.subgroup is None]
    yield f"d <- effects_of({r_text(part.analysis.id)}, {r_text(part.outcome.name)})"
    if part.analysis.method == NETWORK:
        yield from _attempt(part.name, _network(part), "netmeta")
    elif part.analysis.options.get("moderators"):
        yield from _attempt(part.name, _regression(part), "metafor")
    elif part.model == FILLED:
        yield from _attempt(part.name, _filled(part), "metafor")
    else:
        counted = ("lme4", "BiasedUrn") if part.option("model") == "generalized-linear" else ()
        yield from _attempt(part.name, _pooled(part, whole), "metafor", *counted)
        for row in part.rows:
            if row.subgroup is not None:
                chosen = f"d <- d[d${r_name(_by(row.subgroup.variable))} %in% {r_text(row.subgroup.level)}, ]"
                yield from _attempt(
                    f"{part.name} {row.subgroup.level}", [chosen, *_pooled(part, [row])], "metafor", *counted
                )


def _attempt(name: str, lines: Sequence[str] | Iterator[str], *packages: str) -> Iterator[str]:
    yield f"attempt({r_text(name)}, local({{"
    yield from (f"  {line}" for line in lines)
    yield f"}}), c({', '.join(map(r_text, packages))}))"


def _pooled(part: Part, rows: Sequence[EstimateRow]) -> Iterator[str]:
    """One pooled effect, and what stands beside it."""
    level, model = part.analysis.level, part.option("model")
    yield f"fit <- {_call(part)}"
    profiled = any(row.estimate.term == "tau2" and row.estimate.interval is not None for row in rows)
    for row in rows:
        estimate, profile = row.estimate, "TRUE" if profiled else "FALSE"
        if estimate.term == "tau2" and model != "three-level":
            yield f"between({r_text(row.id)}, fit, {level!r}, {profile})"
        elif estimate.term == "i2" and model != "three-level":
            p = ", fit$QEp.Wld" if model == "generalized-linear" else ""
            yield f"share({r_text(row.id)}, fit, {level!r}, {profile}{p})"
        elif estimate.term == "new study":
            yield from _predicted(part, row)
        elif estimate.variable is None and isfinite(estimate.value):
            yield f"coefficient({r_text(row.id)}, fit, {NATURAL[estimate.scale]})"


def _predicted(part: Part, row: EstimateRow) -> Iterator[str]:
    """Where a new study is expected, for the models whose interval has a formula of its own."""
    options = part.analysis.options
    if options.get("model") == "generalized-linear":
        test, df = None, "fit$k - 2"
    elif options.get("model") == "random" and options.get("prediction") in PREDICTED:
        test, df = PREDICTED[str(options["prediction"])]
    else:
        return
    fit = "fit" if test is None else _call(part, test)
    yield f"new_study({r_text(row.id)}, {fit}, {NATURAL[row.estimate.scale]}, {df}, {part.analysis.level!r})"


def _call(part: Part, test: str | None = None) -> str:
    """The function of metafor that pools as the analysis does."""
    options, level = part.analysis.options, f"level = {100 * part.analysis.level:g}"
    short, test = SHORT.get(_measure(part), ""), test or TESTS[part.option("interval")]
    match options.get("model"):
        case "mantel-haenszel":
            zero = ', add = 1/2, to = "only0"' if options.get("convention") == "revman-5.4" else ""
            return f"metafor::rma.mh({COUNTS}, measure = {r_text(short)}{zero}, {level})"
        case "peto":
            return f"metafor::rma.peto({COUNTS}, {level})"
        case "generalized-linear":
            if _measure(part) == "proportion":
                return f'metafor::rma.glmm(xi = events_1, ni = n_1, data = d, measure = "PLO", {level})'
            model = MODELS[part.option("glmm")]
            return f"metafor::rma.glmm({COUNTS}, measure = {r_text(short)}, model = {r_text(model)}, {level})"
        case "three-level":
            one = "z" if part.option("interval") == "wald" else "t"
            return f"metafor::rma.mv(yi, vi, random = ~ 1 | study/row, data = d, test = {r_text(one)}, {level})"
        case _:
            return f"metafor::rma(yi, vi, {_asked(part, test)})"


def _asked(part: Part, test: str) -> str:
    method = "EE" if part.option("model") == "common" else part.option("tau2")
    level = f"level = {100 * part.analysis.level:g}"
    return f"data = d, method = {r_text(method)}, test = {r_text(test)}, {level}, control = list(threshold = 1e-10, tol = 1e-12, maxiter = 1000)"


def _measure(part: Part) -> str:
    return part.plan.review.measures[part.outcome.name] if part.plan.review is not None else ""


def _filled(part: Part) -> Iterator[str]:
    """Trim and fill about the pooled effect, with Wald's interval."""
    for row in part.rows:
        fit = f"metafor::trimfill(metafor::rma(yi, vi, {_asked(part, 'z')}))"
        yield f"coefficient({r_text(row.id)}, {fit}, {NATURAL[row.estimate.scale]})"


def _regression(part: Part) -> Iterator[str]:
    """A meta-regression on numbers; factors are coded by each program in its own way."""
    terms = _terms(part.analysis)
    if not all(isinstance(term, Numeric | str) and _is_number(part.plan, term) for term in terms):
        yield "# moderators that are not numbers: not repeated"
        return
    mods = " + ".join(map(_numeric, terms))
    yield f"fit <- metafor::rma(yi, vi, mods = ~ {mods}, {_asked(part, TESTS[part.option('interval')])})"
    index = 1
    for row in part.rows:
        estimate = row.estimate
        if estimate.measure.startswith("change in") and estimate.variable != "permutation":
            index += 1
            yield f"coefficient({r_text(row.id)}, fit, {NATURAL[estimate.scale]}, {index})"
        elif estimate.term == "intercept":
            yield f"coefficient({r_text(row.id)}, fit, {NATURAL[estimate.scale]})"
        elif estimate.measure == "test of moderators":
            yield f"compare({r_text(row.id)}, NA, p = fit$QMp)"
        elif estimate.term == "tau2":
            profile = "TRUE" if estimate.interval is not None else "FALSE"
            yield f"between({r_text(row.id)}, fit, {part.analysis.level!r}, {profile})"


def _terms(analysis: PlannedAnalysis) -> tuple[Term, ...]:
    listed = analysis.options.get("moderators") or ()
    return listed if isinstance(listed, tuple) else ()


def _is_number(plan: Plan, term: Term) -> bool:
    return plan.variables[variables_of(term)[0]].kind == "number"


def _numeric(term: Term) -> str:
    name = r_name(variables_of(term)[0])
    if not isinstance(term, Numeric):
        return name
    return f"I({f'log({name})' if term.log else name} / {term.per!r})"


def _network(part: Part) -> Iterator[str]:
    common = part.option("model") == "common"
    which, tau = ("common", "DL") if common else ("random", part.option("tau2"))
    reference = next((row.estimate.reference for row in part.rows if row.estimate.reference), None)
    if reference is None:
        return
    yield (
        f"fit <- netmeta::netmeta(yi, sqrt(vi), arm_1, arm_2, study, data = d, common = {str(common).upper()}, "
        f"random = {str(not common).upper()}, method.tau = {r_text(tau)}, reference.group = {r_text(reference)}, level = {part.analysis.level!r})"
    )
    for row in part.rows:
        estimate = row.estimate
        if estimate.reference == reference:
            names = f"{r_text(estimate.term)}, {r_text(reference)}, {r_text(which)}"
            yield f"against({r_text(row.id)}, fit, {NATURAL[estimate.scale]}, {names})"
        elif estimate.term == "tau2":
            yield f"compare({r_text(row.id)}, fit$tau2)"
        elif estimate.term == "i2":
            yield f"compare({r_text(row.id)}, fit$I2)"


def effects_frame(plan: Plan, table: PatientTable) -> pl.DataFrame:
    """The effects that each analysis pools: one row an effect, with the variables that analyses read."""
    cohort = make_cohort(plan, table)
    scope = study_scope(plan.protocol, table.dictionary)
    frames = [
        _effects(plan, analysis, outcome, make_samples(plan, analysis, plan.outcomes[outcome], cohort, keep_rule(analysis, scope))[0].sample.frame)
        for analysis in plan.analyses if _can(analysis) for outcome in analysis.outcomes
    ]  # fmt: skip
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame({"analysis": []})


def _effects(plan: Plan, analysis: PlannedAnalysis, outcome: str, frame: pl.DataFrame) -> pl.DataFrame:
    columns = {
        "row": frame[ROW], "study": frame[STUDY], "yi": frame[YI], "vi": frame[VI], "events_1": frame[EVENTS[0]], "n_1": frame[PATIENTS[0]],
        "events_2": frame[EVENTS[1]], "n_2": frame[PATIENTS[1]],
    }  # fmt: skip
    for number, name in enumerate(("treated", "control"), start=1):
        if analysis.method == NETWORK and name in frame.columns:
            columns[f"arm_{number}"] = _labels(plan, name, level_text(frame[name]))
    for name in (name for term in _terms(analysis) for name in variables_of(term)):
        columns[name] = frame[name]
    planned = plan.subgroups
    for variable in planned.by if planned is not None and planned.of == analysis.id else ():
        strata = stratum_column(frame, variable).cast(pl.String)
        columns[_by(variable.variable)] = _labels(plan, variable.variable, strata)
    shown = pl.DataFrame([values.alias(name) for name, values in columns.items()])
    return shown.select(pl.lit(analysis.id).alias("analysis"), pl.lit(outcome).alias("outcome"), pl.all())


def _labels(plan: Plan, name: str, codes: pl.Series) -> pl.Series:
    known = plan.variables[name].levels
    return pl.Series([None if code is None else known.get(code, code) for code in codes.to_list()], dtype=pl.String)


def _by(variable: str) -> str:
    return f"by.{variable}"
