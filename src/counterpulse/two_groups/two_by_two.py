"""The counts that two proportions are made of."""

from __future__ import annotations

from dataclasses import dataclass

from counterpulse.errors import InputError


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """Events and patients of a treated and a reference group.

    Raises
    ------
    InputError
        A count that is negative or not whole, or more events than patients.
    """

    events_treated: int
    n_treated: int
    events_reference: int
    n_reference: int

    def __post_init__(self) -> None:
        for events, n, group in (
            (self.events_treated, self.n_treated, "treated"),
            (self.events_reference, self.n_reference, "reference"),
        ):
            check_events(events, n, f"the {group} group")

    @property
    def n(self) -> int:
        """Patients in both groups."""
        return self.n_treated + self.n_reference

    @property
    def events(self) -> int:
        """Events in both groups."""
        return self.events_treated + self.events_reference

    @property
    def risk_treated(self) -> float:
        """Proportion with the event among the treated."""
        return self.events_treated / self.n_treated

    @property
    def risk_reference(self) -> float:
        """Proportion with the event in the reference group."""
        return self.events_reference / self.n_reference

    @property
    def non_events_treated(self) -> int:
        """Treated patients without the event."""
        return self.n_treated - self.events_treated

    @property
    def non_events_reference(self) -> int:
        """Reference patients without the event."""
        return self.n_reference - self.events_reference

    def swapped(self) -> TwoByTwo:
        """The same counts with the groups exchanged."""
        return TwoByTwo(self.events_reference, self.n_reference, self.events_treated, self.n_treated)


def check_events(events: int, n: int, group: str) -> None:
    """Refuse counts that no group can have."""
    if events != int(events) or n != int(n) or not 0 <= events <= n:
        raise InputError(
            f"{group} has {events} events among {n} patients; give whole numbers with 0 <= events <= patients"
        )
