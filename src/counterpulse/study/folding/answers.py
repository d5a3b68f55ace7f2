"""Rubin's rules over whole answers: the same analysis of every imputed table becomes one, and its methods know nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite, nan

import numpy as np

from counterpulse.imputation import JointTest, chi_squared_d2, pool, pool_scalar, wald_d1
from counterpulse.numerics.distributions import f_tail
from counterpulse.results import Choice, Estimand, Estimate, EstimateRow, GroupCount, Notice, Status
from counterpulse.study.folding.blocks import folded_blocks
from counterpulse.study.folding.words import different_selections, folded_choices, folded_details, folded_notices
from counterpulse.study.request import Answer, Evidence

CHI_SQUARED = ("chi-squared", "Wald chi-squared", "likelihood ratio chi-squared", "F", "Wald F", "z", "t")
"""Statistics of which the chi-squared of each table is known."""
NOT_POOLED = ("profile", "exact", "percentile", "bootstrap", "rank")
"""Intervals without a standard error that stands for them: what is pooled in their place is estimate and standard error."""
MEAN = "The mean of the imputed tables; without standard errors there is no interval."
DIFFERENT_MODELS = "The imputed tables selected different covariates, so this is pooled over different models."


def folded(answers: Sequence[Answer]) -> Answer:
    """One answer of the answers of m imputed tables.

    Estimates are pooled on the scale they were estimated on, with Barnard and Rubin's degrees of freedom; tests of several
    coefficients by D1 where each table's coefficients are known, else by D2. What no imputed value touched is the same in
    all tables, and stays as it is.
    """
    first = answers[0]
    if len(answers) == 1:
        return first
    by_id = [{row.id: row for row in answer.rows} for answer in answers]
    ids = list(dict.fromkeys(row.id for answer in answers for row in answer.rows))
    rows = tuple(
        _row([known.get(id_) for known in by_id], [answer.evidence.get(id_) for answer in answers]) for id_ in ids
    )
    rows = _adding_up(rows, by_id)
    blocks, as_first = folded_blocks([answer.blocks for answer in answers], rows)
    details = [answer.details for answer in answers]
    selections = different_selections(details)
    return Answer(
        rows=tuple(_with_note(row, selections) for row in rows),
        blocks=blocks,
        details=folded_details(details),
        choices=(*folded_choices([answer.choices for answer in answers]), *_intervals(first.rows, rows)),
        notices=(*folded_notices([answer.notices for answer in answers]), *_as_first(rows, as_first)),
        citations=tuple(dict.fromkeys((*(work for answer in answers for work in answer.citations), "rubin-1987"))),
        n_missing=max(answer.n_missing for answer in answers),
    )


def _row(found: Sequence[EstimateRow | None], evidence: Sequence[Evidence | None]) -> EstimateRow:
    present = [row for row in found if row is not None]
    first, m = present[0], len(found)
    if len(present) < m:
        note = f"In {len(present)} of {m} imputed tables."
        return replace(first, estimate=_failed(first.estimate, Status.IMPUTATIONS_DIFFER, note), imputations=m)
    whole = replace(
        first, n=_mean_count([row.n for row in present]), events=_mean_count([row.events for row in present]),
        groups=_groups([row.groups for row in present]), imputations=m, effective_n=_mean([row.effective_n for row in present]),
        n_missing=_mean_count([row.n_missing for row in present]), estimand=_estimand(present),
    )  # fmt: skip
    estimates = [row.estimate for row in present]
    if all(_same(estimate, estimates[0]) for estimate in estimates):
        return replace(whole, fmi=0.0 if estimates[0].std_error is not None else None)
    if not any(isfinite(estimate.value) for estimate in estimates) and first.estimate.statistic is not None:
        return replace(whole, estimate=_test(estimates, evidence))
    if _value_alone(estimates):
        return replace(whole, estimate=_mean_value(estimates))
    known = [item.df_complete for item in evidence if item is not None and item.df_complete is not None]
    term = pool(
        [(estimate,) for estimate in _told_apart(estimates)], df_complete=sum(known) / m if len(known) == m else None
    ).terms[0]
    fmi = None if term.rubin is None else term.rubin.fraction_missing
    return replace(whole, estimate=_renamed(term.estimate, estimates[0]), fmi=fmi)


def _estimand(rows: Sequence[EstimateRow]) -> Estimand | None:
    """Whom the effect is about; where some table left somebody out, those who were not."""
    found = [row.estimand for row in rows]
    return next((one for one in found if one is not None and one.target.startswith("matched ")), found[0])


def _value_alone(estimates: Sequence[Estimate]) -> bool:
    """Whether every table has a value, and for one and the same reason no standard error."""
    first = estimates[0]
    return first.status is not Status.OK and all(
        isfinite(one.value) and one.std_error is None and one.status is first.status for one in estimates
    )


def _mean_value(estimates: Sequence[Estimate]) -> Estimate:
    mean = sum(one.value for one in estimates) / len(estimates)
    return replace(_failed(estimates[0], estimates[0].status, MEAN), value=mean)


def _with_note(row: EstimateRow, selections: Mapping[str, str]) -> EstimateRow:
    """The row, saying so where the tables selected different models for it."""
    names = [f"{row.model}, {row.outcome}" if row.model else row.outcome, row.outcome]
    if row.imputations is None or row.estimate.status is not Status.OK or not any(name in selections for name in names):
        return row
    return replace(row, estimate=replace(row.estimate, notes=(*row.estimate.notes, DIFFERENT_MODELS)))


def _intervals(found: Sequence[EstimateRow], pooled: Sequence[EstimateRow]) -> Iterator[Choice]:
    """What stands in the place of intervals that have no standard error of their own."""
    changed = {row.id for row in pooled if row.fmi}
    before = [row.estimate.interval.kind for row in found if row.id in changed and row.estimate.interval]
    kinds = [kind for kind in NOT_POOLED if any(kind in each for each in before)]
    if kinds:
        text = f"estimate and standard error by Rubin's rules; the {', '.join(kinds)} intervals of the tables are not pooled"
        yield Choice("interval of pooled estimates", text, "derived")


def _told_apart(estimates: Sequence[Estimate]) -> list[Estimate]:
    """The estimates under the names of the first: an id is a name already."""
    first = estimates[0]
    return [replace(estimate, term=first.term, variable=first.variable, at=first.at) for estimate in estimates]


def _renamed(pooled: Estimate, first: Estimate) -> Estimate:
    interval = pooled.interval
    return pooled if interval is None else replace(pooled, interval=replace(interval, kind="rubin"))


def _same(one: Estimate, other: Estimate) -> bool:
    """Whether two tables gave the same estimate, to the bit."""
    return repr(one) == repr(other)


def _failed(estimate: Estimate, status: Status, note: str) -> Estimate:
    return replace(
        estimate, value=nan, std_error=None, interval=None, statistic=None, statistic_name=None, df=None, p_value=None,
        status=status, notes=(*estimate.notes, note),
    )  # fmt: skip


def _test(estimates: Sequence[Estimate], evidence: Sequence[Evidence | None]) -> Estimate:
    """One test of the tests of all tables: D1 of their coefficients, else D2 of their chi-squareds."""
    first = estimates[0]
    bad = next((estimate.status for estimate in estimates if estimate.status is not Status.OK), None)
    if bad is not None:
        return _failed(first, bad, "In one of the imputed tables or more.")
    joint = [item for item in evidence if item is not None and item.values is not None]
    if len(joint) == len(estimates) and len({(item.names, len(item.values or ())) for item in joint}) == 1:
        return _tested(first, _d1(joint), "D1")
    statistics = [_chi_squared(estimate) for estimate in estimates]
    dfs = {estimate.df for estimate in estimates if estimate.statistic_name not in ("z", "t")} or {1.0}
    if any(value is None for value in statistics) or len(dfs) > 1 or None in dfs:
        return _failed(first, Status.IMPUTATIONS_DIFFER, "The test of each imputed table has no common form.")
    df = int(next(iter(dfs)) or 1)
    return _tested(first, chi_squared_d2([value or 0.0 for value in statistics], df=df), "D2")


def _d1(joint: Sequence[Evidence]) -> JointTest:
    """D1; of one coefficient Barnard and Rubin's t, and never with more degrees of freedom than without missing values."""
    m, values = len(joint), np.array([item.values for item in joint])
    within = np.array([item.covariance for item in joint if item.covariance is not None]).mean(axis=0)
    between = np.atleast_2d(np.cov(values, rowvar=False))
    known = [item.df_complete for item in joint if item.df_complete is not None]
    df = sum(known) / len(known) if len(known) == m else inf
    test = wald_d1(values.mean(axis=0), within, between, m=m, df_complete=df)
    if not isfinite(test.p_value):
        return test
    denominator = min(test.df_denominator, df)
    if test.df == 1:
        variances = [item.covariance[0][0] for item in joint if item.covariance is not None]
        denominator = pool_scalar(values[:, 0], variances, df_complete=df).df
    return replace(test, df_denominator=denominator, p_value=f_tail(test.statistic, test.df, denominator))


def _chi_squared(estimate: Estimate) -> float | None:
    """The chi-squared of a table's test; an F times its numerator degrees of freedom, the square of a z."""
    name, statistic = estimate.statistic_name or "", estimate.statistic
    if statistic is None or name not in CHI_SQUARED:
        return None
    if name in ("z", "t"):
        return statistic * statistic
    return statistic * (estimate.df or 1) if name.endswith("F") else statistic


def _tested(first: Estimate, test: JointTest, name: str) -> Estimate:
    if not isfinite(test.p_value):
        return _failed(first, Status.UNDEFINED, "The pooled test is undefined.")
    return replace(
        first, statistic=test.statistic, statistic_name=f"F ({name})", df=float(test.df), p_value=test.p_value,
        notes=(*first.notes, f"{name}, denominator degrees of freedom {test.df_denominator:.1f}."),
    )  # fmt: skip


def _mean_count(values: Sequence[int | None]) -> int | None:
    """A count that imputation may move: its mean, rounded."""
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known)) if len(known) == len(values) else None


def _adding_up(rows: tuple[EstimateRow, ...], tables: Sequence[Mapping[str, EstimateRow]]) -> tuple[EstimateRow, ...]:
    """The rows with all patients, and all events, as the sum of the groups' where they are so in every table.

    Means that are rounded one by one need not add up, and who reads them, the rule of small cells first, would see patients in
    no group.
    """
    totals: dict[tuple[object, ...], int] = {}
    places: dict[tuple[str, str], tuple[object, ...]] = {}
    for row in rows:
        found = [known[row.id] for known in tables if row.id in known]
        for name in ("n", "events"):
            place = (name, row.outcome, row.model, row.subgroup, *(getattr(one, name) for one in found))
            places[row.id, name] = place
            if len(found) == len(tables) and all(_sum(one, name) == getattr(one, name) for one in found):
                total = _sum(row, name)
                totals |= {} if total is None else {place: total}
    return tuple(
        replace(row, n=totals.get(places[row.id, "n"], row.n), events=totals.get(places[row.id, "events"], row.events))
        for row in rows
    )


def _sum(row: EstimateRow, name: str) -> int | None:
    counts = [getattr(group, name) for group in row.groups]
    return sum(counts) if counts and None not in counts else None


def _groups(found: Sequence[tuple[GroupCount, ...]]) -> tuple[GroupCount, ...]:
    """The counts of each group over the tables."""
    first = found[0]
    if all(groups == first for groups in found) or len({tuple(g.group for g in groups) for groups in found}) > 1:
        return first
    return tuple(_group([groups[index] for groups in found]) for index in range(len(first)))


def _group(counts: Sequence[GroupCount]) -> GroupCount:
    return replace(
        counts[0], n=_mean_count([count.n for count in counts]), events=_mean_count([count.events for count in counts]),
        person_time=_mean([count.person_time for count in counts]), risk=_mean([count.risk for count in counts]),
    )  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _as_first(rows: Sequence[EstimateRow], kinds: Sequence[str]) -> Iterator[Notice]:
    if rows and kinds:
        text = f"Drawn from the first imputed table only: {', '.join(kinds)}."
        yield Notice("W723", rows[0].analysis, text)
