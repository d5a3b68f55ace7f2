"""P values adjusted for several tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjustment that holds under any dependence (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def hochberg(p_values: Sequence[float]) -> list[float]:
    """Step-up adjustment for independent or positively dependent tests (Hochberg 1988, doi:10.1093/biomet/75.4.800)."""
    order = sorted(range(len(p_values)), key=lambda i: -p_values[i])
    adjusted, running = [0.0] * len(p_values), 1.0
    for rank, i in enumerate(order):
        running = min(running, (rank + 1) * p_values[i])
        adjusted[i] = running
    return adjusted


def bonferroni(p_values: Sequence[float]) -> list[float]:
    """Every P value times their number, at most 1."""
    return [min(1.0, len(p_values) * p) for p in p_values]


ADJUSTMENTS: Mapping[str, Callable[[Sequence[float]], list[float]]] = {
    "holm": holm,
    "hochberg": hochberg,
    "bonferroni": bonferroni,
}
