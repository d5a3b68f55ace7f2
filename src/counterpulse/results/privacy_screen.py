"""What is hidden in a result, asked cell by cell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from counterpulse.results.census import events_of, people
from counterpulse.results.study_result import EstimateRow


@dataclass(frozen=True, slots=True)
class Screen:
    """What is hidden, and the smallest count that is not. `group_variable` makes the compared groups.

    `sizes` are patients behind blocks that hold shares only (census_of_blocks.sizes_of_blocks), `estimates` those of the
    result as they are shown, by id.
    """

    hidden: frozenset[Hashable]
    smallest: int
    group_variable: str | None = None
    sizes: Mapping[Hashable, float] = field(default_factory=dict)
    estimates: Mapping[str, EstimateRow] = field(default_factory=dict)

    def small(self, n: int | None) -> int | None:
        """A count that stands alone."""
        return None if n is not None and 0 < n < self.smallest else n

    def people(self, n: int | None, *at: str | None) -> int | None:
        """Patients of a place in the study."""
        return None if n is not None and people(n, *at) in self.hidden else n

    def events(self, n: int | None, outcome: str, *at: str | None) -> int | None:
        """Events of a place in the study."""
        return None if n is not None and events_of(n, outcome, *at) in self.hidden else n
