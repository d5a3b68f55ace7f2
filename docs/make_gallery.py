"""Draw the gallery from its protocols:  python docs/make_gallery.py.

Each numbered file of gallery/ is an entry: a title, what of the report it shows, and the lines of YAML that make it. Base and
entry together are a protocol; it is run on the dummy patients that ship, or on participants drawn from the dictionary of its
base, or on the table that stands beside its base, and one table or figure is kept.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import counterpulse as cp
from counterpulse import study
from counterpulse.report.document import Figure, Table, blocks_of
from counterpulse.report.figures.svg import to_svg
from counterpulse.report.render.pdf import table_as_svg

GALLERY = Path(__file__).parent / "gallery"
PAGE = Path(__file__).parent / "gallery.md"
EXAMPLE = files("counterpulse.examples") / "ecls_registry"
HEAD = """# Gallery

Every table and figure below was drawn by the lines of YAML that stand under it. They follow [a study of dummy
patients](gallery/base.yaml), or [a trial](gallery/trial.yaml) or [a review](gallery/review.yaml) where that is said: nobody is behind these numbers. The tests make
every picture again and compare (`python docs/make_gallery.py`).
"""
SETTING = re.compile(r"# (?P<key>base|shows|rows): (?P<value>.+)\n")
DRAWN = 360
"""Participants of a base with a dictionary of its own."""


@dataclass(frozen=True)
class Entry:
    """What is shown: the id of a table or figure begins with `shows`; of a long table the first `rows`."""

    name: str
    title: str
    yaml: str
    shows: str
    base: str = "base.yaml"
    rows: int | None = None


def entries() -> Iterator[Entry]:
    """The entries in the order of their file names."""
    for path in sorted(GALLERY.glob("[0-9]*.yaml")):
        title, text = path.read_text(encoding="utf-8").split("\n", 1)
        settings = {found["key"]: found["value"] for found in SETTING.finditer(text)}
        rows = int(settings.pop("rows")) if "rows" in settings else None
        yield Entry(path.stem, title.removeprefix("# "), SETTING.sub("", text), **settings, rows=rows)


def written(entry: Entry, directory: Path) -> Path:
    """The protocol of an entry in a directory with the tables of the example; another base has a table, or its participants are drawn."""
    protocol = directory / f"{entry.name}.protocol.yaml"
    base = (GALLERY / entry.base).read_text(encoding="utf-8")
    protocol.write_text(base + entry.yaml, encoding="utf-8")
    stem = Path(entry.base).stem
    dictionary = GALLERY / f"{stem}.dictionary.csv"
    table = GALLERY / f"{stem}.csv"
    if dictionary.exists():
        shutil.copy(dictionary, directory)
    if table.exists():
        shutil.copy(table, directory)
    elif dictionary.exists():
        study.write_mock(protocol, n=DRAWN, out=directory / f"{stem}.csv")
    return protocol


def drawn(entry: Entry, protocol: Path) -> Table | Figure:
    """The table or figure of an entry."""
    plan, table = study.read_study(protocol)
    document = cp.report.compose(cp.run(plan, table), plan)
    numbered = (block for block in blocks_of(document.sections) if isinstance(block, Table | Figure))
    block = next(block for block in numbered if block.id.startswith(entry.shows))
    return replace(block, rows=block.rows[: entry.rows]) if isinstance(block, Table) else block


def picture(block: Table | Figure) -> str:
    """A table or figure as SVG."""
    return to_svg(block.scene, prefix=block.id) if isinstance(block, Figure) else table_as_svg(block)


def gallery() -> dict[str, str]:
    """The page and the pictures, by path below docs/."""
    pages = [HEAD]
    made = {}
    with TemporaryDirectory() as place, as_file(EXAMPLE) as example:
        for entry in entries():
            directory = Path(shutil.copytree(example, Path(place) / entry.name))
            block = drawn(entry, written(entry, directory))
            made[f"gallery/{entry.name}.svg"] = picture(block)
            pages.append(_words(entry, block))
    made[PAGE.name] = "\n".join(pages)
    return made


def _words(entry: Entry, block: Table | Figure) -> str:
    note = f"\n{block.caption}\n" if isinstance(block, Figure) else ""
    base = f"\nIts base is [{entry.base}](gallery/{entry.base}).\n" if entry.base != Entry.base else ""
    alternative = escape(block.alternative or block.title, quote=True)
    shown = f'<img src="gallery/{entry.name}.svg" alt="{alternative}">'
    return f"## {entry.title}\n\n{shown}\n{note}{base}\n```yaml\n{entry.yaml}```\n"


if __name__ == "__main__":
    write = partial(Path.write_text, encoding="utf-8", newline="\n")
    for name, content in gallery().items():
        write(PAGE.parent / name, content)
