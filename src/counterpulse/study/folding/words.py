"""What the answers of several imputed tables say beside their numbers: choices, notices and details, each said once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite

from counterpulse.imputation import chi_squared_d2
from counterpulse.results import Cell, Choice, Notice

MOST_LISTED = 3
"""Different values of the tables that are listed."""
SELECTED = ": selected"
"""How the detail with the selected covariates ends."""
OF_A_MODEL = (": parameters", ": log-likelihood", ": AIC")
"""Details that have no mean over different models."""
CHI_SQUARED, DF, P_VALUE = "chi-squared", "df", "P value"
LEAST, MOST = ("lowest", "smallest"), ("highest", "largest")


def folded_choices(found: Sequence[Sequence[Choice]]) -> tuple[Choice, ...]:
    """Each choice once; where tables chose differently, what they chose and how many of them."""
    result = []
    by_name = [_by_name(choices) for choices in found]
    for name in dict.fromkeys(name for named in by_name for name in named):
        versions = [named.get(name, ()) for named in by_name]
        longest = max(versions, key=len)
        if any(version != longest for version in versions):
            result += [
                replace(choice, value=_listed([_at(version, place) for version in versions], len(found)))
                for place, choice in enumerate(longest)
            ]
        else:
            result += longest
    return tuple(dict.fromkeys(result))


def _by_name(choices: Sequence[Choice]) -> dict[str, tuple[Choice, ...]]:
    named: dict[str, tuple[Choice, ...]] = {}
    for choice in choices:
        named[choice.name] = (*named.get(choice.name, ()), choice)
    return named


def _at(version: Sequence[Choice], place: int) -> Cell:
    return version[place].value if place < len(version) else None


def _listed(values: Sequence[object], m: int) -> Cell:
    """The values of all tables as one: itself where they agree, else the most frequent with their tables."""
    often = Counter(value for value in values if value is not None).most_common()
    if len(often) == 1 and often[0][1] == m:
        return often[0][0]  # type: ignore[return-value]
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value, _ in often]
    parts = [f"{text} ({count} of {m} imputed tables)" for text, (_, count) in zip(texts, often, strict=True)]
    more = [f"{len(parts) - MOST_LISTED} more"] if len(parts) > MOST_LISTED else []
    return "; ".join((*parts[:MOST_LISTED], *more))


def folded_notices(found: Sequence[Sequence[Notice]]) -> Iterator[Notice]:
    """Each notice once; one of some tables says of how many, and one whose words differ is the first that differs."""
    m = len(found)
    by_kind = [_by_kind(notices) for notices in found]
    for kind in dict.fromkeys(kind for notices in by_kind for kind in notices):
        versions = [notices[kind] for notices in by_kind if kind in notices]
        first = versions[0]
        if len(versions) < m:
            yield replace(first, text=f"{first.text} (In {len(versions)} of {m} imputed tables.)")
        elif any(version != first for version in versions):
            yield replace(first, text=f"{first.text} (So in the first imputed table; the others differ.)")
        else:
            yield first


def _by_kind(notices: Sequence[Notice]) -> dict[tuple[str, str, int], Notice]:
    """The notices by code, place and the how many-th of these it is."""
    seen: Counter[tuple[str, str]] = Counter()
    known = {}
    for notice in dict.fromkeys(notices):
        seen[notice.code, notice.where] += 1
        known[notice.code, notice.where, seen[notice.code, notice.where]] = notice
    return known


def folded_details(found: Sequence[Mapping[str, Cell]]) -> dict[str, Cell]:
    """Each detail that all tables have: the mean of numbers, the extreme of extremes, tests by D2, different words with their tables."""
    first, m = found[0], len(found)
    shared = [name for name in first if all(name in details for details in found)]
    result: dict[str, Cell] = {}
    for name in shared:
        values = [details[name] for details in found]
        numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        if all(value == values[0] for value in values):
            result[name] = values[0]
        elif len(numbers) == m:
            result[name] = _number(name, numbers)
        else:
            result[name] = _listed(values, m)
    for name in shared:
        if name.endswith(CHI_SQUARED):
            result |= _test(name.removesuffix(CHI_SQUARED), found)
    different = tuple(f"{name}{part}" for name in different_selections(found) for part in OF_A_MODEL)
    return {name: value for name, value in result.items() if name not in different}


def _number(name: str, values: Sequence[float]) -> float:
    if any(word in name for word in LEAST):
        return min(values)
    return max(values) if any(word in name for word in MOST) else sum(values) / len(values)


def _test(prefix: str, found: Sequence[Mapping[str, Cell]]) -> dict[str, Cell]:
    """The chi-squared, df and P value of one test, from the chi-squareds of all tables; without them where these cannot be pooled."""
    names = [f"{prefix}{part}" for part in (CHI_SQUARED, DF, P_VALUE)]
    if not all(isinstance(details.get(name), int | float) for details in found for name in names):
        return {}
    if all(details[names[0]] == found[0][names[0]] for details in found):
        return {}
    statistics, dfs = ([float(details[name]) for details in found] for name in names[:2])  # type: ignore[arg-type]
    if len(set(dfs)) > 1:
        return dict.fromkeys(names, "not pooled: its degrees of freedom differ between imputed tables")
    test = chi_squared_d2(statistics, df=int(dfs[0]))
    if not isfinite(test.p_value):
        return dict.fromkeys(names, "not pooled")
    return {names[0]: test.statistic * test.df, names[1]: dfs[0], names[2]: test.p_value}


def different_selections(details: Sequence[Mapping[str, Cell]]) -> dict[str, str]:
    """The samples and models in which the tables selected different covariates, and which."""
    names = [name for name in details[0] if name.endswith(SELECTED)]
    values = {name: [one.get(name) for one in details] for name in names}
    return {
        name.removesuffix(SELECTED): str(_listed(found, len(details)))
        for name, found in values.items()
        if any(value != found[0] for value in found)
    }
