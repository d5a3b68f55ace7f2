"""A page of the documentation as its reader uses it: blocks to run, files to write, output to compare."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from counterpulse.cli.main import invoke

ROOT = Path(__file__).resolve().parents[2]
PIECE = re.compile(r"^<!-- (?P<order>.+?) -->$|^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "…"


@dataclass(frozen=True)
class Block:
    """A fenced block; `order` is the comment above it, which the reader does not see."""

    language: str
    text: str
    order: str = ""


def blocks(path: Path) -> Iterator[Block]:
    """The blocks of a page in order; an order to change a file is a block without language."""
    order = ""
    for piece in PIECE.finditer(path.read_text(encoding="utf-8")):
        if piece["order"]:
            order = piece["order"]
            if order.startswith("change "):
                yield Block("", "", order)
                order = ""
        else:
            yield Block(piece["language"], piece["text"], order)
            order = ""


def commands(text: str) -> list[list[str]]:
    """The commands of a shell block, without their comments."""
    return [words for line in text.splitlines() if (words := shlex.split(line, comments=True))]


def call(words: list[str]) -> str:
    """Run the command line in this process; what it wrote, findings and refusals too."""
    assert words[0] == "counterpulse", words
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        invoke(words[1:])
    assert "Internal error" not in out.getvalue()
    return out.getvalue()


class Reader:
    """Somebody who follows a page in a folder, block by block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = ""

    def follow(self, page: Path, after: Callable[[list[str]], None] = lambda words: None) -> None:
        """Do what the page says; `after` is called with each command that was run."""
        for block in blocks(page):
            if block.order:
                self.write(block)
            elif block.language == "sh":
                self.output = ""
                for words in commands(block.text):
                    self.output += call(words)
                    after(words)
            elif block.language == "text":
                self.compare(block.text)

    def write(self, block: Block) -> None:
        if found := re.fullmatch(r"change (\S+): (.+) => (.+)", block.order):
            name, old, new = found.groups()
            text = (self.folder / name).read_text(encoding="utf-8")
            assert old in text
            (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")
            return
        if found := re.fullmatch(r"put into (\S+) before (.+)", block.order):
            name, place = found.groups()
            before, after = (self.folder / name).read_text(encoding="utf-8").split(f"\n{place}", 1)
            (self.folder / name).write_text(f"{before}\n{block.text}\n{place}{after}", encoding="utf-8")
            return
        verb, name = re.fullmatch(r"(write|add to) (\S+)", block.order).groups()
        before = (self.folder / name).read_text(encoding="utf-8") if verb == "add to" else ""
        (self.folder / name).write_text(before + block.text, encoding="utf-8")

    def compare(self, shown: str) -> None:
        """The lines shown are the lines written, one after the other; a line of dots stands for any number of lines."""
        written = [line.rstrip() for line in self.output.splitlines()]
        at, anywhere = 0, False
        for line in map(str.rstrip, shown.splitlines()):
            if line.strip() == LEFT_OUT:
                anywhere = True
                continue
            found = [
                place for place in range(at, len(written) if anywhere else at + 1) if line in written[place : place + 1]
            ]
            assert found, f"the page shows\n  {line}\nbut the program wrote\n{self.output}"
            at, anywhere = found[0] + 1, False
        assert anywhere or not any(written[at:]), f"the page leaves out the end of\n{self.output}"
