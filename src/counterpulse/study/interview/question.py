"""A question of the interview: what is asked, what is guessed, and what an answer may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from counterpulse.protocol.words import read_duration
from counterpulse.source import did_you_mean

Kind = Literal["column", "columns", "level", "levels", "word", "words", "length", "text"]
NONE = "-"
MOST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why an answer cannot be taken: a finding's code, what was seen, what is allowed, one thing to do."""

    code: str
    seen: str
    allowed: str
    remedy: str

    def text(self) -> str:
        """As a person at the terminal reads it."""
        return " ".join(part for part in (f"{self.seen}.", f"Allowed: {self.allowed}.", self.remedy) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question.

    Attributes
    ----------
    key : its name in a file of answers
    text : as a clinician is asked
    guess : the answer that is taken where nobody answers; "-" for none
    reason : why that is the guess
    help : what the answer changes
    kind : what an answer is; several are written with commas
    choices : what can be named, with its label; empty where any text will do
    others : names that exist and cannot be named here, with the reason
    optional : "-" is an answer
    """

    key: str
    text: str
    guess: str
    reason: str = ""
    help: str = ""
    kind: Kind = "text"
    choices: Mapping[str, str] | None = None
    others: Mapping[str, str] | None = None
    optional: bool = False

    def read(self, answer: str) -> str | Wrong:
        """The answer as it is kept, or why it cannot be taken."""
        text = answer.strip()
        if text in ("", NONE):
            return NONE if self.optional else self._wrong(text or "nothing")
        if self.kind == "length":
            return self._length(text)
        if self.choices is None:
            return text
        parts = [part.strip() for part in text.split(",")] if self.kind in ("columns", "levels", "words") else [text]
        read = [self._choice(part) for part in parts if part]
        wrong = [part for part in read if isinstance(part, Wrong)]
        if not wrong and self.kind == "levels" and len({*read}) == len(self.choices):
            return Wrong(
                "E682",
                f"`{self.key}` names every level",
                "all levels but one",
                "leave out the one that is the reference",
            )
        return wrong[0] if wrong else ", ".join(dict.fromkeys(str(part) for part in read))

    def _length(self, text: str) -> str | Wrong:
        try:
            length = read_duration(text)
        except ValueError as error:
            return Wrong("E683", f"`{self.key}` is {text!r}", str(error), "write it like 30 days")
        if not length.value:
            return Wrong("E683", f"`{self.key}` is {text!r}", "a length of time above zero", "write it like 30 days")
        return str(length)

    def _choice(self, part: str) -> str | Wrong:
        assert self.choices is not None
        known = {name.casefold(): name for name in self.choices}
        found = known.get(part.casefold()) or known.get(part.casefold().replace(".", "_").replace(" ", "_"))
        return found if found is not None else self._wrong(part)

    def _wrong(self, part: str) -> Wrong:
        names = list(self.choices or {})
        allowed = ", ".join(names[:MOST_SHOWN]) + (", …" if len(names) > MOST_SHOWN else "")
        remedy = did_you_mean(part, names) or "name one of them" + (" or - for none" if self.optional else "")
        if reason := (self.others or {}).get(part.casefold()):
            return Wrong("E681", f"`{self.key}`: the column {part!r} {reason}", allowed or "no column", remedy)
        if self.kind in ("column", "columns"):
            return Wrong("E681", f"`{self.key}`: there is no column {part!r}", allowed or "no column", remedy)
        if self.kind in ("level", "levels"):
            seen = f"`{self.key}`: {part!r} is no level that 5 patients or more hold"
            return Wrong("E682", seen, allowed or "no level", remedy)
        return Wrong("E683", f"`{self.key}` is {part!r}", allowed or "an answer", remedy)
