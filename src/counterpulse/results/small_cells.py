"""Which counts of a set of tables may be shown, so that no small count is printed or found by adding and subtracting."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

ZERO = 1e-9  # a direction of the null space is zero there; the entries of its matrix are 0, 1 and -1


@dataclass(frozen=True, slots=True)
class Sum:
    """A total that a reader can take apart: total = the parts + what is not printed."""

    total: Hashable
    parts: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a total holds besides its printed parts, such as patients without the event. Never printed."""

    total: Hashable
    parts: tuple[Hashable, ...]


def hidden_cells(
    counts: Mapping[Hashable, int], sums: Sequence[Sum], *, smallest: int, keep: Set[Hashable] = frozenset()
) -> frozenset[Hashable]:
    """The cells to hide.

    Every count from 1 to `smallest` - 1 is hidden. Then the smallest other part of a sum is hidden with it, until the hidden
    parts of each sum hold at least `smallest` people together, and until no hidden cell follows from the others by any
    combination of the sums (the linear system that they are does not determine it).

    Parameters
    ----------
    counts : the true count of each cell
    sums : which cells add up to which; cells that are not in `counts` are passed over
    smallest : the smallest count that may be shown
    keep : cells that are hidden besides others only where nothing else can be, such as the size of a group

    References
    ----------
    Cox LH. Suppression methodology and statistical disclosure control. J Am Stat Assoc 1980;75:377-85
    (doi:10.1080/01621459.1980.10477481)
    """
    known = dict(counts)
    complete = [_with_remainder(item, known) for item in dict.fromkeys(sums) if item.total in known]
    table = _Table([item for item in complete if item is not None], known, smallest, keep)
    hidden = {cell for cell, count in known.items() if 0 < count < smallest or isinstance(cell, Remainder)}
    while True:
        table.balance(hidden)
        exposed = table.determined(hidden)
        further = table.freeing(exposed, hidden)
        if further is None:
            return frozenset(cell for cell in hidden if cell in counts)
        hidden.add(further)


def _with_remainder(item: Sum, known: dict[Hashable, int]) -> Sum | None:
    """The sum with what is not printed as a part of its own; None where the parts overlap and hold more than the total."""
    parts = tuple(part for part in item.parts if part in known)
    rest = known[item.total] - sum(known[part] for part in parts)
    if not parts or rest < 0:
        return None
    if rest == 0:
        return Sum(item.total, parts)
    remainder = Remainder(item.total, parts)
    known[remainder] = rest
    return Sum(item.total, (*parts, remainder))


@dataclass(frozen=True, slots=True)
class _Table:
    """The sums with the true counts of their cells."""

    sums: Sequence[Sum]
    known: Mapping[Hashable, int]
    smallest: int
    keep: Set[Hashable]

    def candidates(self, item: Sum, hidden: Set[Hashable]) -> list[Hashable]:
        """Cells of a sum that can be hidden besides: the smallest part first, the total after the parts."""
        return self.sparing(cell for cell in (*item.parts, item.total) if cell not in hidden and self.known[cell])

    def sparing(self, cells: Iterable[Hashable]) -> list[Hashable]:
        """Cells from the one that is missed least."""
        return sorted(cells, key=lambda cell: (cell in self.keep, self.known[cell], str(cell)))

    def balance(self, hidden: set[Hashable]) -> None:
        """Hide further cells until every sum with a hidden part has another, and together they are not small."""
        changed = True
        while changed:
            changed = False
            for item in self.sums:
                while (
                    not self.enough(item, hidden)
                    and (more := next(iter(self.candidates(item, hidden)), None)) is not None
                ):
                    hidden.add(more)
                    changed = True

    def enough(self, item: Sum, hidden: Set[Hashable]) -> bool:
        """Whether the hidden parts of a sum protect each other."""
        parts = [cell for cell in item.parts if cell in hidden]
        if not any(self.sensitive(cell) for cell in parts):
            return True
        return item.total in hidden or (len(parts) > 1 and sum(self.known[cell] for cell in parts) >= self.smallest)

    def freeing(self, exposed: Set[Hashable], hidden: Set[Hashable]) -> Hashable | None:
        """The cell that, hidden too, leaves fewer hidden cells determined; failing that, the one that is missed least."""
        touched = [item for item in self.sums if exposed & {item.total, *item.parts}]
        around = [item for item in self.sums if exposed and hidden & {item.total, *item.parts}]
        near, far = ({cell for item in items for cell in self.candidates(item, hidden)} for items in (touched, around))
        cells = [*self.sparing(near), *self.sparing(far - near)]
        found = (cell for cell in cells if exposed - self.determined(hidden | {cell}))
        return next(found, next(iter(cells), None))

    def sensitive(self, cell: Hashable) -> bool:
        """Whether a reader must not find the cell: all that is hidden, and small remainders."""
        return not isinstance(cell, Remainder) or self.known[cell] < self.smallest

    def determined(self, hidden: Set[Hashable]) -> set[Hashable]:
        """Hidden cells whose value follows from the sums, each of them an equation in the hidden cells."""
        equations = [item for item in self.sums if hidden & {item.total, *item.parts}]
        cells = {cell for item in equations for cell in (item.total, *item.parts) if cell in hidden}
        if not cells:
            return set()
        place = {cell: index for index, cell in enumerate(sorted(cells, key=str))}
        matrix = np.zeros((len(equations), len(place)))
        for row, item in enumerate(equations):
            for cell, sign in ((item.total, -1.0), *((part, 1.0) for part in item.parts)):
                if cell in place:
                    matrix[row, place[cell]] += sign
        _, sizes, directions = np.linalg.svd(matrix)
        rank = int(np.sum(sizes > ZERO * max(1.0, float(sizes.max(initial=0.0)))))
        free = np.abs(directions[rank:]).max(axis=0, initial=0.0)
        return {cell for cell, index in place.items() if free[index] < ZERO and self.sensitive(cell)}
