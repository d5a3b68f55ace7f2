"""The interview at the terminal: a question, its guess in brackets; Enter accepts, ? explains, - is none."""

from __future__ import annotations

import sys

import typer

from counterpulse.cli.console import say
from counterpulse.study import NONE, Question, Wrong

WELCOME = (
    "A few questions. Enter accepts the guess in [brackets], ? explains, - is none, Ctrl-C stops and writes nothing.\n"
)


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: Question) -> str:
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
        if not isinstance(read, Wrong):
            say()
            return read
        say(f"  {read.text()}\n")


def _explain(question: Question) -> None:
    say(f"  {question.help}")
    if question.choices:
        say("  Possible answers:")
        for name, meaning in question.choices.items():
            say(f"    {name}" + (f"  {meaning}" if meaning and meaning != name else ""))
    if question.optional:
        say(f"    {NONE}  none")
    say()
