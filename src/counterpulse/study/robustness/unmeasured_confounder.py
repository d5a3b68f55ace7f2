"""The effect as it would be without a confounder that nobody measured."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from counterpulse.protocol.plan import Plan, PlannedConfounder
from counterpulse.results import Block, Cell, Estimate, EstimateRow, Notice, Status
from counterpulse.results.estimate import finite_or_none
from counterpulse.robustness import (
    BiasAnalysis,
    EValue,
    Trapezoidal,
    Uniform,
    binary_confounder,
    bounding_factor,
    probabilistic_confounder,
)
from counterpulse.study.request import Answer, slug
from counterpulse.study.robustness.e_values import OF_EVENTS, observed_risk, risk_ratio_of
from counterpulse.study.robustness.questions import effects

COLUMNS = (
    "kind", "of", "measure", "prevalence_treated", "prevalence_reference", "effect", "bias_factor", "estimate", "conf_low",
    "conf_high",
)  # fmt: skip
OBSERVED, SIMPLE, BOUND = "observed", "simple", "bound"


def confounder_answer(plan: Plan, planned: PlannedConfounder, answer: Answer, seed: int | None) -> Answer:
    """The bias analysis of the effect of each treated group."""
    probabilistic = len(planned.effect[0]) > 1
    found = Answer()
    for term in plan.treated:
        row = next((row for row in effects(plan, answer) if row.estimate.term == term), None)
        ratio = None if row is None else _risk_ratio(plan, row, answer)
        if row is None or ratio is None:
            text = (
                f"No bias analysis of {planned.of}: its effect is not (or cannot be made) a risk ratio. Name an analysis of a "
                "binary outcome, or of a time to an event, that could be estimated."
            )
            found = found.joined(Answer(notices=(Notice("W667", planned.of, text),)))
            continue
        lines = [_line(row, OBSERVED, ("", "", ""), None, ratio.risk_ratio, ratio.conf_low, ratio.conf_high)]
        lines += _probabilistic(planned, row, ratio, seed) if probabilistic else _simple(planned, row, ratio)
        columns = {name: tuple(line[index] for line in lines) for index, name in enumerate(COLUMNS)}
        part = (slug(term),) if len(plan.treated) > 1 else ()
        name = ".".join((planned.of, row.outcome, *part, "bias-analysis"))
        found = found.joined(
            Answer(blocks=(Block(id=name, analysis=planned.of, kind="bias-analysis", columns=columns),))
        )
    return found


def _risk_ratio(plan: Plan, row: EstimateRow, answer: Answer) -> EValue | None:
    """The effect as a risk ratio; None where it is none."""
    risk = observed_risk(plan, row, answer)
    kinds = OF_EVENTS.get(row.estimate.measure, ())
    if row.estimate.status is not Status.OK or plan.outcomes[row.outcome].kind not in kinds or not risk:
        return None
    found = risk_ratio_of(row, risk)
    limits = (found.risk_ratio, found.conf_low, found.conf_high)
    return found if found.status is Status.OK and all(end is None or end > 0 for end in limits) else None


def _simple(planned: PlannedConfounder, row: EstimateRow, ratio: EValue) -> Iterator[tuple[Cell, ...]]:
    """Each combination of prevalences and effect; then how far any confounder of these strengths could move the effect."""
    for (treated,), (reference,), (effect,) in product(planned.treated, planned.reference, planned.effect):
        adjusted = binary_confounder(
            ratio.risk_ratio, conf_low=ratio.conf_low, conf_high=ratio.conf_high, prevalence_exposed=treated,
            prevalence_unexposed=reference, confounder_outcome=effect,
        )  # fmt: skip
        yield _of(row, SIMPLE, (treated, reference, effect), adjusted)
    for (treated,), (reference,), (effect,) in product(planned.treated, planned.reference, planned.effect):
        strength = _strength(treated, reference)
        if strength is not None:
            bound = bounding_factor(
                ratio.risk_ratio, conf_low=ratio.conf_low, conf_high=ratio.conf_high, confounder_exposure=strength,
                confounder_outcome=max(effect, 1 / effect),
            )  # fmt: skip
            yield _of(row, BOUND, (treated, reference, effect), bound)


def _strength(treated: float, reference: float) -> float | None:
    """The largest ratio of the prevalences of either level of the confounder; None where it is infinite."""
    pairs = ((treated, reference), (1 - treated, 1 - reference))
    ratios = [end for one, other in pairs if one and other for end in (one / other, other / one)]
    infinite = any((one == 0) != (other == 0) for one, other in pairs)
    return None if infinite else max(ratios)


def _probabilistic(
    planned: PlannedConfounder, row: EstimateRow, ratio: EValue, seed: int | None
) -> Iterator[tuple[Cell, ...]]:
    """The effect over draws from the ranges, without and with chance."""
    ends = (planned.treated[0], planned.reference[0], planned.effect[0])
    treated, reference, effect = map(_prior, ends)
    interval = row.estimate.interval
    adjusted = probabilistic_confounder(
        ratio.risk_ratio, conf_low=ratio.conf_low, conf_high=ratio.conf_high, prevalence_exposed=treated,
        prevalence_unexposed=reference, confounder_outcome=effect, seed=seed or 0, analysis=f"bias analysis of {row.id}",
        level=0.95 if interval is None else interval.level,
    )  # fmt: skip
    words = tuple(map(_words, ends))
    for estimate in adjusted.adjusted:
        yield _of(row, estimate.term, words, adjusted, estimate)


def _prior(ends: tuple[float, ...]) -> Uniform | Trapezoidal:
    return Uniform(*ends) if len(ends) == 2 else Trapezoidal(*ends)


def _words(ends: tuple[float, ...]) -> str:
    """A range as the protocol writes it."""
    low, *modes, high = ends
    inner = "" if not modes else f", most likely {' to '.join(dict.fromkeys(f'{mode:g}' for mode in modes))}"
    return f"{low:g} to {high:g}{inner}"


def _of(
    row: EstimateRow, kind: str, values: tuple[float | str, ...], adjusted: BiasAnalysis, estimate: Estimate | None = None
) -> tuple[Cell, ...]:  # fmt: skip
    shown = (estimate or adjusted.adjusted[0]).natural()
    low, high = (shown.interval.low, shown.interval.high) if shown.interval else (None, None)
    texts = tuple(value if isinstance(value, str) else f"{value:g}" for value in values)
    return _line(row, kind, texts, adjusted.bias_factor, shown.value, low, high)


def _line(
    row: EstimateRow, kind: str, values: tuple[str, ...], factor: float | None, value: float, low: float | None,
    high: float | None,
) -> tuple[Cell, ...]:  # fmt: skip
    given = tuple(text or None for text in values)
    numbers = (finite_or_none(number) for number in (factor, value, low, high))
    return (kind, row.id, "risk ratio", *given, *numbers)
