"""The order in which derived variables are computed: each after what it reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from counterpulse.errors import InputError


class CircularDefinitionError(InputError):
    """Definitions that read each other; `cycle` names them in turn, the first again at the end."""

    def __init__(self, cycle: tuple[str, ...]) -> None:
        self.cycle = cycle
        super().__init__(f"definitions in a circle: {' reads '.join(cycle)}; remove one of these references")


def evaluation_order(definitions: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Sort definitions so that each stands after those it reads, otherwise in the order given.

    Parameters
    ----------
    definitions : mapping of name to the names it reads
        Names that are not defined here (columns of the table) are ignored.

    Returns
    -------
    tuple of str

    Raises
    ------
    CircularDefinitionError
        When definitions read each other.
    """
    place = {name: number for number, name in enumerate(definitions)}
    reads = {
        name: sorted((other for other in others if other in place), key=place.__getitem__)
        for name, others in definitions.items()
    }
    done: dict[str, None] = {}
    for root in definitions:
        _settle(root, reads, done)
    return tuple(done)


def _settle(root: str, reads: Mapping[str, list[str]], done: dict[str, None]) -> None:
    """Append to `done` what `root` reads, then `root`; the path is kept in a list, not on the call stack."""
    path = [root]
    while path:
        name = path[-1]
        waiting = next((other for other in reads[name] if other not in done), None)
        if name in done or waiting is None:
            done[path.pop()] = None
        elif waiting in path:
            raise CircularDefinitionError((*path[path.index(waiting) :], waiting))
        else:
            path.append(waiting)
