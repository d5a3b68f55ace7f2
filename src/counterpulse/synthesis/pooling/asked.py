"""What the caller asked for: words and levels checked, and written down as choices."""

from __future__ import annotations

from numbers import Real

from counterpulse.errors import InputError
from counterpulse.results.estimate import Scale
from counterpulse.results.provenance import Choice

LEVEL = 0.95
"""Of every interval, unless another is asked for."""


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1).

    Raises
    ------
    InputError : names the level
    """
    if not (isinstance(level, Real) and 0 < level < 1):
        raise InputError(f"the level {level} is not between 0 and 1; 0.95 is usual")


def check_word(word: object, name: str, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is not among those allowed.

    Raises
    ------
    InputError : names the word and those allowed
    """
    if word not in allowed:
        raise InputError(f"{name} is {word!r}; use one of {', '.join(map(repr, allowed))}")


def choice(name: str, value: str | float | int | bool, usual: str | float | int | bool) -> Choice:
    """A choice, given where it is not the usual one."""
    return Choice(name, value, "default" if value == usual else "given")


def scale_of(measure: str) -> Scale:
    """Ratios are pooled as logarithms, proportions as log odds, differences as they are."""
    if measure.endswith("ratio"):
        return "log"
    return "logit" if measure == "proportion" else "identity"
