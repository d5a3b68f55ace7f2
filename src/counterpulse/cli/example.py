"""``counterpulse example``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterpulse import examples
from counterpulse.cli.console import say, say_table


def example(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The study.", show_default=False)] = None,
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to copy it.", show_default="NAME")
    ] = None,
) -> None:
    """List the studies that ship, or copy one out.

    Example: counterpulse example stanford-heart
    """
    if name is None:
        say_table(
            ("Name", "Study", "Patients"), [(item.name, item.title, item.data_kind) for item in examples.EXAMPLES]
        )
        return
    copied = examples.copy(name, directory or Path(name))
    say(f"Copied to {copied.parent}.")
    say(f"Read {copied}" if name == examples.SCORES else f"Run it: counterpulse run {copied}")
