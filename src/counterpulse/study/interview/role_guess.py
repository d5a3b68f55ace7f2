"""What the columns of a table are likely to be for, by their names, their types, and the order of their dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import polars as pl

from counterpulse.data.column_guess import CENTER_WORDS, SMALLEST_CELL
from counterpulse.data.dictionary import Variable
from counterpulse.data.draft import Draft

MOMENTS = ("date", "datetime")
NUMBERS = ("number", "integer")
TWO = 2
MOST_LEVELS_OF_A_COVARIATE = 10
MOST_MISSING = 0.2
EVENTS_PER_PARAMETER = 10

_DEVICE = r"(iabp|impella|ecmo|ecls|vad|device|pump|transplant|aline)"
_TREATMENT = r"(treat|therap|drug|cath|implant|trt|(^|_)tx|rx|intervention|expos|surg)"
WORDS = {
    "group": (r"(^|_)(arm|group|grp|allocation|randomi)", _DEVICE, _TREATMENT),
    "day_0": (
        r"(index|time_?zero|day_?0|baseline)", r"(ecmo|ecls|support)_?(start|on|begin)", r"(randomi|enrol|inclu)",
        r"(admi|accept|arriv|hospitali)", r"(start|onset|begin|diagnos|entry)",
    ),
    "outcome": (
        r"(^|_)(died|death|dead|deceased|mortality|mort|exitus|verstorben)", r"(fustat|fstat|vital|expire|surviv|alive)",
        r"(^|_)(status|event|outcome)",
    ),
    "treatment_time": (r"(start|time|date|dt|day|on|begin|implant|insert|wait)",),
    "death": (r"(death|died|dod|exitus)",),
    "discharge": (r"(discharge|dismiss|left_hospital|entlass)",),
    "last_seen": (r"(last|fu_|follow|contact|censor|alive_)",),
    "time": (
        r"(days|time|months|years)_?(to|until)_?(death|event|last)", r"(futime|fup|follow_?up|lenfol|surv(ival)?_?(time|days))",
        r"mort_day", r"^(time|days|os|months)$", r"(^|_)(d|os|pfs|dfs|efs|fu|surv|event|obs)_?time$",
    ),
}  # fmt: skip
"""The words of names that tell what a column is for, likeliest first."""

AFTER_DAY_0 = re.compile(
    r"(^|_)(los|complication|discharge|outcome|follow|fu|fup|censor|died|death|dead|mort|surviv|expire|exp|wean|readmi|nadir|peak|worst|"
    r"post|after|late|charges|cost|totcst|hospdead|[a-z]?los|[a-z]?time|[a-z]?stat|end|final|last|cause_of|alive|status|event|stay|duration|durn|"
    r"(icu|hospital|ventilator|vent|ecmo|support)_?(days|hours)|(day|d|h|hour|week|month)_?\d+|\d+_?(d|h|day|days|hours?|months?))"
    r"(_|s_|s$|$|e$|ed|y)"
)
OF_A_YEAR = re.compile(r"([a-z_]*[a-z])_?((?:19|20)?\d\d)")
ENDS_OF_LIFE = ("death", "discharge", "last_seen")
NEVER_COVARIATES = re.compile(r"(^|_)(id|nr|no|number|row|index|unnamed|seqn|start|stop|period)(_|$)")


@dataclass(frozen=True, slots=True)
class RoleGuess:
    """A name, or none, and why."""

    name: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a draft and their words; `with_labels`: the labels of the file are read too."""

    draft: Draft
    with_labels: bool = False

    def names(self, *types: str, taken: Collection[str | None] = ()) -> list[str]:
        """The variables of these types, without those that have a role already."""
        return [item.name for item in self.draft.dictionary if item.type in types and item.name not in taken]

    def by_words(self, role: str, names: Collection[str]) -> RoleGuess:
        """The first name with the likeliest word."""
        for pattern in WORDS[role]:
            for name in names:
                if re.search(pattern, name) or (self.with_labels and re.search(pattern, self._label(name))):
                    return RoleGuess(name, "its name sounds like it")
        return RoleGuess(None)

    def _label(self, name: str) -> str:
        return re.sub(r"\W+", "_", self.draft.dictionary[name].label.lower())

    def levels(self, name: str) -> dict[str, str]:
        """The levels that may be named, with their labels."""
        variable = self.draft.dictionary[name]
        if variable.type == "yesno":
            return {"yes": "Yes", "no": "No"}
        held = self.draft.facts[name].held
        return {
            code: label
            for code, label in (variable.levels or {}).items()
            if held.get(code, 0) >= SMALLEST_CELL and "," not in code
        }

    def id(self) -> RoleGuess:
        """The number of the patient."""
        ids = self.names("id")
        unique = [name for name in ids if self.draft.facts[name].distinct == self.draft.rows]
        if unique:
            return RoleGuess(unique[0], "each row has its own")
        return RoleGuess(ids[0], "named like one") if ids else RoleGuess(None, "no column is named like one")

    def center(self, taken: Collection[str | None]) -> RoleGuess:
        """The center."""
        found = [name for name in self.names("category", "integer", taken=taken) if CENTER_WORDS.search(name)]
        return RoleGuess(found[0], "named like one") if found else RoleGuess(None, "no column is named like one")

    def group(self, taken: Collection[str | None]) -> RoleGuess:
        """The compared groups: two levels."""
        two = [name for name in self.names("yesno", "category", taken=taken) if self.has_levels(name, exactly=True)]
        found = self.by_words("group", [name for name in two if self.by_words("outcome", [name]).name is None])
        return RoleGuess(found.name, "two levels, and its name sounds like a treatment") if found.name else found

    def has_levels(self, name: str, *, exactly: bool = False) -> bool:
        """Whether groups can be made of it."""
        count, distinct = len(self.levels(name)), self.draft.facts[name].distinct
        return distinct >= TWO and (count == TWO if exactly else count >= TWO)

    def first(self, role: str, names: Collection[str]) -> RoleGuess:
        """A column by its name."""
        return self.by_words(role, names)

    def treatment_time(self, names: Collection[str], group: str) -> RoleGuess:
        """A column named like the group and like a time; or a date named like a treatment."""
        stem = [word for word in group.split("_") if len(word) > 1]
        like = [name for name in names if any(word[:8] in name for word in stem)]
        found = self.by_words("treatment_time", like)
        if found.name:
            return RoleGuess(found.name, f"named like a time of {group}")
        treated = [name for name in names if re.search(f"{_DEVICE}|{_TREATMENT}", name)]
        return self.by_words("treatment_time", treated)

    def level_of_event(self, name: str) -> str:
        """The level that is the event: yes, else the word that says so, else the last."""
        levels = self.levels(name)
        if "yes" in levels:
            return "no" if re.search(r"alive|surviv|censor", name) else "yes"
        worded = [code for code in levels if re.search(r"dead|died|death|event|yes|verstorben", code, re.I)]
        return worded[0] if worded else list(levels)[-1]

    def treated_level(self, name: str) -> str:
        """The level that is the treatment: yes, else the one that is not named like a control, else the last."""
        levels = list(self.levels(name))
        if "yes" in levels:
            return "yes"
        plain = r"control|none|^no\b|no_|without|standard|usual|placebo|reference|sham|only"
        worded = [code for code in levels if not re.search(plain, code, re.I)]
        return worded[0] if len(worded) == 1 else levels[-1]

    def hours_between(self, start: str, end: str) -> pl.Series | None:
        """From one date to another, without blanks."""
        first, second = self.draft.facts[start].moments, self.draft.facts[end].moments
        if first is None or second is None:
            return None
        return ((second - first).dt.total_seconds() / 3600).drop_nulls()

    def covariates(self, taken: Collection[str | None], parameters: int) -> tuple[list[str], list[str]]:
        """Candidates for adjustment as many as the events bear, and those left out because they look later than day 0."""
        free = self.names(*NUMBERS, "yesno", "category", taken=taken)
        later = [name for name in free if self._looks_later(name)]
        chosen: list[str] = []
        for name in free:
            weight = self._parameters(name)
            again = any(
                name.startswith(f"{other.rsplit('_', 1)[0]}_") and name.endswith(("_num", "_code")) for other in chosen
            )
            if name not in later and not again and weight and weight <= parameters:
                chosen.append(name)
                parameters -= weight
        return chosen, later

    def _looks_later(self, name: str) -> bool:
        words = [name, self._label(name)] if self.with_labels else [name]
        return any(AFTER_DAY_0.search(word) for word in words) or self._is_last_of_years(name)

    def _is_last_of_years(self, name: str) -> bool:
        """Whether it is the latest year of a series (re74, re75, re78), or a change between two years (wt82_71)."""
        if re.search(r"[a-z]_?\d\d_\d\d$", name):
            return True
        found = OF_A_YEAR.fullmatch(name)
        series = [match for item in self.draft.dictionary if (match := OF_A_YEAR.fullmatch(item.name))]
        years = [match[2] for match in series if found and match[1] == found[1]]
        return found is not None and len(years) > 1 and found[2] == max(years)

    def _parameters(self, name: str) -> int:
        """What it costs in a model; 0 where it should not be in one."""
        facts, variable = self.draft.facts[name], self.draft.dictionary[name]
        if facts.distinct < TWO or facts.known < (1 - MOST_MISSING) * self.draft.rows or NEVER_COVARIATES.search(name):
            return 0
        if variable.type != "category":
            return 1
        usable = name not in self.draft.rare and len(variable.levels or {}) <= MOST_LEVELS_OF_A_COVARIATE
        return len(variable.levels or {}) - 1 if usable else 0


def others(draft: Draft, choices: Collection[str], why: Callable[[Variable], str]) -> dict[str, str]:
    """The columns that exist and cannot be named, by name and header in lower case, with the reason."""
    return dict(_others(draft, choices, why))


def _others(draft: Draft, choices: Collection[str], why: Callable[[Variable], str]) -> Iterator[tuple[str, str]]:
    for variable in draft.dictionary:
        if variable.name not in choices:
            yield variable.name.casefold(), why(variable)
            yield variable.source.casefold(), why(variable)
    for header, reason in draft.identifiers.items():
        yield header.casefold(), f"looks like {reason} and is left out; list it under `keep` to have it"
    for header in draft.empty:
        yield header.casefold(), "has no value in any row"
