"""A bundle as SAS: one table an analysis, one procedure a model, the expected numbers beside it.

The tables hold the rows that each model was fitted on, derived and selected by this program; the R script derives and
selects once more by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import polars as pl

from counterpulse.data.terms import Categorical, Interaction, Numeric, Spline, Term, variables_of
from counterpulse.results import EstimateRow
from counterpulse.study.export.part import Part
from counterpulse.study.export.r_terms import is_leveled
from counterpulse.study.methods.by_type import chosen
from counterpulse.study.patients.outcomes import columns_of

Lines = Callable[[Part, str], Iterator[str]]
PERCENTILES = {
    3: "10 50 90",
    4: "5 35 65 95",
    5: "5 27.5 50 72.5 95",
    6: "5 23 41 59 77 95",
    7: "2.5 18.333 34.167 50 65.833 81.667 97.5",
}
LONGEST = 32


def sas_name(name: str) -> str:
    """A name as SAS takes it: letters, digits and underscores, at most 32, as a name literal where it must be."""
    plain = name.replace(".", "_")
    return plain if re.fullmatch(r"[A-Za-z_]\w*", plain, re.ASCII) and len(plain) <= LONGEST else f"'{plain}'n"


def sas_head(title: str, digest: str) -> Iterator[str]:
    """The options and the macro that reads a table."""
    yield f"/* {' '.join(title.split()).replace('*/', '')}"
    yield f"   Repeats the estimates of the protocol {digest} in SAS 9.4. Run it in this folder; the numbers expected stand"
    yield "   before each procedure, and all of them in expected.csv. */"
    yield "options validvarname=any dlcreatedir;"
    yield '%macro table(name, file); proc import datafile="&file" out=&name dbms=csv replace; guessingrows=max; run; %mend;'


def sas_lines(part: Part, table: str, file: str) -> Iterator[str]:
    """One part: what is expected, the table, the procedure."""
    writer = SAS_METHODS.get(part.analysis.method)
    yield ""
    yield f"/* {part.analysis.id}: {part.analysis.label} - {part.outcome.label}{f' ({part.model})' if part.model else ''} */"
    if writer is None:
        yield f"/* {part.analysis.method}: not exported to SAS */"
        return
    yield from (f"/* {_expected(row)} */" for row in repeated_rows(part))
    yield f'%table({table}, "{file}")'
    yield from writer(part, table)


def repeated_rows(part: Part) -> Iterator[EstimateRow]:
    """The rows whose numbers a procedure prints."""
    measures = SAS_MEASURES.get(part.analysis.method, ())
    return (row for row in part.rows if row.subgroup is None and row.estimate.measure in measures)


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
    names += [part.option("stratum")] if part.analysis.options.get("stratum") else []
    return list(dict.fromkeys(names))


def sas_table(frame: pl.DataFrame, part: Part, start: str) -> bytes:
    """The rows of a part as CSV: 0 and 1 for no and yes, codes for categories, a dot for missing numbers left blank."""
    names = [name for name in (start, *table_columns(part)) if name in frame.columns]
    columns = [pl.col(name).cast(pl.Int8) if frame.schema[name] == pl.Boolean else pl.col(name) for name in names]
    return frame.select(columns).rename({name: name.replace(".", "_") for name in names}).write_csv().encode()


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
            knots = (
                f"knotmethod=percentilelist({PERCENTILES.get(term.knots, '')})" if isinstance(term.knots, int)
                else f"knotmethod=list({' '.join(map(str, term.knots))})"
            )  # fmt: skip
            name = sas_name(term.variable)
            yield f"effect spline_{name} = spline({name} / naturalcubic basis=tpf(noint) {knots});"


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


def _procedure(part: Part, table: str, head: str, model: str, options: str, more: str = "") -> Iterator[str]:
    yield from _prepared(part, table)
    yield f"proc {head} data={table};"
    body = [_classes(part), *_effects(part), f"model {model} = {_right(part.model_terms)} / {options};", more]
    yield from (f"  {line}" for line in body if line)
    yield "run;"


def _alpha(part: Part) -> str:
    return f"alpha={round(1 - part.analysis.level, 12):g}"


def _logistic(part: Part, table: str) -> Iterator[str]:
    y = sas_name(part.outcome.name)
    if part.cluster is not None:
        repeated = f"repeated subject={sas_name(part.cluster)} / type=ind; /* times G/(G-1) */"
        yield from _procedure(part, table, "genmod", f'{y}(event="1")', f"dist=bin link=logit {_alpha(part)}", repeated)
        return
    profile = "pl" if part.option("interval") == "profile" else "wald"
    firth = " firth" if part.option("penalty") == "firth" else ""
    yield from _procedure(part, table, "logistic", f'{y}(event="1")', f"clodds={profile}{firth} {_alpha(part)}")


def _linear(part: Part, table: str) -> Iterator[str]:
    y = sas_name(part.outcome.name)
    yield from _procedure(part, table, "genmod" if part.cluster else "surveyreg" if part.option("variance") == "robust" else "glm",
                          y, f"solution clparm {_alpha(part)}")  # fmt: skip


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


def _genmod(distribution: str) -> Lines:
    def lines(part: Part, table: str) -> Iterator[str]:
        yield from _procedure(
            part, table, "genmod", sas_name(part.outcome.name), f"dist={distribution} link=log {_alpha(part)}"
        )

    return lines


def _ordinal(part: Part, table: str) -> Iterator[str]:
    yield from _procedure(
        part, table, "logistic descending", sas_name(part.outcome.name), f"link=clogit clodds=wald {_alpha(part)}"
    )


def _quantreg(part: Part, table: str) -> Iterator[str]:
    quantile = part.analysis.options.get("quantile", 0.5)
    yield from _procedure(part, table, "quantreg ci=rank", sas_name(part.outcome.name), f"quantile={quantile}")


def _matched(part: Part, table: str) -> Iterator[str]:
    y, stratum = sas_name(part.outcome.name), sas_name(part.option("stratum"))
    yield from _procedure(
        part, table, "logistic", f'{y}(event="1")', f"clodds=wald {_alpha(part)}", f"strata {stratum};"
    )


def _by_type(part: Part, table: str) -> Iterator[str]:
    kind = part.outcome.kind
    spec = chosen(
        kind, adjusted=part.analysis.adjusted or part.group is None, clustered=part.analysis.clusters is not None
    )
    yield from SAS_METHODS[spec.name](part, table)


SAS_METHODS: Mapping[str, Lines] = {
    "logistic-regression": _logistic, "linear-regression": _linear, "cox": _cox, "kaplan-meier": _lifetest,
    "rmst": _lifetest, "two-proportions": _freq, "two-means": _ttest, "by-type": _by_type,
    "poisson-regression": _genmod("poisson"), "negative-binomial": _genmod("negbin"), "ordinal-regression": _ordinal,
    "quantile-regression": _quantreg, "conditional-logistic": _matched,
}  # fmt: skip
SAS_MEASURES: Mapping[str, tuple[str, ...]] = {
    "logistic-regression": ("odds ratio",), "linear-regression": ("mean difference",), "cox": ("hazard ratio",),
    "kaplan-meier": ("risk", "median survival time", "test of curves"), "rmst": ("rmst", "rmst difference"),
    "two-proportions": ("risk difference", "risk ratio", "odds ratio"), "two-means": ("mean difference",),
    "by-type": ("odds ratio", "mean difference", "hazard ratio", "risk difference", "risk ratio"),
    "poisson-regression": ("rate ratio", "risk ratio"), "negative-binomial": ("rate ratio",),
    "ordinal-regression": ("odds ratio",), "quantile-regression": ("median difference", "quantile difference"),
    "conditional-logistic": ("odds ratio",),
}  # fmt: skip
