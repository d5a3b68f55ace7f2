"""Dummy rows of an extraction table: studies that print an effect in a format the dictionary has columns for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, cycle, islice

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import erfc

from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.errors import UsageError
from counterpulse.numerics.distributions import critical_value
from counterpulse.protocol.lint_review import NUMBERS, OUTCOME, STUDY
from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.planned_review import effects_of
from counterpulse.study.reviewing.formats import FORMATS
from counterpulse.study.reviewing.measures import RATIOS

PREFERRED = (
    "counts",
    "means",
    "proportion",
    "rates",
    "rate",
    "correlation",
    "log-rank",
    "medians",
    "ranges",
    "percent",
)
"""Formats that are drawn before an effect with its interval, error, variance or P value."""
BLANK = ("format", "measure", "sign", "reversed", "complement", "p_below", "quote", "note")
"""Columns whose words would change how a row is read."""
SMALLEST, LARGEST = 40, 400
NETWORK, MOST_TREATMENTS = "network-meta-analysis", 4
JUDGED = ("low", "some concerns", "high")
Floats = NDArray[np.float64]


def with_mock_effects(
    nodes: ProtocolNode, dictionary: Dictionary, frame: pl.DataFrame, random: np.random.Generator
) -> pl.DataFrame:
    """The rows as those of studies, each with every outcome of the review; there is no effect to find.

    Raises
    ------
    UsageError : the dictionary has no columns from which the measure of an outcome could be made
    """
    columns: dict[str, pl.Series] = {}
    names = list(nodes.question.every_outcome) if nodes.question is not None else [OUTCOME]
    rows = np.arange(frame.height)
    studies = [f"Mock study {1 + row // len(names)}" for row in rows]
    outcomes = [names[row % len(names)] for row in rows]
    written: dict[str, Sequence[object]] = {STUDY: studies, OUTCOME: [_coded(dictionary, name) for name in outcomes]}
    written |= _effects(nodes, dictionary, outcomes, random) | _treatments(nodes, dictionary, len(names), frame.height)
    written |= dict(_judgments(nodes, dictionary, frame.height, random))
    registry = nodes.overlap.registry if nodes.overlap is not None else None
    for name in (*NUMBERS, *BLANK, *((registry,) if registry is not None else ())):
        written.setdefault(name, [None] * frame.height)
    for name, values in written.items():
        if name in frame.columns:
            columns[name] = pl.Series(name, values, dtype=frame[name].dtype, strict=False)
    return frame.with_columns(columns.values())


def _coded(dictionary: Dictionary, outcome: str) -> str:
    """An outcome as the column of outcomes holds it."""
    levels = (dictionary[OUTCOME].levels or {}) if OUTCOME in dictionary else {}
    return next((code for code, label in levels.items() if outcome in (code, label)), outcome)


def _effects(
    nodes: ProtocolNode, dictionary: Dictionary, outcomes: Sequence[str], random: np.random.Generator
) -> dict[str, Sequence[object]]:
    """The printed numbers of every row, those of other formats blank."""
    found: dict[str, list[object]] = {}
    for outcome in dict.fromkeys(outcomes):
        drawn = _numbers(_measure(nodes, outcome), dictionary, random, len(outcomes))
        for name, values in drawn.items():
            known = found.setdefault(name, [None] * len(outcomes))
            found[name] = [
                value if own == outcome else other for own, value, other in zip(outcomes, values, known, strict=True)
            ]
    return dict(found)


def _measure(nodes: ProtocolNode, outcome: str) -> str:
    question = nodes.question
    own = question.every_outcome[outcome].measure if question is not None else None
    return own or effects_of(nodes).measure


def _numbers(measure: str, dictionary: Dictionary, random: np.random.Generator, n: int) -> dict[str, list[float]]:
    for name in (*PREFERRED, *(other for other in FORMATS if other not in PREFERRED)):
        item = FORMATS[name]
        if (item.makes is None or measure in item.makes) and all(column in dictionary for column in item.needs):
            drawn = DRAWN.get(name, _printed)(random, n, measure in RATIOS)
            return {column: drawn[column].tolist() for column in item.needs}
    raise UsageError(
        f"the dictionary has no columns from which a {measure} can be made, so no mock studies can be drawn; add events_treated, "
        "n_treated, events_control and n_control, or estimate, conf_low and conf_high"
    )


def _counts(random: np.random.Generator, n: int, ratio: bool) -> dict[str, Floats]:
    """Events, patients and their time in two arms with one risk."""
    risk = random.uniform(0.2, 0.5, n)
    found: dict[str, Floats] = {}
    for arm in ("treated", "control"):
        size = random.integers(SMALLEST, LARGEST, n)
        events = np.clip(random.binomial(size, risk), 1, size - 1)
        found |= {
            f"n_{arm}": size.astype(float), f"events_{arm}": events.astype(float), f"time_{arm}": 1.5 * size.astype(float),
            f"percent_{arm}": np.round(100 * events / size, 1),
        }  # fmt: skip
    return found


def _single(random: np.random.Generator, n: int, ratio: bool) -> dict[str, Floats]:
    arms = _counts(random, n, ratio)
    return {"events": arms["events_treated"], "n": arms["n_treated"], "time": arms["time_treated"]}


def _means(random: np.random.Generator, n: int, ratio: bool) -> dict[str, Floats]:
    """Means about 10 with a standard deviation about 4, and what papers print instead of them."""
    found: dict[str, Floats] = {}
    for arm in ("treated", "control"):
        mean, sd = np.round(random.normal(10, 0.5, n), 2), np.round(random.uniform(3.5, 4.5, n), 2)
        found |= {
            f"n_{arm}": random.integers(SMALLEST, LARGEST, n).astype(float), f"mean_{arm}": mean, f"sd_{arm}": sd, f"median_{arm}": mean,
            f"q1_{arm}": np.round(mean - 0.67 * sd, 2), f"q3_{arm}": np.round(mean + 0.67 * sd, 2),
            f"minimum_{arm}": np.round(mean - 2.4 * sd, 2), f"maximum_{arm}": np.round(mean + 2.4 * sd, 2),
        }  # fmt: skip
    return found


def _correlations(random: np.random.Generator, n: int, ratio: bool) -> dict[str, Floats]:
    return {
        "correlation": np.round(random.uniform(-0.3, 0.3, n), 2),
        "n": random.integers(SMALLEST, LARGEST, n).astype(float),
    }


def _log_rank(random: np.random.Generator, n: int, ratio: bool) -> dict[str, Floats]:
    variance = np.round(random.uniform(5, 40, n), 2)
    return {"observed_minus_expected": np.round(random.normal(0, np.sqrt(variance)), 2), "variance": variance}


def _printed(random: np.random.Generator, n: int, ratio: bool) -> dict[str, Floats]:
    """An effect with its error, limits, variance and P value."""
    error = random.uniform(0.15, 0.5, n)
    effect = random.normal(0, error)
    reach = critical_value(0.95) * error
    low, high = effect - reach, effect + reach
    shown = [np.exp(value) if ratio else value for value in (effect, low, high)]
    return {
        "estimate": shown[0], "conf_low": shown[1], "conf_high": shown[2], "std_error": error, "yi": effect, "vi": error**2,
        "p_value": np.clip(erfc(np.abs(effect / error) / np.sqrt(2)), 1e-6, 1.0),
    }  # fmt: skip


Draw = Callable[[np.random.Generator, int, bool], Mapping[str, Floats]]
DRAWN: Mapping[str, Draw] = {
    "counts": _counts, "percent": _counts, "rates": _counts, "proportion": _single, "rate": _single, "means": _means,
    "medians": _means, "ranges": _means, "correlation": _correlations, "log-rank": _log_rank,
}  # fmt: skip


def _treatments(nodes: ProtocolNode, dictionary: Dictionary, outcomes: int, n: int) -> dict[str, Sequence[object]]:
    """Treatments of a network, every two of them compared in turn; of a review of two arms the words of the question."""
    networks = [analysis for analysis in nodes.analyses if analysis.method == NETWORK]
    if not networks or "treated" not in dictionary:
        return {}
    reference = str(networks[0].options.get("reference") or "Reference")
    levels = dictionary["control"].levels or {} if "control" in dictionary else {}
    first = next((code for code, label in levels.items() if reference in (code, label)), reference)
    known = [code for code in levels if code != first] or [f"Mock treatment {letter}" for letter in "ABC"]
    pairs = combinations([first, *known[: MOST_TREATMENTS - 1]], 2)
    drawn = [pair for pair in islice(cycle(pairs), -(-n // outcomes)) for _ in range(outcomes)][:n]
    return {"treated": [pair[1] for pair in drawn], "control": [pair[0] for pair in drawn]}


def _judgments(
    nodes: ProtocolNode, dictionary: Dictionary, n: int, random: np.random.Generator
) -> Iterator[tuple[str, Sequence[object]]]:
    """Judgments of bias where the dictionary does not list them."""
    tool = nodes.risk_of_bias
    for name in (*tool.columns, *((tool.overall,) if tool.overall is not None else ())) if tool is not None else ():
        variable: Variable | None = dictionary.variables.get(name)
        if variable is not None and variable.type == "text":
            yield name, random.choice(JUDGED, n).tolist()
        elif variable is not None and variable.type in ("number", "integer") and variable.maximum is None:
            yield name, random.integers(1, 3, n).tolist()
