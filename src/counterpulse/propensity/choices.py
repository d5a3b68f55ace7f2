"""A choice of the caller as provenance states it."""

from __future__ import annotations

from counterpulse.results.provenance import Choice

Value = str | float | int | bool | None


def chosen(name: str, value: Value, default: Value, reference: str | None = None) -> Choice:
    """Make a choice that counts as given where it is not the default."""
    return Choice(name, value, "default" if value == default else "given", reference)
