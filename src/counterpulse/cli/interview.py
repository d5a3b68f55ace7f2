"""The interview at the terminal: a question, its guess in brackets; Enter accepts, ? explains, - is none."""

from __future__ import annotations

import sys

import typer

from counterpulse import study
from counterpulse.cli.console import say

WELCOME = (
    "A few questions. Enter accepts the guess in [brackets], ? explains, - is none, Ctrl-C stops and writes nothing.\n"
)


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: study.Question) -> str:
    """Ask until the answer can be taken."""
    while True:
        say(question.text)
        if question.reason:
            say(f"  ({question.reason})")
        typed = typer.prompt("  Answer", default=question.guess).strip()
        if typed == "?":
            _explain(question)
            continue
        read = question.read(typed)
        if not isinstance(read, study.Wrong):
            say()
            return read
        say(f"  {read.text()}\n")


def _explain(question: study.Question) -> None:
    say(f"  {question.help}")
    if question.choices:
        say("  Possible answers:")
        for name, meaning in question.choices.items():
            say(f"    {name}" + (f"  {meaning}" if meaning and meaning != name else ""))
    if question.optional:
        say(f"    {study.NONE}  none")
    say()
