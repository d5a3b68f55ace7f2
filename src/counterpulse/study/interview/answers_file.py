"""The answers of an interview as a YAML file: written after it, and read so that it need not be held again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from counterpulse.errors import ProtocolError
from counterpulse.source import Finding, Location, did_you_mean
from counterpulse.source.yaml_file import YamlFile, load_yaml
from counterpulse.study.interview.interview import KEYS, Answers
from counterpulse.study.interview.question import NONE, Question, Wrong

HEADER = """\
# The answers to `counterpulse init`. Change them, then:  counterpulse init DATA --answers {name}
# It asks nothing and writes the same dictionary and protocol again. - is none; what is left out is guessed.
"""


@dataclass(slots=True)
class Guesses:
    """Answers every question with its guess, and keeps what was assumed."""

    assumed: list[tuple[Question, str]] = field(default_factory=list)

    def __call__(self, question: Question) -> str:
        """The guess."""
        read = question.read(question.guess)
        answer = question.guess if isinstance(read, Wrong) else read
        self.assumed.append((question, answer))
        return answer


@dataclass(slots=True)
class AnswersFile:
    """Answers from a file; what it does not hold is guessed. `findings` are the answers that cannot be taken."""

    file: YamlFile
    guesses: Guesses = field(default_factory=Guesses)
    findings: dict[str, Finding] = field(default_factory=dict)

    def __call__(self, question: Question) -> str:
        """The answer of the file, or the guess."""
        written = self._written(question.key)
        if written is None:
            return self.guesses(question)
        read = question.read(written)
        if not isinstance(read, Wrong):
            return read
        self.findings[question.key] = Finding(
            code=read.code,
            where=self.file.position((question.key,)),
            seen=read.seen,
            allowed=read.allowed,
            remedy=read.remedy,
        )
        return Guesses()(question)

    def has(self, key: str) -> bool:
        """Whether it answers a question."""
        return self._written(key) is not None

    def unasked(self, given: Mapping[str, str]) -> tuple[str, ...]:
        """The keys whose question did not arise, because of the other answers or the data."""
        keys = self.file.data if isinstance(self.file.data, dict) else {}
        return tuple(str(key) for key in keys if key not in given)

    def _written(self, key: str) -> str | None:
        data = self.file.data
        value = data.get(key) if isinstance(data, dict) else None
        if value is None:
            return None
        parts = value if isinstance(value, list) else [value]
        return ", ".join(
            {True: "yes", False: "no"}.get(part, str(part)) if isinstance(part, bool) else str(part) for part in parts
        )

    def stop_on_findings(self, tables: Collection[str]) -> None:
        """Raise with every answer that cannot be taken and every key that no question has.

        Raises
        ------
        ProtocolError
        """
        known = [*KEYS, *(f"{name}.{part}" for name in tables for part in ("id", "time"))]
        keys = self.file.data if isinstance(self.file.data, dict) else {}
        unknown = [
            Finding(code="E680", where=self.file.position((key,), key=True), seen=f"no question is called `{key}`",
                    allowed=", ".join(known), remedy=did_you_mean(key, known) or "delete the line")
            for key in keys if key not in known
        ]  # fmt: skip
        found: list[Finding] = sorted([*unknown, *self.findings.values()], key=lambda finding: finding.where.line or 0)
        if found:
            raise ProtocolError(found)


def read_answers(path: Path) -> AnswersFile:
    """A file of answers.

    Raises
    ------
    UsageError : it is missing
    ProtocolError : it is no YAML, or not `key: answer` lines
    """
    file = load_yaml(path, what="file of answers")
    if not isinstance(file.data, dict):
        where = Location(path.name, 1)
        raise ProtocolError(
            [Finding(code="E683", where=where, seen="the file holds no answers", allowed="lines such as `group: iabp`")]
        )
    return AnswersFile(file)


def answers_yaml(answers: Answers, name: str) -> str:
    """The answers as the file that `read_answers` reads."""
    lines = [f"{key}: {_quoted(answer)}" for key, answer in answers.given.items()]
    return HEADER.format(name=name) + "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if text == NONE:
        return '"-"'
    plain = text.replace("_", "").replace("-", "").isalnum() and not text[0].isdigit() and text.isascii()
    return text if plain and not text.startswith("-") else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
