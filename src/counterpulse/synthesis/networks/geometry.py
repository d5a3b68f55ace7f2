"""The graph of a network: its treatments and the comparisons that studies made, to draw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from counterpulse.synthesis.networks.contrasts import Contrasts


@dataclass(frozen=True, slots=True)
class Node:
    """A treatment and how many studies have an arm of it."""

    treatment: str
    studies: int


@dataclass(frozen=True, slots=True)
class Edge:
    """Two treatments and how many studies compared them; a study of p arms counts for each of its pairs."""

    treatment_1: str
    treatment_2: str
    studies: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """Nodes and edges in the order of the treatments; `designs` counts studies by the set of treatments compared."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    designs: tuple[tuple[tuple[str, ...], int], ...]


def geometry(contrasts: Contrasts) -> Geometry:
    """Count studies by treatment, by pair and by design."""
    names = contrasts.treatments
    arms = [study.arms for study in contrasts.studies]
    treatments = Counter(arm for compared in arms for arm in compared)
    pairs = Counter(pair for compared in arms for pair in combinations(compared, 2))
    designs = Counter(arms)
    return Geometry(
        nodes=tuple(Node(names[arm], treatments[arm]) for arm in sorted(treatments)),
        edges=tuple(Edge(names[i], names[j], pairs[i, j]) for i, j in sorted(pairs)),
        designs=tuple((tuple(names[arm] for arm in design), designs[design]) for design in sorted(designs)),
    )
