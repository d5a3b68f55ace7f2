"""Draw the gallery from its protocols:  python docs/make_gallery.py.

Each file of gallery/ but base.yaml is an entry: a title, what of the report it shows, and the lines of YAML that make it.
Base and entry together are a protocol; it is run on the dummy patients that ship, and one table or figure is kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
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

Every table and figure below was drawn by the lines of YAML that stand under it, from [dummy patients](gallery/base.yaml): nobody is
behind these numbers. The pictures are made anew, and compared, by the tests (`python docs/make_gallery.py`).
"""


@dataclass(frozen=True)
class Entry:
    """What is shown: the id of a table or figure begins with `shows`."""

    name: str
    title: str
    shows: str
    yaml: str


def entries() -> Iterator[Entry]:
    """The entries in the order of their file names."""
    for path in sorted(GALLERY.glob("[0-9]*.yaml")):
        title, shows, yaml = path.read_text(encoding="utf-8").split("\n", 2)
        yield Entry(path.stem, title.removeprefix("# "), shows.removeprefix("# shows: "), yaml)


def drawn(entry: Entry, directory: Path) -> Table | Figure:
    """The table or figure of an entry; the example's tables lie in the directory."""
    protocol = directory / f"{entry.name}.protocol.yaml"
    base = (GALLERY / "base.yaml").read_text(encoding="utf-8")
    protocol.write_text(base + entry.yaml, encoding="utf-8")
    plan, table = study.read_study(protocol)
    document = cp.report.compose(cp.run(plan, table), plan)
    numbered = (block for block in blocks_of(document.sections) if isinstance(block, Table | Figure))
    return next(block for block in numbered if block.id.startswith(entry.shows))


def picture(block: Table | Figure) -> str:
    """A table or figure as SVG."""
    return to_svg(block.scene, prefix=block.id) if isinstance(block, Figure) else table_as_svg(block)


def gallery() -> dict[str, str]:
    """The page and the pictures, by path below docs/."""
    pages = [HEAD]
    made = {}
    with TemporaryDirectory() as place, as_file(EXAMPLE) as example:
        directory = Path(shutil.copytree(example, Path(place) / "study"))
        for entry in entries():
            block = drawn(entry, directory)
            made[f"gallery/{entry.name}.svg"] = picture(block)
            pages.append(_words(entry, block))
    made[PAGE.name] = "\n".join(pages)
    return made


def _words(entry: Entry, block: Table | Figure) -> str:
    note = f"\n{block.caption}\n" if isinstance(block, Figure) else ""
    alternative = escape(block.alternative or block.title, quote=True)
    return f'## {entry.title}\n\n<img src="gallery/{entry.name}.svg" alt="{alternative}">\n{note}\n```yaml\n{entry.yaml}```\n'


if __name__ == "__main__":
    write = partial(Path.write_text, encoding="utf-8", newline="\n")
    for name, content in gallery().items():
        write(PAGE.parent / name, content)
