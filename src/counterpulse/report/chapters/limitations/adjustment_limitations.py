"""Limitations that matching, weighting and imputation brought: who was left out, what stayed unbalanced, who decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from counterpulse.report import numbers
from counterpulse.report.chapters.blocks.adjustment import group_label, is_reference
from counterpulse.report.chapters.blocks.balance import limit_of
from counterpulse.report.chapters.blocks.block_tables import known
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.limitations.design_limitations import Limitation
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.wording import inside
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import Block, Status
from counterpulse.results import Cell as Value

LARGE_WEIGHT = 10
"""How many times the mean a weight must be to count as extreme; none of the estimate's own statuses needs it."""
FEW_EFFECTIVE = 0.5
CLOSE = 0.105
"""Below this two places could print the usual limit itself."""
MOST_NAMED = 4
SIDES = {"all": (True, False), "treated": (False,), "untreated": (True,)}
"""Whose lack of counterparts matters to an effect in these patients: whether of the reference group; overlap weights need none."""
LEAST_ALONE = 0.01
"""The share of a group without anybody of the other at its scores that is worth a sentence."""
UNMIXED = (Status.IMPUTATION_NOT_MIXED.code, Status.NOT_CONVERGED.code)


def adjustment_limitations(context: Context) -> Iterator[Limitation]:
    """Those that the balance reached, the weights and the imputation show."""
    yield from _matched_treated(context)
    yield from _overlap(context)
    yield from _imbalance(context)
    yield from _weights(context)
    yield from _at_random(context)
    yield from _imputation(context)


def _blocks(context: Context, kind: str) -> list[Block]:
    """The blocks of a kind that belong to an analysis that was run, or to none."""
    return [block for block in context.result.blocks if block.kind == kind]


def _matched_treated(context: Context) -> Iterator[Limitation]:
    """Treated patients without a match: the effect is not that in all treated."""
    found = {}
    for block in _blocks(context, "effective-size"):
        planned = context.planned(block.analysis)
        if (
            planned is None
            or planned.balancing is None
            or planned.balancing.use != "matching"
            or planned.target == "untreated"
        ):
            continue
        rows = [row for row in block.rows() if not is_reference(context, row["group"])]
        samples = list(dict.fromkeys(row["sample"] for row in rows))
        if len(samples) < 2:
            continue
        before, after = (
            sum(known(row["n"]) or 0.0 for row in rows if row["sample"] == sample)
            for sample in (samples[0], samples[-1])
        )
        if 0 < after < before:
            found[block.analysis] = round(before - after), round(before)
    if not found:
        return
    said = [
        f"{context.count(left)} of {context.count(whole)} in {name}"
        for name, (left, whole) in found.items()
        if context.count(left) != EM_DASH
    ]
    who = f" ({listed(said)})" if said else ""
    yield Limitation(
        "Unmatched patients",
        f"Some treated patients found no match and were left out{who}: the effect is that among matched treated patients, who are not "
        "all who were treated, and says nothing of those left out.",
        ("rosenbaum-rubin-1985",),
    )


def _overlap(context: Context) -> Iterator[Limitation]:
    """Patients of the target population with propensity scores at which the other group has nobody."""
    found: dict[str, list[str]] = {}
    for block in _blocks(context, "overlap"):
        planned = context.planned(block.analysis)
        sides = SIDES.get(planned.target if planned is not None else "all", ())
        rows = [row for row in block.rows() if row["sample"] == block.columns["sample"][0]]
        for group in dict.fromkeys(row["group"] for row in rows):
            alone = _alone(rows, group)
            if is_reference(context, group) in sides and alone >= LEAST_ALONE:
                share = f"{numbers.number(100 * alone, 1, context.style)}% in {group_label(context, group)}"
                found.setdefault(share, []).append(block.analysis)
    if found:
        said = [f"{share} ({listed(list(dict.fromkeys(names)))})" for share, names in found.items()]
        yield Limitation(
            "Overlap",
            f"Some patients had propensity scores at which the other group had nobody, {listed(said)}: what the other treatment would have "
            "done for them no patient of the study tells, and the effect in them is extrapolated.",
            ("rosenbaum-rubin-1983",),
        )


def _alone(rows: Sequence[Mapping[str, Value]], group: Value) -> float:
    """The share of a group at scores where the others have nobody; a share that is withheld counts as somebody."""
    bins: dict[tuple[Value, Value], list[Mapping[str, Value]]] = {}
    for row in rows:
        bins.setdefault((row["low"], row["high"]), []).append(row)
    return sum(
        known(row["share"]) or 0.0
        for found in bins.values()
        if all(other["share"] == 0 for other in found if other["group"] != group)
        for row in found
        if row["group"] == group
    )


def _imbalance(context: Context) -> Iterator[Limitation]:
    """Covariates whose difference after matching or weighting is beyond the limit, the largest first."""
    found: dict[str, dict[str, float]] = {}
    for block in _blocks(context, "balance"):
        samples = list(dict.fromkeys(block.columns["sample"]))
        limit, own = limit_of(context, block.analysis), found.setdefault(block.analysis, {})
        for row in block.rows():
            value = known(row["smd"])
            covariate = row["variable"] in context.plan.variables
            if (
                covariate
                and value is not None
                and len(samples) > 1
                and row["sample"] == samples[-1]
                and abs(value) > limit
            ):
                name = inside(context.variable(str(row["variable"])))
                own[name] = max(abs(value), own.get(name, 0.0))
    said = [f"{name} ({_differences(context, own)})" for name, own in found.items() if own]
    if said:
        limits = listed(
            sorted({numbers.as_written(limit_of(context, name), context.style) for name, own in found.items() if own})
        )
        yield Limitation(
            "Remaining imbalance",
            f"After matching or weighting, standardized mean differences above {limits} were left in {listed(said)}; "
            "the comparison is not free of confounding by these.",
            ("austin-2009",),
        )


def _differences(context: Context, found: dict[str, float]) -> str:
    """Covariates with their differences, the largest few."""
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return _named(
        [f"{name} {numbers.number(value, 2 if value >= CLOSE else 3, context.style)}" for name, value in ordered]
    )


def _named(names: list[str]) -> str:
    different = list(dict.fromkeys(names))
    more = len(different) - MOST_NAMED
    return listed([*different[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])


def _weights(context: Context) -> Iterator[Limitation]:
    """Weights so large, or so unequal, that a few patients decide."""
    found: dict[str, list[str]] = {}
    for block in _blocks(context, "weights"):
        for row in block.rows():
            said = list(_unequal(context, row))
            if said:
                who = group_label(context, row["group"])
                found.setdefault(block.analysis, []).append(f"{' and '.join(said)} in {who}")
    if found:
        said = [f"{'; '.join(words)} ({name})" for name, words in found.items()]
        yield Limitation(
            "Unequal weights",
            f"A few patients decide much of the weighted estimates: {listed(said, ';')}.",
            ("cole-hernan-2008",),
        )


def _unequal(context: Context, row: Mapping[str, Value]) -> Iterator[str]:
    """How large the largest weight is, and how little the weighted patients tell."""
    n, effective, mean, high = (known(row[name]) for name in ("n", "effective", "mean", "high"))
    if high is not None and mean is not None and high > LARGE_WEIGHT * mean:
        yield f"the largest weight was {numbers.number(high / mean, 0, context.style)} times the average"
    if n is not None and effective is not None and effective < FEW_EFFECTIVE * n:
        yield f"the effective sample size was {numbers.number(100 * effective / n, 0, context.style)}% of the number"


def _at_random(context: Context) -> Iterator[Limitation]:
    """What imputation takes for granted, and for how many patients."""
    done = [
        item.id for item in context.plan.analyses if item.imputation is not None and context.record(item.id) is not None
    ]
    found, eligible = context.result.details.get("imputation", {}), context.step("eligible")
    if not done or not found:
        return
    n, whole = found.get("incomplete patients"), eligible.n if eligible is not None else None
    who = ""
    if isinstance(n, int) and whole and context.count(n) != EM_DASH:
        share = numbers.percent(n, whole, context.style).removesuffix("%")
        who = f" of {context.count(n)} of {context.count(whole)} patients ({share}%)"
    shifted = [item.id for item in context.plan.analyses if item.shifts and context.record(item.id) is not None]
    tried = (
        f"; {listed(shifted)} {'shows' if len(shifted) == 1 else 'show'} what other values would change"
        if shifted
        else ""
    )
    yield Limitation(
        "Imputed values",
        f"Missing values{who} were imputed as if they were missing at random, patients with and without a value alike given everything "
        f"the imputation knew, which the data cannot confirm{tried}.",
        ("white-2011",),
    )


def _imputation(context: Context) -> Iterator[Limitation]:
    """Variables whose imputations had not settled."""
    names = [
        inside(context.variable(str(row["variable"])))
        for block in _blocks(context, "imputation")
        for row in block.rows()
        if row["status"] in UNMIXED
    ]
    if names:
        yield Limitation(
            "Imputation",
            f"The imputed values of {_named(names)} had not settled when the imputation ended; what is pooled over the tables may still "
            "depend on where the chains began.",
            ("gelman-rubin-1992",),
        )
