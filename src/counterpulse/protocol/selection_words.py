"""How covariates are selected, in words: for the plan, the methods section and the analysis plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from counterpulse.data.terms import Term
from counterpulse.protocol.plan import PlannedSelection

SELECTED = {
    "stepwise": "stepwise selection",
    "forward": "forward selection",
    "backward": "backward elimination",
    "lasso": "the lasso",
    "screen": "their P value in a model of their own",
}


def selection_text(selection: PlannedSelection, word: Callable[[Term], str]) -> str:
    """How covariates are selected, and from what; `word` names a term."""
    rule = {
        "stepwise": f"P < {selection.enter:g} to enter, P < {selection.stay:g} to stay",
        "forward": f"P < {selection.enter:g} to enter",
        "backward": f"P < {selection.stay:g} to stay",
        "lasso": f"penalty by {selection.folds}-fold cross-validation, rule: {selection.rule}",
        "screen": f"P < {selection.enter:g}",
    }[selection.method]
    rule = rule if selection.by == "p" else f"lowest {selection.by.upper()}"
    first = f", of those with P < {selection.screen:g} in a model of their own" if selection.screen is not None else ""
    candidates = in_a_row(list(dict.fromkeys(map(word, selection.candidates))))
    return f"selected from {candidates} by {SELECTED[selection.method]} ({rule}){first}"


def in_a_row(words: Sequence[str]) -> str:
    """Names as a choice lists them: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
