"""A bundle as SAS: one table an analysis, one procedure a model, the expected numbers beside it.

The tables hold the rows that each model was fitted on, derived and selected by this program; the R script derives and
selects once more by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from counterpulse.data.spline_basis import harrell_knots
from counterpulse.data.terms import Categorical, Interaction, Numeric, Spline, Term, variables_of
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part, of_type, types_of
from counterpulse.study.export.r_terms import is_leveled
from counterpulse.study.patients.measurements import PATIENT
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import cause_column, time_column

Lines = Callable[[Part, str], Iterator[str]]
LONGEST = 32


def sas_name(name: str) -> str:
    """A name as SAS takes it: letters, digits and underscores, at most 32, as a name literal where it must be."""
    plain = _plain(name)
    return plain if re.fullmatch(r"[A-Za-z_]\w*", plain, re.ASCII) and len(plain) <= LONGEST else f"'{plain}'n"


def _plain(name: str) -> str:
    return name.replace(".", "_")


def sas_head(title: str, digest: str) -> Iterator[str]:
    """The options and the macro that reads a table."""
    yield f"/* {' '.join(title.split()).replace('*/', '')}"
    yield f"   Repeats the estimates of the protocol {digest} in SAS 9.4. Run it in this folder; the numbers expected stand"
    yield "   before each procedure, and all of them in expected.csv. */"
    yield "options validvarname=any dlcreatedir;"
    yield '%macro table(name, file); proc import datafile="&file" out=&name dbms=csv replace; guessingrows=max; run; %mend;'


def sas_lines(part: Part, table: str, file: str) -> Iterator[str]:
    """One part: what is expected, the table, the procedure."""
    methods = methods_of(part)
    yield ""
    yield f"/* {part.analysis.id}: {part.analysis.label} - {part.outcome.label}{f' ({part.model})' if part.model else ''} */"
    if not methods:
        yield f"/* {part.analysis.method}: not exported to SAS */"
        return
    yield from (f"/* {_expected(row)} */" for row in repeated_rows(part))
    yield f'%table({table}, "{file}")'
    for one in methods:
        yield from SAS_METHODS[one.analysis.method](one, table)


def repeated_rows(part: Part) -> Iterator[EstimateRow]:
    """The rows whose numbers a procedure prints; below 40 clusters its standard errors are of another kind."""
    for one in methods_of(part):
        measures = SAS_MEASURES.get(one.analysis.method, ())
        yield from (row for row in part.rows if row.subgroup is None and _is_of(row.estimate.measure, measures))


def _is_of(measure: str, measures: Sequence[str]) -> bool:
    return any(measure == item or (item.endswith(" ") and measure.startswith(item)) for item in measures)


def methods_of(part: Part) -> tuple[Part, ...]:
    """The part under each method that a procedure stands for: its own, or that for its type."""
    if part.of_competing_event:
        return ()
    if part.analysis.method != "by-type":
        return (part,) if part.analysis.method in SAS_METHODS else ()
    return tuple(of_type(part, name) for name in types_of(part) if name in SAS_METHODS)


def with_knots(part: Part, frame: pl.DataFrame) -> Part:
    """The splines of a part with the knots that these rows give."""
    return replace(part, terms=tuple(_known(term, frame) for term in part.terms))


def _known(term: Term, frame: pl.DataFrame) -> Term:
    if not isinstance(term, Spline) or isinstance(term.knots, tuple):
        return term
    return replace(
        term, knots=harrell_knots(frame[term.variable].cast(pl.Float64).to_numpy(), term.knots) or term.knots
    )


def _expected(row: EstimateRow) -> str:
    shown = row.estimate.row()
    numbers = (
        f"{name} {shown[name]!r}"
        for name in ("estimate", "conf_low", "conf_high", "p_value")
        if shown[name] is not None
    )
    return f"{row.id}: {', '.join(numbers)}"


def table_columns(part: Part) -> list[str]:
    """The columns that a procedure reads."""
    names = [*columns_of(part.outcome.name, part.outcome.kind)]
    names += [name for term in part.model_terms for name in variables_of(term)]
    names += [part.cluster] if part.cluster else []
    names += part.names("strata")
    names += [str(part.analysis.options[name]) for name in ("stratum", "exposure") if part.analysis.options.get(name)]
    if part.outcome.competing is not None or (
        part.outcome.truncation is not None and part.outcome.truncation.plan == "competing"
    ):
        names.append(cause_column(part.outcome.name))
    return list(dict.fromkeys(names))


def sas_table(frame: pl.DataFrame, part: Part, start: str) -> bytes:
    """The rows of a part as CSV: 0 and 1 for no and yes, codes for categories, a dot for missing numbers left blank."""
    names = [name for name in (start, *table_columns(part), PATIENT) if name in frame.columns]
    columns = [pl.col(name).cast(pl.Int8) if frame.schema[name] == pl.Boolean else pl.col(name) for name in names]
    return frame.select(columns).rename({name: _plain(name) for name in names}).write_csv().encode()


# -- terms -----------------------------------------------------------------------------------------------------------


def _classes(part: Part) -> str:
    """The class statement: every categorical variable with its reference."""
    found = []
    for term in part.model_terms:
        for side in (term.left, term.right) if isinstance(term, Interaction) else (term,):
            if is_leveled(side, dict(part.kinds)):
                own = side.reference if isinstance(side, Categorical) else None
                reference = own or _reference(part, variables_of(side)[0])
                found.append(
                    f"{sas_name(variables_of(side)[0])}(ref={chr(34) + reference + chr(34) if reference else 'first'})"
                )
    return f"class {' '.join(dict.fromkeys(found))} / param=ref;" if found else ""


def _reference(part: Part, name: str) -> str | None:
    """The level that the bundle compared the others with."""
    if name == part.group:
        return part.plan.reference
    return next((row.estimate.reference for row in part.rows if row.estimate.variable == name), None)


def _effects(part: Part) -> Iterator[str]:
    for term in part.model_terms:
        if isinstance(term, Spline):
            knots = " ".join(map(repr, term.knots)) if isinstance(term.knots, tuple) else str(term.knots)
            name = sas_name(term.variable)
            method = "list" if isinstance(term.knots, tuple) else "equal"
            yield f"effect spline_{name} = spline({name} / naturalcubic basis=tpf(noint) knotmethod={method}({knots}));"


def _right(terms: Sequence[Term]) -> str:
    return " ".join(_one(term) for term in terms)


def _one(term: Term) -> str:
    if isinstance(term, Interaction):
        return f"{_one(term.left)}*{_one(term.right)}"
    if isinstance(term, Spline):
        return f"spline_{sas_name(term.variable)}"
    if isinstance(term, Numeric) and (term.log or term.per != 1):
        return f"scaled_{sas_name(term.variable)}"
    return sas_name(variables_of(term)[0])


def _prepared(part: Part, table: str) -> Iterator[str]:
    """A data step for logarithms and units."""
    scaled = [term for term in part.model_terms if isinstance(term, Numeric) and (term.log or term.per != 1)]
    if scaled:
        steps = " ".join(
            f"{_one(term)} = {f'log({sas_name(term.variable)})' if term.log else sas_name(term.variable)} / {term.per:g};"
            for term in scaled
        )
        yield f"data {table}; set {table}; {steps} run;"


# -- procedures ------------------------------------------------------------------------------------------------------


def _procedure(
    part: Part, table: str, head: str, model: str, options: str, more: str = "", first: str = ""
) -> Iterator[str]:
    yield from _prepared(part, table)
    yield f"proc {head} data={table};"
    body = [first, _classes(part), *_effects(part), f"model {model} = {_right(part.model_terms)} / {options};", more]
    yield from (f"  {line}" for line in body if line)
    yield "run;"


def _alpha(part: Part) -> str:
    return f"alpha={round(1 - part.analysis.level, 12):g}"


def _logistic(part: Part, table: str) -> Iterator[str]:
    y = f'{sas_name(part.outcome.name)}(event="1")'
    clusters = part.analysis.clusters
    if clusters is not None:
        yield from CLUSTERED[clusters.treat_as](part, table, y, "dist=bin link=logit")
        return
    profile = "pl" if part.option("interval") == "profile" else "wald"
    firth = " firth" if part.option("penalty") == "firth" else ""
    yield from _procedure(part, table, "logistic", y, f"clodds={profile}{firth} {_alpha(part)}")


def _linear(part: Part, table: str) -> Iterator[str]:
    y, clusters = sas_name(part.outcome.name), part.analysis.clusters
    if clusters is not None:
        yield from CLUSTERED[clusters.treat_as](part, table, y, "dist=normal link=id")
        return
    robust = part.option("variance") == "robust"
    more = "solution hccmethod=3 clparm" if robust else "solution clparm"
    yield from _procedure(part, table, "reg" if robust else "glm", y, f"{more} {_alpha(part)}")


def _robust(part: Part, table: str, y: str, family: str, kind: str = "ind") -> Iterator[str]:
    repeated = f"repeated subject={sas_name(str(part.cluster))} / type={kind}; /* times G/(G-1) */"
    cluster = f"class {sas_name(str(part.cluster))};"
    yield from _procedure(part, table, "genmod", y, f"{family} {_alpha(part)}", repeated, cluster)


def _estimating_equations(part: Part, table: str, y: str, family: str) -> Iterator[str]:
    clusters = part.analysis.clusters
    kind = "exch" if clusters is None else WORKING[clusters.correlation]
    yield from _robust(part, table, y, family, kind)


def _random_intercept(part: Part, table: str, y: str, family: str) -> Iterator[str]:
    cluster = sas_name(str(part.cluster))
    random = f"random intercept / subject={cluster};"
    if "normal" in family:
        yield from _procedure(
            part,
            table,
            "mixed method=reml",
            y,
            f"solution cl ddfm=satterthwaite {_alpha(part)}",
            random,
            f"class {cluster};",
        )
        return
    clusters = part.analysis.clusters
    points = 11 if clusters is None or clusters.quadrature is None else clusters.quadrature
    yield from _procedure(
        part,
        table,
        f"glimmix method=quad(qpoints={points})",
        y,
        f"{family} solution cl {_alpha(part)}",
        random,
        f"class {cluster};",
    )


WORKING = {"independence": "ind", "exchangeable": "exch", "ar1": "ar(1)"}
CLUSTERED: Mapping[str, Callable[[Part, str, str, str], Iterator[str]]] = {
    "robust": _robust, "random-intercept": _random_intercept, "gee": _estimating_equations,
}  # fmt: skip


def _cox(part: Part, table: str) -> Iterator[str]:
    time, event = (sas_name(name) for name in columns_of(part.outcome.name, "time-to-event"))
    split = part.analysis.maker == "time-varying"
    response = f"(start_, {time})*{event}(0)" if split else f"{time}*{event}(0)"
    strata = f"strata {' '.join(map(sas_name, part.names('strata')))};" if part.names("strata") else ""
    cluster = part.cluster
    head = "phreg covs(aggregate)" if cluster else "phreg"
    more = f"{strata} id {sas_name(cluster)};" if cluster else strata
    yield from _procedure(part, table, head, response, f"ties={part.option('ties')} risklimits {_alpha(part)}", more)


def _lifetest(part: Part, table: str) -> Iterator[str]:
    time, event = (sas_name(name) for name in columns_of(part.outcome.name, "time-to-event"))
    at = dict.fromkeys(row.estimate.at.time for row in part.rows if row.estimate.at is not None)
    scale = {"log": "log", "log-log": "loglog", "plain": "linear", "logit": "logit", "arcsine": "asinsqrt"}
    conftype = scale.get(str(part.analysis.options.get("interval", "log")), "log")
    rmst = f" rmst(tau={max(at):g})" if at and part.analysis.method == "rmst" else ""
    listed = f" timelist={' '.join(f'{when:g}' for when in at)} reduceout outsurv={table}_curve" if at else ""
    yield f"proc lifetest data={table} conftype={conftype} {_alpha(part)}{rmst}{listed};"
    yield f"  time {time}*{event}(0);"
    if part.group is not None:
        test = "peto" if part.option("compare_with") == "peto-peto" else "logrank"
        strata = (
            f"{' '.join(map(sas_name, part.names('strata')))} / group={sas_name(part.group)}"
            if part.names("strata")
            else sas_name(part.group)
        )
        yield f"  strata {strata}{' ' if '/' in strata else ' / '}test={test};"
    yield "run;"


def _freq(part: Part, table: str) -> Iterator[str]:
    pair = f"{sas_name(str(part.group))}*{sas_name(part.outcome.name)}"
    yield f"proc freq data={table}; tables {pair} / chisq riskdiff(cl=(newcombe wald)) relrisk(cl=score) {_alpha(part)}; run;"


def _ttest(part: Part, table: str) -> Iterator[str]:
    yield f"proc ttest data={table} {_alpha(part)}; class {sas_name(str(part.group))}; var {sas_name(part.outcome.name)}; run;"


def _count(distribution: str) -> Lines:
    def lines(part: Part, table: str) -> Iterator[str]:
        exposure = part.analysis.options.get("exposure")
        y, offset = sas_name(part.outcome.name), ""
        if exposure is not None:
            yield f"data {table}; set {table}; log_exposure_ = log({sas_name(str(exposure))}); run;"
            offset = " offset=log_exposure_"
        family = f"dist={distribution} link=log{offset}"
        if part.cluster is not None:
            yield from _robust(part, table, y, family)
        elif part.outcome.kind == "binary" or part.analysis.options.get("variance") == "robust":
            yield f"data {table}; set {table}; row_ = _n_; run;"
            repeated = "repeated subject=row_ / type=ind;"
            yield from _procedure(part, table, "genmod", y, f"{family} {_alpha(part)}", repeated, "class row_;")
        else:
            yield from _procedure(part, table, "genmod", y, f"{family} {_alpha(part)}")

    return lines


def _ordinal(part: Part, table: str) -> Iterator[str]:
    yield from _procedure(
        part, table, "logistic descending", sas_name(part.outcome.name), f"link=clogit clodds=wald {_alpha(part)}"
    )


def _quantreg(part: Part, table: str) -> Iterator[str]:
    taus = part.analysis.options.get("quantile", (0.5,))
    quantiles = " ".join(map(str, taus)) if isinstance(taus, tuple) else str(taus)
    kinds = {row.estimate.interval.kind for row in part.rows if row.estimate.interval is not None}
    interval = "rank" if "rank" in kinds else "sparsity/hs"
    yield from _procedure(part, table, f"quantreg ci={interval}", sas_name(part.outcome.name), f"quantile={quantiles}")


def _matched(part: Part, table: str) -> Iterator[str]:
    y, stratum = sas_name(part.outcome.name), part.option("stratum")
    inner = replace(part, terms=tuple(term for term in part.terms if variables_of(term) != (stratum,)))
    yield from _procedure(
        inner, table, "logistic", f'{y}(event="1")', f"clodds=wald {_alpha(part)}", f"strata {sas_name(stratum)};"
    )


def _exact(part: Part, table: str) -> Iterator[str]:
    y = sas_name(part.outcome.name)
    exact = f"exact {_right(part.model_terms)} / estimate=odds;"
    yield from _procedure(part, table, "logistic exactonly", f'{y}(event="1")', _alpha(part), exact)


def _incidence(part: Part, table: str) -> Iterator[str]:
    time, cause = sas_name(time_column(part.outcome.name)), sas_name(cause_column(part.outcome.name))
    at = dict.fromkeys(row.estimate.at.time for row in part.rows if row.estimate.at is not None)
    listed = f" timelist={' '.join(f'{when:g}' for when in at)} reduceout outcif={table}_incidence" if at else ""
    yield f'data {table}; set {table}; cause_ = ({cause}="event") + 2*({cause}="competing"); run;'
    yield f"proc lifetest data={table} conftype=loglog error=delta {_alpha(part)}{listed};"
    yield f"  time {time}*cause_(0) / eventcode=1;"
    if part.group is not None:
        yield f"  strata {sas_name(part.group)};"
    yield "run;"


def _repeated(part: Part, table: str) -> Iterator[str]:
    time = time_column(part.outcome.name)
    besides: tuple[Term, ...] = (time,)
    if part.group is not None and part.analysis.options.get("interaction"):
        besides = (time, Interaction(part.group, time))
    long, patient = replace(part, terms=(*part.terms, *besides)), sas_name(PATIENT)
    y, first = sas_name(part.outcome.name), f"class {patient};"
    if part.option("model") == "gee":
        kind = WORKING[part.option("correlation")]
        repeated = f"repeated subject={patient} / type={kind};"
        yield from _procedure(long, table, "genmod", y, f"dist=normal link=id {_alpha(part)}", repeated, first)
        return
    options = f"solution cl ddfm=satterthwaite {_alpha(part)}"
    yield from _procedure(long, table, "mixed method=reml", y, options, f"random intercept / subject={patient};", first)


SAS_METHODS: Mapping[str, Lines] = {
    "logistic-regression": _logistic, "linear-regression": _linear, "cox": _cox, "kaplan-meier": _lifetest,
    "rmst": _lifetest, "two-proportions": _freq, "two-means": _ttest, "poisson-regression": _count("poisson"),
    "negative-binomial": _count("negbin"), "ordinal-regression": _ordinal, "quantile-regression": _quantreg,
    "conditional-logistic": _matched, "exact-logistic": _exact, "aalen-johansen": _incidence,
    "repeated-measures": _repeated,
}  # fmt: skip
SAS_MEASURES: Mapping[str, tuple[str, ...]] = {
    "logistic-regression": ("odds ratio",), "linear-regression": ("mean difference",), "cox": ("hazard ratio",),
    "kaplan-meier": ("risk", "median survival time", "test of curves"), "rmst": ("rmst", "rmst difference"),
    "two-proportions": ("risk difference", "risk ratio", "odds ratio"), "two-means": ("mean difference",),
    "poisson-regression": ("rate ratio", "risk ratio"), "negative-binomial": ("rate ratio",),
    "ordinal-regression": ("odds ratio",), "quantile-regression": ("median difference", "difference at quantile "),
    "conditional-logistic": ("odds ratio",), "exact-logistic": ("odds ratio",),
    "aalen-johansen": ("cumulative incidence",), "repeated-measures": ("mean difference",),
}  # fmt: skip
"""What each procedure prints; a measure that ends in a blank goes on with a number."""
